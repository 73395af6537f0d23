//! Whether a revision that came in goes live by itself.
//!
//! Invariant: it is decided once for each revision. What is not decided when the host ends is decided by the next one.

use std::sync::Arc;

use patchbay_registry::{Change, Force};
use patchbay_vocab::{Explain, Monotonic, PluginName, RevisionNumber};

use crate::conductor::{Conductor, Message};
use crate::error::LifecycleError;
use crate::event::EventKind;
use crate::lifecycle::{GoLive, Lifecycle};

/// What is decided of a revision that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It went live at once, or does not go live by itself.
    Made,
    /// A rollout is to bring it live; who drives rollouts goes on from here.
    RollOut,
}

/// Is told what is decided.
pub type OnDecided = Box<dyn Fn(&PluginName, RevisionNumber, Decision) + Send + Sync>;

impl Lifecycle {
    /// A revision came in, and the host died before it was decided whether it goes live: it is decided now.
    pub fn arrived_before(&self, plugin: &PluginName, number: RevisionNumber) {
        self.send(Message::Arrived(plugin.clone(), number));
    }
}

impl Conductor {
    /// Decides, and routes to the revision when it goes live at once.
    pub(crate) fn decide(
        &mut self,
        plugin: &PluginName,
        number: RevisionNumber,
        change: &Change,
        since: Option<Monotonic>,
    ) -> Result<(), LifecycleError> {
        let lifecycle = Arc::clone(&self.lifecycle);
        let by_itself = match lifecycle.go_live_of(plugin) {
            GoLive::Immediate => true,
            GoLive::Manual => false,
            // There is nothing that it could be compared with.
            GoLive::Rollout if lifecycle.registry().live(plugin).is_none() => true,
            GoLive::Rollout => {
                lifecycle.decided(plugin, number, Decision::RollOut);
                return Ok(());
            }
        };
        if let Some(why) = lifecycle.held_back(plugin, number) {
            lifecycle.tell_about(plugin, number, EventKind::Blocked(why));
        } else if by_itself && lifecycle.registry().should_go_live(plugin, number) {
            match lifecycle.go_live(plugin, number, Force::No, change, since) {
                Ok(_) => {}
                Err(error) if error.waits() => {
                    let why = error.explained();
                    lifecycle.block(plugin, number, why.clone());
                    lifecycle.tell_about(plugin, number, EventKind::Blocked(why));
                    self.try_again_after(&error);
                    return Ok(());
                }
                Err(error) => {
                    lifecycle.decided(plugin, number, Decision::Made);
                    return Err(error);
                }
            }
        }
        lifecycle.decided(plugin, number, Decision::Made);
        Ok(())
    }

    pub(crate) fn decide_again(&mut self, plugin: &PluginName, number: RevisionNumber) {
        let change = Change::by(
            "watcher",
            "a new file in the plugin directory, before the host ended",
        );
        if let Err(error) = self.decide(plugin, number, &change, None) {
            tracing::warn!(%plugin, revision = %number, error = %error.chain(), "what came in before the host ended cannot go live");
            self.retire(plugin, number);
        }
        self.tidy();
    }
}
