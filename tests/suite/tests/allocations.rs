//! What a run allocates for each of its nodes.
//!
//! A binary of its own, with one test: the allocations are those of the whole process. What plugins allocate is their
//! own affair and not counted: they bring an allocator of their own.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "what fails here fails its test")]

use std::alloc::System;

use patchbay_tests_support::patchbay::{RunOrder, RunStatus};
use patchbay_tests_support::{TestHost, deploy, sample};
use serde_json::{Map, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A chain of nodes, of which nothing is recorded.
fn chain(nodes: usize, node_type: &str, parameters: &serde_json::Value) -> RunOrder {
    let list: Vec<_> = (0..nodes)
        .map(|at| json!({"id": format!("n{at}"), "name": format!("n{at}"), "nodeType": node_type, "parameters": parameters}))
        .collect();
    let edges: Map<_, _> = (1..nodes)
        .map(|at| {
            let to = json!({"main": {"0": [{"node": format!("n{at}"), "type": "main", "index": 0}]}});
            (format!("n{}", at - 1), to)
        })
        .collect();
    let document = json!({
        "id": format!("chain-{nodes}"), "name": "chain", "tenantId": "acme", "nodes": list, "connections": edges,
        "settings": {"saveExecutionData": "none", "saveDataSuccessExecution": "none", "saveDataErrorExecution": "none"},
    });
    RunOrder::of(document.to_string())
}

/// Allocations of one run, the least of a few: other threads of the process allocate now and then.
fn allocations(host: &TestHost, order: &RunOrder) -> usize {
    let run = || {
        let (status, _) = host
            .host()
            .begin_run(order.clone())
            .unwrap()
            .wait_status()
            .unwrap();
        assert_eq!(status, RunStatus::Success);
    };
    // The document is compiled, and the buffers of the threads have grown, before anything is counted.
    (0..10).for_each(|_| run());
    let counts = (0..10).map(|_| {
        let region = Region::new(COUNTED);
        run();
        let change = region.change();
        change.allocations + change.reallocations
    });
    counts.min().unwrap()
}

#[test]
fn a_node_allocates_nothing_and_one_with_templates_only_its_parameters() {
    let host = TestHost::with(|config| {
        config.workflows.threads = 1;
        // Whether a node is taken for one that takes long depends on the machine's load.
        config.workflows.result_bytes = 0;
    });
    deploy(&sample("test"), &host.inbox("test.so"));
    deploy(&sample("string"), &host.inbox("string.so"));
    host.until("both are live", || {
        ["test.noop", "string.upper"]
            .iter()
            .all(|node| host.host().resolve(node).is_ok())
    });
    let cases = [
        ("test.noop", json!({}), 0_u32),
        ("string.upper", json!({"value": "hello"}), 0),
        ("test.echo", json!({"value": "{{ $json.name }}"}), 1),
    ];
    for (node_type, parameters, most) in cases {
        let [short, long] =
            [1_000, 2_000].map(|nodes| allocations(&host, &chain(nodes, node_type, &parameters)));
        let each = long.saturating_sub(short) as f64 / 1_000.0;
        let once = short.saturating_sub(most as usize * 1_000);
        println!("{node_type}: {each:.3} allocations a node, and {once} for the run");
        assert!(once <= 200, "{node_type}: {once} allocations for the run");
        // What is allocated once for a run grows with its length in a few large pieces.
        assert!(
            each <= f64::from(most) + 0.1,
            "{node_type}: {each} allocations a node"
        );
    }
}
