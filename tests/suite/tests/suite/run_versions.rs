//! Which versions a run has: those it is ordered with, pinned to, asks for, is drawn to; one of each plugin, to its end.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use patchbay_tests_support::patchbay::{
    ControlError, Explain, Hook, Mode, Order, PinScope, PromoteHow, RunOrder, RunView, Value,
};
use patchbay_tests_support::{TestHost, name};
use serde_json::{Value as Json, json};

/// Nodes, one after the other.
fn line(id: &str, nodes: &[Json]) -> Json {
    let names = nodes.iter().map(|node| node["id"].as_str().unwrap());
    let connections: serde_json::Map<_, _> = names
        .clone()
        .zip(names.skip(1))
        .map(|(from, to)| {
            let to = json!({"main": {"0": [{"node": to, "type": "main", "index": 0}]}});
            (from.to_owned(), to)
        })
        .collect();
    json!({"id": id, "name": id, "nodes": nodes, "connections": connections})
}

fn asks(id: &str) -> Json {
    json!({"id": id, "type": "fx.version", "parameters": {}})
}

fn asks_for(id: &str, range: &str) -> Json {
    json!({"id": id, "type": "fx.version", "parameters": {}, "plugin": range})
}

/// A node of another plugin that asks.
fn asks_through(id: &str) -> Json {
    json!({"id": id, "type": "flow.call", "parameters": {"node": "fx.version"}})
}

fn order(document: &Json) -> RunOrder {
    RunOrder::of(document.to_string())
}

fn of(tenant: &str, document: &Json) -> RunOrder {
    let mut order = order(document);
    order.tenant = Some(tenant.parse().unwrap());
    order
}

fn with(version: &str, document: &Json) -> RunOrder {
    let mut order = order(document);
    order.versions = [(name("echo"), version.to_owned())].into();
    order
}

fn run(host: &TestHost, order: RunOrder) -> RunView {
    let view = host.host().run_workflow(order).unwrap();
    assert_eq!(view.status, "success", "{view:?}");
    view
}

/// What the last node answered: the version of `echo`.
fn version(host: &TestHost, order: RunOrder) -> String {
    let answer: Json = serde_json::from_str(run(host, order).result.get()).unwrap();
    answer["result"].as_str().unwrap().to_owned()
}

fn refused(host: &TestHost, order: RunOrder) -> ControlError {
    host.host().run_workflow(order).unwrap_err()
}

fn pin(host: &TestHost, version: &str, tenant: Option<&str>, workflow: Option<&str>) {
    let scope = scope(tenant, workflow);
    let to = version.parse().unwrap();
    host.host()
        .pin(&name("echo"), &to, scope, Order::by("ada", "a customer's wish"))
        .unwrap();
}

fn scope(tenant: Option<&str>, workflow: Option<&str>) -> PinScope {
    PinScope {
        tenant: tenant.map(|tenant| tenant.parse().unwrap()),
        workflow: workflow.map(|workflow| workflow.parse().unwrap()),
    }
}

/// The first version is live, and the other one may become a candidate.
fn two_versions() -> TestHost {
    let host = TestHost::holding(&["flow", "echo-1-0", "echo-1-1"], |_| {});
    host.promote("echo", "1.0.0").unwrap();
    host
}

fn canary(host: &TestHost, steps: &Json) {
    let policy = json!({"canary": {"steps": steps, "pause": "promote", "analysis": "off"}});
    let to = "1.1.0".parse().unwrap();
    host.host()
        .rollout_start(&name("echo"), &to, Some(policy), Order::by("ada", ""))
        .unwrap();
    let first = steps[0].as_f64().unwrap();
    host.until("the first share", || {
        let view = host.host().rollout("echo").unwrap();
        (view.weight - first).abs() < 0.001
    });
}

