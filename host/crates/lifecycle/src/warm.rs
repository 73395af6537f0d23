//! Revisions for runs that ask for them, beside what is live.

use std::sync::Arc;

use patchbay_dispatch::{Mount, Served};
use patchbay_registry::Selector;
use patchbay_vocab::PluginName;

use crate::admit::mount_again;
use crate::error::LifecycleError;
use crate::lifecycle::Lifecycle;

impl Lifecycle {
    /// Maps a revision when it is not mapped, without routing to it: the one given, or the one that a rollback would
    /// go to.
    ///
    /// # Errors
    /// When there is no such revision, or its artifact cannot be loaded.
    pub fn warm(
        &self,
        plugin: &PluginName,
        which: Option<&Selector>,
    ) -> Result<Arc<Mount<Served>>, LifecycleError> {
        let registry = self.registry();
        let number = registry.rollback_target(plugin, which)?;
        let open = |mount: &Arc<Mount<Served>>| !mount.gate().is_closed();
        if let Some(mount) = registry.mounted(plugin, number).filter(open) {
            return Ok(mount);
        }
        let turn = self.turn(plugin);
        let _turn = self.take(&turn, plugin)?;
        if let Some(mount) = registry.mounted(plugin, number).filter(open) {
            return Ok(mount);
        }
        mount_again(self, plugin, number)?;
        registry.mounted(plugin, number).ok_or_else(|| {
            patchbay_registry::RegistryError::NotMounted {
                plugin: plugin.clone(),
                revision: number,
                state: patchbay_vocab::RevisionState::Vetted,
            }
            .into()
        })
    }
}
