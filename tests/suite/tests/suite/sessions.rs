//! What a run can rely on: one version of everything it touches, whatever is swapped meanwhile; calls that end in time;
//! and a workflow's own inputs, outputs and expressions.

use std::fs;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use patchbay_tests_support::patchbay::{
    Call, CallError, CallOptions, Cancel, Effect, Explain, NodeError, NodeScope, Order, Output, OwnedOptions,
    RevisionNumber, Selector, Session, TenantId, Value, ValueRef, Variables,
};
use patchbay_tests_support::{TestHost, mappings, name};
use serde_json::{Value as Json, json};

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn value(json: &Json) -> Value {
    Value::from_serialize(json).unwrap()
}

/// The field `result` of what a node of a session answers.
fn ask(session: &Session, position: usize, input: &Json) -> Result<String, CallError> {
    let mut out = Output::with_limit(1 << 20);
    let input = value(input);
    let (answer, _) = Call::of(tenant()).in_session(session, position, "n", input.as_ref(), &mut out)?;
    Ok(answer.get("result").unwrap().as_str().unwrap().to_owned())
}

fn owned() -> OwnedOptions {
    OwnedOptions::of(tenant(), "run".into(), "n".into())
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives a future on this thread, which is no thread of the host's.
fn awaited<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A workflow with two values at input 0, whose expressions give back what they were asked.
#[derive(Default)]
struct Flow {
    outputs: Mutex<Vec<u32>>,
    touched: AtomicBool,
}

impl NodeScope for Flow {
    fn inputs(&self, index: u32) -> Option<Value> {
        (index == 0).then(|| value(&json!(["first", 2])))
    }

    fn select_output(&self, output: u32) {
        self.outputs.lock().unwrap().push(output);
    }

    fn evaluate(&self, expression: &str, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
        match expression {
            "wrong" => Err(NodeError::with_code("EXPRESSION", "it is wrong")),
            _ => Ok(Value::from(format!("{expression} {bindings}").as_str())),
        }
    }

    fn render(&self, template: ValueRef<'_>, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
        Ok(value(&json!([template.as_str(), bindings.get("item")])))
    }

    fn touched(&self) {
        self.touched.store(true, Ordering::Relaxed);
    }
}

const ASK: &[&str] = &["flow.ask", "flow.ask-later", "flow.nested"];

fn asking() -> Json {
    json!({"expression": "$item", "template": "t", "outputs": [1, 4]})
}

fn options<'c>(tenant: &'c TenantId, scope: Option<&'c dyn NodeScope>) -> CallOptions<'c> {
    CallOptions {
        tenant,
        run: "run",
        node: "n",
        timeout: None,
        cancel: None,
        variables: None,
        scope,
        config: None,
        depth: 0,
    }
}

fn answered() -> Json {
    json!({
        "arrived": ["\"first\"", "2"],
        "evaluated": "\"$item {\\\"item\\\":\\\"first\\\"}\"",
        "rendered": "[\"t\",\"first\"]",
    })
}

fn json_of(value: ValueRef<'_>) -> Json {
    serde_json::from_str(&value.to_json()).unwrap()
}

#[test]
fn a_workflow_lends_its_node_inputs_outputs_and_expressions() {
    let host = TestHost::holding(&["flow"], |_| {});
    let session = host.host().session(ASK).unwrap();
    let flow = Flow::default();
    let mut out = Output::with_limit(1 << 20);
    let tenant = tenant();
    let input = value(&asking());
    let answer = session
        .call(0, input.as_ref(), &options(&tenant, Some(&flow)), &mut out)
        .unwrap();
    assert_eq!(json_of(answer.value), answered());
    assert_eq!(*flow.outputs.lock().unwrap(), [1, 4]);
    let wrong = value(&json!({"expression": "wrong", "template": ""}));
    let error = session
        .call(0, wrong.as_ref(), &options(&tenant, Some(&flow)), &mut out)
        .unwrap_err();
    assert_eq!(error.node_error().unwrap().code, "EXPRESSION");
}

#[test]
fn a_workflow_is_told_when_a_node_looks_at_more_than_its_parameters() {
    let host = TestHost::holding(&["flow", "echo-1-0"], |_| {});
    let cases = [
        ("fx.echo", json!({"a": 1}), false),
        ("fx.version", json!({}), false),
        ("fx.variable", json!({"name": "a"}), true),
        ("fx.kv", json!({"key": "a"}), true),
        ("fx.nested", json!({}), true),
        ("flow.count", json!({"times": 0}), true),
    ];
    let nodes: Vec<&str> = cases.iter().map(|(node, ..)| *node).collect();
    let session = host.host().session(&nodes).unwrap();
    let (tenant, mut out) = (tenant(), Output::with_limit(1 << 20));
    for (position, (node, input, touches)) in cases.iter().enumerate() {
        let flow = Flow::default();
        let (input, options) = (value(input), options(&tenant, Some(&flow)));
        session
            .call(position, input.as_ref(), &options, &mut out)
            .unwrap();
        assert_eq!(flow.touched.load(Ordering::Relaxed), *touches, "{node}");
    }
}

#[test]
fn a_call_that_was_begun_has_its_workflow_too() {
    let host = TestHost::holding(&["flow"], |_| {});
    let session = host.host().session(ASK).unwrap();
    for position in [0, 1] {
        let flow = Arc::new(Flow::default());
        let options = OwnedOptions {
            scope: Some(Arc::clone(&flow) as Arc<dyn NodeScope>),
            ..owned()
        };
        let (answer, _) = awaited(session.begin(position, value(&asking()), options)).unwrap();
        assert_eq!(json_of(answer.as_ref()), answered(), "{position}");
        assert_eq!(*flow.outputs.lock().unwrap(), [1, 4]);
    }
}

#[test]
fn outside_a_workflow_and_within_another_node_there_is_none() {
    let host = TestHost::holding(&["flow"], |_| {});
    let session = host.host().session(ASK).unwrap();
    let (flow, tenant) = (Flow::default(), tenant());
    let nested = value(&json!({"expression": "$item"}));
    let mut out = Output::with_limit(1 << 20);
    for (position, input, scope) in [
        (0, &value(&asking()), None),
        (1, &value(&asking()), None),
        (2, &nested, Some(&flow as &dyn NodeScope)),
    ] {
        let error = session.call(position, input.as_ref(), &options(&tenant, scope), &mut out);
        assert_eq!(
            error.unwrap_err().node_error().unwrap().code,
            "UNSUPPORTED",
            "{position}"
        );
    }
    assert!(flow.outputs.lock().unwrap().is_empty());
}

#[test]
fn counters_of_many_threads_lose_nothing_and_variables_keep_their_order() {
    let host = TestHost::holding(&["flow"], |_| {});
    let preset = Value::from_json(r#"{"z": 1, "a": 2}"#).unwrap();
    let call = Call {
        variables: Arc::new(Variables::from_value(preset.as_ref()).unwrap()),
        ..Call::of(tenant())
    };
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                host.host()
                    .call_as("flow.count", &json!({"times": 100}), &call)
                    .unwrap()
            });
        }
    });
    assert_eq!(call.variables.all().to_json(), r#"{"z":1,"a":2,"count":400}"#);
    let listed = host
        .host()
        .call_as("flow.count", &json!({"times": 0}), &call)
        .unwrap();
    assert_eq!(
        listed.as_ref().get("result").unwrap().as_str(),
        Some(call.variables.all().to_json().as_str())
    );
}

