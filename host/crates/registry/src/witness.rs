//! Who is told of every change, so that it can be remembered.

use std::sync::Arc;

use patchbay_vocab::{Digest, NodeType, PluginName, RevisionNumber, RevisionState, UnixMillis, Version};

use crate::book::RevisionRecord;
use crate::change::{Along, Dependency, HistoryEntry};
use crate::detour::PinScope;
use crate::registry::Registry;
use crate::snapshot::Mounted;

/// One change, at the moment at which it has become true.
pub struct Changed<'c, H> {
    /// The plugin.
    pub plugin: &'c PluginName,
    /// What the history says about it.
    pub line: &'c HistoryEntry,
    pub(crate) revision: &'c RevisionRecord<H>,
    /// What is live now.
    pub live: Option<RevisionNumber>,
    /// Every revision that ever was live, the latest first.
    pub live_order: &'c [RevisionNumber],
    /// Of a pin: whom it holds.
    pub scope: Option<&'c PinScope>,
    /// The name under which the order may come again.
    pub key: Option<&'c str>,
    /// What is to be remembered together with it.
    pub along: Option<&'c Along>,
}

impl<H> Changed<'_, H> {
    /// The hash of the revision's artifact.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.revision.digest
    }

    /// The state of the revision now.
    #[must_use]
    pub fn state(&self) -> RevisionState {
        self.revision.state
    }

    /// The revision as it is to be remembered.
    #[must_use]
    pub fn revision(&self) -> KnownRevision {
        let revision = self.revision;
        KnownRevision {
            number: revision.number,
            version: revision.version.clone(),
            digest: revision.digest,
            nodes: Arc::clone(&revision.nodes),
            dependencies: Arc::clone(&revision.dependencies),
            origin: Arc::clone(&revision.origin),
            admitted_at: revision.admitted_at,
            quarantined: revision.is_quarantined(),
        }
    }
}

/// Is told of every change in the order in which they become true.
pub trait Witness<H>: Send + Sync + 'static {
    /// Changes of one plugin have become true, all of them at once: calls that begin now see them. Called with the registry
    /// locked, so it must be quick, and must not call the registry.
    fn changed(&self, changes: &[Changed<'_, H>]);
}

/// A revision as it is remembered from one process to the next.
#[derive(Clone, Debug)]
pub struct KnownRevision {
    /// Its number.
    pub number: RevisionNumber,
    /// Its version.
    pub version: Version,
    /// The hash of its artifact.
    pub digest: Digest,
    /// The node types it offers.
    pub nodes: Arc<[NodeType]>,
    /// What it needs of other plugins.
    pub dependencies: Arc<[Dependency]>,
    /// Where it came from.
    pub origin: Arc<str>,
    /// When it was given its number.
    pub admitted_at: UnixMillis,
    /// Whether it is out of service.
    pub quarantined: bool,
}

impl<H: Mounted> Registry<H> {
    /// Has every change from now on told to `witness`; the first one stays.
    pub fn witnessed_by(&self, witness: Box<dyn Witness<H>>) {
        // Under the lock, so that it misses nothing that comes after.
        let _book = self.book.lock();
        let _ = self.witness.set(witness);
    }

    /// Tells nobody of changes any more: what is unloaded because the host ends is to be live again when it starts.
    pub fn end_witnessing(&self) {
        self.book.lock().unwitnessed = true;
    }
}
