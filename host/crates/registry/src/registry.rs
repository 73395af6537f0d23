//! The registry: one book under a lock, one published snapshot.

use std::fmt;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use patchbay_vocab::{Clock, Digest, PluginName, RevisionNumber, RevisionState, Version, VersionReq};

use crate::admission;
use crate::book::{Book, PluginRecord, RevisionRecord};
use crate::change::{Action, Admission, Candidate, Change, Force, HistoryEntry, SameVersion, Selector};
use crate::error::RegistryError;
use crate::lease_set::LeaseSet;
use crate::publish::Event;
use crate::snapshot::{Mount, Mounted, NodeSlot, Snapshot};
use crate::status::PluginStatus;
use crate::witness::Witness;

/// Every plugin the host knows, and which revision of each answers.
pub struct Registry<H> {
    pub(crate) book: Mutex<Book<H>>,
    /// Stored to only with the book locked.
    pub(crate) current: Arc<ArcSwap<Snapshot<H>>>,
    pub(crate) clock: Arc<dyn Clock>,
    same_version: SameVersion,
    pub(crate) witness: OnceLock<Box<dyn Witness<H>>>,
}

impl<H: Mounted> Registry<H> {
    /// An empty registry.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, same_version: SameVersion) -> Self {
        let current = Arc::new(ArcSwap::from_pointee(Snapshot::empty(0)));
        Self {
            book: Mutex::new(Book::new()),
            current,
            clock,
            same_version,
            witness: OnceLock::new(),
        }
    }

    /// Where the snapshots are published; keep an `arc_swap::Cache` on it to read one in a few nanoseconds.
    #[must_use]
    pub fn source(&self) -> &Arc<ArcSwap<Snapshot<H>>> {
        &self.current
    }

    /// The current snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot<H>> {
        self.current.load_full()
    }

    /// Holds what answers for `slots`, all from one snapshot: no load of it goes away before the set is dropped.
    pub fn lease(&self, slots: &[NodeSlot]) -> Result<LeaseSet<H>, RegistryError> {
        LeaseSet::take(&self.current, slots)
    }

    /// Whether content may be admitted as this version, as far as that can be told before it is loaded.
    ///
    /// # Errors
    /// When the version is known with other content, and that is refused.
    pub fn check_version(
        &self,
        plugin: &PluginName,
        version: &Version,
        digest: Digest,
    ) -> Result<(), RegistryError> {
        admission::check_version(&self.book.lock(), (plugin, version), digest, self.same_version).map(drop)
    }

    /// Whether a revision has this content.
    #[must_use]
    pub fn has_content(&self, digest: Digest) -> bool {
        self.book.lock().contents.contains_key(&digest)
    }

    /// Gives a revision its number, exactly once for each content.
    pub fn admit(
        &self,
        candidate: Candidate,
        origin: &str,
        change: &Change,
    ) -> Result<Admission, RegistryError> {
        let mut book = self.book.lock();
        if let Some(known) = admission::check_candidate(&book, &candidate, self.same_version)? {
            return Ok(Admission::Known(known));
        }
        let plugin = candidate.plugin;
        let record = book
            .plugins
            .entry(plugin.clone())
            .or_insert_with(PluginRecord::new);
        let number = record.next_number();
        let revision = RevisionRecord {
            plugin: plugin.clone(),
            number,
            version: candidate.version,
            digest: candidate.digest,
            nodes: candidate.nodes.into(),
            dependencies: candidate.dependencies.into(),
            origin: origin.into(),
            admitted_at: self.clock.wall(),
            state: RevisionState::Vetted,
            mount: None,
            draining: Vec::new(),
            past_calls: 0,
        };
        record.revisions.insert(number, revision);
        book.add_content(candidate.digest);
        self.record(&mut book, &plugin, Event::to(number, Action::Admitted), change);
        Ok(Admission::New(number))
    }

    /// Takes in a load of a revision, which becomes warm. A quarantined one stays quarantined, so that a forced
    /// promotion can release it; one that is still draining from an earlier load is warm again beside it.
    pub fn mount(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        handle: Arc<H>,
    ) -> Result<Arc<Mount<H>>, RegistryError> {
        let mut book = self.book.lock();
        let revision = book.revision_mut(plugin, number)?;
        if revision.mount.is_some() {
            return Err(RegistryError::AlreadyMounted {
                plugin: plugin.clone(),
                revision: number,
            });
        }
        if handle.gate().is_closed() {
            return Err(RegistryError::GateClosed {
                plugin: plugin.clone(),
                revision: number,
            });
        }
        let mount = Arc::new(Mount::new(revision.identity(), handle));
        revision.mount = Some(Arc::clone(&mount));
        if !revision.is_quarantined() {
            revision.state = RevisionState::Warm;
        }
        // Somebody may be pinned to it since before it was loaded.
        let record = book.plugin(plugin)?;
        if record.live.is_some() && record.steering.needs(number) {
            self.republish(&mut book, plugin);
        }
        Ok(mount)
    }

    /// The load of a revision that is, or could be, routed.
    #[must_use]
    pub fn mounted(&self, plugin: &PluginName, number: RevisionNumber) -> Option<Arc<Mount<H>>> {
        self.book.lock().revision(plugin, number).ok()?.mount.clone()
    }

    /// The load that is live.
    #[must_use]
    pub fn live(&self, plugin: &PluginName) -> Option<Arc<Mount<H>>> {
        let book = self.book.lock();
        let record = book.plugins.get(plugin)?;
        record.revisions.get(&record.live?)?.mount.clone()
    }

    /// The version of a revision.
    #[must_use]
    pub fn version(&self, plugin: &PluginName, number: RevisionNumber) -> Option<Version> {
        let book = self.book.lock();
        Some(book.revision(plugin, number).ok()?.version.clone())
    }

    /// Every load of a revision that is not gone: the one that could be routed, and those on their way out.
    #[must_use]
    pub fn loads(&self, plugin: &PluginName, number: RevisionNumber) -> Vec<Arc<Mount<H>>> {
        let book = self.book.lock();
        let Ok(revision) = book.revision(plugin, number) else {
            return Vec::new();
        };
        let draining = revision.draining.iter().map(|draining| &draining.mount);
        revision.mount.iter().chain(draining).cloned().collect()
    }

    /// Whether [`promote`](Self::promote) would go through now.
    pub fn check_promote(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        force: Force,
    ) -> Result<(), RegistryError> {
        let book = self.book.lock();
        admission::check_promote(&book, &self.current.load(), plugin, number, force)
    }

    /// Whether a revision should go live without anybody asking: nothing is live, or its version is higher than
    /// the live one. Never for quarantined revisions; in [`SameVersion::Replace`] an equal version is higher.
    #[must_use]
    pub fn should_go_live(&self, plugin: &PluginName, number: RevisionNumber) -> bool {
        let book = self.book.lock();
        let record = book.plugins.get(plugin);
        record.is_some_and(|record| admission::should_go_live(record, number, self.same_version))
    }

    /// The revision a rollback goes to; without a selector, the one that was live before the present one,
    /// skipping quarantined ones.
    pub fn rollback_target(
        &self,
        plugin: &PluginName,
        selector: Option<&Selector>,
    ) -> Result<RevisionNumber, RegistryError> {
        admission::rollback_target(plugin, self.book.lock().plugin(plugin)?, selector)
    }

    /// The live plugins that need this one, each with the versions that it needs, and whether this one is none of them.
    #[must_use]
    pub fn dependents(&self, plugin: &PluginName, version: &Version) -> Vec<(PluginName, VersionReq, bool)> {
        let book = self.book.lock();
        let all = admission::dependents_where(&book, plugin, |_| true);
        let breaks = |range: &VersionReq| !range.matches(version);
        let told = all.into_iter().map(|(dependent, range)| {
            let breaks = breaks(&range);
            (dependent, range, breaks)
        });
        told.collect()
    }

    /// Every plugin with all its revisions, in the order of the names.
    #[must_use]
    pub fn plugins(&self) -> Vec<PluginStatus> {
        self.book
            .lock()
            .plugins
            .iter()
            .map(|(name, record)| record.status(name))
            .collect()
    }

    /// One plugin with all its revisions.
    pub fn plugin(&self, plugin: &PluginName) -> Result<PluginStatus, RegistryError> {
        Ok(self.book.lock().plugin(plugin)?.status(plugin))
    }

    /// Every revision of a plugin that ever was live, the latest first.
    #[must_use]
    pub fn live_order(&self, plugin: &PluginName) -> Vec<RevisionNumber> {
        let book = self.book.lock();
        book.plugins
            .get(plugin)
            .map_or_else(Vec::new, |record| record.live_order.clone())
    }

    /// What happened to a plugin, oldest first; the last thousand changes.
    pub fn history(&self, plugin: &PluginName) -> Result<Vec<HistoryEntry>, RegistryError> {
        Ok(self.book.lock().plugin(plugin)?.history.iter().cloned().collect())
    }
}

impl<H> fmt::Debug for Registry<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("current", &self.current.load())
            .finish_non_exhaustive()
    }
}