#[test]
fn a_session_knows_the_facts_of_its_nodes() {
    let host = TestHost::holding(&["flow"], |_| {});
    let session = host.host().session(&["flow.ask-later", "flow.ask"]).unwrap();
    let facts = session.facts(0).unwrap();
    let known = host.revision("flow", "1.0.0");
    assert_eq!(
        (facts.plugin.as_str(), facts.version.to_string().as_str()),
        ("flow", "1.0.0")
    );
    assert_eq!((facts.revision, facts.digest), (known.revision, known.digest));
    assert_eq!(
        (facts.is_async, facts.is_stateful, facts.effect),
        (true, false, Effect::Idempotent)
    );
    assert_eq!((facts.node, facts.timeout), (1, Some(Duration::from_secs(60))));
    let facts = session.facts(1).unwrap();
    assert_eq!(
        (facts.is_async, facts.effect, facts.timeout),
        (false, Effect::Pure, None)
    );
    assert!(session.facts(2).is_none());
}

#[test]
fn a_session_that_began_before_a_swap_calls_the_old_version_from_within_too() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let session = host.host().session(&["fx.nested"]).unwrap();
    host.bring_in("echo-1-1");
    assert_eq!(host.call("fx.nested", json!({"depth": 3})), "1.1.0");
    assert_eq!(ask(&session, 0, &json!({"depth": 3})).unwrap(), "1.0.0");
}

