//! One version takes another's place: mapped when it is not, given the state, then routed to.
//!
//! Invariant: between reading what is live and replacing it, nobody else replaces it; and a swap that is refused leaves
//! both versions with the state they had.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use patchbay_dispatch::{Giver, HandedOver, Party, Served};
use patchbay_registry::{Change, Force, Mount, RegistryError, Swap};
use patchbay_vocab::{Monotonic, PluginName, RevisionNumber, kill_point};

use crate::admit::mount_again;
use crate::error::LifecycleError;
use crate::event::EventKind;
use crate::lifecycle::Lifecycle;

/// How long a change of a plugin waits for another one, beyond what a hand-over may wait for calls.
const PATIENCE: Duration = Duration::from_secs(4);

/// How often a promotion loads a revision that is retired again under its hands.
pub(crate) const LOADS: u32 = 16;

type Loaded = Arc<Mount<Served>>;

/// A revision that receives the calls now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WentLive {
    /// What changed.
    pub swap: Swap,
    /// What was handed over to it; `None` when the version before it keeps no state, or the state was given up.
    pub state: Option<HandedOver>,
}

/// For each plugin a lock, so that between reading what is live and replacing it nobody else replaces it.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    locks: Mutex<HashMap<PluginName, Arc<Mutex<()>>>>,
}

impl Turns {
    pub(crate) fn of(&self, plugin: &PluginName) -> Arc<Mutex<()>> {
        let mut locks = self.locks.lock();
        match locks.get(plugin) {
            Some(lock) => Arc::clone(lock),
            None => Arc::clone(locks.entry(plugin.clone()).or_default()),
        }
    }
}

impl Lifecycle {
    /// Waits for its turn; not for ever, since code of the plugin may be at work for the one before.
    pub(crate) fn take<'t>(
        &self,
        turn: &'t Mutex<()>,
        plugin: &PluginName,
    ) -> Result<MutexGuard<'t, ()>, LifecycleError> {
        let most = self.config().handover.within + PATIENCE;
        turn.try_lock_for(most).ok_or_else(|| LifecycleError::Busy {
            plugin: plugin.clone(),
            waited: most,
        })
    }

    /// Maps a revision when needed, hands the state of the live one over to it, and routes to it.
    pub(crate) fn go_live(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        force: Force,
        change: &Change,
        micros_since: Option<Monotonic>,
    ) -> Result<WentLive, LifecycleError> {
        let turn = self.turn(plugin);
        let _turn = self.take(&turn, plugin)?;
        // Warm, as after any deploy with a history: one lock, one store.
        let mut live = self.swap(plugin, number, force, change);
        // It may sleep; and between the load and the store the conductor may find it surplus and retire it: load it again.
        for _ in 0..LOADS {
            let Err(LifecycleError::Registry(
                RegistryError::NotMounted { .. } | RegistryError::GateClosed { .. },
            )) = live
            else {
                break;
            };
            mount_again(self, plugin, number)?;
            live = self.swap(plugin, number, force, change);
        }
        let live = live?;
        // Whatever should have been live at the start, somebody has decided anew.
        self.missing().lock().remove(plugin);
        self.remember_choice(plugin, number);
        if live.swap.from != Some(live.swap.to) {
            let micros = micros_since
                .map(|since| u64::try_from(self.clock().now().since(since).as_micros()).unwrap_or(u64::MAX));
            let kind = EventKind::Live {
                from: live.swap.from,
                micros,
                state: live.state,
            };
            self.tell_about(plugin, number, kind);
        }
        self.kick();
        Ok(live)
    }

    /// Routes to a mounted revision; when the live one keeps state, the state goes first.
    fn swap(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        force: Force,
        change: &Change,
    ) -> Result<WentLive, LifecycleError> {
        let registry = self.registry();
        // What is on disk about it is there before it is live, and only when nothing but the store can fail.
        let promote = || -> Result<Swap, LifecycleError> {
            self.mark(plugin, number, force)?;
            kill_point("swap.ready");
            let swap = registry.promote(plugin, number, force, change)?;
            kill_point("swap.stored");
            Ok(swap)
        };
        let Some((from, to)) = self.state_to_hand_over(plugin, number, force) else {
            return Ok(WentLive {
                swap: promote()?,
                state: None,
            });
        };
        // The live one is retired by nobody: closed, it sleeps.
        let leaving = from.enter();
        let leaving = match &leaving {
            Some(pass) => Giver::Awake(Party { mount: &from, pass }),
            None => Giver::Asleep(&from),
        };
        let Some(coming) = to.enter() else {
            // It sleeps, or is being retired: the registry says so.
            return Ok(WentLive {
                swap: promote()?,
                state: None,
            });
        };
        let coming = Party {
            mount: &to,
            pass: &coming,
        };
        let limits = self.config().handover;
        let mut state = self.dispatcher().hand_over(leaving, coming, limits)?;
        state.install();
        // Refused, the state is dropped here, and both versions are as they were.
        let swap = promote()?;
        let handed = state.commit();
        if handed.dropped > 0 {
            let instances = handed.dropped;
            tracing::warn!(%plugin, revision = %number, instances, "the new version has not all nodes that kept state");
        }
        Ok(WentLive {
            swap,
            state: Some(handed),
        })
    }

    /// The two versions between which state has to go, when there is any to hand over.
    fn state_to_hand_over(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        force: Force,
    ) -> Option<(Loaded, Loaded)> {
        if force == Force::Yes {
            return None;
        }
        let from = self.registry().live(plugin)?;
        if from.revision() == number || !from.handle().plugin().keeps_state() {
            return None;
        }
        let to = self.registry().mounted(plugin, number)?;
        Some((from, to))
    }
}
