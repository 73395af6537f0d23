//! Runs of workflows: asking for one, and what became of it.
//!
//! Values of nodes are kept as the JSON text they are, so that maps keep the order in which their keys were written.

use std::collections::BTreeMap;

use patchbay_vocab::{
    Digest, NodeId, PluginName, RevisionNumber, RunId, TenantId, UnixMillis, Version, WorkflowId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A run to begin.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunRequest {
    /// The document; or `workflowId` of one that the host serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Json>)]
    pub workflow: Option<Box<RawValue>>,
    /// A workflow that the host serves, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub workflow_id: Option<WorkflowId>,
    /// `$json`: what triggers the run; an empty object when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Json>)]
    pub input: Option<Box<RawValue>>,
    /// Variables over the document's defaults: an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Json>)]
    pub variables: Option<Box<RawValue>>,
    /// Whose data the run may see; the document's tenant when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "acme")]
    pub tenant: Option<TenantId>,
    /// `$context.user`: who it is run for; an object with an `id`, or null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Json>)]
    pub user: Option<Box<RawValue>>,
    /// How long it may take, in milliseconds; the shorter of this and the document's limit counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Versions to run on instead of what is live: plugin to version or revision, such as `{"string": "1.3.0"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    pub versions: BTreeMap<PluginName, String>,
}

/// A run that was begun, when nobody waits for its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunBegun {
    /// Its id.
    #[schema(value_type = String)]
    pub run_id: RunId,
    /// Whether it waits for a place, since its workflow's limits are reached.
    pub queued: bool,
}

/// A run and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// Its id.
    #[schema(value_type = String)]
    pub run_id: RunId,
    /// The workflow's id.
    #[schema(value_type = String)]
    pub workflow_id: WorkflowId,
    /// The workflow's name.
    pub workflow: String,
    /// The hash of the document's text.
    #[schema(value_type = Option<String>)]
    pub digest: Option<Digest>,
    /// Whose data it saw.
    #[schema(value_type = String)]
    pub tenant: TenantId,
    /// `success`, `error`, `cancelled`, `timeout`, `running` or `interrupted`.
    pub status: String,
    /// What made it fail.
    pub error: Option<RunErrorView>,
    /// What it gave: the output of its one last node, or an object of the last nodes' outputs by id.
    #[schema(value_type = Json)]
    pub result: Box<RawValue>,
    /// The result of each node that is done, by its id; nodes of a loop's last round as `loop/node`.
    pub state: BTreeMap<String, NodeResultView>,
    /// The ids of the nodes as they were begun, once for each try.
    #[schema(value_type = Vec<String>)]
    pub execution_order: Vec<NodeId>,
    /// The variables at its end.
    #[schema(value_type = Json)]
    pub variables: Box<RawValue>,
    /// Counts over its nodes.
    pub metrics: RunMetrics,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub started_at: UnixMillis,
    /// How long it took, in milliseconds.
    pub duration: f64,
    /// What triggered it: `manual`, `schedule`, `webhook`, `replay`, `workflow`.
    pub trigger: String,
    /// The run that began it: of an outer workflow, or the one it replays.
    #[schema(value_type = Option<String>)]
    pub parent: Option<RunId>,
    /// Findings that did not keep it from running.
    #[serde(default)]
    pub warnings: Vec<WorkflowFindingView>,
}

/// What made a run fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunErrorView {
    /// The node, after those of the loops it is in.
    pub node: Option<String>,
    /// The kind of failure, such as `EXECUTION_ERROR`.
    pub code: String,
    /// What happened.
    pub message: String,
}

/// The result of one node.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeResultView {
    /// `success`, `error`, `skipped` or `pending`.
    pub status: String,
    /// The node type.
    pub node_type: String,
    /// The output; left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Json>)]
    pub output: Option<Box<RawValue>>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The kind of failure, or the node's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The node's own code, where `errorCode` is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_error_code: Option<String>,
    /// HTTP-like status of the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub timestamp: UnixMillis,
    /// How long it took, in milliseconds, waits between tries included.
    pub duration: f64,
    /// Tries after the first.
    pub retries: u32,
    /// Tries; 0 when it was not called.
    pub attempts: u32,
    /// Waits between the tries, in milliseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delays_ms: Vec<u64>,
    /// The parameters it was called with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Json>)]
    pub input_data: Option<Box<RawValue>>,
    /// Whether recovery gave the result; left out where none was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_applied: Option<bool>,
    /// The node type that was called instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_node_type: Option<String>,
    /// What a check of its parameters found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation_errors: Vec<String>,
    /// The plugin that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub plugin: Option<PluginName>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub version: Option<Version>,
    /// The revision of that version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub revision: Option<RevisionNumber>,
}

/// Counts over the nodes of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunMetrics {
    /// Nodes that were run, or failed before they could be.
    pub nodes_executed: u64,
    /// Nodes that succeeded.
    pub success_nodes: u64,
    /// Nodes that failed.
    pub failed_nodes: u64,
    /// Retries.
    pub retried_nodes: u64,
    /// Retries.
    pub total_retries: u64,
    /// Nodes that were not called, because their type or parameters are wrong.
    pub validation_failures: u64,
    /// Nodes for which recovery was tried.
    pub recovery_attempts: u64,
    /// Nodes for which it gave a result.
    pub recovery_successes: u64,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunSummaryView {
    /// Its id.
    #[schema(value_type = String)]
    pub run_id: RunId,
    /// The workflow's id.
    #[schema(value_type = String)]
    pub workflow_id: WorkflowId,
    /// The workflow's name.
    pub workflow: String,
    /// Whose data it saw.
    #[schema(value_type = String)]
    pub tenant: TenantId,
    /// `success`, `error`, `cancelled`, `timeout`, `running`, `queued` or `interrupted`.
    pub status: String,
    /// What made it fail.
    pub error: Option<RunErrorView>,
    /// When it began.
    #[schema(value_type = u64)]
    pub started_at: UnixMillis,
    /// How long it took, in milliseconds; so far, while it runs.
    pub duration: f64,
    /// Nodes that were run.
    pub nodes_executed: u64,
    /// What triggered it.
    pub trigger: String,
    /// The run that began it.
    #[schema(value_type = Option<String>)]
    pub parent: Option<RunId>,
}

