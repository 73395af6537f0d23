//! Nodes that write and compare texts.

use plugin_api::error::code;

use super::tests::{INVALID, check, workflow};
use super::*;

#[test]
fn transform_gives_the_mapping_with_its_types() {
    check::<transform>(&[
        (
            r#"{"mapping": {"name": "Ada", "tag": "y", "text": "Hi Ada!", "num": 7, "missing": null, "deep": {"x": 7},
                "list": [7, "lit"], "lit": 5}}"#,
            Ok(
                r#"{"name": "Ada", "tag": "y", "text": "Hi Ada!", "num": 7, "missing": null, "deep": {"x": 7},
                "list": [7, "lit"], "lit": 5}"#,
            ),
        ),
        (r#"{"mapping": "Hi Ada, 2 + 1 q"}"#, Ok(r#""Hi Ada, 2 + 1 q""#)),
        (
            r#"{"mapping": {"o": {"a": 1}, "l": [1, {"x": 2}], "b": false, "z": null}}"#,
            Ok(r#"{"o": {"a": 1}, "l": [1, {"x": 2}], "b": false, "z": null}"#),
        ),
        (r#"{"mapping": null}"#, Ok("null")),
        (
            r#"{"output": {"iso": "x"}, "operation": "transform_data"}"#,
            Ok(r#"{"iso": "x"}"#),
        ),
        ("{}", Err((INVALID, "`mapping`"))),
    ]);
}

#[test]
fn transform_flattens_groups_and_formats_in_that_order() {
    check::<transform>(&[
        (
            r#"{"mapping": [1, [2, [3, [4]]]], "flatten": true}"#,
            Ok("[1, 2, [3, [4]]]"),
        ),
        (
            r#"{"mapping": [1, [2, [3, [4]]]], "flatten": 9}"#,
            Ok("[1, 2, 3, 4]"),
        ),
        (r#"{"mapping": [1, [2]], "flatten": false}"#, Ok("[1, [2]]")),
        (r#"{"mapping": {"a": [2]}, "flatten": 0}"#, Ok(r#"{"a": [2]}"#)),
        (
            r#"{"mapping": {"a": [2]}, "flatten": true}"#,
            Err((INVALID, "`flatten`")),
        ),
        (r#"{"mapping": [], "flatten": -1}"#, Err((INVALID, "`flatten`"))),
        (
            r#"{"mapping": [], "flatten": "yes"}"#,
            Err((INVALID, "`flatten`")),
        ),
        (
            r#"{"mapping": [{"u": {"r": 1}}, {"u": {"r": 1.0}}, {}, 5], "groupBy": "u.r"}"#,
            Ok(r#"{"1": [{"u": {"r": 1}}, {"u": {"r": 1.0}}], "null": [{}, 5]}"#),
        ),
        (
            r#"{"mapping": [[{"k": true}], {"k": [1]}], "flatten": true, "group_by": "k", "format": "json"}"#,
            Ok(r#""{\"true\":[{\"k\":true}],\"[1]\":[{\"k\":[1]}]}""#),
        ),
        (r#"{"mapping": 5, "groupBy": "k"}"#, Err((INVALID, "`groupBy`"))),
        (
            r#"{"mapping": {"a": 1}, "format": "json-pretty"}"#,
            Ok("\"{\\n  \\\"a\\\": 1\\n}\""),
        ),
        (
            r#"{"mapping": ["a", 1, [2]], "format": "text"}"#,
            Ok(r#""a\n1\n[2]""#),
        ),
        (r#"{"mapping": 1.0, "format": "text"}"#, Ok(r#""1""#)),
        (
            r#"{"mapping": [{"a": "q\"", "b": null}, {"c": "x\ny"}], "format": "csv"}"#,
            Ok(r#""a,b,c\r\n\"q\"\"\",,\r\n,,\"x\ny\"\r\n""#),
        ),
        (r#"{"mapping": [5], "format": "csv"}"#, Err((INVALID, "`format`"))),
        (r#"{"mapping": 5, "format": "csv"}"#, Err((INVALID, "`format`"))),
        (r#"{"mapping": 5, "format": "xml"}"#, Err((INVALID, "`format`"))),
        (r#"{"mapping": 5, "format": 1}"#, Err((INVALID, "`format`"))),
    ]);
}

#[test]
fn a_table_of_many_rows_and_columns_is_refused_before_it_is_made() {
    let rows: Vec<String> = (0..10_000)
        .map(|row| format!(r#"{{"column{row}": 0}}"#))
        .collect();
    let input = format!(r#"{{"mapping": [{}], "format": "csv"}}"#, rows.join(","));
    assert_eq!(
        workflow().call::<transform>(&input).unwrap_err().code,
        code::LIMIT_EXCEEDED
    );
}

#[test]
fn conditions_on_texts_know_their_modes() {
    check::<not>(&[
        ("{}", Ok(r#"{"result": true}"#)),
        (r#"{"value": []}"#, Ok(r#"{"result": false}"#)),
        (r#"{"value": ""}"#, Ok(r#"{"result": true}"#)),
    ]);
    check::<branch_condition>(&[
        ("{}", Ok(r#"{"result": false}"#)),
        (r#"{"value": [], "mode": "is_empty"}"#, Ok(r#"{"result": true}"#)),
        (
            r#"{"value": {"a": 1}, "mode": "isEmpty"}"#,
            Ok(r#"{"result": false}"#),
        ),
        (r#"{"value": 0, "mode": "is_empty"}"#, Ok(r#"{"result": true}"#)),
        (
            r#"{"value": 5, "mode": "equals", "compare": "5"}"#,
            Ok(r#"{"result": true}"#),
        ),
        (
            r#"{"value": 5.0, "mode": "not_equals", "compare": 5}"#,
            Ok(r#"{"result": false}"#),
        ),
        (
            r#"{"value": ["ab"], "mode": "contains", "compare": "b"}"#,
            Ok(r#"{"result": true}"#),
        ),
        (
            r#"{"value": "ab", "mode": "starts_with", "compare": "b"}"#,
            Ok(r#"{"result": false}"#),
        ),
        (
            r#"{"value": "ab", "mode": "endsWith", "compare": "b"}"#,
            Ok(r#"{"result": true}"#),
        ),
        (
            r#"{"value": "fine", "mode": "regex", "compare": "(FAILED|ERROR)"}"#,
            Ok(r#"{"result": false}"#),
        ),
        (
            r#"{"value": "x", "mode": "regex", "compare": "("}"#,
            Err((INVALID, "`compare`: is no regular expression")),
        ),
        (
            r#"{"value": "x", "mode": "regex", "compare": "(\\w{1000}){1000}"}"#,
            Err((INVALID, "`compare`")),
        ),
        (r#"{"value": "x", "mode": "like"}"#, Err((INVALID, "`mode`"))),
        (r#"{"value": "x", "compare": []}"#, Err((INVALID, "`compare`"))),
    ]);
}

#[test]
fn lists_of_texts_are_filtered_written_and_joined() {
    check::<filter_list>(&[
        ("{}", Ok(r#"{"items": []}"#)),
        (
            r#"{"items": [1, 12, "x1"], "pattern": 1, "mode": "startswith"}"#,
            Ok(r#"{"items": [1, 12]}"#),
        ),
        (
            r#"{"items": ["a"], "mode": "regex", "pattern": "[" }"#,
            Err((INVALID, "`pattern`")),
        ),
        (r#"{"items": ["a"], "mode": "like"}"#, Err((INVALID, "`mode`"))),
        (r#"{"items": "a"}"#, Err((INVALID, "`items`"))),
    ]);
    check::<map_list>(&[
        (
            r#"{"items": ["a.py"], "template": "PY: {item}"}"#,
            Ok(r#"{"items": ["PY: a.py"]}"#),
        ),
        (
            r#"{"items": ["{item}", [1]], "template": "{item}{item}"}"#,
            Ok(r#"{"items": ["{item}{item}", "[1][1]"]}"#),
        ),
        (
            r#"{"items": [1, 2], "template": ""}"#,
            Ok(r#"{"items": ["", ""]}"#),
        ),
        (r#"{"items": 5}"#, Err((INVALID, "`items`"))),
        (r#"{"items": [], "template": []}"#, Err((INVALID, "`template`"))),
    ]);
    check::<reduce_list>(&[
        (
            r#"{"items": ["a", "b"], "separator": ", "}"#,
            Ok(r#"{"result": "a, b"}"#),
        ),
        (
            r#"{"items": ["a", "b"], "separator": "\\t"}"#,
            Ok(r#"{"result": "a\tb"}"#),
        ),
        ("{}", Ok(r#"{"result": ""}"#)),
        (r#"{"items": {}}"#, Err((INVALID, "`items`"))),
        (r#"{"items": [], "separator": []}"#, Err((INVALID, "`separator`"))),
    ]);
}

#[test]
fn texts_far_beyond_their_inputs_are_refused_before_they_are_made() {
    let (long, many) = ("x".repeat(100_000), "0,".repeat(10_000));
    for error in [
        workflow().call::<map_list>(&format!(r#"{{"items": [{many}0], "template": "{long}"}}"#)),
        workflow().call::<reduce_list>(&format!(r#"{{"items": [{many}0], "separator": "{long}"}}"#)),
    ] {
        assert_eq!(error.unwrap_err().code, code::LIMIT_EXCEEDED);
    }
}
