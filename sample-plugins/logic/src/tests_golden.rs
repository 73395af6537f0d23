//! What workflows of today get from these nodes, as recorded, with the mends that we give instead of known faults.

use plugin_api::prelude::*;

use super::tests_nodes::PLUGIN;

/// Node type, parameters, output.
const GOLDEN: &[(&str, &str, &str)] = &[
    (
        "logic.and",
        r#"{"values": [true, 1, "x"]}"#,
        r#"{"result": true}"#,
    ),
    ("logic.and", r#"{"values": [true, 0]}"#, r#"{"result": false}"#),
    ("logic.and", r#"{}"#, r#"{"result": true}"#),
    ("logic.or", r#"{"values": [false, ""]}"#, r#"{"result": false}"#),
    ("logic.or", r#"{"values": [0, "x"]}"#, r#"{"result": true}"#),
    ("logic.not", r#"{"value": 0}"#, r#"{"result": true}"#),
    ("logic.not", r#"{}"#, r#"{"result": true}"#),
    ("logic.xor", r#"{"a": true, "b": false}"#, r#"{"result": true}"#),
    ("logic.xor", r#"{"a": 1, "b": "y"}"#, r#"{"result": false}"#),
    ("logic.and", r#"{"values": [[], {}]}"#, r#"{"result": true}"#),
    ("logic.equals", r#"{"a": 1, "b": 1}"#, r#"{"result": true}"#),
    ("logic.equals", r#"{"a": 1, "b": "1"}"#, r#"{"result": false}"#),
    (
        "logic.equals",
        r#"{"a": 1, "b": "1", "strict": false}"#,
        r#"{"result": true}"#,
    ),
    ("logic.equals", r#"{"a": null}"#, r#"{"result": false}"#),
    ("logic.notEquals", r#"{"a": 1, "b": 2}"#, r#"{"result": true}"#),
    (
        "logic.notEquals",
        r#"{"a": 1, "b": "1", "strict": false}"#,
        r#"{"result": false}"#,
    ),
    (
        "logic.in",
        r#"{"value": 2, "array": [1, 2]}"#,
        r#"{"result": true}"#,
    ),
    (
        "logic.in",
        r#"{"value": "2", "array": [1, 2]}"#,
        r#"{"result": false}"#,
    ),
    ("logic.in", r#"{"value": 1}"#, r#"{"result": false}"#),
    (
        "logic.in",
        r#"{"value": "a", "array": "abc"}"#,
        r#"{"result": false}"#,
    ),
    ("logic.isNull", r#"{"value": null}"#, r#"{"result": true}"#),
    ("logic.isNull", r#"{}"#, r#"{"result": true}"#),
    ("logic.isNull", r#"{"value": 0}"#, r#"{"result": false}"#),
    ("logic.isEmpty", r#"{"value": ""}"#, r#"{"result": true}"#),
    ("logic.isEmpty", r#"{"value": []}"#, r#"{"result": true}"#),
    ("logic.isEmpty", r#"{"value": {}}"#, r#"{"result": true}"#),
    ("logic.isEmpty", r#"{"value": 0}"#, r#"{"result": false}"#),
    ("logic.typeOf", r#"{"value": [1]}"#, r#"{"result": "array"}"#),
    ("logic.typeOf", r#"{"value": null}"#, r#"{"result": "null"}"#),
    ("logic.typeOf", r#"{}"#, r#"{"result": "undefined"}"#),
    ("logic.typeOf", r#"{"value": 1}"#, r#"{"result": "number"}"#),
    ("logic.typeOf", r#"{"value": {}}"#, r#"{"result": "object"}"#),
    (
        "logic.ternary",
        r#"{"condition": true, "then": "yes", "else": "no"}"#,
        r#"{"result": "yes"}"#,
    ),
    (
        "logic.ternary",
        r#"{"condition": 0, "then": "yes", "else": {"a": 1}}"#,
        r#"{"result": {"a": 1}}"#,
    ),
    (
        "logic.coalesce",
        r#"{"values": [null, 0, 1]}"#,
        r#"{"result": 0}"#,
    ),
    (
        "logic.coalesce",
        r#"{"values": [null, null]}"#,
        r#"{"result": null}"#,
    ),
    ("logic.coalesce", r#"{}"#, r#"{"result": null}"#),
];

#[test]
fn nodes_answer_what_workflows_of_today_get() {
    let harness = (PLUGIN.harness)();
    for (node_type, parameters, expected) in GOLDEN {
        let output = PLUGIN.call(&harness, node_type, parameters).unwrap();
        assert_eq!(
            output,
            Value::from_json(expected).unwrap(),
            "{node_type} {parameters}"
        );
    }
}
