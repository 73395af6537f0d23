//! How a version comes to have the calls, and how it is taken back, on real plugin files.

mod arrivals;
mod breaker;
mod canary;
mod crashes;
mod judged;
mod orders;
mod pins;
mod replay;
mod restarts;
mod retention;
mod shadow;
mod under_load;
mod weights;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use patchbay_tests_support::patchbay::{
    AuditFilter, Call, Config, ControlError, EventView, Explain, Force, Order, Output, Policy, RolloutView,
    RunOrder, Selector, Value,
};
use patchbay_tests_support::{TestHost, name};
use serde_json::{Value as Json, json};

fn by_ada() -> Order {
    Order::by("ada", "to see")
}

fn forced() -> Order {
    Order {
        force: Force::Yes,
        ..by_ada()
    }
}

/// Looks often, takes nobody live by itself, and leaves out what tests of it turn on again.
fn quick(config: &mut Config) {
    config.delivery.policy = Policy::Manual;
    config.delivery.tick = Duration::from_millis(10);
}

/// A host on which the first of these fixtures is live and the others are known.
fn holding(fixtures: &[&str], change: impl FnOnce(&mut Config)) -> TestHost {
    let host = TestHost::with(|config| {
        quick(config);
        change(config);
    });
    for (number, fixture) in fixtures.iter().enumerate() {
        let event = take_in(&host, fixture);
        if number == 0 {
            promote(&host, &event);
        }
    }
    host
}

/// `fickle` 1.0.0 live, 1.1.0 known.
fn two() -> TestHost {
    holding(&["fickle-1-0", "fickle-1-1"], |_| {})
}

/// Drops a fixture in and waits until it is known.
fn take_in(host: &TestHost, fixture: &str) -> EventView {
    let from = host.tape().position();
    host.drop_in(fixture);
    host.wait_after(from, &format!("{fixture} to be known"), |event| {
        event.kind == "revision.registered"
    })
}

fn promote(host: &TestHost, event: &EventView) {
    let to = event.version.as_ref().unwrap().to_string();
    host.promote(event.plugin.as_ref().unwrap().as_str(), &to)
        .unwrap();
}

fn selector(text: &str) -> Selector {
    text.parse().unwrap()
}

/// A canary that waits for orders between its steps, is not judged and does not bake; with these fields instead.
fn canary(fields: Json) -> Json {
    let mut canary = json!({ "steps": [25], "pause": "promote", "bakeMs": 0, "analysis": "off" });
    let (Some(all), Json::Object(fields)) = (canary.as_object_mut(), fields) else {
        panic!("both are objects");
    };
    all.extend(fields);
    json!({ "canary": canary })
}

fn start(host: &TestHost, policy: &Json) -> RolloutView {
    match try_start(host, "fickle", "1.1.0", policy) {
        Ok(view) => view,
        Err(error) => panic!("{}: {}", error.code(), error.chain()),
    }
}

fn try_start(host: &TestHost, plugin: &str, to: &str, policy: &Json) -> Result<RolloutView, ControlError> {
    let policy = Some(policy.clone());
    host.host()
        .rollout_start(&name(plugin), &selector(to), policy, by_ada())
}

/// Code of an order that is refused.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, ControlError>) -> String {
    answer.unwrap_err().code().0.to_owned()
}

/// The rollout of `fickle` that is under way, or was last.
fn rollout(host: &TestHost) -> RolloutView {
    host.host().rollout("fickle").unwrap()
}

/// Waits for an event of this kind since a position.
fn wait(host: &TestHost, from: usize, kind: &str) -> EventView {
    host.wait_after(from, kind, |event| event.kind == kind)
}

/// Waits until everything that goes by time was looked at several times: until another plugin has been rolled out in time,
/// by the same looks.
fn looks_pass(host: &TestHost) {
    promote(host, &take_in(host, "echo-1-0"));
    take_in(host, "echo-1-1");
    let policy = canary(json!({ "steps": [10, 50], "pause": { "afterMs": 30 } }));
    try_start(host, "echo", "1.1.0", &policy).unwrap();
    host.wait("rollout.promoted", "echo", "1.1.0");
}

/// Waits until this version of `fickle` has been unloaded since a position.
fn wait_retired(host: &TestHost, from: usize, version: &str) -> EventView {
    host.wait_after(from, &format!("{version} to be unloaded"), |event| {
        let is_version = event
            .version
            .as_ref()
            .is_some_and(|known| known.to_string() == version);
        event.kind == "revision.retired" && is_version
    })
}

/// Waits for the end of a rollout, which is to be this one.
fn wait_end(host: &TestHost, kind: &str) -> EventView {
    let end = host.wait_after(0, "the end of a rollout", |event| {
        ["rollout.promoted", "rollout.aborted", "rollout.failed"].contains(&event.kind.as_str())
    });
    assert_eq!(end.kind, kind, "{end:?}\n{}", host.tape().text());
    end
}

