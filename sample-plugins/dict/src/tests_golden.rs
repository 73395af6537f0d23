//! What workflows of today get from these nodes, as recorded, with the mends that we give instead of known faults.

use plugin_api::prelude::*;

use super::tests_nodes::PLUGIN;

/// Node type, parameters, output.
const GOLDEN: &[(&str, &str, &str)] = &[
    (
        "dict.filterEntries",
        r#"{"object": {"a": 1, "b": 0}, "condition": "$value"}"#,
        r#"{"result": {"a": 1}}"#,
    ),
    (
        "dict.filterEntries",
        r#"{"object": {"a": 1, "b": 0}, "condition": "true"}"#,
        r#"{"result": {"a": 1, "b": 0}}"#,
    ),
    (
        "dict.filterEntries",
        r#"{"object": {"a": 1, "b": 0}, "condition": "false"}"#,
        r#"{"result": {}}"#,
    ),
    (
        "dict.get",
        r#"{"object": {"a": {"b": 1}}, "path": "a.b"}"#,
        r#"{"result": 1}"#,
    ),
    (
        "dict.get",
        r#"{"object": {"a": 1}, "path": "x.y", "default": "none"}"#,
        r#"{"result": "none"}"#,
    ),
    (
        "dict.get",
        r#"{"object": {"a": null}, "path": "a", "default": "d"}"#,
        r#"{"result": "d"}"#,
    ),
    (
        "dict.get",
        r#"{"object": {"a": [10, 20]}, "path": "a.1"}"#,
        r#"{"result": 20}"#,
    ),
    ("dict.get", r#"{"path": "a"}"#, r#"{"result": null}"#),
    (
        "dict.get",
        r#"{"object": "text", "path": "a", "default": 1}"#,
        r#"{"result": 1}"#,
    ),
    (
        "dict.get",
        r#"{"object": {"a.b": 2}, "path": "a.b"}"#,
        r#"{"result": null}"#,
    ),
    (
        "dict.set",
        r#"{"object": {"a": 1}, "path": "b", "value": 2}"#,
        r#"{"result": {"a": 1, "b": 2}}"#,
    ),
    (
        "dict.set",
        r#"{"object": {}, "path": "x.y.z", "value": true}"#,
        r#"{"result": {"x": {"y": {"z": true}}}}"#,
    ),
    (
        "dict.set",
        r#"{"object": {"x": 1}, "path": "x.y", "value": 2}"#,
        r#"{"result": {"x": {"y": 2}}}"#,
    ),
    (
        "dict.set",
        r#"{"path": "k", "value": "v"}"#,
        r#"{"result": {"k": "v"}}"#,
    ),
    (
        "dict.delete",
        r#"{"object": {"a": 1, "b": 2}, "key": "a"}"#,
        r#"{"result": {"b": 2}}"#,
    ),
    (
        "dict.delete",
        r#"{"object": {"a": {"b": 1}}, "key": "a.b"}"#,
        r#"{"result": {"a": {"b": 1}}}"#,
    ),
    (
        "dict.keys",
        r#"{"object": {"1": 3, "b": 1, "a": 2}}"#,
        r#"{"result": ["1", "b", "a"]}"#,
    ),
    (
        "dict.values",
        r#"{"object": {"b": 1, "a": 2}}"#,
        r#"{"result": [1, 2]}"#,
    ),
    (
        "dict.entries",
        r#"{"object": {"b": 1, "a": 2}}"#,
        r#"{"result": [["b", 1], ["a", 2]]}"#,
    ),
    (
        "dict.fromEntries",
        r#"{"entries": [["x", 1], ["y", 2]]}"#,
        r#"{"result": {"x": 1, "y": 2}}"#,
    ),
    ("dict.size", r#"{"object": {"a": 1, "b": 2}}"#, r#"{"result": 2}"#),
    (
        "dict.has",
        r#"{"object": {"a": null}, "key": "a"}"#,
        r#"{"result": true}"#,
    ),
    (
        "dict.has",
        r#"{"object": {}, "key": "b"}"#,
        r#"{"result": false}"#,
    ),
    (
        "dict.has",
        r#"{"object": {}, "key": "toString"}"#,
        r#"{"result": false}"#,
    ),
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
