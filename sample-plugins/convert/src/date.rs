//! Dates as texts.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, shown};
use plugin_api::value::Kind;

use crate::calendar::Moment;
use crate::text::Convert;

/// The moment that a value says; nothing where it says none.
fn moment(value: ValueRef<'_>) -> NodeResult<Option<Moment>> {
    match value.kind() {
        Kind::Null => Ok(None),
        Kind::Str => Ok(value.as_str().and_then(Moment::read)),
        Kind::I64 => Ok(value.as_i64().and_then(Moment::at)),
        // The cast saturates, and the ends of its range are no dates.
        Kind::F64 => Ok(value.as_f64().and_then(|float| Moment::at(float as i64))),
        Kind::Bool | Kind::Bytes | Kind::List | Kind::Map => {
            let why = format_args!(
                "expected a date as text or in milliseconds, found {}",
                shown(value)
            );
            Err(NodeError::invalid("value", why))
        }
    }
}

/// A date that was read.
#[output]
pub(crate) struct ParsedDate {
    /// The date as ISO 8601 in UTC; null where there is none.
    result: Option<String>,
    /// Whether there is a date.
    valid: bool,
    /// Milliseconds since the start of 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
}

/// Reads a date: ISO 8601, RFC 2822, the forms that `convert.formatDate` gives, or milliseconds since 1970.
#[node(
    id = "convert.parseDate",
    aliases = ["convert.parse_date"],
    effect = "pure",
    tags = ["date"],
    example(
        title = "a date",
        input = r#"{"value": "2024-02-29T13:30:00+01:00"}"#,
        output = r#"{"result": "2024-02-29T12:30:00.000Z", "valid": true, "timestamp": 1709209800000}"#
    ),
    example(title = "none", input = r#"{"value": "nonsense"}"#, output = r#"{"result": null, "valid": false}"#)
)]
pub(crate) fn parse_date(input: Convert<'_>) -> NodeResult<ParsedDate> {
    let moment = moment(input.value())?;
    Ok(ParsedDate {
        result: moment.map(Moment::iso),
        valid: moment.is_some(),
        timestamp: moment.map(Moment::milliseconds),
    })
}

#[parameters]
pub(crate) struct FormatDate<'a> {
    /// The date, as text or in milliseconds since 1970.
    #[serde(default)]
    value: Any<'a>,
    /// One of iso, date, time, timestamp, unix, locale, localeDate, localeTime; any other word means iso.
    #[serde(default)]
    #[schemars(extend("default" = "iso"))]
    format: Option<&'a str>,
}

/// Writes a date as text, in UTC and as in the US; null where there is none.
#[node(
    id = "convert.formatDate",
    aliases = ["convert.format_date"],
    effect = "pure",
    tags = ["date"],
    example(
        title = "for people",
        input = r#"{"value": "2024-02-29T12:30:00Z", "format": "locale"}"#,
        output = r#"{"result": "2/29/2024, 12:30:00 PM"}"#
    ),
    example(
        title = "for machines",
        input = r#"{"value": 1709209800000}"#,
        output = r#"{"result": "2024-02-29T12:30:00.000Z"}"#
    )
)]
pub(crate) fn format_date(input: FormatDate<'_>) -> NodeResult<Answer<Option<String>>> {
    let Some(moment) = moment(input.value.0)? else {
        return Ok(answer(None));
    };
    let pattern = match input.format.unwrap_or("iso") {
        "timestamp" => return Ok(answer(Some(moment.milliseconds().to_string()))),
        "unix" => return Ok(answer(Some(moment.seconds().to_string()))),
        "date" => "%a %b %d %Y",
        "time" => "%H:%M:%S GMT+0000 (Coordinated Universal Time)",
        "locale" => "%-m/%-d/%Y, %-I:%M:%S %p",
        "localeDate" => "%-m/%-d/%Y",
        "localeTime" => "%-I:%M:%S %p",
        _ => return Ok(answer(Some(moment.iso()))),
    };
    Ok(answer(Some(moment.written(pattern))))
}
