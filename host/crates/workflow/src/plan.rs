//! What an executor runs: a document with everything resolved that does not change from run to run.
//!
//! Invariant: every index in a plan is in range, `edges` of a node are one slice in the order in which they fire, and
//! the graph of a plan has no cycle: the body of a loop is a plan of its own.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use patchbay_expression::{Expression, Template};
use patchbay_vocab::{NodeId, TenantId, WorkflowId};
use plugin_api::value::Value;

use crate::VersionRange;

/// A place in [`Plan::node_types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeIndex(pub u32);

/// A workflow, ready to be run many times.
#[derive(Debug)]
pub struct Plan {
    /// The document's id; its name when it has none.
    pub id: WorkflowId,
    /// For people.
    pub name: String,
    /// The tenant that the document is of.
    pub tenant: Option<TenantId>,
    /// `$workflow` without its variables, encoded.
    pub about: Value,
    /// Whether it may be started by its triggers.
    pub active: bool,
    /// In the order of the document.
    pub nodes: Box<[PlanNode]>,
    /// Grouped by the node they leave.
    pub edges: Box<[Edge]>,
    /// Where a run begins when no trigger says otherwise, in order.
    pub starts: Box<[u32]>,
    /// What may start it.
    pub triggers: Box<[Trigger]>,
    /// Every node type that a run may call, fallbacks included; each once. The plans within this one share it.
    pub node_types: Arc<[Box<str>]>,
    /// Which versions the nodes ask for, in the order of the document. The plans within this one share it.
    pub ranges: Arc<[VersionRange]>,
    /// The variables a run begins with: a map of their defaults.
    pub variables: Value,
    /// Names of the variables that a run has to be given: they are required, and have no default.
    pub required_variables: Box<[Box<str>]>,
    /// What a run may take.
    pub limits: Limits,
    /// How often it may run.
    pub rate: Option<RateLimit>,
    /// Which runs are kept, with what.
    pub save: SavePolicy,
    /// Paths and ids to find a node by name: ids first, then names.
    pub names: Box<[(Box<str>, u32)]>,
}

/// One node of a plan.
#[derive(Debug)]
pub struct PlanNode {
    /// What the document calls it.
    pub id: NodeId,
    /// For people.
    pub name: Box<str>,
    /// The node type as the document spells it.
    pub node_type: Box<str>,
    /// What running it means.
    pub work: Work,
    /// Its parameters.
    pub input: Template,
    /// Its edges in [`Plan::edges`].
    pub edges: Range<u32>,
    /// How many edges lead to it.
    pub incoming: u32,
    /// What happens when it fails; most nodes share one.
    pub policy: Arc<Policy>,
    /// Not run; its input passes through.
    pub disabled: bool,
    /// Skipped when a node before it failed.
    pub skip_on_fail: bool,
    /// Null becomes an empty map.
    pub always_output: bool,
}

/// What running a node means.
#[derive(Debug)]
pub enum Work {
    /// A call of a plugin's node.
    Call(TypeIndex),
    /// The start of a run: gives on what triggered it.
    Trigger,
    /// Runs a body again and again.
    Loop(Box<Loop>),
    /// Runs another workflow.
    SubWorkflow(Box<SubWorkflow>),
}

/// A loop and its body. The node's parameters, rendered once before the first round, say what it goes over:
/// `items` (a list, one round for each) or `count`, at most `maxIterations` rounds; output `{results, count}` on
/// output 0 when it is done. The body sees `$item`, `$index` and `$value`.
#[derive(Debug)]
pub struct Loop {
    /// One round.
    pub body: Arc<Plan>,
    /// Looked at after each round, which it sees as the body's nodes do; true ends the loop.
    pub until: Option<Expression>,
    /// Looked at before each round; false ends the loop.
    pub while_: Option<Expression>,
    /// More rounds than this are an error, whatever the parameters say.
    pub bound: u32,
}

/// Another workflow, run as one node: parameters `workflowId` or `workflow`, and `input` for its trigger data.
#[derive(Debug)]
pub struct SubWorkflow {
    /// The plan, when the document brings it.
    pub inline: Option<Arc<Plan>>,
}

/// Which way an edge leaves a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// After success.
    Main,
    /// After failure.
    Error,
}

/// From one node to another.
#[derive(Debug)]
pub struct Edge {
    /// Where it leads.
    pub to: u32,
    /// When it fires.
    pub port: Port,
    /// The output it leaves by.
    pub output: u16,
    /// The input it arrives at.
    pub input: u16,
    /// Fires only when this is truthy.
    pub condition: Option<Box<Expression>>,
}

