//! Dates in other forms than ISO 8601: by name, or by the directives of `strftime`.

use std::borrow::Cow;

use jiff::Zoned;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::fmt::strtime::{self, BrokenDownTime, Config, PosixCustom};
use jiff::tz::TimeZone;
use plugin_api::prelude::*;
use plugin_api::reading::Any;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};

use crate::moment::{MAX_BYTES, Spelt, When, iso, milliseconds};
use crate::zone::{named, wanted};

/// No pattern is longer: a directive of two bytes may write twenty.
const MAX_PATTERN: usize = 200;

/// The forms that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Iso,
    Date,
    Time,
    DateTime,
    Unix,
    Timestamp,
    Rfc2822,
    Http,
}

const FORMS: [(&str, Form); 8] = [
    ("iso", Form::Iso),
    ("date", Form::Date),
    ("time", Form::Time),
    ("datetime", Form::DateTime),
    ("unix", Form::Unix),
    ("timestamp", Form::Timestamp),
    ("rfc2822", Form::Rfc2822),
    ("http", Form::Http),
];

/// How a date is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format<'a> {
    Named(Form),
    Pattern(&'a str),
}

impl<'de: 'a, 'a> Deserialize<'de> for Format<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        if text.len() > MAX_PATTERN {
            return Err(D::Error::custom(format_args!(
                "the format is longer than {MAX_PATTERN} bytes"
            )));
        }
        if let Some((_, form)) = FORMS.iter().find(|(name, _)| *name == text) {
            return Ok(Self::Named(*form));
        }
        if text.contains('%') {
            return Ok(Self::Pattern(text));
        }
        let known = FORMS.map(|(name, _)| name).join(", ");
        Err(D::Error::custom(format_args!(
            "`{text}` is no format; give one of {known}, or a pattern such as %Y-%m-%d"
        )))
    }
}

impl JsonSchema for Format<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Format".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = FORMS.map(|(name, _)| name).join("|");
        json_schema!({ "type": "string", "pattern": format!("^({names})$|%"), "maxLength": MAX_PATTERN })
    }
}

/// A date in a form.
pub(crate) fn written(zoned: &Zoned, format: Format<'_>) -> NodeResult<String> {
    let pattern = match format {
        Format::Named(Form::Iso) => return Ok(iso(zoned)),
        Format::Named(Form::Unix) => return Ok(milliseconds(zoned).div_euclid(1000).to_string()),
        Format::Named(Form::Timestamp) => return Ok(milliseconds(zoned).to_string()),
        Format::Named(Form::Rfc2822) => return mail(DateTimePrinter::new().zoned_to_string(zoned)),
        Format::Named(Form::Http) => {
            return mail(DateTimePrinter::new().timestamp_to_rfc9110_string(&zoned.timestamp()));
        }
        Format::Named(Form::Date) => "%Y-%m-%d",
        Format::Named(Form::Time) => "%H:%M:%S",
        Format::Named(Form::DateTime) => "%Y-%m-%d %H:%M:%S",
        Format::Pattern(pattern) => pattern,
    };
    let english = Config::new().custom(PosixCustom::new());
    BrokenDownTime::from(zoned)
        .to_string_with_config(&english, pattern)
        .map_err(|error| NodeError::invalid("format", error))
}

fn mail(written: Result<String, jiff::Error>) -> NodeResult<String> {
    // The one reason: mail and HTTP know no year before 0.
    written.map_err(|error| NodeError::invalid("value", format_args!("cannot be written so: {error}")))
}

#[parameters]
pub(crate) struct FormatDate<'a> {
    /// The date.
    value: When<'a>,
    /// `iso`, `date` (2024-02-29), `time` (12:30:00), `datetime` (2024-02-29 12:30:00), `unix` (seconds since 1970),
    /// `timestamp` (milliseconds), `rfc2822`, `http`, or a pattern of `strftime` such as `%d.%m.%Y %H:%M`, with English
    /// names.
    #[serde(default)]
    #[schemars(extend("default" = "iso"))]
    format: Option<Format<'a>>,
    /// The zone to write it in; the one that the date names, else UTC, when missing.
    #[serde(default, alias = "timeZone", alias = "tz")]
    #[schemars(length(max = 64))]
    timezone: Option<&'a str>,
}

/// Writes a date as text.
#[node(
    id = "date.format",
    effect = "pure",
    tags = ["date", "text"],
    example(
        title = "a pattern",
        input = r#"{"value": "2024-02-29T12:30:00Z", "format": "%A, %-d %B %Y"}"#,
        output = r#"{"result": "Thursday, 29 February 2024"}"#
    ),
    example(
        title = "by name, in another zone",
        input = r#"{"value": 1709209800, "format": "datetime", "timezone": "Asia/Tokyo"}"#,
        output = r#"{"result": "2024-02-29 21:30:00"}"#
    )
)]
pub(crate) fn format(input: FormatDate<'_>) -> NodeResult<Answer<String>> {
    let zone = wanted(input.timezone)?;
    let zoned = input.value.read("value", zone.as_ref())?;
    Ok(answer(written(
        &zoned,
        input.format.unwrap_or(Format::Named(Form::Iso)),
    )?))
}

