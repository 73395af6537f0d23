//! What each of these nodes promises by what it says of itself.

use plugin_api::conformance::{PluginUnderTest, Refusal};
use plugin_api::error::code::{EXECUTION_ERROR, VALIDATION_FAILED};
use plugin_api::nodes_under_test;
use plugin_api::testing::Harness;

use super::*;

const PLUGIN: PluginUnderTest = PluginUnderTest {
    harness: Harness::new,
    nodes: nodes_under_test![
        abs, add, average, ceil, clamp, divide, floor, max, min, modulo, multiply, power, random, round,
        sqrt, subtract, sum
    ],
};

#[test]
fn every_node_keeps_what_it_says_of_itself() {
    PLUGIN.check(include_str!("lib.rs"));
}

/// What each node does not take.
const REFUSALS: &[Refusal<'_>] = &[
    ("math.abs", r#"{}"#, VALIDATION_FAILED, "`value`"),
    (
        "math.abs",
        r#"{"value": "one"}"#,
        VALIDATION_FAILED,
        "expected a number, found \"one\", at `value`",
    ),
    (
        "math.add",
        r#"{"values": 5}"#,
        EXECUTION_ERROR,
        "`values`: expected a list of numbers, found 5",
    ),
    (
        "math.add",
        r#"{"values": [1, "x"]}"#,
        EXECUTION_ERROR,
        "`values[1]`: expected a number",
    ),
    (
        "math.add",
        r#"{"values": [1.7e308, 1.7e308]}"#,
        EXECUTION_ERROR,
        "`values`: the result is no finite number",
    ),
    (
        "math.average",
        r#"{"values": [1, "NaN"]}"#,
        EXECUTION_ERROR,
        "`values[1]`",
    ),
    ("math.average", r#"{"values": "1"}"#, EXECUTION_ERROR, "`values`"),
    ("math.ceil", r#"{"value": null}"#, VALIDATION_FAILED, "`value`"),
    (
        "math.clamp",
        r#"{"value": 1, "min": 2, "max": 0}"#,
        VALIDATION_FAILED,
        "`min`: must not be larger than `max`",
    ),
    (
        "math.clamp",
        r#"{"value": 1, "min": 0, "max": "inf"}"#,
        VALIDATION_FAILED,
        "`max`",
    ),
    (
        "math.divide",
        r#"{"a": 1, "b": 0}"#,
        EXECUTION_ERROR,
        "`b`: division by zero",
    ),
    ("math.divide", r#"{"b": 1}"#, VALIDATION_FAILED, "`a`: is missing"),
    (
        "math.divide",
        r#"{"numbers": [1]}"#,
        VALIDATION_FAILED,
        "`numbers`: needs at least two numbers",
    ),
    (
        "math.divide",
        r#"{"numbers": [1, 0]}"#,
        EXECUTION_ERROR,
        "`numbers`: division by zero",
    ),
    ("math.floor", r#"{"value": []}"#, VALIDATION_FAILED, "`value`"),
    (
        "math.max",
        r#"{"values": []}"#,
        VALIDATION_FAILED,
        "`values`: needs at least one number",
    ),
    ("math.max", r#"{"values": [[1]]}"#, EXECUTION_ERROR, "`values[0]`"),
    (
        "math.min",
        r#"{}"#,
        VALIDATION_FAILED,
        "`values`: needs at least one number",
    ),
    ("math.min", r#"{"values": {"a": 1}}"#, EXECUTION_ERROR, "`values`"),
    (
        "math.modulo",
        r#"{"a": 1, "b": 0}"#,
        EXECUTION_ERROR,
        "`b`: modulo by zero",
    ),
    ("math.modulo", r#"{"a": "x", "b": 1}"#, VALIDATION_FAILED, "`a`"),
    (
        "math.multiply",
        r#"{"values": [1e200, 1e200]}"#,
        EXECUTION_ERROR,
        "`values`: the result is no finite number",
    ),
    (
        "math.multiply",
        r#"{"values": [true, {}]}"#,
        EXECUTION_ERROR,
        "`values[1]`",
    ),
    (
        "math.power",
        r#"{"base": 0, "exponent": -1}"#,
        EXECUTION_ERROR,
        "`base`",
    ),
    (
        "math.power",
        r#"{"base": -2, "exponent": 0.5}"#,
        EXECUTION_ERROR,
        "`base`",
    ),
    (
        "math.power",
        r#"{"base": 10, "exponent": 400}"#,
        EXECUTION_ERROR,
        "`exponent`",
    ),
    (
        "math.power",
        r#"{"base": 2}"#,
        VALIDATION_FAILED,
        "`exponent`: is missing",
    ),
    (
        "math.random",
        r#"{"min": 2, "max": 1}"#,
        VALIDATION_FAILED,
        "`min`",
    ),
    (
        "math.random",
        r#"{"min": 0.1, "max": 0.9, "integer": true}"#,
        EXECUTION_ERROR,
        "`max`",
    ),
    (
        "math.random",
        r#"{"integer": "maybe"}"#,
        VALIDATION_FAILED,
        "`integer`",
    ),
    (
        "math.round",
        r#"{"value": 1, "decimals": 0.5}"#,
        VALIDATION_FAILED,
        "`decimals`: must be a whole number",
    ),
    (
        "math.round",
        r#"{"value": 1, "decimals": 309}"#,
        VALIDATION_FAILED,
        "`decimals`",
    ),
    ("math.round", r#"{"value": {}}"#, VALIDATION_FAILED, "`value`"),
    (
        "math.sqrt",
        r#"{"value": -1}"#,
        EXECUTION_ERROR,
        "`value`: a negative number",
    ),
    ("math.sqrt", r#"{"value": ""}"#, VALIDATION_FAILED, "`value`"),
    (
        "math.subtract",
        r#"{"a": 1}"#,
        VALIDATION_FAILED,
        "`b`: is missing",
    ),
    (
        "math.subtract",
        r#"{"numbers": [1, 2], "a": 1}"#,
        VALIDATION_FAILED,
        "`numbers`: give either",
    ),
    (
        "math.sum",
        r#"{"values": [1, "1e999"]}"#,
        EXECUTION_ERROR,
        "`values[1]`",
    ),
];

#[test]
fn what_is_bad_is_an_error_that_names_the_parameter() {
    PLUGIN.check_refusals(REFUSALS, &[]);
}