#[test]
fn what_a_session_calls_from_within_is_of_its_own_snapshot() {
    let host = TestHost::holding(&["flow", "echo-1-0"], |_| {});
    let session = host.host().session(&["flow.call"]).unwrap();
    host.bring_in("echo-1-1");
    let input = json!({"node": "fx.version"});
    assert_eq!(ask(&session, 0, &input).unwrap(), "1.0.0");
    assert_eq!(host.call("flow.call", input.clone()), "1.1.0");
    // Leased when it was called: it stays, though others may no longer enter.
    host.promote("echo", "1.0.0").unwrap();
    host.bring_in("echo-2-0");
    assert_eq!(ask(&session, 0, &input).unwrap(), "1.0.0");
}

#[test]
fn a_version_that_closed_before_a_session_came_to_it_is_replaced_by_one_that_stays() {
    let host = TestHost::holding(&["flow", "echo-1-0"], |config| config.history_limit = 0);
    let session = host.host().session(&["flow.call", "flow.call"]).unwrap();
    host.bring_in("echo-1-1");
    host.wait("revision.retired", "echo", "1.0.0");
    let input = json!({"node": "fx.version"});
    // Many at once find the same one.
    std::thread::scope(|threads| {
        let session = &session;
        let calls: Vec<_> = (0..8)
            .map(|at| threads.spawn(move || ask(session, at % 2, &json!({"node": "fx.version"}))))
            .collect();
        for call in calls {
            assert_eq!(call.join().unwrap().unwrap(), "1.1.0");
        }
    });
    host.bring_in("echo-2-0");
    host.wait("revision.draining", "echo", "1.1.0");
    assert_eq!(ask(&session, 0, &input).unwrap(), "1.1.0");
    // Another name of the same plugin leads to the same version.
    assert_eq!(ask(&session, 1, &json!({"node": "fx.nested"})).unwrap(), "1.1.0");
    assert_eq!(host.call("flow.call", input), "2.0.0");
    drop(session);
    host.wait("revision.retired", "echo", "1.1.0");
}

#[test]
fn a_node_that_nobody_has_is_unknown_from_within_a_session_too() {
    let host = TestHost::holding(&["flow", "echo-1-0"], |config| config.max_call_depth = 4);
    let session = host.host().session(&["flow.call", "fx.nested"]).unwrap();
    let error = ask(&session, 0, &json!({"node": "fx.versoin"})).unwrap_err();
    assert_eq!(error.node_error().unwrap().code, "PB-CALL-001");
    assert_eq!(ask(&session, 1, &json!({"depth": 3})).unwrap(), "1.0.0");
    let error = ask(&session, 1, &json!({"depth": 4})).unwrap_err();
    assert_eq!(error.node_error().unwrap().code, "PB-CALL-007");
}

