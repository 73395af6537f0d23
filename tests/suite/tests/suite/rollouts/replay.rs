//! Recorded calls of runs are made again, by both versions, before anybody meets the candidate.

use patchbay_tests_support::{DEADLINE, TestHost};
use serde_json::{Value as Json, json};

use super::{deed, rollout, run, start, two, wait_end, workflow};

fn replay(fields: Json) -> Json {
    let mut replay = json!({ "last": 50, "ignore": ["$.by"] });
    let (Some(all), Json::Object(fields)) = (replay.as_object_mut(), fields) else {
        panic!("both are objects");
    };
    all.extend(fields);
    json!({ "replay": replay })
}

/// Runs a workflow of that node so often, and waits until the journal has it.
fn recorded(host: &TestHost, runs: usize, node: &str, input: &Json) {
    let document = workflow("w", &[(node, input.clone())]);
    for _ in 0..runs {
        run(host, &document);
    }
    host.host().sync_runs(DEADLINE).unwrap();
}

fn compared(host: &TestHost) -> (u64, u64) {
    let view = rollout(host);
    super::compared(&view).unwrap_or_else(|| panic!("{view:#?}"))
}

#[test]
fn recorded_calls_that_are_answered_alike_let_the_candidate_go_live() {
    let host = two();
    recorded(&host, 8, "fk.do", &deed(""));
    start(&host, &replay(json!({ "atLeast": 8 })));
    wait_end(&host, "rollout.promoted");
    assert_eq!(compared(&host), (8, 0));
    assert_eq!(host.live("fickle"), "1.1.0");
}

#[test]
fn of_more_recorded_calls_the_last_ones_are_made_again() {
    let host = two();
    recorded(&host, 5, "fk.do", &deed("differ"));
    recorded(&host, 5, "fk.do", &deed(""));
    start(&host, &replay(json!({ "last": 5 })));
    wait_end(&host, "rollout.promoted");
    assert_eq!(compared(&host), (5, 0));
}

#[test]
fn recorded_calls_that_are_answered_differently_fail_the_rollout_and_are_shown() {
    let host = two();
    recorded(&host, 4, "fk.do", &deed("differ"));
    recorded(&host, 3, "fk.later", &deed(""));
    start(&host, &replay(json!({})));
    let end = wait_end(&host, "rollout.failed");
    assert!(end.message.contains("4 of 7"), "{end:?}");
    assert_eq!(host.live("fickle"), "1.0.0");
    host.until("the differences to be kept", || {
        let view = rollout(&host);
        view.evidence
            .iter()
            .filter(|one| one.body.get("nodeType").is_some())
            .count()
            == 4
    });
}

#[test]
fn a_candidate_that_panics_on_a_recorded_call_fails() {
    let host = two();
    recorded(&host, 1, "fk.do", &deed("panic"));
    start(&host, &replay(json!({})));
    wait_end(&host, "rollout.failed");
    assert_eq!(compared(&host), (1, 1));
}

#[test]
fn recorded_calls_that_fail_in_both_versions_are_alike_and_no_reason_to_take_either_out_of_service() {
    let host = two();
    let failing = json!({ "in": ["1.0.0", "1.1.0"], "how": "fail" });
    let document = workflow("w", &[("fk.do", failing)]);
    for _ in 0..150 {
        let order = super::RunOrder::of(document.to_string());
        host.host().run_workflow(order).unwrap();
    }
    host.host().sync_runs(DEADLINE).unwrap();
    start(&host, &replay(json!({ "last": 150, "then": "manual" })));
    host.until("the replay to be over", || rollout(&host).phase != "replaying");
    assert_eq!(rollout(&host).phase, "paused", "{:?}", rollout(&host));
    assert_eq!(host.live("fickle"), "1.0.0");
}

#[test]
fn fewer_recorded_calls_than_are_wanted_fail_the_rollout() {
    let host = two();
    start(&host, &replay(json!({})));
    let end = wait_end(&host, "rollout.failed");
    assert!(end.message.contains("only 0 recorded"), "{end:?}");
    assert_eq!(host.live("fickle"), "1.0.0");
}

#[test]
fn what_acts_on_the_world_is_not_made_again() {
    let host = two();
    let file = host.scratch("deeds");
    recorded(&host, 3, "fk.act", &json!({ "file": file }));
    recorded(&host, 2, "fk.do", &deed(""));
    start(&host, &replay(json!({})));
    wait_end(&host, "rollout.promoted");
    assert_eq!(compared(&host), (2, 0));
    assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 3);
}
