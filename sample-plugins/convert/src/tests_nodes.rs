//! What each of these nodes promises by what it says of itself.

use plugin_api::conformance::{PluginUnderTest, Refusal};
use plugin_api::error::code::VALIDATION_FAILED;
use plugin_api::nodes_under_test;
use plugin_api::testing::Harness;

use super::*;

const PLUGIN: PluginUnderTest = PluginUnderTest {
    harness: Harness::new,
    nodes: nodes_under_test![
        base64_decode,
        base64_encode,
        format_date,
        parse_date,
        parse_json,
        to_array,
        to_boolean,
        to_float,
        to_integer,
        to_json,
        to_number,
        to_object,
        to_string,
        url_decode,
        url_encode
    ],
};

#[test]
fn every_node_keeps_what_it_says_of_itself() {
    PLUGIN.check(include_str!("lib.rs"));
}

/// What each node does not take.
const REFUSALS: &[Refusal<'_>] = &[
    (
        "convert.base64Decode",
        r#"{"value": "a!b"}"#,
        VALIDATION_FAILED,
        "`value`: is no Base64",
    ),
    (
        "convert.base64Decode",
        r#"{"value": {}}"#,
        VALIDATION_FAILED,
        "`value`: expected a text",
    ),
    (
        "convert.formatDate",
        r#"{"value": [], "format": "iso"}"#,
        VALIDATION_FAILED,
        "`value`: expected a date",
    ),
    (
        "convert.formatDate",
        r#"{"value": 0, "format": 1}"#,
        VALIDATION_FAILED,
        "`format`",
    ),
    (
        "convert.parseDate",
        r#"{"value": true}"#,
        VALIDATION_FAILED,
        "`value`: expected a date",
    ),
    (
        "convert.parseJson",
        r#"{"value": "1", "text": "2"}"#,
        VALIDATION_FAILED,
        "`value`",
    ),
    (
        "convert.toArray",
        r#"{"value": "a", "separator": {}}"#,
        VALIDATION_FAILED,
        "`separator`",
    ),
    (
        "convert.toFloat",
        r#"{"value": "1e999x"}"#,
        VALIDATION_FAILED,
        "`value`",
    ),
    (
        "convert.toInteger",
        r#"{"value": "9223372036854775808"}"#,
        VALIDATION_FAILED,
        "`value`: \"9223372036854775808\" is no integer of 64 bits",
    ),
    (
        "convert.toInteger",
        r#"{"value": 1e300}"#,
        VALIDATION_FAILED,
        "`value`",
    ),
    (
        "convert.toInteger",
        r#"{"value": "1", "radix": 37}"#,
        VALIDATION_FAILED,
        "`radix`: must be from 2 to 36, but is 37",
    ),
    (
        "convert.toInteger",
        r#"{"value": "1", "radix": 2.5}"#,
        VALIDATION_FAILED,
        "`radix`",
    ),
    (
        "convert.toJson",
        r#"{"value": 1, "indent": "wide"}"#,
        VALIDATION_FAILED,
        "`indent`",
    ),
    (
        "convert.toJson",
        r#"{"value": 1, "pretty": 1}"#,
        VALIDATION_FAILED,
        "`pretty`",
    ),
    (
        "convert.toNumber",
        r#"{"value": "Infinity"}"#,
        VALIDATION_FAILED,
        "`value`",
    ),
    (
        "convert.urlDecode",
        r#"{"value": "%zz"}"#,
        VALIDATION_FAILED,
        "`value`: `%` at byte 0",
    ),
    (
        "convert.urlDecode",
        r#"{"value": "%ff"}"#,
        VALIDATION_FAILED,
        "`value`: what is decoded is no UTF-8 text",
    ),
    (
        "convert.urlDecode",
        r#"{"value": "a", "component": []}"#,
        VALIDATION_FAILED,
        "`component`",
    ),
    (
        "convert.urlEncode",
        r#"{"value": {}}"#,
        VALIDATION_FAILED,
        "`value`: expected a text",
    ),
    (
        "convert.urlEncode",
        r#"{"value": "a", "component": "part"}"#,
        VALIDATION_FAILED,
        "`component`",
    ),
];

#[test]
fn what_is_bad_is_an_error_that_names_the_parameter() {
    PLUGIN.check_refusals(
        REFUSALS,
        &[
            "convert.base64Encode",
            "convert.toBoolean",
            "convert.toObject",
            "convert.toString",
        ],
    );
}
