//! What an expression may see.

use plugin_api::value::{Value, ValueRef};

/// A node of the workflow, or of one that it is a body of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeRef {
    /// How many bodies of loops have to be left to find it; 0 for a node beside the one that asks.
    pub up: u16,
    /// Its place in that plan.
    pub index: u32,
}

/// What is known of a node that has run, or was skipped.
#[derive(Clone, Copy, Debug)]
pub struct NodeView<'a> {
    /// `success`, `error`, `skipped` or `pending`.
    pub status: &'static str,
    /// Its output; null when it has none.
    pub output: ValueRef<'a>,
    /// Code and message of its error.
    pub error: Option<(&'a str, &'a str)>,
}

/// Where the roots of expressions get their values from. One for each evaluation, on one thread.
pub trait Scope {
    /// `$json`: what triggered the run.
    fn json(&self) -> ValueRef<'_>;
    /// `$input`: what arrived at the node's first input.
    fn input(&self) -> ValueRef<'_>;
    /// A node that the expression was bound to when it was compiled; `None` while it has not run.
    fn node(&self, node: NodeRef) -> Option<NodeView<'_>>;
    /// Finds a node by id or name, for names that are computed.
    fn find(&self, name: &str) -> Option<NodeRef>;
    /// Every node that has run, with its id; for expressions that list them.
    fn nodes(&self) -> Vec<(String, NodeRef)>;
    /// `$context` without its variables: `tenantId`, `userId`, `user`, `executionId`.
    fn context(&self) -> ValueRef<'_>;
    /// One variable of the run.
    fn variable(&self, name: &str) -> Option<Value>;
    /// All variables of the run, as a map.
    fn variables(&self) -> Value;
    /// `$workflow` without its variables: `id`, `name`, `active`.
    fn workflow(&self) -> ValueRef<'_>;
    /// `$env`: a variable of the environment that the host lets workflows read.
    fn env(&self, name: &str) -> Option<Value>;
    /// `$now`, in milliseconds since 1970-01-01 UTC; the same for the whole evaluation.
    fn now_millis(&self) -> i64;
    /// `$item`, `$index`, `$acc`, `$value`, `$key`, `$array`: what a node binds for a callback.
    fn binding(&self, name: &str) -> Option<ValueRef<'_>>;
    /// Whose data it is: contexts of the script engine are never shared between tenants.
    fn tenant(&self) -> &str;
}
