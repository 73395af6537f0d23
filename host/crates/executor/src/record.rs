//! What is known of a node that is done, and of a run that has ended.

use std::sync::Arc;
use std::time::Duration;

use patchbay_vocab::UnixMillis;
use plugin_api::value::{Value, ValueRef};
use smallvec::SmallVec;

use crate::frame::{Frame, Slots};
use crate::prepared::Prepared;
use crate::{Failure, ServedBy};

/// An encoded value; short ones lie in place.
pub(crate) type Bytes = SmallVec<[u8; 40]>;

/// How a node ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It gave an output.
    Success,
    /// It gave none.
    Error,
    /// It was not run, or counts as such.
    Skipped,
}

impl Status {
    /// The word in results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// No node made it fail.
    Success,
    /// A node made it fail.
    Error,
    /// Somebody cancelled it.
    Cancelled,
    /// It took longer than it may.
    Timeout,
}

impl RunStatus {
    /// The word in results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
        }
    }
}

/// What few nodes have.
#[derive(Debug, Default)]
pub(crate) struct More {
    pub(crate) failure: Option<Failure>,
    pub(crate) recovery: Option<Recovered>,
    pub(crate) served_by: Option<ServedBy>,
    pub(crate) no_output: bool,
    pub(crate) delays: Vec<Duration>,
    pub(crate) validation: Vec<String>,
    /// The last round of a loop: not its frame, which holds this one.
    pub(crate) rounds: Option<(Arc<Prepared>, Slots)>,
}

/// How recovery went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Whether it gave a result.
    pub applied: bool,
    /// The node type that was called instead.
    pub fallback: Option<Box<str>>,
}

/// A node that is done.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: Status,
    pub(crate) attempts: u32,
    /// The place of the node type that answered in the plan's list; `u32::MAX` for none.
    pub(crate) served: u32,
    /// Nanoseconds after the run began.
    pub(crate) started: u64,
    pub(crate) took: u64,
    pub(crate) output: Bytes,
    /// The rendered parameters; `None` where the plan has them, or the node was not run.
    pub(crate) input: Option<Box<[u8]>>,
    pub(crate) more: Option<Box<More>>,
}

impl Done {
    pub(crate) fn skipped(at: u64) -> Self {
        Self {
            status: Status::Skipped,
            attempts: 0,
            served: u32::MAX,
            started: at,
            took: 0,
            output: Bytes::new(),
            input: None,
            more: None,
        }
    }

    pub(crate) fn output(&self) -> ValueRef<'_> {
        if self.output.is_empty() {
            ValueRef::NULL
        } else {
            ValueRef::assume_valid(&self.output)
        }
    }

    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.more.as_ref()?.failure.as_ref()
    }

    pub(crate) fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

/// The result of one node, as a record shows it.
#[derive(Debug)]
pub struct NodeResult<'r> {
    /// The node's id; inside loops the ids of the loops stand before it, joined by `/`.
    pub id: String,
    /// Its node type.
    pub node_type: &'r str,
    /// How it ended; `None` while it has not.
    pub status: Status,
    /// The output; `None` where there is none.
    pub output: Option<ValueRef<'r>>,
    /// The parameters it was called with; `None` where it was not called.
    pub input: Option<ValueRef<'r>>,
    /// Why it failed.
    pub failure: Option<&'r Failure>,
    /// How recovery went, where it was tried.
    pub recovery: Option<&'r Recovered>,
    /// Who answered.
    pub served_by: Option<&'r ServedBy>,
    /// How often it was tried.
    pub attempts: u32,
    /// Waits between the tries.
    pub delays: &'r [Duration],
    /// What a check of its parameters found.
    pub validation: &'r [String],
    /// When it began, after the run did.
    pub started: Duration,
    /// How long it took, waits between tries included.
    pub took: Duration,
}