#[parameters]
pub(crate) struct Parse<'a> {
    /// The date: ISO 8601 or RFC 2822, or a number (seconds below 100,000,000,000, milliseconds from there); with
    /// `format` a text of that form.
    value: When<'a>,
    /// The form of the text, as a pattern of `strptime` such as `%d.%m.%Y`.
    #[serde(default)]
    #[schemars(length(max = 200), regex(pattern = "%"))]
    format: Option<&'a str>,
    /// The zone that a text without an offset is meant in, UTC when missing; the result is written in it.
    #[serde(default, alias = "timeZone", alias = "tz")]
    #[schemars(length(max = 64))]
    timezone: Option<&'a str>,
}

impl Parse<'_> {
    fn read(&self, zone: Option<&TimeZone>) -> NodeResult<Zoned> {
        let Some(pattern) = self.format else {
            return self.value.read("value", zone);
        };
        if pattern.len() > MAX_PATTERN || !pattern.contains('%') {
            let why = format_args!("must be a pattern of at most {MAX_PATTERN} bytes, such as %Y-%m-%d");
            return Err(NodeError::invalid("format", why));
        }
        let text = self
            .value
            .text()
            .ok_or_else(|| NodeError::invalid("value", "must be a text where `format` is given"))?;
        if text.len() > MAX_BYTES {
            let why = format_args!("is no date: it is longer than {MAX_BYTES} bytes");
            return Err(NodeError::invalid("value", why));
        }
        let spelt = spelt_as(pattern, text).map_err(|why| NodeError::invalid("value", why))?;
        spelt
            .resolve(zone)
            .map_err(|why| NodeError::invalid("value", format_args!("{text:?} {why}")))
    }
}

/// Takes a text apart by a pattern. What it says nothing of is midnight.
fn spelt_as(pattern: &str, text: &str) -> Result<Spelt, String> {
    let does_not = |error: jiff::Error| format!("{text:?} does not fit the format: {error}");
    let parts = strtime::parse(pattern, text).map_err(does_not)?;
    let zone = match parts.iana_time_zone() {
        None => None,
        Some(name) => Some(named(name).ok_or_else(|| format!("{text:?} names a time zone that is unknown"))?),
    };
    if let Some(at) = parts.timestamp() {
        let zone = zone.unwrap_or(TimeZone::UTC);
        return Ok(Spelt {
            offset: Some(zone.to_offset(at)),
            local: zone.to_datetime(at),
            offset_binds: true,
            zone: Some(zone),
        });
    }
    Ok(Spelt {
        local: parts
            .to_date()
            .map_err(does_not)?
            .to_datetime(parts.to_time().map_err(does_not)?),
        offset: parts.offset(),
        offset_binds: true,
        zone,
    })
}

/// A date that was read.
#[output]
pub(crate) struct ParsedDate {
    /// The date as ISO 8601.
    result: String,
    /// Milliseconds since the start of 1970, rounded down.
    timestamp: i64,
}

/// Reads a date; a text that is none is an error. `date.isValid` asks beforehand.
#[node(
    id = "date.parse",
    effect = "pure",
    tags = ["date", "text"],
    example(
        title = "local time",
        input = r#"{"value": "2024-02-29 13:30", "timezone": "Europe/Berlin"}"#,
        output = r#"{"result": "2024-02-29T13:30:00+01:00", "timestamp": 1709209800000}"#
    ),
    example(
        title = "a pattern",
        input = r#"{"value": "29.2.2024", "format": "%d.%m.%Y"}"#,
        output = r#"{"result": "2024-02-29T00:00:00Z", "timestamp": 1709164800000}"#
    )
)]
pub(crate) fn parse(input: Parse<'_>) -> NodeResult<ParsedDate> {
    let zoned = input.read(wanted(input.timezone)?.as_ref())?;
    Ok(ParsedDate {
        result: iso(&zoned),
        timestamp: milliseconds(&zoned),
    })
}

#[parameters]
pub(crate) struct IsValid<'a> {
    /// What may be a date.
    #[serde(default)]
    value: Any<'a>,
    /// The form of the text, as a pattern of `strptime` such as `%d.%m.%Y`.
    #[serde(default)]
    #[schemars(length(max = 200), regex(pattern = "%"))]
    format: Option<&'a str>,
}

/// Says whether `date.parse` can read a value as a date.
#[node(
    id = "date.isValid",
    aliases = ["date.is_valid"],
    effect = "pure",
    tags = ["date", "check"],
    example(title = "a leap day", input = r#"{"value": "2024-02-29"}"#, output = r#"{"result": true}"#),
    example(title = "no leap year", input = r#"{"value": "2023-02-29"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn is_valid(input: IsValid<'_>) -> NodeResult<Answer<bool>> {
    let Some(value) = When::of(input.value.0) else {
        return Ok(answer(false));
    };
    let parse = Parse {
        value,
        format: input.format,
        timezone: None,
    };
    match parse.read(None) {
        Ok(_) => Ok(answer(true)),
        Err(error) if error.message.starts_with("parameter `format`") => Err(error),
        Err(_) => Ok(answer(false)),
    }
}
