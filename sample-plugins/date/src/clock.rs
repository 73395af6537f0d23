//! The time of day.

use jiff::{Timestamp, Unit, Zoned};
use plugin_api::error::code;
use plugin_api::prelude::*;

use crate::moment::iso;
use crate::spelling::{Format, written};
use crate::zone::wanted;

#[parameters]
pub(crate) struct Now<'a> {
    /// The zone to see it in: a name such as `Europe/Berlin`, an offset such as `+01:00`; UTC when missing.
    #[serde(default, alias = "timeZone", alias = "tz")]
    #[schemars(length(max = 64), extend("default" = "UTC"))]
    timezone: Option<&'a str>,
    /// How to write it, as in `date.format`.
    #[serde(default)]
    #[schemars(extend("default" = "iso"))]
    format: Option<Format<'a>>,
}

/// Gives the time of day on the host's clock, to the millisecond.
#[node(
    id = "date.now",
    effect = "idempotent",
    tags = ["date", "clock"],
    example(
        title = "on New Year's Day of 2026, half an hour after midnight",
        input = r#"{}"#,
        output = r#"{"result": "2026-01-01T00:30:00.25Z"}"#
    ),
    example(
        title = "the day, where it is still last year",
        input = r#"{"timezone": "America/New_York", "format": "date"}"#,
        output = r#"{"result": "2025-12-31"}"#
    )
)]
pub(crate) fn now(input: Now<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<String>> {
    let zone = wanted(input.timezone)?;
    let Some(time) = ctx.wall_clock() else {
        return Err(NodeError::with_code(
            code::UNSUPPORTED,
            "this host lends no clock; it needs one of contract 1.1 or later",
        ));
    };
    let off = |error| {
        NodeError::new(format!(
            "the host's clock is set to no date that can be written: {error}"
        ))
    };
    let at = Timestamp::try_from(time).map_err(off)?;
    let at = at
        .round(
            jiff::TimestampRound::new()
                .smallest(Unit::Millisecond)
                .mode(jiff::RoundMode::Floor),
        )
        .map_err(off)?;
    let now = Zoned::new(at, zone.unwrap_or(jiff::tz::TimeZone::UTC));
    Ok(answer(match input.format {
        Some(format) => written(&now, format)?,
        None => iso(&now),
    }))
}
