//! What a workflow lends to the node that it executes.

use std::fmt;
use std::sync::Arc;

use plugin_api::NodeError;
use plugin_api::value::{Value, ValueRef};

/// A workflow's side of one node's execution. A call without one runs outside any workflow, and its node is told that
/// it has neither inputs, outputs nor expressions; so is a node that another node calls.
///
/// Nodes ask from any thread, as often as they like, with whatever they like: an implementation bounds what it keeps.
pub trait NodeScope: Send + Sync {
    /// The list of the values that arrived at an input, in the order of the edges; `None` when none did.
    fn inputs(&self, index: u32) -> Option<Value>;

    /// The node leaves by this output, beside those it named before.
    fn select_output(&self, output: u32);

    /// Evaluates an expression as the node wrote it, bare or within `{{ }}`; `bindings` is a map.
    ///
    /// # Errors
    /// What is wrong with the expression.
    fn evaluate(&self, expression: &str, bindings: ValueRef<'_>) -> Result<Value, NodeError>;

    /// Fills in every `{{ }}` in the texts of a value; `bindings` is a map.
    ///
    /// # Errors
    /// What is wrong with an expression.
    fn render(&self, template: ValueRef<'_>, bindings: ValueRef<'_>) -> Result<Value, NodeError>;

    /// The node has used something of the host that is no part of its parameters, nor asked of this scope: a store, a
    /// clock, another node.
    fn touched(&self) {}

    /// Whether what the node is given and answers may be kept; the workflow may say that it is not.
    fn keeps_contents(&self) -> bool {
        true
    }

    /// The same scope, for an async node that is driven by a blocking call: such a node owns what it may ask. `None` says
    /// that it cannot be shared; the node then runs as if outside a workflow. Scopes that are given to
    /// [`Session::begin`](crate::Session::begin) are shared already.
    fn shared(&self) -> Option<Arc<dyn NodeScope>> {
        None
    }
}

impl fmt::Debug for dyn NodeScope + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeScope")
    }
}
