//! Notices to the rooms where people talk: Slack and Discord, by the webhooks that they give out.
//!
//! Invariant: a webhook's URL is a secret, and no error tells it.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::Text;

use crate::line::one_line;

/// The node that makes the request.
const HTTP: &str = "http-request";
/// Milliseconds that one may take.
const TIMEOUT_MS: i64 = 15_000;

/// A place where people talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Slack,
    Discord,
}

impl Room {
    const fn name(self) -> &'static str {
        match self {
            Self::Slack => "Slack",
            Self::Discord => "Discord",
        }
    }

    const fn secret(self) -> &'static str {
        match self {
            Self::Slack => "SLACK_WEBHOOK_URL",
            Self::Discord => "DISCORD_WEBHOOK_URL",
        }
    }

    /// Characters of one message.
    const fn longest(self) -> usize {
        match self {
            Self::Slack => 40_000,
            Self::Discord => 2_000,
        }
    }

    fn body(self, message: &str) -> NodeResult<Value> {
        let text = Value::from(message);
        let key = match self {
            Self::Slack => "text",
            Self::Discord => "content",
        };
        Ok(Value::from_pairs([(key, text.as_ref())])?)
    }
}

#[parameters]
pub(crate) struct ToSlack<'a> {
    /// What to say.
    #[serde(default)]
    #[schemars(length(max = 40_000))]
    message: Text<'a>,
    /// The room: the secret `SLACK_WEBHOOK_URL_NAME` for `name`, else `SLACK_WEBHOOK_URL`.
    #[serde(default)]
    #[schemars(length(max = 64))]
    channel: Option<&'a str>,
}

#[parameters]
pub(crate) struct ToDiscord<'a> {
    /// What to say.
    #[serde(default)]
    #[schemars(length(max = 2_000))]
    message: Text<'a>,
    /// The room: the secret `DISCORD_WEBHOOK_URL_NAME` for `name`, else `DISCORD_WEBHOOK_URL`.
    #[serde(default, alias = "channelId", alias = "channel_id")]
    #[schemars(length(max = 64))]
    channel: Option<&'a str>,
}

#[parameters]
pub(crate) struct ToAll<'a> {
    /// What to say.
    #[serde(default)]
    #[schemars(length(max = 2_000))]
    message: Text<'a>,
}

/// A notice that was given.
#[output]
pub(crate) struct Told {
    /// Whether it was taken.
    success: bool,
    /// What was said.
    message: String,
}

/// What became of a notice in one place.
#[output]
pub(crate) struct InOne {
    /// Whether it was taken.
    success: bool,
    /// Whether there is no webhook for the place.
    skipped: bool,
    /// Why it was not taken.
    error: Option<String>,
}

/// What became of a notice everywhere.
#[output]
pub(crate) struct Everywhere {
    /// Whether it was taken wherever there is a webhook.
    success: bool,
    /// What was said.
    message: String,
    /// On Slack.
    slack: InOne,
    /// On Discord.
    discord: InOne,
}

/// Says something in a room on Slack.
#[node(
    id = "notifications.slack",
    category = "notifications",
    effect = "effectful",
    timeout_ms = 30_000,
    capabilities = ["network", "secrets"],
    secrets = ["SLACK_WEBHOOK_URL", "SLACK_WEBHOOK_URL_*"],
    tags = ["message", "network"],
    example(
        title = "the usual room",
        input = r#"{"message": "All tests passed."}"#,
        output = r#"{"success": true, "message": "All tests passed."}"#
    ),
    example(
        title = "another room",
        input = r#"{"message": "One test failed.", "channel": "builds"}"#,
        output = r#"{"success": true, "message": "One test failed."}"#
    )
)]
pub(crate) fn notify_slack(input: ToSlack<'_>, ctx: &Ctx<'_>) -> NodeResult<Told> {
    tell(Room::Slack, input.message.as_str(), input.channel, ctx)
}

/// Says something in a room on Discord.
#[node(
    id = "notifications.discord",
    category = "notifications",
    effect = "effectful",
    timeout_ms = 30_000,
    capabilities = ["network", "secrets"],
    secrets = ["DISCORD_WEBHOOK_URL", "DISCORD_WEBHOOK_URL_*"],
    tags = ["message", "network"],
    example(
        title = "the usual room",
        input = r#"{"message": "All tests passed."}"#,
        output = r#"{"success": true, "message": "All tests passed."}"#
    ),
    example(
        title = "another room",
        input = r#"{"message": "One test failed.", "channel": "builds"}"#,
        output = r#"{"success": true, "message": "One test failed."}"#
    )
)]
pub(crate) fn notify_discord(input: ToDiscord<'_>, ctx: &Ctx<'_>) -> NodeResult<Told> {
    tell(Room::Discord, input.message.as_str(), input.channel, ctx)
}

