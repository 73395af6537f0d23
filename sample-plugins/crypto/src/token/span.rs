//! Spans of time as tokens are given them.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::reading::{kind_name, shown};
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::decode;

/// A hundred years: longer is a mistake.
const MOST: i64 = 100 * 365 * 86_400;

/// A number of seconds: a whole number, or a text such as `90s`, `30m`, `24h`, `7d`, `2w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) i64);

impl Span {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits)?;
        let seconds = match unit.trim_start() {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return None,
        };
        number.parse::<i64>().ok()?.checked_mul(seconds).map(Self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let found = match value.as_str() {
            Some(text) => Self::read(text),
            None => decode::<i64>(value).ok().map(Self),
        };
        let Some(span) = found else {
            let found = if value.as_bool().is_some() {
                kind_name(value).to_owned()
            } else {
                shown(value)
            };
            let message = format_args!(
                "expected a number of seconds or a text such as `30m`, `24h` or `7d`, found {found}"
            );
            return Err(D::Error::custom(message));
        };
        if !(1..=MOST).contains(&span.0) {
            return Err(D::Error::custom("must be from one second to a hundred years"));
        }
        Ok(span)
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_seconds_or_has_a_unit() {
        let spans = [
            ("90", 90),
            ("90s", 90),
            ("30m", 1_800),
            (" 24 h ", 86_400),
            ("7d", 604_800),
            ("2w", 1_209_600),
        ];
        for (text, seconds) in spans {
            assert_eq!(Span::read(text), Some(Span(seconds)), "{text}");
        }
        for text in [
            "",
            "h",
            "-1h",
            "1.5h",
            "1h30m",
            "1y",
            "1 hour",
            "99999999999999999999s",
            "9999999999999999w",
        ] {
            assert_eq!(Span::read(text), None, "{text}");
        }
    }
}
