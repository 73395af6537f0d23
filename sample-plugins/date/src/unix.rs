//! Dates as numbers since the start of 1970, UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use plugin_api::prelude::*;
use plugin_api::reading::Number;

use crate::moment::{When, at_microseconds, beyond, iso};
use crate::zone::wanted;

/// What a number counts.
#[parameters]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tick {
    /// Seconds, as Unix counts.
    #[serde(alias = "second")]
    Seconds,
    /// Milliseconds, as JavaScript counts.
    #[serde(alias = "millisecond")]
    Milliseconds,
    /// Microseconds, as many databases count.
    #[serde(alias = "microsecond")]
    Microseconds,
    /// Nanoseconds.
    #[serde(alias = "nanosecond")]
    Nanoseconds,
}

impl Tick {
    const fn nanoseconds(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }
}

#[parameters]
pub(crate) struct FromUnix<'a> {
    /// The number; a fraction counts to the microsecond.
    value: Number,
    /// What it counts.
    #[serde(default)]
    #[schemars(extend("default" = "seconds"))]
    unit: Option<Tick>,
    /// The zone to write the date in; UTC when missing.
    #[serde(default, alias = "timeZone", alias = "tz")]
    #[schemars(length(max = 64), extend("default" = "UTC"))]
    timezone: Option<&'a str>,
}

/// Makes a date of the number of seconds since 1970, or of what else it is told to count.
#[node(
    id = "date.fromUnix",
    aliases = ["date.from_unix"],
    effect = "pure",
    tags = ["date", "unix"],
    example(
        title = "seconds",
        input = r#"{"value": 1709209800}"#,
        output = r#"{"result": "2024-02-29T12:30:00Z"}"#
    ),
    example(
        title = "milliseconds",
        input = r#"{"value": 1709209800500, "unit": "milliseconds", "timezone": "+01:00"}"#,
        output = r#"{"result": "2024-02-29T13:30:00.5+01:00"}"#
    )
)]
pub(crate) fn from_unix(input: FromUnix<'_>) -> NodeResult<Answer<String>> {
    let zone = wanted(input.timezone)?;
    let tick = input.unit.unwrap_or(Tick::Seconds).nanoseconds();
    let at = match input.value {
        Number::Int(count) => Timestamp::from_nanosecond(i128::from(count) * i128::from(tick)),
        Number::Float(count) => at_microseconds(count * (tick as f64 / 1e3)),
    };
    let at = at.map_err(|_| beyond("value", "the result"))?;
    Ok(answer(iso(&at.to_zoned(zone.unwrap_or(TimeZone::UTC)))))
}

#[parameters]
pub(crate) struct ToUnix<'a> {
    /// The date.
    value: When<'a>,
    /// What to count.
    #[serde(default)]
    #[schemars(extend("default" = "seconds"))]
    unit: Option<Tick>,
    /// The zone that a date without an offset is meant in; UTC when missing.
    #[serde(default, alias = "timeZone", alias = "tz")]
    #[schemars(length(max = 64), extend("default" = "UTC"))]
    timezone: Option<&'a str>,
}

/// Counts the complete seconds from the start of 1970 to a date, or what else it is told to count.
#[node(
    id = "date.toUnix",
    aliases = ["date.to_unix"],
    effect = "pure",
    tags = ["date", "unix"],
    example(
        title = "seconds",
        input = r#"{"value": "2024-02-29T12:30:00.5Z"}"#,
        output = r#"{"result": 1709209800}"#
    ),
    example(
        title = "milliseconds",
        input = r#"{"value": "2024-02-29T12:30:00.5Z", "unit": "milliseconds"}"#,
        output = r#"{"result": 1709209800500}"#
    )
)]
pub(crate) fn to_unix(input: ToUnix<'_>) -> NodeResult<Answer<i64>> {
    let zone = wanted(input.timezone)?;
    let at = input.value.read("value", zone.as_ref())?.timestamp();
    let tick = input.unit.unwrap_or(Tick::Seconds).nanoseconds();
    let count = i64::try_from(at.as_nanosecond().div_euclid(i128::from(tick)));
    let count =
        count.map_err(|_| NodeError::invalid("unit", "is too small for that date: count larger ones"))?;
    Ok(answer(count))
}
