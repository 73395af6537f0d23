use plugin_api::meta::{Example, NodeMeta, PluginMeta};
use serde_json::{Value as Json, json};

use crate::{Finding, Level, lint};

/// A node that nothing is to be said of.
fn node() -> NodeMeta {
    NodeMeta {
        node_type: "text.upper-case".into(),
        description: "Turns a text into capitals.".into(),
        required: vec!["value".into()],
        parameters: json!({
            "type": "object",
            "properties": {"value": {"type": "string", "description": "The text.", "maxLength": 10}},
            "required": ["value"],
        }),
        result: json!({"type": "object", "properties": {"result": {"type": "string"}}}),
        examples: vec![Example {
            title: "a word".into(),
            input: json!({"value": "hi"}),
            output: json!({"result": "HI"}),
        }],
        ..NodeMeta::default()
    }
}

fn found(change: impl FnOnce(&mut NodeMeta)) -> Vec<Finding> {
    let mut node = node();
    change(&mut node);
    lint(&PluginMeta {
        description: "Texts.".into(),
        nodes: vec![node],
        ..PluginMeta::default()
    })
}

/// The change gives this finding, at this place, and no other.
#[track_caller]
fn check(code: &str, level: Level, place: &str, change: impl FnOnce(&mut NodeMeta)) {
    let findings = found(change);
    let [finding] = findings.as_slice() else {
        panic!("{findings:#?}");
    };
    assert_eq!(
        (finding.code.0, finding.level, finding.place.as_str()),
        (code, level, place),
        "{finding:?}"
    );
    assert!(!finding.fix.is_empty() && !finding.message.is_empty());
}

/// One more parameter of this schema.
fn with(property: Json) -> impl FnOnce(&mut NodeMeta) {
    move |node| node.parameters["properties"]["more"] = property
}

#[test]
fn a_description_that_is_as_it_should_be_gives_no_finding() {
    assert_eq!(found(|_| {}), []);
}

#[test]
fn a_plugin_without_a_description_is_a_warning() {
    let findings = lint(&PluginMeta::default());
    assert_eq!((findings.len(), findings[0].code.0), (1, "PB-LINT-012"));
}

#[test]
fn a_node_without_description_result_or_example_is_a_warning_each() {
    let at = "text.upper-case";
    check("PB-LINT-001", Level::Warning, at, |node| {
        node.description = " ".into();
    });
    for open in [Json::Null, json!(true), json!({"title": "Value"})] {
        check("PB-LINT-005", Level::Warning, at, |node| node.result = open);
    }
    check("PB-LINT-006", Level::Warning, at, |node| node.examples.clear());
}

#[test]
fn a_parameter_without_description_or_type_is_a_warning() {
    let at = "text.upper-case parameters/more";
    check(
        "PB-LINT-002",
        Level::Warning,
        at,
        with(json!({"type": "integer"})),
    );
    check(
        "PB-LINT-003",
        Level::Warning,
        at,
        with(json!({"description": "More."})),
    );
    check("PB-LINT-003", Level::Warning, at, with(json!(true)));
    // What it refers to may have the description.
    let findings = found(|node| {
        node.parameters["properties"]["more"] = json!({"$ref": "#/$defs/More"});
        node.parameters["$defs"] = json!({"More": {"type": "integer", "description": "More."}});
    });
    assert_eq!(findings, []);
}

#[test]
fn objects_in_objects_and_definitions_are_looked_at() {
    let inner =
        json!({"type": "object", "description": "More.", "properties": {"deep": {"type": "integer"}}});
    check(
        "PB-LINT-002",
        Level::Warning,
        "text.upper-case parameters/more/deep",
        with(inner.clone()),
    );
    check(
        "PB-LINT-002",
        Level::Warning,
        "text.upper-case parameters/$defs/More/deep",
        |node| node.parameters["$defs"] = json!({"More": inner}),
    );
}

#[test]
fn a_required_name_that_is_no_parameter_is_an_error() {
    check(
        "PB-LINT-004",
        Level::Error,
        "text.upper-case parameters",
        |node| {
            node.parameters["required"] = json!(["valeu"]);
            node.parameters["required"] = json!(["value", "valeu"]);
            node.required.push("valeu".into());
            node.examples[0].input["valeu"] = json!(1);
        },
    );
    check("PB-LINT-014", Level::Error, "text.upper-case required", |node| {
        node.required.push("valeu".into());
    });
}

#[test]
fn a_default_that_does_not_fit_its_schema_is_an_error() {
    let at = "text.upper-case parameters/more";
    let wrong = json!({"type": "integer", "description": "More.", "minimum": 1, "default": 0});
    check("PB-LINT-007", Level::Error, at, with(wrong));
    check("PB-LINT-007", Level::Error, at, |node| {
        node.parameters["properties"]["more"] =
            json!({"$ref": "#/$defs/More", "description": "More.", "default": "x"});
        node.parameters["$defs"] = json!({"More": {"type": "integer"}});
    });
}

#[test]
fn a_text_or_list_without_a_bound_is_only_a_note_and_one_for_the_node() {
    check("PB-LINT-008", Level::Note, "text.upper-case", |node| {
        let properties = &mut node.parameters["properties"];
        properties["list"] = json!({"type": "array", "description": "A list."});
        properties["text"] = json!({"type": ["string", "null"], "description": "A text."});
        properties["kind"] = json!({"type": "string", "description": "A kind.", "enum": ["a", "b"]});
    });
}

#[test]
fn a_node_type_of_another_form_is_only_a_note() {
    for node_type in ["upper", "text.upperCase", "text.upper_case"] {
        check("PB-LINT-009", Level::Note, node_type, |node| {
            node.node_type = node_type.into();
        });
    }
}

#[test]
fn an_example_that_does_not_fit_the_schemas_is_an_error() {
    let at = "text.upper-case example `a word`";
    check("PB-LINT-010", Level::Error, at, |node| {
        node.examples[0].input = json!({"value": 1});
    });
    check("PB-LINT-013", Level::Error, at, |node| {
        node.examples[0].output = json!({"result": 1});
    });
}

#[test]
fn a_schema_that_cannot_be_used_is_an_error() {
    check(
        "PB-LINT-011",
        Level::Error,
        "text.upper-case parameters",
        |node| {
            node.parameters["allOf"] = json!([{"$ref": "#"}]);
        },
    );
    check("PB-LINT-011", Level::Error, "text.upper-case result", |node| {
        node.result = json!({"type": "no such type"});
    });
}

#[test]
fn a_description_of_any_size_gives_a_bounded_number_of_findings() {
    let properties: serde_json::Map<String, Json> = (0..20_000)
        .map(|n| (format!("{n}{}", "x".repeat(500)), json!({})))
        .collect();
    let mut large = node();
    large.parameters["properties"] = properties.into();
    large.required.clear();
    let plugin = PluginMeta {
        nodes: vec![large; 20],
        ..PluginMeta::default()
    };
    let findings = lint(&plugin);
    assert!(findings.len() < 5_000, "{}", findings.len());
    assert!(findings.iter().all(|finding| finding.place.len() < 1_000));
}
