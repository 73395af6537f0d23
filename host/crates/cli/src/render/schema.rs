//! JSON Schemas, said in a line each.
//!
//! Invariant: a schema comes from a plugin, so the work is bounded by depth and by count, and any JSON is a schema.

use serde_json::{Map, Value as Json};

use super::render_table;
use crate::streams::Layout;
use crate::text;

const DEPTH: usize = 5;
const MOST_FIELDS: usize = 200;
const MOST_CHOICES: usize = 8;

/// One property of an object.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) default: String,
    pub(super) description: String,
}

/// The properties of an object's schema.
pub(super) fn fields(schema: &Json, required: &[String]) -> Vec<Field> {
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
        return Vec::new();
    };
    let demanded: Vec<&str> = schema
        .get("required")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    properties
        .iter()
        .take(MOST_FIELDS)
        .map(|(name, property)| Field {
            name: name.clone(),
            kind: text::cut(&kind(property, schema, DEPTH), 80),
            required: required.contains(name) || demanded.contains(&name.as_str()),
            default: property
                .get("default")
                .map(|value| text::cut(&value.to_string(), 40))
                .unwrap_or_default(),
            description: text::cut(described(property, schema), 400),
        })
        .collect()
}

/// What a result's schema says.
pub(super) fn result(schema: &Json, layout: Layout) -> String {
    let fields = fields(schema, &[]);
    let said = text::line(described(schema, schema));
    let kind = kind(schema, schema, DEPTH);
    let head = if said.is_empty() {
        kind
    } else {
        format!("{kind}: {said}")
    };
    if fields.is_empty() {
        return head;
    }
    let rows: Vec<_> = fields
        .into_iter()
        .map(|field| vec![field.name, field.kind, field.description])
        .collect();
    format!(
        "{head}\n\n{}",
        render_table(&["name", "type", "description"], &rows, layout)
    )
}

fn described<'j>(schema: &'j Json, root: &'j Json) -> &'j str {
    let text = |schema: &'j Json| schema.get("description").and_then(Json::as_str);
    text(schema)
        .or_else(|| referred(schema, root).and_then(text))
        .unwrap_or_default()
}

/// What a local `$ref` names; others are not followed.
fn referred<'j>(schema: &Json, root: &'j Json) -> Option<&'j Json> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}

fn kind(schema: &Json, root: &Json, depth: usize) -> String {
    let Some(depth) = depth.checked_sub(1) else {
        return "...".into();
    };
    let object = match schema {
        Json::Object(object) => object,
        Json::Bool(false) => return "nothing".into(),
        _ => return "any".into(),
    };
    if let Some(target) = referred(schema, root) {
        return kind(target, root, depth);
    }
    if let Some(value) = object.get("const") {
        return text::cut(&value.to_string(), 40);
    }
    if let Some(choices) = object.get("enum").and_then(Json::as_array) {
        return either(choices.iter().map(ToString::to_string));
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(branches) = object.get(key).and_then(Json::as_array) {
            return either(branches.iter().map(|branch| kind(branch, root, depth)));
        }
    }
    if let Some([only]) = object.get("allOf").and_then(Json::as_array).map(Vec::as_slice) {
        return kind(only, root, depth);
    }
    match object.get("type") {
        Some(Json::String(name)) => named(name, object, root, depth),
        Some(Json::Array(names)) => either(
            names
                .iter()
                .filter_map(Json::as_str)
                .map(|name| named(name, object, root, depth)),
        ),
        _ => "any".into(),
    }
}

fn named(name: &str, object: &Map<String, Json>, root: &Json, depth: usize) -> String {
    let name = text::cut(name, 40);
    match (name.as_str(), object.get("items")) {
        ("array", Some(items)) => format!("array of {}", kind(items, root, depth)),
        ("integer" | "number", _) => {
            let bound = |key: &str| object.get(key).map(ToString::to_string);
            match (bound("minimum"), bound("maximum")) {
                (Some(least), Some(most)) => format!("{name} {least}..{most}"),
                (Some(least), None) => format!("{name} >= {least}"),
                (None, Some(most)) => format!("{name} <= {most}"),
                (None, None) => name,
            }
        }
        _ => name,
    }
}

fn either(choices: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = choices.take(MOST_CHOICES + 1).collect();
    if words.len() > MOST_CHOICES {
        words.truncate(MOST_CHOICES);
        words.push("...".into());
    }
    words.dedup();
    words.join(" | ")
}
