//! What happens, for whoever subscribes.

use std::path::PathBuf;

use patchbay_dispatch::HandedOver;
use patchbay_vocab::{Explained, PinReason, PluginName, RevisionNumber, Version};

/// What happened.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// A file passed every check and has a number.
    Registered,
    /// A revision receives the calls.
    Live {
        /// The revision that received them before.
        from: Option<RevisionNumber>,
        /// Of the file event until the swap, in microseconds, when a file was the cause.
        micros: Option<u64>,
        /// What the revision before it handed over.
        state: Option<HandedOver>,
    },
    /// A revision waits for other plugins.
    Blocked(Explained),
    /// A revision was taken out of service.
    Quarantined,
    /// A plugin's node types do not resolve any more.
    Removed,
    /// A revision receives no new calls.
    Draining,
    /// A revision cannot be unmapped yet.
    Pinned(Vec<PinReason>),
    /// A revision is unmapped.
    Retired,
    /// A revision stays mapped until the process ends.
    Kept(PinReason),
    /// A plugin that nobody called is unmapped; the next call wakes it.
    Asleep,
    /// A plugin that slept is mapped again.
    Awake {
        /// How long that took, in microseconds.
        micros: u64,
    },
    /// A plugin that sleeps could not be mapped again.
    WakeFailed(Explained),
    /// A file was refused.
    Rejected {
        /// The file.
        path: PathBuf,
        /// Why.
        why: Explained,
    },
    /// The plugin directory cannot be watched as it should.
    Trouble(Explained),
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// To which plugin.
    pub plugin: Option<PluginName>,
    /// To which version.
    pub version: Option<Version>,
    /// To which revision.
    pub revision: Option<RevisionNumber>,
}

impl Event {
    pub(crate) const fn of(
        kind: EventKind,
        plugin: PluginName,
        version: Version,
        revision: RevisionNumber,
    ) -> Self {
        Self {
            kind,
            plugin: Some(plugin),
            version: Some(version),
            revision: Some(revision),
        }
    }

    pub(crate) const fn about_nobody(kind: EventKind) -> Self {
        Self {
            kind,
            plugin: None,
            version: None,
            revision: None,
        }
    }
}
