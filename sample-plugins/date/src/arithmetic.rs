//! Adding to a date, and the time between two.

use jiff::fmt::temporal::SpanParser;
use jiff::{Span, Unit as Jiff, Zoned};
use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Number, Whole};

use crate::moment::{When, beyond, iso};
use crate::unit::Unit;
use crate::zone::wanted;

/// Exact in a float.
const MAX_EXACT: i128 = 1 << 53;

#[parameters]
#[schemars(extend("anyOf" = [{ "required": ["amount", "unit"] }, { "required": ["duration"] }]))]
pub(crate) struct Shift<'a> {
    /// The date.
    value: When<'a>,
    /// How many units; a negative number goes the other way.
    #[serde(default)]
    amount: Option<Whole>,
    /// The unit. Days and longer ones are of the calendar: the time of day stays, and a day that the month does not have
    /// becomes its last.
    #[serde(default)]
    unit: Option<Unit>,
    /// Instead of `amount` and `unit`: a duration of ISO 8601 such as `P1M3DT12H`.
    #[serde(default)]
    #[schemars(length(max = 100))]
    duration: Option<&'a str>,
    /// The zone whose calendar counts; the one that the date names, else UTC, when missing.
    #[serde(default, alias = "timeZone", alias = "tz")]
    #[schemars(length(max = 64))]
    timezone: Option<&'a str>,
}

/// The longest text that is read as a duration.
const MAX_DURATION: usize = 100;

impl Shift<'_> {
    /// What to add, and the parameter that says so.
    fn span(&self) -> NodeResult<(Span, &'static str)> {
        let missing = |parameter| NodeError::invalid(parameter, "is missing");
        let Some(duration) = self.duration else {
            let amount = self.amount.ok_or_else(|| missing("amount"))?;
            let unit = self.unit.ok_or_else(|| missing("unit"))?;
            let span = unit.times(amount.0);
            return Ok((span.ok_or_else(|| beyond("amount", "the result"))?, "amount"));
        };
        if self.amount.is_some() || self.unit.is_some() {
            let why = "give either `amount` and `unit` or `duration`";
            return Err(NodeError::invalid("duration", why));
        }
        if duration.len() > MAX_DURATION {
            let why = format_args!("is longer than {MAX_DURATION} bytes");
            return Err(NodeError::invalid("duration", why));
        }
        let span = SpanParser::new().parse_span(duration).map_err(|error| {
            let why = format_args!("is no duration such as P1DT12H: {error}");
            NodeError::invalid("duration", why)
        })?;
        Ok((span, "duration"))
    }

    fn by(
        self,
        direction: impl FnOnce(&Zoned, Span) -> Result<Zoned, jiff::Error>,
    ) -> NodeResult<Answer<String>> {
        let zone = wanted(self.timezone)?;
        let (span, parameter) = self.span()?;
        let start = self.value.read("value", zone.as_ref())?;
        let moved = direction(&start, span).map_err(|_| beyond(parameter, "the result"))?;
        Ok(answer(iso(&moved)))
    }
}

/// Gives the date that is later by an amount of time.
#[node(
    id = "date.add",
    effect = "pure",
    tags = ["date", "arithmetic"],
    example(
        title = "a month that is shorter",
        input = r#"{"value": "2024-01-31T12:00:00Z", "amount": 1, "unit": "months"}"#,
        output = r#"{"result": "2024-02-29T12:00:00Z"}"#
    ),
    example(
        title = "a day of 23 hours",
        input = r#"{"value": "2024-03-30T12:00:00", "amount": 1, "unit": "day", "timezone": "Europe/Berlin"}"#,
        output = r#"{"result": "2024-03-31T12:00:00+02:00"}"#
    ),
    example(
        title = "a duration",
        input = r#"{"value": "2024-02-28T12:00:00Z", "duration": "P1DT12H"}"#,
        output = r#"{"result": "2024-03-01T00:00:00Z"}"#
    )
)]
pub(crate) fn add(input: Shift<'_>) -> NodeResult<Answer<String>> {
    input.by(Zoned::checked_add)
}

