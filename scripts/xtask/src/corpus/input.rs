//! What triggers a document, made up from what it reads.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::path::{Hint, Read, reads};
use super::value::{ruled, shaped};

/// Roots that the host fills in.
const ROOTS: [&str; 22] = [
    "json",
    "input",
    "context",
    "steps",
    "nodes",
    "node",
    "workflow",
    "env",
    "now",
    "item",
    "index",
    "acc",
    "value",
    "key",
    "utils",
    "variables",
    "today",
    "request",
    "timestamp",
    "parentJson",
    "execution",
    "vars",
];

/// What triggers the document, made up from what it reads of it.
pub(super) fn input(document: &Json, nodes: &[Json], texts: &[&str], pattern: Option<&str>) -> Json {
    let mut found: Vec<Read> = texts.iter().flat_map(|text| reads(text, "$json")).collect();
    let outs: BTreeSet<&str> = nodes
        .iter()
        .filter_map(|node| node["parameters"]["out"].as_str())
        .collect();
    let ids: BTreeSet<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    for text in texts.iter().filter(|text| text.contains('$')) {
        for name in bare_roots(text) {
            if !ROOTS.contains(&name) && !outs.contains(name) && !ids.contains(name) {
                let below = reads(text, &format!("${name}")).into_iter();
                found.extend(below.map(|read| Read {
                    path: std::iter::once(name.to_owned()).chain(read.path).collect(),
                    hint: read.hint,
                }));
            }
        }
    }
    for node in nodes {
        required(&node["parameters"], &mut found);
    }
    let mut input = shaped(&found);
    for node in nodes {
        let parameters = &node["parameters"];
        if parameters["input"]
            .as_str()
            .is_some_and(|text| text.replace(' ', "") == "{{$json}}")
        {
            for (name, rule) in parameters["rules"].as_object().into_iter().flatten() {
                if let Some(value) = rule.as_str().and_then(|rule| ruled(name, rule)) {
                    input[name] = value;
                }
            }
        }
    }
    for node in nodes {
        // What has to be as another field is, when that has its value.
        for (name, rule) in node["parameters"]["rules"].as_object().into_iter().flatten() {
            let rules = rule.as_str().unwrap_or_default().split('|');
            let other = rules
                .filter_map(|rule| rule.split_once(':'))
                .find(|(key, _)| matches!(*key, "same" | "matches"));
            if let Some(value) = other.and_then(|(_, other)| input.get(other)).cloned() {
                input[name] = value;
            }
        }
        parsed(node, texts, &mut input);
    }
    if texts.iter().any(|text| text.contains("$request")) {
        input["request"] = request(document, texts, pattern);
    }
    input
}

/// A text that a node reads as JSON: what the document then reads of the node's output.
fn parsed(node: &Json, texts: &[&str], input: &mut Json) {
    let parameters = &node["parameters"];
    let (Some(id), Some(output)) = (node["id"].as_str(), parameters["output"].as_str()) else {
        return;
    };
    let Some((_, rest)) = output.split_once("JSON.parse(") else {
        return;
    };
    let field = reads(rest, "$json")
        .into_iter()
        .next()
        .and_then(|read| read.path.into_iter().next());
    let own = |read: Read| {
        let path = read
            .path
            .strip_prefix(&[id.to_owned(), "output".to_owned()])?
            .to_vec();
        Some(Read {
            path,
            hint: read.hint,
        })
    };
    let of_output: Vec<Read> = texts
        .iter()
        .flat_map(|text| reads(text, "$steps"))
        .filter_map(own)
        .collect();
    if let Some(field) = field.filter(|_| !of_output.is_empty()) {
        input[field] = json!(shaped(&of_output).to_string());
    }
}

