//! A version that fails too much is taken out of service by the host itself.

use std::time::Duration;

use patchbay_tests_support::patchbay::{CallRequest, PinScope, RevisionState};
use patchbay_tests_support::{TestHost, name};
use serde_json::{Value as Json, json};

use super::{by_ada, canary, deed, holding, selector, start, version_for, wait, wait_end};

/// 1.1.0 is live, and 1.0.0 was before it.
fn young(change: impl FnOnce(&mut patchbay_tests_support::patchbay::BreakerConfig)) -> TestHost {
    let host = holding(&["fickle-1-0", "fickle-1-1"], |config| {
        change(&mut config.delivery.breaker);
    });
    host.promote("fickle", "1.1.0").unwrap();
    host
}

fn call(host: &TestHost, times: usize, input: &Json) {
    for _ in 0..times {
        let _ = host.try_call("fk.do", input.clone());
    }
}

fn opened(host: &TestHost, plugin: &str) -> usize {
    let is_it = |event: &patchbay_tests_support::patchbay::EventView| {
        event.kind == "breaker.opened"
            && event
                .plugin
                .as_ref()
                .is_some_and(|known| known.as_str() == plugin)
    };
    host.tape().all(is_it).len()
}

/// The previous version serves, and the failing one is out of service, by the breaker.
fn is_taken_out(host: &TestHost, why: &str) {
    let event = wait(host, 0, "breaker.opened");
    assert!(
        event.message.contains(why) && event.message.contains("1.0.0 serves"),
        "{event:?}"
    );
    assert_eq!(host.live("fickle"), "1.0.0");
    assert_eq!(host.revision("fickle", "1.1.0").state, RevisionState::Quarantined);
    assert_eq!(host.call("fk.do", deed("fail")), 7);
    let history = host.host().history(&name("fickle")).unwrap();
    let line = history.iter().find(|line| line.action == "quarantined").unwrap();
    assert_eq!(line.actor, "breaker");
    assert!(line.reason.contains(why), "{line:?}");
}

#[test]
fn panics_take_a_version_out_of_service_and_the_previous_one_serves() {
    let mut host = young(|breaker| breaker.panics = 5);
    call(&host, 5, &deed("panic"));
    is_taken_out(&host, "5 of its calls panicked");
    host.restart(|_| {});
    assert_eq!(host.live("fickle"), "1.0.0");
    assert_eq!(host.revision("fickle", "1.1.0").state, RevisionState::Quarantined);
}

#[test]
fn calls_that_are_not_answered_in_the_nodes_own_time_take_a_version_out_of_service() {
    for node in ["fk.brief", "fk.brief-later"] {
        let host = young(|breaker| breaker.timeouts = 3);
        let never = host.scratch("never");
        for _ in 0..3 {
            host.try_call(node, deed(&format!("await:{}", never.display())))
                .unwrap_err();
        }
        is_taken_out(&host, "3 of its calls were not answered in time");
    }
}

#[test]
fn a_callers_impatience_is_not_held_against_a_version() {
    let host = young(|breaker| breaker.timeouts = 3);
    let never = host.scratch("never");
    for node in ["fk.do", "fk.later"] {
        for _ in 0..10 {
            let request = CallRequest {
                timeout_ms: Some(2),
                ..CallRequest::of(deed(&format!("await:{}", never.display())))
            };
            host.host().call_json(node, request).unwrap_err();
        }
    }
    super::looks_pass(&host);
    assert_eq!(
        (opened(&host, "fickle"), host.live("fickle").as_str()),
        (0, "1.1.0")
    );
}

#[test]
fn a_few_panics_of_very_many_calls_are_not_enough() {
    let host = young(|breaker| {
        breaker.panics = 2;
        breaker.share = 0.5;
    });
    call(&host, 10, &json!({}));
    call(&host, 2, &deed("panic"));
    super::looks_pass(&host);
    assert_eq!(opened(&host, "fickle"), 0);
    call(&host, 9, &deed("panic"));
    wait(&host, 0, "breaker.opened");
    assert_eq!(host.live("fickle"), "1.0.0");
}

