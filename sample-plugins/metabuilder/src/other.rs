//! Calls of other plugins' nodes.
//!
//! Invariant: when the node is not there, the error says which one it is, and for what.

use plugin_api::prelude::*;

use crate::given::cut;

/// Whether the call reached nobody.
fn is_unknown(error: &NodeError, node_type: &str) -> bool {
    // The host's code for a node type that nobody has, and the executor's. A node that itself calls one that is not there names that one.
    let by_host = error.code.ends_with("-CALL-001") || error.code == "UNKNOWN_NODE_TYPE";
    by_host && error.message.contains(&*format!("`{node_type}`"))
}

/// The error of a call, told with what it was made for.
pub(crate) fn failed(mut error: NodeError, operation: &str, node_type: &str) -> NodeError {
    let operation = cut(operation);
    if is_unknown(&error, node_type) {
        let node_type = cut(node_type);
        let message = format!(
            "operation `{operation}`: no plugin has the node type `{node_type}`; install one that has it, or correct the name"
        );
        return NodeError::with_code("UNKNOWN_NODE_TYPE", message).retryable(false);
    }
    error.message = format!("operation `{operation}`: {}", error.message).into();
    error
}

/// Calls a node for an operation.
pub(crate) fn call(operation: &str, node_type: &str, input: &Value, ctx: &Ctx<'_>) -> NodeResult<Value> {
    ctx.check()?;
    ctx.call_value(node_type, input.as_ref())
        .map_err(|error| failed(error, operation, node_type))
}

/// What a node gave: the field `result` of its output where it has one, and all of it otherwise.
pub(crate) fn result(output: &Value) -> Value {
    let output = output.as_ref();
    output.get("result").unwrap_or(output).to_value()
}
