//! Rollouts: how a version gets its calls, step by step, and what was seen on the way.

use patchbay_vocab::{NodeType, PluginName, RevisionNumber, TenantId, UnixMillis, Version, WorkflowId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::change::RevisionRef;
use crate::problem::ProblemView;
use crate::run::WorkflowFindingView;

/// An order to plan or to start a rollout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutRequest {
    /// What is rolled out: a revision (`r3` or `3`) or a version (`1.2.0`).
    #[schema(example = "1.3.0")]
    pub to: String,
    /// How; the plugin's own policy when it is left out. Described in `rollouts.md`.
    #[serde(default)]
    #[schema(value_type = Option<Object>, example = json!({"canary": {"steps": [5, 25, 50]}}))]
    pub policy: Option<serde_json::Value>,
    /// Why; kept in the history and in the audit.
    #[serde(default)]
    pub reason: Option<String>,
    /// Overrides the refusals that may be overridden: a quarantine, a dependent that would break.
    #[serde(default)]
    pub force: bool,
}

/// An order about a rollout that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutOrder {
    /// Why; kept in the history and in the audit.
    #[serde(default)]
    pub reason: Option<String>,
    /// Of a promotion: whether to leave out the steps that are left, and go live now.
    #[serde(default)]
    pub full: bool,
}

/// A rollout: one attempt to bring a revision live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutView {
    /// Its id.
    #[schema(example = "string-3")]
    pub id: String,
    /// The plugin.
    #[schema(value_type = String, example = "string")]
    pub plugin: PluginName,
    /// What is live while it runs, the stable revision; null when there was none.
    pub from: Option<RevisionRef>,
    /// What is rolled out, the candidate.
    pub to: RevisionRef,
    /// How.
    #[schema(value_type = Object)]
    pub policy: serde_json::Value,
    /// Where it stands: `replaying`, `shadowing`, `stepping`, `paused`, `baking`, `promoted`, `aborted`, `failed`.
    #[schema(example = "stepping")]
    pub phase: String,
    /// Whether it has come to its end.
    pub finished: bool,
    /// In words: what it waits for, or why it ended as it did.
    pub message: String,
    /// The step of a canary, counted from 1; null outside of one.
    pub step: Option<u32>,
    /// How many steps there are.
    pub steps: u32,
    /// The share of calls that the candidate receives, in percent.
    pub weight: f64,
    /// Node types that shadow and replay leave out, and why.
    pub left_out: Vec<LeftOutView>,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub started_at: UnixMillis,
    /// When it changed last.
    #[schema(value_type = u64)]
    pub changed_at: UnixMillis,
    /// When it goes on by itself; null when it waits for somebody or something.
    #[schema(value_type = Option<u64>)]
    pub next_at: Option<UnixMillis>,
    /// Who ordered it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// What was measured and decided, oldest first; of a listing the last entry alone.
    pub evidence: Vec<EvidenceView>,
    /// Whether the order that this answers has changed anything; an order that is repeated has not.
    #[serde(default)]
    pub changed: bool,
}

/// A node type that is not tried, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftOutView {
    /// The node type.
    #[schema(value_type = String, example = "http.request")]
    pub node_type: NodeType,
    /// Why.
    pub why: String,
}

/// What was seen during a rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceView {
    /// When, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub at: UnixMillis,
    /// What: `check`, `decision` or `difference`.
    #[schema(example = "check")]
    pub kind: String,
    /// As it was stored.
    #[schema(value_type = Object)]
    pub body: serde_json::Value,
}