/// Runs, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunListView {
    /// This page.
    pub runs: Vec<RunSummaryView>,
    /// What to ask for the next page with; null when there is none.
    pub next: Option<String>,
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunEventView {
    /// The run.
    #[schema(value_type = String)]
    pub run_id: RunId,
    /// `node.started`, `node.succeeded`, `node.failed`, `node.retrying`, `node.skipped`, `loop.round`, `run.ended`.
    pub kind: String,
    /// The node, after those of the loops it is in; null for the run itself.
    pub node: Option<String>,
    /// How long it took, or waits, in milliseconds.
    pub millis: Option<f64>,
    /// The kind of failure.
    pub code: Option<String>,
    /// What happened, for people.
    pub message: String,
}

/// Something wrong, or odd, with a workflow document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowFindingView {
    /// Its stable code, such as `CYCLE`.
    pub code: String,
    /// `error` or `warning`.
    pub level: String,
    /// Where, such as `nodes[1].parameters.value`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The node it is about.
    pub node: Option<String>,
}

/// What a document was found to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidateView {
    /// Whether it can be run.
    pub valid: bool,
    /// The workflow's id, where it has one.
    #[schema(value_type = Option<String>)]
    pub workflow_id: Option<WorkflowId>,
    /// Its name.
    pub workflow: String,
    /// How many nodes it has.
    pub nodes: u64,
    /// How many errors.
    pub errors: u64,
    /// How many warnings.
    pub warnings: u64,
    /// All of them, in the order of the document.
    pub findings: Vec<WorkflowFindingView>,
}

/// A replay to begin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplayRequest {
    /// Where to begin: what came before is taken from the run. From the start when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Versions to run on instead of what is live.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    pub versions: BTreeMap<PluginName, String>,
}

/// A replay beside the run it replays.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayView {
    /// The run that was replayed.
    #[schema(value_type = String)]
    pub original: RunId,
    /// The new run.
    pub run: RunView,
    /// Whether every node that both ran ended the same way with the same output.
    pub same: bool,
    /// Nodes of the replay that did something to the world, and so did it again.
    pub effectful: Vec<String>,
    /// Where they differ.
    pub differences: Vec<DifferenceView>,
}

/// One place where a replay differs from its original.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DifferenceView {
    /// The node.
    pub node: String,
    /// Where in its output, as a JSON pointer; empty for the whole. `status` is told in `what`.
    pub pointer: String,
    /// `status`, `output`, `missing` or `new`.
    pub what: String,
    /// In the original.
    #[schema(value_type = Json)]
    pub before: Json,
    /// In the replay.
    #[schema(value_type = Json)]
    pub after: Json,
    /// The version that answered in the original.
    #[schema(value_type = Option<String>)]
    pub version_before: Option<Version>,
    /// The version that answered in the replay.
    #[schema(value_type = Option<String>)]
    pub version_after: Option<Version>,
}

/// A workflow that the host serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowView {
    /// Its id.
    #[schema(value_type = String)]
    pub workflow_id: WorkflowId,
    /// Its name.
    pub name: String,
    /// Its tenant.
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// The file it comes from.
    pub file: String,
    /// Whether its triggers start it.
    pub active: bool,
    /// Whether it can be run.
    pub valid: bool,
    /// How many nodes it has.
    pub nodes: u64,
    /// What starts it.
    pub triggers: Vec<TriggerView>,
    /// What is wrong, or odd, with it.
    pub findings: Vec<WorkflowFindingView>,
}

/// What starts a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TriggerView {
    /// `manual`, `schedule`, `webhook`, or what the document says.
    pub kind: String,
    /// The node where its runs begin.
    #[schema(value_type = String)]
    pub node: NodeId,
    /// Whether it starts runs.
    pub enabled: bool,
    /// The schedule, or the webhook's address.
    pub detail: String,
    /// When a schedule comes next.
    #[schema(value_type = Option<u64>)]
    pub next_at: Option<UnixMillis>,
}

/// How often a kind of failure came, and how recovery went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailureCountView {
    /// The kind of failure, or the node's own code; `RECOVERED` for nodes that recovery saved.
    pub code: String,
    /// The node type.
    pub node_type: String,
    /// The plugin that was called.
    #[schema(value_type = Option<String>)]
    pub plugin: Option<PluginName>,
    /// Its version.
    #[schema(value_type = Option<String>)]
    pub version: Option<Version>,
    /// Nodes that failed for good.
    pub count: u64,
    /// Nodes for which recovery was tried.
    pub recovery_attempts: u64,
    /// Nodes for which it gave a result.
    pub recovery_successes: u64,
    /// How long those nodes took from their first try to that result, on the mean, in milliseconds.
    pub mean_recovery_ms: Option<f64>,
}
