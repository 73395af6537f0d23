//! Nodes of other plugins.

use plugin_api::prelude::*;

/// Calls a node and gives the field `result` of its output.
pub(crate) fn result_of(node_type: &str, input: &Value, ctx: &Ctx<'_>) -> NodeResult<Value> {
    let output = ctx.call_value(node_type, input.as_ref()).map_err(|error| {
        // The host's code for a node type that nobody has, and the executor's.
        let unknown = error.code.ends_with("-CALL-001") || error.code == "UNKNOWN_NODE_TYPE";
        if !unknown {
            return error;
        }
        let message = format!("no plugin has the node type `{node_type}`; install one that has it");
        NodeError::with_code("UNKNOWN_NODE_TYPE", message).retryable(false)
    })?;
    let result = output.as_ref().get("result");
    Ok(result.map_or_else(Value::null, |result| result.to_value()))
}
