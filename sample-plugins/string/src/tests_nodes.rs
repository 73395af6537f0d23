//! What each of these nodes promises by what it says of itself.

use plugin_api::conformance::{PluginUnderTest, Refusal};
use plugin_api::error::code::{LIMIT_EXCEEDED, VALIDATION_FAILED};
use plugin_api::nodes_under_test;
use plugin_api::testing::Harness;

use super::*;

const PLUGIN: PluginUnderTest = PluginUnderTest {
    harness: Harness::new,
    nodes: nodes_under_test![
        concat,
        ends_with,
        format,
        includes,
        join,
        length,
        lower,
        pad_end,
        pad_start,
        replace,
        split,
        starts_with,
        substring,
        trim,
        upper
    ],
};

#[test]
fn every_node_keeps_what_it_says_of_itself() {
    PLUGIN.check(include_str!("lib.rs"));
}

/// What each node does not take.
const REFUSALS: &[Refusal<'_>] = &[
    (
        "string.concat",
        r#"{"values": ["a", ["b"]]}"#,
        VALIDATION_FAILED,
        "`values[1]`: expected a text, found a list",
    ),
    (
        "string.concat",
        r#"{"values": {"a": 1}}"#,
        VALIDATION_FAILED,
        "`values`",
    ),
    (
        "string.concat",
        r#"{"values": [], "separator": {}}"#,
        VALIDATION_FAILED,
        "`separator`",
    ),
    (
        "string.endsWith",
        r#"{"value": ["a"], "suffix": "a"}"#,
        VALIDATION_FAILED,
        "`value`",
    ),
    (
        "string.endsWith",
        r#"{"value": "a", "suffix": {}}"#,
        VALIDATION_FAILED,
        "`suffix`",
    ),
    (
        "string.format",
        r#"{"template": []}"#,
        VALIDATION_FAILED,
        "`template`",
    ),
    (
        "string.format",
        r#"{"template": "{a}", "variables": "a"}"#,
        VALIDATION_FAILED,
        "`variables`",
    ),
    (
        "string.includes",
        r#"{"value": {}, "search": "a"}"#,
        VALIDATION_FAILED,
        "`value`",
    ),
    (
        "string.includes",
        r#"{"value": "a", "search": ["a"]}"#,
        VALIDATION_FAILED,
        "`search`",
    ),
    (
        "string.join",
        r#"{"values": [{}]}"#,
        VALIDATION_FAILED,
        "`values[0]`",
    ),
    (
        "string.join",
        r#"{"values": ["a"], "separator": []}"#,
        VALIDATION_FAILED,
        "`separator`",
    ),
    (
        "string.length",
        r#"{"value": {"a": 1}}"#,
        VALIDATION_FAILED,
        "`value`",
    ),
    ("string.lower", r#"{"value": []}"#, VALIDATION_FAILED, "`value`"),
    (
        "string.lower",
        r#"{"value": "a", "text": "b"}"#,
        VALIDATION_FAILED,
        "`value`",
    ),
    (
        "string.padEnd",
        r#"{"value": "a", "length": -1}"#,
        VALIDATION_FAILED,
        "`length`: must not be negative",
    ),
    (
        "string.padEnd",
        r#"{"value": "a", "length": 16777217}"#,
        LIMIT_EXCEEDED,
        "`length`: the result would be longer",
    ),
    (
        "string.padStart",
        r#"{"value": "a", "length": 2.5}"#,
        VALIDATION_FAILED,
        "`length`",
    ),
    (
        "string.padStart",
        r#"{"value": "a", "length": 2, "fillString": {}}"#,
        VALIDATION_FAILED,
        "`fillString`",
    ),
    (
        "string.replace",
        r#"{"value": "a", "search": "a", "replacement": []}"#,
        VALIDATION_FAILED,
        "`replacement`",
    ),
    (
        "string.replace",
        r#"{"value": "a", "search": "a", "count": -2}"#,
        VALIDATION_FAILED,
        "`count`: must not be negative",
    ),
    (
        "string.replace",
        r#"{"value": "a", "search": "a", "count": 1, "all": false}"#,
        VALIDATION_FAILED,
        "`count`: give either",
    ),
    (
        "string.replace",
        r#"{"value": "a", "search": "a", "all": "yes"}"#,
        VALIDATION_FAILED,
        "`all`",
    ),
    (
        "string.split",
        r#"{"value": "a", "limit": -1}"#,
        VALIDATION_FAILED,
        "`limit`: must not be negative",
    ),
    (
        "string.split",
        r#"{"value": "a", "maxSplits": -2}"#,
        VALIDATION_FAILED,
        "`maxSplits`: must not be negative",
    ),
    (
        "string.split",
        r#"{"value": "a", "separator": []}"#,
        VALIDATION_FAILED,
        "`separator`",
    ),
    (
        "string.startsWith",
        r#"{"value": "a", "prefix": []}"#,
        VALIDATION_FAILED,
        "`prefix`",
    ),
    (
        "string.substring",
        r#"{"value": "a", "start": "first"}"#,
        VALIDATION_FAILED,
        "`start`",
    ),
    (
        "string.substring",
        r#"{"value": "a", "end": 1.5}"#,
        VALIDATION_FAILED,
        "`end`",
    ),
    (
        "string.trim",
        r#"{"value": "a", "mode": 1}"#,
        VALIDATION_FAILED,
        "`mode`",
    ),
    ("string.upper", r#"{"value": {}}"#, VALIDATION_FAILED, "`value`"),
];

#[test]
fn what_is_bad_is_an_error_that_names_the_parameter() {
    PLUGIN.check_refusals(REFUSALS, &[]);
}
