//! Loops, workflows in workflows, and branches, over real nodes.

use patchbay_tests_support::TestHost;
use serde_json::{Value as Json, json};

use super::{connect, node, result, succeed, workflow};

fn host() -> TestHost {
    TestHost::opened(&["control", "string", "test", "var"], &["echo-1-0"], |_| {})
}

fn body(nodes: &[Json], edges: &[(&str, &str)]) -> Json {
    let whole = workflow(nodes, edges);
    json!({ "nodes": whole["nodes"], "connections": whole["connections"] })
}

#[test]
fn loops_and_workflows_in_workflows_see_what_is_theirs() {
    let host = host();
    loops_see_their_item(&host);
    loops_nest(&host);
    a_loop_may_be_drawn(&host);
    a_workflow_may_bring_another(&host);
    branches_lose_no_count(&host);
    a_condition_chooses_and_a_merge_joins(&host);
    ids_may_be_any_text(&host);
}

fn loops_see_their_item(host: &TestHost) {
    let inner = body(
        &[
            node(
                "up",
                "string.upper",
                json!({ "value": "{{ $item.name }}-{{ $index }}-{{ $json.end }}" }),
            ),
            node(
                "out",
                "test.echo",
                json!({ "text": "{{ $steps.up.output.result }}", "item": "{{ $item }}", "before": "{{ $steps.first.output }}" }),
            ),
        ],
        &[("up", "out")],
    );
    let items = json!([{ "name": "a" }, { "name": "ö" }]);
    let nodes = [
        node("first", "test.echo", json!({ "n": 1 })),
        node(
            "loop",
            "control.loop",
            json!({ "items": "{{ $json.items }}", "body": inner }),
        ),
        node(
            "after",
            "test.echo",
            json!({ "count": "{{ $steps.loop.output.count }}" }),
        ),
    ];
    let document = workflow(&nodes, &[("first", "loop"), ("loop", "after")]);
    let order = super::order(&document, &json!({ "items": items, "end": "z" }));
    let run = serde_json::to_value(host.host().run_workflow(order).unwrap()).unwrap();
    assert_eq!(run["status"], "success", "{run:#}");
    let round = |text: &str, item: &Json| json!({ "text": text, "item": item, "before": { "n": 1 } });
    let results = json!([round("A-0-Z", &items[0]), round("Ö-1-Z", &items[1])]);
    assert_eq!(
        run["state"]["loop"]["output"],
        json!({ "results": results, "count": 2, "exhausted": false })
    );
    assert_eq!(run["state"]["after"]["output"], json!({ "count": 2 }));
    assert_eq!(run["state"]["loop/out"]["output"], results[1]);
}

fn loops_nest(host: &TestHost) {
    let innermost = body(
        &[node(
            "x",
            "test.echo",
            json!({ "at": "{{ $item }}", "outer": "{{ $steps.o.output.at }}" }),
        )],
        &[],
    );
    let inner = body(
        &[
            node("o", "test.echo", json!({ "at": "{{ $index }}" })),
            node(
                "inner",
                "control.loop",
                json!({ "items": ["p", "q"], "body": innermost }),
            ),
        ],
        &[("o", "inner")],
    );
    let run = succeed(
        host,
        &workflow(
            &[node(
                "outer",
                "control.loop",
                json!({ "count": 2, "body": inner }),
            )],
            &[],
        ),
    );
    let rounds = |outer: i64| {
        let results = json!([{ "at": "p", "outer": outer }, { "at": "q", "outer": outer }]);
        json!({ "results": results, "count": 2, "exhausted": false })
    };
    assert_eq!(
        run["state"]["outer"]["output"]["results"],
        json!([rounds(0), rounds(1)])
    );
}

fn a_loop_may_be_drawn(host: &TestHost) {
    let nodes = [
        node("loop", "control.loop", json!({ "items": [1, 2, 3] })),
        node(
            "add",
            "var.increment",
            json!({ "name": "sum", "by": "{{ $item }}" }),
        ),
        node(
            "tell",
            "test.echo",
            json!({ "sum": "{{ $steps.add.output.result }}" }),
        ),
        node(
            "end",
            "test.echo",
            json!({ "sum": "{{ $workflow.variables.sum }}" }),
        ),
    ];
    let mut document = workflow(&nodes, &[("add", "tell"), ("tell", "loop")]);
    connect(&mut document["connections"], "loop", 0, "end");
    connect(&mut document["connections"], "loop", 1, "add");
    let run = succeed(host, &document);
    let sums = json!([{ "sum": 1 }, { "sum": 3 }, { "sum": 6 }]);
    assert_eq!(run["state"]["loop"]["output"]["results"], sums, "{run:#}");
    assert_eq!(run["state"]["end"]["output"], json!({ "sum": 6 }));
    assert_eq!(run["variables"], json!({ "sum": 6 }));
}

