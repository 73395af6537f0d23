//! Node types without a dialect before their name, as some documents have them.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, Outcome, shown};
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::MapRef;

use crate::given::{arrived, text};
use crate::other;

#[parameters]
pub(crate) struct Output<'a> {
    /// The result; what arrived at the first input, if missing.
    #[serde(default, alias = "value", alias = "data", alias = "result")]
    output: Given<'a>,
}

/// Gives what it is given as `output`, or what arrived: the end of a workflow, whose result it is.
#[node(
    id = "metabuilder.output",
    aliases = ["output"],
    category = "metabuilder",
    effect = "idempotent",
    tags = ["result"],
    example(title = "a value", input = r#"{"output": {"status": "success"}}"#, output = r#"{"status": "success"}"#),
    example(title = "nothing arrived", input = "{}", output = "null")
)]
pub(crate) fn output<'a>(input: Output<'a>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'a>> {
    match input.output.0 {
        Some(output) => Ok(Outcome::Lent(output)),
        None => arrived(ctx).map(Outcome::Made),
    }
}

/// All parameters: most are those of the node that sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notification<'a>(MapRef<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Notification<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = ValueRef::deserialize(deserializer)?;
        all.as_map()
            .map(Self)
            .ok_or_else(|| D::Error::custom("expected a map of parameters"))
    }
}

impl JsonSchema for Notification<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Notification".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Where to send what.",
            "properties": {
                "type": {
                    "type": ["string", "null"],
                    "x-aliases": ["channelType"],
                    "description": "`slack`, `discord`, `email`, or `all` for every channel that is set up; `all` if missing.",
                },
                "message": {
                    "type": ["string", "null"],
                    "description": "What to say.",
                },
            },
            "additionalProperties": true,
        })
    }
}

/// Sends a message by the node for its `type`: `notifications.slack`, `notifications.discord`, `notifications.all`, or
/// `email-send`. That node gets the other parameters, and its output is the result.
#[node(
    id = "metabuilder.notification",
    aliases = ["notification"],
    category = "metabuilder",
    effect = "effectful",
    tags = ["slack", "discord", "mail", "message"],
    example(
        title = "to a channel of Slack",
        input = r#"{"type": "slack", "message": "All tests passed."}"#,
        output = r#"{"success": true, "message": "All tests passed."}"#
    ),
    example(
        title = "to every channel",
        input = r#"{"message": "All tests passed."}"#,
        output = r#"{"success": true, "message": "All tests passed."}"#
    )
)]
pub(crate) fn notification(input: Notification<'_>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'static>> {
    let kind = input.0.get("type").or_else(|| input.0.get("channelType"));
    let kind = kind.filter(|kind| !kind.is_null());
    let node_type = match kind.map(|kind| kind.as_str()) {
        None | Some(Some("all")) => "notifications.all",
        Some(Some("slack")) => "notifications.slack",
        Some(Some("discord")) => "notifications.discord",
        Some(Some("email")) => "email-send",
        Some(_) => {
            let kind = kind.unwrap_or(ValueRef::NULL);
            let why = format_args!(
                "must be `slack`, `discord`, `email` or `all`, but is {}",
                shown(kind)
            );
            return Err(NodeError::invalid("type", why));
        }
    };
    if node_type != "email-send" {
        text(input.0.get("message"), "message")?;
    }
    let rest = input
        .0
        .iter()
        .filter(|(key, _)| !matches!(*key, "type" | "channelType"));
    let output = other::call("notification", node_type, &Value::from_pairs(rest)?, ctx)?;
    Ok(Outcome::Made(output))
}
