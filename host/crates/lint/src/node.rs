//! A plugin's description, node by node.

use patchbay_vocab::Code;
use plugin_api::meta::{Example, NodeMeta, PluginMeta};
use serde_json::Value as Json;

use crate::judge::Judge;
use crate::{Finding, Level, schema};

const BAD_INPUT: Code = Code("PB-LINT-010");
const BAD_OUTPUT: Code = Code("PB-LINT-013");

/// Findings that are told; a plugin with more of them has one to mend first.
const MOST_FINDINGS: usize = 500;

/// Everything to mend in a description, in the order of its nodes.
#[must_use]
pub fn lint(plugin: &PluginMeta) -> Vec<Finding> {
    let mut findings = Vec::new();
    if plugin.description.trim().is_empty() {
        findings.push(Finding::new(
            Level::Warning,
            Code("PB-LINT-012"),
            "plugin",
            "the plugin has no description",
            "write `description` in Cargo.toml",
        ));
    }
    for node in &plugin.nodes {
        if findings.len() >= MOST_FINDINGS {
            findings.truncate(MOST_FINDINGS);
            break;
        }
        lint_node(node, &mut findings);
    }
    findings
}

fn lint_node(node: &NodeMeta, findings: &mut Vec<Finding>) {
    let place = node.node_type.as_str();
    let mut add = |level, code, message: &str, fix: &str| {
        findings.push(Finding::new(level, code, place, message, fix));
    };
    if node.description.trim().is_empty() {
        add(
            Level::Warning,
            Code("PB-LINT-001"),
            "the node has no description",
            "write a comment `///` above it",
        );
    }
    if is_open(&node.result) {
        add(
            Level::Warning,
            Code("PB-LINT-005"),
            "the node has no schema of its result",
            "return a type with a schema: `Answer<T>`, or a struct with #[output]",
        );
    }
    if node.examples.is_empty() {
        add(
            Level::Warning,
            Code("PB-LINT-006"),
            "the node has no example",
            "add example(title = \"...\", input = \"...\", output = \"...\") to #[node]",
        );
    }
    if !is_dotted_kebab(place) {
        add(
            Level::Note,
            Code("PB-LINT-009"),
            "the node type is not of the form `area.what-it-does`",
            "lower-case words with hyphens, and a dot after the area; a name that callers use stays as an alias",
        );
    }
    schema::lint(place, &node.parameters, findings);
    let properties = node.parameters.get("properties").and_then(Json::as_object);
    let listed = node.parameters.get("required").and_then(Json::as_array);
    for name in &node.required {
        // What the schema requires as well was told of with the schema.
        let told = listed.is_some_and(|listed| listed.iter().any(|one| one == name));
        if !told && !properties.is_some_and(|properties| properties.contains_key(name)) {
            let name: String = name.chars().take(120).collect();
            findings.push(Finding::new(
                Level::Error,
                Code("PB-LINT-014"),
                format!("{place} required"),
                format!("the node requires `{name}`, which is no parameter"),
                "correct the name, or describe the parameter",
            ));
        }
    }
    examples(node, findings);
}

/// Whether a schema says nothing: callers cannot know what they will get.
fn is_open(schema: &Json) -> bool {
    match schema {
        Json::Null | Json::Bool(_) => true,
        Json::Object(schema) => schema
            .keys()
            .all(|key| ["$schema", "title", "description"].contains(&key.as_str())),
        _ => false,
    }
}

fn is_dotted_kebab(node_type: &str) -> bool {
    let kebab = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    node_type.contains('.') && node_type.split('.').all(kebab)
}

fn examples(node: &NodeMeta, findings: &mut Vec<Finding>) {
    let mut check = |field: &str, schema: &Json, code: Code, of: fn(&Example) -> &Json| {
        if schema.is_null() {
            return;
        }
        let judge = match Judge::of(schema) {
            Ok(judge) => judge,
            Err(reason) => {
                findings.push(Finding::new(
                    Level::Error,
                    Code("PB-LINT-011"),
                    format!("{} {field}", node.node_type),
                    format!("the schema cannot be used: {reason}"),
                    "correct the schema",
                ));
                return;
            }
        };
        for example in &node.examples {
            let title: String = example.title.chars().take(80).collect();
            for reason in judge.reasons(of(example)) {
                findings.push(Finding::new(
                    Level::Error,
                    code,
                    format!("{} example `{title}`", node.node_type),
                    format!("does not fit the schema of the {field}: {reason}"),
                    "correct the example or the schema",
                ));
            }
        }
    };
    check("parameters", &node.parameters, BAD_INPUT, |example| {
        &example.input
    });
    check("result", &node.result, BAD_OUTPUT, |example| &example.output);
}
