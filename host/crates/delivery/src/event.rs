//! What happens to rollouts, for whoever subscribes.

use patchbay_vocab::{Code, PluginName, RevisionNumber, Version};

/// Something happened to a rollout, or the host did something by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryEvent {
    /// What: `rollout.began`, `rollout.step`, `rollout.paused`, `rollout.promoted`, `rollout.aborted`, `rollout.failed`,
    /// `breaker.opened`, `host.recovered`, `host.stable`, `artifacts.collected`.
    pub kind: &'static str,
    /// To which plugin.
    pub plugin: Option<PluginName>,
    /// Which version is concerned.
    pub version: Option<Version>,
    /// Which revision.
    pub revision: Option<RevisionNumber>,
    /// In words.
    pub message: String,
    /// The stable code, when it is a failure.
    pub code: Option<Code>,
}
