//! What the journal answers.

use std::fmt;
use std::sync::Arc;

use patchbay_vocab::{
    Digest, NodeId, PluginName, RevisionNumber, RunId, TenantId, UnixMillis, Version, WorkflowId,
};
use plugin_api::value::{Value, ValueError};

use crate::record::{Metrics, NodeError, NodeRecovery, NodeStatus, Replay, RunError, RunStatus, TriggerKind};

/// A value as the database keeps it: JSON text. Byte strings are base64 text in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(pub(crate) Box<str>);

impl Json {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value. Fails when somebody else wrote it.
    pub fn to_value(&self) -> Result<Value, ValueError> {
        Value::from_json(&self.0)
    }

    /// How many bytes the value had, when it was too long and is not there.
    #[must_use]
    pub fn cut(&self) -> Option<u64> {
        let digits = self.0.strip_prefix(r#"{"$cut":{"bytes":"#)?.strip_suffix("}}")?;
        digits.parse().ok()
    }
}

/// The text as it is: whether it is JSON is seen by whoever asks for the value.
impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which runs are asked for; what is not set does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Runs of this workflow.
    pub workflow: Option<WorkflowId>,
    /// Runs of this tenant.
    pub tenant: Option<TenantId>,
    /// Runs that stand so.
    pub status: Option<RunStatus>,
    /// Runs that this run called.
    pub parent: Option<RunId>,
    /// Runs that began at this time or later.
    pub since: Option<UnixMillis>,
    /// Runs that began before this time.
    pub until: Option<UnixMillis>,
    /// Runs that come after this one in the list: the cursor of the last run of the page before.
    pub before: Option<RunCursor>,
    /// How many at most: 1 to 1,000; 0 stands for 50.
    pub limit: u32,
}

/// A place in the list of runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunCursor {
    /// When the run at this place began.
    pub started_at: UnixMillis,
    /// Which it is.
    pub id: RunId,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// The run.
    pub id: RunId,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The workflow's name.
    pub name: Box<str>,
    /// Whose run it is.
    pub tenant: TenantId,
    /// What started it.
    pub trigger: TriggerKind,
    /// Where it stands, or how it ended.
    pub status: RunStatus,
    /// Why it did not succeed; `INTERRUPTED` when the host ended first.
    pub error: Option<RunError>,
    /// When it began.
    pub started_at: UnixMillis,
    /// How long it took, in microseconds; `None` when it did not end.
    pub micros: Option<u64>,
    /// The run that called it.
    pub parent: Option<RunId>,
    /// The run that it repeats.
    pub replay_of: Option<RunId>,
    /// How many nodes' rows it has.
    pub node_count: u64,
    /// What it counted.
    pub metrics: Metrics,
}

impl RunSummary {
    /// Where it is in the list.
    #[must_use]
    pub fn cursor(&self) -> RunCursor {
        RunCursor {
            started_at: self.started_at,
            id: self.id.clone(),
        }
    }
}

/// A run with everything that is kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRun {
    /// As it is in a list.
    pub summary: RunSummary,
    /// The hash of its document.
    pub digest: Digest,
    /// Its document.
    pub document: Arc<str>,
    /// What the trigger brought.
    pub trigger_value: Option<Json>,
    /// The variables before the first node.
    pub variables_before: Option<Json>,
    /// The variables after the last node.
    pub variables_after: Option<Json>,
    /// What it repeats.
    pub replay: Option<Replay>,
    /// The nodes in the order in which they ended.
    pub execution_order: Vec<NodeId>,
    /// What became of each node.
    pub nodes: Vec<StoredNode>,
}

/// What became of one node: [`NodeRecord`](crate::NodeRecord) as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the one of `NodeRecord`")]
pub struct StoredNode {
    pub node: NodeId,
    pub node_type: Box<str>,
    pub status: NodeStatus,
    pub plugin: Option<PluginName>,
    pub version: Option<Version>,
    pub revision: Option<RevisionNumber>,
    pub attempts: u32,
    pub retries: u32,
    pub started_micros: u64,
    pub micros: u64,
    pub input: Option<Json>,
    pub output: Option<Json>,
    pub error: Option<NodeError>,
    pub recovery: Option<NodeRecovery>,
    pub validation_errors: Vec<Box<str>>,
}
