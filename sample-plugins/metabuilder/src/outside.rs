//! What a workflow does to the outside: it answers, or tells of an event.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, Outcome};

use crate::given::{arrived, cut};
use crate::{answer, event};

#[parameters]
pub(crate) struct Action<'a> {
    /// `http_response` or `emit_event`.
    #[serde(default, alias = "operation")]
    #[schemars(length(max = 100))]
    action: Option<&'a str>,
    /// Of an answer: its status; 200 if missing.
    #[serde(default, alias = "statusCode", alias = "status_code")]
    #[schemars(extend("type" = ["integer", "string", "null"]))]
    status: Given<'a>,
    /// Of an answer: its body.
    #[serde(default)]
    body: Given<'a>,
    /// Of an answer: its headers, at most 32.
    #[serde(default)]
    #[schemars(extend("type" = ["object", "null"]))]
    headers: Given<'a>,
    /// Of an event: its name.
    #[serde(default)]
    event: Given<'a>,
    /// Of an event: what it belongs to, such as `forum:thread:7`.
    #[serde(default)]
    channel: Given<'a>,
    /// Of an event: anything. More than 16 KiB are not kept.
    #[serde(default, alias = "payload")]
    data: Given<'a>,
}

/// Answers the request that started the workflow (`http_response`), or tells of an event (`emit_event`).
///
/// The result of an answer is `{statusCode, headers, body}`, as a webhook sends it. An event goes to the log and is kept:
/// the tenant's last 100, at most 256 KiB of them, are under the key `metabuilder.events` of its store, and
/// `metabuilder.events` reads them. Without any parameter the node gives on what arrived.
#[node(
    id = "metabuilder.action",
    aliases = ["action"],
    category = "metabuilder",
    effect = "effectful",
    tags = ["webhook", "response", "event"],
    example(
        title = "an answer",
        input = r#"{"action": "http_response", "status": 201, "headers": {"Location": "/threads/7"}, "body": {"id": 7}}"#,
        output = r#"{"statusCode": 201, "headers": {"Location": "/threads/7"}, "body": {"id": 7}}"#
    ),
    example(
        title = "an answer without a body",
        input = r#"{"action": "http_response", "status": 204}"#,
        output = r#"{"statusCode": 204, "headers": {}, "body": null}"#
    ),
    example(title = "no parameters", input = "{}", output = "null")
)]
pub(crate) fn action(input: Action<'_>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'static>> {
    let others = [
        input.status,
        input.body,
        input.headers,
        input.event,
        input.channel,
        input.data,
    ];
    let result = match input.action {
        Some("http_response" | "httpResponse") => {
            answer::http_response(input.status, input.headers, input.body)
        }
        Some("emit_event" | "emitEvent") => event::emit(input.event, input.channel, input.data, ctx),
        None if others.iter().all(|other| other.0.is_none()) => arrived(ctx),
        None => Err(NodeError::invalid("action", KNOWN)),
        Some(other) => Err(NodeError::invalid(
            "action",
            format_args!("{KNOWN}, but is `{}`", cut(other)),
        )),
    };
    result.map(Outcome::Made)
}

const KNOWN: &str = "must be `http_response` or `emit_event`";