fn a_workflow_may_bring_another(host: &TestHost) {
    let mut inner = body(
        &[
            node("up", "string.upper", json!({ "value": "{{ $json.name }}" })),
            node("set", "var.set", json!({ "name": "mine", "value": 2 })),
        ],
        &[("up", "set")],
    );
    inner["variables"] = json!({ "mine": { "name": "mine", "type": "number", "defaultValue": 1 } });
    inner["connections"] = json!({});
    let nodes = [
        node("set", "var.set", json!({ "name": "mine", "value": "outer" })),
        node(
            "sub",
            "workflow.run",
            json!({ "workflow": inner, "input": { "name": "{{ $json.name }}" } }),
        ),
        node("get", "var.get", json!({ "name": "mine" })),
    ];
    let document = workflow(&nodes, &[("set", "sub"), ("sub", "get")]);
    let order = super::order(&document, &json!({ "name": "ada" }));
    let run = serde_json::to_value(host.host().run_workflow(order).unwrap()).unwrap();
    assert_eq!(run["status"], "success", "{run:#}");
    assert_eq!(run["state"]["sub"]["output"]["up"], json!({ "result": "ADA" }));
    // Each has variables of its own.
    assert_eq!(result(&run, "get"), "outer");
    // The inner run is in the journal, under its outer one.
    let parent = serde_json::from_value(run["runId"].clone()).unwrap();
    host.host().sync_runs(patchbay_tests_support::DEADLINE).unwrap();
    let wanted = patchbay_tests_support::patchbay::Wanted {
        parent: Some(parent),
        ..Default::default()
    };
    let runs = host.host().runs(&wanted).unwrap().runs;
    assert_eq!(runs.len(), 1);
    assert_eq!(
        (runs[0].status.as_str(), runs[0].trigger.as_str()),
        ("success", "workflow")
    );
}

fn branches_lose_no_count(host: &TestHost) {
    const BRANCHES: usize = 200;
    let mut nodes = vec![
        node("start", "test.noop", json!({})),
        node("end", "var.get", json!({ "name": "n" })),
    ];
    let mut edges = Vec::new();
    let names: Vec<String> = (0..BRANCHES).map(|branch| format!("b{branch}")).collect();
    for name in &names {
        nodes.push(node(name, "var.increment", json!({ "name": "n" })));
        edges.extend([("start", name.as_str()), (name.as_str(), "end")]);
    }
    let run = succeed(host, &workflow(&nodes, &edges));
    assert_eq!(result(&run, "end"), BRANCHES);
    assert_eq!(run["executionOrder"].as_array().unwrap().len(), BRANCHES + 2);
}

fn a_condition_chooses_and_a_merge_joins(host: &TestHost) {
    let nodes = [
        node("if", "condition", json!({ "condition": "{{ $json.n > 3 }}" })),
        node("yes", "test.echo", json!({ "result": ["y"] })),
        node("no", "test.echo", json!({ "result": ["n"] })),
        node("both", "test.echo", json!({ "result": ["b"] })),
        node("join", "merge", json!({})),
        node(
            "which",
            "switch",
            json!({
                "value": "{{ $steps.join.output.result.length }}",
                "cases": [{ "value": 5 }, { "value": "{{ $json.n - 2 }}" }, { "condition": "$value > 100" }],
            }),
        ),
        node("right", "test.noop", json!({})),
        node("wrong", "test.noop", json!({})),
    ];
    let mut document = workflow(
        &nodes,
        &[
            ("yes", "join"),
            ("no", "join"),
            ("both", "join"),
            ("join", "which"),
        ],
    );
    for (from, output, to) in [
        ("if", 0, "yes"),
        ("if", 1, "no"),
        ("which", 0, "wrong"),
        ("which", 1, "right"),
        ("which", 2, "wrong"),
    ] {
        connect(&mut document["connections"], from, output, to);
    }
    let run = host
        .host()
        .run_workflow(super::order(&document, &json!({ "n": 4 })))
        .unwrap();
    let run = serde_json::to_value(&run).unwrap();
    assert_eq!(run["status"], "success", "{run:#}");
    assert_eq!(result(&run, "join"), &json!(["y", "b"]));
    for (node, status) in [("no", "skipped"), ("right", "success"), ("wrong", "skipped")] {
        assert_eq!(run["state"][node]["status"], status, "{node} {run:#}");
    }
}

fn ids_may_be_any_text(host: &TestHost) {
    let ids = ["节点", "naïve café", "🦀", "a'b\"c", "x.y"];
    let nodes: Vec<Json> = ids
        .iter()
        .map(|id| node(id, "test.echo", json!({ "id": id })))
        .collect();
    let seen = json!({
        "han": "{{ $steps['节点'].output.id }}",
        "space": "{{ $node[\"naïve café\"].json.id }}",
        "crab": "{{ $nodes['🦀'].output.id }}",
        "quotes": "{{ $steps['a\\'b\"c'].output.id }}",
        "dot": "{{ $steps['x.y'].output.id }}",
    });
    let mut nodes = nodes;
    nodes.push(node("end", "test.echo", seen));
    let edges: Vec<_> = ids.iter().map(|id| (*id, "end")).collect();
    let run = succeed(host, &workflow(&nodes, &edges));
    let expected = json!({ "han": ids[0], "space": ids[1], "crab": ids[2], "quotes": ids[3], "dot": ids[4] });
    assert_eq!(run["state"]["end"]["output"], expected, "{run:#}");
}
