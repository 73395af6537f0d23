//! What workflows of today get from these nodes, as recorded, with the mends that we give instead of known faults.

use plugin_api::prelude::*;

use super::tests_nodes::PLUGIN;

/// Node type, parameters, output.
const GOLDEN: &[(&str, &str, &str)] = &[
    (
        "list.concat",
        r#"{"arrays": [[1], [2, 3], [], 4]}"#,
        r#"{"result": [1, 2, 3, 4]}"#,
    ),
    ("list.length", r#"{"array": [1, 2, 3]}"#, r#"{"result": 3}"#),
    ("list.length", r#"{"array": "abc"}"#, r#"{"result": 0}"#),
    (
        "list.slice",
        r#"{"array": [1, 2, 3, 4], "start": 1, "end": 3}"#,
        r#"{"result": [2, 3]}"#,
    ),
    (
        "list.slice",
        r#"{"array": [1, 2, 3, 4], "start": -2}"#,
        r#"{"result": [3, 4]}"#,
    ),
    (
        "list.reverse",
        r#"{"array": [1, 2, 3]}"#,
        r#"{"result": [3, 2, 1]}"#,
    ),
    (
        "list.at",
        r#"{"array": ["a", "b"], "index": -1}"#,
        r#"{"result": "b"}"#,
    ),
    (
        "list.at",
        r#"{"array": ["a"], "index": 5}"#,
        r#"{"result": null}"#,
    ),
    ("list.at", r#"{"array": ["a"]}"#, r#"{"result": "a"}"#),
    (
        "list.find",
        r#"{"array": [{"name": "ann", "age": 17, "ok": true}, {"name": "bob", "age": 30, "ok": false}, {"name": "cy", "age": 45, "ok": true}], "condition": "$item.age"}"#,
        r#"{"result": {"name": "ann", "age": 17, "ok": true}}"#,
    ),
    (
        "list.findIndex",
        r#"{"array": [{"name": "ann", "age": 17, "ok": true}, {"name": "bob", "age": 30, "ok": false}, {"name": "cy", "age": 45, "ok": true}], "condition": "item.age > 18"}"#,
        r#"{"result": 1}"#,
    ),
    (
        "list.filter",
        r#"{"array": [{"name": "ann", "age": 17, "ok": true}, {"name": "bob", "age": 30, "ok": false}, {"name": "cy", "age": 45, "ok": true}], "condition": "$item.ok"}"#,
        r#"{"result": [{"name": "ann", "age": 17, "ok": true}, {"name": "cy", "age": 45, "ok": true}]}"#,
    ),
    (
        "list.some",
        r#"{"array": [{"name": "ann", "age": 17, "ok": true}, {"name": "bob", "age": 30, "ok": false}, {"name": "cy", "age": 45, "ok": true}], "condition": "$item.ok"}"#,
        r#"{"result": true}"#,
    ),
    (
        "list.reduce",
        r#"{"array": [1, 2, 3], "reducer": "$acc + $item", "initial": 0}"#,
        r#"{"result": 6}"#,
    ),
    (
        "list.reduce",
        r#"{"array": [1, 2, 3], "reducer": "$acc", "initial": 5}"#,
        r#"{"result": 5}"#,
    ),
    (
        "list.reduce",
        r#"{"array": "nope", "reducer": "$acc", "initial": 5}"#,
        r#"{"result": 5}"#,
    ),
    (
        "list.sort",
        r#"{"array": [10, 9, 1]}"#,
        r#"{"result": [1, 9, 10]}"#,
    ),
    (
        "list.sort",
        r#"{"array": [1, 3, 2], "order": "desc"}"#,
        r#"{"result": [3, 2, 1]}"#,
    ),
    (
        "list.sort",
        r#"{"array": [{"a": 2, "x": 1}, {"a": 1, "x": 2}, {"a": 2, "x": 3}], "key": "a"}"#,
        r#"{"result": [{"a": 1, "x": 2}, {"a": 2, "x": 1}, {"a": 2, "x": 3}]}"#,
    ),
    (
        "list.sort",
        r#"{"array": ["b", "a", "B", "á"]}"#,
        r#"{"result": ["B", "a", "b", "á"]}"#,
    ),
    (
        "list.sort",
        r#"{"array": [3, "20", 1, null]}"#,
        r#"{"result": [null, 1, 3, "20"]}"#,
    ),
    (
        "list.unique",
        r#"{"array": [1, 2, 1, "1"]}"#,
        r#"{"result": [1, 2, "1"]}"#,
    ),
    (
        "list.unique",
        r#"{"array": [{"id": 1, "v": "a"}, {"id": 1, "v": "b"}, {"id": 2, "v": "c"}], "key": "id"}"#,
        r#"{"result": [{"id": 1, "v": "a"}, {"id": 2, "v": "c"}]}"#,
    ),
    (
        "list.unique",
        r#"{"array": [{"a": 1}, {"a": 1}]}"#,
        r#"{"result": [{"a": 1}]}"#,
    ),
    (
        "list.flatten",
        r#"{"array": [1, [2, [3, [4]]]]}"#,
        r#"{"result": [1, 2, [3, [4]]]}"#,
    ),
    (
        "list.flatten",
        r#"{"array": [1, [2, [3, [4]]]], "depth": 3}"#,
        r#"{"result": [1, 2, 3, 4]}"#,
    ),
    (
        "list.groupBy",
        r#"{"array": [{"t": "x", "n": 1}, {"t": "y", "n": 2}, {"t": "x", "n": 3}, {"n": 4}], "key": "t"}"#,
        r#"{"result": {"x": [{"t": "x", "n": 1}, {"t": "x", "n": 3}], "y": [{"t": "y", "n": 2}], "undefined": [{"n": 4}]}}"#,
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
