//! Why the lifecycle could not do what it was asked for.

use std::time::Duration;

use patchbay_dispatch::HandOverError;
use patchbay_intake::signature::SignatureError;
use patchbay_intake::{InspectError, StageError, WatchError};
use patchbay_isolate::ProbeError;
use patchbay_loader::LoadError;
use patchbay_registry::RegistryError;
use patchbay_vocab::{Code, Explain, Explained, PluginName, Version};

use crate::ledger::LedgerError;

/// Why the lifecycle could not do what it was asked for: the error of the stage that refused.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// Watching.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// Staging.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Verifying the signature, or holding it against what the inspection found.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// What is remembered of trust.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Inspecting.
    #[error(transparent)]
    Inspect(InspectError),
    /// Probing.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// Loading.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Registering or routing.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Handing state over.
    #[error(transparent)]
    State(#[from] HandOverError),
    /// A thread could not be started.
    #[error("a thread of the host could not be started")]
    Thread(#[source] std::io::Error),
    /// Another change of the plugin does not end.
    #[error("another change of `{plugin}` is under way and did not end within {} ms", waited.as_millis())]
    Busy {
        /// The plugin.
        plugin: PluginName,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Two versions at once would each have a state of their own.
    #[error("`{plugin}` {version} keeps state, so no two versions of it can serve at once")]
    KeepsState {
        /// The plugin.
        plugin: PluginName,
        /// The version that does.
        version: Version,
    },
    /// Nothing can take over.
    #[error("no other version of `{plugin}` can take over")]
    NoFallback {
        /// The plugin.
        plugin: PluginName,
    },
    /// The folder for a check could not be made.
    #[error("the temporary folder for the check cannot be made")]
    Scratch(#[source] std::io::Error),
}

impl From<InspectError> for LifecycleError {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Signature(error) => Self::Signature(error),
            error => Self::Inspect(error),
        }
    }
}

impl LifecycleError {
    /// Whether it is only too early: for other plugins, or for calls to end.
    #[must_use]
    pub const fn waits(&self) -> bool {
        match self {
            Self::Registry(error) => error.waits_for_others(),
            Self::State(error) => error.is_transient(),
            Self::Busy { .. } => true,
            _ => false,
        }
    }

    fn stage(&self) -> Option<&dyn Explain> {
        match self {
            Self::Watch(error) => Some(error),
            Self::Stage(error) => Some(error),
            Self::Signature(error) => Some(error),
            Self::Ledger(error) => Some(error),
            Self::Inspect(error) => Some(error),
            Self::Probe(error) => Some(error),
            Self::Load(error) => Some(error),
            Self::Registry(error) => Some(error),
            Self::State(error) => Some(error),
            Self::Thread(_)
            | Self::Scratch(_)
            | Self::Busy { .. }
            | Self::KeepsState { .. }
            | Self::NoFallback { .. } => None,
        }
    }
}

impl Explain for LifecycleError {
    fn code(&self) -> Code {
        match self {
            Self::Thread(_) => Code("PB-LIFE-001"),
            Self::Scratch(_) => Code("PB-LIFE-002"),
            Self::Busy { .. } => Code("PB-LIFE-003"),
            Self::KeepsState { .. } => Code("PB-LIFE-004"),
            Self::NoFallback { .. } => Code("PB-LIFE-005"),
            _ => self.stage().map_or(Code("PB-LIFE-001"), Explain::code),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Busy { .. } => {
                "`create`, `save_state` or `load_state` of the plugin is at work for it; try again, or restart the host"
                    .to_owned()
            }
            Self::KeepsState { .. } => {
                "promote the version for everybody: the state is handed over then; replay or shadow can try its other nodes first"
                    .to_owned()
            }
            Self::NoFallback { .. } => "ship another version, or quarantine it by hand".to_owned(),
            Self::Scratch(_) => "check space and rights of the system's temporary folder".to_owned(),
            _ => self.stage().map_or_else(
                || "raise the limit on threads of this user".to_owned(),
                Explain::help,
            ),
        }
    }

    fn explained(&self) -> Explained {
        match self.stage() {
            Some(stage) => stage.explained(),
            None => Explained {
                code: self.code().0.into(),
                message: self.chain(),
                hint: self.help(),
            },
        }
    }
}
