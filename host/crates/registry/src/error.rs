//! Why the registry refuses.

use patchbay_vocab::{
    Code, Explain, NodeType, PluginName, RevisionNumber, RevisionState, Version, VersionReq,
};

use crate::change::Selector;
use crate::snapshot::NodeSlot;

/// A refused change or lease; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The version is taken by other content.
    #[error("plugin `{plugin}` {version} was published before with other content, as revision {existing}")]
    VersionReused {
        /// The plugin.
        plugin: PluginName,
        /// The version in question.
        version: Version,
        /// Which revision has it.
        existing: RevisionNumber,
    },
    /// One artifact offers a node type twice.
    #[error("plugin `{plugin}` {version} offers node type `{node}` twice")]
    DuplicateNode {
        /// The plugin.
        plugin: PluginName,
        /// Its version.
        version: Version,
        /// The node type.
        node: NodeType,
    },
    /// No revision of this plugin was ever admitted.
    #[error("there is no plugin `{plugin}`")]
    UnknownPlugin {
        /// The name asked for.
        plugin: PluginName,
    },
    /// The plugin has no such revision.
    #[error("plugin `{plugin}` has no {wanted}")]
    UnknownRevision {
        /// The plugin.
        plugin: PluginName,
        /// What was asked for.
        wanted: Selector,
    },
    /// The revision is not loaded.
    #[error("revision {revision} of plugin `{plugin}` is {state} and not loaded")]
    NotMounted {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        revision: RevisionNumber,
        /// Its state.
        state: RevisionState,
    },
    /// The revision is quarantined.
    #[error("revision {revision} of plugin `{plugin}` is quarantined")]
    Quarantined {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        revision: RevisionNumber,
    },
    /// Another live plugin offers the node type.
    #[error("plugin `{plugin}` offers node type `{node}`, which plugin `{owner}` already serves")]
    NodeClaimed {
        /// The plugin that wants it.
        plugin: PluginName,
        /// The node type.
        node: NodeType,
        /// The plugin that has it.
        owner: PluginName,
    },
    /// A dependency is not live.
    #[error("plugin `{plugin}` needs `{dependency}` {range}, which is not live")]
    DependencyMissing {
        /// The plugin that needs it.
        plugin: PluginName,
        /// The plugin that is needed.
        dependency: PluginName,
        /// The versions that would do.
        range: VersionReq,
    },
    /// A dependency is live in a version that will not do.
    #[error("plugin `{plugin}` needs `{dependency}` {range}, and {live} is live")]
    DependencyOutOfRange {
        /// The plugin that needs it.
        plugin: PluginName,
        /// The plugin that is needed.
        dependency: PluginName,
        /// The versions that would do.
        range: VersionReq,
        /// The version that is live.
        live: Version,
    },
    /// Plugins would need each other in a circle.
    #[error("plugins would depend on each other in a circle: {}", arrows(.path))]
    DependencyCycle {
        /// From the plugin back to itself.
        path: Vec<PluginName>,
    },
    /// Live plugins would be left without a version in their range.
    #[error("plugin `{plugin}` {version} is out of the range of {}", wanting(.dependents))]
    BreaksDependents {
        /// The plugin that would change.
        plugin: PluginName,
        /// The version it would change to.
        version: Version,
        /// Who needs it, and in which range.
        dependents: Vec<(PluginName, VersionReq)>,
    },
    /// Live plugins need the plugin that would be removed.
    #[error("plugin `{plugin}` is needed by {}", wanting(.dependents))]
    StillNeeded {
        /// The plugin that would go.
        plugin: PluginName,
        /// Who needs it, and in which range.
        dependents: Vec<(PluginName, VersionReq)>,
    },
    /// There is no earlier revision to go back to.
    #[error("plugin `{plugin}` has no earlier revision to go back to")]
    NothingToRollBackTo {
        /// The plugin.
        plugin: PluginName,
    },
    /// Nothing of the plugin is live.
    #[error("plugin `{plugin}` has no live revision")]
    NotLive {
        /// The plugin.
        plugin: PluginName,
    },
    /// The revision receives the calls, so it cannot be unloaded.
    #[error("revision {revision} of plugin `{plugin}` is live")]
    IsLive {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        revision: RevisionNumber,
    },
    /// The revision is loaded already.
    #[error("revision {revision} of plugin `{plugin}` is loaded already")]
    AlreadyMounted {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        revision: RevisionNumber,
    },
    /// The handle's gate is closed, so no call could ever enter.
    #[error("the load of revision {revision} of plugin `{plugin}` is closed")]
    GateClosed {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        revision: RevisionNumber,
    },
    /// The load is not one that is draining.
    #[error("this load of revision {revision} of plugin `{plugin}` is not draining")]
    NotDraining {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        revision: RevisionNumber,
    },
    /// The revision is pinned, or part of a rollout.
    #[error("revision {revision} of plugin `{plugin}` is pinned, or part of a rollout")]
    IsSteered {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        revision: RevisionNumber,
    },
    /// The newest revision of a plugin, or one that is in use, is not forgotten.
    #[error("revision {revision} of plugin `{plugin}` is {state}, or its newest, and is kept")]
    IsKept {
        /// The plugin.
        plugin: PluginName,
        /// The revision.
        revision: RevisionNumber,
        /// Its state.
        state: RevisionState,
    },
    /// Nothing live answers for one of the slots of a lease.
    #[error("nothing live answers for node slot {}", .slot.index())]
    Unrouted {
        /// The slot.
        slot: NodeSlot,
    },
}

