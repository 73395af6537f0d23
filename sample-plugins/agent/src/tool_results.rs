//! Giving a model what its tools gave. Invariant: a result follows the message that asked for it, as the API demands.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, kind_name};

use crate::conversation::{Conversation, Messages};
use crate::request::VARIABLE as RESPONSE;
use crate::running::VARIABLE as RESULTS;
use crate::stored::find;
use crate::tool_call::ToolCall;

#[parameters]
pub(crate) struct Append<'a> {
    /// The conversation: a list of messages, or `$name` for a variable of the run; the variable `messages` when it is
    /// missing.
    #[serde(default)]
    #[schemars(extend("type" = ["array", "string", "null"], "x-template" = false))]
    messages: Any<'a>,
    /// The messages that `core.runToolCalls` gave, or `$name` for a variable of the run; the variable `tool_results` when
    /// it is missing.
    #[serde(default, alias = "tool_results")]
    #[schemars(extend("type" = ["array", "string", "null"], "x-template" = false))]
    tool_results: Any<'a>,
    /// The answer that asked for them, or `$name` for a variable of the run; the variable `llm_response` when it is
    /// missing. It is put before the results if the conversation does not end with it.
    #[serde(default)]
    #[schemars(extend("type" = ["object", "string", "null"], "x-template" = false))]
    response: Any<'a>,
}

/// Adds what tools gave to a conversation, behind the answer that asked for it. No results add nothing.
#[node(
    id = "core.appendToolResults",
    aliases = ["core.append_tool_results", "append_results"],
    effect = "effectful",
    tags = ["ai", "conversation", "tools"],
    example(
        title = "behind the answer",
        input = r#"{
            "messages": [{"role": "user", "content": "Shout."}],
            "response": {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function",
                "function": {"name": "shout", "arguments": "{}"}}]},
            "toolResults": [{"role": "tool", "tool_call_id": "c", "content": "HI"}]
        }"#,
        output = r#"{
            "messages": [
                {"role": "user", "content": "Shout."},
                {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function",
                    "function": {"name": "shout", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c", "content": "HI"}
            ],
            "count": 3
        }"#
    ),
    example(
        title = "nothing to add",
        input = r#"{"messages": [{"role": "user", "content": "Hello"}], "toolResults": []}"#,
        output = r#"{"messages": [{"role": "user", "content": "Hello"}], "count": 1}"#
    )
)]
pub(crate) fn append_tool_results(input: Append<'_>, ctx: &Ctx<'_>) -> NodeResult<Messages> {
    let mut conversation = Conversation::read(input.messages, ctx)?;
    let Some(results) = find(input.tool_results.0, "toolResults", RESULTS, ctx)? else {
        let why = format_args!("is missing, and the run has no variable `{RESULTS}`");
        return Err(NodeError::invalid("toolResults", why));
    };
    let Some(list) = results.as_ref().as_list() else {
        let why = format_args!(
            "expected a list of messages, found {}",
            kind_name(results.as_ref())
        );
        return Err(NodeError::invalid("toolResults", why));
    };
    let mut wanted = Vec::with_capacity(list.len());
    for (index, result) in list.iter().enumerate() {
        let is_result = result.get("role").and_then(|role| role.as_str()) == Some("tool");
        let id = result.get("tool_call_id").and_then(|id| id.as_str());
        let content = result.get("content").and_then(|content| content.as_str());
        match (id, content) {
            (Some(id), Some(_)) if is_result => wanted.push(id),
            _ => {
                let why = format_args!(
                    "item {index} is no message of a tool, with the role `tool`, a `tool_call_id` and a `content`"
                );
                return Err(NodeError::invalid("toolResults", why));
            }
        }
    }
    if !wanted.is_empty() {
        put_answer(&mut conversation, &wanted, input.response, ctx)?;
    }
    for result in list {
        ctx.check()?;
        conversation.push(result.to_value())?;
    }
    Messages::kept(&conversation, ctx)
}

/// Sees to it that the conversation ends with the message that asked for these results.
fn put_answer(
    conversation: &mut Conversation,
    wanted: &[&str],
    response: Any<'_>,
    ctx: &Ctx<'_>,
) -> NodeResult<()> {
    let is_of_tool =
        |message: &ValueRef<'_>| message.get("role").and_then(|role| role.as_str()) == Some("tool");
    let last = conversation.newest_first().find(|message| !is_of_tool(message));
    if last.is_some_and(|last| asks_for(last, wanted)) {
        return Ok(());
    }
    let response = find(response.0, "response", RESPONSE, ctx)?;
    let response = response.filter(|response| asks_for(response.as_ref(), wanted));
    match response {
        Some(response) => conversation.push(response),
        None => Err(NodeError::invalid(
            "response",
            "neither this nor the end of the conversation is the answer that asked for these results, and a model takes \
             no results it did not ask for",
        )),
    }
}

fn asks_for(message: ValueRef<'_>, wanted: &[&str]) -> bool {
    let calls = ToolCall::all(message).unwrap_or_default();
    let role = message.get("role").and_then(|role| role.as_str());
    role == Some("assistant") && wanted.iter().all(|id| calls.iter().any(|call| call.id == *id))
}
