//! What admins order.
//!
//! Invariant: an order is answered when what it did is on the disk; one that is repeated does nothing, and says so.

use std::sync::Arc;

use parking_lot::Mutex;
use patchbay_registry::{Force, RegistryError, Selector};
use patchbay_rollout::{Input, Order, OrderKind, Policy, Rollout, Tickets};
use patchbay_state::{Entry, Write};
use patchbay_vocab::{Explain, PluginName, RevisionNumber, kill_point};
use serde_json::json;

use crate::active::Active;
use crate::delivery::{Delivery, SETTLE};
use crate::error::DeliveryError;
use crate::policies::PolicySource;
use crate::stages::{LeftOut, comparable, trial_of};
use crate::status::RolloutStatus;

/// Who orders, why, and under which name the same order may come again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ordered {
    /// Who.
    pub actor: String,
    /// Why; may be empty.
    pub reason: String,
    /// A name for the order.
    pub key: Option<String>,
    /// What is ordered, in a word: the same key for something else is refused.
    pub what: Option<&'static str>,
}

/// What is to be rolled out, and how.
#[derive(Clone, Debug)]
pub struct StartOrder {
    /// What.
    pub to: Selector,
    /// How; the plugin's own policy when it is not said.
    pub policy: Option<Policy>,
    /// Whether to override what may be overridden.
    pub force: Force,
}

/// A rollout that could begin.
struct Fit {
    to: RevisionNumber,
    from: Option<RevisionNumber>,
    policy: Policy,
    left_out: Vec<LeftOut>,
    /// What was loaded for it, and is to be let go.
    holds: Vec<RevisionNumber>,
}

impl Delivery {
    /// Begins a rollout. The same one once more is the one that is under way.
    ///
    /// # Errors
    /// When it cannot begin, or another one is under way.
    pub fn start_rollout(
        &self,
        plugin: &PluginName,
        order: StartOrder,
        by: &Ordered,
    ) -> Result<RolloutStatus, DeliveryError> {
        let done = self.begin(plugin, order, by);
        self.parts().state.settle(SETTLE)?;
        done
    }

    pub(crate) fn begin(
        &self,
        plugin: &PluginName,
        order: StartOrder,
        by: &Ordered,
    ) -> Result<RolloutStatus, DeliveryError> {
        let number = self.parts().registry.rollback_target(plugin, Some(&order.to))?;
        if let Some(entry) = self.running_of(plugin) {
            return self.same(&entry, number);
        }
        let force = order.force;
        let fit = self.fit(plugin, number, order.policy, force)?;
        let version = self.parts().registry.version(plugin, number);
        let id = match self.next_id(plugin) {
            Ok(id) => id,
            Err(error) => {
                for number in fit.holds {
                    self.parts().lifecycle.let_go(plugin, number);
                }
                return Err(error);
            }
        };
        let active = Active {
            id,
            plugin: plugin.clone(),
            from: fit.from,
            to: fit.to,
            version: version.unwrap_or_else(|| patchbay_vocab::Version::new(0, 0, 0)),
            rollout: Rollout::begin(fit.policy, self.now())?,
            force,
            actor: by.actor.clone(),
            reason: by.reason.clone(),
            left_out: fit.left_out,
            tickets: Arc::new(Tickets::starting_at(self.now().0)),
            since: None,
            looked: None,
            holds: fit.holds,
            rests_until: None,
            untold: None,
            shadowing: None,
            replaying: None,
            replays: 0,
        };
        let entry = Arc::new(Mutex::new(active));
        // Locked before others know it, so that nobody meets it before it has begun.
        let mut active = entry.lock();
        let other = {
            let mut all = self.active_map().lock();
            match all.get(plugin) {
                Some(other) => Some(Arc::clone(other)),
                None => {
                    all.insert(plugin.clone(), Arc::clone(&entry));
                    None
                }
            }
        };
        if let Some(other) = other {
            // Somebody else was quicker; this one was never told of.
            self.release(&mut active);
            return self.same(&other, number);
        }
        // With the order's key: that it has begun is what the order was about, wherever it goes from there.
        let began = Write::Audit(self.entry(&active, Some(by)));
        self.parts().state.tell(vec![active.stored(), began]);
        kill_point("rollout.begun");
        let goes_on = Ordered {
            key: None,
            ..by.clone()
        };
        let begun = self.advance(&mut active, Input::Tick { window: None }, Some(&goes_on));
        if let Err(error) = begun {
            // It has ended before it began, and whoever ordered it is told why.
            let lost = Input::CandidateLost(error.chain());
            let _ = self.advance(&mut active, lost, None);
            drop(active);
            self.forget_finished(&entry);
            return Err(error);
        }
        let mut status = RolloutStatus::of(&active);
        status.changed = true;
        drop(active);
        self.forget_finished(&entry);
        Ok(status)
    }

