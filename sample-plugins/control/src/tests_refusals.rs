//! What every node says of parameters that will not do. Wrong types of all of them are swept in `tests_nodes`.

use plugin_api::error::code::VALIDATION_FAILED as INVALID;

use super::tests_nodes::PLUGIN;

const CONDITION: &str = "CONDITION_EVAL_ERROR";

#[test]
fn every_bad_parameter_is_refused_by_name() {
    let long = format!(r#"{{"code": "{}"}}"#, "C".repeat(129));
    PLUGIN.check_refusals(
        &[
            ("condition", "{}", CONDITION, "parameter `condition`: is missing"),
            (
                "condition",
                r#"{"condition": "  "}"#,
                CONDITION,
                "parameter `condition`: is missing",
            ),
            (
                "condition",
                r#"{"condition": "1 +"}"#,
                CONDITION,
                "parameter `condition`: unexpected end",
            ),
            ("logic.if", "{}", CONDITION, "parameter `condition`: is missing"),
            (
                "logic.if",
                r#"{"condition": "1 +"}"#,
                CONDITION,
                "parameter `condition`: unexpected end",
            ),
            ("logic.if", r#"{"condition": true, "then": 5}"#, INVALID, "`then`"),
            (
                "logic.if",
                r#"{"condition": true, "else": []}"#,
                INVALID,
                "`else`",
            ),
            (
                "merge",
                r#"{"inputs": {"a": 1}}"#,
                INVALID,
                "parameter `inputs`: expected a list",
            ),
            (
                "merge",
                r#"{"inputs": [], "mode": "together"}"#,
                INVALID,
                "`mode`",
            ),
            (
                "merge",
                r#"{"inputs": [1], "mode": "pick", "index": 4}"#,
                INVALID,
                "parameter `index`: nothing arrived at input 4",
            ),
            (
                "merge",
                r#"{"inputs": [1], "mode": "pick", "index": "first"}"#,
                INVALID,
                "`index`",
            ),
            (
                "merge",
                r#"{"inputs": [[{}], [5]], "mode": "combine"}"#,
                INVALID,
                "parameter `mode`: `combine` needs maps",
            ),
            (
                "merge",
                r#"{"inputs": [{}, [1]], "mode": "object"}"#,
                INVALID,
                "parameter `mode`: `object` needs maps",
            ),
            (
                "merge",
                r#"{"inputs": [], "mode": "combine", "key": 5}"#,
                INVALID,
                "`key`",
            ),
            ("merge", r#"{"inputs": [], "take": 5}"#, INVALID, "`take`"),
            (
                "split",
                "{}",
                INVALID,
                "parameter `items`: expected a list, found null",
            ),
            (
                "split",
                r#"{"items": "abc"}"#,
                INVALID,
                "parameter `items`: expected a list, found \"abc\"",
            ),
            (
                "split",
                r#"{"items": [1], "size": 0}"#,
                INVALID,
                "parameter `size`: must be at least 1, but is 0",
            ),
            (
                "split",
                r#"{"items": [1], "batchSize": "many"}"#,
                INVALID,
                "`batchSize`",
            ),
            ("stop", "{}", "STOPPED", "the workflow stopped itself"),
            ("stop", r#"{"code": ""}"#, INVALID, "parameter `code`"),
            ("stop", &long, INVALID, "parameter `code`"),
            (
                "stop",
                r#"{"statusCode": 99}"#,
                INVALID,
                "parameter `statusCode`: must be from 100 to 599, but is 99",
            ),
            (
                "stop",
                r#"{"statusCode": 600, "when": false}"#,
                INVALID,
                "parameter `statusCode`",
            ),
            (
                "stop",
                r#"{"when": "1 +"}"#,
                CONDITION,
                "parameter `when`: unexpected end",
            ),
            ("stop", r#"{"message": 5}"#, INVALID, "`message`"),
            (
                "switch",
                r#"{"value": 1, "cases": "a"}"#,
                INVALID,
                "parameter `cases`: expected a map or a list",
            ),
            (
                "switch",
                r#"{"value": 1, "cases": [5]}"#,
                INVALID,
                "parameter `cases[0]`: must be a map",
            ),
            (
                "switch",
                r#"{"value": 1, "cases": [{"output": 1}]}"#,
                INVALID,
                "parameter `cases[0]`",
            ),
            (
                "switch",
                r#"{"value": 1, "cases": [{"value": 1, "condition": "true"}]}"#,
                INVALID,
                "parameter `cases[0]`",
            ),
            (
                "switch",
                r#"{"value": 1, "cases": [{"value": 1, "output": -1}]}"#,
                INVALID,
                "parameter `cases[0]`: `output` must be",
            ),
            (
                "switch",
                r#"{"value": 1, "cases": [{"value": 1, "output": []}]}"#,
                INVALID,
                "parameter `cases[0]`: `output` must be",
            ),
            (
                "switch",
                r#"{"value": 1, "cases": {}, "fallbackOutput": 65536}"#,
                INVALID,
                "parameter `fallbackOutput`: must be from 0 to 65535, but is 65536",
            ),
            (
                "switch",
                r#"{"value": 1, "cases": {}, "fallback": "last"}"#,
                INVALID,
                "`fallback`",
            ),
            (
                "switch",
                r#"{"value": 1, "cases": [{"condition": "1 +"}]}"#,
                CONDITION,
                "parameter `cases[0].condition`",
            ),
            (
                "switch",
                r#"{"value": 1, "cases": {"1": "{{ 1 + }}"}}"#,
                "EXECUTION_ERROR",
                "parameter `cases`",
            ),
            ("wait", "{}", INVALID, "parameter `duration`: is missing"),
            (
                "wait",
                r#"{"duration": -1}"#,
                INVALID,
                "must not be negative, but is -1, at `duration`",
            ),
            (
                "wait",
                r#"{"duration": "soon"}"#,
                INVALID,
                "expected a number, found \"soon\", at `duration`",
            ),
            ("wait", r#"{"duration": "inf"}"#, INVALID, "`duration`"),
            (
                "wait",
                r#"{"duration": 25, "unit": "h"}"#,
                INVALID,
                "parameter `duration`: must not be longer than 24 hours",
            ),
            (
                "wait",
                r#"{"duration": 1, "unit": "days"}"#,
                INVALID,
                "parameter `unit`: must be `ms`",
            ),
            ("wait", r#"{"duration": 1, "unit": 5}"#, INVALID, "`unit`"),
        ],
        &["noop"],
    );
}
