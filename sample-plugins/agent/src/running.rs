//! Doing what a model asked for.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Dict, Whole};

use crate::allowed::Allowed;
use crate::request::VARIABLE as RESPONSE;
use crate::stored::{cut, find};
use crate::tool_call::ToolCall;

/// The variable of the run that holds what the tools gave.
pub(crate) const VARIABLE: &str = "tool_results";
/// The variable of the run that says whether the model asked for nothing.
const NONE_ASKED: &str = "no_tool_calls";
/// Calls that are made for one answer.
const MAX_CALLS: usize = 32;
/// Bytes of what one tool gave, as the model reads it.
const MAX_RESULT: i64 = 64 << 10;

#[parameters]
pub(crate) struct Run<'a> {
    /// The model's answer, or `$name` for a variable of the run; the variable `llm_response` when it is missing.
    #[serde(default)]
    #[schemars(extend("type" = ["object", "string", "null"], "x-template" = false))]
    response: Any<'a>,
    /// The tools by name, each with the type of the node that it stands for. The setting `ai.tools` is the widest this can
    /// be, and counts when this is missing.
    #[serde(default)]
    tools: Dict<'a>,
    /// Bytes of one result that the model gets to read; the rest is cut off.
    #[serde(default, alias = "max_result_bytes")]
    #[schemars(extend("default" = 65_536, "minimum" = 1, "maximum" = 1_048_576))]
    max_result_bytes: Option<Whole>,
}

/// What the tools gave.
#[output]
pub(crate) struct Done {
    /// A message for each call, with its `tool_call_id`, in their order.
    #[schemars(with = "Vec<std::collections::BTreeMap<String, Value>>")]
    tool_results: Value,
    /// The same.
    #[serde(rename = "tool_results")]
    #[schemars(with = "Vec<std::collections::BTreeMap<String, Value>>")]
    results: Value,
    /// Whether the model asked for nothing.
    no_tool_calls: bool,
    /// The same.
    #[serde(rename = "no_tool_calls")]
    none_asked: bool,
    /// How many calls failed.
    failed: usize,
}

/// Calls the nodes that a model asked for, one after the other. Only tools that are listed are called; what goes wrong
/// becomes the tool's result, for the model to read.
#[node(
    id = "core.runToolCalls",
    aliases = ["core.run_tool_calls", "execute_tool_calls"],
    effect = "effectful",
    tags = ["ai", "tools"],
    example(
        title = "one call",
        input = r#"{
            "response": {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function",
                "function": {"name": "shout", "arguments": "{\"value\": \"hi\"}"}}]},
            "tools": {"shout": "string.upper"}
        }"#,
        output = r#"{
            "toolResults": [{"role": "tool", "tool_call_id": "call_1", "name": "shout", "content": "{\"result\":\"HI\"}"}],
            "tool_results": [{"role": "tool", "tool_call_id": "call_1", "name": "shout", "content": "{\"result\":\"HI\"}"}],
            "noToolCalls": false, "no_tool_calls": false, "failed": 0
        }"#
    ),
    example(
        title = "no calls",
        input = r#"{"response": {"role": "assistant", "content": "Done."}, "tools": {}}"#,
        output = r#"{"toolResults": [], "tool_results": [], "noToolCalls": true, "no_tool_calls": true, "failed": 0}"#
    )
)]
pub(crate) fn run_tool_calls(input: Run<'_>, ctx: &Ctx<'_>) -> NodeResult<Done> {
    let Some(response) = find(input.response.0, "response", RESPONSE, ctx)? else {
        let why = format_args!("is missing, and the run has no variable `{RESPONSE}`");
        return Err(NodeError::invalid("response", why));
    };
    let response = response.as_ref();
    if response.as_map().is_none() {
        return Err(NodeError::invalid(
            "response",
            "expected a message of the assistant",
        ));
    }
    let calls = ToolCall::all(response).map_err(|why| NodeError::invalid("response", why))?;
    let allowed = Allowed::read(input.tools, ctx)?;
    let most = input.max_result_bytes.map_or(Ok(MAX_RESULT), |bytes| {
        bytes.within("maxResultBytes", 1..=1 << 20)
    })?;
    let most = usize::try_from(most)?;
    let mut messages = Vec::with_capacity(calls.len());
    let mut failed = 0;
    for (index, call) in calls.iter().enumerate() {
        ctx.check()?;
        let outcome = if index < MAX_CALLS {
            run(call, &allowed, ctx)
        } else {
            let why = format!("not done: at most {MAX_CALLS} calls are made for one answer; ask again");
            Err(Failure {
                code: "LIMIT_EXCEEDED".into(),
                message: why,
            })
        };
        // A caller that gave up while a tool ran wants no list of failures.
        ctx.check()?;
        let content = match outcome {
            Ok(output) => output.to_json(),
            Err(failure) => {
                failed += 1;
                Value::from_serialize(&Failed { error: failure })?.to_json()
            }
        };
        messages.push(message(call, &shortened(&content, most))?);
    }
    let results = Value::from_items(messages.iter().map(Value::as_ref))?;
    ctx.set_variable(VARIABLE, &results)?;
    ctx.set_variable(NONE_ASKED, &calls.is_empty())?;
    Ok(Done {
        tool_results: results.clone(),
        results,
        no_tool_calls: calls.is_empty(),
        none_asked: calls.is_empty(),
        failed,
    })
}

/// A failure as the model reads it.
#[output]
struct Failed {
    error: Failure,
}

#[output]
struct Failure {
    code: String,
    message: String,
}

fn run(call: &ToolCall, allowed: &Allowed, ctx: &Ctx<'_>) -> Result<Value, Failure> {
    let Some(node) = allowed.node_of(&call.name) else {
        return Err(Failure {
            code: "NOT_ALLOWED".into(),
            message: format!("there is no such tool; there are: {}", allowed.names()),
        });
    };
    let parameters = call.parameters().map_err(|message| Failure {
        code: "VALIDATION_FAILED".into(),
        message,
    })?;
    ctx.call_value(node, parameters.as_ref())
        .map_err(|error| Failure {
            code: error.code.into_owned(),
            message: error.message.into_owned(),
        })
}

fn message(call: &ToolCall, content: &str) -> NodeResult<Value> {
    let (role, id) = (Value::from("tool"), Value::from(&*call.id));
    let (name, content) = (Value::from(&*call.name), Value::from(content));
    Ok(Value::from_pairs([
        ("role", role.as_ref()),
        ("tool_call_id", id.as_ref()),
        ("name", name.as_ref()),
        ("content", content.as_ref()),
    ])?)
}

/// A text with what is too much of it cut off, and a word of that.
fn shortened(text: &str, most: usize) -> String {
    let kept = cut(text, most);
    match text.len() - kept.len() {
        0 => text.to_owned(),
        rest => format!("{kept} [cut here, {rest} bytes left out]"),
    }
}