/// Counts over the nodes of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Nodes that were run, or should have been: those that succeeded, failed or were skipped by recovery.
    pub nodes_executed: u64,
    /// Nodes that succeeded.
    pub success_nodes: u64,
    /// Nodes that failed.
    pub failed_nodes: u64,
    /// Retries (the peer counts one for each, and so does this).
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

impl Metrics {
    /// Counts what is done in a frame; its loops count their rounds themselves.
    pub(crate) fn count_all(&mut self, frame: &Frame) {
        for done in frame.slots.iter().filter_map(std::sync::OnceLock::get) {
            self.count(done);
        }
    }

    fn count(&mut self, done: &Done) {
        let more = done.more.as_deref();
        let recovery = more.and_then(|more| more.recovery.as_ref());
        let retries = u64::from(done.attempts.saturating_sub(1));
        self.retried_nodes += retries;
        self.total_retries += retries;
        if let Some(recovery) = recovery {
            self.recovery_attempts += 1;
            self.recovery_successes += u64::from(recovery.applied);
        }
        match done.status {
            Status::Success => {
                self.nodes_executed += 1;
                self.success_nodes += 1;
            }
            Status::Error => {
                self.nodes_executed += 1;
                if done.attempts == 0 && more.is_some_and(|more| !more.validation.is_empty()) {
                    self.validation_failures += 1;
                } else {
                    self.failed_nodes += 1;
                }
            }
            Status::Skipped => self.nodes_executed += u64::from(done.attempts > 0),
        }
    }
}

/// A run that has ended.
#[derive(Debug)]
pub struct Finished {
    pub(crate) frame: Arc<Frame>,
    /// How it ended.
    pub status: RunStatus,
    /// What made it fail: the node's id and its failure.
    pub error: Option<(String, Failure)>,
    /// The variables at its end.
    pub variables: Value,
    /// When it began.
    pub started_at: UnixMillis,
    /// How long it took.
    pub took: Duration,
    pub(crate) served: Box<[Option<ServedBy>]>,
    pub(crate) order: Vec<u32>,
}

impl Finished {
    /// The run and how it was asked for.
    #[must_use]
    pub fn run(&self) -> &crate::Run {
        &self.frame.run
    }

    /// What was run.
    #[must_use]
    pub fn plan(&self) -> &Arc<patchbay_workflow::Plan> {
        self.frame.prepared.plan()
    }

    /// The ids of the nodes as they were begun, once for each try.
    pub fn order(&self) -> impl Iterator<Item = &patchbay_vocab::NodeId> {
        let nodes = &self.frame.prepared.plan().nodes;
        self.order
            .iter()
            .filter_map(|node| Some(&nodes.get(*node as usize)?.id))
    }

    /// The nodes that are done, in the order of the document; those of a loop's last round after it.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeResult<'_>> {
        let mut results = Vec::with_capacity(self.frame.prepared.plan().nodes.len());
        let frame = &self.frame;
        crate::frame::results(&frame.prepared, &frame.slots, "", &self.served, &mut results);
        results
    }

    /// The output of a node of the workflow itself.
    #[must_use]
    pub fn output_of(&self, id: &str) -> Option<ValueRef<'_>> {
        let node = self.frame.prepared.find(id)?;
        Some(self.frame.done(node)?.output())
    }

    /// How a node of the workflow itself ended.
    #[must_use]
    pub fn status_of(&self, id: &str) -> Option<Status> {
        Some(self.frame.done(self.frame.prepared.find(id)?)?.status)
    }

    /// What the run as a whole gives: the output of its one last node, or a map of the last nodes' outputs by id.
    #[must_use]
    pub fn result(&self) -> Value {
        self.frame.result()
    }

    /// Whether any node failed, was tried again or was recovered.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        let mut done = self.frame.slots.iter().filter_map(std::sync::OnceLock::get);
        done.any(|done| done.more.is_some())
    }

    /// Counts over its nodes, those of every round of its loops included.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let mut metrics = *self.frame.run.rounds.lock();
        metrics.count_all(&self.frame);
        metrics
    }
}
