//! What holds for every node of this plugin.

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::meta::NodeMeta;
use plugin_api::testing::Harness;
use serde_json::{Value as Json, json};

use super::*;

/// Hands every node of this plugin to `$to`.
macro_rules! every_node {
    ($to:ident) => {
        $to! { base64_decode base64_encode format_date parse_date parse_json to_array to_boolean to_float to_integer to_json to_number to_object to_string url_decode url_encode }
    };
}

macro_rules! metadata {
    ($($node:ident)*) => { [$((stringify!($node), <$node as Export>::meta())),*] };
}

macro_rules! check_examples {
    ($($node:ident)*) => { $(Harness::new().check_examples::<$node>();)* };
}

macro_rules! check_refusals {
    ($($node:ident)*) => { $(refuses_other_types::<$node>();)* };
}

#[test]
fn every_node_is_described_and_shown() {
    let nodes = every_node!(metadata);
    let exported = include_str!("lib.rs").split_once("nodes: [").unwrap().1;
    let exported = exported.split_once(']').unwrap().0.split(',').map(str::trim);
    let exported: Vec<&str> = exported.filter(|node| !node.is_empty()).collect();
    assert_eq!(nodes.each_ref().map(|(name, _)| *name).as_slice(), exported);
    for (_, node) in &nodes {
        check_metadata(node);
    }
    every_node!(check_examples);
}

fn check_metadata(node: &NodeMeta) {
    let of = &node.node_type;
    assert!(of.starts_with("convert."), "{of}");
    assert!(!node.description.trim().is_empty(), "{of} has no description");
    assert!(node.examples.len() >= 2, "{of} has too few examples");
    assert!(!node.tags.is_empty(), "{of} has no tags");
    for (name, schema) in properties(node) {
        assert!(
            schema.get("description").is_some(),
            "{of}: `{name}` is not described"
        );
    }
    // The spelling of the languages that write no capitals.
    let snake = of.chars().fold(String::new(), |mut snake, c| {
        if c.is_uppercase() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
        snake
    });
    assert!(snake == *of || node.aliases.contains(&snake), "{of}: {snake}");
}

fn properties(node: &NodeMeta) -> impl Iterator<Item = (&String, &Json)> {
    node.parameters["properties"].as_object().into_iter().flatten()
}

#[test]
fn what_a_schema_does_not_allow_the_node_refuses_by_name() {
    every_node!(check_refusals);
}

/// Puts values of other types than the schema allows into the first example, one parameter at a time.
fn refuses_other_types<N: Export>() {
    let node = N::meta();
    let calls = properties(&node).flat_map(|(name, schema)| {
        let others = [
            json!(null),
            json!(true),
            json!(1),
            json!(1.5),
            json!("x"),
            json!([]),
            json!({}),
        ];
        let others = others.into_iter().filter(|value| !allows(schema, value));
        others.map(move |value| (name, value))
    });
    for (name, value) in calls {
        let mut input = node.examples[0].input.clone();
        input[name] = value;
        let error = Harness::new().call::<N>(&input.to_string()).unwrap_err();
        assert_ne!(error.code, code::PLUGIN_PANICKED, "{} {input}", N::NODE_TYPE);
        assert!(
            error.message.contains(&format!("`{name}`")),
            "{} {input}: {error}",
            N::NODE_TYPE
        );
    }
    for name in &node.required {
        let mut input = node.examples[0].input.clone();
        input.as_object_mut().unwrap().remove(name);
        let error = Harness::new().call::<N>(&input.to_string()).unwrap_err();
        assert!(
            error.message.contains(&format!("`{name}`")),
            "{} {input}: {error}",
            N::NODE_TYPE
        );
    }
}

fn allows(schema: &Json, value: &Json) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no JSON type is {other}"),
    };
    match &schema["type"] {
        Json::String(name) => is(name),
        Json::Array(names) => names.iter().filter_map(Json::as_str).any(is),
        _ => true,
    }
}