    /// The answer to an order to begin while one is under way.
    fn same(&self, entry: &Mutex<Active>, number: RevisionNumber) -> Result<RolloutStatus, DeliveryError> {
        let active = entry.lock();
        if active.to == number {
            return Ok(RolloutStatus::of(&active));
        }
        Err(DeliveryError::Running {
            plugin: active.plugin.clone(),
            version: active.version.clone(),
            id: active.id.clone(),
        })
    }

    /// Whether a rollout could begin now, and what it would leave out.
    ///
    /// # Errors
    /// Why it could not.
    pub fn check_rollout(
        &self,
        plugin: &PluginName,
        order: &StartOrder,
    ) -> Result<(RevisionNumber, Policy, Vec<LeftOut>), DeliveryError> {
        let number = self.parts().registry.rollback_target(plugin, Some(&order.to))?;
        if let Some(entry) = self.running_of(plugin) {
            let active = entry.lock();
            return Err(DeliveryError::Running {
                plugin: plugin.clone(),
                version: active.version.clone(),
                id: active.id.clone(),
            });
        }
        let fit = self.fit(plugin, number, order.policy.clone(), order.force)?;
        for number in fit.holds {
            self.parts().lifecycle.let_go(plugin, number);
        }
        Ok((fit.to, fit.policy, fit.left_out))
    }

