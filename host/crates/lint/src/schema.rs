//! The schema of a node's parameters.

use patchbay_vocab::Code;
use serde_json::{Map, Value as Json, json};

use crate::judge::Judge;
use crate::{Finding, Level};

/// How deep objects in objects are followed.
const DEEPEST: usize = 8;
/// Properties of one node that are looked at.
const MOST_PROPERTIES: usize = 1_000;

/// Looks at a schema of parameters; the places in its findings begin with `node`.
pub(crate) fn lint(node: &str, schema: &Json, findings: &mut Vec<Finding>) {
    let Json::Object(root) = schema else { return };
    let mut walk = Walk {
        node,
        root,
        unbounded: Vec::new(),
        left: MOST_PROPERTIES,
        findings,
    };
    walk.object("parameters", root, 0);
    for (name, definition) in root.get("$defs").and_then(Json::as_object).into_iter().flatten() {
        if let Json::Object(definition) = definition {
            walk.object(&format!("parameters/$defs/{name}"), definition, 0);
        }
    }
    let unbounded = std::mem::take(&mut walk.unbounded);
    if !unbounded.is_empty() {
        let shown: Vec<_> = unbounded.iter().take(8).map(String::as_str).collect();
        findings.push(Finding::new(
            Level::Note,
            Code("PB-LINT-008"),
            node,
            format!(
                "{} parameter(s) may be as large as a caller likes: {}",
                unbounded.len(),
                shown.join(", ")
            ),
            "give texts a maxLength and lists a maxItems where the node has a limit, such as \
             #[schemars(length(max = 1000))]",
        ));
    }
}

struct Walk<'a> {
    node: &'a str,
    root: &'a Map<String, Json>,
    unbounded: Vec<String>,
    left: usize,
    findings: &'a mut Vec<Finding>,
}

impl Walk<'_> {
    fn object(&mut self, at: &str, schema: &Map<String, Json>, depth: usize) {
        let empty = Map::new();
        let properties = schema
            .get("properties")
            .and_then(Json::as_object)
            .unwrap_or(&empty);
        let required = schema.get("required").and_then(Json::as_array);
        for name in required.into_iter().flatten().filter_map(Json::as_str) {
            if !properties.contains_key(name) {
                self.unknown_required(at, name);
            }
        }
        for (name, property) in properties {
            let Some(left) = self.left.checked_sub(1) else {
                return;
            };
            self.left = left;
            self.property(&format!("{at}/{name}"), name, property, depth);
        }
    }

    fn unknown_required(&mut self, at: &str, name: &str) {
        self.add(
            Level::Error,
            Code("PB-LINT-004"),
            at,
            format!("`required` names `{}`, which is no property", short(name)),
            "correct the name, or describe the property",
        );
    }

    fn property(&mut self, at: &str, name: &str, property: &Json, depth: usize) {
        let Json::Object(schema) = property else {
            // `true` takes everything.
            return self.untyped(at);
        };
        let says = |key: &str| schema.contains_key(key);
        let described = |schema: &Map<String, Json>| {
            let text = schema.get("description").and_then(Json::as_str);
            text.is_some_and(|text| !text.trim().is_empty())
        };
        if !described(schema) && !self.target(schema).is_some_and(described) {
            self.add(
                Level::Warning,
                Code("PB-LINT-002"),
                at,
                "the parameter has no description",
                "write a comment `///` above the field",
            );
        }
        let typed = ["type", "$ref", "enum", "const", "anyOf", "oneOf", "allOf"];
        if !typed.iter().any(|key| says(key)) {
            self.untyped(at);
        }
        if let Some(default) = schema.get("default") {
            self.default(at, schema, default);
        }
        let is = |kind: &str| match schema.get("type") {
            Some(Json::String(only)) => only == kind,
            Some(Json::Array(several)) => several.iter().any(|one| one == kind),
            _ => false,
        };
        let bounded_text = ["maxLength", "enum", "const", "format", "pattern"]
            .iter()
            .any(|key| says(key));
        if is("string") && !bounded_text || is("array") && !says("maxItems") && !says("enum") {
            self.unbounded.push(short(name));
        }
        if depth < DEEPEST {
            self.object(at, schema, depth + 1);
        }
    }

    /// What a property refers to, one step away.
    fn target(&self, schema: &Map<String, Json>) -> Option<&Map<String, Json>> {
        let name = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
        self.root.get("$defs")?.get(name)?.as_object()
    }

    fn untyped(&mut self, at: &str) {
        self.add(
            Level::Warning,
            Code("PB-LINT-003"),
            at,
            "the parameter has no type",
            "say what it takes: #[schemars(extend(\"type\" = \"object\"))], or a type with a schema of its own",
        );
    }

    fn default(&mut self, at: &str, schema: &Map<String, Json>, default: &Json) {
        let mut alone = schema.clone();
        if let Some(definitions) = self.root.get("$defs") {
            alone.insert("$defs".into(), definitions.clone());
        }
        // A schema that cannot be used is told of once, for the whole of it.
        let Ok(judge) = Judge::of(&json!(alone)) else {
            return;
        };
        if let Some(reason) = judge.reasons(default).into_iter().next() {
            self.add(
                Level::Error,
                Code("PB-LINT-007"),
                at,
                format!("the default does not fit its own schema: {reason}"),
                "correct the default or the schema",
            );
        }
    }

    fn add(&mut self, level: Level, code: Code, at: &str, message: impl Into<String>, fix: &str) {
        let place = format!("{} {}", self.node, short(at));
        self.findings.push(Finding::new(level, code, place, message, fix));
    }
}

fn short(text: &str) -> String {
    text.chars().take(120).collect()
}
