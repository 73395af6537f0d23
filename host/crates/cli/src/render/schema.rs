//! JSON Schemas, said in words.
//!
//! Invariant: a schema comes from a plugin, so the work is bounded by depth and by count, and any JSON is a schema.

use serde_json::{Map, Value as Json};

use crate::text;

const DEPTH: usize = 5;
/// Fields of one page, those of fields included.
const MOST_FIELDS: usize = 200;
const MOST_CHOICES: usize = 8;
const MOST_DESCRIBED: usize = 2_000;
/// How deep fields of fields are told.
const NESTED: usize = 4;

/// One property of an object, or of an object in it.
pub(super) struct Field {
    /// With the names of what it is in before it: `options.mode`, `items[].name`.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) required: bool,
    /// What is taken when it is left out; empty when nothing says so.
    pub(super) default: String,
    pub(super) description: String,
    /// Other names that are read as this one.
    pub(super) aliases: Vec<String>,
    /// Bounds and forms, each as words.
    pub(super) bounds: Vec<String>,
    /// Its choices, where they say what they mean.
    pub(super) choices: Vec<(String, String)>,
    /// The node evaluates the expression in it by itself.
    pub(super) evaluated: bool,
    /// How many objects it is in.
    pub(super) depth: usize,
}

/// The properties of an object's schema, each followed by those of the objects in it.
pub(super) fn fields(schema: &Json, required: &[String]) -> Vec<Field> {
    let mut found = Vec::new();
    collect(schema, schema, required, "", 0, &mut found);
    found
}

fn collect(
    schema: &Json,
    root: &Json,
    required: &[String],
    prefix: &str,
    depth: usize,
    found: &mut Vec<Field>,
) {
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
        return;
    };
    let demanded: Vec<&str> = schema
        .get("required")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    for (name, property) in properties {
        if found.len() >= MOST_FIELDS {
            return;
        }
        let aliases = property.get("x-aliases").and_then(Json::as_array);
        let path = format!("{prefix}{}", text::cut(name, 80));
        let target = meant(property, root);
        found.push(Field {
            kind: text::cut(&kind(property, root, DEPTH), 80),
            required: required.contains(name) || demanded.contains(&name.as_str()),
            default: property
                .get("default")
                .filter(|default| !default.is_null())
                .map(|value| text::cut(&text::json(&value.to_string()), 40))
                .unwrap_or_default(),
            description: bounded(described(property, root)),
            aliases: aliases
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
                .take(MOST_CHOICES)
                .map(|alias| text::cut(alias, 40))
                .collect(),
            bounds: bounds(target),
            choices: choices(target),
            evaluated: property.get("x-template") == Some(&Json::Bool(false)),
            depth,
            name: path.clone(),
        });
        if depth < NESTED {
            let (inner, mark) = match items(target, root) {
                Some(items) => (items, "[]"),
                None => (target, ""),
            };
            collect(inner, root, &[], &format!("{path}{mark}."), depth + 1, found);
        }
    }
}

/// What the items of a list are.
fn items<'j>(schema: &'j Json, root: &'j Json) -> Option<&'j Json> {
    schema.get("items").map(|items| meant(items, root))
}

/// What a schema is about, when it is a reference, or something that may also be null.
fn meant<'j>(schema: &'j Json, root: &'j Json) -> &'j Json {
    let mut schema = schema;
    for _ in 0..DEPTH {
        let branches = ["anyOf", "oneOf", "allOf"]
            .iter()
            .find_map(|key| schema.get(key)?.as_array());
        let solid = branches.map(|branches| {
            let mut solid = branches
                .iter()
                .filter(|branch| branch.get("type").is_none_or(|kind| kind != "null"));
            (solid.next(), solid.next())
        });
        schema = match (referred(schema, root), solid) {
            (Some(target), _) => target,
            (None, Some((Some(only), None))) => only,
            _ => return schema,
        };
    }
    schema
}

fn choices(schema: &Json) -> Vec<(String, String)> {
    let branches = ["oneOf", "anyOf"]
        .iter()
        .find_map(|key| schema.get(key)?.as_array());
    let explained = branches.into_iter().flatten().filter_map(|branch| {
        let (value, why) = (branch.get("const")?, branch.get("description")?.as_str()?);
        Some((text::cut(&value.to_string(), 40), text::cut(why, 400)))
    });
    explained.take(MOST_FIELDS).collect()
}

