//! What the calendar says of a date.

use jiff::Zoned;
use jiff::civil::Weekday;
use plugin_api::prelude::*;

use crate::moment::When;
use crate::zone::wanted;

#[parameters]
pub(crate) struct Seen<'a> {
    /// The date.
    value: When<'a>,
    /// The zone to see it in; the one that the date names, else UTC, when missing.
    #[serde(default, alias = "timeZone", alias = "tz")]
    #[schemars(length(max = 64))]
    timezone: Option<&'a str>,
}

impl Seen<'_> {
    fn date(&self) -> NodeResult<Zoned> {
        self.value.read("value", wanted(self.timezone)?.as_ref())
    }
}

/// A day of the week.
#[output]
pub(crate) struct DayOfWeek {
    /// Its English name.
    result: &'static str,
    /// Its number in the week, from 1, Monday, to 7, Sunday.
    number: i8,
}

/// Gives the day of the week.
#[node(
    id = "date.weekday",
    effect = "pure",
    tags = ["date", "calendar"],
    example(
        title = "a leap day",
        input = r#"{"value": "2024-02-29"}"#,
        output = r#"{"result": "Thursday", "number": 4}"#
    ),
    example(
        title = "the next day somewhere else",
        input = r#"{"value": "2024-02-29T23:00:00Z", "timezone": "Asia/Tokyo"}"#,
        output = r#"{"result": "Friday", "number": 5}"#
    )
)]
pub(crate) fn weekday(input: Seen<'_>) -> NodeResult<DayOfWeek> {
    let day = input.date()?.weekday();
    Ok(DayOfWeek {
        result: name(day),
        number: day.to_monday_one_offset(),
    })
}

const fn name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// A date in its parts.
#[output]
pub(crate) struct Parts {
    /// The year.
    year: i16,
    /// The quarter of the year, from 1.
    quarter: i8,
    /// The month, from 1.
    month: i8,
    /// The day of the month, from 1.
    day: i8,
    /// The hour, from 0 to 23.
    hour: i8,
    /// The minute.
    minute: i8,
    /// The second.
    second: i8,
    /// The millisecond.
    millisecond: i16,
    /// The day of the week, from 1, Monday, to 7, Sunday.
    weekday: i8,
    /// The day of the year, from 1.
    day_of_year: i16,
    /// The week of ISO 8601, from 1.
    week: i8,
    /// The year that this week belongs to.
    week_year: i16,
    /// How many days the month has.
    days_in_month: i8,
    /// Whether the year has a leap day.
    leap_year: bool,
    /// By how many minutes the clock is ahead of UTC, rounded down.
    offset_minutes: i32,
    /// The name of the zone, or its offset where it has none.
    timezone: String,
}

/// Takes a date apart into year, month, day and so on.
#[node(
    id = "date.parts",
    effect = "pure",
    tags = ["date", "calendar"],
    example(
        title = "a leap day",
        input = r#"{"value": "2024-02-29T12:30:45.678Z"}"#,
        output = r#"{"result": {
            "year": 2024, "quarter": 1, "month": 2, "day": 29,
            "hour": 12, "minute": 30, "second": 45, "millisecond": 678,
            "weekday": 4, "dayOfYear": 60, "week": 9, "weekYear": 2024,
            "daysInMonth": 29, "leapYear": true, "offsetMinutes": 0, "timezone": "UTC"
        }}"#
    ),
    example(
        title = "a week of next year",
        input = r#"{"value": "2024-12-31T00:00:00", "timezone": "asia/kolkata"}"#,
        output = r#"{"result": {
            "year": 2024, "quarter": 4, "month": 12, "day": 31,
            "hour": 0, "minute": 0, "second": 0, "millisecond": 0,
            "weekday": 2, "dayOfYear": 366, "week": 1, "weekYear": 2025,
            "daysInMonth": 31, "leapYear": true, "offsetMinutes": 330, "timezone": "Asia/Kolkata"
        }}"#
    )
)]
pub(crate) fn parts(input: Seen<'_>) -> NodeResult<Answer<Parts>> {
    let date = input.date()?;
    let week = date.date().iso_week_date();
    let zone = date.time_zone().iana_name();
    Ok(answer(Parts {
        year: date.year(),
        quarter: (date.month() - 1) / 3 + 1,
        month: date.month(),
        day: date.day(),
        hour: date.hour(),
        minute: date.minute(),
        second: date.second(),
        millisecond: date.millisecond(),
        weekday: date.weekday().to_monday_one_offset(),
        day_of_year: date.day_of_year(),
        week: week.week(),
        week_year: week.year(),
        days_in_month: date.days_in_month(),
        leap_year: date.in_leap_year(),
        offset_minutes: date.offset().seconds().div_euclid(60),
        timezone: zone.map_or_else(|| date.offset().to_string(), str::to_owned),
    }))
}
