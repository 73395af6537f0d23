//! Changes of what is live: asked for, done, and remembered.

use patchbay_vocab::{PluginName, RevisionNumber, UnixMillis, Version};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::trust::SignerView;

/// An order to promote, roll back or quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeRequest {
    /// A revision (`r3` or `3`) or a version (`1.2.0`). Promoting needs it; a rollback without it goes to the version
    /// that was live before, a quarantine without it takes the live one.
    #[serde(default)]
    #[schema(example = "1.2.0")]
    pub to: Option<String>,
    /// Why; kept in the history.
    #[serde(default)]
    pub reason: Option<String>,
    /// Overrides the refusals that may be overridden: a quarantine, a dependent that would break. State is not handed
    /// over then.
    #[serde(default)]
    pub force: bool,
}

/// One revision, named both ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionRef {
    /// Its number.
    #[schema(value_type = u64)]
    pub revision: RevisionNumber,
    /// Its version.
    #[schema(value_type = String, example = "1.2.0")]
    pub version: Version,
}

/// A change that is done: every call that begins after it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SwapView {
    /// The plugin that was changed.
    #[schema(value_type = String, example = "string")]
    pub plugin: PluginName,
    /// What received the calls before, null when nothing did; for a quarantine, what was taken out of service.
    pub from: Option<RevisionRef>,
    /// What took over; null when nothing did.
    pub to: Option<RevisionRef>,
    /// The generation of the routing since the change.
    pub generation: u64,
    /// How long the swap itself took, in microseconds; null when it was not measured.
    pub micros: Option<u64>,
    /// The state that was handed over before the swap; null when the version before keeps none, or it was given up.
    #[serde(default)]
    pub state: Option<HandedOverView>,
}

/// State that went from one version to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HandedOverView {
    /// Instances whose state the new version has now.
    pub instances: u64,
    /// Instances of node types that the new version does not have; what they know stays with the old version, for a
    /// rollback, while that is loaded.
    pub dropped: u64,
    /// Bytes of encoded state.
    pub bytes: u64,
    /// How long calls of stateful nodes had to wait, in microseconds.
    pub paused_micros: u64,
}

/// One line of a plugin's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryView {
    /// When, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub at: UnixMillis,
    /// The generation of the routing since then.
    pub generation: u64,
    /// What happened: `admitted`, `promoted`, `rolled-back`, `fell-back`, `quarantined`, `released`, `removed`, `retired`,
    /// `pinned`, `unpinned`, `weighted`, `unweighted`, `forgotten`.
    #[schema(example = "promoted")]
    pub action: String,
    /// To which revision.
    #[schema(value_type = u64)]
    pub revision: RevisionNumber,
    /// Its version.
    #[schema(value_type = String, example = "1.2.0")]
    pub version: Version,
    /// Who signed that version; null for an unsigned one.
    pub signed_by: Option<SignerView>,
    /// The revision it replaced.
    #[schema(value_type = Option<u64>)]
    pub from_revision: Option<RevisionNumber>,
    /// Who asked for it.
    pub actor: String,
    /// Why.
    pub reason: String,
}
