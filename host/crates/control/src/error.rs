//! Why a use case failed.

use std::path::PathBuf;

use patchbay_delivery::DeliveryError;
use patchbay_dispatch::CallError;
use patchbay_lifecycle::LifecycleError;
use patchbay_registry::RegistryError;
use patchbay_runs::{RunsError, RunsErrorClass};
use patchbay_state::StateError;
use patchbay_vocab::{Code, Explain, Explained, PluginName, TenantId};
use patchbay_wire::ProblemView;
use plugin_api::error::code;

/// Why a host cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// This process is a child of a host.
    #[error("this process is a child that a host started for a trial load")]
    IsChild,
    /// A directory cannot be used.
    #[error("the directory `{}` cannot be used", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// No host has ever used it as its data directory.
    #[error("`{}` is no data directory of a host", path.display())]
    NoData {
        /// Which.
        path: PathBuf,
    },
    /// Another host has the data directory.
    #[error("another host is using the data directory `{}`", path.display())]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// The runtime could not be started.
    #[error("the runtime for timers could not be started")]
    Runtime(#[source] std::io::Error),
    /// The lifecycle could not be started.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    /// Workflows cannot be run.
    #[error(transparent)]
    Runs(RunsError),
    /// What is remembered cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// Rollouts cannot be driven.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

impl Explain for OpenError {
    fn code(&self) -> Code {
        match self {
            Self::IsChild => Code("PB-OPEN-001"),
            Self::Directory { .. } => Code("PB-OPEN-002"),
            Self::InUse { .. } => Code("PB-OPEN-003"),
            Self::Runtime(_) => Code("PB-OPEN-004"),
            Self::NoData { .. } => Code("PB-OPEN-005"),
            Self::Lifecycle(error) => error.code(),
            Self::Runs(error) => error.code(),
            Self::State(error) => error.code(),
            Self::Delivery(error) => error.code(),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::IsChild => "call patchbay::serve_if_asked() first in main".into(),
            Self::Directory { .. } => "check that it exists, is a directory, and is yours to write".into(),
            Self::NoData { .. } => {
                "name the folder that `patchbay up` has as --data; nothing was changed".into()
            }
            Self::InUse { .. } => "stop the other host, or choose another --data directory".into(),
            Self::Runtime(_) => "raise the limit on threads of this user".into(),
            Self::Lifecycle(error) => error.help(),
            Self::Runs(error) => error.help(),
            Self::State(error) => error.help(),
            Self::Delivery(error) => error.help(),
        }
    }
}

/// What kind of failure it is, for whoever has to choose a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// What was named is not there.
    NotFound,
    /// What was sent is wrong.
    Invalid,
    /// Whoever asks may not.
    Forbidden,
    /// The host's rules or present state are in the way.
    Conflict,
    /// The node itself failed.
    NodeFailed,
    /// It took too long.
    Timeout,
    /// It is too often, or too much.
    TooMany,
    /// The host cannot do it now.
    Unavailable,
    /// The host is at fault.
    Internal,
}

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A call gave no answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A change was refused or failed.
    #[error(transparent)]
    Lifecycle(LifecycleError),
    /// A rollout was refused, or what was done could not be remembered.
    #[error(transparent)]
    Delivery(DeliveryError),
    /// No such plugin.
    #[error("there is no plugin `{0}`")]
    UnknownPlugin(PluginName),
    /// A workflow could not be run, or a run not be shown.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// The input is not a value.
    #[error("the input cannot be used: {0}")]
    Input(String),
    /// The tenant's rules do not let it use the node type.
    #[error("tenant `{tenant}` may not use `{node_type}`")]
    NotAllowed {
        /// Who.
        tenant: TenantId,
        /// What.
        node_type: String,
    },
    /// A node that has no instances was given the configuration of one.
    #[error("`{0}` keeps no state, so it takes no configuration")]
    NoConfiguration(String),
}

impl From<LifecycleError> for ControlError {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::Registry(error) => error.into(),
            error => Self::Lifecycle(error),
        }
    }
}

impl From<DeliveryError> for ControlError {
    fn from(error: DeliveryError) -> Self {
        match error {
            DeliveryError::Lifecycle(error) => error.into(),
            error => Self::Delivery(error),
        }
    }
}

impl From<RegistryError> for ControlError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::UnknownPlugin { plugin } => Self::UnknownPlugin(plugin),
            error => Self::Lifecycle(LifecycleError::Registry(error)),
        }
    }
}