#[test]
fn a_pin_holds_the_runs_of_a_tenant_or_a_workflow_also_in_what_their_nodes_call() {
    let host = two_versions();
    let (mine, other) = (line("mine", &[asks("v")]), line("other", &[asks("v")]));
    let through = line("through", &[asks_through("v")]);
    pin(&host, "1.1.0", Some("acme"), None);
    for document in [&mine, &other, &through] {
        assert_eq!(version(&host, of("acme", document)), "1.1.0");
        assert_eq!(version(&host, of("beta", document)), "1.0.0");
    }
    pin(&host, "1.1.0", None, Some("mine"));
    assert_eq!(version(&host, of("beta", &mine)), "1.1.0");
    assert_eq!(version(&host, of("beta", &other)), "1.0.0");
    // A pin of a workflow and a tenant goes before that of either.
    pin(&host, "1.0.0", Some("acme"), Some("mine"));
    assert_eq!(version(&host, of("acme", &mine)), "1.0.0");
    assert_eq!(version(&host, of("acme", &other)), "1.1.0");
    for scope in [
        scope(Some("acme"), Some("mine")),
        scope(Some("acme"), None),
        scope(None, Some("mine")),
    ] {
        host.host()
            .unpin(&name("echo"), scope, Order::by("ada", ""))
            .unwrap();
    }
    assert_eq!(version(&host, of("acme", &mine)), "1.0.0");
}

#[test]
fn a_range_has_the_live_version_when_it_will_do_and_else_the_highest_there_is() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1", "echo-2-0"], |config| {
        config.history_limit = 0;
    });
    // Nothing but what is live is mapped.
    host.wait("revision.retired", "echo", "1.1.0");
    let cases = [
        ("echo@*", "2.0.0"),
        ("echo@>=1, <3", "2.0.0"),
        ("echo@^1", "1.1.0"),
        ("echo@~1.0", "1.0.0"),
        ("echo@=1.0.0", "1.0.0"),
    ];
    for (range, expected) in cases {
        let document = line("w", &[asks_for("v", range)]);
        let view = run(&host, order(&document));
        let node = &view.state["v"];
        assert_eq!(node.version.as_ref().unwrap().to_string(), expected, "{range}");
        assert_eq!(
            node.revision.unwrap(),
            host.revision("echo", expected).revision,
            "{range}"
        );
    }
    // All ranges of a document are meant together, and concern the nodes that name none.
    let both = line(
        "w",
        &[asks_for("a", "echo@^1"), asks_for("b", "echo@<1.1"), asks("c")],
    );
    let view = run(&host, order(&both));
    for node in view.state.values() {
        assert_eq!(node.version.as_ref().unwrap().to_string(), "1.0.0");
    }
    assert_eq!(host.live("echo"), "2.0.0");
}

#[test]
fn ranges_that_no_version_is_in_are_found_before_a_run_and_by_whoever_validates() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], |_| {});
    let none = line("w", &[asks_for("a", "echo@^1"), asks_for("b", "echo@^2")]);
    let error = refused(&host, order(&none));
    assert_eq!(error.code().0, "PB-RUN-001");
    let said = host.host().validate_workflow(&none.to_string(), None);
    let found: Vec<_> = said
        .findings
        .iter()
        .filter(|found| found.level == "error")
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].code.as_str(), found[0].path.as_str()),
        ("NO_MATCHING_VERSION", "nodes[0].plugin")
    );
    for part in ["^1", "^2", "1.0.0", "1.1.0"] {
        assert!(found[0].message.contains(part), "{}", found[0].message);
    }
    let unknown = line("w", &[asks_for("a", "eco@^1")]);
    let said = host.host().validate_workflow(&unknown.to_string(), None);
    let found = said
        .findings
        .iter()
        .find(|found| found.code == "UNKNOWN_PLUGIN")
        .unwrap();
    assert!(found.hint.contains("`echo`"), "{}", found.hint);
    assert_eq!(refused(&host, order(&unknown)).code().0, "PB-RUN-001");

    // What is out of service is no choice.
    let to = "1.1.0".parse().unwrap();
    host.host()
        .quarantine(&name("echo"), Some(&to), Order::by("ada", ""))
        .unwrap();
    let newer = line("w", &[asks_for("a", "echo@>=1.1")]);
    assert_eq!(refused(&host, order(&newer)).code().0, "PB-RUN-001");
}

