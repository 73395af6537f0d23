use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the result or the part of an error's message that names the parameter.
type Case = (&'static str, Result<&'static str, &'static str>);

/// A harness with an evaluator that knows what the tests below say.
pub(crate) fn harness() -> Harness {
    Harness::new().with_evaluator(|expression, bindings| {
        let bound = |name: &str| bindings.get(name).unwrap_or(ValueRef::NULL);
        let item = bound("item");
        let field = |name: &str| item.get(name).map_or_else(Value::null, |value| value.to_value());
        let old = || {
            item.get("age")
                .and_then(|age| age.as_i64())
                .is_some_and(|age| age > 18)
        };
        match expression {
            "$item" => Ok(item.to_value()),
            "$index" => Ok(bound("index").to_value()),
            "$acc" => Ok(bound("acc").to_value()),
            "$item.age" => Ok(field("age")),
            "$item.name" => Ok(field("name")),
            "$item.ok" => Ok(field("ok")),
            "$item.age > 18" | "item.age > 18" => Ok(old().into()),
            "$acc + $item" => {
                let sum = Option::zip(bound("acc").as_i64(), item.as_i64()).map(|(acc, item)| acc + item);
                Ok(sum.map_or_else(Value::null, Value::from))
            }
            "$index == 1 ? 1" if bound("index").as_i64() == Some(1) => {
                Err(NodeError::new("a `:` is missing"))
            }
            _ => Ok(Value::null()),
        }
    })
}

fn check<N: Export>(cases: &[Case]) {
    let harness = harness();
    harness.check_examples::<N>();
    assert!(N::meta().examples.len() >= 2, "{}", N::NODE_TYPE);
    for (input, expected) in cases {
        match (harness.call::<N>(input), expected) {
            (Ok(output), Ok(expected)) => {
                let output = output.as_ref().get("result").unwrap().to_value();
                assert_eq!(
                    output,
                    Value::from_json(expected).unwrap(),
                    "{} {input}",
                    N::NODE_TYPE
                );
            }
            (Err(error), Err(part)) => {
                assert_eq!(error.code, code::VALIDATION_FAILED, "{} {input}", N::NODE_TYPE);
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
            }
            (found, expected) => panic!("{} {input}: {found:?}, expected {expected:?}", N::NODE_TYPE),
        }
    }
}

#[test]
fn positions_count_from_both_ends_and_beyond_them_is_nothing() {
    check::<at>(&[
        (r#"{"list": [1, 2], "index": "1"}"#, Ok("2")),
        (r#"{"items": [1, 2], "index": -2}"#, Ok("1")),
        (r#"{"array": [1, 2], "index": -3}"#, Ok("null")),
        (r#"{"array": [1, 2], "index": -9223372036854775808}"#, Ok("null")),
        (r#"{"array": [1], "index": 9223372036854775807}"#, Ok("null")),
        (r#"{}"#, Ok("null")),
        (
            r#"{"array": [1], "index": 0.5}"#,
            Err("expected a whole number, found 0.5, at `index`"),
        ),
        (
            r#"{"array": "abc"}"#,
            Err("expected a list, found \"abc\", at `array`"),
        ),
        (r#"{"array": [1], "list": [1]}"#, Err("`array`")),
    ]);
    check::<first>(&[
        (r#"{"list": [[1]]}"#, Ok("[1]")),
        (r#"{"array": {"0": 1}}"#, Err("`array`")),
    ]);
    check::<last>(&[
        (r#"{"list": null}"#, Ok("null")),
        (r#"{"array": 7}"#, Err("`array`")),
    ]);
    check::<length>(&[
        (r#"{"items": [[], null]}"#, Ok("2")),
        (r#"{"array": {"a": 1}}"#, Ok("0")),
        (r#"{}"#, Ok("0")),
    ]);
    check::<slice>(&[
        (r#"{"list": [1, 2, 3], "start": 2, "end": 1}"#, Ok("[]")),
        (r#"{"list": [1, 2, 3], "end": -1}"#, Ok("[1, 2]")),
        (r#"{"list": [1, 2, 3], "start": -9, "end": 9}"#, Ok("[1, 2, 3]")),
        (
            r#"{"list": [1, 2, 3], "start": null, "end": null}"#,
            Ok("[1, 2, 3]"),
        ),
        (r#"{"list": [1], "start": "a"}"#, Err("`start`")),
        (r#"{"list": [1], "end": []}"#, Err("`end`")),
    ]);
}

#[test]
fn values_are_found_by_deep_equality() {
    check::<includes>(&[
        (
            r#"{"list": [[1, {"a": 2}]], "value": [1.0, {"a": 2}]}"#,
            Ok("true"),
        ),
        (r#"{"array": [null]}"#, Ok("true")),
        (r#"{"array": [true], "value": 1}"#, Ok("false")),
        (r#"{"array": "abc", "value": "a"}"#, Err("`array`")),
    ]);
    check::<index_of>(&[(
        r#"{"list": [1, {"b": 1, "a": 2}], "value": {"a": 2, "b": 1}}"#,
        Ok("1"),
    )]);
}

#[test]
fn lists_are_made_of_lists() {
    check::<concat>(&[
        (r#"{"lists": [[1], [[2]], null]}"#, Ok("[1, [2], null]")),
        (r#"{"list": [1, [2]]}"#, Ok("[1, [2]]")),
        (r#"{}"#, Ok("[]")),
        (r#"{"arrays": {"a": 1}}"#, Err("`arrays`")),
    ]);
    check::<flatten>(&[
        (r#"{"array": [[1, [2]], 3], "depth": 0}"#, Ok("[[1, [2]], 3]")),
        (r#"{"array": [[[[[1]]]]], "depth": 99}"#, Ok("[1]")),
        (r#"{"array": [[1]], "depth": -1}"#, Ok("[[1]]")),
        (r#"{"array": [[1]], "depth": "deep"}"#, Err("`depth`")),
    ]);
    check::<reverse>(&[
        (r#"{"list": ["a", [1]]}"#, Ok(r#"[[1], "a"]"#)),
        (r#"{"array": "ab"}"#, Err("`array`")),
    ]);
    check::<push>(&[
        (r#"{"list": [1]}"#, Ok("[1, null]")),
        (r#"{"array": 1, "value": 1}"#, Err("`array`")),
    ]);
    check::<unshift>(&[
        (r#"{"list": [1], "value": [0]}"#, Ok("[[0], 1]")),
        (r#"{"array": {}}"#, Err("`array`")),
    ]);
    check::<pop>(&[
        (r#"{"list": [1]}"#, Ok("[]")),
        (r#"{"array": "a"}"#, Err("`array`")),
    ]);
    check::<shift>(&[
        (r#"{"list": [1, 2]}"#, Ok("[2]")),
        (r#"{"array": "a"}"#, Err("`array`")),
    ]);
}

#[test]
fn a_list_is_sorted_in_one_way_or_refused() {
    check::<sort>(&[
        (r#"{"items": ["10", "9"]}"#, Ok(r#"["10", "9"]"#)),
        (r#"{"array": ["10", "9", 1]}"#, Ok(r#"[1, "9", "10"]"#)),
        (
            r#"{"array": ["b", 1, "a", null, false]}"#,
            Ok(r#"[null, false, 1, "a", "b"]"#),
        ),
        (
            r#"{"array": [9007199254740993, 9007199254740992.0]}"#,
            Ok("[9007199254740992.0, 9007199254740993]"),
        ),
        (
            r#"{"array": [1e300, 9223372036854775807, -1e300]}"#,
            Ok("[-1e300, 9223372036854775807, 1e300]"),
        ),
        (
            r#"{"array": [{"a": {"b": 2}}, {"a": {"b": 1}}, {}], "key": "a.b"}"#,
            Ok(r#"[{}, {"a": {"b": 1}}, {"a": {"b": 2}}]"#),
        ),
        (
            r#"{"array": [{"a.b": 2}, {"a.b": 1}], "key": "a.b"}"#,
            Ok(r#"[{"a.b": 1}, {"a.b": 2}]"#),
        ),
        (
            r#"{"array": [[0, "b"], [1, "a"]], "key": 1}"#,
            Ok(r#"[[1, "a"], [0, "b"]]"#),
        ),
        (
            r#"{"array": [{"k": 1, "n": 1}, {"k": 2, "n": 2}, {"k": 1, "n": 3}], "key": "k", "descending": true}"#,
            Ok(r#"[{"k": 2, "n": 2}, {"k": 1, "n": 1}, {"k": 1, "n": 3}]"#),
        ),
        (r#"{"array": [1, 2], "reverse": true}"#, Ok("[2, 1]")),
        (r#"{"array": [1, 2], "order": true}"#, Ok("[2, 1]")),
        (r#"{"array": [1, 2], "order": "DESC"}"#, Ok("[2, 1]")),
        (r#"{"array": [2, 1], "order": null, "key": null}"#, Ok("[1, 2]")),
        (
            r#"{"array": [1], "order": "down"}"#,
            Err("`order`: must be `asc` or `desc`, but is \"down\""),
        ),
        (
            r#"{"array": [1], "order": "asc", "descending": true}"#,
            Err("`descending`: give either"),
        ),
        (
            r#"{"array": [1, [2]]}"#,
            Err("`array[1]`: a list has no place in an order"),
        ),
        (
            r#"{"array": [{"a": {}}], "key": "a"}"#,
            Err("`array[0]`: a map has"),
        ),
        (r#"{"array": [1], "key": {}}"#, Err("`key`")),
    ]);
}

#[test]
fn items_are_told_apart_and_grouped_by_what_they_are() {
    check::<unique>(&[
        (
            r#"{"list": [1, 1.0, true, "1", null, null]}"#,
            Ok(r#"[1, true, "1", null]"#),
        ),
        (
            r#"{"array": [{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}]}"#,
            Ok(r#"[{"a": 1, "b": [2]}]"#),
        ),
        (
            r#"{"array": [{"a": null}, {}, 1], "key": "a"}"#,
            Ok(r#"[{"a": null}, {}]"#),
        ),
        (r#"{"array": "aab"}"#, Err("`array`")),
    ]);
    check::<group_by>(&[
        (
            r#"{"items": [{"k": 1}, {"k": 1.0}, {"k": "1"}, {"k": null}, {"k": 1.5}], "key": "k"}"#,
            Ok(r#"{"1": [{"k": 1}, {"k": 1.0}, {"k": "1"}], "null": [{"k": null}], "1.5": [{"k": 1.5}]}"#),
        ),
        (
            r#"{"array": [{"k": {"d": true}}], "key": "k.d"}"#,
            Ok(r#"{"true": [{"k": {"d": true}}]}"#),
        ),
        (r#"{"array": []}"#, Err("`key`")),
        (r#"{"array": 1, "key": "k"}"#, Err("`array`")),
    ]);
}

#[test]
fn items_match_by_condition_field_or_value_and_one_of_them_is_needed() {
    check::<find>(&[
        (
            r#"{"items": [{"name": "Alice"}, {"name": "Bob"}], "key": "name", "value": "Bob"}"#,
            Ok(r#"{"name": "Bob"}"#),
        ),
        (r#"{"array": [1, 2], "value": 2.0}"#, Ok("2")),
        (r#"{"array": [1], "condition": true}"#, Ok("1")),
        (
            r#"{"array": [{"a": 1}, {}], "key": "a", "value": null}"#,
            Ok("null"),
        ),
        (
            r#"{"array": []}"#,
            Err("`condition`: give a condition, a key or a value"),
        ),
        (r#"{"array": 1, "condition": "$item"}"#, Err("`array`")),
    ]);
    check::<find_index>(&[
        (r#"{"array": [0, "", 3], "condition": "{{ $item }}"}"#, Ok("2")),
        (r#"{"array": [1, 1], "condition": "$index"}"#, Ok("1")),
        (r#"{"array": {}, "condition": "$item"}"#, Err("`array`")),
    ]);
    check::<filter>(&[
        (
            r#"{"array": [0, 1, [], null], "condition": "$item"}"#,
            Ok("[1, []]"),
        ),
        (r#"{"array": "ab", "value": "a"}"#, Err("`array`")),
    ]);
    check::<every>(&[
        (r#"{"array": [], "condition": "$item"}"#, Ok("true")),
        (r#"{"array": [1, "x"], "condition": "$item"}"#, Ok("true")),
        (r#"{"array": [{"a": 1}, {}], "key": "a"}"#, Ok("false")),
        (r#"{"array": [1], "condition": null}"#, Err("`condition`")),
    ]);
    check::<some>(&[
        (r#"{"array": [1, 2], "value": 3}"#, Ok("false")),
        (r#"{"array": "ab", "value": "a"}"#, Err("`array`")),
    ]);
}

#[test]
fn templates_and_reducers_see_each_item() {
    check::<map>(&[
        (
            r#"{"list": ["a"], "transform": "{{ $index }}: {{ $item }}"}"#,
            Ok(r#"["0: a"]"#),
        ),
        (
            r#"{"array": [[1]], "transform": ["{{ $item }}", 7]}"#,
            Ok("[[[1], 7]]"),
        ),
        (r#"{"array": [1, 2], "transform": null}"#, Ok("[null, null]")),
        (r#"{"array": [1]}"#, Err("`transform`: give a template")),
        (r#"{"array": 1, "transform": "x"}"#, Err("`array`")),
    ]);
    check::<reduce>(&[
        (
            r#"{"array": [1, 2, 3], "reducer": "{{ $acc + $item }}"}"#,
            Ok("6"),
        ),
        (r#"{"array": [], "reducer": "$acc + $item"}"#, Ok("null")),
        (
            r#"{"array": [4], "reducer": "$acc + $item", "initial": null}"#,
            Ok("null"),
        ),
        (r#"{"array": [4, 5], "reducer": "$index", "initial": 0}"#, Ok("1")),
        (
            r#"{"array": [1]}"#,
            Err("`reducer`: expected an expression, found null"),
        ),
        (r#"{"array": [1], "reducer": 5}"#, Err("`reducer`")),
    ]);
}

#[test]
fn a_callback_that_fails_names_its_parameter_and_the_item() {
    let cases = [
        (
            harness().call::<filter>(r#"{"array": [0, 1], "condition": "$index == 1 ? 1"}"#),
            "condition",
        ),
        (
            harness().call::<map>(r#"{"array": [0, 1], "transform": "{{ $index == 1 ? 1 }}"}"#),
            "transform",
        ),
        (
            harness().call::<reduce>(r#"{"array": [0, 1], "reducer": "$index == 1 ? 1", "initial": 0}"#),
            "reducer",
        ),
    ];
    for (result, parameter) in cases {
        let error = result.unwrap_err();
        assert_eq!(error.code, code::EXECUTION_ERROR, "{error}");
        assert_eq!(
            error.message,
            format!("parameter `{parameter}`, for item 1: a `:` is missing")
        );
    }
}

#[test]
fn no_callback_is_made_for_what_needs_none_or_for_a_caller_who_gave_up() {
    let nowhere = Harness::new().outside_workflow();
    let found = nowhere.call::<find>(r#"{"array": [1], "value": 1}"#).unwrap();
    assert_eq!(found.to_json(), r#"{"result":1,"found":true,"index":0}"#);
    let error = nowhere
        .call::<find>(r#"{"array": [1], "condition": "$item"}"#)
        .unwrap_err();
    assert_eq!(error.code, code::UNSUPPORTED, "{error}");
    let error = harness()
        .cancelled()
        .call::<map>(r#"{"array": [1], "transform": "x"}"#)
        .unwrap_err();
    assert_eq!(error.code, code::CANCELLED, "{error}");
}

#[test]
fn what_is_evaluated_for_each_item_is_marked_to_reach_the_node_as_it_is() {
    let marked = [
        (find::meta(), "condition"),
        (find_index::meta(), "condition"),
        (filter::meta(), "condition"),
        (every::meta(), "condition"),
        (some::meta(), "condition"),
        (map::meta(), "transform"),
        (reduce::meta(), "reducer"),
    ];
    for (meta, parameter) in marked {
        let mark = meta
            .parameters
            .pointer(&format!("/properties/{parameter}/x-template"));
        assert!(mark.is_some_and(|mark| *mark == false), "{}", meta.node_type);
    }
}