#[test]
fn when_the_version_that_took_over_fails_of_the_same_calls_it_goes_on_and_that_is_said_once() {
    let host = holding(&["fickle-1-0", "fickle-1-1", "fickle-1-2"], |_| {});
    for version in ["1.1.0", "1.2.0"] {
        host.promote("fickle", version).unwrap();
    }
    let everywhere = json!({ "in": ["1.0.0", "1.1.0", "1.2.0"], "how": "panic" });
    call(&host, 5, &everywhere);
    let first = wait(&host, 0, "breaker.opened");
    assert!(first.message.contains("1.1.0 serves"), "{first:?}");
    call(&host, 20, &everywhere);
    let from = host.tape().position_after(&first);
    let second = wait(&host, from, "breaker.opened");
    assert!(second.message.contains("the calls may be to blame"), "{second:?}");
    call(&host, 20, &everywhere);
    super::looks_pass(&host);
    assert_eq!(
        (opened(&host, "fickle"), host.live("fickle").as_str()),
        (2, "1.1.0")
    );
}

#[test]
fn a_burst_of_errors_takes_a_young_version_out_of_service() {
    let host = young(|_| {});
    call(&host, 50, &json!({}));
    call(&host, 60, &deed("fail"));
    is_taken_out(&host, "calls failed");
}

#[test]
fn errors_of_a_version_that_has_served_for_long_are_its_callers_affair() {
    let host = young(|breaker| {
        breaker.young = Duration::ZERO;
        breaker.panics = 5;
    });
    call(&host, 300, &deed("fail"));
    // The breaker looks at panics in the same moment as at errors.
    call(&host, 5, &deed("panic"));
    is_taken_out(&host, "5 of its calls panicked");
    assert_eq!(opened(&host, "fickle"), 1);
}

#[test]
fn a_version_that_nothing_can_take_over_from_goes_on_and_that_is_said_once() {
    let host = holding(&["fickle-1-0"], |config| config.delivery.breaker.panics = 5);
    super::promote(&host, &super::take_in(&host, "echo-1-0"));
    let panics = json!({ "in": ["1.0.0"], "how": "panic" });
    call(&host, 5, &panics);
    let event = wait(&host, 0, "breaker.opened");
    assert!(event.message.contains("no other version"), "{event:?}");
    assert_eq!(host.live("fickle"), "1.0.0");
    call(&host, 20, &panics);
    // All versions are looked at together: what is told of this one now was not told of the other.
    for _ in 0..5 {
        let _ = host.try_call("fx.panic", json!({ "kind": "text" }));
    }
    host.wait("breaker.opened", "echo", "1.0.0");
    assert_eq!(opened(&host, "fickle"), 1);
    assert_eq!(version_for(&host, "acme"), "1.0.0");
}

#[test]
fn a_candidate_that_panics_is_taken_out_of_service_and_its_rollout_fails() {
    let host = super::two();
    start(&host, &canary(json!({ "steps": [50] })));
    host.until("five panics", || {
        let _ = host.try_call("fk.do", deed("panic"));
        opened(&host, "fickle") > 0
    });
    wait_end(&host, "rollout.failed");
    assert_eq!(host.live("fickle"), "1.0.0");
    assert_eq!(host.revision("fickle", "1.1.0").state, RevisionState::Quarantined);
}

#[test]
fn a_version_that_somebody_is_pinned_to_is_taken_out_of_service_and_he_is_served_by_what_is_live() {
    let host = super::two();
    let scope = PinScope {
        tenant: Some("acme".parse().unwrap()),
        workflow: None,
    };
    host.host()
        .pin(&name("fickle"), &selector("1.1.0"), scope, by_ada())
        .unwrap();
    for _ in 0..5 {
        host.call_for("acme", "fk.do", deed("panic")).unwrap_err();
    }
    wait(&host, 0, "breaker.opened");
    assert_eq!(version_for(&host, "acme"), "1.0.0");
    assert_eq!(host.revision("fickle", "1.1.0").state, RevisionState::Quarantined);
}

#[test]
fn what_a_breaker_counts_is_off_when_it_is_zero() {
    let host = young(|breaker| {
        breaker.panics = 0;
        breaker.error_rate = 0.0;
    });
    call(&host, 150, &deed("panic"));
    super::looks_pass(&host);
    assert_eq!(
        (opened(&host, "fickle"), host.live("fickle").as_str()),
        (0, "1.1.0")
    );
}