#[test]
fn an_order_goes_before_a_pin_and_a_range_and_says_that_it_overruled_one() {
    let host = two_versions();
    pin(&host, "1.0.0", None, None);
    let document = line("w", &[asks_for("v", "echo@=1.0.0"), asks_through("through")]);
    let view = run(&host, with("1.1.0", &document));
    let node = &view.state["v"];
    assert_eq!(node.version.as_ref().unwrap().to_string(), "1.1.0");
    assert_eq!(node.revision.unwrap(), host.revision("echo", "1.1.0").revision);
    let answer: Json = serde_json::from_str(view.result.get()).unwrap();
    assert_eq!(answer["result"], "1.1.0");
    assert!(
        view.warnings
            .iter()
            .any(|found| found.code == "VERSION_OUT_OF_RANGE"),
        "{view:?}"
    );
    // As the journal has it.
    let kept = host.host().run(&view.run_id).unwrap();
    assert_eq!(kept.state["v"].revision, view.state["v"].revision);
    let by_number = format!("r{}", host.revision("echo", "1.1.0").revision);
    assert_eq!(
        version(&host, with(&by_number, &line("w", &[asks("v")]))),
        "1.1.0"
    );
    assert!(
        !run(&host, with("1.0.0", &document))
            .warnings
            .iter()
            .any(|found| found.code == "VERSION_OUT_OF_RANGE")
    );
    assert_eq!(refused(&host, with("9.9.9", &document)).code().0, "PB-RUN-008");
}

#[test]
fn a_pin_outside_of_a_range_keeps_the_run_from_beginning() {
    let host = two_versions();
    pin(&host, "1.1.0", Some("acme"), None);
    let document = line("w", &[asks_for("v", "echo@~1.0")]);
    assert_eq!(refused(&host, of("acme", &document)).code().0, "PB-RUN-018");
    assert_eq!(version(&host, of("beta", &document)), "1.0.0");
    let fits = line("w", &[asks_for("v", "echo@^1")]);
    assert_eq!(version(&host, of("acme", &fits)), "1.1.0");
}

#[test]
fn a_workflow_within_a_run_that_asks_for_another_version_fails_its_node() {
    let host = two_versions();
    let sub =
        json!({"id": "sub", "type": "workflow.run", "parameters": {"workflow": "{{ $json.document }}"}});
    let parent = line("parent", &[sub]);
    let begin = |range: &str| {
        let child = line("child", &[asks_for("v", range)]);
        let mut order = order(&parent);
        order.trigger = Value::from_json(&json!({"document": child}).to_string()).unwrap();
        host.host().run_workflow(order).unwrap()
    };
    assert_eq!(begin("echo@~1.0").status, "success");
    let failed = begin("echo@^1.1");
    assert_eq!(failed.status, "error");
    let node = &failed.state["sub"];
    let codes = [node.error_code.as_deref(), node.node_error_code.as_deref()];
    assert!(codes.contains(&Some("VERSION_OUT_OF_RANGE")), "{node:?}");
    let error = node.error.as_deref().unwrap();
    assert!(error.contains("^1.1") && error.contains("1.0.0"), "{error}");
}

#[test]
fn a_share_of_the_runs_is_exact_and_a_range_that_the_live_version_is_in_stays_there() {
    let host = two_versions();
    canary(&host, &json!([10, 100]));
    let document = line("w", &[asks("v")]);
    let mut drawn = 0_u32;
    for _ in 0..10_000 {
        drawn += u32::from(version(&host, order(&document)) == "1.1.0");
    }
    assert!((900..=1_100).contains(&drawn), "{drawn} of 10,000 are no 10 %");
    let ranged = line("r", &[asks_for("v", "echo@^1")]);
    for _ in 0..100 {
        assert_eq!(version(&host, order(&ranged)), "1.0.0");
    }
    // What was found out on the candidate's snapshot is used again.
    let caches = host.host().caches().caches;
    let overlays = caches.iter().find(|cache| cache.name == "overlays").unwrap();
    assert!(overlays.hits > 900 && overlays.misses < 20, "{overlays:?}");
}

