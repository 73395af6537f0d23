//! What each kind of small state does, step by step.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

use super::tests_nodes::PLUGIN;

/// The parameters of an operation beside its kind and variable, and the output.
type Step = (&'static str, &'static str);

fn run(kind: &str, steps: &[Step]) {
    let harness = Harness::new();
    for (more, expected) in steps {
        let input = format!(r#"{{"hookType": "{kind}", "name": "v"{more}}}"#);
        let output = PLUGIN.call(&harness, "hook", &input);
        let output = output.unwrap_or_else(|error| panic!("{input}: {error}"));
        assert_eq!(output, Value::from_json(expected).unwrap(), "{input}");
    }
}

#[test]
fn a_counter_counts_from_where_it_begins() {
    run(
        "useCounter",
        &[
            (r#", "initial": 5"#, r#"{"result": 5, "value": null}"#),
            (r#", "operation": "increment""#, r#"{"result": 6, "value": null}"#),
            (
                r#", "operation": "decrement", "step": "0.5""#,
                r#"{"result": 5.5, "value": null}"#,
            ),
            (
                r#", "operation": "set", "value": "40", "max": 10"#,
                r#"{"result": 10, "value": null}"#,
            ),
            (
                r#", "action": "dec", "by": 20, "min": 0"#,
                r#"{"result": 0, "value": null}"#,
            ),
            (
                r#", "operation": "reset", "initial": 5"#,
                r#"{"result": 5, "value": null}"#,
            ),
            (r#", "operation": "reset""#, r#"{"result": 0, "value": null}"#),
        ],
    );
}

#[test]
fn a_switch_is_turned_and_set() {
    run(
        "toggle",
        &[
            ("", r#"{"result": false, "value": null}"#),
            (r#", "operation": "toggle""#, r#"{"result": true, "value": null}"#),
            (
                r#", "operation": "set_false""#,
                r#"{"result": false, "value": null}"#,
            ),
            (
                r#", "operation": "setTrue""#,
                r#"{"result": true, "value": null}"#,
            ),
            (
                r#", "operation": "set", "value": "False""#,
                r#"{"result": false, "value": null}"#,
            ),
            (
                r#", "operation": "reset", "initial": true"#,
                r#"{"result": true, "value": null}"#,
            ),
        ],
    );
}

#[test]
fn an_array_is_changed_at_its_ends_and_within() {
    run(
        "use_array",
        &[
            (
                r#", "initial": [1, 2]"#,
                r#"{"result": [1, 2], "value": null, "size": 2}"#,
            ),
            (
                r#", "operation": "push", "value": 3"#,
                r#"{"result": [1, 2, 3], "value": null, "size": 3}"#,
            ),
            (
                r#", "operation": "unshift", "value": 0"#,
                r#"{"result": [0, 1, 2, 3], "value": null, "size": 4}"#,
            ),
            (
                r#", "operation": "get", "index": -1"#,
                r#"{"result": [0, 1, 2, 3], "value": 3, "size": 4}"#,
            ),
            (
                r#", "operation": "insert", "index": 4, "value": "end""#,
                r#"{"result": [0, 1, 2, 3, "end"], "value": null, "size": 5}"#,
            ),
            (
                r#", "operation": "pop""#,
                r#"{"result": [0, 1, 2, 3], "value": "end", "size": 4}"#,
            ),
            (
                r#", "operation": "shift""#,
                r#"{"result": [1, 2, 3], "value": 0, "size": 3}"#,
            ),
            (
                r#", "operation": "update", "index": "1", "value": [2]"#,
                r#"{"result": [1, [2], 3], "value": null, "size": 3}"#,
            ),
            (
                r#", "operation": "remove_at", "index": 1"#,
                r#"{"result": [1, 3], "value": [2], "size": 2}"#,
            ),
            (
                r#", "operation": "set", "value": ["a"]"#,
                r#"{"result": ["a"], "value": null, "size": 1}"#,
            ),
            (
                r#", "operation": "clear""#,
                r#"{"result": [], "value": null, "size": 0}"#,
            ),
            (
                r#", "operation": "pop""#,
                r#"{"result": [], "value": null, "size": 0}"#,
            ),
            (
                r#", "operation": "reset", "initial": [9]"#,
                r#"{"result": [9], "value": null, "size": 1}"#,
            ),
        ],
    );
}

#[test]
fn a_map_tells_what_was_under_a_key() {
    run(
        "useMap",
        &[
            (
                r#", "initial": {"a": 1}"#,
                r#"{"result": {"a": 1}, "value": null, "size": 1}"#,
            ),
            (
                r#", "operation": "set", "key": "b", "value": 2"#,
                r#"{"result": {"a": 1, "b": 2}, "value": null, "size": 2}"#,
            ),
            (
                r#", "operation": "set", "key": "a", "value": 3"#,
                r#"{"result": {"a": 3, "b": 2}, "value": 1, "size": 2}"#,
            ),
            (
                r#", "operation": "get", "key": "b""#,
                r#"{"result": {"a": 3, "b": 2}, "value": 2, "size": 2}"#,
            ),
            (
                r#", "operation": "has", "key": "c""#,
                r#"{"result": {"a": 3, "b": 2}, "value": false, "size": 2}"#,
            ),
            (
                r#", "operation": "delete", "key": "a""#,
                r#"{"result": {"b": 2}, "value": 3, "size": 1}"#,
            ),
            (
                r#", "operation": "clear""#,
                r#"{"result": {}, "value": null, "size": 0}"#,
            ),
        ],
    );
}

#[test]
fn a_history_forgets_what_is_too_long_ago_and_what_was_undone() {
    let looks = |result: &str, value: &str, undo: bool, redo: bool| {
        format!(r#"{{"result": {result}, "value": {value}, "canUndo": {undo}, "canRedo": {redo}}}"#)
    };
    let harness = Harness::new();
    for (more, expected) in [
        (r#""initial": "a""#, looks(r#""a""#, "null", false, false)),
        (
            r#""operation": "set", "value": "b", "limit": 1"#,
            looks(r#""b""#, "null", true, false),
        ),
        (
            r#""operation": "set", "value": "c", "limit": 1"#,
            looks(r#""c""#, "null", true, false),
        ),
        (r#""operation": "undo""#, looks(r#""b""#, r#""c""#, false, true)),
        (r#""operation": "undo""#, looks(r#""b""#, r#""b""#, false, true)),
        (
            r#""operation": "set", "value": "d""#,
            looks(r#""d""#, "null", true, false),
        ),
        (r#""operation": "redo""#, looks(r#""d""#, r#""d""#, true, false)),
        (r#""operation": "clear""#, looks(r#""d""#, r#""d""#, false, false)),
        (
            r#""operation": "reset", "initial": "a""#,
            looks(r#""a""#, r#""d""#, false, false),
        ),
    ] {
        let input = format!(r#"{{"hookType": "useStateWithHistory", "name": "v", {more}}}"#);
        let output = PLUGIN.call(&harness, "hook", &input).unwrap();
        assert_eq!(output, Value::from_json(&expected).unwrap(), "{input}");
    }
}

#[test]
fn a_field_is_held_against_each_of_its_rules() {
    for (rules, field, errors) in [
        ("required", "null", r#"["is required"]"#),
        ("required", r#""""#, r#"["is required"]"#),
        ("required", "0", "[]"),
        ("string", "null", "[]"),
        ("string", "5", r#"["must be a text"]"#),
        ("required|number|min:1|max:9", "10", r#"["must be at most 9"]"#),
        ("number|min:1.5", "1", r#"["must be at least 1.5"]"#),
        ("string|min:2|max:3", r#""\u00e4\u00e4\u00e4""#, "[]"),
        ("max:3", r#""abcd""#, r#"["must be at most 3"]"#),
        ("minLength:1", "[]", r#"["must be at least 1"]"#),
        ("integer", "2.5", r#"["must be a whole number"]"#),
        ("string_list", r#"["a", 1]"#, r#"["must be a list of texts"]"#),
        ("email", r#""ada@example.org""#, "[]"),
        ("email", r#""ada@example""#, r#"["must be an address of mail"]"#),
        (
            "email",
            r#""a da@example.org""#,
            r#"["must be an address of mail"]"#,
        ),
        ("in:asc, desc", r#""desc""#, "[]"),
        ("in:1,2", "3", r#"["must be one of 1, 2"]"#),
        (
            "string | max:1",
            "12",
            r#"["must be a text", "must be at most 1"]"#,
        ),
    ] {
        let value = format!(r#"{{"a": {field}}}"#);
        let input = format!(
            r#"{{"hookType": "useValidation", "operation": "validate", "name": "v", "value": {value}, "rules": {{"a": "{rules}"}}}}"#
        );
        let harness = Harness::new();
        let output = PLUGIN.call(&harness, "hook", &input).unwrap();
        let valid = errors == "[]";
        let kept = if valid {
            "{}".to_owned()
        } else {
            format!(r#"{{"a": {errors}}}"#)
        };
        let expected = format!(
            r#"{{"result": {kept}, "value": {valid}, "size": {}}}"#,
            u8::from(!valid)
        );
        assert_eq!(output, Value::from_json(&expected).unwrap(), "{input}");
        let look = PLUGIN
            .call(&harness, "hook", r#"{"hookType": "validation", "name": "v"}"#)
            .unwrap();
        assert_eq!(look, output, "what was found is remembered");
    }
}

#[test]
fn a_state_without_a_name_is_that_of_its_node() {
    let harness = Harness::new();
    let input = r#"{"hookType": "useCounter", "operation": "increment"}"#;
    PLUGIN.call(&harness, "hook", input).unwrap();
    let again = PLUGIN.call(&harness, "hook", input).unwrap();
    assert_eq!(again.as_ref().get("result").and_then(|now| now.as_i64()), Some(2));
    assert_eq!(harness.variables().to_json(), r#"{"hook":2}"#);
}

#[test]
fn a_state_that_would_be_too_large_is_refused_and_stays() {
    let many = vec![0_u8; 100_000];
    let harness = Harness::new().variable("v", &many);
    for kind in ["useArray", "useStack", "useQueue"] {
        let input = format!(r#"{{"hookType": "{kind}", "operation": "push", "name": "v", "value": 1}}"#);
        let error = PLUGIN.call(&harness, "hook", &input).unwrap_err();
        assert_eq!(error.code, code::LIMIT_EXCEEDED, "{kind}: {error}");
    }
    let kept = harness.variable_value("v").unwrap();
    assert_eq!(kept.as_ref().as_list().map(|list| list.len()), Some(100_000));
}

#[test]
fn branches_that_change_a_state_at_the_same_time_all_do() {
    let harness = Harness::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let input =
                        r#"{"hookType": "useQueue", "operation": "enqueue", "name": "q", "value": 1}"#;
                    PLUGIN.call(&harness, "hook", input).unwrap();
                }
            });
        }
    });
    let kept = harness.variable_value("q").unwrap();
    assert_eq!(kept.as_ref().as_list().map(|list| list.len()), Some(200));
}