#[test]
fn a_session_is_made_of_nodes_that_were_resolved_before_the_swap() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let nodes = ["fx.version", "fx.nested"].map(|node| host.host().resolve(node).unwrap());
    host.bring_in("echo-1-1");
    let session = host.host().session_of(&[&nodes[1], &nodes[0]]).unwrap();
    assert_eq!(session.served_by(1).unwrap().version.to_string(), "1.1.0");
    assert_eq!(ask(&session, 0, &json!({"depth": 1})).unwrap(), "1.1.0");
    for version in ["1.1.0", "1.0.0"] {
        let revision = host.revision("echo", version).revision;
        let order = Order::by("ada", "it is in the way");
        host.host()
            .quarantine(&name("echo"), Some(&Selector::Revision(revision)), order)
            .unwrap();
    }
    let error = host.host().session_of(&[&nodes[0]]).unwrap_err();
    assert_eq!(error.code().0, "PB-CALL-001");
}

#[test]
fn a_session_runs_on_the_revisions_it_is_given() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], |_| {});
    let (echo, old) = (name("echo"), host.revision("echo", "1.0.0").revision);
    let session = host
        .host()
        .session_with(&["fx.nested", "fx.version"], &[(&echo, old)])
        .unwrap();
    assert_eq!(session.served_by(0).unwrap().version.to_string(), "1.0.0");
    assert_eq!(ask(&session, 0, &json!({})).unwrap(), "1.0.0");
    assert_eq!(host.call("fx.nested", json!({})), "1.1.0");
    let refused = |revision| {
        host.host()
            .session_with(&["fx.version"], &[(&echo, revision)])
            .unwrap_err()
    };
    assert_eq!(refused(RevisionNumber(99)).code().0, "PB-REG-004");
    let error = host
        .host()
        .session_with(&["fx.nothing"], &[(&echo, old)])
        .unwrap_err();
    assert_eq!(error.code().0, "PB-CALL-001");
}

#[test]
fn a_node_of_another_revision_than_the_live_one_can_be_called() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], |config| config.history_limit = 1);
    let (echo, call) = (name("echo"), Call::of(tenant()));
    let old = host.revision("echo", "1.0.0").revision;
    let at = |revision, node: &str| {
        let input = json!({"millis": 1});
        host.host().call_revision((&echo, revision), node, &input, &call)
    };
    for node in ["fx.version", "fx.sleep"] {
        assert_eq!(at(old, node).unwrap().to_json(), r#"{"result":"1.0.0"}"#);
    }
    assert_eq!(at(old, "fx.none").unwrap_err().code().0, "PB-CALL-001");
    // Once it is on its way out, nobody comes in.
    host.bring_in("echo-2-0");
    host.wait("revision.retired", "echo", "1.0.0");
    assert_eq!(at(old, "fx.version").unwrap_err().code().0, "PB-REG-005");
}

