//! What a schema says of its parameters.

use serde_json::Value as Json;

/// Objects within objects that are looked into.
const DEEPEST: usize = 6;

/// The paths of the parameters without a description.
pub(super) fn undescribed(schema: &Json) -> Vec<String> {
    let mut found = Vec::new();
    look(schema, schema, "", 0, &mut found);
    found
}

fn look(schema: &Json, root: &Json, path: &str, depth: usize, found: &mut Vec<String>) {
    if depth > DEEPEST {
        return;
    }
    let schema = meant(schema, root);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}{name}");
        let said = [property, meant(property, root)];
        let described = said.iter().any(|schema| {
            schema["description"]
                .as_str()
                .is_some_and(|text| !text.trim().is_empty())
        });
        if !described {
            found.push(path.clone());
        }
        look(property, root, &format!("{path}."), depth + 1, found);
    }
    if let Some(items) = schema.get("items") {
        look(items, root, path, depth + 1, found);
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        for branch in schema[key].as_array().into_iter().flatten() {
            look(branch, root, path, depth + 1, found);
        }
    }
}

fn meant<'j>(schema: &'j Json, root: &'j Json) -> &'j Json {
    let target = schema["$ref"]
        .as_str()
        .and_then(|name| root.pointer(name.strip_prefix('#')?));
    target.unwrap_or(schema)
}

#[test]
fn a_parameter_without_a_description_is_found_at_any_depth() {
    let schema = serde_json::json!({
        "properties": {
            "a": {"description": "said"},
            "b": {"type": "object", "description": "said", "properties": {"c": {}}},
            "d": {"description": "said", "type": "array", "items": {"$ref": "#/$defs/D"}},
            "e": {"$ref": "#/$defs/E"},
            "f": {"description": " "},
        },
        "$defs": {"D": {"properties": {"g": {}}}, "E": {"description": "said there"}},
    });
    assert_eq!(undescribed(&schema), ["b.c", "d.g", "f"]);
}
