//! What every node says of parameters that will not do. Wrong types of all of them are swept in `tests_nodes`.

use plugin_api::error::code::{LIMIT_EXCEEDED, VALIDATION_FAILED as INVALID};

use super::tests_nodes::PLUGIN;

const SET: &str = "SET_VARIABLE_ERROR";
const EXPRESSION: &str = "EXPRESSION";

#[test]
fn every_bad_parameter_is_refused_by_name() {
    let long = format!(
        r#"{{"items": ["a"], "mode": "regex", "pattern": "{}"}}"#,
        "a".repeat(10_001)
    );
    let slow = format!(
        r#"{{"value": "{}", "mode": "regex", "compare": "(a{{1000}}b?){{5}}"}}"#,
        "a".repeat(100_000)
    );
    PLUGIN.check_refusals(
        &[
            (
                "utils.branchCondition",
                &slow,
                LIMIT_EXCEEDED,
                "parameter `compare`: so large an expression",
            ),
            (
                "utils.branchCondition",
                r#"{"value": "a", "mode": "regex", "compare": "(\\w{500}){100}"}"#,
                INVALID,
                "parameter `compare`: takes more than 4 MiB",
            ),
            (
                "set-variable",
                "{}",
                SET,
                "parameter `variables`: expected a map of names and values, found null",
            ),
            (
                "set-variable",
                r#"{"variables": [1]}"#,
                SET,
                "parameter `variables`",
            ),
            (
                "set-variable",
                r#"{"variables": {"a b": 1}}"#,
                SET,
                "parameter `variables`: \"a b\" is no name",
            ),
            (
                "set-variable",
                r#"{"variables": {"1a": 1}}"#,
                SET,
                "parameter `variables`: \"1a\" is no name",
            ),
            (
                "set-variable",
                r#"{"variables": {"": 1}}"#,
                SET,
                "parameter `variables`",
            ),
            (
                "set-variable",
                r#"{"variables": {"a": 1}, "mode": "append"}"#,
                INVALID,
                "`mode`",
            ),
            ("transform", "{}", INVALID, "parameter `mapping`: is missing"),
            (
                "transform",
                r#"{"mapping": 5, "flatten": true}"#,
                INVALID,
                "parameter `flatten`: needs a list, found 5",
            ),
            (
                "transform",
                r#"{"mapping": [1], "flatten": -1}"#,
                INVALID,
                "parameter `flatten`: must be true, false or a number",
            ),
            (
                "transform",
                r#"{"mapping": [1], "flatten": "deep"}"#,
                INVALID,
                "parameter `flatten`",
            ),
            (
                "transform",
                r#"{"mapping": 5, "groupBy": "k"}"#,
                INVALID,
                "parameter `groupBy`: needs a list, found 5",
            ),
            (
                "transform",
                r#"{"mapping": [], "groupBy": 5}"#,
                INVALID,
                "`groupBy`",
            ),
            (
                "transform",
                r#"{"mapping": [], "format": "xml"}"#,
                INVALID,
                "parameter `format`: must be `value`",
            ),
            (
                "transform",
                r#"{"mapping": [1], "format": "csv"}"#,
                INVALID,
                "parameter `format`: `csv` needs a list of maps",
            ),
            (
                "transform",
                r#"{"mapping": {}, "format": "csv"}"#,
                INVALID,
                "parameter `format`",
            ),
            (
                "utility.filter",
                r#"{"items": "abc", "condition": true}"#,
                INVALID,
                "`items`",
            ),
            (
                "utility.filter",
                r#"{"items": [1], "condition": "1 +"}"#,
                EXPRESSION,
                "parameter `condition`, for item 0",
            ),
            ("utility.group", r#"{"items": {"a": 1}}"#, INVALID, "`items`"),
            ("utility.group", r#"{"items": [1], "by": 5}"#, INVALID, "`by`"),
            (
                "utility.group",
                r#"{"items": [1], "by": "$item +"}"#,
                EXPRESSION,
                "parameter `by`, for item 0",
            ),
            (
                "utility.map",
                r#"{"items": [1]}"#,
                INVALID,
                "parameter `transform`: is missing",
            ),
            (
                "utility.map",
                r#"{"items": 1, "transform": 1}"#,
                INVALID,
                "`items`",
            ),
            (
                "utility.map",
                r#"{"items": [1], "transform": "1 +"}"#,
                EXPRESSION,
                "parameter `transform`, for item 0",
            ),
            (
                "utility.reduce",
                r#"{"items": [1]}"#,
                INVALID,
                "parameter `reducer`: is missing",
            ),
            (
                "utility.reduce",
                r#"{"items": [1], "reducer": ""}"#,
                INVALID,
                "parameter `reducer`: is missing",
            ),
            (
                "utility.reduce",
                r#"{"items": [1], "reducer": 5}"#,
                INVALID,
                "`reducer`",
            ),
            (
                "utility.reduce",
                r#"{"items": [1, 2], "reducer": "1 +"}"#,
                EXPRESSION,
                "parameter `reducer`, for item 1",
            ),
            ("utility.sort", r#"{"items": true}"#, INVALID, "`items`"),
            (
                "utility.sort",
                r#"{"items": [], "order": "up"}"#,
                INVALID,
                "`order`",
            ),
            (
                "utility.sort",
                r#"{"items": [1], "by": "$item +"}"#,
                EXPRESSION,
                "parameter `by`, for item 0",
            ),
            (
                "utils.branchCondition",
                r#"{"value": "a", "mode": "like"}"#,
                INVALID,
                "parameter `mode`: must be one of",
            ),
            (
                "utils.branchCondition",
                r#"{"value": "a", "mode": "regex", "compare": "("}"#,
                INVALID,
                "parameter `compare`: is no regular expression",
            ),
            (
                "utils.branchCondition",
                r#"{"value": "a", "mode": "equals", "compare": ["a"]}"#,
                INVALID,
                "`compare`",
            ),
            ("utils.filterList", r#"{"items": "abc"}"#, INVALID, "`items`"),
            (
                "utils.filterList",
                r#"{"items": ["a"], "mode": "is_empty"}"#,
                INVALID,
                "parameter `mode`: must be one of",
            ),
            (
                "utils.filterList",
                r#"{"items": ["a"], "mode": "regex", "pattern": "["}"#,
                INVALID,
                "parameter `pattern`: is no regular expression",
            ),
            (
                "utils.filterList",
                &long,
                INVALID,
                "parameter `pattern`: a regular expression has at most 10000 bytes",
            ),
            (
                "utils.filterList",
                r#"{"items": ["a"], "pattern": {}}"#,
                INVALID,
                "`pattern`",
            ),
            ("utils.mapList", r#"{"items": {"a": 1}}"#, INVALID, "`items`"),
            (
                "utils.mapList",
                r#"{"items": [1], "template": [1]}"#,
                INVALID,
                "`template`",
            ),
            ("utils.reduceList", r#"{"items": "abc"}"#, INVALID, "`items`"),
            (
                "utils.reduceList",
                r#"{"items": [1], "separator": {}}"#,
                INVALID,
                "`separator`",
            ),
        ],
        &["utils.not"],
    );
}
