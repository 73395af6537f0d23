//! What a rollout says is to be done, done.
//!
//! Invariant: an effect that is carried out twice is as if carried out once, so that a rollout may go on from what was
//! stored last. An effect that fails loses the candidate: the stable version has all calls again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use patchbay_dispatch::{Mount, Served};
use patchbay_registry::{Change, Force, RegistryError, Selector, Split};
use patchbay_rollout::{Comparing, Effect, Evidence, IgnorePath, Input, Outcome, Phase, Policy, Weight};
use patchbay_state::{Entry, Write};
use patchbay_vocab::{Explain, NodeType, RevisionNumber, UnixMillis, kill_point};
use serde_json::json;

use crate::active::{Active, Since};
use crate::arms;
use crate::delivery::Delivery;
use crate::error::DeliveryError;
use crate::event::DeliveryEvent;
use crate::memory::Together;
use crate::orders::Ordered;
use crate::replay::{Replaying, names};
use crate::shadow::{Comparison, Shadow};
use crate::stages::comparable;

/// Under which name a rollout changes things by itself.
pub(crate) const ITSELF: &str = "rollout";

impl Delivery {
    /// Tells a rollout something, does what it says, and has it remembered. The caller settles.
    pub(crate) fn advance(
        &self,
        active: &mut Active,
        input: Input,
        order: Option<&Ordered>,
    ) -> Result<bool, DeliveryError> {
        let before = active.rollout.phase();
        let was = active.rollout.clone();
        let effects = active.rollout.advance(self.now(), input)?;
        let mut changed = is_worth_a_record(&effects) || active.rollout.phase() != before;
        let mut together = Together::new(self.writes(active, &effects, &before, order));
        let done = self.carry_out_all(active, effects, order, &together);
        // What is live has changed, and with it where the rollout stands: that is not taken back.
        if let Err(error) = done.or_else(|error| together.unless_made(error)) {
            // What was decided has not come true: it stands where it stood.
            active.rollout = was.clone();
            if order.is_some() || error.waits() {
                self.rest(active, &error);
                return Err(error);
            }
            tracing::warn!(rollout = active.id, error = %error.chain(), "a rollout could not go on");
            let lost = Input::CandidateLost(error.chain());
            let effects = active.rollout.advance(self.now(), lost)?;
            changed = true;
            together = Together::new(self.writes(active, &effects, &before, order));
            let done = self.carry_out_all(active, effects, None, &together);
            if let Err(error) = done.or_else(|error| together.unless_made(error)) {
                active.rollout = was;
                self.rest(active, &error);
                return Err(error);
            }
        }
        active.rests_until = None;
        kill_point("rollout.effected");
        let after = active.rollout.phase();
        // Time alone is not worth a write each quarter of a second; what is lost of it is waited for once more.
        if (changed || (active.rollout != was && self.is_time_to_store(active)))
            && let Some(writes) = together.left()
        {
            self.parts().state.tell(writes);
            kill_point("rollout.told");
        }
        if after != before {
            self.tell(DeliveryEvent {
                kind: kind_of(&after),
                plugin: Some(active.plugin.clone()),
                version: Some(active.version.clone()),
                revision: Some(active.to),
                message: active.rollout.message(),
                code: None,
            });
        }
        Ok(changed)
    }

    fn carry_out_all(
        &self,
        active: &mut Active,
        effects: Vec<Effect>,
        order: Option<&Ordered>,
        together: &Together,
    ) -> Result<(), DeliveryError> {
        for effect in effects {
            self.carry_out(active, effect, order, together)?;
        }
        Ok(())
    }

    /// What failed is tried again, and not at once.
    fn rest(&self, active: &mut Active, error: &DeliveryError) {
        const REST: u64 = 2_000;
        if active.rests_until.is_none() {
            tracing::warn!(rollout = active.id, code = %error.code(), error = %error.chain(), "a rollout stays where it is, and tries again");
        }
        active.rests_until = Some(UnixMillis(self.now().0.saturating_add(REST)));
    }

    /// Keeps a revision loaded and awake until the rollout ends.
    fn keep(&self, active: &mut Active, number: RevisionNumber) -> Result<Arc<Mount<Served>>, DeliveryError> {
        let parts = self.parts();
        if active.holds.contains(&number)
            && let Some(mount) = parts.registry.mounted(&active.plugin, number)
            && !mount.is_closed()
        {
            return Ok(mount);
        }
        let mount = parts.lifecycle.hold(&active.plugin, number)?;
        active.holds.push(number);
        Ok(mount)
    }

    /// Does again what a rollout that was stored needs of this process.
    pub(crate) fn take_up(&self, active: &mut Active) {
        let effects = active.rollout.resumed(self.now());
        let together = Together::new(vec![active.stored()]);
        for effect in effects {
            if let Err(error) = self.carry_out(active, effect, None, &together) {
                let why = error.chain();
                tracing::warn!(rollout = active.id, why, "a rollout could not be taken up again");
                let _ = self.advance(active, Input::CandidateLost(why), None);
                return;
            }
        }
        if let Some(writes) = together.left() {
            self.parts().state.tell(writes);
        }
    }

