//! What every node promises, whatever it does: checked by a plugin's own tests, and found from what the node says of
//! itself.
//!
//! Invariant: a flaw that is told of is one that somebody who uses the node would meet: a missing word, an example that
//! does not hold, a name that does not work, a wrong value that is taken.
//!
//! ```
//! use plugin_api::conformance::flaws;
//! use plugin_api::prelude::*;
//! use plugin_api::testing::Harness;
//!
//! #[parameters]
//! struct Upper<'a> {
//!     /// The text to change.
//!     #[serde(alias = "text")]
//!     value: &'a str,
//! }
//!
//! /// Turns a text into capitals.
//! #[node(
//!     id = "demo.toUpper",
//!     aliases = ["demo.to_upper"],
//!     effect = "pure",
//!     example(title = "a word", input = r#"{"value": "hi"}"#, output = r#"{"result": "HI"}"#),
//!     example(title = "a digit", input = r#"{"value": "1"}"#, output = r#"{"result": "1"}"#)
//! )]
//! fn to_upper(input: Upper<'_>) -> Answer<String> {
//!     answer(input.value.to_uppercase())
//! }
//!
//! assert_eq!(flaws::<to_upper>(&Harness::new), Vec::<String>::new());
//! ```

mod plugin;

pub use plugin::{NodeUnderTest, PluginUnderTest, Refusal};

use serde_json::{Map, Value as Json, json};

use crate::export::Export;
use crate::meta::{Example, NodeMeta};
use crate::testing::Harness;

/// Fewer examples than this do not show how a node is used.
const LEAST_EXAMPLES: usize = 2;

/// Everything that a node's metadata promises and the node does not keep, in words. Each call is made in a harness of
/// its own.
///
/// * It has a description, and so has each of its parameters.
/// * It has two examples at least, which differ, and hold.
/// * Its id is in camelCase, and the same id with underscores is an alias.
/// * Each parameter works under each of its names, wherever an example has it.
/// * A parameter that is of a type that its schema does not list is an error that names the parameter, and so is one that
///   is missing and required.
#[must_use]
pub fn flaws<N: Export>(harness: &dyn Fn() -> Harness) -> Vec<String> {
    let meta = N::meta();
    let mut found = words(&meta);
    let call = |input: &Json| {
        let output = harness().call::<N>(&input.to_string());
        output.map(|output| serde_json::from_str(&output.to_json()).unwrap_or(Json::Null))
    };
    for Example { title, input, output } in &meta.examples {
        match call(input) {
            Ok(came) if came == *output => {}
            Ok(came) => found.push(format!("example `{title}`: expected {output}, found {came}")),
            Err(error) => found.push(format!("example `{title}`: {error}")),
        }
        for (name, other, renamed) in renamed(&meta.parameters, input) {
            if call(&renamed).ok().as_ref() != Some(output) {
                found.push(format!(
                    "example `{title}`: with `{other}` for `{name}` it does not hold"
                ));
            }
        }
    }
    for (name, wrong) in refusable(&meta) {
        match call(&wrong) {
            Ok(_) => found.push(format!("parameter `{name}`: {wrong} is taken")),
            Err(error) if !error.message.contains(&name) => {
                found.push(format!(
                    "parameter `{name}`: the error for {wrong} does not name it: {error}"
                ));
            }
            Err(_) => {}
        }
    }
    found
        .into_iter()
        .map(|flaw| format!("{}: {flaw}", meta.node_type))
        .collect()
}

/// The names that stand in `nodes: [...]` in the source of a plugin, for a test to see that it has left out none.
#[must_use]
pub fn exported(source: &str) -> Vec<&str> {
    let list = source
        .split_once("nodes: [")
        .and_then(|(_, rest)| rest.split_once(']'));
    let names = list.map_or("", |(list, _)| list).split(',').map(str::trim);
    names.filter(|name| !name.is_empty()).collect()
}

