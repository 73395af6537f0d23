//! What was done, by whom, why; and what is kept and what is not.

use patchbay_vocab::{Digest, PluginName, RevisionNumber, TenantId, UnixMillis, Version, WorkflowId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One record of the audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditView {
    /// Grows by one with every record, from 1.
    pub seq: u64,
    /// When, in milliseconds since 1970-01-01 UTC.
    #[schema(value_type = u64)]
    pub at: UnixMillis,
    /// Who.
    pub actor: String,
    /// What, such as `plugin.promoted`, `rollout.aborted`, `pin.set`.
    #[schema(example = "plugin.promoted")]
    pub action: String,
    /// To which plugin.
    #[schema(value_type = Option<String>)]
    pub plugin: Option<PluginName>,
    /// To which revision.
    #[schema(value_type = Option<u64>)]
    pub revision: Option<RevisionNumber>,
    /// For which tenant.
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// For which workflow.
    #[schema(value_type = Option<String>)]
    pub workflow: Option<WorkflowId>,
    /// Why.
    pub reason: String,
    /// The name under which the order can be repeated without being done twice; null when it had none.
    pub key: Option<String>,
    /// More about it.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
    /// The hash of the record before it.
    pub prev: String,
    /// Its own hash.
    pub hash: String,
}

/// What a look at the whole audit gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditVerifiedView {
    /// Whether it is whole.
    pub intact: bool,
    /// How many records were read.
    pub records: u64,
    /// The hash of the last one; keep it elsewhere to be able to show later that nothing was cut off.
    pub head: String,
    /// The first record that is not what was written; null when it is whole.
    pub broken_at: Option<u64>,
    /// What is wrong with it.
    pub message: String,
}

/// An order to remove what nothing needs any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CollectRequest {
    /// Why; kept in the audit.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What was collected, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CollectedView {
    /// Whether this is what would be done, and nothing was.
    pub dry_run: bool,
    /// Bytes of all artifacts before.
    pub bytes_before: u64,
    /// Bytes of those that are gone.
    pub bytes_freed: u64,
    /// What is gone.
    pub removed: Vec<ArtifactView>,
    /// What stays, and why.
    pub kept: Vec<ArtifactView>,
}

/// A stored artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactView {
    /// The BLAKE3 hash of its bytes.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// How many those are.
    pub bytes: u64,
    /// The plugin; null for one that nothing remembers.
    #[schema(value_type = Option<String>)]
    pub plugin: Option<PluginName>,
    /// Its version.
    #[schema(value_type = Option<String>)]
    pub version: Option<Version>,
    /// Its revision.
    #[schema(value_type = Option<u64>)]
    pub revision: Option<RevisionNumber>,
    /// Why it stays, or why it goes.
    pub why: String,
}

/// What was found wrong with a data directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorView {
    /// The data directory.
    pub data: String,
    /// Whether a host can serve it as it is now.
    pub healthy: bool,
    /// What was found, the worst first.
    pub findings: Vec<DoctorFindingView>,
    /// What was done about what was found; empty unless a repair was ordered. `findings` is what was there after it.
    pub repaired: Vec<DoctorRepairView>,
}

/// What came of the repair of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorRepairView {
    /// The code of the finding.
    #[schema(example = "PB-DOCTOR-003")]
    pub code: String,
    /// Whether it was mended.
    pub done: bool,
    /// What was done, or why it was not.
    pub message: String,
}

/// One thing that is wrong with a data directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorFindingView {
    /// The stable code.
    #[schema(example = "PB-DOCTOR-003")]
    pub code: String,
    /// How bad it is: `error`, `warning` or `note`.
    #[schema(example = "error")]
    pub severity: String,
    /// What is wrong, and why.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The file.
    pub path: Option<String>,
    /// Whether `--repair` mends it.
    pub repairable: bool,
}
