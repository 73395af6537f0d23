//! What every node says of parameters that will not do. Wrong types of all of them are swept in `tests_nodes`.

use plugin_api::error::code::VALIDATION_FAILED as INVALID;
use plugin_api::value::MAX_DEPTH;

use super::tests_nodes::PLUGIN;

#[test]
fn every_bad_parameter_is_refused_by_name() {
    let long = format!(
        r#"{{"object": {{}}, "path": "{}"}}"#,
        vec!["a"; MAX_DEPTH + 1].join(".")
    );
    PLUGIN.check_refusals(
        &[
            ("dict.deepMerge", r#"{"objects": {}}"#, INVALID, "`objects`"),
            (
                "dict.deepMerge",
                r#"{"objects": [{}, 5]}"#,
                INVALID,
                "parameter `objects[1]`: expected a map, found 5",
            ),
            (
                "dict.delete",
                r#"{"object": [], "key": "a"}"#,
                INVALID,
                "expected a map, found a list, at `object`",
            ),
            ("dict.delete", r#"{"object": {}}"#, INVALID, "`key`"),
            (
                "dict.delete",
                r#"{"object": {}, "key": null}"#,
                INVALID,
                "expected a key, found null, at `key`",
            ),
            ("dict.entries", r#"{"object": "a"}"#, INVALID, "`object`"),
            (
                "dict.filterEntries",
                r#"{"object": {"a": 1}}"#,
                INVALID,
                "parameter `condition`: give an expression",
            ),
            (
                "dict.filterEntries",
                r#"{"object": [1], "condition": "true"}"#,
                INVALID,
                "`object`",
            ),
            (
                "dict.fromEntries",
                r#"{"entries": {"a": 1}}"#,
                INVALID,
                "`entries`",
            ),
            (
                "dict.fromEntries",
                r#"{"entries": [["a", 1], ["b", 2, 3]]}"#,
                INVALID,
                "parameter `entries[1]`: expected a list of a key and a value",
            ),
            (
                "dict.fromEntries",
                r#"{"entries": [[null, 1]]}"#,
                INVALID,
                "parameter `entries[0]`",
            ),
            (
                "dict.fromEntries",
                r#"{"entries": ["ab"]}"#,
                INVALID,
                "parameter `entries[0]`",
            ),
            (
                "dict.get",
                r#"{"object": {}}"#,
                INVALID,
                "parameter `path`: is missing",
            ),
            (
                "dict.get",
                r#"{"object": {}, "path": "a", "key": "a"}"#,
                INVALID,
                "parameter `path`: give either",
            ),
            ("dict.get", r#"{"object": {}, "path": ["a"]}"#, INVALID, "`path`"),
            ("dict.get", r#"{"object": {}, "key": {}}"#, INVALID, "`key`"),
            ("dict.has", r#"{"object": {}}"#, INVALID, "`key`"),
            ("dict.has", r#"{"object": 5, "key": "a"}"#, INVALID, "`object`"),
            (
                "dict.invert",
                r#"{"object": {"a": [1]}}"#,
                INVALID,
                "parameter `object.a`: a list can be no key",
            ),
            ("dict.invert", r#"{"object": "a"}"#, INVALID, "`object`"),
            ("dict.keys", r#"{"object": ["a"]}"#, INVALID, "`object`"),
            (
                "dict.keys",
                r#"{"object": {}, "sorted": "yes"}"#,
                INVALID,
                "expected true or false, found \"yes\", at `sorted`",
            ),
            (
                "dict.mapValues",
                r#"{"object": {"a": 1}}"#,
                INVALID,
                "parameter `transform`: give a template",
            ),
            (
                "dict.mapValues",
                r#"{"object": "a", "transform": 1}"#,
                INVALID,
                "`object`",
            ),
            ("dict.merge", r#"{"objects": "a"}"#, INVALID, "`objects`"),
            (
                "dict.merge",
                r#"{"objects": [[]]}"#,
                INVALID,
                "parameter `objects[0]`: expected a map, found a list",
            ),
            ("dict.merge", r#"{"objects": [], "deep": 1}"#, INVALID, "`deep`"),
            (
                "dict.omit",
                r#"{"object": {}, "keys": [null]}"#,
                INVALID,
                "parameter `keys[0]`: expected a key, found null",
            ),
            ("dict.omit", r#"{"object": {}, "keys": {}}"#, INVALID, "`keys`"),
            ("dict.omit", r#"{"object": "a", "keys": []}"#, INVALID, "`object`"),
            (
                "dict.pick",
                r#"{"object": {}, "keys": ["a", []]}"#,
                INVALID,
                "parameter `keys[1]`",
            ),
            (
                "dict.pick",
                r#"{"object": [], "keys": ["a"]}"#,
                INVALID,
                "`object`",
            ),
            ("dict.set", r#"{"object": {}, "value": 1}"#, INVALID, "`path`"),
            (
                "dict.set",
                r#"{"object": [1], "path": "0", "value": 1}"#,
                INVALID,
                "`object`",
            ),
            ("dict.set", &long, INVALID, "parameter `path`: has more than"),
            (
                "dict.set",
                r#"{"object": {"a": [1]}, "path": "a.5", "value": 1}"#,
                INVALID,
                "parameter `path`: `5` is no position in a list of 1",
            ),
            (
                "dict.set",
                r#"{"object": {"a": [1]}, "path": "a.x", "value": 1}"#,
                INVALID,
                "`path`",
            ),
            ("dict.size", r#"{"object": "abc"}"#, INVALID, "`object`"),
            ("dict.values", r#"{"object": 1}"#, INVALID, "`object`"),
            (
                "dict.values",
                r#"{"object": {}, "sortedByKey": "by key"}"#,
                INVALID,
                "`sortedByKey`",
            ),
        ],
        &[],
    );
}
