//! What every node says of parameters that will not do. Wrong types of all of them are swept in `tests_nodes`.

use plugin_api::error::code::VALIDATION_FAILED as INVALID;

use super::tests_nodes::PLUGIN;

const NO_NUMBER: &str = "expected a number, or a text beside another text";

#[test]
fn every_bad_parameter_is_refused_by_name() {
    let order = ["logic.gt", "logic.gte", "logic.lt", "logic.lte"];
    let bad = [
        (r#"{"a": "x", "b": 1}"#, "parameter `a`"),
        (r#"{"a": 1, "b": "x"}"#, "parameter `b`"),
        (
            r#"{"a": 1}"#,
            "parameter `b`: expected a number, or a text beside another text, found nothing",
        ),
        (r#"{"a": null, "b": 1}"#, "parameter `a`"),
        (r#"{"a": 1, "b": [1]}"#, "parameter `b`"),
        (r#"{"a": {}, "b": {}}"#, "parameter `a`"),
        (r#"{"a": "1e999", "b": 1}"#, "parameter `a`"),
        (r#"{"a": "NaN", "b": 1}"#, "parameter `a`"),
    ];
    let mut refusals = vec![
        (
            "logic.and",
            r#"{"values": true}"#,
            INVALID,
            "expected a list, found true, at `values`",
        ),
        ("logic.and", r#"{"values": {"a": 1}}"#, INVALID, "`values`"),
        (
            "logic.between",
            r#"{"value": 1, "min": 0}"#,
            INVALID,
            "parameter `max`",
        ),
        (
            "logic.between",
            r#"{"value": "b", "min": "a", "max": 3}"#,
            INVALID,
            "parameter `value`",
        ),
        (
            "logic.between",
            r#"{"value": [], "min": 0, "max": 1}"#,
            INVALID,
            "parameter `value`",
        ),
        (
            "logic.between",
            r#"{"value": 1, "min": {}, "max": 3}"#,
            INVALID,
            "parameter `min`",
        ),
        (
            "logic.between",
            r#"{"value": 1, "min": 0, "max": 3, "inclusive": 1}"#,
            INVALID,
            "`inclusive`",
        ),
        ("logic.coalesce", r#"{"values": "abc"}"#, INVALID, "`values`"),
        (
            "logic.equals",
            r#"{"a": 1, "b": 1, "strict": "no"}"#,
            INVALID,
            "`strict`",
        ),
        (
            "logic.notEquals",
            r#"{"a": 1, "b": 1, "strict": 0}"#,
            INVALID,
            "`strict`",
        ),
        ("logic.or", r#"{"values": 1}"#, INVALID, "`values`"),
        (
            "logic.xor",
            r#"{"values": [1], "a": 1}"#,
            INVALID,
            "parameter `values`: give either `values` or `a` and `b`",
        ),
        ("logic.xor", r#"{"values": 5}"#, INVALID, "`values`"),
    ];
    for node_type in order {
        refusals.extend(
            bad.iter()
                .map(|(input, part)| (node_type, *input, INVALID, *part)),
        );
        refusals.push((node_type, r#"{"a": true, "b": "x"}"#, INVALID, NO_NUMBER));
    }
    // A list that is none has no items; everything else has a type, counts as true or not, and is empty or not.
    let unfailing = [
        "logic.in",
        "logic.isEmpty",
        "logic.isNull",
        "logic.not",
        "logic.ternary",
        "logic.typeOf",
    ];
    PLUGIN.check_refusals(&refusals, &unfailing);
}
