//! Asleep and awake: a revision keeps its state and its routes while its load is gone.

use std::sync::Arc;

use patchbay_vocab::RevisionState;

use crate::book::Draining;
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::retire::position;
use crate::snapshot::{Mount, Mounted};

impl<H: Mounted> Registry<H> {
    /// Every load that is, or could be, routed and does not sleep.
    #[must_use]
    pub fn awake_loads(&self) -> Vec<Arc<Mount<H>>> {
        let book = self.book.lock();
        let revisions = book.plugins.values().flat_map(|plugin| plugin.revisions.values());
        let fit = revisions.filter(|revision| !revision.is_quarantined());
        fit.filter_map(|revision| revision.mount.as_ref())
            .filter(|mount| !mount.is_closed())
            .cloned()
            .collect()
    }

    /// Whether this very load is, or could be, routed, and sleeps.
    #[must_use]
    pub fn is_asleep(&self, mount: &Mount<H>) -> bool {
        let current = self.mounted(mount.plugin(), mount.revision());
        mount.is_closed() && current.is_some_and(|current| std::ptr::eq(&*current, mount))
    }

    /// Closes the gate of a load that is, or could be, routed. Nothing else changes: whoever calls it finds it closed,
    /// and has it woken. When its gate is idle it may be unloaded.
    pub fn begin_sleep(&self, mount: &Mount<H>) -> Result<(), RegistryError> {
        let book = self.book.lock();
        let revision = book.revision(mount.plugin(), mount.revision())?;
        let is_current = |known: &Arc<Mount<H>>| std::ptr::eq(&**known, mount);
        if !revision.mount.as_ref().is_some_and(is_current) || revision.is_quarantined() {
            return Err(RegistryError::NotMounted {
                plugin: mount.plugin().clone(),
                revision: mount.revision(),
                state: revision.state,
            });
        }
        // Under the lock: nobody routes to it between the look and the close.
        mount.gate().close();
        Ok(())
    }

    /// Puts a fresh load in the place of one that sleeps; where that is live, every call that begins after this finds
    /// the fresh one. The old one is on its way out, until [`forget`](Self::forget).
    pub fn awake(&self, asleep: &Arc<Mount<H>>, handle: Arc<H>) -> Result<Arc<Mount<H>>, RegistryError> {
        let (plugin, number) = (asleep.plugin(), asleep.revision());
        let mut book = self.book.lock();
        let revision = book.revision_mut(plugin, number)?;
        match &revision.mount {
            None => {
                return Err(RegistryError::NotMounted {
                    plugin: plugin.clone(),
                    revision: number,
                    state: revision.state,
                });
            }
            Some(mount) if !Arc::ptr_eq(mount, asleep) || !mount.is_closed() => {
                return Err(RegistryError::AlreadyMounted {
                    plugin: plugin.clone(),
                    revision: number,
                });
            }
            Some(_) => {}
        }
        if handle.gate().is_closed() {
            return Err(RegistryError::GateClosed {
                plugin: plugin.clone(),
                revision: number,
            });
        }
        let mount = Arc::new(Mount::new(revision.identity(), handle));
        revision.mount = Some(Arc::clone(&mount));
        revision.draining.push(Draining {
            mount: Arc::clone(asleep),
            pinned: Vec::new(),
        });
        let is_routed = revision.state == RevisionState::Live;
        if is_routed || book.plugin(plugin)?.steering.needs(number) {
            let live = book.plugin(plugin)?.live;
            let before = self.current.load_full();
            self.publish(&mut book, &before, plugin, live);
        }
        Ok(mount)
    }

    /// Forgets a load that slept, was replaced, and has been unloaded; its revision goes on as it is.
    pub fn forget(&self, mount: &Mount<H>) -> Result<(), RegistryError> {
        let mut book = self.book.lock();
        let revision = book.revision_mut(mount.plugin(), mount.revision())?;
        let at = position(revision, mount)?;
        let gone = revision.draining.remove(at);
        revision.past_calls += gone.mount.gate().entered();
        if revision.state == RevisionState::Draining && revision.draining.is_empty() {
            revision.state = RevisionState::Retired;
        }
        // The handle may run code of its own when it is dropped: not under the lock.
        drop(book);
        drop(gone);
        Ok(())
    }
}
