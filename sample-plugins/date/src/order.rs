//! Which of two dates comes first.

use std::cmp::Ordering;

use jiff::civil::Weekday;
use plugin_api::prelude::*;

use crate::moment::{When, beyond};
use crate::period::start;
use crate::unit::Unit;
use crate::zone::wanted;

#[parameters]
pub(crate) struct Pair<'a> {
    /// The first date.
    a: When<'a>,
    /// The second date.
    b: When<'a>,
    /// Compare the hours, days, months, … that they lie in, instead of the points in time. Weeks begin with Monday.
    #[serde(default)]
    unit: Option<Unit>,
    /// The zone whose days and hours count; the one that `a` names, else UTC, when missing. It matters to dates without
    /// an offset and to `unit`.
    #[serde(default, alias = "timeZone", alias = "tz")]
    #[schemars(length(max = 64))]
    timezone: Option<&'a str>,
}

impl Pair<'_> {
    fn order(self) -> NodeResult<Ordering> {
        let zone = wanted(self.timezone)?;
        let a = self.a.read("a", zone.as_ref())?;
        let b = self.b.read("b", zone.as_ref())?;
        let Some(unit) = self.unit else {
            return Ok(a.timestamp().cmp(&b.timestamp()));
        };
        let b = b.with_time_zone(a.time_zone().clone());
        let start = |parameter, date| {
            start(date, unit, Weekday::Monday).ok_or_else(|| beyond(parameter, "the start of its unit"))
        };
        Ok(start("a", &a)?.timestamp().cmp(&start("b", &b)?.timestamp()))
    }
}

/// Gives -1 when the first of two dates is earlier, 1 when it is later, else 0.
#[node(
    id = "date.compare",
    effect = "pure",
    tags = ["date", "order"],
    example(
        title = "earlier",
        input = r#"{"a": "2024-02-28", "b": "2024-02-29"}"#,
        output = r#"{"result": -1}"#
    ),
    example(
        title = "the same moment in two zones",
        input = r#"{"a": "2024-02-29T12:00:00Z", "b": "2024-02-29T13:00:00+01:00"}"#,
        output = r#"{"result": 0}"#
    )
)]
pub(crate) fn compare(input: Pair<'_>) -> NodeResult<Answer<i64>> {
    Ok(answer(match input.order()? {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

/// Says whether the first of two dates is earlier.
#[node(
    id = "date.isBefore",
    aliases = ["date.is_before"],
    effect = "pure",
    tags = ["date", "order"],
    example(title = "it is", input = r#"{"a": "2024-02-28", "b": "2024-02-29"}"#, output = r#"{"result": true}"#),
    example(
        title = "not by day",
        input = r#"{"a": "2024-02-29T08:00:00Z", "b": "2024-02-29T09:00:00Z", "unit": "day"}"#,
        output = r#"{"result": false}"#
    )
)]
pub(crate) fn is_before(input: Pair<'_>) -> NodeResult<Answer<bool>> {
    Ok(answer(input.order()?.is_lt()))
}

/// Says whether the first of two dates is later.
#[node(
    id = "date.isAfter",
    aliases = ["date.is_after"],
    effect = "pure",
    tags = ["date", "order"],
    example(title = "it is", input = r#"{"a": "2024-03-01", "b": "2024-02-29"}"#, output = r#"{"result": true}"#),
    example(title = "the same", input = r#"{"a": "2024-03-01", "b": "2024-03-01"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn is_after(input: Pair<'_>) -> NodeResult<Answer<bool>> {
    Ok(answer(input.order()?.is_gt()))
}

/// Says whether two dates are the same point in time, or lie in the same unit.
#[node(
    id = "date.isSame",
    aliases = ["date.is_same"],
    effect = "pure",
    tags = ["date", "order"],
    example(
        title = "the same month",
        input = r#"{"a": "2024-02-01", "b": "2024-02-29", "unit": "month"}"#,
        output = r#"{"result": true}"#
    ),
    example(
        title = "another second",
        input = r#"{"a": "2024-02-29T12:00:00Z", "b": "2024-02-29T12:00:01Z"}"#,
        output = r#"{"result": false}"#
    )
)]
pub(crate) fn is_same(input: Pair<'_>) -> NodeResult<Answer<bool>> {
    Ok(answer(input.order()?.is_eq()))
}