/// What happens when a node fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How often and when it is tried again.
    pub retry: Retry,
    /// What is done after the last try.
    pub recovery: Option<Recovery>,
    /// Then.
    pub on_error: OnError,
    /// How long one try may take.
    pub timeout: Option<Duration>,
}

/// How often and when a node is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// Tries in all; 1 at the least.
    pub tries: u32,
    /// How the wait grows.
    pub backoff: Backoff,
    /// The first wait's unit.
    pub initial: Duration,
    /// The longest wait.
    pub most: Duration,
    /// Overrides the growing wait.
    pub fixed: Option<Duration>,
    /// Adds up to this share of the wait, at random; 0 for none.
    pub jitter: f64,
    /// Codes of errors that are tried again.
    pub codes: Box<[Box<str>]>,
    /// HTTP-like statuses that are tried again.
    pub statuses: Box<[u16]>,
}

impl Retry {
    /// How long to wait before retry `k` (1 for the first), without jitter: linear `initial * (k + 1)`, exponential
    /// `initial * 2^k`, fibonacci `initial * F(k)`; at most [`Retry::most`].
    #[must_use]
    pub fn delay(&self, k: u32) -> Duration {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        let factor = match self.backoff {
            Backoff::Linear => k.saturating_add(1),
            Backoff::Exponential => 1_u32.checked_shl(k).unwrap_or(u32::MAX),
            Backoff::Fibonacci => {
                let (mut a, mut b) = (0_u32, 1_u32);
                for _ in 0..k.min(64) {
                    (a, b) = (b, a.saturating_add(b));
                }
                a
            }
        };
        self.initial.saturating_mul(factor).min(self.most)
    }
}

/// How the wait between tries grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// By the same step.
    Linear,
    /// Twofold.
    Exponential,
    /// As the Fibonacci numbers.
    Fibonacci,
}

/// What is done after the last try of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Recovery {
    /// Another node type gets the same parameters; `None` when the document names none.
    Fallback(Option<TypeIndex>),
    /// The version of the plugin that was live before gets the same parameters.
    PreviousVersion,
    /// The node counts as skipped.
    Skip {
        /// Whether it has an empty map as output.
        partial_output: bool,
    },
    /// More tries.
    Retry {
        /// How many.
        tries: u32,
        /// How long to wait before each.
        delay: Duration,
    },
    /// Nothing.
    Fail,
}

/// What a failed node means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// Nothing new starts.
    Stop,
    /// The edges of the main port fire, with an empty map.
    ContinueRegular,
    /// The edges of the error port fire.
    ContinueError,
    /// The node counts as skipped, and the edges of the main port fire.
    Skip,
}

/// What a run may take.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    /// How long.
    pub time: Option<Duration>,
    /// How many executions of nodes, tries and rounds included.
    pub executions: Option<u64>,
    /// Bytes of one node's output.
    pub output_bytes: Option<u64>,
    /// Bytes of all outputs together.
    pub total_bytes: Option<u64>,
    /// Items of a list that a node gives.
    pub array_items: Option<u64>,
    /// Runs of this workflow at once.
    pub concurrent_runs: Option<u32>,
    /// Nodes of one run at once.
    pub concurrent_nodes: Option<u32>,
}

/// How often a workflow may run.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimit {
    /// This many runs
    pub requests: u32,
    /// in so long.
    pub window: Duration,
    /// What is counted apart: `tenant`, `user`, `workflow`, or an expression's text.
    pub key: String,
    /// What happens to a run that is too much.
    pub when_limited: WhenLimited,
}

/// What happens to a run over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenLimited {
    /// It waits for its turn.
    Queue,
    /// It is refused.
    Reject,
}

/// Which runs are kept, with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavePolicy {
    /// Whether a run that succeeded is kept.
    pub success: bool,
    /// Whether a run that failed is kept.
    pub failure: bool,
    /// Whether inputs and outputs are kept with it.
    pub contents: bool,
}

/// What may start a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Where a run that it starts begins.
    pub node: u32,
    /// How it starts one.
    pub kind: TriggerKind,
    /// Whether it does.
    pub enabled: bool,
}

/// How a trigger starts a run.
#[derive(Debug, Clone, PartialEq)]
pub enum TriggerKind {
    /// Somebody asks.
    Manual,
    /// A time comes.
    Schedule {
        /// When: five or six fields, as cron has them.
        cron: String,
        /// Whose wall clock: a name such as `Europe/Berlin`.
        timezone: String,
    },
    /// A request comes.
    Webhook {
        /// The path below `/api/v1/hooks/`.
        path: String,
        /// Upper-case methods that it takes.
        methods: Vec<String>,
    },
    /// Something that this host does not know; never starts a run.
    Other(String),
}