/// What a rollout would change, and for whom; nothing was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutPlanView {
    /// The plugin.
    #[schema(value_type = String, example = "string")]
    pub plugin: PluginName,
    /// What is live now.
    pub from: Option<RevisionRef>,
    /// What would be rolled out.
    pub to: RevisionRef,
    /// How.
    #[schema(value_type = Object)]
    pub policy: serde_json::Value,
    /// In words, what would happen, step by step.
    pub steps: Vec<String>,
    /// Whether it could be started now.
    pub allowed: bool,
    /// Why it could not be; null when it could.
    pub refusal: Option<ProblemView>,
    /// Tenants that would see it.
    #[schema(value_type = Vec<String>)]
    pub tenants: Vec<TenantId>,
    /// Workflows that use a node of the plugin.
    pub workflows: Vec<TouchedWorkflowView>,
    /// Live plugins that depend on it, and whether they could go on.
    pub dependents: Vec<DependentView>,
    /// Pins that hold somebody where he is.
    pub pins: Vec<PinView>,
    /// How the node types differ.
    pub changes: Vec<SchemaChangeView>,
    /// Node types that shadow and replay would leave out, and why.
    pub left_out: Vec<LeftOutView>,
}

/// A stored workflow that uses a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TouchedWorkflowView {
    /// Its id.
    #[schema(value_type = String)]
    pub workflow_id: WorkflowId,
    /// Its name.
    pub name: String,
    /// Whose it is; null when it says nothing.
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// Its nodes that call the plugin.
    pub nodes: Vec<String>,
    /// What would be wrong with it on the new version, and is not on the present one.
    pub new_findings: Vec<WorkflowFindingView>,
}

/// A plugin that depends on another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DependentView {
    /// The plugin that depends.
    #[schema(value_type = String)]
    pub plugin: PluginName,
    /// The versions that it needs.
    pub range: String,
    /// Whether the new version is none of them.
    pub breaks: bool,
}

/// A difference between the node types of two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchemaChangeView {
    /// The node type.
    pub node_type: String,
    /// Where, such as `parameters.separator`; empty for the node itself.
    pub path: String,
    /// What kind of change, such as `becameRequired`.
    #[schema(example = "becameRequired")]
    pub kind: String,
    /// Whether what worked before can fail because of it.
    pub breaking: bool,
    /// In words.
    pub message: String,
}

/// How a plugin's versions go live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    /// The plugin.
    #[schema(value_type = String, example = "string")]
    pub plugin: PluginName,
    /// The policy that holds.
    #[schema(value_type = Object)]
    pub policy: serde_json::Value,
    /// Where it comes from: `api`, `file` or `default`.
    #[schema(example = "file")]
    pub source: String,
}

/// An order to set a plugin's policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyRequest {
    /// The policy; null, which has to be there, to go back to the one of the configuration.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<Object>)]
    pub policy: Option<serde_json::Value>,
    /// Why; kept in the audit.
    #[serde(default)]
    pub reason: Option<String>,
}

/// An order to hold somebody at a revision, or to let go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PinRequest {
    /// The revision (`r3` or `3`) or version (`1.2.0`); left out to unpin.
    #[serde(default)]
    #[schema(example = "1.2.0")]
    pub to: Option<String>,
    /// Whose calls and runs; everybody's when it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// Which workflow's runs; all of them, and calls outside of runs, when it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub workflow: Option<WorkflowId>,
    /// Why; kept in the audit.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Somebody is held at a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PinView {
    /// The plugin.
    #[schema(value_type = String, example = "string")]
    pub plugin: PluginName,
    /// Whose calls and runs; null for everybody's.
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// Which workflow's runs; null for all of them.
    #[schema(value_type = Option<String>)]
    pub workflow: Option<WorkflowId>,
    /// Where it is held.
    pub to: RevisionRef,
    /// Who ordered it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub at: UnixMillis,
}

/// What a pin, or its end, has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PinnedView {
    /// The pin as it is now; null when there is none any more.
    pub pin: Option<PinView>,
    /// Where it held before; null when it did not.
    pub before: Option<RevisionRef>,
    /// Whether anything changed; an order that is repeated changes nothing.
    pub changed: bool,
}

/// A version that a breaker has taken out of service, or would if there were another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuarantinedView {
    /// The plugin.
    #[schema(value_type = String)]
    pub plugin: PluginName,
    /// The revision.
    #[schema(value_type = u64)]
    pub revision: RevisionNumber,
    /// Its version.
    #[schema(value_type = String)]
    pub version: Version,
    /// When, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub at: UnixMillis,
    /// Who ordered it; `breaker` for the host itself.
    pub actor: String,
    /// Why.
    pub reason: String,
}
