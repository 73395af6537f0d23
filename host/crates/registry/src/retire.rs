//! The way out: what is not needed warm, draining, gone.

use std::sync::Arc;

use patchbay_vocab::{PinReason, PluginName, RevisionNumber, RevisionState};

use crate::book::{Draining, PluginRecord, RevisionRecord};
use crate::change::{Action, Change};
use crate::error::RegistryError;
use crate::publish::Event;
use crate::registry::Registry;
use crate::snapshot::{Mount, Mounted};

impl<H: Mounted> Registry<H> {
    /// The loaded revisions that nobody needs: every quarantined one, and the warm ones beyond the first
    /// `history_limit`, counted from the one that was live last; those that never were come after, the newest
    /// first. Never the live one.
    #[must_use]
    pub fn surplus(&self, plugin: &PluginName, history_limit: usize) -> Vec<RevisionNumber> {
        let book = self.book.lock();
        let Some(record) = book.plugins.get(plugin) else {
            return Vec::new();
        };
        record.surplus(history_limit)
    }

    /// The [surplus](Self::surplus) of every plugin. Costs next to nothing for those that have none.
    #[must_use]
    pub fn surplus_of_all(&self, history_limit: usize) -> Vec<(PluginName, RevisionNumber)> {
        let book = self.book.lock();
        let of_each = book.plugins.iter().flat_map(|(plugin, record)| {
            let surplus = record.surplus(history_limit).into_iter();
            surplus.map(move |number| (plugin.clone(), number))
        });
        of_each.collect()
    }

    /// Closes the gate of a loaded revision that is not live: from now on nobody enters, and when its gate is
    /// idle it may be unloaded. A quarantined revision stays quarantined.
    pub fn begin_retire(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
    ) -> Result<Arc<Mount<H>>, RegistryError> {
        let mut book = self.book.lock();
        let is_needed = book.plugin(plugin)?.steering.needs(number);
        let revision = book.revision_mut(plugin, number)?;
        if is_needed && !revision.is_quarantined() {
            return Err(RegistryError::IsSteered {
                plugin: plugin.clone(),
                revision: number,
            });
        }
        if revision.state == RevisionState::Live {
            return Err(RegistryError::IsLive {
                plugin: plugin.clone(),
                revision: number,
            });
        }
        let Some(mount) = revision.mount.take() else {
            let state = revision.state;
            return Err(RegistryError::NotMounted {
                plugin: plugin.clone(),
                revision: number,
                state,
            });
        };
        if !revision.is_quarantined() {
            revision.state = RevisionState::Draining;
        }
        mount.gate().close();
        revision.draining.push(Draining {
            mount: Arc::clone(&mount),
            pinned: Vec::new(),
        });
        Ok(mount)
    }

    /// Forgets a load that has been unloaded. Its revision is retired, unless it is loaded again by now, or
    /// quarantined.
    pub fn retired(&self, mount: &Mount<H>, change: &Change) -> Result<(), RegistryError> {
        let mut book = self.book.lock();
        let revision = book.revision_mut(mount.plugin(), mount.revision())?;
        let at = position(revision, mount)?;
        let gone = revision.draining.remove(at);
        revision.past_calls += gone.mount.gate().entered();
        if revision.state == RevisionState::Draining && revision.draining.is_empty() {
            revision.state = RevisionState::Retired;
        }
        let event = Event::to(mount.revision(), Action::Retired);
        self.record(&mut book, mount.plugin(), event, change);
        // The handle may run code of its own when it is dropped: not under the lock.
        drop(book);
        drop(gone);
        Ok(())
    }

    /// Notes what keeps a draining load from being unloaded; replaces what was noted before.
    pub fn note_pinned(&self, mount: &Mount<H>, pinned: Vec<PinReason>) -> Result<(), RegistryError> {
        let mut book = self.book.lock();
        let revision = book.revision_mut(mount.plugin(), mount.revision())?;
        let at = position(revision, mount)?;
        revision.draining[at].pinned = pinned;
        Ok(())
    }
}

/// Which of the draining loads `mount` is, by identity.
pub(crate) fn position<H>(revision: &RevisionRecord<H>, mount: &Mount<H>) -> Result<usize, RegistryError> {
    let found = revision
        .draining
        .iter()
        .position(|draining| std::ptr::eq(&*draining.mount, mount));
    found.ok_or_else(|| RegistryError::NotDraining {
        plugin: revision.plugin.clone(),
        revision: revision.number,
    })
}

impl<H: Mounted> PluginRecord<H> {
    fn surplus(&self, history_limit: usize) -> Vec<RevisionNumber> {
        let mounted = || {
            self.revisions
                .values()
                .rev()
                .filter(|revision| revision.mount.is_some())
        };
        let mut warm: Vec<_> = mounted()
            .filter(|revision| revision.state == RevisionState::Warm)
            .filter(|revision| !self.steering.needs(revision.number))
            .map(|revision| revision.number)
            .collect();
        // Stable, so that the newest stay first among those that were never live.
        warm.sort_by_key(|number| {
            self.live_order
                .iter()
                .position(|known| known == number)
                .unwrap_or(usize::MAX)
        });
        let quarantined = mounted().filter(|revision| revision.is_quarantined());
        warm.into_iter()
            .skip(history_limit)
            .chain(quarantined.map(|revision| revision.number))
            .collect()
    }
}
