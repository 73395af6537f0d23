//! What every node says of parameters that will not do, and that it changes nothing then. Wrong types of all of them are
//! swept in `tests_nodes`.

use plugin_api::error::code::{EXECUTION_ERROR, VALIDATION_FAILED as INVALID};
use plugin_api::testing::Harness;

use super::tests_nodes::PLUGIN;

const MISSING: &str = "parameter `name`: is missing";

/// Calls of nodes over variables that are there: `number`, `text`, `list` and `map`.
const OVER_WRONG_KINDS: &[(&str, &str, &str)] = &[
    (
        "var.append",
        r#"{"name": "text", "value": 1}"#,
        "`text` is a text, not a list",
    ),
    (
        "var.concat",
        r#"{"name": "list", "value": "a"}"#,
        "`list` is a list, not a text",
    ),
    (
        "var.decrement",
        r#"{"name": "text"}"#,
        "`text` is a text, not a number",
    ),
    (
        "var.increment",
        r#"{"name": "map"}"#,
        "`map` is a map, not a number",
    ),
    (
        "var.merge",
        r#"{"name": "number", "value": {}}"#,
        "`number` is a number, not a map",
    ),
    (
        "var.toggle",
        r#"{"name": "text"}"#,
        "`text` is a text, not true or false",
    ),
    (
        "hook",
        r#"{"hookType": "useCounter", "name": "text"}"#,
        "parameter `name`: the variable is a text, not a number",
    ),
    (
        "hook",
        r#"{"hookType": "useToggle", "name": "number"}"#,
        "parameter `name`: the variable is a number, not true or false",
    ),
    (
        "hook",
        r#"{"hookType": "useArray", "name": "map"}"#,
        "parameter `name`: the variable is a map, not a list",
    ),
    (
        "hook",
        r#"{"hookType": "useMap", "name": "list"}"#,
        "parameter `name`: the variable is a list, not a map",
    ),
    (
        "hook",
        r#"{"hookType": "useSet", "name": "text"}"#,
        "parameter `name`",
    ),
    (
        "hook",
        r#"{"hookType": "useStack", "name": "text"}"#,
        "parameter `name`",
    ),
    (
        "hook",
        r#"{"hookType": "useQueue", "name": "text"}"#,
        "parameter `name`",
    ),
    (
        "hook",
        r#"{"hookType": "useStateWithHistory", "name": "text"}"#,
        "parameter `name`",
    ),
    (
        "hook",
        r#"{"hookType": "useValidation", "name": "text"}"#,
        "parameter `name`",
    ),
];

