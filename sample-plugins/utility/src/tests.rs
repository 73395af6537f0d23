use std::time::{Duration, UNIX_EPOCH};

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the output or the code and a part of the message.
type Case = (&'static str, Result<&'static str, (&'static str, &'static str)>);

const INVALID: &str = code::VALIDATION_FAILED;

/// Knows a few expressions.
pub(crate) fn workflow() -> Harness {
    let number = |value: Option<ValueRef<'_>>| value.and_then(|value| value.as_i64()).unwrap_or(0);
    Harness::new()
        .wall_clock(UNIX_EPOCH)
        .with_evaluator(move |expression, bindings| match expression {
            "'ok'" => Ok(Value::from("ok")),
            "1" => Ok(Value::from(1)),
            "$item" => Ok(bindings.get("item").unwrap_or(ValueRef::NULL).to_value()),
            "$index" => Ok(bindings.get("index").unwrap_or(ValueRef::NULL).to_value()),
            "$item.ok" => Ok(bindings.pointer("/item/ok").unwrap_or(ValueRef::NULL).to_value()),
            "$item.name" => Ok(bindings
                .pointer("/item/name")
                .unwrap_or(ValueRef::NULL)
                .to_value()),
            "$acc + $item" => Ok(Value::from(
                number(bindings.get("acc")) + number(bindings.get("item")),
            )),
            "$acc" => Ok(bindings.get("acc").unwrap_or(ValueRef::NULL).to_value()),
            "$item > 1" => Ok(Value::from(number(bindings.get("item")) > 1)),
            "true" => Ok(Value::from(true)),
            "false" => Ok(Value::from(false)),
            _ => Err(NodeError::with_code(
                "EXPRESSION",
                format!("unexpected end of `{expression}`"),
            )),
        })
}

