//! What listings show.

use std::sync::Arc;

use patchbay_rollout::Weight;
use patchbay_vocab::{
    Digest, NodeType, PinReason, PluginName, RevisionNumber, RevisionState, UnixMillis, Version,
};

use crate::change::Dependency;
use crate::detour::PinScope;

/// A plugin and all its revisions.
#[derive(Clone, Debug)]
pub struct PluginStatus {
    /// Its name.
    pub plugin: PluginName,
    /// The revision that receives the calls.
    pub live: Option<RevisionNumber>,
    /// Whether what is live took the place of what should be, when the process began, and nobody has ordered it since.
    pub stands_in: bool,
    /// Who is held where.
    pub pins: Vec<(PinScope, RevisionNumber)>,
    /// The revision that receives a share of the calls, and how much.
    pub split: Option<(RevisionNumber, Weight)>,
    /// Every revision ever admitted, oldest first.
    pub revisions: Vec<RevisionStatus>,
}

/// Where one revision stands.
#[derive(Clone, Debug)]
pub struct RevisionStatus {
    /// Its number.
    pub number: RevisionNumber,
    /// Its version.
    pub version: Version,
    /// The hash of its artifact.
    pub digest: Digest,
    /// Its state.
    pub state: RevisionState,
    /// Whether it is loaded and could be promoted; loads that are draining do not count.
    pub mounted: bool,
    /// Whether that load was put to sleep: its gate is closed, and the next call or promotion loads it again.
    pub asleep: bool,
    /// Whether a load of it is on its way out.
    pub draining: bool,
    /// Calls inside it now, in all its loads.
    pub calls_in_flight: u64,
    /// Calls that ever began, in all its loads.
    pub calls_ever: u64,
    /// What keeps draining loads mapped.
    pub pinned: Vec<PinReason>,
    /// Where it came from.
    pub origin: Arc<str>,
    /// The node types it offers.
    pub nodes: Arc<[NodeType]>,
    /// What it needs of other plugins.
    pub dependencies: Arc<[Dependency]>,
    /// When it was given its number.
    pub admitted_at: UnixMillis,
}