/// What kind of value a schema describes, and what it says of it.
pub(super) fn summary(schema: &Json) -> (String, String) {
    (
        text::cut(&kind(schema, schema, DEPTH), 80),
        bounded(described(schema, schema)),
    )
}

fn bounded(description: &str) -> String {
    let clean = text::lines(description);
    if clean.chars().count() <= MOST_DESCRIBED {
        return clean;
    }
    let mut short: String = clean.chars().take(MOST_DESCRIBED).collect();
    short.push('…');
    short
}

/// Lengths, counts and forms that the kind of a value does not say.
fn bounds(schema: &Json) -> Vec<String> {
    let count = |key: &str| schema.get(key).and_then(Json::as_u64);
    let mut words = Vec::new();
    let mut between =
        |least: Option<u64>, most: Option<u64>, unit: &str| match (least.filter(|n| *n > 0), most) {
            (Some(least), Some(most)) if least == most => words.push(format!("exactly {least} {unit}")),
            (Some(least), Some(most)) => words.push(format!("{least} to {most} {unit}")),
            (Some(least), None) => words.push(format!("at least {least} {unit}")),
            (None, Some(most)) => words.push(format!("at most {most} {unit}")),
            (None, None) => {}
        };
    between(count("minLength"), count("maxLength"), "characters");
    between(count("minItems"), count("maxItems"), "items");
    between(count("minProperties"), count("maxProperties"), "entries");
    let said = |key: &str| schema.get(key).map(|bound| text::cut(&bound.to_string(), 40));
    let more = [
        ("exclusiveMinimum", "more than"),
        ("exclusiveMaximum", "less than"),
        ("multipleOf", "a multiple of"),
    ];
    for (key, before) in more {
        words.extend(said(key).map(|bound| format!("{before} {bound}")));
    }
    if let Some(pattern) = schema.get("pattern").and_then(Json::as_str) {
        words.push(format!("matches `{}`", text::cut(pattern, 80)));
    }
    // Widths of integers are those of Rust, and say nothing that the bounds do not.
    if let Some(form) = schema.get("format").and_then(Json::as_str)
        && schema.get("type").is_some_and(|kind| kind == "string")
    {
        words.push(format!("in the form `{}`", text::cut(form, 40)));
    }
    words
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
        Some(Json::Array(names)) if is_anything(names) => "any".into(),
        Some(Json::Array(names)) => either(
            names
                .iter()
                .filter_map(Json::as_str)
                .map(|name| named(name, object, root, depth)),
        ),
        _ => "any".into(),
    }
}

/// Whether all kinds of values that JSON has are among these.
fn is_anything(names: &[Json]) -> bool {
    let kinds = ["array", "boolean", "null", "number", "object", "string"];
    kinds.iter().all(|kind| names.iter().any(|name| name == kind))
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

/// A value that a schema allows, as far as that can be told: what a call could look like.
pub(super) fn sample(schema: &Json) -> Json {
    let demanded = schema.get("required").and_then(Json::as_array);
    let names = demanded
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .take(MOST_CHOICES);
    let properties = schema.get("properties");
    let fields = names.map(|name| {
        let value = properties.and_then(|properties| properties.get(name));
        (
            name.to_owned(),
            value.map_or(Json::Null, |value| sample_of(value, schema)),
        )
    });
    Json::Object(fields.collect())
}

fn sample_of(schema: &Json, root: &Json) -> Json {
    let schema = meant(schema, root);
    let given = ["const", "default"].iter().find_map(|key| schema.get(key));
    let chosen = schema.get("enum").and_then(|choices| choices.get(0));
    if let Some(value) = given.or(chosen) {
        return value.clone();
    }
    let kind = match schema.get("type") {
        Some(Json::Array(kinds)) => kinds.first(),
        kind => kind,
    };
    match kind.and_then(Json::as_str) {
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        Some("boolean") => true.into(),
        Some("array") => Json::Array(Vec::new()),
        Some("object") => Json::Object(Map::new()),
        _ => "...".into(),
    }
}
