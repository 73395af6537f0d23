//! Limits: how often something may happen for a key.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Given, shown};
use plugin_api::value::Kind;

use crate::given::{only, some, whole};
use crate::other;

/// The node that counts.
const LIMITER: &str = "rate-limiter";
/// The most that a limit may be.
const MAX_LIMIT: i64 = 1_000_000;
/// The longest window: 31 days in milliseconds.
const MAX_WINDOW: i64 = 2_678_400_000;
/// The longest key.
const MAX_KEY: usize = 256;
/// Bytes of the node's id that tell its limit from another one's.
const MAX_ID: usize = 160;

#[parameters]
pub(crate) struct RateLimit<'a> {
    /// `rate_limit`, which is what the node does anyway.
    #[serde(default)]
    #[schemars(length(max = 100))]
    operation: Option<&'a str>,
    /// Whose calls are counted together, such as an address or the id of a user.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "integer", "null"]))]
    key: Given<'a>,
    /// How many there may be in a window.
    #[serde(default, alias = "maxRequests", alias = "max")]
    #[schemars(extend("type" = ["integer", "string", "null"]))]
    limit: Given<'a>,
    /// How long the window is, in milliseconds; a minute if missing.
    #[serde(default, alias = "windowMs", alias = "window_ms")]
    #[schemars(extend("type" = ["integer", "string", "null"]))]
    window: Given<'a>,
    /// What the error says.
    #[serde(default, alias = "error_message", alias = "message")]
    #[schemars(length(max = 10_000))]
    error_message: Option<&'a str>,
}

/// What is left of a limit.
#[output]
pub(crate) struct Left {
    /// True: who is over the limit gets an error.
    allowed: bool,
    /// Calls that are left now.
    remaining: i64,
    /// Calls in a window.
    limit: i64,
    /// When the limit is whole again, in milliseconds from now.
    reset_after_ms: i64,
}

/// Lets a number of calls for a key through in a window of time; one more fails with `LIMIT_EXCEEDED`, status 429 and
/// `details.retryAfterMs`. The node `rate-limiter` counts, with a bucket for each tenant, node, limit and key that
/// refills steadily.
#[node(
    id = "metabuilder.rateLimit",
    aliases = ["metabuilder.rate_limit"],
    category = "metabuilder",
    effect = "effectful",
    tags = ["limit", "quota"],
    example(
        title = "five in a minute",
        input = r#"{"key": "ada@example.org", "limit": 5, "window": 60000}"#,
        output = r#"{"allowed": true, "remaining": 4, "limit": 5, "resetAfterMs": 12000}"#
    ),
    example(
        title = "the window is a minute",
        input = r#"{"operation": "rate_limit", "key": 7, "limit": 5}"#,
        output = r#"{"allowed": true, "remaining": 4, "limit": 5, "resetAfterMs": 12000}"#
    )
)]
pub(crate) fn rate_limit(input: RateLimit<'_>, ctx: &Ctx<'_>) -> NodeResult<Left> {
    only(input.operation, &["rate_limit", "rateLimit"])?;
    let key = key(input.key)?;
    let missing = || {
        NodeError::invalid(
            "limit",
            format_args!("is missing; give a number from 1 to {MAX_LIMIT}"),
        )
    };
    let limit = whole(some(input.limit).ok_or_else(missing)?, "limit", 1, MAX_LIMIT)?;
    let window = match some(input.window) {
        Some(window) => whole(window, "window", 1, MAX_WINDOW)?,
        None => 60_000,
    };
    let id = ctx.node();
    let id = id.get(..id.floor_char_boundary(MAX_ID)).unwrap_or_default();
    let ask = Ask {
        // Two limits for one key must not share a bucket: each change of its rate would fill or empty it.
        operation_type: format!("limit:{limit}:{window}:{id}"),
        account_id: &key,
        custom_limit: limit,
        reset_window_ms: window,
    };
    let granted: Granted = ctx
        .call(LIMITER, &ask)
        .map_err(|error| other::failed(error, "rate_limit", LIMITER))?;
    if granted.allowed {
        return Ok(Left {
            allowed: true,
            remaining: granted.remaining,
            limit,
            reset_after_ms: granted.reset_after_ms,
        });
    }
    let standard = || {
        format!(
            "the limit of {limit} in {window} ms is used up; try again in {} ms",
            granted.retry_after_ms
        )
    };
    let message = input.error_message.map_or_else(standard, str::to_owned);
    let details = Over {
        limit,
        window_ms: window,
        retry_after_ms: granted.retry_after_ms,
    };
    Err(NodeError::with_code(code::LIMIT_EXCEEDED, message)
        .status(429)
        .details(Value::from_serialize(&details)?))
}

fn key(key: Given<'_>) -> NodeResult<String> {
    let Some(value) = some(key) else {
        return Err(NodeError::invalid(
            "key",
            "is missing; say whose calls are counted together",
        ));
    };
    let text = match value.kind() {
        Kind::Str => value.as_str().unwrap_or_default().to_owned(),
        Kind::I64 => value.to_json(),
        _ => {
            return Err(NodeError::invalid(
                "key",
                format_args!("expected a text or a whole number, found {}", shown(value)),
            ));
        }
    };
    if text.is_empty() || text.len() > MAX_KEY {
        return Err(NodeError::invalid(
            "key",
            format_args!("must have from 1 to {MAX_KEY} bytes, but has {}", text.len()),
        ));
    }
    Ok(text)
}

/// What the counting node is asked.
#[output]
struct Ask<'k> {
    operation_type: String,
    account_id: &'k str,
    custom_limit: i64,
    reset_window_ms: i64,
}

/// What it says.
#[parameters]
struct Granted {
    allowed: bool,
    remaining: i64,
    retry_after_ms: i64,
    reset_after_ms: i64,
}

#[output]
struct Over {
    limit: i64,
    window_ms: i64,
    retry_after_ms: i64,
}
