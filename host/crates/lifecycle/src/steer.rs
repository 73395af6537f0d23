//! Sending somebody elsewhere than to what is live: mapped first when it is not, then routed to by one store.
//!
//! Invariant: a state has one owner, so a plugin that keeps state is never served by two versions at once.

use std::sync::Arc;

use patchbay_dispatch::{Mount, Served};
use patchbay_registry::{Change, Force, PinScope, Pinning, RegistryError, Selector, Split};
use patchbay_vocab::{Digest, PluginName, RevisionNumber, kill_point};

use crate::admit::mount_again;
use crate::conductor::Message;
use crate::error::LifecycleError;
use crate::lifecycle::Lifecycle;
use crate::swap::LOADS;

impl Lifecycle {
    /// Holds somebody at a revision.
    ///
    /// # Errors
    /// When there is no such revision, it cannot be loaded, or the plugin keeps state.
    pub fn pin(
        &self,
        plugin: &PluginName,
        to: &Selector,
        scope: PinScope,
        change: &Change,
    ) -> Result<Pinning, LifecycleError> {
        let number = self.registry().rollback_target(plugin, Some(to))?;
        let turn = self.turn(plugin);
        let _turn = self.take(&turn, plugin)?;
        self.ready_beside(plugin, number, Force::No)?;
        kill_point("pin.loaded");
        let pinning = self.registry().pin(plugin, scope, number, change)?;
        kill_point("pin.stored");
        Ok(pinning)
    }

    /// Gives a revision a share of the calls, or another one than it has.
    ///
    /// # Errors
    /// As [`Lifecycle::pin`], and when the revision could not be promoted.
    pub fn split(
        &self,
        plugin: &PluginName,
        split: &Split,
        force: Force,
        change: &Change,
    ) -> Result<u64, LifecycleError> {
        let turn = self.turn(plugin);
        let _turn = self.take(&turn, plugin)?;
        self.while_loaded(plugin, split.to, force, || {
            self.registry().split(plugin, split.clone(), force, change)
        })
    }

    /// Keeps a revision loaded that nobody is sent to, until it is let go.
    ///
    /// # Errors
    /// When there is no such revision, or it cannot be loaded.
    pub fn hold(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
    ) -> Result<Arc<Mount<Served>>, LifecycleError> {
        let turn = self.turn(plugin);
        let _turn = self.take(&turn, plugin)?;
        self.loaded(
            || mount_again(self, plugin, number),
            || self.registry().hold(plugin, number),
        )?;
        let mount = self.registry().mounted(plugin, number);
        Ok(mount.ok_or_else(|| not_mounted(plugin, number))?)
    }

    /// Ends what [`Lifecycle::hold`] began: the revision goes when it is surplus.
    pub fn let_go(&self, plugin: &PluginName, number: RevisionNumber) {
        self.registry().let_go(plugin, number);
        self.kick();
    }

    /// Whether a loaded revision may serve beside the live one.
    ///
    /// # Errors
    /// When either of the two keeps state.
    pub fn check_beside(&self, plugin: &PluginName, number: RevisionNumber) -> Result<(), LifecycleError> {
        let registry = self.registry();
        let loads = [registry.live(plugin), registry.mounted(plugin, number)];
        let keeper = loads
            .into_iter()
            .flatten()
            .find(|mount| mount.handle().keeps_state());
        match keeper {
            Some(mount) => Err(LifecycleError::KeepsState {
                plugin: plugin.clone(),
                version: mount.version().clone(),
            }),
            None => Ok(()),
        }
    }

    /// How long a stored artifact is, in bytes; 0 when it is not there.
    #[must_use]
    pub fn artifact_bytes(&self, digest: Digest) -> u64 {
        self.vetting().bytes_of(digest)
    }

    /// Removes a stored artifact that no revision has any more.
    pub fn forget_artifact(&self, digest: Digest) {
        self.send(Message::Forget(digest));
    }

    /// Does something with a revision that is to serve beside the live one.
    fn while_loaded<T>(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        force: Force,
        act: impl Fn() -> Result<T, RegistryError>,
    ) -> Result<T, LifecycleError> {
        self.loaded(|| self.ready_beside(plugin, number, force), act)
    }

    /// Loads, then acts; loads again when the conductor found the load surplus and retired it in between.
    fn loaded<T>(
        &self,
        load: impl Fn() -> Result<(), LifecycleError>,
        act: impl Fn() -> Result<T, RegistryError>,
    ) -> Result<T, LifecycleError> {
        load()?;
        let mut done = act();
        for _ in 0..LOADS {
            let Err(RegistryError::NotMounted { .. } | RegistryError::GateClosed { .. }) = done else {
                break;
            };
            load()?;
            done = act();
        }
        Ok(done?)
    }

    /// Maps a revision that is to serve beside the live one.
    fn ready_beside(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        force: Force,
    ) -> Result<(), LifecycleError> {
        let registry = self.registry();
        // What is going to be refused is not mapped first.
        let status = registry.plugin(plugin)?;
        let known = status.revisions.iter().find(|known| known.number == number);
        let is_quarantined =
            known.is_some_and(|known| known.state == patchbay_vocab::RevisionState::Quarantined);
        if is_quarantined && force == Force::No {
            return Err(RegistryError::Quarantined {
                plugin: plugin.clone(),
                revision: number,
            }
            .into());
        }
        mount_again(self, plugin, number)?;
        self.check_beside(plugin, number)
    }
}

fn not_mounted(plugin: &PluginName, number: RevisionNumber) -> RegistryError {
    RegistryError::NotMounted {
        plugin: plugin.clone(),
        revision: number,
        state: patchbay_vocab::RevisionState::Vetted,
    }
}
