//! What a registry adds.

use plugin_api::value::ValueRef;

use crate::{Catalogue, KnownNode, ParameterProblem, check, read};

/// Knows `math.add` and `secret.read`, and forbids `raw-sql`.
struct Few;

impl Catalogue for Few {
    fn node(&self, node_type: &str) -> Option<KnownNode> {
        let secrets = match node_type {
            "math.add" | "raw-sql" => Vec::new(),
            "secret.read" => vec!["token".to_owned()],
            _ => return None,
        };
        Some(KnownNode {
            secrets,
            experimental: node_type == "secret.read",
            plugin: node_type
                .starts_with("math.")
                .then(|| "math".parse().expect("a name")),
        })
    }

    fn nearest(&self, node_type: &str) -> Option<String> {
        node_type.starts_with("math.").then(|| "math.add".to_owned())
    }

    fn check_parameters(&self, _: &str, parameters: ValueRef<'_>, open: &[String]) -> Vec<ParameterProblem> {
        let missing = parameters.get("a").is_none() && !open.iter().any(|open| open == "/a");
        let wrong = parameters
            .pointer("/list/1")
            .is_some_and(|item| item.as_str().is_some());
        let problem = |pointer: &str| ParameterProblem {
            pointer: pointer.to_owned(),
            message: "does not fit".to_owned(),
        };
        missing
            .then(|| problem("/a"))
            .into_iter()
            .chain(wrong.then(|| problem("/list/1")))
            .collect()
    }

    fn allows(&self, node_type: &str) -> bool {
        node_type != "raw-sql"
    }

    fn has_secret(&self, name: &str) -> bool {
        name == "known"
    }
}

fn found(nodes: &str) -> Vec<(&'static str, String, String)> {
    let json = format!(r#"{{"nodes":[{nodes}],"connections":{{"x":5}}}}"#);
    let document = read(json.as_bytes()).expect("it is an object");
    let findings = check(&document, &Few).0.into_iter();
    findings
        .map(|finding| (finding.code.0, finding.path, finding.hint))
        .collect()
}

#[test]
fn each_fault_has_its_code_at_its_place_also_where_the_document_is_broken() {
    let cases: [(&str, &[(&str, &str)]); 11] = [
        (
            r#"{"id":"a","nodeType":"math.add","plugin":"math@^1","parameters":{"a":1}}"#,
            &[],
        ),
        (
            r#"{"id":"a","nodeType":"math.add","plugin":"text@^1","parameters":{"a":1}}"#,
            &[("RANGE_OF_ANOTHER_PLUGIN", "nodes[0].plugin")],
        ),
        (r#"{"id":"a","nodeType":"math.add","parameters":{"a":1}}"#, &[]),
        (
            r#"{"id":"a","type":"math.ad"}"#,
            &[("UNKNOWN_NODE_TYPE", "nodes[0].type")],
        ),
        (
            r#"{"id":"a","nodeType":"math.add"}"#,
            &[("PARAMETER_SCHEMA", "nodes[0].parameters.a")],
        ),
        (
            r#"{"id":"a","nodeType":"math.add","parameters":{"a":1,"list":[1,"x"]}}"#,
            &[("PARAMETER_SCHEMA", "nodes[0].parameters.list[1]")],
        ),
        (
            r#"{"id":"a","nodeType":"raw-sql","parameters":{"a":1}}"#,
            &[("NODE_TYPE_NOT_ALLOWED", "nodes[0].nodeType")],
        ),
        (
            r#"{"id":"a","nodeType":"secret.read","parameters":{"a":1},"credentials":{"x":{"id":"no"},"y":{"id":"q","name":"known"}}}"#,
            &[
                ("EXPERIMENTAL_NODE_TYPE", "nodes[0].nodeType"),
                ("CREDENTIAL_MISSING", "nodes[0].nodeType"),
                ("CREDENTIAL_MISSING", "nodes[0].credentials.x"),
            ],
        ),
        (
            r#"{"id":"a","nodeType":"math.add","parameters":{"a":1},"errorRecoveryStrategy":{"strategy":"fallback","fallbackNodeType":"no"}}"#,
            &[(
                "UNKNOWN_FALLBACK",
                "nodes[0].errorRecoveryStrategy.fallbackNodeType",
            )],
        ),
        (
            r#"{"id":"l","type":"loop","parameters":{"body":{"nodes":[{"id":"x","type":"no"}]}}}"#,
            &[("UNKNOWN_NODE_TYPE", "nodes[0].parameters.body.nodes[0].type")],
        ),
        (r#"{"id":"l","type":"manual-trigger"}"#, &[]),
    ];
    for (nodes, expected) in cases {
        let found: Vec<_> = found(nodes)
            .into_iter()
            .map(|(code, path, _)| (code, path))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(code, path)| (*code, (*path).to_owned()))
            .collect();
        assert_eq!(found, expected, "{nodes}");
    }
}

#[test]
fn an_unknown_node_type_comes_with_the_nearest_name() {
    let found = found(r#"{"id":"a","nodeType":"math.ad"}"#);
    assert_eq!(
        found[0].2,
        "did you mean `math.add`? else install a plugin that has it"
    );
}
