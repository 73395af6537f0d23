//! Why a call gave no answer.

use std::time::Duration;

use patchbay_loader::CallFault;
use patchbay_vocab::{Code, Explain, Explained, PluginName, Version};
use plugin_api::NodeError;

/// The plugin and version behind an answer or a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedBy {
    /// The plugin.
    pub plugin: PluginName,
    /// Its version.
    pub version: Version,
}

/// Why a call gave no answer. What is large in it is boxed: every call returns room for one.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody answers to that node type.
    #[error("no live plugin has a node `{node_type}`")]
    UnknownNode {
        /// What was asked for.
        node_type: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// The node said that it failed.
    #[error("`{node_type}` failed with {}: {}", error.code, error.message)]
    Failed {
        /// The node type.
        node_type: String,
        /// What it said.
        error: Box<NodeError>,
    },
    /// The version has a fault.
    #[error("`{node_type}` of {} {} has a fault", served_by.plugin, served_by.version)]
    Fault {
        /// The node type.
        node_type: String,
        /// Whose node it is.
        served_by: Box<ServedBy>,
        /// What happened.
        #[source]
        fault: Box<CallFault>,
    },
    /// The deadline passed.
    #[error("`{node_type}` did not answer within {} ms", after.as_millis())]
    TimedOut {
        /// The node type.
        node_type: String,
        /// How long it had.
        after: Duration,
    },
    /// The caller gave up.
    #[error("the call of `{node_type}` was cancelled")]
    Cancelled {
        /// The node type.
        node_type: String,
    },
    /// Nodes call each other too deeply.
    #[error("nodes call each other more than {limit} deep")]
    TooDeep {
        /// The limit.
        limit: u32,
    },
    /// The plugin was unmapped for being idle, and cannot be mapped again.
    #[error("`{plugin}` sleeps and could not be woken ({})", why.code)]
    Asleep {
        /// The plugin.
        plugin: PluginName,
        /// Why.
        why: Box<Explained>,
    },
    /// The caller is pinned to a version that does not answer.
    #[error(
        "the version of `{plugin}` that this call is pinned to is not loaded, or has no node `{node_type}`"
    )]
    PinnedAway {
        /// The plugin.
        plugin: PluginName,
        /// The node type.
        node_type: String,
    },
    /// The host is shutting down.
    #[error("the host takes no more calls")]
    Closing,
}

/// A node type as a caller gave it, fit to be shown.
pub(crate) fn shown(node_type: &str) -> String {
    node_type.chars().take(128).flat_map(char::escape_debug).collect()
}

impl CallError {
    /// Nobody that could be called answers to it, and no other name is meant.
    #[cold]
    pub(crate) fn unknown(node_type: &str) -> Self {
        Self::UnknownNode {
            node_type: shown(node_type),
            nearest: None,
        }
    }

    /// Whether the node itself answered with an error, as opposed to the host.
    #[must_use]
    pub const fn node_error(&self) -> Option<&NodeError> {
        match self {
            Self::Failed { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl Explain for CallError {
    fn code(&self) -> Code {
        Code(match self {
            Self::UnknownNode { .. } => "PB-CALL-001",
            Self::Failed { .. } => "PB-CALL-002",
            Self::Fault { fault, .. } => match **fault {
                CallFault::Panicked(_) => "PB-CALL-003",
                CallFault::OutputLimit => "PB-CALL-004",
                CallFault::StateRefused(_) => "PB-IDLE-002",
                _ => "PB-CALL-005",
            },
            Self::TimedOut { .. } => "PB-CALL-006",
            Self::TooDeep { .. } => "PB-CALL-007",
            Self::Closing => "PB-CALL-008",
            Self::Cancelled { .. } => "PB-CALL-009",
            Self::Asleep { .. } => "PB-IDLE-001",
            Self::PinnedAway { .. } => "PB-CALL-010",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::UnknownNode {
                nearest: Some(nearest),
                ..
            } => format!("did you mean `{nearest}`?"),
            Self::UnknownNode { .. } => "see `patchbay nodes` for what is live".into(),
            Self::Failed { node_type, .. } => format!("see `patchbay nodes {node_type}` for what it takes"),
            Self::Asleep { why, .. } => why.hint.clone(),
            Self::Fault { served_by, fault, .. } if matches!(**fault, CallFault::StateRefused(_)) => {
                let plugin = &served_by.plugin;
                format!("the state is kept: promote a version of `{plugin}` whose `load_state` takes it")
            }
            Self::Fault { served_by, .. } => {
                let plugin = &served_by.plugin;
                format!("roll back with `patchbay rollback {plugin}`, and tell the plugin's author")
            }
            Self::TimedOut { .. } => "give it more time, or look at why it is slow".into(),
            Self::Cancelled { .. } => "call again when the answer is wanted".into(),
            Self::TooDeep { .. } => "break the circle of nodes that call each other".into(),
            Self::PinnedAway { plugin, .. } => {
                format!("look at `patchbay pins {plugin}`, and unpin, or promote a version that loads")
            }
            Self::Closing => "call again when the host is up".into(),
        }
    }
}

const _: () = assert!(size_of::<CallError>() <= 56);