#[test]
fn a_call_that_was_begun_outlives_its_session_and_holds_its_versions_until_it_is_done() {
    let host = TestHost::holding(&["flow", "echo-1-0"], |config| config.history_limit = 0);
    let (began, until) = (host.scratch("began"), host.scratch("until"));
    let input = value(&json!({"node": "fx.version", "began": began, "until": until}));
    let session = host.host().session(&["flow.call-later", "fx.version"]).unwrap();
    let call = session.begin(0, input, owned());
    drop(session);
    std::thread::scope(|threads| {
        let running = threads.spawn(|| awaited(call).unwrap());
        host.until("the call to begin", || fs::exists(&began).unwrap());
        host.bring_in("echo-1-1");
        host.wait("revision.draining", "echo", "1.0.0");
        assert!(
            mappings(&host.maps())
                .iter()
                .any(|line| line.contains("echo-1.0.0"))
        );
        fs::write(&until, "").unwrap();
        // What it calls from within is still what its session began with.
        let (answer, revision) = running.join().unwrap();
        assert_eq!(answer.to_json(), r#"{"result":"1.0.0"}"#);
        assert_eq!(revision, host.revision("flow", "1.0.0").revision);
    });
    host.wait("revision.retired", "echo", "1.0.0");
}

#[test]
fn a_call_that_was_begun_ends_at_its_deadline_when_it_is_given_up_and_when_it_is_dropped() {
    let host = TestHost::holding(&["echo-1-0"], |config| config.history_limit = 0);
    let session = host.host().session(&["fx.sleep"]).unwrap();
    let long = || value(&json!({"millis": 3_600_000}));
    let soon = OwnedOptions {
        timeout: Some(Duration::from_millis(20)),
        ..owned()
    };
    let error = awaited(session.begin(0, long(), soon)).unwrap_err();
    assert_eq!(error.code().0, "PB-CALL-006");
    assert!(error.to_string().contains("20 ms"), "{error}");
    let cancel = Cancel::default();
    let given_up = OwnedOptions {
        cancel: Some(cancel.clone()),
        ..owned()
    };
    let began = host.scratch("began");
    let input = value(&json!({"millis": 3_600_000, "began": began}));
    let call = session.begin(0, input, given_up.clone());
    std::thread::scope(|threads| {
        let running = threads.spawn(|| awaited(call).unwrap_err());
        host.until("the call to begin", || fs::exists(&began).unwrap());
        cancel.cancel();
        assert_eq!(running.join().unwrap().code().0, "PB-CALL-009");
    });
    // What was given up before it began does not begin.
    let error = awaited(session.begin(0, long(), given_up)).unwrap_err();
    assert!(matches!(error, CallError::Cancelled { node_type } if node_type == "fx.sleep"));
    let mut dropped = Box::pin(session.begin(0, long(), owned()));
    let mut nobody = Context::from_waker(Waker::noop());
    assert!(dropped.as_mut().poll(&mut nobody).is_pending());
    drop((dropped, session));
    host.bring_in("echo-1-1");
    host.wait("revision.retired", "echo", "1.0.0");
}

#[test]
fn a_call_that_was_begun_fails_as_its_node_does() {
    let host = TestHost::holding(&["echo-1-0", "flow"], |_| {});
    let session = host
        .host()
        .session(&["fx.fail", "fx.panic", "flow.ask-later"])
        .unwrap();
    for (position, input, code) in [
        (0, json!({"code": "C", "message": "m"}), "PB-CALL-002"),
        (1, json!({"kind": "text"}), "PB-CALL-003"),
        (2, json!({}), "PB-CALL-002"),
        (3, json!({}), "PB-CALL-001"),
    ] {
        let error = awaited(session.begin(position, value(&input), owned())).unwrap_err();
        assert_eq!(error.code().0, code, "{position}: {error}");
    }
}

#[test]
fn a_call_that_was_begun_waits_for_a_hand_over_and_is_answered() {
    let host = TestHost::holding(&["counter-1-0", "counter-1-1"], |_| {});
    std::thread::scope(|threads| {
        let callers: Vec<_> = (0..2)
            .map(|_| {
                threads.spawn(|| {
                    for _ in 0..50 {
                        let session = host.host().session(&["fx.count"]).unwrap();
                        awaited(session.begin(0, value(&json!({"by": 1})), owned())).unwrap();
                    }
                })
            })
            .collect();
        let mut swap = 0;
        while !callers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            host.promote("counter", ["1.0.0", "1.1.0"][swap % 2]).unwrap();
            swap += 1;
        }
    });
}

#[test]
fn a_stateful_node_keeps_its_state_in_a_call_that_was_begun() {
    let host = TestHost::holding(&["counter-1-0"], |_| {});
    let session = host.host().session(&["fx.count"]).unwrap();
    for count in [2, 4] {
        let call = session.begin(0, value(&json!({"by": 2})), owned());
        let (answer, _) = awaited(call).unwrap();
        assert_eq!(answer.as_ref().get("result").unwrap().as_i64(), Some(count));
    }
}
