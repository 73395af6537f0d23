//! What the journal is told: that a run began, and how it ended.

use std::sync::Arc;

use patchbay_vocab::{
    Digest, NodeId, PluginName, RevisionNumber, RunId, TenantId, UnixMillis, Version, WorkflowId,
};
use plugin_api::value::Value;

/// A set of words that the database spells as text.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$word_doc])* $word,)* }

        impl $name {
            /// As the database, the API and the command line spell it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$word),)*
                    _ => Err(format!("`{}` is none of {}", text.escape_debug(), [$($text),*].join(", "))),
                }
            }
        }
    };
}

words! {
    /// Where a run stands, or how it ended.
    RunStatus {
        /// It has not ended.
        Running = "running",
        /// Every node did what it was to do.
        Success = "success",
        /// A node failed it.
        Error = "error",
        /// Somebody ended it.
        Cancelled = "cancelled",
        /// Its time was over.
        Timeout = "timeout",
        /// The host ended while it ran.
        Interrupted = "interrupted",
    }
}

words! {
    /// What started a run.
    TriggerKind {
        /// Somebody asked.
        Manual = "manual",
        /// A time came.
        Schedule = "schedule",
        /// A request came.
        Webhook = "webhook",
        /// Another run called it.
        Workflow = "workflow",
        /// An earlier run is done again.
        Replay = "replay",
    }
}

words! {
    /// How a node ended.
    NodeStatus {
        /// It has an output.
        Success = "success",
        /// It failed.
        Error = "error",
        /// It was not run.
        Skipped = "skipped",
        /// The run ended before its turn came.
        Pending = "pending",
    }
}

/// What is known of a run when it begins.
#[derive(Clone, Debug)]
pub struct RunStart {
    /// The run.
    pub id: RunId,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The workflow's name, for people.
    pub name: Box<str>,
    /// The hash of the document.
    pub digest: Digest,
    /// The document. It is stored once for each digest, so that a run can be done again; share it between runs.
    pub document: Arc<str>,
    /// Whose run it is.
    pub tenant: TenantId,
    /// What started it.
    pub trigger: TriggerKind,
    /// What the trigger brought; `None` when contents are not kept.
    pub trigger_value: Option<Value>,
    /// The variables before the first node; `None` when contents are not kept.
    pub variables: Option<Value>,
    /// When it began.
    pub started_at: UnixMillis,
    /// The run that called it.
    pub parent: Option<RunId>,
    /// The earlier run that is done again.
    pub replay: Option<Replay>,
}

/// What a run repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The earlier run.
    pub of: RunId,
    /// The node from which on nodes run anew; all of them when there is none.
    pub from: Option<NodeId>,
    /// The versions that were asked for instead of those that are live.
    pub versions: Vec<(PluginName, Version)>,
}

/// A run that ended.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// What was known when it began.
    pub start: RunStart,
    /// How it ended.
    pub status: RunStatus,
    /// Why, unless it succeeded.
    pub error: Option<RunError>,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// The variables after the last node; `None` when contents are not kept.
    pub variables_after: Option<Value>,
    /// What was counted.
    pub metrics: Metrics,
    /// The nodes in the order in which they ended.
    pub execution_order: Vec<NodeId>,
    /// What became of each node.
    pub nodes: Vec<NodeRecord>,
}

/// Why a run did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    /// A stable code: `EXECUTION_ERROR`, `TIMEOUT`.
    pub code: Box<str>,
    /// What happened.
    pub message: Box<str>,
    /// The node that failed it.
    pub node: Option<NodeId>,
}

/// What a run counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is the field of that name in the record of a run"
)]
pub struct Metrics {
    pub nodes_executed: u64,
    pub success_nodes: u64,
    pub failed_nodes: u64,
    pub retried_nodes: u64,
    pub total_retries: u64,
    pub validation_failures: u64,
    pub recovery_attempts: u64,
    pub recovery_successes: u64,
}

/// What became of one node.
#[derive(Clone, Debug)]
pub struct NodeRecord {
    /// The node.
    pub node: NodeId,
    /// Its type, as the document spells it.
    pub node_type: Box<str>,
    /// How it ended.
    pub status: NodeStatus,
    /// The plugin that did it, if one did.
    pub plugin: Option<PluginName>,
    /// The plugin's version.
    pub version: Option<Version>,
    /// The plugin's revision.
    pub revision: Option<RevisionNumber>,
    /// How often it was called.
    pub attempts: u32,
    /// How often it was called again after a failure.
    pub retries: u32,
    /// When it began, in microseconds after the run did.
    pub started_micros: u64,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// Its input; `None` when it had none or contents are not kept.
    pub input: Option<Value>,
    /// Its output; `None` when it has none or contents are not kept.
    pub output: Option<Value>,
    /// Why it failed.
    pub error: Option<NodeError>,
    /// How it was recovered.
    pub recovery: Option<NodeRecovery>,
    /// What its parameters broke.
    pub validation_errors: Vec<Box<str>>,
}

/// Why a node failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeError {
    /// The class of the error: `EXECUTION_ERROR`, `TIMEOUT`.
    pub code: Box<str>,
    /// The code that the node itself gave.
    pub node_code: Option<Box<str>>,
    /// What happened.
    pub message: Box<str>,
    /// The status of the answer that it got, if it asked somebody.
    pub status_code: Option<u16>,
}

/// How a failed node was recovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRecovery {
    /// The strategy: `fallback`, `skip`, `retry`, `previousVersion`.
    pub applied: Box<str>,
    /// The node type that ran in its place.
    pub fallback_node_type: Option<Box<str>>,
}

/// What a row costs beside its texts and values.
const ROW: usize = 256;

impl RunStart {
    pub(crate) fn queue_bytes(&self) -> usize {
        // Runs of one workflow share its document, so that each counts its part.
        let share = self.document.len() / Arc::strong_count(&self.document).max(1);
        ROW + share + self.name.len() + size(self.trigger_value.as_ref()) + size(self.variables.as_ref())
    }
}

impl RunRecord {
    pub(crate) fn queue_bytes(&self) -> usize {
        let nodes: usize = self.nodes.iter().map(NodeRecord::queue_bytes).sum();
        let error = self.error.as_ref().map_or(0, |error| error.message.len());
        self.start.queue_bytes() + size(self.variables_after.as_ref()) + error + nodes
    }

    /// Replaces the values by what is written in place of those that are too long.
    pub(crate) fn drop_contents(&mut self) {
        let values = [
            &mut self.start.trigger_value,
            &mut self.start.variables,
            &mut self.variables_after,
        ];
        let of_nodes = self
            .nodes
            .iter_mut()
            .flat_map(|node| [&mut node.input, &mut node.output]);
        for value in values.into_iter().chain(of_nodes).flatten() {
            if let Ok(cut) = Value::from_json(&cut(value.as_bytes().len())) {
                *value = cut;
            }
        }
    }
}

impl NodeRecord {
    fn queue_bytes(&self) -> usize {
        let error = self.error.as_ref().map_or(0, |error| {
            error.message.len() + error.node_code.as_ref().map_or(0, |code| code.len())
        });
        let findings: usize = self.validation_errors.iter().map(|text| text.len()).sum();
        ROW + size(self.input.as_ref()) + size(self.output.as_ref()) + error + findings
    }
}

fn size(value: Option<&Value>) -> usize {
    value.map_or(0, |value| value.as_bytes().len())
}

/// What stands in place of a value that is too long.
pub(crate) fn cut(bytes: usize) -> String {
    format!(r#"{{"$cut":{{"bytes":{bytes}}}}}"#)
}