impl ControlError {
    /// What the outside is told: code, message, hint, and everything that was found in a document.
    #[must_use]
    pub fn problem(&self) -> ProblemView {
        let findings = match self {
            Self::Runs(error) => error.finding_views(),
            _ => Vec::new(),
        };
        ProblemView {
            findings,
            ..self.explained().into()
        }
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Call(CallError::UnknownNode { .. }) | Self::UnknownPlugin(_) => ErrorClass::NotFound,
            Self::Call(CallError::Failed { error, .. }) => match &*error.code {
                code::VALIDATION_FAILED => ErrorClass::Invalid,
                code::TIMEOUT => ErrorClass::Timeout,
                _ => ErrorClass::NodeFailed,
            },
            Self::Call(CallError::Fault { .. }) => ErrorClass::NodeFailed,
            Self::Call(CallError::TimedOut { .. }) => ErrorClass::Timeout,
            Self::Call(CallError::Cancelled { .. }) => ErrorClass::NodeFailed,
            Self::Call(CallError::TooDeep { .. }) => ErrorClass::Invalid,
            Self::Call(CallError::Closing | CallError::Asleep { .. }) => ErrorClass::Unavailable,
            Self::Call(CallError::PinnedAway { .. }) => ErrorClass::Conflict,
            Self::Delivery(error) => match error {
                DeliveryError::NoRollout { .. } | DeliveryError::UnknownRollout { .. } => {
                    ErrorClass::NotFound
                }
                DeliveryError::Policy(_) => ErrorClass::Invalid,
                DeliveryError::State(StateError::NotYet { .. } | StateError::Write(_)) => {
                    ErrorClass::Unavailable
                }
                DeliveryError::State(_) | DeliveryError::Thread(_) | DeliveryError::NoRecords { .. } => {
                    ErrorClass::Internal
                }
                _ => ErrorClass::Conflict,
            },
            Self::Lifecycle(LifecycleError::Registry(error)) => match error {
                RegistryError::UnknownPlugin { .. } | RegistryError::UnknownRevision { .. } => {
                    ErrorClass::NotFound
                }
                _ => ErrorClass::Conflict,
            },
            Self::Lifecycle(LifecycleError::State(_) | LifecycleError::KeepsState { .. }) => {
                ErrorClass::Conflict
            }
            Self::Lifecycle(LifecycleError::Signature(_)) => ErrorClass::Conflict,
            Self::Lifecycle(_) => ErrorClass::Internal,
            Self::Runs(error) => match error.class() {
                RunsErrorClass::NotFound => ErrorClass::NotFound,
                RunsErrorClass::Invalid => ErrorClass::Invalid,
                RunsErrorClass::Conflict => ErrorClass::Conflict,
                RunsErrorClass::TooMany => ErrorClass::TooMany,
                RunsErrorClass::Unavailable => ErrorClass::Unavailable,
                RunsErrorClass::Internal => ErrorClass::Internal,
            },
            Self::NotAllowed { .. } => ErrorClass::Forbidden,
            Self::Input(_) | Self::NoConfiguration(_) => ErrorClass::Invalid,
        }
    }
}

impl Explain for ControlError {
    fn code(&self) -> Code {
        match self {
            Self::Call(error) => error.code(),
            Self::Lifecycle(error) => error.code(),
            Self::Delivery(error) => error.code(),
            Self::Runs(error) => error.code(),
            Self::UnknownPlugin(_) => Code("PB-CONTROL-001"),
            Self::Input(_) => Code("PB-CONTROL-002"),
            Self::NoConfiguration(_) => Code("PB-CONTROL-003"),
            Self::NotAllowed { .. } => Code("PB-CONTROL-004"),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Call(error) => error.help(),
            Self::Lifecycle(error) => error.help(),
            Self::Delivery(error) => error.help(),
            Self::Runs(error) => error.help(),
            Self::UnknownPlugin(_) => "see `patchbay plugins` for what there is".into(),
            Self::Input(_) => "send one JSON value whose numbers are finite".into(),
            Self::NotAllowed { .. } => {
                "ask an admin to change `allow_nodes` and `deny_nodes` of the tenant in the configuration"
                    .into()
            }
            Self::NoConfiguration(_) => {
                "leave the configuration out; what a call needs goes into its parameters".into()
            }
        }
    }

    fn explained(&self) -> Explained {
        match self {
            Self::Lifecycle(error) => error.explained(),
            Self::Delivery(error) => error.explained(),
            other => Explained {
                code: other.code().0.into(),
                message: other.chain(),
                hint: other.help(),
            },
        }
    }
}
