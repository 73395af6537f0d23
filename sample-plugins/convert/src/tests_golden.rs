//! What workflows of today get from these nodes, as recorded, with the mends that we give instead of known faults.

use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

/// Node type, parameters, output.
const GOLDEN: &[(&str, &str, &str)] = &[
    (
        "convert.toArray",
        r#"{"value": "[1,2]"}"#,
        r#"{"result": [1, 2]}"#,
    ),
    (
        "convert.toArray",
        r#"{"value": "a, b"}"#,
        r#"{"result": ["a", "b"]}"#,
    ),
    (
        "convert.toArray",
        r#"{"value": {"x": 1, "y": 2}}"#,
        r#"{"result": [1, 2]}"#,
    ),
    ("convert.toArray", r#"{"value": null}"#, r#"{"result": []}"#),
    ("convert.toArray", r#"{"value": 5}"#, r#"{"result": [5]}"#),
    (
        "convert.toArray",
        r#"{"value": "a;b", "separator": ";"}"#,
        r#"{"result": ["a", "b"]}"#,
    ),
    (
        "convert.toObject",
        r#"{"value": "{\"a\":1}"}"#,
        r#"{"result": {"a": 1}}"#,
    ),
    (
        "convert.toObject",
        r#"{"value": "text"}"#,
        r#"{"result": {"value": "text"}}"#,
    ),
    (
        "convert.toObject",
        r#"{"value": [7, 8]}"#,
        r#"{"result": {"0": 7, "1": 8}}"#,
    ),
    (
        "convert.toObject",
        r#"{"value": 5}"#,
        r#"{"result": {"value": 5}}"#,
    ),
    ("convert.toObject", r#"{"value": "[1]"}"#, r#"{"result": [1]}"#),
    (
        "convert.toObject",
        r#"{"value": null}"#,
        r#"{"result": {"value": null}}"#,
    ),
    ("convert.toBoolean", r#"{"value": "true"}"#, r#"{"result": true}"#),
    ("convert.toBoolean", r#"{"value": "YES"}"#, r#"{"result": true}"#),
    ("convert.toBoolean", r#"{"value": " on "}"#, r#"{"result": true}"#),
    ("convert.toBoolean", r#"{"value": "1"}"#, r#"{"result": true}"#),
    (
        "convert.toBoolean",
        r#"{"value": "false"}"#,
        r#"{"result": false}"#,
    ),
    ("convert.toBoolean", r#"{"value": "abc"}"#, r#"{"result": false}"#),
    ("convert.toBoolean", r#"{"value": ""}"#, r#"{"result": false}"#),
    ("convert.toBoolean", r#"{"value": 0}"#, r#"{"result": false}"#),
    ("convert.toBoolean", r#"{"value": 2}"#, r#"{"result": true}"#),
    ("convert.toBoolean", r#"{"value": null}"#, r#"{"result": false}"#),
    ("convert.toBoolean", r#"{"value": []}"#, r#"{"result": true}"#),
    (
        "convert.parseDate",
        r#"{"value": "2024-02-29T12:30:00Z"}"#,
        r#"{"result": "2024-02-29T12:30:00.000Z", "valid": true, "timestamp": 1709209800000}"#,
    ),
    (
        "convert.parseDate",
        r#"{"value": "nonsense"}"#,
        r#"{"result": null, "valid": false}"#,
    ),
    (
        "convert.parseDate",
        r#"{"value": 0}"#,
        r#"{"result": "1970-01-01T00:00:00.000Z", "valid": true, "timestamp": 0}"#,
    ),
    (
        "convert.formatDate",
        r#"{"value": "2024-02-29T12:30:00Z", "format": "iso"}"#,
        r#"{"result": "2024-02-29T12:30:00.000Z"}"#,
    ),
    (
        "convert.formatDate",
        r#"{"value": "2024-02-29T12:30:00Z", "format": "date"}"#,
        r#"{"result": "Thu Feb 29 2024"}"#,
    ),
    (
        "convert.formatDate",
        r#"{"value": "2024-02-29T12:30:00Z", "format": "time"}"#,
        r#"{"result": "12:30:00 GMT+0000 (Coordinated Universal Time)"}"#,
    ),
    (
        "convert.formatDate",
        r#"{"value": "2024-02-29T12:30:00Z", "format": "timestamp"}"#,
        r#"{"result": "1709209800000"}"#,
    ),
    (
        "convert.formatDate",
        r#"{"value": "2024-02-29T12:30:00Z", "format": "unix"}"#,
        r#"{"result": "1709209800"}"#,
    ),
    (
        "convert.formatDate",
        r#"{"value": "2024-02-29T12:30:00Z", "format": "locale"}"#,
        r#"{"result": "2/29/2024, 12:30:00 PM"}"#,
    ),
    (
        "convert.formatDate",
        r#"{"value": "2024-02-29T12:30:00Z", "format": "localeDate"}"#,
        r#"{"result": "2/29/2024"}"#,
    ),
    (
        "convert.formatDate",
        r#"{"value": "2024-02-29T12:30:00Z", "format": "localeTime"}"#,
        r#"{"result": "12:30:00 PM"}"#,
    ),
    (
        "convert.formatDate",
        r#"{"value": "2024-02-29T12:30:00Z", "format": "other"}"#,
        r#"{"result": "2024-02-29T12:30:00.000Z"}"#,
    ),
    (
        "convert.formatDate",
        r#"{"value": "nonsense"}"#,
        r#"{"result": null}"#,
    ),
    (
        "convert.base64Encode",
        r#"{"value": "héllo"}"#,
        r#"{"result": "aMOpbGxv"}"#,
    ),
    (
        "convert.base64Encode",
        r#"{"value": {"a": 1}}"#,
        r#"{"result": "eyJhIjoxfQ=="}"#,
    ),
    (
        "convert.base64Decode",
        r#"{"value": "aMOpbGxv"}"#,
        r#"{"result": "héllo"}"#,
    ),
    (
        "convert.urlEncode",
        r#"{"value": "a b&c=é/"}"#,
        r#"{"result": "a%20b%26c%3D%C3%A9%2F"}"#,
    ),
    (
        "convert.urlEncode",
        r#"{"value": "http://x/a b?q=é", "component": false}"#,
        r#"{"result": "http://x/a%20b?q=%C3%A9"}"#,
    ),
    (
        "convert.urlDecode",
        r#"{"value": "a%20b%26"}"#,
        r#"{"result": "a b&"}"#,
    ),
    (
        "convert.urlDecode",
        r#"{"value": "a%20b%26", "component": false}"#,
        r#"{"result": "a b%26"}"#,
    ),
    ("convert.toString", r#"{"value": 1.5}"#, r#"{"result": "1.5"}"#),
    (
        "convert.toString",
        r#"{"value": {"a": [1]}}"#,
        r#"{"result": "{\"a\":[1]}"}"#,
    ),
    ("convert.toString", r#"{}"#, r#"{"result": ""}"#),
    (
        "convert.toString",
        r#"{"value": false}"#,
        r#"{"result": "false"}"#,
    ),
    ("convert.toNumber", r#"{"value": "42"}"#, r#"{"result": 42}"#),
    (
        "convert.toNumber",
        r#"{"value": "abc", "default": -1}"#,
        r#"{"result": -1}"#,
    ),
    ("convert.toNumber", r#"{"value": ""}"#, r#"{"result": 0}"#),
    ("convert.toNumber", r#"{"value": "0x10"}"#, r#"{"result": 16}"#),
    ("convert.toNumber", r#"{"value": null}"#, r#"{"result": 0}"#),
    ("convert.toNumber", r#"{}"#, r#"{"result": 0}"#),
    ("convert.toInteger", r#"{"value": "12.9px"}"#, r#"{"result": 12}"#),
    (
        "convert.toInteger",
        r#"{"value": "ff", "radix": 16}"#,
        r#"{"result": 255}"#,
    ),
    (
        "convert.toInteger",
        r#"{"value": "x", "default": 7}"#,
        r#"{"result": 7}"#,
    ),
    (
        "convert.toFloat",
        r#"{"value": "3.14abc"}"#,
        r#"{"result": 3.14}"#,
    ),
    ("convert.toFloat", r#"{"value": "x"}"#, r#"{"result": 0}"#),
];

#[test]
fn nodes_answer_what_workflows_of_today_get() {
    let harness = Harness::new();
    for (node_type, parameters, expected) in GOLDEN {
        let output = call(&harness, node_type, parameters).unwrap();
        assert_eq!(
            output,
            Value::from_json(expected).unwrap(),
            "{node_type} {parameters}"
        );
    }
}

macro_rules! by_type {
    ($($node:ident)*) => {
        fn call(harness: &Harness, node_type: &str, parameters: &str) -> NodeResult<Value> {
            match node_type {
                $(<$node as Export>::NODE_TYPE => harness.call::<$node>(parameters),)*
                other => panic!("{other} is in the table, and not in this plugin"),
            }
        }
    };
}

by_type! {
    base64_decode base64_encode format_date parse_date parse_json to_array to_boolean to_float to_integer to_json to_number to_object to_string url_decode url_encode
}
