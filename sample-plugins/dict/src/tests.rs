use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;
use plugin_api::value::MAX_DEPTH;

use super::*;

/// Parameters, and the result or the part of an error's message that names the parameter.
type Case = (&'static str, Result<&'static str, &'static str>);

/// A harness with an evaluator that knows what the tests below say.
pub(crate) fn harness() -> Harness {
    Harness::new().with_evaluator(|expression, bindings| {
        let bound = |name: &str| bindings.get(name).unwrap_or(ValueRef::NULL);
        match expression {
            "$value" => Ok(bound("value").to_value()),
            "$key" => Ok(bound("key").to_value()),
            "$key === 'b'" => Ok((bound("key").as_str() == Some("b")).into()),
            "true" => Ok(true.into()),
            "$key ===" if bound("key").as_str() == Some("b") => {
                Err(NodeError::new("the right side is missing"))
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
fn a_path_leads_through_maps_and_lists_to_what_is_there() {
    check::<get>(&[
        (r#"{"dict": {"name": "Alice"}, "key": "name"}"#, Ok(r#""Alice""#)),
        (r#"{"object": [{"a": 1}], "path": "0.a"}"#, Ok("1")),
        (r#"{"object": {"1": "one"}, "path": 1}"#, Ok(r#""one""#)),
        (r#"{"object": {"": {"": 2}}, "path": "."}"#, Ok("2")),
        (
            r#"{"object": {"a": false}, "path": "a", "default": 1}"#,
            Ok("false"),
        ),
        (r#"{"object": {"a": [1]}, "path": "a.-1", "default": 0}"#, Ok("0")),
        (r#"{"object": {"a": [1]}, "path": "a.length"}"#, Ok("null")),
        (r#"{"object": {}}"#, Err("`path`")),
        (
            r#"{"object": {}, "path": null}"#,
            Err("parameter `path`: is missing"),
        ),
        (r#"{"object": {}, "path": ["a"]}"#, Err("`path`")),
        (r#"{"object": {}, "path": "a", "key": "a"}"#, Err("`path`")),
    ]);
}

#[test]
fn setting_makes_the_maps_it_needs_and_keeps_the_order() {
    check::<set>(&[
        (
            r#"{"dict": {"b": 1, "a": 2}, "key": "b", "value": 3}"#,
            Ok(r#"{"b": 3, "a": 2}"#),
        ),
        (
            r#"{"object": {"l": [1, {"x": 2}]}, "path": "l.1.x", "value": 3}"#,
            Ok(r#"{"l": [1, {"x": 3}]}"#),
        ),
        (
            r#"{"object": {"l": [1]}, "path": "l.1", "value": 2}"#,
            Ok(r#"{"l": [1, 2]}"#),
        ),
        (
            r#"{"object": {"l": []}, "path": "l.0.a", "value": 2}"#,
            Ok(r#"{"l": [{"a": 2}]}"#),
        ),
        (
            r#"{"path": "__proto__.x", "value": 1}"#,
            Ok(r#"{"__proto__": {"x": 1}}"#),
        ),
        (r#"{"path": "a"}"#, Ok(r#"{"a": null}"#)),
        (
            r#"{"object": {"l": [1]}, "path": "l.2", "value": 2}"#,
            Err("`path`: `2` is no position in a list of 1"),
        ),
        (
            r#"{"object": {"l": [1]}, "path": "l.first", "value": 2}"#,
            Err("`path`"),
        ),
        (
            r#"{"object": "text", "path": "a"}"#,
            Err("expected a map, found \"text\", at `object`"),
        ),
        (r#"{"object": {}}"#, Err("`path`")),
    ]);
}

#[test]
fn a_path_that_is_too_long_is_an_error_however_long() {
    for length in [MAX_DEPTH + 1, 1 << 20] {
        let path = vec!["a"; length].join(".");
        let error = harness()
            .call::<set>(&format!(r#"{{"path": "{path}"}}"#))
            .unwrap_err();
        assert_eq!(error.code, code::VALIDATION_FAILED);
        assert!(error.message.contains("`path`"), "{error}");
    }
    let path = vec!["a"; MAX_DEPTH].join(".");
    let error = harness()
        .call::<set>(&format!(r#"{{"path": "{path}", "value": [1]}}"#))
        .unwrap_err();
    assert!(error.message.contains("`path`"), "{error}");
}

#[test]
fn one_entry_is_looked_up_or_left_out_by_its_plain_key() {
    check::<delete>(&[
        (r#"{"dict": {"a.b": 1, "c": 2}, "key": "a.b"}"#, Ok(r#"{"c": 2}"#)),
        (r#"{"object": {"1": 1}, "key": 1}"#, Ok("{}")),
        (r#"{"key": "a"}"#, Ok("{}")),
        (r#"{"object": {}}"#, Err("`key`")),
        (r#"{"object": [], "key": "a"}"#, Err("`object`")),
    ]);
    check::<has>(&[
        (r#"{"dict": {"a.b": 1}, "key": "a.b"}"#, Ok("true")),
        (r#"{"object": {}, "key": "__proto__"}"#, Ok("false")),
        (r#"{"object": 1, "key": "a"}"#, Err("`object`")),
        (r#"{"object": {}, "key": {}}"#, Err("`key`")),
    ]);
}

#[test]
fn views_keep_the_order_in_which_entries_came() {
    check::<keys>(&[
        (r#"{"dict": {"b": 1, "2": 2, "1": 3}}"#, Ok(r#"["b", "2", "1"]"#)),
        (
            r#"{"object": {"é": 1, "b": 2, "B": 3}, "sorted": true}"#,
            Ok(r#"["B", "b", "é"]"#),
        ),
        (r#"{"object": []}"#, Err("`object`")),
        (r#"{"object": {}, "sorted": "yes"}"#, Err("`sorted`")),
    ]);
    check::<values>(&[
        (
            r#"{"dict": {"b": [1], "a": null}, "sorted_by_key": true}"#,
            Ok("[null, [1]]"),
        ),
        (r#"{"object": "ab"}"#, Err("`object`")),
    ]);
    check::<entries>(&[
        (r#"{}"#, Ok("[]")),
        (r#"{"object": [["a", 1]]}"#, Err("`object`")),
    ]);
    check::<size>(&[
        (r#"{"dict": null}"#, Ok("0")),
        (r#"{"object": "ab"}"#, Err("`object`")),
    ]);
}

#[test]
fn entries_become_a_map_and_a_map_turns_round() {
    check::<from_entries>(&[
        (
            r#"{"entries": [[1, "a"], [1.0, "b"], [true, "c"]]}"#,
            Ok(r#"{"1": "b", "true": "c"}"#),
        ),
        (r#"{"entries": [["__proto__", 1]]}"#, Ok(r#"{"__proto__": 1}"#)),
        (r#"{}"#, Ok("{}")),
        (
            r#"{"entries": [["a", 1], ["b"]]}"#,
            Err("`entries[1]`: expected a list of a key and a value, found a list"),
        ),
        (r#"{"entries": [[[], 1]]}"#, Err("`entries[0]`")),
        (r#"{"entries": [["a", 1, 2]]}"#, Err("`entries[0]`")),
        (r#"{"entries": {"a": 1}}"#, Err("`entries`")),
    ]);
    check::<invert>(&[
        (
            r#"{"dict": {"a": null, "b": 1.5, "c": false}}"#,
            Ok(r#"{"null": "a", "1.5": "b", "false": "c"}"#),
        ),
        (
            r#"{"object": {"a": 1, "b": [2]}}"#,
            Err("`object.b`: a list can be no key"),
        ),
        (r#"{"object": 1}"#, Err("`object`")),
    ]);
}

#[test]
fn some_entries_are_picked_or_left_out() {
    check::<pick>(&[
        (
            r#"{"dict": {"a": 1, "1": 2}, "keys": [1, "a", 1]}"#,
            Ok(r#"{"1": 2, "a": 1}"#),
        ),
        (r#"{"object": {"a": {"b": 1}}, "keys": "a.b"}"#, Ok("{}")),
        (r#"{"object": {"a": 1}}"#, Ok("{}")),
        (
            r#"{"object": {}, "keys": ["a", null]}"#,
            Err("`keys[1]`: expected a key, found null"),
        ),
        (
            r#"{"object": {}, "keys": {}}"#,
            Err("`keys`: expected a key, found a map"),
        ),
        (r#"{"object": [], "keys": []}"#, Err("`object`")),
    ]);
    check::<omit>(&[
        (
            r#"{"dict": {"a": 1, "1": 2}, "keys": [1, "x"]}"#,
            Ok(r#"{"a": 1}"#),
        ),
        (r#"{"object": {"a": 1}, "keys": null}"#, Ok(r#"{"a": 1}"#)),
        (r#"{"object": {}, "keys": [[]]}"#, Err("`keys[0]`")),
        (r#"{"object": [], "keys": []}"#, Err("`object`")),
    ]);
}

#[test]
fn merging_takes_the_later_value_in_the_place_of_the_earlier() {
    check::<merge>(&[
        (
            r#"{"dicts": [{"a": 1, "b": 2}, null, {"c": 3, "a": 4}]}"#,
            Ok(r#"{"a": 4, "b": 2, "c": 3}"#),
        ),
        (
            r#"{"objects": [{"a": {"x": 1}}, {"a": {"y": 2}}], "deep": true}"#,
            Ok(r#"{"a": {"x": 1, "y": 2}}"#),
        ),
        (r#"{}"#, Ok("{}")),
        (
            r#"{"objects": [{}, "a"]}"#,
            Err("`objects[1]`: expected a map, found \"a\""),
        ),
        (r#"{"objects": {"a": 1}}"#, Err("`objects`")),
        (r#"{"objects": [], "deep": 1}"#, Err("`deep`")),
    ]);
    check::<deep_merge>(&[
        (
            r#"{"objects": [{"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 3}, "e": 4}}, {"a": {"b": {"f": 5}}}]}"#,
            Ok(r#"{"a": {"b": {"c": 3, "d": 2, "f": 5}, "e": 4}}"#),
        ),
        (
            r#"{"objects": [{"a": {"b": 1}}, {"a": 2}, {"a": {"c": 3}}]}"#,
            Ok(r#"{"a": {"c": 3}}"#),
        ),
        (
            r#"{"objects": [{"a": {"b": 1}}, {"a": null}]}"#,
            Ok(r#"{"a": null}"#),
        ),
        (
            r#"{"objects": [{"__proto__": {"x": 1}}]}"#,
            Ok(r#"{"__proto__": {"x": 1}}"#),
        ),
        (r#"{"objects": [1]}"#, Err("`objects[0]`")),
    ]);
}

#[test]
fn callbacks_see_value_and_key() {
    check::<map_values>(&[
        (
            r#"{"dict": {"a": [1], "b": null}, "transform": "{{ $value }}"}"#,
            Ok(r#"{"a": [1], "b": null}"#),
        ),
        (r#"{"object": {"a": 1}, "transform": 7}"#, Ok(r#"{"a": 7}"#)),
        (r#"{"object": {"a": 1}}"#, Err("`transform`: give a template")),
        (r#"{"object": [1], "transform": "x"}"#, Err("`object`")),
    ]);
    check::<filter_entries>(&[
        (
            r#"{"dict": {"a": [], "b": ""}, "condition": "{{ $value }}"}"#,
            Ok(r#"{"a": []}"#),
        ),
        (r#"{"object": {"a": 1}, "condition": false}"#, Ok("{}")),
        (r#"{"object": {"a": 1}}"#, Err("`condition`: give an expression")),
        (r#"{"object": 1, "condition": "true"}"#, Err("`object`")),
    ]);
}

#[test]
fn a_callback_that_fails_names_its_parameter_and_the_key() {
    let cases = [
        (
            harness().call::<filter_entries>(r#"{"object": {"a": 1, "b": 2}, "condition": "$key ==="}"#),
            "condition",
        ),
        (
            harness().call::<map_values>(r#"{"object": {"a": 1, "b": 2}, "transform": "{{ $key === }}"}"#),
            "transform",
        ),
    ];
    for (result, parameter) in cases {
        let error = result.unwrap_err();
        assert_eq!(error.code, code::EXECUTION_ERROR, "{error}");
        assert_eq!(
            error.message,
            format!("parameter `{parameter}`, for key `b`: the right side is missing")
        );
    }
    let gone = harness().cancelled();
    let error = gone
        .call::<map_values>(r#"{"object": {"a": 1}, "transform": "x"}"#)
        .unwrap_err();
    assert_eq!(error.code, code::CANCELLED, "{error}");
}

#[test]
fn what_is_evaluated_for_each_entry_is_marked_to_reach_the_node_as_it_is() {
    for (meta, parameter) in [
        (map_values::meta(), "transform"),
        (filter_entries::meta(), "condition"),
    ] {
        let mark = meta
            .parameters
            .pointer(&format!("/properties/{parameter}/x-template"));
        assert!(mark.is_some_and(|mark| *mark == false), "{}", meta.node_type);
    }
}
