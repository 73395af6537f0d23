use crate::tests::{check, harness};

use super::*;

#[test]
fn adding_keeps_to_the_calendar_of_its_zone() {
    check::<add>(&[
        (
            r#"{"value": "2024-03-30T12:00:00+01:00", "amount": 1, "unit": "day"}"#,
            Ok(r#""2024-03-31T12:00:00+01:00""#),
        ),
        (
            r#"{"value": "2024-03-30T12:00:00+01:00[Europe/Berlin]", "amount": 1, "unit": "day"}"#,
            Ok(r#""2024-03-31T12:00:00+02:00""#),
        ),
        (
            r#"{"value": "2024-03-30T12:00:00+01:00[Europe/Berlin]", "amount": 24, "unit": "hours"}"#,
            Ok(r#""2024-03-31T13:00:00+02:00""#),
        ),
        (
            r#"{"value": "2024-03-30T02:30:00", "amount": 1, "unit": "days", "timezone": "Europe/Berlin"}"#,
            Ok(r#""2024-03-31T03:30:00+02:00""#),
        ),
        (
            r#"{"value": "2024-02-29", "amount": 1, "unit": "year"}"#,
            Ok(r#""2025-02-28T00:00:00Z""#),
        ),
        (
            r#"{"value": "2024-11-30", "amount": 1, "unit": "quarters"}"#,
            Ok(r#""2025-02-28T00:00:00Z""#),
        ),
        (
            r#"{"value": "2024-02-29", "amount": "-1", "unit": "millisecond"}"#,
            Ok(r#""2024-02-28T23:59:59.999Z""#),
        ),
        (
            r#"{"value": "2024-02-29", "amount": 2.0, "unit": "minutes"}"#,
            Ok(r#""2024-02-29T00:02:00Z""#),
        ),
        (
            r#"{"value": "2024-02-29", "duration": "-P1W"}"#,
            Ok(r#""2024-02-22T00:00:00Z""#),
        ),
        (
            r#"{"value": "2024-02-29", "amount": 0, "unit": "seconds"}"#,
            Ok(r#""2024-02-29T00:00:00Z""#),
        ),
        (
            r#"{"value": "2024-02-29", "unit": "seconds"}"#,
            Err("`amount`: is missing"),
        ),
        (
            r#"{"value": "2024-02-29", "amount": 1}"#,
            Err("`unit`: is missing"),
        ),
        (
            r#"{"value": "2024-02-29", "amount": 1.5, "unit": "hours"}"#,
            Err("`amount`"),
        ),
        (
            r#"{"value": "2024-02-29", "amount": "many", "unit": "hours"}"#,
            Err("`amount`"),
        ),
        (
            r#"{"value": "2024-02-29", "amount": 1, "unit": "fortnights"}"#,
            Err("`fortnights` is no unit"),
        ),
        (
            r#"{"value": "2024-02-29", "amount": 1, "unit": 7}"#,
            Err("`unit`"),
        ),
        (
            r#"{"value": "2024-02-29", "amount": 1, "unit": "days", "duration": "P1D"}"#,
            Err("`duration`: give either"),
        ),
        (
            r#"{"value": "2024-02-29", "duration": "1 day"}"#,
            Err("`duration`: is no duration"),
        ),
        (r#"{"value": "2024-02-29", "duration": 5}"#, Err("`duration`")),
        (
            r#"{"value": "2024-02-29", "amount": 9223372036854775807, "unit": "quarters"}"#,
            Err("`amount`: the result is out of range"),
        ),
        (
            r#"{"value": "2024-02-29", "amount": 9999, "unit": "years"}"#,
            Err("`amount`: the result is out of range"),
        ),
        (
            r#"{"value": "2024-02-29", "duration": "P9999Y"}"#,
            Err("`duration`: the result is out of range"),
        ),
        (
            r#"{"value": "2024-02-29", "amount": 1, "unit": "days", "timezone": ""}"#,
            Err("`timezone`"),
        ),
    ]);
    check::<subtract>(&[
        (
            r#"{"value": "2024-03-31", "amount": 1, "unit": "months"}"#,
            Ok(r#""2024-02-29T00:00:00Z""#),
        ),
        (
            r#"{"value": "2024-03-01", "amount": -9223372036854775808, "unit": "days"}"#,
            Err("`amount`"),
        ),
        (r#"{"value": "2024-03-01"}"#, Err("`amount`: is missing")),
        (
            r#"{"value": "0001-01-01", "amount": 20000, "unit": "years"}"#,
            Err("`amount`"),
        ),
    ]);
    let long = format!(r#"{{"value": 0, "duration": "P{}D"}}"#, "1".repeat(200));
    let error = harness().call::<add>(&long).unwrap_err();
    assert!(error.message.contains("`duration`: is longer than"), "{error}");
}

#[test]
fn the_time_between_two_dates_is_counted_in_complete_units() {
    check::<diff>(&[
        (
            r#"{"start": "2024-03-01", "end": "2024-02-29", "unit": "days"}"#,
            Ok("-1"),
        ),
        (
            r#"{"start": "2024-02-29", "end": "2024-02-29T23:59:59.999Z", "unit": "days"}"#,
            Ok("0"),
        ),
        (
            r#"{"start": "2024-02-29", "end": "2024-02-29T23:59:59.999Z", "unit": "milliseconds"}"#,
            Ok("86399999"),
        ),
        (
            r#"{"start": "2024-01-31", "end": "2024-02-29", "unit": "months"}"#,
            Ok("0"),
        ),
        (
            r#"{"start": "2024-01-15", "end": "2025-01-14", "unit": "years"}"#,
            Ok("0"),
        ),
        (
            r#"{"start": "2024-01-15", "end": "2025-01-15", "unit": "quarters"}"#,
            Ok("4"),
        ),
        (
            r#"{"start": "2024-01-15", "end": "2024-02-15", "unit": "weeks"}"#,
            Ok("4"),
        ),
        (
            r#"{"start": "2024-01-15", "end": "2024-03-01", "unit": "month", "fraction": true}"#,
            Ok("1.5172413793103448"),
        ),
        (
            r#"{"start": "2024-01-15", "end": "2024-07-15", "unit": "quarter", "fraction": true}"#,
            Ok("2"),
        ),
        (
            r#"{"start": 0, "end": "1970-01-01T01:30:00Z", "unit": "hours", "fraction": true}"#,
            Ok("1.5"),
        ),
        (
            r#"{"start": "2024-03-31T00:00:00", "end": "2024-04-01T00:00:00", "unit": "hours", "timezone": "Europe/Berlin"}"#,
            Ok("23"),
        ),
        (
            r#"{"start": "2024-03-31T00:00:00", "end": "2024-04-01T00:00:00", "unit": "days", "timezone": "Europe/Berlin"}"#,
            Ok("1"),
        ),
        (
            r#"{"start": "2024-02-28T23:30:00Z", "end": "2024-02-29T23:30:00+01:00", "unit": "days"}"#,
            Ok("0"),
        ),
        (
            r#"{"start": "-009999-01-03", "end": "9999-12-30", "unit": "milliseconds"}"#,
            Ok("631107072000000"),
        ),
        (r#"{"start": 0, "end": 1}"#, Err("`unit`")),
        (
            r#"{"start": 0, "end": 1, "unit": "day", "fraction": "yes"}"#,
            Err("`fraction`"),
        ),
        (
            r#"{"start": 0, "end": 1, "unit": "day", "timezone": "+25:00"}"#,
            Err("`timezone`"),
        ),
    ]);
}

#[test]
fn a_period_begins_and_ends_by_the_clock_of_its_zone() {
    check::<start_of>(&[
        (
            r#"{"value": "2024-02-29T12:34:56.789Z", "unit": "millisecond"}"#,
            Ok(r#""2024-02-29T12:34:56.789Z""#),
        ),
        (
            r#"{"value": "2024-02-29T12:34:56.7899Z", "unit": "milliseconds"}"#,
            Ok(r#""2024-02-29T12:34:56.789Z""#),
        ),
        (
            r#"{"value": "2024-02-29T12:34:56.789Z", "unit": "second"}"#,
            Ok(r#""2024-02-29T12:34:56Z""#),
        ),
        (
            r#"{"value": "2024-02-29T12:34:56.789Z", "unit": "minute"}"#,
            Ok(r#""2024-02-29T12:34:00Z""#),
        ),
        (
            r#"{"value": "2024-02-29T12:34:56.789Z", "unit": "hour", "timezone": "Asia/Kolkata"}"#,
            Ok(r#""2024-02-29T18:00:00+05:30""#),
        ),
        (
            r#"{"value": "2024-10-27T01:30:00Z", "unit": "hour", "timezone": "Europe/Berlin"}"#,
            Ok(r#""2024-10-27T02:00:00+01:00""#),
        ),
        (
            r#"{"value": "2024-10-27T00:30:00Z", "unit": "hour", "timezone": "Europe/Berlin"}"#,
            Ok(r#""2024-10-27T02:00:00+02:00""#),
        ),
        (
            r#"{"value": "2024-09-08T12:00:00-03:00", "unit": "day", "timezone": "America/Santiago"}"#,
            Ok(r#""2024-09-08T01:00:00-03:00""#),
        ),
        (
            r#"{"value": "2024-08-29", "unit": "quarter"}"#,
            Ok(r#""2024-07-01T00:00:00Z""#),
        ),
        (
            r#"{"value": "2024-08-29", "unit": "year"}"#,
            Ok(r#""2024-01-01T00:00:00Z""#),
        ),
        (
            r#"{"value": "2024-03-03", "unit": "week"}"#,
            Ok(r#""2024-02-26T00:00:00Z""#),
        ),
        (
            r#"{"value": "2024-03-03", "unit": "week", "weekStart": "sunday"}"#,
            Ok(r#""2024-03-03T00:00:00Z""#),
        ),
        (
            r#"{"value": "2024-03-03", "unit": "week", "week_start": "saturday"}"#,
            Ok(r#""2024-03-02T00:00:00Z""#),
        ),
        (
            r#"{"value": "2024-03-03", "unit": "week", "weekStart": "someday"}"#,
            Err("`weekStart`"),
        ),
        (
            r#"{"value": "-009999-03-03", "unit": "year"}"#,
            Err("`value`: the result is out of range"),
        ),
        (r#"{"value": "2024-03-03", "unit": "epoch"}"#, Err("`unit`")),
        (r#"{"value": "2024-03-03"}"#, Err("`unit`")),
        (
            r#"{"value": "2024-03-03", "unit": "day", "timezone": "Berlin"}"#,
            Err("`timezone`"),
        ),
    ]);
    check::<end_of>(&[
        (
            r#"{"value": "2024-02-29T12:34:56.789Z", "unit": "millisecond"}"#,
            Ok(r#""2024-02-29T12:34:56.789Z""#),
        ),
        (
            r#"{"value": "2024-02-29T12:34:56.789Z", "unit": "hour"}"#,
            Ok(r#""2024-02-29T12:59:59.999Z""#),
        ),
        (
            r#"{"value": "2024-10-27T12:00:00Z", "unit": "day", "timezone": "Europe/Berlin"}"#,
            Ok(r#""2024-10-27T23:59:59.999+01:00""#),
        ),
        (
            r#"{"value": "2024-09-07T12:00:00-04:00", "unit": "day", "timezone": "America/Santiago"}"#,
            Ok(r#""2024-09-07T23:59:59.999-04:00""#),
        ),
        (
            r#"{"value": "2024-11-30", "unit": "quarter"}"#,
            Ok(r#""2024-12-31T23:59:59.999Z""#),
        ),
        (
            r#"{"value": "2023-11-30", "unit": "year"}"#,
            Ok(r#""2023-12-31T23:59:59.999Z""#),
        ),
        (
            r#"{"value": "9999-12-01", "unit": "year"}"#,
            Err("`value`: the result is out of range: dates go from"),
        ),
        (r#"{"value": "2024-02-29", "unit": ""}"#, Err("`unit`")),
        (
            r#"{"value": "2024-02-29", "unit": "day", "weekStart": 1}"#,
            Err("`weekStart`"),
        ),
        (
            r#"{"value": "2024-02-29", "unit": "day", "timezone": "UTC+1"}"#,
            Err("`timezone`"),
        ),
    ]);
}

#[test]
fn order_is_of_points_in_time_or_of_units() {
    check::<compare>(&[
        (r#"{"a": 1709209800, "b": 1709209800000}"#, Ok("0")),
        (
            r#"{"a": "2024-02-29T12:00:00", "b": "2024-02-29T11:30:00Z", "timezone": "Europe/Berlin"}"#,
            Ok("-1"),
        ),
        (
            r#"{"a": "2024-12-31", "b": "2025-01-01", "unit": "week"}"#,
            Ok("0"),
        ),
        (
            r#"{"a": "2024-03-01", "b": "2024-02-29", "unit": "months"}"#,
            Ok("1"),
        ),
        (
            r#"{"a": "2024-03-01", "b": "2024-02-29", "unit": "moons"}"#,
            Err("`unit`"),
        ),
        (
            r#"{"a": "2024-03-01", "b": "2024-02-29", "timezone": "x"}"#,
            Err("`timezone`"),
        ),
    ]);
    check::<is_before>(&[
        (
            r#"{"a": "2024-02-29T23:00:00Z", "b": "2024-03-01T01:00:00+01:00"}"#,
            Ok("true"),
        ),
        (
            r#"{"a": "2024-02-29T23:30:00Z", "b": "2024-03-01T00:30:00Z", "unit": "day", "timezone": "Europe/Berlin"}"#,
            Ok("false"),
        ),
    ]);
    check::<is_after>(&[(
        r#"{"a": "2024-02-29T23:00:00Z", "b": "2024-02-29T23:00:00-01:00"}"#,
        Ok("false"),
    )]);
    check::<is_same>(&[
        (
            r#"{"a": "2024-02-29T12:00:00Z", "b": "2024-02-29T13:00:00+01:00"}"#,
            Ok("true"),
        ),
        (
            r#"{"a": "2024-02-29T12:00:00Z", "b": "2024-02-29T12:59:00Z", "unit": "hour"}"#,
            Ok("true"),
        ),
    ]);
}

#[test]
fn the_calendar_is_that_of_the_zone() {
    check::<weekday>(&[
        (r#"{"value": "1969-12-31T23:59:59.999Z"}"#, Ok(r#""Wednesday""#)),
        (
            r#"{"value": "2024-03-03", "timezone": "America/New_York"}"#,
            Ok(r#""Sunday""#),
        ),
        (
            r#"{"value": "2024-03-03", "timezone": "nowhere"}"#,
            Err("`timezone`"),
        ),
    ]);
    check::<parts>(&[]);
    let offset = |input: &str| {
        let parts = harness().call::<parts>(input).unwrap();
        let result = parts.as_ref().get("result").unwrap();
        let of = |name| result.get(name).unwrap().to_json();
        (of("offsetMinutes"), of("timezone"), of("year"))
    };
    let expected =
        |minutes: &str, zone: &str, year: &str| (minutes.to_owned(), zone.to_owned(), year.to_owned());
    assert_eq!(
        offset(r#"{"value": "2024-01-01T00:00:00-03:30"}"#),
        expected("-210", r#""-03:30""#, "2024")
    );
    assert_eq!(
        offset(r#"{"value": "-000044-03-15"}"#),
        expected("0", r#""UTC""#, "-44")
    );
}
