//! What a workflow can rely on: the versions of its run, for what it runs as well; an end when it is told to end; replays
//! that begin where the run began.

use std::fs;
use std::time::Duration;

use patchbay_tests_support::TestHost;
use patchbay_tests_support::patchbay::{Explain, Hook, ReplayRequest, RunOrder, RunView, Value, Wanted};
use serde_json::{Value as Json, json};

fn order(document: &Json, trigger: &Json) -> RunOrder {
    let mut order = RunOrder::of(document.to_string());
    order.trigger = Value::from_json(&trigger.to_string()).unwrap();
    order
}

/// Nodes, one after the other.
fn line(id: &str, nodes: &[Json]) -> Json {
    let names = nodes.iter().map(|node| node["id"].as_str().unwrap());
    let lines = names.clone().zip(names.skip(1));
    let connections: serde_json::Map<_, _> = lines
        .map(|(from, to)| {
            let to = json!({"main": {"0": [{"node": to, "type": "main", "index": 0}]}});
            (from.to_owned(), to)
        })
        .collect();
    json!({"id": id, "name": id, "nodes": nodes, "connections": connections})
}

fn node(id: &str, node_type: &str, parameters: Json) -> Json {
    json!({"id": id, "type": node_type, "parameters": parameters})
}

/// A node that waits for a file, and the files: of its beginning, and of its end.
fn gate(host: &TestHost, name: &str) -> (Json, std::path::PathBuf, std::path::PathBuf) {
    let (began, until) = (host.scratch(&format!("{name}-began")), host.scratch(name));
    let parameters = json!({"began": began, "until": until});
    (node("gate", "fx.await", parameters), began, until)
}

fn result(view: &RunView) -> Json {
    let state = serde_json::to_string(&view.state).unwrap();
    assert_eq!(view.status, "success", "{state}");
    serde_json::from_str(view.result.get()).unwrap()
}

fn running_what_it_brings() -> Json {
    node("sub", "workflow.run", json!({"workflow": "{{ $json.document }}"}))
}

#[test]
fn a_workflow_that_a_run_runs_has_the_versions_of_that_run() {
    let host = TestHost::holding(&["echo-1-0"], |config| config.history_limit = 0);
    let child = line("child", &[node("version", "fx.version", json!({}))]);
    let (gate, began, until) = gate(&host, "swap");
    let parent = line("parent", &[gate, running_what_it_brings()]);
    let begun = host
        .host()
        .begin_run(order(&parent, &json!({"document": child})))
        .unwrap();
    host.until("the run to begin", || began.exists());
    host.bring_in("echo-1-1");
    // Closed to everybody else.
    host.wait("revision.draining", "echo", "1.0.0");
    fs::write(until, "").unwrap();
    let run = begun.wait().unwrap();
    assert_eq!(result(&run), json!({"result": "1.0.0"}));

    // Its record is of what it ran.
    host.host().sync_runs(Duration::from_secs(30)).unwrap();
    let wanted = Wanted {
        parent: Some(run.run_id),
        ..Wanted::default()
    };
    let children = host.host().runs(&wanted).unwrap().runs;
    assert_eq!(children.len(), 1);
    let text = host.host().run_document(&children[0].run_id).unwrap();
    assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), child);
}

#[test]
fn a_workflow_that_a_run_runs_may_have_nodes_that_only_the_versions_of_that_run_have() {
    let host = TestHost::holding(&["twins-1-0", "twins-2-0"], |_| {});
    let child = line("child", &[node("count", "fx.right", json!({}))]);
    let parent = line("parent", &[running_what_it_brings()]);
    let trigger = json!({"document": child});
    let run = |versions: &[(&str, &str)]| {
        let mut order = order(&parent, &trigger);
        order.versions = versions
            .iter()
            .map(|(plugin, version)| (plugin.parse().unwrap(), (*version).to_owned()))
            .collect();
        host.host().run_workflow(order).unwrap()
    };
    assert_eq!(run(&[]).status, "error");
    assert_eq!(run(&[("twins", "1.0.0")]).status, "success");
}

#[test]
fn what_a_run_does_not_keep_of_a_failed_workflow_within_it_is_not_kept() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let fails = node("fails", "fx.fail", json!({"code": "NO", "message": "no"}));
    for (kept, count) in [("all", 1), ("none", 0)] {
        let mut child = line("child", std::slice::from_ref(&fails));
        child["settings"] = json!({"saveDataErrorExecution": kept});
        let parent = line("parent", &[running_what_it_brings()]);
        let run = host
            .host()
            .run_workflow(order(&parent, &json!({"document": child})))
            .unwrap();
        assert_eq!(run.status, "error");
        host.host().sync_runs(Duration::from_secs(30)).unwrap();
        let wanted = Wanted {
            parent: Some(run.run_id),
            ..Wanted::default()
        };
        assert_eq!(host.host().runs(&wanted).unwrap().runs.len(), count, "{kept}");
    }
    let failures = host.host().failures();
    let of_child = failures.iter().find(|count| count.node_type == "fx.fail");
    assert_eq!(of_child.unwrap().count, 2);
}