/// Kinds of the events about rollouts, in order.
fn kinds(host: &TestHost) -> Vec<String> {
    let all = host.tape().all(|event| event.kind.starts_with("rollout."));
    all.into_iter().map(|event| event.kind).collect()
}

/// The version that answers a tenant.
fn version_for(host: &TestHost, tenant: &str) -> String {
    let reply = host.call_for(tenant, "fk.version", json!({})).unwrap();
    reply.output["result"].as_str().unwrap().to_owned()
}

/// A node that answers alike in all versions, or goes wrong in 1.1.0.
fn deed(how: &str) -> Json {
    json!({ "in": ["1.1.0"], "how": how, "value": 7 })
}

/// What a rollout says of the calls that it compared: how many, and how many differ.
fn compared(view: &RolloutView) -> Option<(u64, u64)> {
    let mut bodies = view.evidence.iter().map(|one| &one.body);
    let summary = bodies.find(|body| body.get("compared").is_some())?;
    Some((summary["compared"].as_u64()?, summary["differing"].as_u64()?))
}

/// The records of a plugin.
fn audit_of(plugin: &str) -> AuditFilter {
    AuditFilter {
        plugin: Some(name(plugin)),
        ..AuditFilter::default()
    }
}

/// A workflow of these nodes, one after the other, whose ids are `n0`, `n1` and so on.
fn workflow(id: &str, nodes: &[(&str, Json)]) -> Json {
    let mut connections = json!({});
    let mut listed = Vec::new();
    for (number, (node_type, parameters)) in nodes.iter().enumerate() {
        let node = format!("n{number}");
        listed.push(json!({
            "id": node, "name": node, "type": "operation", "nodeType": node_type, "parameters": parameters,
        }));
        if number + 1 < nodes.len() {
            let to = json!([{ "node": format!("n{}", number + 1), "type": "main", "index": 0 }]);
            connections[&node] = json!({ "main": { "0": to } });
        }
    }
    json!({ "id": id, "name": id, "nodes": listed, "connections": connections })
}

/// Runs it for the tenant `acme` to its end, which is to be a success.
fn run(host: &TestHost, document: &Json) -> Json {
    let mut order = RunOrder::of(document.to_string());
    order.tenant = Some("acme".parse().unwrap());
    let run = host.host().run_workflow(order);
    let run = match run {
        Ok(run) => serde_json::to_value(&run).unwrap(),
        Err(error) => panic!("{}: {}", error.code(), error.chain()),
    };
    assert_eq!(run["status"], "success", "{run:#}");
    run
}

/// The version that answered a node of a run.
fn ran_on(run: &Json, node: &str) -> String {
    run["state"][node]["version"].as_str().unwrap().to_owned()
}

/// What calls came to while something else went on.
#[derive(Debug, Default)]
struct Load {
    /// Answers of each version.
    answered: Mutex<BTreeMap<String, u64>>,
    /// Codes of the failures.
    failed: Mutex<BTreeMap<String, u64>>,
    calls: AtomicU64,
}

impl Load {
    fn answered_by(&self, version: &str) -> u64 {
        self.answered.lock().unwrap().get(version).copied().unwrap_or(0)
    }

    fn failures(&self) -> BTreeMap<String, u64> {
        self.failed.lock().unwrap().clone()
    }

    /// Waits until so many more calls were made, or a caller has given up.
    fn more(&self, host: &TestHost, calls: u64) {
        let goal = self.calls.load(Ordering::Relaxed) + calls;
        host.until("calls", || self.calls.load(Ordering::Relaxed) >= goal);
    }
}

/// Has `callers` threads call `fk.do` with this input, each call as a run of its own, while `body` goes on.
fn under_load<T>(host: &TestHost, callers: usize, input: &Json, body: impl FnOnce(&Load) -> T) -> (T, Load) {
    struct Ends<'a>(&'a AtomicBool);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }
    let (load, over) = (Load::default(), AtomicBool::new(false));
    let node = host.host().resolve("fk.do").unwrap();
    let input = Value::from_json(&input.to_string()).unwrap();
    let done = std::thread::scope(|threads| {
        for _ in 0..callers {
            threads.spawn(|| {
                let mut out = Output::with_limit(1 << 16);
                while !over.load(Ordering::Acquire) {
                    let call = Call::of("acme".parse().unwrap());
                    match node.call(input.as_ref(), &call, &mut out) {
                        Ok((value, _)) => {
                            let by = value.get("by").unwrap().as_str().unwrap().to_owned();
                            *load.answered.lock().unwrap().entry(by).or_default() += 1;
                        }
                        Err(error) => {
                            let code = error.code().0.to_owned();
                            *load.failed.lock().unwrap().entry(code).or_default() += 1;
                        }
                    }
                    load.calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // However it ends: a test that fails is not to wait for its callers for ever.
        let _ends = Ends(&over);
        body(&load)
    });
    (done, load)
}
