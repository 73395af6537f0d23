//! Why delivery refuses.

use patchbay_lifecycle::LifecycleError;
use patchbay_registry::RegistryError;
use patchbay_rollout::{OrderError, PolicyError};
use patchbay_state::StateError;
use patchbay_vocab::{Code, Explain, Explained, PluginName, Version};

/// Why delivery refuses, or cannot promise that what it did is remembered.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each field is what the message names")]
pub enum DeliveryError {
    /// The policy cannot be carried out.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The order does not fit where the rollout stands.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The lifecycle refuses.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    /// It is done, and not on the disk; or the memory cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// No rollout of the plugin runs.
    #[error("no rollout of `{plugin}` is under way")]
    NoRollout { plugin: PluginName },
    /// There is no such rollout.
    #[error("there is no rollout `{id}`")]
    UnknownRollout { id: String },
    /// Another one runs.
    #[error("a rollout of `{plugin}` to {version} is under way: `{id}`")]
    Running {
        plugin: PluginName,
        version: Version,
        id: String,
    },
    /// It is live already.
    #[error("`{plugin}` {version} is live already")]
    Live { plugin: PluginName, version: Version },
    /// Nothing of the plugin is live, so that there is nothing to compare with.
    #[error("nothing of `{plugin}` is live, so there is nothing to compare {version} with")]
    NothingLive { plugin: PluginName, version: Version },
    /// Every node would act on the world a second time.
    #[error("no node of `{plugin}` can be tried by {trial}: {}", left_out.join(", "))]
    NothingToTry {
        plugin: PluginName,
        trial: &'static str,
        left_out: Vec<String>,
    },
    /// The policy is to wait for an order.
    #[error("the policy of `{plugin}` is manual: a rollout needs another one")]
    Manual { plugin: PluginName },
    /// A key stands for one order.
    #[error("the key `{key}` was used for another order, `{action}`")]
    KeyUsed { key: String, action: String },
    /// The first order under the key is not done.
    #[error("an order under the key `{key}` is under way")]
    KeyBusy { key: String },
    /// Nothing can be replayed.
    #[error("the recorded calls of `{plugin}` cannot be read: {why}")]
    NoRecords { plugin: PluginName, why: String },
    /// A thread could not be started.
    #[error("a thread of the host could not be started")]
    Thread(#[source] std::io::Error),
}

impl From<RegistryError> for DeliveryError {
    fn from(error: RegistryError) -> Self {
        Self::Lifecycle(error.into())
    }
}

impl DeliveryError {
    /// Whether it is only too early: for other plugins, or for another change to end.
    #[must_use]
    pub const fn waits(&self) -> bool {
        match self {
            Self::Lifecycle(error) => error.waits(),
            _ => false,
        }
    }

    fn stage(&self) -> Option<&dyn Explain> {
        match self {
            Self::Policy(error) => Some(error),
            Self::Order(error) => Some(error),
            Self::Lifecycle(error) => Some(error),
            Self::State(error) => Some(error),
            _ => None,
        }
    }
}

impl Explain for DeliveryError {
    fn code(&self) -> Code {
        match self {
            Self::NoRollout { .. } => Code("PB-DELIVERY-001"),
            Self::UnknownRollout { .. } => Code("PB-DELIVERY-002"),
            Self::Running { .. } => Code("PB-DELIVERY-003"),
            Self::Live { .. } => Code("PB-DELIVERY-004"),
            Self::NothingLive { .. } => Code("PB-DELIVERY-005"),
            Self::NothingToTry { .. } => Code("PB-DELIVERY-006"),
            Self::Manual { .. } => Code("PB-DELIVERY-007"),
            Self::KeyUsed { .. } => Code("PB-DELIVERY-008"),
            Self::NoRecords { .. } => Code("PB-DELIVERY-009"),
            Self::KeyBusy { .. } => Code("PB-DELIVERY-011"),
            _ => self.stage().map_or(Code("PB-DELIVERY-010"), Explain::code),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::NoRollout { plugin } => {
                format!(
                    "see `patchbay rollout status --all`, or start one with `patchbay rollout start {plugin} VERSION`"
                )
            }
            Self::UnknownRollout { .. } => "see `patchbay rollout status --all` for those there are".into(),
            Self::Running { plugin, .. } => {
                format!("wait for its end, or end it with `patchbay rollout abort {plugin}`")
            }
            Self::Live { plugin, .. } => {
                format!("name another version; `patchbay plugins {plugin}` lists them")
            }
            Self::NothingLive { plugin, version } => {
                format!("make it live at once: `patchbay promote {plugin} {version}`")
            }
            Self::NothingToTry { .. } => {
                "roll it out by canary: nodes that act on the world or keep state are not called twice".into()
            }
            Self::Manual { .. } => "say how: --immediate, --canary, --shadow or --replay".into(),
            Self::KeyUsed { .. } => "take a fresh key for each order".into(),
            Self::NoRecords { .. } => {
                "look at the journal with `patchbay doctor`, or roll it out by canary".into()
            }
            _ => self
                .stage()
                .map_or_else(|| "raise the limit on threads of this user".into(), Explain::help),
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
