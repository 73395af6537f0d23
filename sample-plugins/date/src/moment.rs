//! Reading dates and writing them.

use std::borrow::Cow;
use std::fmt::Display;

use jiff::civil::{DateTime, Time};
use jiff::fmt::rfc2822;
use jiff::fmt::temporal::{DateTimeParser, PiecesOffset, TimeZoneAnnotation, TimeZoneAnnotationKind};
use jiff::tz::{Offset, OffsetRound, TimeZone};
use jiff::{RoundMode, Timestamp, Unit, Zoned};
use plugin_api::prelude::*;
use plugin_api::reading::shown;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::Kind;

use crate::zone::{named, within_a_day};

/// No date that is meant is written with more bytes.
pub(crate) const MAX_BYTES: usize = 100;

/// Numbers below this size are seconds since 1970, the others milliseconds: as seconds it is in the year 5138, as
/// milliseconds in 1973.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

const OUT_OF_RANGE: &str = "is out of range: dates go from -009999-01-02T02:00Z to 9999-12-30T22:00Z";

/// A parameter that is a date.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When<'a>(ValueRef<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for When<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let wrong = || {
            D::Error::custom(format_args!(
                "expected a date as text or number, found {}",
                shown(value)
            ))
        };
        Self::of(value).ok_or_else(wrong)
    }
}

impl JsonSchema for When<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"], "maxLength": MAX_BYTES })
    }
}

impl<'a> When<'a> {
    /// The value, if its type is that of a date.
    pub(crate) fn of(value: ValueRef<'a>) -> Option<Self> {
        matches!(value.kind(), Kind::Str | Kind::I64 | Kind::F64).then_some(Self(value))
    }

    /// The date, seen in `zone` if there is one, else in the zone that it names, else in UTC.
    pub(crate) fn read(self, parameter: &str, zone: Option<&TimeZone>) -> NodeResult<Zoned> {
        let value = self.0;
        let read = match value.as_str() {
            Some(text) => read_text(text.trim(), zone),
            None => read_number(value).map(|at| at.to_zoned(zone.cloned().unwrap_or(TimeZone::UTC))),
        };
        read.map_err(|why| NodeError::invalid(parameter, format_args!("{} {why}", shown(value))))
    }

    /// The text, where it is one.
    pub(crate) fn text(self) -> Option<&'a str> {
        self.0.as_str()
    }
}

/// A date as it is spelt, before it is known which point in time it is.
pub(crate) struct Spelt {
    /// What the clock shows.
    pub(crate) local: DateTime,
    /// By how much that clock is ahead of UTC.
    pub(crate) offset: Option<Offset>,
    /// Whether the zone has to have that offset then.
    pub(crate) offset_binds: bool,
    /// Where the clock hangs.
    pub(crate) zone: Option<TimeZone>,
}

impl Spelt {
    /// The point in time. A time that the clocks of a zone skip is moved on by as much as they are; of one that comes
    /// twice the first is meant.
    pub(crate) fn resolve(self, wanted: Option<&TimeZone>) -> Result<Zoned, String> {
        let out_of_range = |_| OUT_OF_RANGE.to_owned();
        let zoned = match self.offset {
            Some(offset) if !within_a_day(offset) => return Err("has an offset of a day or more".to_owned()),
            Some(offset) => {
                let at = offset.to_timestamp(self.local).map_err(out_of_range)?;
                match self.zone {
                    Some(zone) if self.offset_binds && zone.to_offset(at) != offset => {
                        return Err(format!(
                            "has an offset that is not that of its zone, {}",
                            zone.to_offset(at)
                        ));
                    }
                    Some(zone) => at.to_zoned(zone),
                    None => at.to_zoned(TimeZone::fixed(offset)),
                }
            }
            None => {
                let zone = self.zone.as_ref().or(wanted).cloned();
                self.local
                    .to_zoned(zone.unwrap_or(TimeZone::UTC))
                    .map_err(out_of_range)?
            }
        };
        Ok(match wanted {
            Some(zone) => zoned.with_time_zone(zone.clone()),
            None => zoned,
        })
    }
}