/// What is wrong with what the node says of itself.
fn words(meta: &NodeMeta) -> Vec<String> {
    let mut found = Vec::new();
    if meta.description.trim().is_empty() {
        found.push("has no description".to_owned());
    }
    for (name, parameter) in properties(&meta.parameters) {
        if parameter["description"]
            .as_str()
            .is_none_or(|text| text.trim().is_empty())
        {
            found.push(format!("parameter `{name}`: has no description"));
        }
    }
    let examples = &meta.examples;
    if examples.len() < LEAST_EXAMPLES {
        found.push(format!("has {} examples, not {LEAST_EXAMPLES}", examples.len()));
    }
    for (place, one) in examples.iter().enumerate() {
        if examples
            .iter()
            .take(place)
            .any(|other| other.title == one.title || other.input == one.input)
        {
            found.push(format!("example `{}`: is there twice", one.title));
        }
    }
    let id = &meta.node_type;
    let with_underscores = underscored(id);
    if id.contains('_') {
        found.push("its id has underscores".to_owned());
    } else if with_underscores != *id && !meta.aliases.contains(&with_underscores) {
        found.push(format!("`{with_underscores}` is no alias"));
    }
    found
}

/// The id with underscores for capitals.
fn underscored(id: &str) -> String {
    let mut out = String::new();
    for letter in id.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() && !out.ends_with('.') {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

fn properties(schema: &Json) -> impl Iterator<Item = (&String, &Json)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// The parameters of an example with one of them under another of its names: the name, the other, and all of them.
fn renamed<'s>(schema: &'s Json, input: &Json) -> Vec<(&'s str, &'s str, Json)> {
    let Some(input) = input.as_object() else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for (name, parameter) in properties(schema) {
        let aliases = parameter["x-aliases"].as_array().into_iter().flatten();
        for other in aliases
            .filter_map(Json::as_str)
            .filter(|_| input.contains_key(name))
        {
            let entries = input.iter().map(|(key, value)| {
                let key = if key == name { other } else { key };
                (key.to_owned(), value.clone())
            });
            out.push((name.as_str(), other, Json::Object(entries.collect())));
        }
    }
    out
}

/// Parameters that are to be refused, each with the name of the one that is wrong.
fn refusable(meta: &NodeMeta) -> Vec<(String, Json)> {
    let inputs = meta
        .examples
        .iter()
        .filter_map(|example| example.input.as_object());
    let base = inputs
        .max_by_key(|input| input.len())
        .cloned()
        .unwrap_or_default();
    let with = |name: &str, value: Json| {
        let mut input: Map<String, Json> = base.clone();
        input.insert(name.to_owned(), value);
        (name.to_owned(), Json::Object(input))
    };
    let mut out = Vec::new();
    for (name, parameter) in properties(&meta.parameters) {
        let allowed = types(parameter);
        let samples = [
            ("null", Json::Null),
            ("boolean", json!(true)),
            ("integer", json!(7)),
            ("number", json!(7.5)),
            ("string", json!("?")),
            ("array", json!(["?"])),
            ("object", json!({"?": "?"})),
        ];
        for (kind, sample) in samples {
            let is_allowed = allowed
                .iter()
                .any(|one| one == kind || (one == "number" && kind == "integer"));
            if !allowed.is_empty() && !is_allowed {
                out.push(with(name, sample));
            }
        }
    }
    for name in &meta.required {
        let (name, mut input) = with(name, Json::Null);
        if let Some(input) = input.as_object_mut() {
            input.remove(&name);
        }
        out.push((name, input));
    }
    out
}

/// The types that a schema allows; none where it allows any.
fn types(schema: &Json) -> Vec<String> {
    let of = |json: &Json| match json {
        Json::String(one) => vec![one.clone()],
        Json::Array(several) => several
            .iter()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    let own = of(&schema["type"]);
    if !own.is_empty() {
        return own;
    }
    if schema["const"].is_string() || schema["enum"].is_array() {
        return vec!["string".to_owned()];
    }
    let mut all = Vec::new();
    for member in ["anyOf", "oneOf"]
        .iter()
        .flat_map(|word| schema[*word].as_array())
        .flatten()
    {
        let one = types(member);
        if one.is_empty() {
            return Vec::new();
        }
        all.extend(one);
    }
    all
}

#[cfg(test)]
mod tests;
