//! What is kept of old versions, and what goes.
//!
//! Invariant: what is live, loaded, pinned, part of a rollout, within a rollback's reach or needed by a stored workflow is
//! never collected, whatever the limits say.

use std::collections::{BTreeMap, BTreeSet};

use patchbay_dispatch::Routes;
use patchbay_registry::{PluginStatus, RevisionStatus};
use patchbay_state::{GoodSet, Write};
use patchbay_vocab::{Digest, Explain, Monotonic, PluginName, RevisionNumber, Version, kill_point};

use crate::config::Mode;
use crate::delivery::{Delivery, SETTLE};
use crate::error::DeliveryError;
use crate::event::DeliveryEvent;
use crate::memory::by_itself;
use crate::orders::Ordered;

/// When things were last looked at that need no look at every tick.
#[derive(Debug)]
pub(crate) struct Upkeep {
    began: Monotonic,
    collected: Monotonic,
    /// Of which snapshot the set is.
    generation: u64,
    /// What is live, and since when.
    live: BTreeMap<PluginName, RevisionNumber>,
    steady: Monotonic,
    is_good: bool,
    /// Whether it is remembered that this boot went well.
    is_well: bool,
}

impl Upkeep {
    pub(crate) const fn at(now: Monotonic) -> Self {
        Self {
            began: now,
            collected: now,
            generation: u64::MAX,
            live: BTreeMap::new(),
            steady: now,
            is_good: false,
            is_well: false,
        }
    }
}

/// Whether anything is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collect {
    /// Only said.
    DryRun,
    /// Done.
    ForReal,
}

/// A revision, and why it stays or goes.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The plugin.
    pub plugin: PluginName,
    /// The revision.
    pub revision: RevisionNumber,
    /// Its version.
    pub version: Version,
    /// The hash of its artifact.
    pub digest: Digest,
    /// How long that is, in bytes.
    pub bytes: u64,
    /// Why.
    pub why: &'static str,
}

/// What a collection came to.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// What is gone, or would be.
    pub removed: Vec<Kept>,
    /// What stays.
    pub kept: Vec<Kept>,
    /// Bytes of all artifacts before.
    pub bytes: u64,
}

impl Delivery {
    /// Removes what nobody needs and the limits do not allow.
    ///
    /// # Errors
    /// When what was removed could not be remembered.
    pub fn collect(&self, how: Collect, by: &Ordered) -> Result<Collected, DeliveryError> {
        let found = self.surplus();
        if how == Collect::DryRun {
            return Ok(found);
        }
        let change = patchbay_registry::Change {
            key: by.key.as_deref().map(Into::into),
            ..by_itself(&by.actor, &by.reason)
        };
        let mut done = Collected {
            removed: Vec::new(),
            ..found
        };
        for one in found.removed {
            // Between the look and now it may have been promoted, pinned or loaded: the registry says so.
            if let Err(error) = self
                .parts()
                .registry
                .forget_revision(&one.plugin, one.revision, &change)
            {
                tracing::debug!(plugin = %one.plugin, revision = %one.revision, error = %error.chain(), "kept");
                done.kept.push(Kept {
                    why: "it came into use",
                    ..one
                });
                continue;
            }
            done.removed.push(one);
        }
        // The record goes before the bytes: a record without bytes could not be served, bytes without a record are
        // found by the doctor.
        self.parts().state.settle(SETTLE)?;
        kill_point("retention.forgotten");
        for one in &done.removed {
            self.parts().lifecycle.forget_artifact(one.digest);
            kill_point("retention.removed");
            self.parts().state.tell(vec![Write::ForgetArtifact(one.digest)]);
        }
        Ok(done)
    }

    fn surplus(&self) -> Collected {
        let parts = self.parts();
        let limits = self.config().retention;
        let reached: BTreeSet<_> = (parts.reach)().into_iter().collect();
        let rolling: BTreeMap<PluginName, Vec<RevisionNumber>> = self
            .all()
            .iter()
            .map(|entry| {
                let active = entry.lock();
                (
                    active.plugin.clone(),
                    active.from.into_iter().chain([active.to]).collect(),
                )
            })
            .collect();
        let (mut free, mut found) = (Vec::new(), Collected::default());
        for status in parts.registry.plugins() {
            let order = parts.registry.live_order(&status.plugin);
            for (age, revision) in status.revisions.iter().rev().enumerate() {
                let needed = self.why_needed(&status, revision, &order, &reached, &rolling);
                let one = Kept {
                    plugin: status.plugin.clone(),
                    revision: revision.number,
                    version: revision.version.clone(),
                    digest: revision.digest,
                    bytes: parts.lifecycle.artifact_bytes(revision.digest),
                    why: needed.unwrap_or("it is among the newest"),
                };
                found.bytes += one.bytes;
                match needed {
                    Some(_) => found.kept.push(one),
                    None if age >= limits.revisions => found.removed.push(Kept {
                        why: "there are newer ones",
                        ..one
                    }),
                    None => free.push((revision.admitted_at, one)),
                }
            }
        }
        let mut left = found.bytes - found.removed.iter().map(|one| one.bytes).sum::<u64>();
        free.sort_by_key(|(at, _)| *at);
        for (_, one) in free {
            if left > limits.bytes {
                left -= one.bytes;
                found.removed.push(Kept {
                    why: "artifacts take more than they may",
                    ..one
                });
            } else {
                found.kept.push(one);
            }
        }
        found
    }