fn read_text(text: &str, wanted: Option<&TimeZone>) -> Result<Zoned, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("is no date: it is longer than {MAX_BYTES} bytes"));
    }
    let pieces = match DateTimeParser::new().parse_pieces(text) {
        Ok(pieces) => pieces,
        Err(error) => {
            let Ok(zoned) = rfc2822::parse(text) else {
                return Err(format!(
                    "is no date of ISO 8601, such as 2024-02-29T12:30:00Z, and none of RFC 2822: {error}"
                ));
            };
            return Ok(match wanted {
                Some(zone) => zoned.with_time_zone(zone.clone()),
                None => zoned,
            });
        }
    };
    let zone = match pieces.time_zone_annotation().map(TimeZoneAnnotation::kind) {
        None => None,
        Some(TimeZoneAnnotationKind::Offset(offset)) => Some(TimeZone::fixed(*offset)),
        Some(TimeZoneAnnotationKind::Named(name)) => {
            let unknown = || format!("names a time zone that is unknown, `{}`", name.as_str());
            Some(named(name.as_str()).ok_or_else(unknown)?)
        }
        Some(_) => return Err("names its time zone in a way that is not known here".to_owned()),
    };
    let spelt = Spelt {
        local: DateTime::from_parts(pieces.date(), pieces.time().unwrap_or(Time::midnight())),
        offset: pieces.to_numeric_offset(),
        // By RFC 9557, a `Z` says nothing of where the clock hangs.
        offset_binds: !matches!(pieces.offset(), Some(PiecesOffset::Zulu)),
        zone,
    };
    spelt.resolve(wanted)
}

fn read_number(value: ValueRef<'_>) -> Result<Timestamp, String> {
    let out_of_range = |_| OUT_OF_RANGE.to_owned();
    if let Some(integer) = value.as_i64() {
        let at = if integer.unsigned_abs() < FIRST_MILLISECONDS.unsigned_abs() {
            Timestamp::from_second(integer)
        } else {
            Timestamp::from_millisecond(integer)
        };
        return at.map_err(out_of_range);
    }
    let float = value
        .as_f64()
        .filter(|float| float.is_finite())
        .ok_or("is no finite number")?;
    let seconds = float.abs() < FIRST_MILLISECONDS as f64;
    at_microseconds(float * if seconds { 1e6 } else { 1e3 }).map_err(out_of_range)
}

/// The moment so many microseconds after the start of 1970, to the nearest one: below that a float in seconds says
/// nothing that was meant.
pub(crate) fn at_microseconds(float: f64) -> Result<Timestamp, jiff::Error> {
    // The cast saturates, and the ends of its range are no dates.
    Timestamp::from_microsecond(float.round() as i64)
}

/// As ISO 8601 in the date's own zone.
pub(crate) fn iso(zoned: &Zoned) -> String {
    let at = zoned.timestamp();
    if is_utc(zoned.time_zone()) {
        return at.to_string();
    }
    at.display_with_offset(whole_minutes(zoned.offset())).to_string()
}

/// ISO 8601 has no seconds in an offset, and local mean times of the 19th century do. What is written is the same point
/// in time by the nearest offset that can be written.
fn whole_minutes(offset: Offset) -> Offset {
    let round = OffsetRound::new()
        .smallest(Unit::Minute)
        .mode(RoundMode::HalfExpand);
    offset.round(round).unwrap_or(Offset::UTC)
}

fn is_utc(zone: &TimeZone) -> bool {
    *zone == TimeZone::UTC
}

/// Milliseconds since the start of 1970, rounded down.
pub(crate) fn milliseconds(zoned: &Zoned) -> i64 {
    let milliseconds = zoned.timestamp().as_nanosecond().div_euclid(1_000_000);
    i64::try_from(milliseconds).unwrap_or(i64::MAX)
}

/// What went beyond the years that a date can have.
pub(crate) fn beyond(parameter: &str, what: impl Display) -> NodeError {
    NodeError::invalid(parameter, format_args!("{what} {OUT_OF_RANGE}"))
}
