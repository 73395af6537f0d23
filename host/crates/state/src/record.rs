//! What is remembered, as the host has it in its hands.

use std::collections::BTreeMap;

use patchbay_vocab::{
    Digest, NodeType, PluginName, RevisionNumber, TenantId, UnixMillis, Version, VersionReq, WorkflowId,
};

/// Everything a host needs of its last life to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remembered {
    /// The number of the last change of what is desired.
    pub generation: u64,
    /// Every plugin that is known, by name.
    pub plugins: Vec<KnownPlugin>,
    /// Every pin.
    pub pins: Vec<Pin>,
    /// The policies of plugins, in JSON.
    pub policies: Vec<(PluginName, String)>,
    /// Revisions that came in, and of which nobody has decided yet whether they go live by themselves.
    pub arrivals: Vec<(PluginName, RevisionNumber)>,
    /// The rollouts that have not finished, the oldest first.
    pub rollouts: Vec<StoredRollout>,
    /// The boots before this one, the newest first; at most [`BOOTS`](crate::BOOTS).
    pub boots: Vec<Boot>,
    /// What was live when a host was last known to be well.
    pub good: Option<GoodSet>,
    /// Files that need not be read again as long as they are as they were.
    pub files: Vec<SeenFile>,
    /// What the last host was loading when it ended, if it ended while loading.
    pub loading: Vec<(PluginName, RevisionNumber)>,
}

/// A plugin and its past.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownPlugin {
    /// Its name.
    pub name: PluginName,
    /// What is live.
    pub live: Option<RevisionNumber>,
    /// What was live, the latest first.
    pub live_order: Vec<RevisionNumber>,
    /// The highest number that a revision of it ever had, forgotten ones included.
    pub highest: RevisionNumber,
    /// Its revisions by number.
    pub revisions: Vec<KnownRevision>,
    /// Its last changes, the oldest first; at most [`HISTORY`](crate::HISTORY).
    pub history: Vec<HistoryLine>,
}

/// One revision of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownRevision {
    /// The plugin.
    pub plugin: PluginName,
    /// Its number.
    pub number: RevisionNumber,
    /// Its version.
    pub version: Version,
    /// Its content.
    pub digest: Digest,
    /// The nodes it has.
    pub nodes: Vec<NodeType>,
    /// The plugins that its nodes call.
    pub dependencies: Vec<(PluginName, VersionReq)>,
    /// The file it came from.
    pub origin: String,
    /// When it was admitted.
    pub admitted_at: UnixMillis,
    /// Whether it may not go live.
    pub quarantined: bool,
}

/// One change of what is live.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryLine {
    /// When.
    pub at: UnixMillis,
    /// The generation it made.
    pub generation: u64,
    /// What was done.
    pub action: String,
    /// The revision it was done with.
    pub revision: RevisionNumber,
    /// The version of that revision.
    pub version: Version,
    /// What was live before.
    pub from: Option<RevisionNumber>,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// Whose calls are answered by a revision of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The plugin.
    pub plugin: PluginName,
    /// The tenant, or every one.
    pub tenant: Option<TenantId>,
    /// The workflow, or every one.
    pub workflow: Option<WorkflowId>,
    /// What answers.
    pub revision: RevisionNumber,
    /// Who pinned it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: UnixMillis,
}

/// One attempt at making a revision live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRollout {
    /// Its name.
    pub id: String,
    /// The plugin.
    pub plugin: PluginName,
    /// What was live when it began.
    pub from: Option<RevisionNumber>,
    /// What is to be live.
    pub to: RevisionNumber,
    /// How, in JSON.
    pub policy: String,
    /// How far it is, in JSON.
    pub state: String,
    /// How far it is, in a word.
    pub phase: String,
    /// Whether it is over.
    pub finished: bool,
    /// When it began.
    pub started_at: UnixMillis,
    /// When it last changed.
    pub changed_at: UnixMillis,
    /// Who began it.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// What a rollout saw or decided. Of each rollout the last [`EVIDENCE`](crate::EVIDENCE) are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The rollout.
    pub rollout: String,
    /// When.
    pub at: UnixMillis,
    /// `check`, `decision` or `difference`.
    pub kind: String,
    /// What, in JSON.
    pub body: String,
}

/// What was done to a host, by whom and why: the content of an audit record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To which plugin.
    pub plugin: Option<PluginName>,
    /// To which of its revisions.
    pub revision: Option<RevisionNumber>,
    /// For which tenant.
    pub tenant: Option<TenantId>,
    /// For which workflow.
    pub workflow: Option<WorkflowId>,
    /// Why.
    pub reason: String,
    /// The key that tells a repeated order from another one.
    pub key: Option<String>,
    /// Everything else, in JSON.
    pub detail: String,
}

