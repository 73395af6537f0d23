//! What each of these nodes promises by what it says of itself.

use plugin_api::conformance::PluginUnderTest;
use plugin_api::error::code::VALIDATION_FAILED;
use plugin_api::nodes_under_test;

use super::*;

const PLUGIN: PluginUnderTest = PluginUnderTest {
    harness: crate::tests::harness,
    nodes: nodes_under_test![
        add,
        compare,
        diff,
        end_of,
        format,
        from_unix,
        is_after,
        is_before,
        is_same,
        is_valid,
        now,
        parse,
        parts,
        start_of,
        subtract,
        to_timezone,
        to_unix,
        weekday
    ],
};

#[test]
fn every_node_keeps_what_it_says_of_itself() {
    PLUGIN.check(include_str!("lib.rs"));
}

/// Every node that takes a date, with `@` where one belongs, and the parameter that it is.
const DATES: &[(&str, &str, &str)] = &[
    (
        "date.add",
        r#"{"value": @, "amount": 1, "unit": "day"}"#,
        "`value`",
    ),
    ("date.compare", r#"{"a": @, "b": 0}"#, "`a`"),
    ("date.compare", r#"{"a": 0, "b": @}"#, "`b`"),
    ("date.diff", r#"{"start": @, "end": 0, "unit": "day"}"#, "`start`"),
    ("date.diff", r#"{"start": 0, "end": @, "unit": "day"}"#, "`end`"),
    ("date.endOf", r#"{"value": @, "unit": "day"}"#, "`value`"),
    ("date.format", r#"{"value": @}"#, "`value`"),
    ("date.fromUnix", r#"{"value": @}"#, "`value`"),
    ("date.isAfter", r#"{"a": @, "b": 0}"#, "`a`"),
    ("date.isAfter", r#"{"a": 0, "b": @}"#, "`b`"),
    ("date.isBefore", r#"{"a": @, "b": 0}"#, "`a`"),
    ("date.isBefore", r#"{"a": 0, "b": @}"#, "`b`"),
    ("date.isSame", r#"{"a": @, "b": 0}"#, "`a`"),
    ("date.isSame", r#"{"a": 0, "b": @}"#, "`b`"),
    ("date.parse", r#"{"value": @}"#, "`value`"),
    ("date.parts", r#"{"value": @}"#, "`value`"),
    ("date.startOf", r#"{"value": @, "unit": "day"}"#, "`value`"),
    ("date.subtract", r#"{"value": @, "duration": "P1D"}"#, "`value`"),
    ("date.toTimezone", r#"{"value": @, "timezone": "UTC"}"#, "`value`"),
    ("date.toUnix", r#"{"value": @}"#, "`value`"),
    ("date.weekday", r#"{"value": @}"#, "`value`"),
];

#[test]
fn what_is_no_date_is_an_error_that_names_the_parameter() {
    let bad = [
        r#""""#,
        r#"" ""#,
        r#""nonsense""#,
        r#""2023-02-29""#,
        r#""2024-02-29T25:00:00Z""#,
        r#""29.02.2024""#,
        "1e300",
        "-9223372036854775808",
    ];
    for bad in bad {
        let calls: Vec<(&str, String, &str)> = DATES
            .iter()
            .map(|(node, input, part)| (*node, input.replace('@', bad), *part))
            .collect();
        let refusals: Vec<_> = calls
            .iter()
            .map(|(node, input, part)| (*node, input.as_str(), VALIDATION_FAILED, *part))
            .collect();
        PLUGIN.check_refusals(&refusals, &["date.isValid", "date.now"]);
    }
}
