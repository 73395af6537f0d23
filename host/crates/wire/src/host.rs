//! The host as a whole: how it is, and what happens in it.

use patchbay_vocab::{PluginName, RevisionNumber, UnixMillis, Version};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the host is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusView {
    /// The host's version.
    pub version: String,
    /// The newest plugin contract it speaks.
    #[schema(example = "1.0")]
    pub contract: String,
    /// The generation of the routing; grows by one with every swap.
    pub generation: u64,
    /// How many plugins it knows.
    pub plugins: u64,
    /// How many node types are live.
    pub nodes: u64,
    /// How many files it refused.
    pub rejected: u64,
    /// How long it has been up, in milliseconds.
    pub uptime_millis: u64,
    /// What becomes of a version that has drained.
    pub unload: UnloadMode,
    /// Whether anything goes forward by itself: `normal`, `safe` when somebody ordered that nothing does, or `recovered`
    /// when the host kept ending and began with the last good set of versions.
    #[serde(default)]
    #[schema(example = "normal")]
    pub mode: String,
    /// Rollouts that are under way.
    #[serde(default)]
    pub rollouts: u64,
    /// Why changes cannot be remembered at the moment; null when they can.
    #[serde(default)]
    pub state_trouble: Option<String>,
}

/// What becomes of a version that has drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnloadMode {
    /// It is unmapped.
    Unmap,
    /// It stays mapped: the executable has no thread hooks, unmapping would not be safe.
    KeepMapped,
}

/// Something that happened in the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    /// Grows by one with every event of this host; a gap means that events were missed.
    pub sequence: u64,
    /// When, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub at: UnixMillis,
    /// What, such as `plugin.live`, `plugin.rejected`, `revision.retired`.
    #[schema(example = "plugin.live")]
    pub kind: String,
    /// To which plugin.
    #[schema(value_type = Option<String>)]
    pub plugin: Option<PluginName>,
    /// To which version.
    #[schema(value_type = Option<String>)]
    pub version: Option<Version>,
    /// To which revision.
    #[schema(value_type = Option<u64>)]
    pub revision: Option<RevisionNumber>,
    /// In words.
    pub message: String,
    /// The stable code, when it was a failure.
    pub code: Option<String>,
}
