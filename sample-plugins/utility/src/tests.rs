use std::time::{Duration, UNIX_EPOCH};

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the output or the code and a part of the message.
pub(crate) type Case = (&'static str, Result<&'static str, (&'static str, &'static str)>);

pub(crate) const INVALID: &str = code::VALIDATION_FAILED;

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

pub(crate) fn check<N: Export>(cases: &[Case]) {
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