/// Says something on Slack and on Discord, wherever there is a webhook. What fails in one place is told in the other's
/// stead only if it fails everywhere.
#[node(
    id = "notifications.all",
    category = "notifications",
    effect = "effectful",
    timeout_ms = 60_000,
    capabilities = ["network", "secrets"],
    secrets = ["SLACK_WEBHOOK_URL", "DISCORD_WEBHOOK_URL"],
    tags = ["message", "network"],
    example(
        title = "everywhere",
        input = r#"{"message": "All tests passed."}"#,
        output = r#"{
            "success": true, "message": "All tests passed.",
            "slack": {"success": true, "skipped": false, "error": null},
            "discord": {"success": true, "skipped": false, "error": null}
        }"#
    ),
    example(
        title = "a number",
        input = r#"{"message": 3}"#,
        output = r#"{
            "success": true, "message": "3",
            "slack": {"success": true, "skipped": false, "error": null},
            "discord": {"success": true, "skipped": false, "error": null}
        }"#
    )
)]
pub(crate) fn notify_all(input: ToAll<'_>, ctx: &Ctx<'_>) -> NodeResult<Everywhere> {
    let message = input.message.as_str();
    let [slack, discord] = [Room::Slack, Room::Discord].map(|room| tell(room, message, None, ctx));
    ctx.check()?;
    if slack.is_err() && discord.is_err() {
        // Of a place that is set up there is more to say than of one that is not.
        let is_absent = slack
            .as_ref()
            .is_err_and(|error| error.code == code::CREDENTIAL_MISSING);
        return Err(match (slack, discord) {
            (Err(_), Err(other)) if is_absent && other.code != code::CREDENTIAL_MISSING => other,
            (Err(error), _) | (_, Err(error)) => error,
            _ => NodeError::new("nobody was told"),
        });
    }
    let (slack, discord) = (InOne::of(slack), InOne::of(discord));
    let is_fine = |one: &InOne| one.success || one.skipped;
    Ok(Everywhere {
        success: is_fine(&slack) && is_fine(&discord),
        message: message.to_owned(),
        slack,
        discord,
    })
}

impl InOne {
    fn of(told: NodeResult<Told>) -> Self {
        match told {
            Ok(_) => Self {
                success: true,
                skipped: false,
                error: None,
            },
            Err(error) => Self {
                success: false,
                skipped: error.code == code::CREDENTIAL_MISSING,
                error: Some(error.message.into_owned()),
            },
        }
    }
}

#[output]
struct Request<'a> {
    url: &'a str,
    method: &'static str,
    #[schemars(with = "Value")]
    body: ValueRef<'a>,
    timeout: i64,
    /// The server's own words are wanted.
    fail_on_status: bool,
    /// The message is for that server alone.
    follow_redirects: bool,
}

fn tell(room: Room, message: &str, channel: Option<&str>, ctx: &Ctx<'_>) -> NodeResult<Told> {
    let name = room.name();
    if message.trim().is_empty() {
        return Err(NodeError::invalid("message", "is missing or empty"));
    }
    if message.chars().count() > room.longest() {
        let why = format_args!(
            "is longer than the {} characters that {name} takes",
            room.longest()
        );
        return Err(NodeError::invalid("message", why));
    }
    let secret = secret_of(room, channel)?;
    let url = ctx.secret(&secret).map_err(|error| {
        if error.code == code::CREDENTIAL_MISSING {
            let why = format!("the tenant has no secret `{secret}`, which is the URL of a webhook of {name}");
            return NodeError::with_code(code::CREDENTIAL_MISSING, why);
        }
        error
    })?;
    let body = room.body(message)?;
    let request = Request {
        url: url.trim(),
        method: "POST",
        body: body.as_ref(),
        timeout: TIMEOUT_MS,
        fail_on_status: false,
        follow_redirects: false,
    };
    let result: Value = ctx
        .call(HTTP, &request)
        .map_err(|error| without(url.trim(), error))?;
    let status = result
        .as_ref()
        .get("statusCode")
        .and_then(|status| status.as_i64());
    match status {
        Some(200..=299) => Ok(Told {
            success: true,
            message: message.to_owned(),
        }),
        Some(status) => {
            let said = result.as_ref().get("body").map(|body| match body.as_str() {
                Some(text) => one_line(text),
                None => one_line(&body.to_json()),
            });
            let said = said.filter(|said| !said.is_empty() && !said.contains(url.trim()));
            Err(refused(name, status, &said.unwrap_or_default()))
        }
        None => Err(NodeError::new("the HTTP request gave no `statusCode`")),
    }
}

fn refused(name: &str, status: i64, said: &str) -> NodeError {
    let may_pass = matches!(status, 408 | 425 | 429) || status >= 500;
    let code = if may_pass {
        code::TEMPORARY_FAILURE
    } else {
        code::EXECUTION_ERROR
    };
    let error = NodeError::with_code(code, format!("{name} answered with status {status}: {said}"));
    let error = error.retryable(may_pass);
    match u16::try_from(status) {
        Ok(status) => error.status(status),
        Err(_) => error,
    }
}

/// An error of the request that does not tell where it went.
fn without(url: &str, error: NodeError) -> NodeError {
    if error.code == "UNKNOWN_NODE_TYPE" {
        let why =
            format!("a notice goes through the node `{HTTP}`, and the host has none; load the plugin `http`");
        return NodeError::with_code(error.code, why);
    }
    let told = error.message.contains(url)
        || error
            .details
            .as_ref()
            .is_some_and(|details| details.to_json().contains(url));
    if told {
        let mut quiet = NodeError::with_code(error.code, "the webhook could not be reached");
        (quiet.status_code, quiet.retryable) = (error.status_code, error.retryable);
        return quiet;
    }
    error
}

/// The secret of a room.
fn secret_of(room: Room, channel: Option<&str>) -> NodeResult<String> {
    let usual = room.secret();
    let Some(channel) = channel
        .map(|name| name.trim_start_matches('#'))
        .filter(|name| !name.is_empty())
    else {
        return Ok(usual.to_owned());
    };
    let is_name = channel.len() <= 64
        && channel
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !is_name {
        let why = format_args!(
            "`{}` is no name of a room here: letters, digits, `_` and `-`, at most 64",
            one_line(channel)
        );
        return Err(NodeError::invalid("channel", why));
    }
    let channel = channel.to_ascii_uppercase().replace('-', "_");
    Ok(format!("{usual}_{channel}"))
}