fn check<N: Export>(cases: &[Case]) {
    let harness = workflow();
    assert!(N::meta().examples.len() >= 2, "{}", N::NODE_TYPE);
    harness.check_examples::<N>();
    for (input, expected) in cases {
        match (harness.call::<N>(input), expected) {
            (Ok(output), Ok(expected)) => {
                assert_eq!(
                    output,
                    Value::from_json(expected).unwrap(),
                    "{} {input}",
                    N::NODE_TYPE
                );
            }
            (Err(error), Err((code, part))) => {
                assert_eq!(error.code, *code, "{} {input}: {error}", N::NODE_TYPE);
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
            }
            (found, expected) => panic!("{} {input}: {found:?}, expected {expected:?}", N::NODE_TYPE),
        }
    }
}

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
fn set_variable_sets_real_values_and_replaces_when_told() {
    check::<set_variable>(&[
        (
            r#"{"variables": {"who": "Ada", "n": 3, "o": {"x": "Ada"}, "l": [1, null, [true]], "z": null}}"#,
            Ok(
                r#"{"variablesSet": {"who": "Ada", "n": "3", "o": "[object Object]", "l": "1,,true", "z": "null"}, "count": 5, "timestamp": 0}"#,
            ),
        ),
        (
            r#"{"variables": {}}"#,
            Ok(r#"{"variablesSet": {}, "count": 0, "timestamp": 0}"#),
        ),
        (
            r#"{"variables": {"1bad": "x"}}"#,
            Err(("SET_VARIABLE_ERROR", "\"1bad\"")),
        ),
        (
            r#"{"variables": {"": "x"}}"#,
            Err(("SET_VARIABLE_ERROR", "`variables`")),
        ),
        (
            r#"{"variables": {"a-b": "x"}}"#,
            Err(("SET_VARIABLE_ERROR", "`variables`")),
        ),
        (
            r#"{"variables": [1]}"#,
            Err(("SET_VARIABLE_ERROR", "`variables`")),
        ),
        ("{}", Err(("SET_VARIABLE_ERROR", "`variables`"))),
        (r#"{"variables": {}, "mode": "append"}"#, Err((INVALID, "`mode`"))),
    ]);
    let harness = workflow()
        .variable("keep", &true)
        .variable("x", &0)
        .wall_clock(UNIX_EPOCH + Duration::from_secs(5));
    harness
        .call::<set_variable>(r#"{"variables": {"x": 1, "y": [2]}}"#)
        .unwrap();
    assert_eq!(harness.variables().to_json(), r#"{"keep":true,"x":1,"y":[2]}"#);
    harness
        .call::<set_variable>(r#"{"variables": {"z": 1, "1bad": 2}, "mode": "replace"}"#)
        .unwrap_err();
    assert_eq!(harness.variables().to_json(), r#"{"keep":true,"x":1,"y":[2]}"#);
    let output = harness
        .call::<set_variable>(r#"{"variables": {"z": 3, "y": 4}, "mode": "replace"}"#)
        .unwrap();
    assert_eq!(harness.variables().to_json(), r#"{"y":4,"z":3}"#);
    assert_eq!(output.as_ref().get("timestamp").unwrap().as_i64(), Some(5_000));
}

#[test]
fn filter_map_and_reduce_see_the_item_its_place_and_the_result_so_far() {
    check::<filter>(&[
        (
            r#"{"items": [{"name": "ann", "ok": true}, {"name": "bob", "ok": false}], "condition": "{{ $item.ok }}"}"#,
            Ok(r#"{"result": [{"name": "ann", "ok": true}], "count": 1}"#),
        ),
        (
            r#"{"array": [1, 2, 3], "condition": "$item > 1"}"#,
            Ok(r#"{"result": [2, 3], "count": 2}"#),
        ),
        (
            r#"{"items": [1], "condition": "true"}"#,
            Ok(r#"{"result": [1], "count": 1}"#),
        ),
        (
            r#"{"items": [1], "condition": "false"}"#,
            Ok(r#"{"result": [], "count": 0}"#),
        ),
        (r#"{"items": [1]}"#, Err((INVALID, "`condition`"))),
        (r#"{"items": "ab", "condition": true}"#, Err((INVALID, "`items`"))),
        (
            r#"{"items": [1], "condition": "1 +"}"#,
            Err(("EXPRESSION", "`condition`, for item 0: unexpected end")),
        ),
    ]);
    check::<map>(&[
        (
            r#"{"items": [{"name": "ann"}, {"name": "bob"}, 5], "transform": "{{ $item.name }}"}"#,
            Ok(r#"{"result": ["ann", "bob", null], "count": 3}"#),
        ),
        (
            r#"{"items": [{"name": "ann"}], "transform": "$item.name"}"#,
            Ok(r#"{"result": ["ann"], "count": 1}"#),
        ),
        (
            r#"{"items": [1, 2], "transform": {"v": "{{ $item }}", "i": "{{ $index }}", "c": "x"}}"#,
            Ok(r#"{"result": [{"v": 1, "i": 0, "c": "x"}, {"v": 2, "i": 1, "c": "x"}], "count": 2}"#),
        ),
        (
            r#"{"items": [1, 2], "transform": "v={{ $item }}"}"#,
            Ok(r#"{"result": ["v=1", "v=2"], "count": 2}"#),
        ),
        (
            r#"{"items": [1, 2], "transform": "1 +"}"#,
            Err(("EXPRESSION", "`transform`, for item 0")),
        ),
        (r#"{"items": [1]}"#, Err((INVALID, "`transform`"))),
        (r#"{"items": {}, "transform": 1}"#, Err((INVALID, "`items`"))),
    ]);
    check::<reduce>(&[
        (
            r#"{"items": [1, 2, 3], "reducer": "$acc + $item", "initial": 0}"#,
            Ok(r#"{"result": 6}"#),
        ),
        (
            r#"{"items": [1, 2, 3], "reducer": "$acc + $item"}"#,
            Ok(r#"{"result": 6}"#),
        ),
        (
            r#"{"items": [1, 2, 3], "reducer": "$acc", "initial": 5}"#,
            Ok(r#"{"result": 5}"#),
        ),
        (
            r#"{"items": [1], "reducer": "$index", "initial": null}"#,
            Ok(r#"{"result": 0}"#),
        ),
        (r#"{"items": [], "reducer": "$acc"}"#, Ok(r#"{"result": null}"#)),
        (
            r#"{"items": [1, 2], "reducer": "1 +"}"#,
            Err(("EXPRESSION", "`reducer`, for item 1")),
        ),
        (r#"{"items": [1], "reducer": 5}"#, Err((INVALID, "`reducer`"))),
        (r#"{"items": 5, "reducer": "$acc"}"#, Err((INVALID, "`items`"))),
    ]);
}

#[test]
fn a_cancelled_call_ends_within_its_list_and_says_so() {
    let harness = workflow().cancelled();
    let error = harness
        .call::<filter>(r#"{"items": [1], "condition": "$item > 1"}"#)
        .unwrap_err();
    assert_eq!(error.code, code::CANCELLED);
}

#[test]
fn an_expression_outside_a_workflow_says_what_it_needs() {
    let harness = Harness::new().outside_workflow();
    let error = harness
        .call::<map>(r#"{"items": [1], "transform": "$item"}"#)
        .unwrap_err();
    assert_eq!(error.code, code::UNSUPPORTED);
    assert!(
        error
            .message
            .contains("`transform`: an expression needs a workflow"),
        "{error}"
    );
}

#[test]
fn sorting_is_stable_and_knows_an_order_of_everything() {
    check::<sort>(&[
        (
            r#"{"items": [{"b": 1}, [2], "b", 2, true, null, "a", 1.5, false, [1, 5], [1], {"a": 1}]}"#,
            Ok(r#"{"result": [false, true, 1.5, 2, "a", "b", [1], [1, 5], [2], {"a": 1}, {"b": 1}, null]}"#),
        ),
        (
            r#"{"items": [1, null, 3, 2], "order": "descending"}"#,
            Ok(r#"{"result": [3, 2, 1, null]}"#),
        ),
        (
            r#"{"items": [{"u": {"age": 2}, "n": 1}, {"n": 2}, {"u": {"age": 1}}, {"u": {"age": 2}, "n": 3}], "by": "u.age"}"#,
            Ok(
                r#"{"result": [{"u": {"age": 1}}, {"u": {"age": 2}, "n": 1}, {"u": {"age": 2}, "n": 3}, {"n": 2}]}"#,
            ),
        ),
        (
            r#"{"items": [{"name": "b"}, {"name": "a"}], "by": "$item.name", "direction": "desc"}"#,
            Ok(r#"{"result": [{"name": "b"}, {"name": "a"}]}"#),
        ),
        (
            r#"{"items": [9007199254740993, 9007199254740992.0, -1, 1e300, -1e300]}"#,
            Ok(r#"{"result": [-1e300, -1, 9007199254740992.0, 9007199254740993, 1e300]}"#),
        ),
        ("{}", Ok(r#"{"result": []}"#)),
        (
            r#"{"items": [1], "by": "$oops"}"#,
            Err(("EXPRESSION", "`by`, for item 0")),
        ),
        (r#"{"items": 5}"#, Err((INVALID, "`items`"))),
        (r#"{"items": [], "order": "up"}"#, Err((INVALID, "`order`"))),
        (r#"{"items": [], "by": 5}"#, Err((INVALID, "`by`"))),
    ]);
}

#[test]
fn groups_are_named_by_the_value_as_text() {
    check::<group>(&[
        (
            r#"{"items": [{"t": ["x"]}, {"t": ["y"]}, {"a.b": 1}], "by": "t.0"}"#,
            Ok(
                r#"{"result": {"x": [{"t": ["x"]}], "y": [{"t": ["y"]}], "null": [{"a.b": 1}]},
                "groups": ["x", "y", "null"]}"#,
            ),
        ),
        (
            r#"{"items": [1, 2, 3], "by": "{{ $item > 1 }}"}"#,
            Ok(r#"{"result": {"false": [1], "true": [2, 3]}, "groups": ["false", "true"]}"#),
        ),
        (
            r#"{"items": [], "key": "k"}"#,
            Ok(r#"{"result": {}, "groups": []}"#),
        ),
        (r#"{"items": "ab"}"#, Err((INVALID, "`items`"))),
        (r#"{"items": [1], "by": "$oops"}"#, Err(("EXPRESSION", "`by`"))),
    ]);
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

#[test]
fn aliases_name_the_ids_of_the_other_languages() {
    assert_eq!(branch_condition::meta().aliases, ["utils.branch_condition"]);
    assert_eq!(filter_list::meta().aliases, ["utils.filter_list"]);
    assert_eq!(map_list::meta().aliases, ["utils.map_list"]);
    assert_eq!(reduce_list::meta().aliases, ["utils.reduce_list"]);
}

#[test]
fn what_is_evaluated_for_each_item_is_marked_to_reach_the_node_as_it_is() {
    let marked = [
        (filter::meta(), "condition", &[][..]),
        (map::meta(), "transform", &["template", "mapping"]),
        (reduce::meta(), "reducer", &["expression"]),
        (sort::meta(), "by", &["key", "field"]),
        (group::meta(), "by", &["key", "field", "groupBy"]),
    ];
    for (meta, parameter, aliases) in marked {
        let schema = &meta.parameters["properties"][parameter];
        assert_eq!(schema["x-template"], false, "{}", meta.node_type);
        let named = schema["x-aliases"].as_array().into_iter().flatten();
        let named: Vec<_> = named.filter_map(|name| name.as_str()).collect();
        assert_eq!(named, aliases, "{}", meta.node_type);
    }
}

#[test]
fn a_field_to_sort_by_may_come_from_a_template() {
    let harness = workflow();
    let by = |by: &str| {
        let input = format!(r#"{{"items": [{{"ok": 2, "$index": 1}}, {{"ok": 1}}], "by": "{by}"}}"#);
        harness.call::<sort>(&input).map(|output| output.to_json())
    };
    let sorted = r#"{"result":[{"ok":1},{"ok":2,"$index":1}]}"#;
    assert_eq!(by("{{ $item.ok }}").unwrap(), sorted);
    assert_eq!(by("{{ 'ok' }}").unwrap(), sorted);
    assert!(by("{{ 1 }}").unwrap_err().message.contains("`by`"));
}
