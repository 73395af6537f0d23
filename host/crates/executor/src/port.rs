//! What the executor needs of a host. It knows no plugins: who implements these ports does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use patchbay_vocab::{NodeId, PluginName, RevisionNumber, RunId, TenantId, Version};
use patchbay_workflow::TypeIndex;
use plugin_api::value::{Value, ValueRef};

use crate::{Failure, Prepared};

pub use plugin_api::shim::host::HostSink as Output;

/// A future that is sent to where futures run.
pub type Task<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

/// What a node type is like, as far as scheduling goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Runs on the caller's thread and touches nothing else.
    Pure,
    /// Runs on the caller's thread and may wait for something.
    Blocking,
    /// Is polled.
    Async,
    /// Nothing has it.
    Unknown,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedBy {
    /// The plugin.
    pub plugin: PluginName,
    /// Its version.
    pub version: Version,
    /// The revision of that version.
    pub revision: RevisionNumber,
}

/// Who calls, and how.
#[derive(Clone, Copy, Debug)]
pub struct NodeCall<'c> {
    /// Whose data the call may see.
    pub tenant: &'c TenantId,
    /// The run.
    pub run: &'c RunId,
    /// The node of the workflow.
    pub node: &'c NodeId,
    /// How long it may take; the node's own limit when `None`.
    pub timeout: Option<Duration>,
    /// Other than 0 when the run was cancelled.
    pub cancel: &'c Arc<AtomicU32>,
}

/// What an executing node may ask of its workflow.
pub trait Callbacks: Send + Sync {
    /// What arrived at an input: a list of values in the order of the edges.
    fn inputs(&self, input: u32) -> Option<Value>;
    /// Names an output that fires; all do when none is named.
    fn select_output(&self, output: u32);
    /// Evaluates an expression over the run, with more names bound.
    ///
    /// # Errors
    /// Why there is no value.
    fn evaluate(&self, expression: &str, bindings: ValueRef<'_>) -> Result<Value, Failure>;
    /// Renders a template over the run, with more names bound.
    ///
    /// # Errors
    /// Why there is no value.
    fn render(&self, template: ValueRef<'_>, bindings: ValueRef<'_>) -> Result<Value, Failure>;
}

/// The variables of a run: one store, which nodes write and expressions read.
pub trait Board: Send + Sync {
    /// One of them.
    fn get(&self, name: &str) -> Option<Value>;
    /// All of them, as a map.
    fn all(&self) -> Value;
}

/// What a run holds of the host while it lasts: every node type of its plan, at one version each.
pub trait Hold: Send + Sync + 'static {
    /// What a node type is like.
    fn nature(&self, node_type: TypeIndex) -> Nature;
    /// Who answers for a node type.
    fn served_by(&self, node_type: TypeIndex) -> Option<ServedBy>;
    /// The run's variables.
    fn board(&self) -> &dyn Board;
    /// Calls a node; the output lies in `out`.
    ///
    /// # Errors
    /// Why there is none.
    fn call<'o>(
        &self,
        node_type: TypeIndex,
        input: ValueRef<'_>,
        call: &NodeCall<'_>,
        callbacks: &dyn Callbacks,
        out: &'o mut Output,
    ) -> Result<ValueRef<'o>, Failure>;
    /// A call of a pure node and the one before took so long, or longer: ten microseconds at the least.
    fn took(&self, node_type: TypeIndex, took: Duration) {
        let _ = (node_type, took);
    }
    /// Begins a call of an async node.
    fn begin(
        &self,
        node_type: TypeIndex,
        input: Value,
        call: &NodeCall<'_>,
        callbacks: Arc<dyn Callbacks>,
    ) -> Task<Result<Value, Failure>>;
    /// Calls the same node of the version that was live before.
    ///
    /// # Errors
    /// When there is none, or why it gave no output.
    fn call_previous<'o>(
        &self,
        node_type: TypeIndex,
        input: ValueRef<'_>,
        call: &NodeCall<'_>,
        callbacks: &dyn Callbacks,
        out: &'o mut Output,
    ) -> (Option<ServedBy>, Result<ValueRef<'o>, Failure>);
    /// A workflow that a sub-workflow names, or brings as JSON, as it is at the versions that this run has.
    ///
    /// # Errors
    /// Why it cannot be run.
    fn workflow(
        &self,
        host: &dyn Host,
        tenant: &TenantId,
        named: ValueRef<'_>,
    ) -> Result<Arc<Prepared>, Failure> {
        host.workflow(tenant, named)
    }
    /// The hold of another workflow that this run runs, at the same versions.
    ///
    /// # Errors
    /// When a version of it can no longer be held.
    fn child(&self, plan: &Arc<Prepared>) -> Result<Arc<dyn Hold>, Failure>;
}

/// Ends what it stands for, if that still runs.
pub type Stop = Box<dyn FnOnce() + Send>;

/// Where the executor gets futures driven and workflows from.
pub trait Host: Send + Sync + 'static {
    /// Drives a future to its end.
    fn spawn(&self, task: Task<()>) -> Stop;
    /// A workflow that a sub-workflow names, or brings as JSON.
    ///
    /// # Errors
    /// Why it cannot be run.
    fn workflow(&self, tenant: &TenantId, named: ValueRef<'_>) -> Result<Arc<Prepared>, Failure>;
    /// A variable of the environment that workflows may read.
    fn env(&self, name: &str) -> Option<Value>;
}
