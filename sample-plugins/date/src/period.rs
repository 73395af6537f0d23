//! Where a unit of time begins and ends.

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Span, Zoned};
use plugin_api::prelude::*;

use crate::moment::{When, beyond, iso};
use crate::unit::Unit;
use crate::zone::wanted;

/// The day that a week begins with.
#[parameters]
#[derive(Clone, Copy, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WeekStart {
    /// Monday, as in ISO 8601.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday, as in much of the Middle East.
    Saturday,
    /// Sunday, as in the US.
    Sunday,
}

impl From<WeekStart> for Weekday {
    fn from(day: WeekStart) -> Self {
        match day {
            WeekStart::Monday => Self::Monday,
            WeekStart::Tuesday => Self::Tuesday,
            WeekStart::Wednesday => Self::Wednesday,
            WeekStart::Thursday => Self::Thursday,
            WeekStart::Friday => Self::Friday,
            WeekStart::Saturday => Self::Saturday,
            WeekStart::Sunday => Self::Sunday,
        }
    }
}

#[parameters]
pub(crate) struct Period<'a> {
    /// The date.
    value: When<'a>,
    /// The unit that it lies in.
    unit: Unit,
    /// The zone whose days and hours count; the one that the date names, else UTC, when missing.
    #[serde(default, alias = "timeZone", alias = "tz")]
    #[schemars(length(max = 64))]
    timezone: Option<&'a str>,
    /// The day that a week begins with.
    #[serde(default, alias = "week_start")]
    #[schemars(extend("default" = "monday"))]
    week_start: Option<WeekStart>,
}

impl Period<'_> {
    fn date(&self) -> NodeResult<Zoned> {
        self.value.read("value", wanted(self.timezone)?.as_ref())
    }

    fn first_day(&self) -> Weekday {
        self.week_start.map_or(Weekday::Monday, Into::into)
    }
}

/// Gives the first moment of the hour, day, week, month, … that a date lies in.
#[node(
    id = "date.startOf",
    aliases = ["date.start_of"],
    effect = "pure",
    tags = ["date", "calendar"],
    example(
        title = "a week",
        input = r#"{"value": "2024-02-29T12:30:00Z", "unit": "week"}"#,
        output = r#"{"result": "2024-02-26T00:00:00Z"}"#
    ),
    example(
        title = "a month somewhere else",
        input = r#"{"value": "2024-03-31T23:00:00Z", "unit": "month", "timezone": "Europe/Berlin"}"#,
        output = r#"{"result": "2024-04-01T00:00:00+02:00"}"#
    )
)]
pub(crate) fn start_of(input: Period<'_>) -> NodeResult<Answer<String>> {
    let start = start(&input.date()?, input.unit, input.first_day());
    Ok(answer(iso(&start.ok_or_else(|| beyond("value", "the result"))?)))
}

/// Gives the last millisecond of the hour, day, week, month, … that a date lies in.
#[node(
    id = "date.endOf",
    aliases = ["date.end_of"],
    effect = "pure",
    tags = ["date", "calendar"],
    example(
        title = "a leap month",
        input = r#"{"value": "2024-02-03", "unit": "month"}"#,
        output = r#"{"result": "2024-02-29T23:59:59.999Z"}"#
    ),
    example(
        title = "a week that begins with Sunday",
        input = r#"{"value": "2024-02-29", "unit": "week", "weekStart": "sunday"}"#,
        output = r#"{"result": "2024-03-02T23:59:59.999Z"}"#
    )
)]
pub(crate) fn end_of(input: Period<'_>) -> NodeResult<Answer<String>> {
    let end = end(&input.date()?, input.unit, input.first_day());
    Ok(answer(iso(&end.ok_or_else(|| beyond("value", "the result"))?)))
}

/// The first moment of the unit, unless that is before all of time.
pub(crate) fn start(date: &Zoned, unit: Unit, first_day: Weekday) -> Option<Zoned> {
    if let Some(length) = unit.nanoseconds() {
        // By the clock on the wall, so that hours begin with minute 0 where offsets have half hours; and back from the
        // date, so that an hour that comes twice begins in the same pass.
        let time = date.time();
        let seconds =
            i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
        let since_midnight = i128::from(seconds) * 1_000_000_000 + i128::from(time.subsec_nanosecond());
        let into = i64::try_from(since_midnight % length).ok()?;
        return date.checked_sub(SignedDuration::from_nanos(into)).ok();
    }
    let zone = date.time_zone().clone();
    first_date(date.date(), unit, first_day)?.to_zoned(zone).ok()
}

/// The last millisecond of the unit, unless that is after all of time.
fn end(date: &Zoned, unit: Unit, first_day: Weekday) -> Option<Zoned> {
    let start = start(date, unit, first_day)?;
    let millisecond = SignedDuration::from_millis(1);
    if unit.nanoseconds().is_some() {
        let length = unit.times(1)?;
        return start.checked_add(length).ok()?.checked_sub(millisecond).ok();
    }
    let first = first_date(date.date(), unit, first_day)?;
    let next = first.checked_add(unit.times(1)?).ok()?;
    let next = next.to_zoned(date.time_zone().clone()).ok()?;
    next.checked_sub(millisecond).ok()
}

fn first_date(date: Date, unit: Unit, first_day: Weekday) -> Option<Date> {
    let into_week = i64::from(first_day.until(date.weekday()));
    match unit {
        Unit::Year => Some(date.first_of_year()),
        Unit::Quarter => {
            let month = (date.month() - 1) / 3 * 3 + 1;
            Date::new(date.year(), month, 1).ok()
        }
        Unit::Month => Some(date.first_of_month()),
        Unit::Week => date.checked_sub(Span::new().try_days(into_week).ok()?).ok(),
        _ => Some(date),
    }
}
