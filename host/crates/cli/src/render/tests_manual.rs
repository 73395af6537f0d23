//! Manual pages as they are printed.

use patchbay_wire::{Capability, DependencyView, Effect, ExampleView, NodeView};
use serde_json::json;

use super::*;

pub(super) fn upper() -> NodeView {
    NodeView {
        node_type: "string.upper".parse().unwrap(),
        plugin: "string".parse().unwrap(),
        version: "1.2.0".into(),
        category: "text".into(),
        description: "Makes letters large.\nFollows Unicode.".into(),
        required: vec!["text".into()],
        parameters: json!({
            "type": "object",
            "properties": {
                "text": {"type": "string", "description": "What to change"},
                "count": {"type": "integer", "minimum": 1, "default": 1},
                "mode": {"$ref": "#/$defs/Mode"},
                "tags": {"type": ["array", "null"], "items": {"type": "string"}, "x-aliases": ["labels"]},
            },
            "required": ["text"],
            "$defs": {"Mode": {"enum": ["all", "first"], "description": "Which letters"}},
        }),
        config: serde_json::Value::Null,
        result: json!({"type": "string", "description": "The changed text"}),
        aliases: vec!["upper".parse().unwrap()],
        tags: vec!["text".into(), "case".into()],
        author: "core".into(),
        icon: String::new(),
        experimental: false,
        effect: Effect::Pure,
        timeout_ms: Some(500),
        capabilities: vec![],
        secrets: vec![],
        is_async: false,
        stateful: false,
        examples: vec![ExampleView {
            title: "a word".into(),
            input: json!({"text": "it's"}),
            output: json!("IT'S"),
        }],
        host_api: "^1.0".into(),
        dependencies: vec![],
    }
}

fn page(node: &NodeView) -> String {
    manual(node, &[], Layout::Pipe)
}

/// What stands under a title, without the margin.
fn section(page: &str, title: &str) -> String {
    let start = format!("{title}\n");
    let mut lines = page.split_inclusive('\n').skip_while(|line| **line != start);
    assert!(lines.next().is_some(), "no {title} in\n{page}");
    let body = lines.take_while(|line| line.starts_with("    ") || line.trim().is_empty());
    let body: String = body
        .map(|line| line.strip_prefix("    ").unwrap_or(line))
        .collect();
    body.trim_end().to_owned()
}

#[test]
fn the_manual_of_a_node_is_complete() {
    let mut lower = upper();
    lower.node_type = "string.lower".parse().unwrap();
    let mut trim = upper();
    trim.node_type = "string.trim".parse().unwrap();
    trim.tags.clear();
    let mut add = upper();
    add.node_type = "math.add".parse().unwrap();
    add.category = "math".into();
    assert_eq!(
        manual(&upper(), &[add, trim, upper(), lower], Layout::Pipe),
        r#"NAME
    string.upper, upper - Makes letters large

SYNOPSIS
    patchbay call string.upper '{"text":"it'\''s"}'

    In a workflow:

    {"id": "upper", "type": "string.upper", "parameters": {"text":"it's"}}

DESCRIPTION
    Makes letters large. Follows Unicode.

PARAMETERS
    count: integer >= 1, default 1

    mode: "all" | "first"
        Which letters

    tags: array of string | null
        Also read as `labels`.

    text: string, required
        What to change

RESULT
    string: The changed text

EFFECT
    Pure: it changes nothing, and the same parameters give the same result.
    Results may be remembered.
    A call may take 500 ms when its caller does not say how long.

ERRORS
    - VALIDATION_FAILED: a parameter is missing, of another type, or out of
      range; the message names it
    - TIMEOUT: it took longer than 500 ms, or than its caller allowed
    - EXECUTION_ERROR: it cannot give its result; the message says why

EXAMPLES
    # a word
    patchbay call string.upper '{"text":"it'\''s"}'
    "IT'S"

PLUGIN
    plugin:   string@1.2.0
    category: text
    tags:     text, case
    author:   core
    contract: ^1.0

SEE ALSO
    string.lower, string.trim
"#
    );
}

