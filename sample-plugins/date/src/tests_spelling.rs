use crate::tests::{check, harness};

use super::*;

#[test]
fn dates_are_read_in_the_forms_of_two_standards_and_as_numbers() {
    check::<parse>(&[
        (
            r#"{"value": "2024-02-29T12:30:00Z"}"#,
            Ok(r#""2024-02-29T12:30:00Z""#),
        ),
        (
            r#"{"value": " 2024-02-29t12:30z "}"#,
            Ok(r#""2024-02-29T12:30:00Z""#),
        ),
        (
            r#"{"value": "2024-02-29 12:30:00.123456789"}"#,
            Ok(r#""2024-02-29T12:30:00.123456789Z""#),
        ),
        (
            r#"{"value": "20240229T123000+0100"}"#,
            Ok(r#""2024-02-29T12:30:00+01:00""#),
        ),
        (r#"{"value": "20240229"}"#, Ok(r#""2024-02-29T00:00:00Z""#)),
        (
            r#"{"value": "2016-12-31T23:59:60Z"}"#,
            Ok(r#""2016-12-31T23:59:59Z""#),
        ),
        (
            r#"{"value": "2024-02-29T12:30:00+00:00"}"#,
            Ok(r#""2024-02-29T12:30:00Z""#),
        ),
        (
            r#"{"value": "2024-07-01T12:30:00Z[Europe/Berlin]"}"#,
            Ok(r#""2024-07-01T14:30:00+02:00""#),
        ),
        (
            r#"{"value": "2024-07-01T12:30:00[europe/berlin]"}"#,
            Ok(r#""2024-07-01T12:30:00+02:00""#),
        ),
        (
            r#"{"value": "2024-07-01T12:30:00[+05:45]"}"#,
            Ok(r#""2024-07-01T12:30:00+05:45""#),
        ),
        (
            r#"{"value": "2024-07-01T12:30:00[Europe/Berlin]", "timezone": "UTC"}"#,
            Ok(r#""2024-07-01T10:30:00Z""#),
        ),
        (
            r#"{"value": "2024-07-01T12:30:00Z", "timezone": "europe/berlin"}"#,
            Ok(r#""2024-07-01T14:30:00+02:00""#),
        ),
        (
            r#"{"value": "2024-01-01T12:30:00", "timezone": "Europe/London"}"#,
            Ok(r#""2024-01-01T12:30:00+00:00""#),
        ),
        (
            r#"{"value": "Thu, 29 Feb 2024 12:30:00 +0100"}"#,
            Ok(r#""2024-02-29T12:30:00+01:00""#),
        ),
        (
            r#"{"value": "29 Feb 2024 12:30 GMT", "timezone": "-05"}"#,
            Ok(r#""2024-02-29T07:30:00-05:00""#),
        ),
        (r#"{"value": 1709209800}"#, Ok(r#""2024-02-29T12:30:00Z""#)),
        (r#"{"value": 1709209800.5}"#, Ok(r#""2024-02-29T12:30:00.5Z""#)),
        (
            r#"{"value": 1709209800123.25}"#,
            Ok(r#""2024-02-29T12:30:00.12325Z""#),
        ),
        (r#"{"value": 99999999999}"#, Ok(r#""5138-11-16T09:46:39Z""#)),
        (r#"{"value": 100000000000}"#, Ok(r#""1973-03-03T09:46:40Z""#)),
        (r#"{"value": -100000000000}"#, Ok(r#""1966-10-31T14:13:20Z""#)),
        (r#"{"value": -1}"#, Ok(r#""1969-12-31T23:59:59Z""#)),
        (r#"{"value": 0.1}"#, Ok(r#""1970-01-01T00:00:00.1Z""#)),
        (
            r#"{"value": "-000001-01-01"}"#,
            Ok(r#""-000001-01-01T00:00:00Z""#),
        ),
        (
            r#"{"value": "2024-07-01T12:30:00+01:00[Europe/Berlin]"}"#,
            Err(
                "`value`: \"2024-07-01T12:30:00+01:00[Europe/Berlin]\" has an offset that is not that of its zone",
            ),
        ),
        (
            r#"{"value": "2024-07-01T12:30:00+24:00"}"#,
            Err("has an offset of a day or more"),
        ),
        (
            r#"{"value": "2024-07-01T12:30:00[Mars/Base]"}"#,
            Err("a time zone that is unknown, `Mars/Base`"),
        ),
        (r#"{"value": "1709209800"}"#, Err("`value`")),
        (r#"{"value": "12:30"}"#, Err("`value`")),
        (
            r#"{"value": "9999-12-31T23:59:59-23:00"}"#,
            Err("`value`: \"9999-12-31T23:59:59-23:00\" is out of range"),
        ),
        (
            r#"{"value": 9223372036854775807}"#,
            Err("`value`: 9223372036854775807 is out of range"),
        ),
        (r#"{"value": -1e15}"#, Err("`value`")),
        (
            r#"{"value": "2024-02-29", "timezone": "+1"}"#,
            Err("`timezone`: `+1` is no time zone"),
        ),
        (
            r#"{"value": "2024-02-29", "timezone": "EST5EDT4,M3.2.0,M11.1.0"}"#,
            Err("`timezone`"),
        ),
    ]);
    let long = format!(r#"{{"value": "2024-02-29{}x"}}"#, " ".repeat(1 << 20));
    let error = harness().call::<parse>(&long).unwrap_err();
    assert!(
        error
            .message
            .contains("`value`: a long text is no date: it is longer"),
        "{error}"
    );
}

#[test]
fn a_time_that_clocks_skip_is_moved_on_and_of_one_that_comes_twice_the_first_is_meant() {
    check::<parse>(&[
        (
            r#"{"value": "2024-03-31T02:30:00", "timezone": "Europe/Berlin"}"#,
            Ok(r#""2024-03-31T03:30:00+02:00""#),
        ),
        (
            r#"{"value": "2024-10-27T02:30:00", "timezone": "Europe/Berlin"}"#,
            Ok(r#""2024-10-27T02:30:00+02:00""#),
        ),
        (
            r#"{"value": "2024-10-27T02:30:00+01:00[Europe/Berlin]"}"#,
            Ok(r#""2024-10-27T02:30:00+01:00""#),
        ),
    ]);
}

#[test]
fn a_pattern_says_how_a_text_is_read() {
    check::<parse>(&[
        (
            r#"{"value": "29/02/2024 13:30", "format": "%d/%m/%Y %H:%M"}"#,
            Ok(r#""2024-02-29T13:30:00Z""#),
        ),
        (
            r#"{"value": "29/02/2024 13:30", "format": "%d/%m/%Y %H:%M", "timezone": "Europe/Berlin"}"#,
            Ok(r#""2024-02-29T13:30:00+01:00""#),
        ),
        (
            r#"{"value": "Feb 29, 2024 1:05 PM -0500", "format": "%b %d, %Y %I:%M %p %z"}"#,
            Ok(r#""2024-02-29T13:05:00-05:00""#),
        ),
        (
            r#"{"value": "1709209800", "format": "%s"}"#,
            Ok(r#""2024-02-29T12:30:00Z""#),
        ),
        (
            r#"{"value": "1709209800", "format": "%s", "timezone": "Asia/Tokyo"}"#,
            Ok(r#""2024-02-29T21:30:00+09:00""#),
        ),
        (
            r#"{"value": "2024-07-01 Europe/Berlin", "format": "%F %Q"}"#,
            Ok(r#""2024-07-01T00:00:00+02:00""#),
        ),
        (
            r#"{"value": "2024-W09-4", "format": "%G-W%V-%u"}"#,
            Ok(r#""2024-02-29T00:00:00Z""#),
        ),
        (
            r#"{"value": "29.02.2024", "format": "%d/%m/%Y"}"#,
            Err("`value`: \"29.02.2024\" does not fit the format"),
        ),
        (r#"{"value": "30.02.2024", "format": "%d.%m.%Y"}"#, Err("`value`")),
        (r#"{"value": "12:30", "format": "%H:%M"}"#, Err("`value`")),
        (
            r#"{"value": "2024-07-01 Mars/Base", "format": "%F %Q"}"#,
            Err("`value`"),
        ),
        (
            r#"{"value": 20240229, "format": "%Y%m%d"}"#,
            Err("`value`: must be a text where `format` is given"),
        ),
        (
            r#"{"value": "2024", "format": "yyyy"}"#,
            Err("`format`: must be a pattern"),
        ),
        (r#"{"value": "2024", "format": 5}"#, Err("`format`")),
        (
            r#"{"value": "29.02.2024", "format": "%!"}"#,
            Err("does not fit the format"),
        ),
    ]);
    for (input, part) in [
        (
            format!(r#"{{"value": "x", "format": "%Y{}"}}"#, " ".repeat(500)),
            "`format`",
        ),
        (
            format!(r#"{{"value": "{}", "format": "%Y"}}"#, "1".repeat(500)),
            "`value`",
        ),
    ] {
        let error = harness().call::<parse>(&input).unwrap_err();
        assert!(error.message.contains(part), "{error}");
    }
}

#[test]
fn what_is_no_date_is_told_without_an_error() {
    check::<is_valid>(&[
        (r#"{}"#, Ok("false")),
        (r#"{"value": null}"#, Ok("false")),
        (r#"{"value": []}"#, Ok("false")),
        (r#"{"value": 0}"#, Ok("true")),
        (r#"{"value": 1e300}"#, Ok("false")),
        (r#"{"value": "29.02.2024"}"#, Ok("false")),
        (r#"{"value": "29.02.2024", "format": "%d.%m.%Y"}"#, Ok("true")),
        (r#"{"value": "29.02.2023", "format": "%d.%m.%Y"}"#, Ok("false")),
        (r#"{"value": 5, "format": "%d.%m.%Y"}"#, Ok("false")),
        (r#"{"value": "29.02.2024", "format": "d.m.y"}"#, Err("`format`")),
        (r#"{"value": "29.02.2024", "format": false}"#, Err("`format`")),
    ]);
}

#[test]
fn forms_have_names_and_patterns_are_english() {
    check::<format>(&[
        (
            r#"{"value": "2024-02-29T12:30:00.5Z"}"#,
            Ok(r#""2024-02-29T12:30:00.5Z""#),
        ),
        (
            r#"{"value": "2024-02-29T12:30:00Z", "format": "iso"}"#,
            Ok(r#""2024-02-29T12:30:00Z""#),
        ),
        (
            r#"{"value": "2024-02-29T12:30:00Z", "format": "date"}"#,
            Ok(r#""2024-02-29""#),
        ),
        (
            r#"{"value": "2024-02-29T23:30:00Z", "format": "date", "timezone": "Asia/Tokyo"}"#,
            Ok(r#""2024-03-01""#),
        ),
        (
            r#"{"value": "2024-02-29T12:30:00.9Z", "format": "time"}"#,
            Ok(r#""12:30:00""#),
        ),
        (r#"{"value": -0.5, "format": "unix"}"#, Ok(r#""-1""#)),
        (r#"{"value": -0.5, "format": "timestamp"}"#, Ok(r#""-500""#)),
        (
            r#"{"value": "2024-02-29T12:30:00+01:00", "format": "rfc2822"}"#,
            Ok(r#""Thu, 29 Feb 2024 12:30:00 +0100""#),
        ),
        (
            r#"{"value": "2024-02-29T12:30:00+01:00", "format": "http"}"#,
            Ok(r#""Thu, 29 Feb 2024 11:30:00 GMT""#),
        ),
        (
            r#"{"value": "2024-02-29T12:30:00Z", "format": "%c"}"#,
            Ok(r#""Thu Feb 29 12:30:00 2024""#),
        ),
        (
            r#"{"value": "2024-02-29T12:30:00Z", "format": "100%%"}"#,
            Ok(r#""100%""#),
        ),
        (
            r#"{"value": "2024-07-01T12:30:00Z", "format": "%Z %z %Q %j %V", "timezone": "Europe/Berlin"}"#,
            Ok(r#""CEST +0200 Europe/Berlin 183 27""#),
        ),
        (
            r#"{"value": "1850-01-01T00:00:00Z", "timezone": "Europe/Berlin"}"#,
            Ok(r#""1850-01-01T00:53:00+00:53""#),
        ),
        (r#"{"value": 0, "format": "%"}"#, Err("`format`")),
        (r#"{"value": 0, "format": "%!"}"#, Err("`format`")),
        (
            r#"{"value": 0, "format": "locale"}"#,
            Err("`locale` is no format"),
        ),
        (r#"{"value": 0, "format": ""}"#, Err("`format`")),
        (r#"{"value": 0, "format": []}"#, Err("`format`")),
        (
            r#"{"value": "-000044-03-15", "format": "rfc2822"}"#,
            Err("`value`: cannot be written so"),
        ),
        (r#"{"value": 0, "timezone": "Europe/Nowhere"}"#, Err("`timezone`")),
    ]);
    let long = format!(r#"{{"value": 0, "format": "{}"}}"#, "%20Y".repeat(100));
    let error = harness().call::<format>(&long).unwrap_err();
    assert!(
        error.message.contains("the format is longer than 200 bytes"),
        "{error}"
    );
}

#[test]
fn a_date_is_seen_in_another_zone_and_stays_the_same_moment() {
    check::<to_timezone>(&[
        (
            r#"{"value": 0, "timezone": "UTC"}"#,
            Ok(r#""1970-01-01T00:00:00Z""#),
        ),
        (
            r#"{"value": 0, "timezone": "z"}"#,
            Ok(r#""1970-01-01T00:00:00Z""#),
        ),
        (
            r#"{"value": 0, "timezone": "+0530"}"#,
            Ok(r#""1970-01-01T05:30:00+05:30""#),
        ),
        (
            r#"{"value": "2024-02-29T12:00:00", "timezone": "America/New_York"}"#,
            Ok(r#""2024-02-29T12:00:00-05:00""#),
        ),
        (r#"{"value": 0}"#, Err("`timezone`")),
        (r#"{"value": 0, "timezone": null}"#, Err("`timezone`")),
        (
            r#"{"value": 0, "timezone": "../../etc/passwd"}"#,
            Err("`timezone`"),
        ),
        (r#"{"value": 0, "timezone": "+24:00"}"#, Err("`timezone`")),
        (
            r#"{"value": "9999-12-30T22:00:00Z", "timezone": "+14:00"}"#,
            Ok(r#""9999-12-31T12:00:00+14:00""#),
        ),
    ]);
    let long = format!(r#"{{"value": 0, "timezone": "{}"}}"#, "x".repeat(1 << 20));
    let error = harness().call::<to_timezone>(&long).unwrap_err();
    assert!(
        error.message.len() < 300 && error.message.contains("`timezone`: `a long text`"),
        "{error}"
    );
}

#[test]
fn numbers_say_what_they_count() {
    check::<from_unix>(&[
        (r#"{"value": "1709209800"}"#, Ok(r#""2024-02-29T12:30:00Z""#)),
        (
            r#"{"value": 1709209800123, "unit": "milliseconds"}"#,
            Ok(r#""2024-02-29T12:30:00.123Z""#),
        ),
        (
            r#"{"value": 1709209800123456, "unit": "microsecond"}"#,
            Ok(r#""2024-02-29T12:30:00.123456Z""#),
        ),
        (
            r#"{"value": 1709209800123456789, "unit": "nanoseconds"}"#,
            Ok(r#""2024-02-29T12:30:00.123456789Z""#),
        ),
        (r#"{"value": 200000000000}"#, Ok(r#""8307-10-01T19:33:20Z""#)),
        (
            r#"{"value": 1709209800.123}"#,
            Ok(r#""2024-02-29T12:30:00.123Z""#),
        ),
        (
            r#"{"value": -1.5, "unit": "milliseconds"}"#,
            Ok(r#""1969-12-31T23:59:59.9985Z""#),
        ),
        (
            r#"{"value": 9223372036854775807}"#,
            Err("`value`: the result is out of range"),
        ),
        (r#"{"value": 1e300}"#, Err("`value`: the result is out of range")),
        (r#"{"value": "2024-02-29"}"#, Err("`value`")),
        (r#"{"value": "NaN"}"#, Err("`value`")),
        (r#"{"value": null}"#, Err("`value`")),
        (r#"{"value": 0, "unit": "days"}"#, Err("`unit`")),
        (r#"{"value": 0, "timezone": false}"#, Err("`timezone`")),
    ]);
    check::<to_unix>(&[
        (r#"{"value": "1969-12-31T23:59:59.9Z"}"#, Ok("-1")),
        (
            r#"{"value": "2024-02-29T13:30:00", "timezone": "Europe/Berlin"}"#,
            Ok("1709209800"),
        ),
        (
            r#"{"value": 1709209800123, "unit": "milliseconds"}"#,
            Ok("1709209800123"),
        ),
        (
            r#"{"value": "2024-02-29T12:30:00.123456789Z", "unit": "nanoseconds"}"#,
            Ok("1709209800123456789"),
        ),
        (
            r#"{"value": "2524-02-29", "unit": "nanoseconds"}"#,
            Err("`unit`: is too small"),
        ),
        (r#"{"value": 0, "unit": "hours"}"#, Err("`unit`")),
        (r#"{"value": 0, "timezone": "?"}"#, Err("`timezone`")),
    ]);
}