    fn why_needed(
        &self,
        status: &PluginStatus,
        revision: &RevisionStatus,
        live_order: &[RevisionNumber],
        reached: &BTreeSet<(PluginName, RevisionNumber)>,
        rolling: &BTreeMap<PluginName, Vec<RevisionNumber>>,
    ) -> Option<&'static str> {
        let number = revision.number;
        let is_newest = status.revisions.last().is_some_and(|last| last.number == number);
        let is_reached = live_order
            .iter()
            .take(self.config().retention.rollbacks + 1)
            .any(|known| *known == number);
        if status.live == Some(number) {
            Some("it is live")
        } else if revision.mounted || revision.draining {
            Some("it is loaded")
        } else if status.pins.iter().any(|(_, to)| *to == number) {
            Some("somebody is pinned to it")
        } else if rolling
            .get(&status.plugin)
            .is_some_and(|all| all.contains(&number))
        {
            Some("it is part of a rollout")
        } else if is_reached {
            Some("a rollback reaches it")
        } else if reached.contains(&(status.plugin.clone(), number)) {
            Some("a workflow needs it")
        } else if is_newest {
            Some("it is the newest")
        } else {
            None
        }
    }

    pub(crate) fn look_for_surplus(&self) {
        let now = self.parts().clock.now();
        {
            let mut upkeep = self.upkeep().lock();
            if now.since(upkeep.collected) < self.config().retention.every || self.config().mode == Mode::Safe
            {
                return;
            }
            upkeep.collected = now;
        }
        let by = Ordered {
            actor: "host".to_owned(),
            reason: "retention".to_owned(),
            ..Ordered::default()
        };
        match self.collect(Collect::ForReal, &by) {
            Ok(done) if !done.removed.is_empty() => {
                let bytes: u64 = done.removed.iter().map(|one| one.bytes).sum();
                self.tell(DeliveryEvent {
                    kind: "artifacts.collected",
                    plugin: None,
                    version: None,
                    revision: None,
                    message: format!("{} old revisions are gone, {bytes} bytes", done.removed.len()),
                    code: None,
                });
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = %error.chain(), "old revisions could not be collected"),
        }
    }

    /// Notes that the host is well, once it has run for a while, and which set of versions has served for as long.
    pub(crate) fn look_for_stability(&self) {
        let now = self.parts().clock.now();
        let after = self.config().stable_after;
        let snapshot = self.parts().registry.snapshot();
        let mut writes = Vec::new();
        {
            let mut upkeep = self.upkeep().lock();
            if upkeep.generation != snapshot.generation() {
                upkeep.generation = snapshot.generation();
                // A pin, a share or a wake is no other set of versions.
                let live = live_set(&snapshot);
                if live != upkeep.live {
                    upkeep.live = live;
                    upkeep.steady = now;
                    upkeep.is_good = false;
                }
            }
            if self.config().mode == Mode::Safe {
                return;
            }
            let at = self.parts().clock.wall();
            if !upkeep.is_well && now.since(upkeep.began) >= after {
                upkeep.is_well = true;
                let boot = self.parts().state.boot();
                writes.push(Write::BootStable { boot, at });
            }
            if !upkeep.is_good && now.since(upkeep.steady) >= after {
                upkeep.is_good = true;
                let live = upkeep.live.clone();
                writes.push(Write::Good(GoodSet { at, live }));
            }
        }
        let is_good = writes.iter().any(|write| matches!(write, Write::Good(_)));
        if !writes.is_empty() {
            self.parts().state.tell(writes);
        }
        if is_good {
            let after = after.as_secs_f64();
            self.tell(DeliveryEvent {
                kind: "host.stable",
                plugin: None,
                version: None,
                revision: None,
                message: format!(
                    "what is live has served for {after} s: if the host kept ending, it would begin with this"
                ),
                code: None,
            });
        }
    }
}

fn live_set(snapshot: &Routes) -> BTreeMap<PluginName, RevisionNumber> {
    let live = snapshot.plugins();
    live.map(|mount| (mount.plugin().clone(), mount.revision()))
        .collect()
}