    fn fit(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        policy: Option<Policy>,
        force: Force,
    ) -> Result<Fit, DeliveryError> {
        let parts = self.parts();
        let policy = policy.unwrap_or_else(|| self.policies().of(plugin).0);
        policy.validate()?;
        if policy == Policy::Manual {
            return Err(DeliveryError::Manual {
                plugin: plugin.clone(),
            });
        }
        let version = parts.registry.version(plugin, number);
        let version = version.unwrap_or_else(|| patchbay_vocab::Version::new(0, 0, 0));
        let live = parts.registry.live(plugin);
        let from = live.as_ref().map(|live| live.revision());
        if from == Some(number) {
            return Err(DeliveryError::Live {
                plugin: plugin.clone(),
                version,
            });
        }
        if live.is_none() && policy != Policy::Immediate {
            return Err(DeliveryError::NothingLive {
                plugin: plugin.clone(),
                version,
            });
        }
        if policy == Policy::Immediate {
            match parts.registry.check_promote(plugin, number, force) {
                // It is mapped when it goes live.
                Ok(()) | Err(RegistryError::NotMounted { .. } | RegistryError::GateClosed { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            return Ok(Fit {
                to: number,
                from,
                policy,
                left_out: Vec::new(),
                holds: Vec::new(),
            });
        }
        let candidate = parts.lifecycle.hold(plugin, number)?;
        let checked = || -> Result<Vec<LeftOut>, DeliveryError> {
            parts.registry.check_promote(plugin, number, force)?;
            let Some(live) = &live else { return Ok(Vec::new()) };
            if policy.canary().is_some() {
                parts.lifecycle.check_beside(plugin, number)?;
            }
            let Some(trial) = trial_of(&policy) else {
                return Ok(Vec::new());
            };
            let (fit, left_out) = comparable(live.handle(), candidate.handle());
            if fit.is_empty() {
                let names = left_out
                    .iter()
                    .map(|node| format!("{} ({})", node.node_type, node.why));
                return Err(DeliveryError::NothingToTry {
                    plugin: plugin.clone(),
                    trial,
                    left_out: names.take(20).collect(),
                });
            }
            Ok(left_out)
        };
        match checked() {
            Ok(left_out) => Ok(Fit {
                to: number,
                from,
                policy,
                left_out,
                holds: vec![number],
            }),
            Err(error) => {
                parts.lifecycle.let_go(plugin, number);
                Err(error)
            }
        }
    }

    /// Orders something about the rollout of a plugin.
    ///
    /// # Errors
    /// When none is under way, or the order does not fit where it stands.
    pub fn order(
        &self,
        plugin: &PluginName,
        kind: OrderKind,
        by: &Ordered,
    ) -> Result<RolloutStatus, DeliveryError> {
        let entry = self.running_of(plugin).ok_or_else(|| DeliveryError::NoRollout {
            plugin: plugin.clone(),
        });
        let entry = match entry {
            Ok(entry) => entry,
            // The same order once more, after it has ended the rollout.
            Err(error) => return self.repeated(plugin, kind).ok_or(error),
        };
        let mut active = entry.lock();
        let order = Order {
            kind,
            by: by.actor.clone(),
            reason: by.reason.clone(),
        };
        let changed = self.advance(&mut active, Input::Order(order), Some(by))?;
        let mut status = RolloutStatus::of(&active);
        status.changed = changed;
        drop(active);
        self.forget_finished(&entry);
        self.parts().state.settle(SETTLE)?;
        Ok(status)
    }

    /// A rollout that has just ended the way that is ordered.
    fn repeated(&self, plugin: &PluginName, kind: OrderKind) -> Option<RolloutStatus> {
        let wanted = match kind {
            OrderKind::Abort => "aborted",
            OrderKind::Promote(_) => "promoted",
            OrderKind::Pause | OrderKind::Resume => return None,
        };
        let last = self.remembered(Some(plugin), 1).ok()?.pop()?;
        (last.stored.phase == wanted).then_some(last)
    }

    /// Sets the policy of a plugin, or goes back to the configured one.
    ///
    /// # Errors
    /// When the policy cannot be carried out, or the order not be remembered.
    pub fn set_policy(
        &self,
        plugin: &PluginName,
        policy: Option<Policy>,
        by: &Ordered,
    ) -> Result<(Policy, PolicySource), DeliveryError> {
        if let Some(policy) = &policy {
            policy.validate()?;
        }
        let text = policy
            .as_ref()
            .map(|policy| serde_json::to_string(policy).unwrap_or_default());
        let remember = |now: &Policy, source: PolicySource| {
            kill_point("policy.set");
            let entry = Entry {
                at: self.parts().clock.wall(),
                actor: by.actor.clone(),
                action: "policy.set".to_owned(),
                plugin: Some(plugin.clone()),
                revision: None,
                tenant: None,
                workflow: None,
                reason: by.reason.clone(),
                key: by.key.clone(),
                detail: json!({"policy": now, "source": source.as_str()}).to_string(),
            };
            let policy = Write::Policy {
                plugin: plugin.clone(),
                policy: text,
            };
            self.parts().state.tell(vec![policy, Write::Audit(entry)]);
            kill_point("policy.told");
        };
        self.policies().set(plugin, policy, remember);
        self.parts().state.settle(SETTLE)?;
        Ok(self.policies().of(plugin))
    }

    /// A number that no rollout of the plugin has had: what was begun last may not be on the disk yet.
    fn next_id(&self, plugin: &PluginName) -> Result<String, DeliveryError> {
        let stored = self.parts().state.rollouts(Some(plugin), 1)?.pop();
        let stored = stored.and_then(|last| last.id.rsplit_once('-')?.1.parse::<u64>().ok());
        let mut numbers = self.numbers().lock();
        let last = numbers.entry(plugin.clone()).or_default();
        *last = stored.unwrap_or(0).max(*last) + 1;
        Ok(format!("{plugin}-{last}"))
    }
}
