//! Why a library cannot be loaded, why a call gave no result, and why a state was not handed over.

use std::time::Duration;

use patchbay_vocab::{Code, Explain};
use plugin_api::note::NoteText;
use plugin_api::{Contract, NodeError, SDK_VERSION};

use crate::description::{BadMetadata, Rule};

/// Why an inspected artifact cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The stored artifact could not be copied for this load.
    #[error("cannot make the private copy of the artifact")]
    Copy(#[source] std::io::Error),
    /// The stored artifact is not what was inspected.
    #[error("the stored artifact no longer has the content that was inspected")]
    Changed,
    /// A path with a NUL in it.
    #[error("the path of the private copy cannot be passed to the system")]
    BadPath,
    /// Every slot is taken.
    #[error("too many libraries are loaded at the same time")]
    TooManyLibraries,
    /// The dynamic linker refused.
    #[error("the system cannot load the library: {reason}")]
    Open {
        /// What the linker said.
        reason: String,
    },
    /// The dynamic linker misses a symbol.
    #[error("nothing defines a symbol that the library needs: {reason}")]
    UndefinedSymbol {
        /// What the linker said.
        reason: String,
    },
    /// The entry symbol is not there.
    #[error("the entry point is missing: {reason}")]
    NoEntry {
        /// What the linker said.
        reason: String,
    },
    /// The layouts differ.
    #[error("the plugin was built against another layout of the contract: {reason}")]
    SdkMismatch {
        /// Which field differs.
        reason: String,
    },
    /// The tables are not what the contract says.
    #[error("the plugin's tables are not what the contract says")]
    Table(#[source] plugin_api::shim::host::TableError),
    /// The metadata could not be had.
    #[error("the plugin cannot describe itself: {reason}")]
    Describe {
        /// What went wrong.
        reason: String,
    },
    /// The metadata is not usable.
    #[error("the plugin's metadata is wrong")]
    Metadata(#[source] BadMetadata),
    /// It says something else in service than on trial.
    #[error("the plugin describes itself otherwise than it did on trial")]
    Inconstant,
    /// `start` failed.
    #[error("the plugin refused to start with status {status}")]
    StartFailed {
        /// What it answered.
        status: i32,
    },
    /// A node without state could not be made.
    #[error("node `{node}` cannot be made: {reason}")]
    CreateFailed {
        /// The node type.
        node: String,
        /// What it said.
        reason: String,
    },
}

impl LoadError {
    /// Says of a layout that differs which versions met.
    pub(crate) fn between(self, plugin: &NoteText, spoken: Contract) -> Self {
        match self {
            Self::SdkMismatch { reason } => Self::SdkMismatch {
                reason: format!(
                    "{reason}; the plugin was built with plugin-api {} and needs contract {}, this host was built with \
                     plugin-api {SDK_VERSION} and speaks contract {spoken}",
                    plugin.sdk, plugin.contract
                ),
            },
            other => other,
        }
    }
}

impl Explain for LoadError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Copy(_) => "PB-LOAD-001",
            Self::Changed => "PB-LOAD-002",
            Self::BadPath => "PB-LOAD-003",
            Self::TooManyLibraries => "PB-LOAD-004",
            Self::Open { .. } => "PB-LOAD-005",
            Self::NoEntry { .. } => "PB-LOAD-006",
            Self::SdkMismatch { .. } => "PB-LOAD-007",
            Self::Table(_) => "PB-LOAD-008",
            Self::Describe { .. } => "PB-LOAD-009",
            Self::Metadata(bad) => match bad.rule {
                Rule::Form => "PB-LOAD-010",
                Rule::SameAsNote => "PB-LOAD-015",
                Rule::OneOwner => "PB-LOAD-016",
                Rule::Schema => "PB-LOAD-017",
            },
            Self::StartFailed { .. } => "PB-LOAD-011",
            Self::CreateFailed { .. } => "PB-LOAD-012",
            Self::UndefinedSymbol { .. } => "PB-LOAD-013",
            Self::Inconstant => "PB-LOAD-014",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Copy(_) => {
                "check space and rights of the host's data directory, then touch the file to have it tried again".into()
            },
            Self::Changed => "the host's data directory was damaged; drop the plugin file in again".into(),
            Self::BadPath => "choose a data directory without unusual characters".into(),
            Self::TooManyLibraries => {
                "retire versions that are no longer needed, or lower the history limit".into()
            }
            Self::Open { .. } => {
                "the reason is the dynamic linker's: link what is missing statically, or build it again".into()
            }
            Self::NoEntry { .. } => {
                "call export_plugin! in the crate's root, or export patchbay_plugin_v1 from C".into()
            }
            Self::SdkMismatch { .. } => "rebuild the plugin against this host's plugin-api".into(),
            Self::Table(_) => "compare the tables with plugin-api/src/abi.rs".into(),
            Self::Describe { .. } => "the metadata function must give one map and not panic".into(),
            Self::Metadata(bad) => match bad.rule {
                Rule::Form => "correct the field in the node's attributes or in Cargo.toml",
                Rule::SameAsNote => "let `export_plugin!` write note and metadata, or give both the same name and version",
                Rule::OneOwner => "give each node a type and aliases of its own",
                Rule::Schema => "describe it by a JSON Schema: a map, a bool, or nothing at all",
            }
            .into(),
            Self::UndefinedSymbol { .. } => {
                "link what defines it statically, or take the symbol away; `nm -D --undefined-only FILE` lists what it needs".into()
            }
            Self::Inconstant => {
                "have the metadata function give the same map each time: no clocks, counters or environment in it".into()
            }
            Self::StartFailed { .. } => "see the plugin's own documentation".into(),
            Self::CreateFailed { .. } => {
                "a node without state must be makeable without a configuration".into()
            }
        }
    }
}

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
pub enum CallFault {
    /// The node said so.
    #[error("{0}")]
    Failed(Box<NodeError>),
    /// The node panicked.
    #[error("the node panicked: {0}")]
    Panicked(String),
    /// The output is over the limit.
    #[error("the node's output is over the limit")]
    OutputLimit,
    /// The output is no value.
    #[error("the node's output is malformed: {0}")]
    MalformedOutput(String),
    /// The tenant has too many instances.
    #[error("the node has too many instances")]
    TooManyInstances,
    /// The node does not take the state back that it saved before its instance was ended for being idle.
    #[error("the node does not take back the state that it saved when it was idle: {0}")]
    StateRefused(String),
    /// The pass is for another version.
    #[error("the pass belongs to another version")]
    WrongPass,
    /// There is no such node in the plugin.
    #[error("the plugin has no such node")]
    NoSuchNode,
}