#[test]
fn a_run_has_one_version_while_shares_change_under_it() {
    let host = two_versions();
    let document = line(
        "w",
        &[
            asks("a"),
            asks_through("b"),
            json!({"id": "c", "type": "fx.ver", "parameters": {}}),
            asks_through("d"),
        ],
    );
    let done = AtomicBool::new(false);
    let runs = || {
        let (mut count, mut candidates) = (0_u32, 0_u32);
        while !done.load(Ordering::Relaxed) {
            let view = run(&host, order(&document));
            let answers = view.state.values().map(|node| {
                let answer: Json = serde_json::from_str(node.output.as_ref().unwrap().get()).unwrap();
                answer["result"].as_str().unwrap().to_owned()
            });
            let mut answers: Vec<String> = answers.collect();
            answers.dedup();
            assert_eq!(answers.len(), 1, "{answers:?}");
            count += 1;
            candidates += u32::from(answers[0] == "1.1.0");
        }
        (count, candidates)
    };
    let (count, candidates) = std::thread::scope(|scope| {
        let loads = [scope.spawn(runs), scope.spawn(runs)];
        for _ in 0..10 {
            canary(&host, &json!([20, 50, 80, 100]));
            for share in [50.0, 80.0] {
                let plugin = name("echo");
                host.host()
                    .rollout_promote(&plugin, PromoteHow::NextStep, Order::by("ada", ""))
                    .unwrap();
                host.until("the next share", || {
                    (host.host().rollout("echo").unwrap().weight - share).abs() < 0.001
                });
            }
            host.host()
                .rollout_abort(&name("echo"), Order::by("ada", ""))
                .unwrap();
            host.until("the end of the rollout", || {
                host.host().rollout("echo").unwrap().finished
            });
        }
        done.store(true, Ordering::Relaxed);
        let counts = loads.map(|load| load.join().unwrap());
        (counts[0].0 + counts[1].0, counts[0].1 + counts[1].1)
    });
    assert!(candidates > 0 && candidates < count, "{candidates} of {count}");
}

#[test]
fn a_plan_names_the_workflows_that_use_a_plugin_and_whose_they_are() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], |config| {
        let workflows = config.data.join("../workflows");
        fs::create_dir_all(&workflows).unwrap();
        let inner = json!({"id": "loop", "type": "control.loop", "parameters": {"items": [1], "body": {
            "nodes": [{"id": "inner", "name": "inner", "type": "fx.ver", "parameters": {}}], "connections": {}}}});
        let mut uses = line("uses", &[asks("v"), inner]);
        uses["tenantId"] = json!("acme");
        let by_id = json!({"id": "sub", "type": "workflow.run", "parameters": {"workflowId": "uses"}});
        for document in [uses, line("by-id", &[by_id])] {
            let file = workflows.join(format!("{}.json", document["id"].as_str().unwrap()));
            fs::write(file, document.to_string()).unwrap();
        }
        config.workflows.workflows = Some(workflows);
    });
    host.promote("echo", "1.0.0").unwrap();
    run(&host, of("beta", &line("w", &[asks("v")])));
    host.host().sync_runs(std::time::Duration::from_secs(30)).unwrap();
    let request = serde_json::from_value(json!({"to": "1.1.0"})).unwrap();
    let plan = host.host().rollout_plan(&name("echo"), &request).unwrap();
    assert_eq!(plan.workflows.len(), 1, "{:?}", plan.workflows);
    let touched = &plan.workflows[0];
    assert_eq!(
        (touched.workflow_id.as_str(), touched.nodes.len()),
        ("uses", 2),
        "{touched:?}"
    );
    assert!(touched.new_findings.is_empty(), "{touched:?}");
    let tenants: Vec<_> = plan.tenants.iter().map(ToString::to_string).collect();
    assert_eq!(tenants, ["acme", "beta"]);
}

#[test]
fn in_safe_mode_a_webhook_starts_nothing_and_says_so_and_an_order_starts_a_run() {
    let mut host = TestHost::holding(&["echo-1-0"], |config| {
        let workflows = config.data.join("../workflows");
        fs::create_dir_all(&workflows).unwrap();
        let hook =
            json!({"id": "hook", "type": "webhook", "parameters": {"path": "in", "httpMethod": "POST"}});
        let mut document = line("hooked", &[hook, asks("v")]);
        document["active"] = json!(true);
        fs::write(workflows.join("hooked.json"), document.to_string()).unwrap();
        config.workflows.workflows = Some(workflows);
    });
    let hook = Hook {
        method: "POST".into(),
        path: "/in".into(),
        ..Hook::default()
    };
    assert!(host.host().begin_hook(&hook).is_ok());
    host.reopen(|config| config.delivery.mode = Mode::Safe).unwrap();
    let error = host.host().begin_hook(&hook).unwrap_err();
    assert_eq!(error.code().0, "PB-RUN-019");
    assert_eq!(version(&host, order(&line("w", &[asks("v")]))), "1.0.0");
}
