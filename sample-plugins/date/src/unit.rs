//! Units of time.

use std::borrow::Cow;

use jiff::{Span, Unit as Jiff};
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};

/// A unit of time. Days and longer ones are those of the calendar: a day is as long as its zone makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// Every unit, with its name; an `s` behind it makes no difference.
pub(crate) const UNITS: [(&str, Unit); 9] = [
    ("millisecond", Unit::Millisecond),
    ("second", Unit::Second),
    ("minute", Unit::Minute),
    ("hour", Unit::Hour),
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("quarter", Unit::Quarter),
    ("year", Unit::Year),
];

impl Unit {
    fn named(name: &str) -> Option<Self> {
        let singular = name.strip_suffix('s').unwrap_or(name);
        UNITS
            .iter()
            .find(|(unit, _)| *unit == singular)
            .map(|(_, unit)| *unit)
    }

    /// The unit of the calendar that this one is made of, and how many of those it is.
    pub(crate) const fn counted(self) -> (Jiff, i64) {
        match self {
            Self::Millisecond => (Jiff::Millisecond, 1),
            Self::Second => (Jiff::Second, 1),
            Self::Minute => (Jiff::Minute, 1),
            Self::Hour => (Jiff::Hour, 1),
            Self::Day => (Jiff::Day, 1),
            Self::Week => (Jiff::Week, 1),
            Self::Month => (Jiff::Month, 1),
            Self::Quarter => (Jiff::Month, 3),
            Self::Year => (Jiff::Year, 1),
        }
    }

    /// How many nanoseconds it has, where that is always the same.
    pub(crate) const fn nanoseconds(self) -> Option<i128> {
        match self {
            Self::Millisecond => Some(1_000_000),
            Self::Second => Some(1_000_000_000),
            Self::Minute => Some(60_000_000_000),
            Self::Hour => Some(3_600_000_000_000),
            Self::Day | Self::Week | Self::Month | Self::Quarter | Self::Year => None,
        }
    }

    /// So many of it; nothing where that is longer than all of time.
    pub(crate) fn times(self, amount: i64) -> Option<Span> {
        let (unit, size) = self.counted();
        let amount = amount.checked_mul(size)?;
        let span = Span::new();
        match unit {
            Jiff::Year => span.try_years(amount),
            Jiff::Month => span.try_months(amount),
            Jiff::Week => span.try_weeks(amount),
            Jiff::Day => span.try_days(amount),
            Jiff::Hour => span.try_hours(amount),
            Jiff::Minute => span.try_minutes(amount),
            Jiff::Second => span.try_seconds(amount),
            Jiff::Millisecond | Jiff::Microsecond | Jiff::Nanosecond => span.try_milliseconds(amount),
        }
        .ok()
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <&str>::deserialize(deserializer)?;
        Self::named(name).ok_or_else(|| {
            let known = UNITS.map(|(unit, _)| unit).join(", ");
            let shown = if name.len() > 40 { "a long text" } else { name };
            D::Error::custom(format_args!("`{shown}` is no unit; the units are {known}"))
        })
    }
}

impl JsonSchema for Unit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Unit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let plural = UNITS.map(|(unit, _)| format!("{unit}s"));
        let names: Vec<String> = plural
            .into_iter()
            .chain(UNITS.map(|(unit, _)| unit.to_owned()))
            .collect();
        json_schema!({ "type": "string", "enum": names })
    }
}
