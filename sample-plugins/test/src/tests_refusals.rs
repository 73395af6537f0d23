//! What every node says of parameters that will not do, and of assertions that do not hold. Wrong types of all of them are
//! swept in `tests_nodes`.

use plugin_api::error::code::{EXECUTION_ERROR, VALIDATION_FAILED as INVALID};

use super::tests_nodes::PLUGIN;

const FAILED: &str = "ASSERTION_FAILED";

#[test]
fn every_bad_parameter_is_refused_by_name() {
    let long = format!(r#"{{"code": "{}"}}"#, "C".repeat(129));
    PLUGIN.check_refusals(
        &[
            (
                "test.assertEquals",
                r#"{"actual": 1, "expected": 2}"#,
                FAILED,
                "expected 2, found 1",
            ),
            (
                "test.assertEquals",
                r#"{"actual": 1, "expected": "1"}"#,
                FAILED,
                "expected \"1\", found 1",
            ),
            (
                "test.assertEquals",
                r#"{"actual": 1, "expected": 2, "message": "the sum"}"#,
                FAILED,
                "the sum: expected 2",
            ),
            (
                "test.assertEquals",
                r#"{"actual": 1, "expected": 1, "message": 5}"#,
                INVALID,
                "`message`",
            ),
            (
                "test.assertExists",
                r#"{"value": null}"#,
                FAILED,
                "expected a value, found null",
            ),
            ("test.assertExists", "{}", FAILED, "expected a value, found null"),
            (
                "test.assertFalse",
                r#"{"value": 0}"#,
                FAILED,
                "expected false, found 0",
            ),
            (
                "test.assertFalse",
                r#"{"value": true}"#,
                FAILED,
                "expected false, found true",
            ),
            (
                "test.assertTrue",
                r#"{"value": "true"}"#,
                FAILED,
                "expected true, found \"true\"",
            ),
            (
                "test.assertTrue",
                r#"{"value": false, "message": {}}"#,
                INVALID,
                "`message`",
            ),
            ("test.fail", "{}", EXECUTION_ERROR, "failed as told"),
            ("test.fail", r#"{"code": ""}"#, INVALID, "parameter `code`"),
            ("test.fail", &long, INVALID, "parameter `code`"),
            (
                "test.fail",
                r#"{"statusCode": 99}"#,
                INVALID,
                "parameter `statusCode`: must be from 100 to 599, but is 99",
            ),
            ("test.fail", r#"{"statusCode": "many"}"#, INVALID, "`statusCode`"),
            ("test.fail", r#"{"when": "no"}"#, INVALID, "`when`"),
            (
                "test.flaky",
                r#"{"failures": 1}"#,
                EXECUTION_ERROR,
                "flaky failure 1",
            ),
            (
                "test.flaky",
                r#"{"failures": -1}"#,
                INVALID,
                "parameter `failures`: must not be negative, but is -1",
            ),
            (
                "test.flaky",
                r#"{"failures": 0, "statusCode": 600}"#,
                INVALID,
                "parameter `statusCode`",
            ),
            (
                "test.runSuite",
                r#"{"results": [{"passed": true}, {"ok": true}]}"#,
                INVALID,
                "parameter `results[1]`",
            ),
            (
                "test.runSuite",
                r#"{"results": [{"passed": "yes"}]}"#,
                INVALID,
                "parameter `results[0]`",
            ),
            ("test.runSuite", r#"{"results": {}}"#, INVALID, "`results`"),
            ("test.sleep", "{}", INVALID, "`millis`"),
            (
                "test.sleep",
                r#"{"millis": -1}"#,
                INVALID,
                "parameter `millis`: must not be negative, but is -1",
            ),
            ("test.sleep", r#"{"millis": 0.5}"#, INVALID, "`millis`"),
            (
                "value.assert.type",
                r#"{"value": 1, "type": "text"}"#,
                FAILED,
                "expected a text, found a number",
            ),
            (
                "value.assert.type",
                r#"{"value": ["a", null], "type": "string_list", "message": "paths"}"#,
                FAILED,
                "paths: at [1]: expected a text, found null",
            ),
            (
                "value.assert.type",
                r#"{"value": "a", "type": "string_list"}"#,
                FAILED,
                "expected a list of texts, found a text",
            ),
            ("value.assert.type", r#"{"value": 1}"#, INVALID, "`type`"),
            (
                "value.assert.type",
                r#"{"value": 1, "type": "strings"}"#,
                INVALID,
                "parameter `type`: is none that is known",
            ),
            (
                "value.assert.type",
                r#"{"type": "string"}"#,
                INVALID,
                "parameter `value`: is missing",
            ),
            (
                "value.assert.type",
                r#"{"inputs": {"value": "paths"}, "type": "string"}"#,
                INVALID,
                "parameter `inputs.value`: there is no variable of the name \"paths\"",
            ),
            (
                "value.assert.type",
                r#"{"inputs": {"value": 5}, "type": "string"}"#,
                INVALID,
                "parameter `inputs.value`",
            ),
            (
                "value.assert.type",
                r#"{"value": 1, "inputs": {"value": "paths"}, "type": "string"}"#,
                INVALID,
                "parameter `value`: give either",
            ),
        ],
        &["test.echo", "test.noop"],
    );
}