#[test]
fn fields_of_objects_are_told_below_them_with_their_path_and_bounds() {
    let mut node = upper();
    node.parameters = json!({
        "type": "object",
        "properties": {
            "options": {"anyOf": [{"type": "null"}, {
                "type": "object",
                "properties": {"way": {"oneOf": [
                    {"const": "up", "description": "To the top"}, {"const": "down", "description": "To the ground"}
                ]}},
                "required": ["way"]
            }], "description": "How to do it"},
            "words": {"type": "array", "minItems": 1, "maxItems": 9, "items": {"$ref": "#/$defs/Word"}},
            "when": {"type": "string", "maxLength": 20, "x-template": false},
            "with": {"type": ["array", "boolean", "null", "number", "object", "string"]},
        },
        "$defs": {"Word": {"type": "object", "properties": {"at": {"type": "integer", "format": "uint8"}}}},
    });
    assert_eq!(
        section(&page(&node), "PARAMETERS"),
        r#"options: null | object
    How to do it

    options.way: "up" | "down", required
        * "up": To the top
        * "down": To the ground

when: string, at most 20 characters
    The node itself evaluates what stands in it.

with: any

words: array of object, 1 to 9 items

    words[].at: integer"#
    );
}

#[test]
fn what_a_node_reaches_and_needs_is_said_in_words() {
    let mut node = upper();
    node.effect = Effect::Effectful;
    node.capabilities = vec![Capability::Network, Capability::Secrets];
    node.secrets = vec!["DATABASE_URL".into(), "DATABASE_URL_*".into()];
    (node.is_async, node.stateful, node.experimental) = (true, true, true);
    node.dependencies = vec![DependencyView {
        plugin: "list".parse().unwrap(),
        range: "^1.2".parse().unwrap(),
    }];
    let page = page(&node);
    let said = section(&page, "EFFECT").replace('\n', " ");
    for words in [
        "Effectful: it does something to the world each time.",
        "It keeps state between calls",
        "It waits without holding a thread.",
        "It is experimental",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(
        section(&page, "CAPABILITIES"),
        "network: it makes connections.\nsecrets: it reads secrets of the tenant, by the names below."
    );
    assert_eq!(
        section(&page, "SECRETS"),
        "DATABASE_URL\nDATABASE_URL_..., any name that begins like this\n\n\
         Set for a tenant in patchbay.toml, from the environment or a file:\n\n\
         [tenants.acme.secrets]\nDATABASE_URL = { env = \"DATABASE_URL\" }"
    );
    assert!(section(&page, "ERRORS").contains("CREDENTIAL_MISSING"));
    assert!(section(&page, "PLUGIN").contains("needs:    list@^1.2"));
}

#[test]
fn a_node_without_examples_is_called_with_what_its_schema_demands() {
    let mut node = upper();
    node.examples.clear();
    node.parameters["required"] = json!(["text", "count", "mode", "tags"]);
    let page = page(&node);
    let line = r#"patchbay call string.upper '{"count":1,"mode":"all","tags":[],"text":"..."}'"#;
    assert!(section(&page, "SYNOPSIS").starts_with(line), "{page}");
    assert_eq!(section(&page, "EXAMPLES"), "none");
}

#[test]
fn the_manual_page_of_a_node_that_is_configured_says_with_what() {
    let mut node = upper();
    node.config = json!({
        "type": "object",
        "properties": {"rate": {"type": "integer", "minimum": 1, "description": "calls in a second"}},
    });
    assert_eq!(
        section(&page(&node), "CONFIGURATION"),
        "rate: integer >= 1\n    calls in a second"
    );
    node.config["required"] = json!(["rate"]);
    let call = r#"patchbay call string.upper '{"text":"it'\''s"}' --config '{"rate":1}'"#;
    assert!(section(&page(&node), "EXAMPLES").contains(call));
    for nothing in [serde_json::Value::Null, json!({"type": "null"})] {
        node.config = nothing;
        assert!(!page(&node).contains("CONFIGURATION"));
    }
}

#[test]
fn a_hostile_schema_is_rendered_in_bounded_time_and_size() {
    let mut node = upper();
    let wide: Vec<_> = (0..1_000).map(|_| json!({"$ref": "#/$defs/Loop"})).collect();
    let properties: serde_json::Map<_, _> = (0..5_000)
        .map(|n| (format!("p{n}\u{9b}"), json!({"$ref": "#/$defs/Loop"})))
        .collect();
    node.parameters = json!({"properties": properties, "$defs": {"Loop": {"anyOf": wide}}});
    node.result = json!([1, 2]);
    let text = page(&node);
    assert!(
        text.len() < 200_000 && !text.contains('\u{9b}'),
        "{} bytes",
        text.len()
    );
    // An object that is in itself is told as deep as others.
    node.parameters = json!({
        "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}},
    });
    let text = page(&node);
    assert!(
        text.contains("a.b.a.b.a:") && !text.contains("a.b.a.b.a.b:"),
        "{text}"
    );
}
