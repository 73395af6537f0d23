//! The peer's validator and its recorded cases.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value as Json;

use super::{check_plan, validated};
use crate::{Findings, Level};

const VALIDATOR: &str = include_str!("golden-validator.json");

/// Where ours says something else: the document, what it says besides, what it does not say, and why.
type Difference = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str)],
);

/// The reasons stand beside the rows.
const DIFFERENCES: &[Difference] = &[
    // Expressions and connections could mean either node.
    (
        "duplicate id (not noticed)",
        &[("DUPLICATE_NODE_ID", "nodes[1].id")],
        &[],
    ),
    // The class alone does not say what runs.
    (
        "no nodeType (not noticed)",
        &[("MISSING_NODE_TYPE", "nodes[0].nodeType")],
        &[],
    ),
    // A lost object is lost at any depth.
    (
        "object text, nested (not noticed)",
        &[("OBJECT_SERIALIZATION_FAILURE", "nodes[0].parameters.a.b")],
        &[],
    ),
    // `1abc` is no number.
    (
        "index \"1abc\" (accepted: parseInt)",
        &[("INVALID_OUTPUT_INDEX", "connections.a.main.1abc")],
        &[],
    ),
    // The peer throws.
    (
        "null target (throws)",
        &[("INVALID_CONNECTION_TARGET", "connections.a.main.0")],
        &[],
    ),
    // It would run for ever.
    ("cycle (not noticed)", &[("CYCLE", "connections.b.main.0")], &[]),
    // Connections by id are what most files have, and what the peer's own executor follows.
    (
        "edges by id when names differ",
        &[],
        &[("INVALID_CONNECTION_SOURCE", "connections.a")],
    ),
    // The peer throws.
    (
        "variable null (throws)",
        &[("INVALID_VARIABLE_DEFINITION", "variables.x")],
        &[],
    ),
    // The executor does not look at values by `validation`, which the author should know.
    (
        "variable regex",
        &[("UNSUPPORTED_SETTING", "variables.x.validation")],
        &[],
    ),
    // The peer throws; and what is connected is not there.
    (
        "no nodes key (throws)",
        &[
            ("NOT_A_WORKFLOW", "nodes"),
            ("INVALID_CONNECTION_SOURCE", "connections.a"),
        ],
        &[],
    ),
    // The peer throws; the number is taken as a text.
    ("numeric id (throws)", &[("INVALID_FIELD", "nodes[0].id")], &[]),
];

/// Where ours is a warning and the peer's an error.
const MILDER: &[&str] = &[
    // Variables are parameters by name in the peer's own node types.
    "NESTED_NODE_ATTRIBUTES",
    // A document without a tenant is of whoever runs it, unless it asks for strict separation.
    "MISSING_TENANT_ID",
];

fn pairs(list: &Json) -> BTreeSet<(String, String)> {
    let text = |value: &Json, key: &str| value[key].as_str().expect("a text").to_owned();
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|item| (text(item, "code"), text(item, "path")))
        .collect()
}

fn owned(list: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    list.iter()
        .map(|(code, path)| ((*code).to_owned(), (*path).to_owned()))
        .collect()
}

fn all(workflow: &Json) -> Findings {
    match validated(&workflow.to_string()) {
        Ok(valid) => valid.warnings().clone(),
        Err(findings) => findings,
    }
}

#[test]
fn what_the_peers_validator_finds_is_found_at_the_same_places() {
    let documents: Json = serde_json::from_str(VALIDATOR).expect("the file is JSON");
    let documents = documents.as_object().expect("an object");
    assert_eq!(documents.len(), 46);
    for (name, _, _) in DIFFERENCES {
        assert!(documents.contains_key(*name), "there is no document {name}");
    }
    for (name, document) in documents {
        let (more, less) = DIFFERENCES
            .iter()
            .find(|(document, _, _)| document == name)
            .map_or((&[][..], &[][..]), |(_, more, less)| (*more, *less));
        let errors = pairs(&document["errors"]);
        let mut expected: BTreeSet<_> = errors.union(&pairs(&document["warnings"])).cloned().collect();
        for pair in owned(less) {
            assert!(expected.remove(&pair), "{name}: the peer does not say {pair:?}");
        }
        expected.extend(owned(more));
        let findings = all(&document["workflow"]);
        let found: BTreeSet<_> = findings
            .0
            .iter()
            .map(|finding| (finding.code.0.to_owned(), finding.path.clone()))
            .collect();
        assert_eq!(found, expected, "{name}: {findings:#?}");
        for finding in &findings.0 {
            let pair = (finding.code.0.to_owned(), finding.path.clone());
            if errors.contains(&pair) && !MILDER.contains(&finding.code.0) {
                assert_eq!(finding.level, Level::Error, "{name}: {finding:?}");
            }
        }
    }
}

#[test]
fn the_recorded_workflows_are_planned_or_refused_for_the_right_reason() {
    let refused = [
        ("dag-cycle", "CYCLE"),
        ("dag-self-cycle", "CYCLE"),
        // The target is `[object Object]`, which says more than that there is no such node.
        ("dag-target-unknown", "OBJECT_SERIALIZATION_FAILURE"),
        ("dag-trigger-unknown", "UNKNOWN_TRIGGER_NODE"),
        // It calls a function that is not there.
        ("tpl-utils", "EXPRESSION_SYNTAX"),
        ("dag-restricted-type", "NODE_TYPE_NOT_ALLOWED"),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/golden");
    let mut count = 0;
    for file in std::fs::read_dir(folder).expect("the folder is there") {
        let path = file.expect("the file is there").path();
        let text = std::fs::read_to_string(&path).expect("the file is a text");
        let case: Json = serde_json::from_str(&text).expect("the file is JSON");
        let id = case["id"].as_str().expect("a text");
        let expected = refused.iter().find(|(refused, _)| *refused == id);
        match (validated(&case["workflow"].to_string()), expected) {
            (Ok(valid), None) => check_plan(&valid.plan()),
            (Err(findings), Some((_, code))) => {
                let codes: Vec<_> = findings.errors().map(|finding| finding.code.0).collect();
                assert_eq!(codes, [*code], "{id}");
            }
            (Ok(_), Some(_)) => panic!("{id} is accepted"),
            (Err(findings), None) => panic!("{id} is refused: {findings:#?}"),
        }
        count += 1;
    }
    assert!(count >= 80, "{count} cases");
}