/// Why the state of one version was not handed over to another; the old one goes on as it was.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// Calls did not end in time.
    #[error("calls were still inside stateful nodes after {} ms", waited.as_millis())]
    StillInside {
        /// How long they were waited for.
        waited: Duration,
    },
    /// The new version could not make an instance.
    #[error("the new version cannot make `{node}` for tenant `{tenant}`: {reason}")]
    Create {
        /// The node type.
        node: String,
        /// Whose instance.
        tenant: String,
        /// What it said.
        reason: String,
    },
    /// The old version could not give the state.
    #[error("the old version cannot save the state of `{node}` for tenant `{tenant}`: {reason}")]
    Save {
        /// The node type.
        node: String,
        /// Whose instance.
        tenant: String,
        /// What it said.
        reason: String,
    },
    /// The new version did not take the state.
    #[error("the new version does not take the state of `{node}` for tenant `{tenant}`: {reason}")]
    Load {
        /// The node type.
        node: String,
        /// Whose instance.
        tenant: String,
        /// What it said.
        reason: String,
    },
    /// The new version has the node, but no place for its state.
    #[error("`{node}` has state, and the new version takes none")]
    KeepsNoState {
        /// The node type.
        node: String,
    },
    /// Two nodes of the old version became one.
    #[error("`{node}` and another node with state have become one")]
    Merged {
        /// One of the two.
        node: String,
    },
    /// A pass of another version.
    #[error("the pass belongs to another version")]
    WrongPass,
}

impl HandOverError {
    /// Whether it may go well a moment later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::StillInside { .. })
    }
}

impl Explain for HandOverError {
    fn code(&self) -> Code {
        Code(match self {
            Self::StillInside { .. } => "PB-STATE-001",
            Self::Create { .. } => "PB-STATE-002",
            Self::Save { .. } => "PB-STATE-003",
            Self::Load { .. } => "PB-STATE-004",
            Self::KeepsNoState { .. } => "PB-STATE-005",
            Self::WrongPass => "PB-STATE-006",
            Self::Merged { .. } => "PB-STATE-007",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::StillInside { .. } => {
                "promote it again when the long calls are over, or raise `handover_ms`".into()
            }
            Self::Create { .. } | Self::Load { .. } | Self::KeepsNoState { .. } | Self::Merged { .. } => {
                "the old version serves on; mend the new one, or begin without the state: `patchbay promote --force`"
                    .into()
            }
            Self::Save { .. } => {
                "the old version serves on; to give its state up, use `patchbay promote --force`".into()
            }
            Self::WrongPass => "this is an error of the host: please report it".into(),
        }
    }
}