/// Gives the date that is earlier by an amount of time.
#[node(
    id = "date.subtract",
    effect = "pure",
    tags = ["date", "arithmetic"],
    example(
        title = "two weeks",
        input = r#"{"value": "2024-03-01", "amount": 2, "unit": "weeks"}"#,
        output = r#"{"result": "2024-02-16T00:00:00Z"}"#
    ),
    example(
        title = "an hour and a half",
        input = r#"{"value": "2024-03-01T00:00:00+01:00", "duration": "PT1H30M"}"#,
        output = r#"{"result": "2024-02-29T22:30:00+01:00"}"#
    )
)]
pub(crate) fn subtract(input: Shift<'_>) -> NodeResult<Answer<String>> {
    input.by(Zoned::checked_sub)
}

#[parameters]
pub(crate) struct Diff<'a> {
    /// The date from which is counted.
    start: When<'a>,
    /// The date to which is counted; before `start` it gives a negative number.
    end: When<'a>,
    /// The unit.
    unit: Unit,
    /// Whether to give what is left over as a fraction of the unit, instead of dropping it.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    fraction: Option<Flag>,
    /// The zone whose days, months and years count; the one that `start` names, else UTC, when missing.
    #[serde(default, alias = "timeZone", alias = "tz")]
    #[schemars(length(max = 64))]
    timezone: Option<&'a str>,
}

/// Counts the units between two dates: those that are complete, unless told otherwise.
#[node(
    id = "date.diff",
    effect = "pure",
    tags = ["date", "arithmetic"],
    example(
        title = "complete days",
        input = r#"{"start": "2024-02-28T18:00:00Z", "end": "2024-03-01T12:00:00Z", "unit": "days"}"#,
        output = r#"{"result": 1}"#
    ),
    example(
        title = "with the fraction",
        input = r#"{"start": "2024-02-28T18:00:00Z", "end": "2024-03-01T12:00:00Z", "unit": "days", "fraction": true}"#,
        output = r#"{"result": 1.75}"#
    )
)]
pub(crate) fn diff(input: Diff<'_>) -> NodeResult<Answer<Number>> {
    let zone = wanted(input.timezone)?;
    let start = input.start.read("start", zone.as_ref())?;
    let end = input.end.read("end", zone.as_ref())?;
    let end = end.with_time_zone(start.time_zone().clone());
    let fraction = input.fraction == Some(Flag(true));
    let count = match input.unit.nanoseconds() {
        Some(unit) => exact(&start, &end, unit, fraction),
        None => calendar(&start, &end, input.unit, fraction)?,
    };
    Ok(answer(count))
}

fn exact(start: &Zoned, end: &Zoned, unit: i128, fraction: bool) -> Number {
    let between = end.timestamp().as_nanosecond() - start.timestamp().as_nanosecond();
    let (whole, rest) = (between / unit, between % unit);
    if !fraction || rest == 0 {
        // 20,000 years have fewer milliseconds than 64 bits can count.
        return Number::Int(i64::try_from(whole).unwrap_or(i64::MAX));
    }
    // Both are exact in a float alone, and so is their quotient while the whole difference is.
    Number::Float(if between.abs() < MAX_EXACT {
        between as f64 / unit as f64
    } else {
        whole as f64 + rest as f64 / unit as f64
    })
}

fn calendar(start: &Zoned, end: &Zoned, unit: Unit, fraction: bool) -> NodeResult<Number> {
    let (counted, size) = unit.counted();
    let failed = |error| NodeError::invalid("end", format_args!("cannot be counted to: {error}"));
    let span = start.until((counted, end)).map_err(failed)?;
    let count = match counted {
        Jiff::Year => i64::from(span.get_years()),
        Jiff::Month => i64::from(span.get_months()),
        Jiff::Week => i64::from(span.get_weeks()),
        _ => i64::from(span.get_days()),
    };
    if !fraction {
        return Ok(Number::Int(count / size));
    }
    let total = span.total((counted, start)).map_err(failed)?;
    Ok(Number::Float(total / size as f64))
}