#[test]
fn every_bad_parameter_is_refused_by_name() {
    let long = format!(r#"{{"name": "{}", "value": 1}}"#, "n".repeat(257));
    PLUGIN.check_refusals(
        &[
            ("var.append", r#"{"value": 1}"#, INVALID, MISSING),
            ("var.append", r#"{"name": "", "value": 1}"#, INVALID, "a variable's name has from 1 to 256 bytes, at `name`"),
            ("var.concat", r#"{"value": "a"}"#, INVALID, MISSING),
            ("var.concat", r#"{"name": "s", "value": [1]}"#, INVALID, "expected a text, found a list, at `value`"),
            ("var.concat", r#"{"name": "s", "value": "a", "separator": {}}"#, INVALID, "`separator`"),
            ("var.decrement", "{}", INVALID, MISSING),
            ("var.decrement", r#"{"name": "n", "amount": "one"}"#, INVALID, "`amount`"),
            ("var.delete", "{}", INVALID, MISSING),
            ("var.delete", r#"{"name": 5}"#, INVALID, "`name`"),
            ("var.exists", "{}", INVALID, MISSING),
            ("var.exists", &long, INVALID, "`name`"),
            ("var.get", "{}", INVALID, MISSING),
            ("var.get", r#"{"name": "a", "key": "b"}"#, INVALID, "`name`"),
            ("var.increment", "{}", INVALID, MISSING),
            ("var.increment", r#"{"name": "n", "amount": true}"#, INVALID, "expected a number, found true, at `amount`"),
            ("var.increment", r#"{"name": "n", "by": "NaN"}"#, INVALID, "`by`"),
            ("var.merge", r#"{"value": {}}"#, INVALID, MISSING),
            ("var.merge", r#"{"name": "o"}"#, INVALID, "`value`"),
            ("var.merge", r#"{"name": "o", "value": [1]}"#, INVALID, "parameter `value`: expected a map, found a list"),
            ("var.set", r#"{"value": 1}"#, INVALID, MISSING),
            ("var.set", &long, INVALID, "`name`"),
            ("var.setMultiple", r#"{"variables": [1]}"#, INVALID, "parameter `variables`: expected a map, found a list"),
            ("var.setMultiple", r#"{"variables": {"a": 1, "": 2}}"#, INVALID, "parameter `variables`: a variable's name"),
            ("var.toggle", "{}", INVALID, MISSING),
            ("hook", "{}", INVALID, "`hookType`"),
            ("hook", r#"{"hookType": "useState"}"#, INVALID, "parameter `hookType`: must be one of"),
            ("hook", r#"{"hookType": "useCounter", "operation": "double"}"#, INVALID, "parameter `operation`: must be one of"),
            ("hook", r#"{"hookType": "useCounter", "operation": "set"}"#, INVALID, "parameter `value`: is missing"),
            ("hook", r#"{"hookType": "useCounter", "operation": "set", "value": "x"}"#, INVALID, "parameter `value`: expected a number"),
            ("hook", r#"{"hookType": "useCounter", "initial": []}"#, INVALID, "parameter `initial`: expected a number"),
            ("hook", r#"{"hookType": "useCounter", "min": 2, "max": 1}"#, INVALID, "parameter `min`"),
            ("hook", r#"{"hookType": "useCounter", "amount": "x"}"#, INVALID, "`amount`"),
            (
                "hook",
                r#"{"hookType": "useCounter", "operation": "increment", "initial": 1.7e308, "amount": 1.7e308}"#,
                EXECUTION_ERROR,
                "parameter `amount`: the result is no finite number",
            ),
            ("hook", r#"{"hookType": "useToggle", "operation": "flip"}"#, INVALID, "parameter `operation`"),
            ("hook", r#"{"hookType": "useToggle", "operation": "set", "value": 1}"#, INVALID, "parameter `value`: expected true or false"),
            ("hook", r#"{"hookType": "useToggle", "initial": "yes"}"#, INVALID, "parameter `initial`"),
            ("hook", r#"{"hookType": "useArray", "operation": "sort"}"#, INVALID, "parameter `operation`"),
            ("hook", r#"{"hookType": "useArray", "operation": "push"}"#, INVALID, "parameter `value`: is missing"),
            ("hook", r#"{"hookType": "useArray", "operation": "insert", "value": 1}"#, INVALID, "parameter `index`: is missing"),
            ("hook", r#"{"hookType": "useArray", "operation": "remove", "index": 0}"#, INVALID, "parameter `index`: 0 is no position in a list of 0"),
            ("hook", r#"{"hookType": "useArray", "operation": "set", "value": "abc"}"#, INVALID, "parameter `value`: expected a list"),
            ("hook", r#"{"hookType": "useArray", "initial": {}}"#, INVALID, "parameter `initial`: expected a list"),
            ("hook", r#"{"hookType": "useMap", "operation": "set", "value": 1}"#, INVALID, "parameter `key`: is missing"),
            ("hook", r#"{"hookType": "useMap", "operation": "set", "key": "a"}"#, INVALID, "parameter `value`: is missing"),
            ("hook", r#"{"hookType": "useMap", "operation": "keys"}"#, INVALID, "parameter `operation`"),
            ("hook", r#"{"hookType": "useMap", "initial": [1]}"#, INVALID, "parameter `initial`: expected a map"),
            ("hook", r#"{"hookType": "useSet", "operation": "push", "value": 1}"#, INVALID, "parameter `operation`"),
            ("hook", r#"{"hookType": "useStack", "operation": "shift"}"#, INVALID, "parameter `operation`"),
            ("hook", r#"{"hookType": "useQueue", "operation": "enqueue"}"#, INVALID, "parameter `value`: is missing"),
            ("hook", r#"{"hookType": "useStateWithHistory", "limit": 0}"#, INVALID, "parameter `limit`: must be from 1 to 1000"),
            ("hook", r#"{"hookType": "useStateWithHistory", "operation": "back"}"#, INVALID, "parameter `operation`"),
            ("hook", r#"{"hookType": "useValidation", "operation": "validate"}"#, INVALID, "parameter `value`: is missing"),
            ("hook", r#"{"hookType": "useValidation", "operation": "validate", "value": 5}"#, INVALID, "parameter `value`: expected a map"),
            (
                "hook",
                r#"{"hookType": "useValidation", "operation": "validate", "value": {}, "rules": {"a": "needed"}}"#,
                INVALID,
                "parameter `rules.a`: `needed` is no rule",
            ),
            (
                "hook",
                r#"{"hookType": "useValidation", "operation": "validate", "value": {}, "rules": {"a": "min:x"}}"#,
                INVALID,
                "parameter `rules.a`: `min` needs a number",
            ),
            (
                "hook",
                r#"{"hookType": "useValidation", "operation": "validate", "value": {}, "rules": {"a": 5}}"#,
                INVALID,
                "parameter `rules.a`: expected a text, found a number",
            ),
        ],
        &["var.clear", "var.getAll", "var.list"],
    );
}

#[test]
fn a_variable_of_the_wrong_kind_stays_as_it_was() {
    for (node_type, input, part) in OVER_WRONG_KINDS {
        let harness = Harness::new()
            .variable("number", &7)
            .variable("text", "a")
            .variable("list", &[1])
            .variable("map", &std::collections::BTreeMap::from([("a", 1)]));
        let before = harness.variables();
        let error = PLUGIN.call(&harness, node_type, input).unwrap_err();
        assert_eq!(error.code, EXECUTION_ERROR, "{node_type} {input}: {error}");
        assert!(error.message.contains(part), "{node_type} {input}: {error}");
        assert_eq!(harness.variables(), before, "{node_type} {input}");
    }
}