    /// Where a rollout stands now, and what brought it there. What is live changes in the same transaction: a host that
    /// dies in between would find one of the two.
    fn writes(
        &self,
        active: &Active,
        effects: &[Effect],
        before: &Phase,
        order: Option<&Ordered>,
    ) -> Vec<Write> {
        let mut writes = vec![active.stored()];
        writes.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Record(evidence) => Some(Write::Evidence(stored_evidence(&active.id, evidence))),
            _ => None,
        }));
        if active.rollout.phase() != *before {
            writes.push(Write::Audit(self.entry(active, order)));
        }
        writes
    }

    fn carry_out(
        &self,
        active: &mut Active,
        effect: Effect,
        order: Option<&Ordered>,
        together: &Together,
    ) -> Result<(), DeliveryError> {
        let parts = self.parts();
        match effect {
            Effect::SetWeight(Weight::NONE) => {
                parts
                    .registry
                    .unsplit(&active.plugin, &change(active, order, "it has no share"))?;
            }
            Effect::SetWeight(weight) => self.set_weight(active, weight, order)?,
            Effect::StartShadow => self.start_shadow(active)?,
            Effect::StartReplay => self.start_replay(active)?,
            Effect::StopTrial => active.stop_trial(),
            Effect::Measure => self.measure(active)?,
            Effect::GoLive => {
                let to = Selector::Revision(active.to);
                let change = Change {
                    along: Some(together.along()),
                    ..change(active, order, "it goes live")
                };
                parts
                    .lifecycle
                    .promote(&active.plugin, &to, active.force, &change)?;
            }
            Effect::RollBack { why } => self.roll_back(active, &why, order, together)?,
            // It is among what is written.
            Effect::Record(_) => {}
            Effect::Finished(outcome) => self.finish(active, &outcome),
        }
        Ok(())
    }

    fn set_weight(
        &self,
        active: &Active,
        weight: Weight,
        order: Option<&Ordered>,
    ) -> Result<(), DeliveryError> {
        let canary = match active.rollout.policy() {
            Policy::Canary(canary) => Some(canary),
            other => other.canary(),
        };
        let split = Split {
            to: active.to,
            weight,
            by: canary.map(|canary| canary.sticky.clone()).unwrap_or_default(),
            salt: active.salt(),
            tickets: Arc::clone(&active.tickets),
        };
        let change = change(active, order, &format!("it has {weight} of the calls"));
        let lifecycle = &self.parts().lifecycle;
        match lifecycle.split(&active.plugin, &split, active.force, &change) {
            Ok(_) => Ok(()),
            // It went live just before the process ended, and this is that step done once more.
            Err(patchbay_lifecycle::LifecycleError::Registry(RegistryError::IsLive { .. })) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What is live and the candidate, both kept loaded.
    fn sides(&self, active: &mut Active) -> Result<[Arc<Mount<Served>>; 2], DeliveryError> {
        let from = active.from.ok_or_else(|| DeliveryError::NothingLive {
            plugin: active.plugin.clone(),
            version: active.version.clone(),
        })?;
        let to = active.to;
        Ok([self.keep(active, from)?, self.keep(active, to)?])
    }

    fn start_shadow(&self, active: &mut Active) -> Result<(), DeliveryError> {
        if active.shadowing.is_some() {
            return Ok(());
        }
        let [stable, candidate] = self.sides(active)?;
        let (fit, left_out) = comparable(stable.handle(), candidate.handle());
        active.left_out = left_out;
        let Policy::Shadow(shadow) = active.rollout.policy() else {
            return Ok(());
        };
        let shadow = Shadow {
            id: active.id.clone(),
            dispatcher: Arc::clone(&self.parts().dispatcher),
            stable,
            candidate,
            fit: texts(&fit),
            sample: shadow.sample,
            comparison: Comparison {
                compare: shadow.compare,
                ignore: shadow.ignore.clone(),
            },
            told: self.messages(),
        };
        active.shadowing = Some(shadow.start().map_err(DeliveryError::Thread)?);
        Ok(())
    }

    fn start_replay(&self, active: &mut Active) -> Result<(), DeliveryError> {
        let [stable, candidate] = self.sides(active)?;
        let (fit, left_out) = comparable(stable.handle(), candidate.handle());
        active.left_out = left_out;
        let Policy::Replay(replay) = active.rollout.policy() else {
            return Ok(());
        };
        let ignore: Vec<IgnorePath> = replay.ignore.clone();
        let calls = self
            .parts()
            .recordings
            .recorded(&active.plugin, &names(&fit), replay.last)
            .map_err(|why| DeliveryError::NoRecords {
                plugin: active.plugin.clone(),
                why,
            })?;
        active.stop_trial();
        active.replays += 1;
        let ended = Arc::new(AtomicBool::new(false));
        let replaying = Replaying {
            id: active.id.clone(),
            number: active.replays,
            dispatcher: Arc::clone(&self.parts().dispatcher),
            stable,
            candidate,
            comparison: Comparison {
                compare: Comparing::Yes,
                ignore,
            },
            ended: Arc::clone(&ended),
            told: self.messages(),
        };
        replaying.start(calls).map_err(DeliveryError::Thread)?;
        active.replaying = Some(ended);
        Ok(())
    }

    fn measure(&self, active: &mut Active) -> Result<(), DeliveryError> {
        // What sleeps meanwhile would take its counts with it.
        for number in active.from.into_iter().chain([active.to]) {
            self.keep(active, number)?;
        }
        let registry = &self.parts().registry;
        let count = |number| arms::count(registry, &active.plugin, number);
        for number in active.from.into_iter().chain([active.to]) {
            arms::sample(registry, &active.plugin, number, 0);
        }
        active.since = Some(Since {
            at: self.now(),
            stable: active.from.map(count).unwrap_or_default(),
            candidate: count(active.to),
        });
        Ok(())
    }

    fn roll_back(
        &self,
        active: &mut Active,
        why: &str,
        order: Option<&Ordered>,
        together: &Together,
    ) -> Result<(), DeliveryError> {
        let parts = self.parts();
        active.shadowing = None;
        parts
            .registry
            .unsplit(&active.plugin, &change(active, order, why))?;
        let live = parts.registry.plugin(&active.plugin)?.live;
        if let Some(from) = active.from.filter(|_| live == Some(active.to)) {
            let to = Selector::Revision(from);
            // It did not do: a rollback without a name, or a fallback, does not go there first.
            parts.registry.put_last(&active.plugin, active.to);
            let change = Change {
                action: Some(patchbay_registry::Action::RolledBack),
                along: Some(together.along()),
                ..change(active, order, why)
            };
            parts
                .lifecycle
                .roll_back(&active.plugin, Some(&to), Force::No, &change)?;
        }
        Ok(())
    }

    /// Lets go of what was kept for the rollout.
    fn finish(&self, active: &mut Active, outcome: &Outcome) {
        tracing::info!(rollout = active.id, ?outcome, "a rollout has ended");
        self.release(active);
    }

    /// Lets go of whatever a rollout keeps of this process.
    pub(crate) fn release(&self, active: &mut Active) {
        active.stop_trial();
        let parts = self.parts();
        for number in active.from.into_iter().chain([active.to]) {
            arms::stop_sampling(&parts.registry, &active.plugin, number);
        }
        for number in std::mem::take(&mut active.holds) {
            parts.lifecycle.let_go(&active.plugin, number);
        }
    }

    pub(crate) fn entry(&self, active: &Active, order: Option<&Ordered>) -> Entry {
        let rollout = &active.rollout;
        Entry {
            at: self.parts().clock.wall(),
            actor: order.map_or_else(|| ITSELF.to_owned(), |order| order.actor.clone()),
            action: kind_of(&rollout.phase()).to_owned(),
            plugin: Some(active.plugin.clone()),
            revision: Some(active.to),
            tenant: None,
            workflow: None,
            reason: order.map_or_else(String::new, |order| order.reason.clone()),
            key: order.and_then(|order| order.key.clone()),
            detail: json!({
                "rollout": active.id,
                "order": order.and_then(|order| order.what),
                "version": active.version,
                "from": active.from,
                "weight": rollout.weight(),
                "message": rollout.message(),
            })
            .to_string(),
        }
    }
}

/// What a rollout changes, as the history has it.
fn change(active: &Active, order: Option<&Ordered>, why: &str) -> Change {
    let actor = order.map_or(ITSELF, |order| order.actor.as_str());
    let said = order.map_or("", |order| order.reason.as_str());
    let reason = match said {
        "" => format!("rollout {}: {why}", active.id),
        said => format!("rollout {}: {why} ({said})", active.id),
    };
    Change::by(actor, &reason)
}

fn is_worth_a_record(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Record(_)))
}

fn stored_evidence(id: &str, evidence: &Evidence) -> patchbay_state::Evidence {
    patchbay_state::Evidence {
        rollout: id.to_owned(),
        at: evidence.at(),
        kind: evidence.kind().to_owned(),
        body: serde_json::to_string(evidence).unwrap_or_default(),
    }
}

/// What an event and the audit call where a rollout stands.
pub(crate) const fn kind_of(phase: &Phase) -> &'static str {
    match phase {
        Phase::Preparing => "rollout.began",
        Phase::Replay => "rollout.replaying",
        Phase::Shadow => "rollout.shadowing",
        Phase::Step(_) => "rollout.step",
        Phase::Paused { .. } => "rollout.paused",
        Phase::Baking => "rollout.baking",
        Phase::Promoted => "rollout.promoted",
        Phase::Aborted => "rollout.aborted",
        Phase::Failed => "rollout.failed",
    }
}

fn texts(fit: &BTreeSet<NodeType>) -> BTreeSet<String> {
    fit.iter().map(ToString::to_string).collect()
}
