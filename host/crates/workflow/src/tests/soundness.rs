//! Whatever a document holds, nothing panics, and a plan keeps its promises.

use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::Value as Json;

use super::check_plan;
use crate::{Catalogue, KnownNode, ParameterProblem, check, read, validate};

struct Nothing;

impl Catalogue for Nothing {
    fn node(&self, _: &str) -> Option<KnownNode> {
        Some(KnownNode::default())
    }
    fn nearest(&self, _: &str) -> Option<String> {
        None
    }
    fn check_parameters(
        &self,
        _: &str,
        _: plugin_api::value::ValueRef<'_>,
        open: &[String],
    ) -> Vec<ParameterProblem> {
        let problem = |pointer: &String| ParameterProblem {
            pointer: pointer.clone(),
            message: String::new(),
        };
        open.iter().map(problem).collect()
    }
    fn allows(&self, _: &str) -> bool {
        true
    }
    fn has_secret(&self, _: &str) -> bool {
        false
    }
}

/// The recorded documents, and one with everything in it.
fn seeds() -> &'static [Json] {
    static SEEDS: OnceLock<Vec<Json>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let text = include_str!("golden-validator.json");
        let documents: Json = serde_json::from_str(text).expect("the file is JSON");
        let documents = documents.as_object().expect("an object").values();
        let mut seeds: Vec<Json> = documents.map(|document| document["workflow"].clone()).collect();
        let rich: Json = serde_json::from_str(include_str!("rich.json")).expect("the file is JSON");
        // As likely as all the others together.
        seeds.extend(vec![rich; seeds.len()]);
        seeds
    })
}

/// A change of the `at`th value in the document, counted along it.
#[derive(Clone, Debug)]
enum Change {
    Replace(usize, Json),
    Remove(usize),
    Copy(usize, usize),
}

fn changes() -> impl Strategy<Value = Change> {
    let value = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        prop_oneof![Just(-1_i64), Just(0), Just(1), any::<i64>()].prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        prop_oneof![
            Just("loop"),
            Just("a"),
            Just("l"),
            Just(""),
            Just("{{ $node['a'].json }}"),
            Just("[object Object]"),
            Just("workflow.run"),
            Just("trigger"),
            Just("${X}"),
            Just("{{ ("),
            Just("* * * * *"),
            Just("\u{7}")
        ]
        .prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
        Just(serde_json::json!([])),
        Just(serde_json::json!({})),
    ];
    prop_oneof![
        (any::<usize>(), value).prop_map(|(at, value)| Change::Replace(at, value)),
        any::<usize>().prop_map(Change::Remove),
        (any::<usize>(), any::<usize>()).prop_map(|(from, to)| Change::Copy(from, to)),
    ]
}

fn count(value: &Json) -> usize {
    1 + match value {
        Json::Array(list) => list.iter().map(count).sum(),
        Json::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

fn at<'v>(value: &'v mut Json, left: &mut usize) -> Option<&'v mut Json> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Json::Array(list) => list.iter_mut().find_map(|item| at(item, left)),
        Json::Object(map) => map.values_mut().find_map(|item| at(item, left)),
        _ => None,
    }
}

fn apply(document: &mut Json, change: &Change) {
    let total = count(document);
    let mut pick = |at_: usize| at(document, &mut (at_ % total)).expect("it is counted").clone();
    let (place, value) = match change {
        Change::Replace(place, value) => (*place, Some(value.clone())),
        Change::Remove(place) => (*place, None),
        Change::Copy(from, to) => (*to, Some(pick(*from))),
    };
    let target = at(document, &mut (place % total)).expect("it is counted");
    match (value, target) {
        (Some(value), target) => *target = value,
        (None, Json::Array(list)) => drop(list.pop()),
        (None, Json::Object(map)) => {
            let key = map.keys().nth(place % map.len().max(1)).cloned();
            key.map(|key| map.remove(&key));
        }
        (None, target) => *target = Json::Null,
    }
}

fn run(text: &[u8]) {
    let Ok(document) = read(text) else { return };
    let shape = document.findings().clone();
    let registry = check(&document, &Nothing);
    match validate(document) {
        Ok(valid) => {
            assert!(valid.warnings().is_fit());
            assert!(shape.is_fit());
            check_plan(&valid.plan());
        }
        Err(findings) => {
            assert!(!findings.is_fit());
            let all = findings.merged(registry).merged(shape);
            assert!(
                all.0
                    .iter()
                    .all(|finding| !finding.message.is_empty() || finding.code.0 == "PARAMETER_SCHEMA")
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_documents_never_panic(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec(changes(), 0..6),
    ) {
        let mut document = seeds()[seed.index(seeds().len())].clone();
        for change in &changes {
            apply(&mut document, change);
        }
        run(document.to_string().as_bytes());
    }

    #[test]
    fn cut_texts_never_panic(seed in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
        let text = seeds()[seed.index(seeds().len())].to_string();
        run(&text.as_bytes()[..cut.index(text.len())]);
    }

    #[test]
    fn any_graph_of_nodes_and_loops_is_planned_or_refused(
        kinds in prop::collection::vec(0_u8..4, 1..12),
        edges in prop::collection::vec((0_usize..12, 0_usize..12, 0_u8..2), 0..24),
    ) {
        let nodes: Vec<Json> = kinds.iter().enumerate().map(|(n, kind)| {
            let node_type = if *kind == 0 { "loop" } else { "t" };
            serde_json::json!({"id": n.to_string(), "name": n.to_string(), "type": node_type})
        }).collect();
        let mut connections = serde_json::Map::new();
        for (from, to, output) in edges {
            let (from, to) = (from % nodes.len(), to % nodes.len());
            let ports = connections.entry(from.to_string()).or_insert_with(|| serde_json::json!({"main": [[], []]}));
            let Json::Array(list) = &mut ports["main"][output as usize] else { unreachable!("it is a list") };
            list.push(serde_json::json!({"node": to.to_string()}));
        }
        let json = serde_json::json!({"id": "w", "tenantId": "t", "nodes": nodes, "connections": connections});
        run(json.to_string().as_bytes());
    }
}

#[test]
fn the_rich_document_is_sound() {
    let rich: Json = serde_json::from_str(include_str!("rich.json")).expect("the file is JSON");
    let plan = super::planned(&rich.to_string());
    assert_eq!(plan.nodes.len(), 5);
    assert_eq!(plan.triggers.len(), 2);
}