/// A file whose content is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFile {
    /// Where it is.
    pub path: String,
    /// What the system said of it when its content was hashed; whoever wrote it reads it.
    pub stamp: String,
    /// Its content.
    pub digest: Digest,
}

/// What was live when a host was last known to be well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoodSet {
    /// When that was.
    pub at: UnixMillis,
    /// What was live.
    pub live: BTreeMap<PluginName, RevisionNumber>,
}

/// One start of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// Its number.
    pub id: u64,
    /// When.
    pub started_at: UnixMillis,
    /// The version of the host.
    pub version: String,
    /// When it was first known to be well.
    pub stable_at: Option<UnixMillis>,
    /// When it ended by order; `None` when it did not, or runs.
    pub ended_at: Option<UnixMillis>,
}

/// What the writer is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// A revision was admitted, or changed.
    Revision(KnownRevision),
    /// A content is in the store.
    Artifact {
        /// The content.
        digest: Digest,
        /// Its length.
        bytes: u64,
    },
    /// A revision was quarantined, or released.
    Quarantined {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        number: RevisionNumber,
        /// Whether it may not go live.
        yes: bool,
    },
    /// What is live changed.
    Live {
        /// The plugin.
        plugin: PluginName,
        /// What is live now.
        to: Option<RevisionNumber>,
        /// The generation that this made.
        generation: u64,
        /// What was live, the latest first.
        live_order: Vec<RevisionNumber>,
    },
    /// A change, for people.
    History {
        /// The plugin.
        plugin: PluginName,
        /// What changed.
        line: HistoryLine,
    },
    /// A file was read, and is one that was admitted.
    File(SeenFile),
    /// A revision came in; whether it goes live by itself is to be decided, by this host or the next one.
    Arrived {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        number: RevisionNumber,
    },
    /// Whether a revision goes live by itself is decided.
    Decided {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        number: RevisionNumber,
    },
    /// A revision is remembered no more.
    Forget {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        number: RevisionNumber,
    },
    /// A content is in the store no more.
    ForgetArtifact(Digest),
    /// How revisions of a plugin go live; `None` for the standard.
    Policy {
        /// The plugin.
        plugin: PluginName,
        /// How, in JSON.
        policy: Option<String>,
    },
    /// A pin was set, or moved.
    Pin(Pin),
    /// A pin was taken away.
    Unpin {
        /// The plugin.
        plugin: PluginName,
        /// The tenant it named.
        tenant: Option<TenantId>,
        /// The workflow it named.
        workflow: Option<WorkflowId>,
    },
    /// A rollout began, or changed.
    Rollout(StoredRollout),
    /// A rollout saw or decided something.
    Evidence(Evidence),
    /// The host is well with what is live.
    Good(GoodSet),
    /// Something was done.
    Audit(Entry),
    /// A boot proved well.
    BootStable {
        /// Which.
        boot: u64,
        /// When.
        at: UnixMillis,
    },
    /// A boot ended by order.
    BootEnded {
        /// Which.
        boot: u64,
        /// When.
        at: UnixMillis,
    },
}

impl Write {
    /// About how much memory it takes while it waits.
    pub(crate) fn bytes(&self) -> usize {
        let texts = match self {
            Self::Revision(known) => {
                let nodes: usize = known.nodes.iter().map(|node| node.as_str().len() + 16).sum();
                nodes + known.dependencies.len() * 128 + known.origin.len()
            }
            Self::Live { live_order, .. } => live_order.len() * 8,
            Self::History { line, .. } => line.action.len() + line.actor.len() + line.reason.len(),
            Self::Policy { policy, .. } => policy.as_ref().map_or(0, String::len),
            Self::Pin(pin) => pin.actor.len() + pin.reason.len(),
            Self::Rollout(rollout) => {
                let texts = [
                    &rollout.id,
                    &rollout.policy,
                    &rollout.state,
                    &rollout.phase,
                    &rollout.actor,
                    &rollout.reason,
                ];
                texts.iter().map(|text| text.len()).sum()
            }
            Self::Evidence(seen) => seen.rollout.len() + seen.kind.len() + seen.body.len(),
            Self::File(file) => file.path.len() + file.stamp.len(),
            Self::Good(good) => good.live.len() * 80,
            Self::Audit(entry) => {
                let key = entry.key.as_ref().map_or(0, String::len);
                entry.actor.len() + entry.action.len() + entry.reason.len() + entry.detail.len() + key
            }
            Self::Artifact { .. }
            | Self::Quarantined { .. }
            | Self::Arrived { .. }
            | Self::Decided { .. }
            | Self::Forget { .. }
            | Self::ForgetArtifact(_)
            | Self::Unpin { .. }
            | Self::BootStable { .. }
            | Self::BootEnded { .. } => 0,
        };
        texts.saturating_add(256)
    }
}
