//! Replays: from the start, from a node, and on another version.

use std::collections::BTreeMap;

use patchbay_tests_support::patchbay::ReplayRequest;
use patchbay_tests_support::{TestHost, name};
use serde_json::json;

use super::{node, succeed, workflow};

#[test]
fn a_run_is_done_again_from_a_node_or_on_another_version_and_compared() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], |_| {});
    let nodes = [
        node("a", "fx.version", json!({})),
        node(
            "b",
            "fx.echo",
            json!({ "was": "{{ $steps.a.output.result }}", "kept": [1] }),
        ),
        node("c", "fx.kv", json!({ "key": "n", "put": "x" })),
    ];
    let run = succeed(&host, &workflow(&nodes, &[("a", "b"), ("b", "c")]));
    let id = serde_json::from_value(run["runId"].clone()).unwrap();

    let same = host.host().replay_run(&id, &ReplayRequest::default()).unwrap();
    assert!(
        same.same && same.differences.is_empty(),
        "{:#?}",
        same.differences
    );
    assert_eq!(same.effectful, ["c"]);
    assert_eq!(
        (same.original, same.run.parent.clone()),
        (id.clone(), Some(id.clone()))
    );

    let from = ReplayRequest {
        from: Some("b".into()),
        ..ReplayRequest::default()
    };
    let from = host.host().replay_run(&id, &from).unwrap();
    assert!(from.same, "{:#?}", from.differences);
    let order: Vec<_> = from.run.execution_order.iter().map(ToString::to_string).collect();
    assert_eq!(order, ["b", "c"]);
    let output = from.run.state["b"].output.as_ref().unwrap();
    assert_eq!(output.get(), r#"{"kept":[1],"was":"1.1.0"}"#);

    let versions = BTreeMap::from([(name("echo"), "1.0.0".to_owned())]);
    let older = ReplayRequest {
        versions,
        ..ReplayRequest::default()
    };
    let older = host.host().replay_run(&id, &older).unwrap();
    assert!(!older.same);
    let told: Vec<_> = older
        .differences
        .iter()
        .map(|one| {
            (
                one.node.as_str(),
                one.pointer.as_str(),
                one.before.clone(),
                one.after.clone(),
            )
        })
        .collect();
    let (new, old) = (json!("1.1.0"), json!("1.0.0"));
    assert_eq!(
        told,
        [
            ("a", "/result", new.clone(), old.clone()),
            ("b", "/was", new, old)
        ]
    );
    for one in &older.differences {
        let versions =
            [&one.version_before, &one.version_after].map(|version| version.as_ref().unwrap().to_string());
        assert_eq!(versions, ["1.1.0", "1.0.0"]);
    }
    // What is live is what it was.
    assert_eq!(host.version(), "1.1.0");
}