#[test]
fn a_run_that_is_cancelled_while_it_waits_ends_without_having_begun() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let (gate, began, until) = gate(&host, "first");
    let mut document = line("one-by-one", &[gate]);
    document["settings"] = json!({"maxConcurrentExecutions": 1});
    let first = host.host().begin_run(order(&document, &json!({}))).unwrap();
    host.until("the run to begin", || began.exists());
    let second = host.host().begin_run(order(&document, &json!({}))).unwrap();
    let third = host.host().begin_run(order(&document, &json!({}))).unwrap();
    assert!(!first.is_queued() && second.is_queued() && third.is_queued());
    let id = second.id().clone();
    host.host().cancel_run(&id).unwrap();
    // While the first one still runs.
    let view = second.wait().unwrap();
    assert_eq!((view.status.as_str(), view.state.len()), ("cancelled", 0));
    assert_eq!(view.error.unwrap().code, "CANCELLED");
    let kept = host.host().run(&id).unwrap();
    assert_eq!((kept.status.as_str(), kept.state.len()), ("cancelled", 0));
    assert_eq!(host.host().cancel_run(&id).unwrap_err().code().0, "PB-RUN-013");
    fs::write(until, "").unwrap();
    assert_eq!(result(&first.wait().unwrap()), json!({"result": "1.0.0"}));
    assert_eq!(result(&third.wait().unwrap()), json!({"result": "1.0.0"}));
}

#[test]
fn a_host_that_closes_ends_what_runs_and_what_waits_and_begins_nothing() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let (gate, began, _) = gate(&host, "never");
    let mut document = line("one-by-one", &[gate]);
    document["settings"] = json!({"maxConcurrentExecutions": 1});
    let first = host.host().begin_run(order(&document, &json!({}))).unwrap();
    host.until("the run to begin", || began.exists());
    let second = host.host().begin_run(order(&document, &json!({}))).unwrap();
    host.host().clone().close(Duration::from_secs(30));
    for run in [first, second] {
        assert_eq!(run.wait().unwrap().status, "cancelled");
    }
    let error = host.host().begin_run(order(&document, &json!({}))).unwrap_err();
    assert_eq!(error.code().0, "PB-RUN-015");
}

#[test]
fn a_document_that_was_refused_for_a_secret_runs_when_the_secret_is_set() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let document = line("secret", &[node("secret", "fx.secret", json!({"name": "token"}))]);
    for _ in 0..2 {
        let error = host
            .host()
            .run_workflow(order(&document, &json!({})))
            .unwrap_err();
        assert_eq!(error.code().0, "PB-RUN-001");
    }
    let tenant = "default".parse().unwrap();
    host.host().set_secret(&tenant, "token", "t0ken");
    let run = host.host().run_workflow(order(&document, &json!({}))).unwrap();
    assert_eq!(run.status, "success");
}

#[test]
fn a_run_that_a_request_began_is_replayed_from_its_own_trigger() {
    let host = TestHost::holding(&["echo-1-0"], |config| {
        let workflows = config.data.join("../workflows");
        fs::create_dir_all(&workflows).unwrap();
        let document = json!({
            "id": "two", "name": "two", "active": true,
            "nodes": [
                node("a", "webhook", json!({"path": "a", "httpMethod": "POST"})),
                node("b", "webhook", json!({"path": "b", "httpMethod": "POST"})),
                node("of-a", "fx.version", json!({})),
                node("of-b", "fx.version", json!({})),
            ],
            "connections": {
                "a": {"main": {"0": [{"node": "of-a", "type": "main", "index": 0}]}},
                "b": {"main": {"0": [{"node": "of-b", "type": "main", "index": 0}]}},
            },
        });
        fs::write(workflows.join("two.json"), document.to_string()).unwrap();
        config.workflows.workflows = Some(workflows);
    });
    let hook = Hook {
        method: "POST".into(),
        path: "/b".into(),
        ..Hook::default()
    };
    let run = host.host().begin_hook(&hook).unwrap().wait().unwrap();
    let order = |run: &RunView| serde_json::to_value(&run.execution_order).unwrap();
    assert_eq!(order(&run), json!(["b", "of-b"]));
    let mut of = run.run_id;
    // A replay of a replay, too.
    for _ in 0..2 {
        let again = host.host().replay_run(&of, &ReplayRequest::default()).unwrap();
        assert_eq!(order(&again.run), json!(["b", "of-b"]));
        assert!(again.same, "{:?}", again.differences);
        of = again.run.run_id;
    }
}
