//! An older version does not come back by itself.
//!
//! Invariant: where signatures are required, a version that is lower than one that was live before waits for an admin,
//! however it came here. A true signature does not help it: its hole may be the reason that there is a newer one.

use patchbay_registry::Force;
use patchbay_vocab::{Digest, Explain, Explained, PluginName, RevisionNumber, Version};

use crate::error::LifecycleError;
use crate::lifecycle::{GoLive, Lifecycle};

impl Lifecycle {
    /// Why a revision that would go live by itself does not.
    pub(crate) fn held_back(&self, plugin: &PluginName, number: RevisionNumber) -> Option<Explained> {
        let by_itself = self.go_live_of(plugin) != GoLive::Manual;
        if !self.ledger().guards() || !by_itself || !self.registry().should_go_live(plugin, number) {
            return None;
        }
        let (version, digest) = self.identity(plugin, number)?;
        let held = self.ledger().held_back(plugin, &version, digest)?;
        Some(held.explained())
    }

    /// Before a swap: where older versions are held back, what that needs to know is on disk first.
    pub(crate) fn mark(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        force: Force,
    ) -> Result<(), LifecycleError> {
        if !self.ledger().guards() {
            return Ok(());
        }
        // What is going to be refused leaves no mark.
        self.registry().check_promote(plugin, number, force)?;
        if let Some((version, _)) = self.identity(plugin, number) {
            self.ledger().raise(plugin, &version)?;
        }
        Ok(())
    }

    /// Remembers what is live now. It is live already: should this fail, the next start asks an admin again.
    pub(crate) fn remember_choice(&self, plugin: &PluginName, number: RevisionNumber) {
        if !self.ledger().guards() {
            return;
        }
        if let Some((version, digest)) = self.identity(plugin, number)
            && let Err(error) = self.ledger().choose(plugin, &version, digest)
        {
            tracing::warn!(%plugin, %version, error = %error.chain(), "what is live could not be remembered");
        }
    }

    fn identity(&self, plugin: &PluginName, number: RevisionNumber) -> Option<(Version, Digest)> {
        let status = self.registry().plugin(plugin).ok()?;
        let revision = status
            .revisions
            .into_iter()
            .find(|known| known.number == number)?;
        Some((revision.version, revision.digest))
    }
}