/// Fields that a node asks for by name: `{"fields": ["a"], "input": "$form"}`.
fn required(parameters: &Json, found: &mut Vec<Read>) {
    let Some(of) = parameters["input"]
        .as_str()
        .and_then(|text| text.strip_prefix('$'))
    else {
        return;
    };
    for field in parameters["fields"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
    {
        let path = of.strip_prefix("json").map_or_else(
            || vec![of.to_owned(), field.to_owned()],
            |_| vec![field.to_owned()],
        );
        found.push(Read {
            path,
            hint: Hint::Nothing,
        });
    }
}

/// The names behind dollar signs.
fn bare_roots(text: &str) -> Vec<&str> {
    let names = text.match_indices('$').filter_map(|(at, _)| {
        let rest = &text[at + 1..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        (end > 0 && rest.starts_with(|c: char| c.is_alphabetic())).then(|| &rest[..end])
    });
    names.collect()
}

/// A request whose path a pattern takes apart, and whose body holds what is read of it.
fn request(document: &Json, texts: &[&str], pattern: Option<&str>) -> Json {
    let path = pattern.unwrap_or("/resource").split('/');
    let path: Vec<&str> = path
        .map(|part| match part {
            ":namespace" => "acme",
            ":name" => "library",
            ":version" => "1.2.0",
            ":variant" => "linux",
            part => part.strip_prefix(':').unwrap_or(part),
        })
        .collect();
    let nodes = document["nodes"].as_array().into_iter().flatten();
    let of_body = nodes.filter(|node| {
        let parameters = &node["parameters"];
        parameters["input"] == "$request.body"
            && node["type"].as_str().is_some_and(|kind| kind.contains("json"))
    });
    let names: Vec<&str> = of_body
        .filter_map(|node| node["parameters"]["out"].as_str())
        .collect();
    let read = names.iter().flat_map(|name| {
        texts
            .iter()
            .flat_map(move |text| reads(text, &format!("${name}")))
    });
    let read: Vec<Read> = read.collect();
    let body = match read.is_empty() {
        true => "the bytes of a package".to_owned(),
        false => shaped(&read).to_string(),
    };
    json!({
        "method": "GET", "path": path.join("/"), "query": {}, "headers": {"content-type": "application/json"},
        "content_length": body.len(), "body": body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::document::needs;

    #[test]
    fn what_documents_of_requests_read_is_in_their_request() {
        let document = json!({"nodes": [
            {"id": "a", "type": "r.parse_path", "parameters": {"path": "$request.path", "pattern": "/v1/:namespace/:name"}},
            {"id": "b", "type": "r.parse_json", "parameters": {"input": "$request.body", "out": "credentials"}},
            {"id": "c", "type": "r.verify", "parameters": {"username": "$credentials.username", "x": "$form.title"}},
            {"id": "d", "type": "r.required", "parameters": {"input": "$form", "fields": ["title", "file"]}},
        ]});
        let needs = needs(&document);
        assert_eq!(needs.input["request"]["path"], "/v1/acme/library");
        let body = needs.input["request"]["body"].as_str().unwrap();
        assert_eq!(body, r#"{"username":"a username"}"#);
        assert_eq!(
            needs.input["form"],
            json!({"title": "a title", "file": "picture.png"})
        );
    }

    #[test]
    fn a_text_that_is_parsed_is_json_with_what_is_read_of_it() {
        let document = json!({"nodes": [
            {"id": "parse", "parameters": {"output": "{{ JSON.parse($json.script) }}"}},
            {"id": "check", "parameters": {"rules": {"a": "string", "b": "same:a"},  "input": "{{ $json }}",
                "x": "{{ $steps.parse.output.version === '2' && $steps.parse.output.nodes.every(n => n.id) }}"}},
        ]});
        let input = needs(&document).input;
        let parsed: Json = serde_json::from_str(input["script"].as_str().unwrap()).unwrap();
        assert_eq!(parsed["version"], "2");
        assert!(parsed["nodes"][0]["id"].is_string());
        assert_eq!(input["b"], input["a"]);
    }
}