impl RegistryError {
    /// Whether the refusal may end when another plugin goes live: park the revision and ask again after each
    /// publication.
    #[must_use]
    pub const fn waits_for_others(&self) -> bool {
        matches!(
            self,
            Self::DependencyMissing { .. } | Self::DependencyOutOfRange { .. }
        )
    }
}

impl Explain for RegistryError {
    fn code(&self) -> Code {
        Code(match self {
            Self::VersionReused { .. } => "PB-REG-001",
            Self::DuplicateNode { .. } => "PB-REG-002",
            Self::UnknownPlugin { .. } => "PB-REG-003",
            Self::UnknownRevision { .. } => "PB-REG-004",
            Self::NotMounted { .. } => "PB-REG-005",
            Self::Quarantined { .. } => "PB-REG-006",
            Self::NodeClaimed { .. } => "PB-REG-007",
            Self::DependencyMissing { .. } => "PB-REG-008",
            Self::DependencyOutOfRange { .. } => "PB-REG-009",
            Self::DependencyCycle { .. } => "PB-REG-010",
            Self::BreaksDependents { .. } => "PB-REG-011",
            Self::StillNeeded { .. } => "PB-REG-012",
            Self::NothingToRollBackTo { .. } => "PB-REG-013",
            Self::NotLive { .. } => "PB-REG-014",
            Self::IsLive { .. } => "PB-REG-015",
            Self::AlreadyMounted { .. } => "PB-REG-016",
            Self::GateClosed { .. } => "PB-REG-017",
            Self::NotDraining { .. } => "PB-REG-018",
            Self::Unrouted { .. } => "PB-REG-019",
            Self::IsSteered { .. } => "PB-REG-020",
            Self::IsKept { .. } => "PB-REG-021",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::VersionReused { version, .. } => {
                format!("bump the version: {version} is published, and a version is published once")
            }
            Self::DuplicateNode { node, .. } => format!("rename one of the two nodes called `{node}`"),
            Self::UnknownPlugin { .. } => "list the plugins to see what was admitted".into(),
            Self::UnknownRevision { plugin, .. } => {
                format!("look at the history of `{plugin}` for its revisions and versions")
            }
            Self::NotMounted { .. } => "load the revision first, then promote it".into(),
            Self::Quarantined { .. } => {
                "promote another revision, or force this one to lift its quarantine".into()
            }
            Self::NodeClaimed { node, owner, .. } => {
                format!("rename `{node}`, or remove plugin `{owner}` first")
            }
            Self::DependencyMissing {
                dependency, range, ..
            } => {
                format!("ship `{dependency}` in a version that matches {range}; this one goes live after it")
            }
            Self::DependencyOutOfRange {
                dependency, range, ..
            } => {
                format!("promote a version of `{dependency}` that matches {range}, or widen the range")
            }
            Self::DependencyCycle { .. } => "take one of these dependencies away".into(),
            Self::BreaksDependents { .. } => {
                "ship versions of the dependents that accept it, or force the change and let them break"
                    .into()
            }
            Self::StillNeeded { .. } => {
                "remove the dependents first, or force the change and let them break".into()
            }
            Self::NothingToRollBackTo { plugin } => {
                format!("name the revision to go to; the history of `{plugin}` lists them")
            }
            Self::NotLive { .. } => "promote a revision of it first".into(),
            Self::IsLive { .. } => {
                "promote another revision or remove the plugin, then retire this one".into()
            }
            Self::AlreadyMounted { .. } => "use the load that is there".into(),
            Self::GateClosed { .. } => "load the artifact again; a closed load never opens".into(),
            Self::NotDraining { .. } => "begin to retire it first".into(),
            Self::IsSteered { .. } => "unpin it, or end the rollout first".into(),
            Self::IsKept { .. } => "retire it first; the newest revision of a plugin always stays".into(),
            Self::Unrouted { .. } => "promote a plugin that offers the node type, or wait for it".into(),
        }
    }
}

fn arrows(path: &[PluginName]) -> String {
    path.iter()
        .map(PluginName::as_str)
        .collect::<Vec<_>>()
        .join(" -> ")
}

fn wanting(dependents: &[(PluginName, VersionReq)]) -> String {
    let each = dependents
        .iter()
        .map(|(plugin, range)| format!("`{plugin}` (wants {range})"));
    each.collect::<Vec<_>>().join(", ")
}
