use std::time::{Duration, UNIX_EPOCH};

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the result or the part of an error's message that names the parameter.
type Case = (&'static str, Result<&'static str, &'static str>);

/// On New Year's Day of 2026, half an hour after midnight and a quarter of a second, and a bit that nobody asks for.
pub(crate) fn harness() -> Harness {
    Harness::new().wall_clock(UNIX_EPOCH + Duration::new(1_767_227_400, 250_999_999))
}

pub(crate) fn check<N: Export>(cases: &[Case]) {
    let harness = harness();
    harness.check_examples::<N>();
    for (input, expected) in cases {
        match (harness.call::<N>(input), expected) {
            (Ok(output), Ok(expected)) => {
                let expected = Value::from_json(expected).unwrap();
                let found = output.as_ref().get("result").map(|result| result.to_value());
                assert_eq!(found, Some(expected), "{} {input}", N::NODE_TYPE);
            }
            (Err(error), Err(part)) => {
                assert_eq!(
                    error.code,
                    code::VALIDATION_FAILED,
                    "{} {input}: {error}",
                    N::NODE_TYPE
                );
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
            }
            (found, expected) => panic!("{} {input}: {found:?}, expected {expected:?}", N::NODE_TYPE),
        }
    }
}

#[test]
fn the_time_of_day_is_the_hosts_to_the_millisecond() {
    check::<now>(&[
        (r#"{}"#, Ok(r#""2026-01-01T00:30:00.25Z""#)),
        (
            r#"{"timezone": null, "format": null}"#,
            Ok(r#""2026-01-01T00:30:00.25Z""#),
        ),
        (r#"{"tz": "Asia/Tokyo"}"#, Ok(r#""2026-01-01T09:30:00.25+09:00""#)),
        (r#"{"format": "unix"}"#, Ok(r#""1767227400""#)),
        (r#"{"format": "timestamp"}"#, Ok(r#""1767227400250""#)),
        (
            r#"{"timezone": "Mars/Base"}"#,
            Err("`timezone`: `Mars/Base` is no time zone"),
        ),
        (r#"{"timezone": 1}"#, Err("`timezone`")),
        (r#"{"format": "nonsense"}"#, Err("`format`")),
    ]);
    let before = Harness::new().wall_clock(UNIX_EPOCH);
    let output = before.call::<now>("{}").unwrap();
    assert_eq!(output.to_json(), r#"{"result":"1970-01-01T00:00:00Z"}"#);
}

#[test]
fn a_host_without_a_clock_is_told_of() {
    let old = Harness::new().host_contract(plugin_api::Contract { major: 1, minor: 0 });
    let error = old.call::<now>("{}").unwrap_err();
    assert_eq!(error.code, code::UNSUPPORTED, "{error}");
}
