//! Steps: how a rollout goes forward, by time and by order, and what ends it.

use patchbay_tests_support::{TestHost, name};
use serde_json::{Value as Json, json};

use super::{
    by_ada, canary, forced, holding, kinds, refused, rollout, selector, start, take_in, try_start, two, wait,
    wait_end,
};

fn phase(host: &TestHost) -> String {
    rollout(host).phase
}

#[test]
fn steps_follow_each_other_in_time_until_the_candidate_has_baked() {
    let host = two();
    let policy = canary(json!({ "steps": [10, 50], "pause": { "afterMs": 30 }, "bakeMs": 30 }));
    let begun = start(&host, &policy);
    assert_eq!((begun.plugin.as_str(), begun.changed), ("fickle", true));
    assert_eq!(begun.to.version.to_string(), "1.1.0");
    assert_eq!(begun.from.unwrap().version.to_string(), "1.0.0");
    wait_end(&host, "rollout.promoted");
    assert_eq!(
        kinds(&host),
        [
            "rollout.step",
            "rollout.step",
            "rollout.baking",
            "rollout.promoted"
        ]
    );
    assert_eq!(host.live("fickle"), "1.1.0");
    let done = rollout(&host);
    assert!(
        done.finished && done.phase == "promoted" && done.weight == 100.0,
        "{done:?}"
    );
    assert_eq!((done.actor.as_str(), done.reason.as_str()), ("ada", "to see"));
    let decisions: Vec<&Json> = done
        .evidence
        .iter()
        .filter(|one| one.kind == "decision")
        .map(|one| &one.body)
        .collect();
    assert_eq!(decisions.len(), 4, "{decisions:#?}");
    let history = host.host().history(&name("fickle")).unwrap();
    let of = |action: &str| history.iter().filter(|line| line.action == action).count();
    assert_eq!((of("weighted"), of("promoted")), (2, 2), "{history:#?}");
}

#[test]
fn a_bake_that_nobody_disturbs_ends_promoted_and_a_rollback_in_it_ends_it() {
    let host = two();
    let policy = canary(json!({ "bakeMs": 1_800_000, "steps": [100] }));
    start(&host, &policy);
    assert_eq!(
        (phase(&host).as_str(), host.live("fickle").as_str()),
        ("baking", "1.1.0")
    );
    host.host().rollback(&name("fickle"), None, by_ada()).unwrap();
    assert_eq!(host.live("fickle"), "1.0.0");
    wait_end(&host, "rollout.aborted");
    assert_eq!(host.live("fickle"), "1.0.0");
}

#[test]
fn a_promotion_by_hand_ends_the_rollout_as_promoted() {
    let host = two();
    start(&host, &canary(json!({})));
    host.promote("fickle", "1.1.0").unwrap();
    wait_end(&host, "rollout.promoted");
    assert_eq!(host.live("fickle"), "1.1.0");
    host.until("it to be let go of", || host.host().status().rollouts == 0);
}

#[test]
fn another_version_that_is_made_live_by_hand_ends_the_rollout_as_aborted() {
    let host = holding(&["fickle-1-0", "fickle-1-1", "fickle-1-2"], |_| {});
    start(&host, &canary(json!({})));
    host.promote("fickle", "1.2.0").unwrap();
    let end = wait_end(&host, "rollout.aborted");
    assert!(end.message.contains("another version"), "{end:?}");
    assert_eq!(host.live("fickle"), "1.2.0");
}

#[test]
fn quarantine_of_the_candidate_fails_its_rollout_and_nobody_is_sent_there() {
    let host = two();
    start(&host, &canary(json!({ "steps": [99.99] })));
    host.host()
        .quarantine(&name("fickle"), Some(&selector("1.1.0")), by_ada())
        .unwrap();
    for run in 0..50 {
        assert_eq!(super::version_for(&host, &format!("t{run}")), "1.0.0");
    }
    let end = wait_end(&host, "rollout.failed");
    assert!(end.message.contains("quarantined"), "{end:?}");
    assert_eq!(
        refused(try_start(&host, "fickle", "1.1.0", &canary(json!({})))),
        "PB-REG-006"
    );
}

#[test]
fn a_rollback_to_nothing_in_particular_takes_the_candidate_back() {
    let host = two();
    start(&host, &canary(json!({ "steps": [50] })));
    let back = host.host().rollback(&name("fickle"), None, by_ada()).unwrap();
    assert_eq!(back.from.unwrap().version.to_string(), "1.1.0");
    assert_eq!(back.to.unwrap().version.to_string(), "1.0.0");
    assert_eq!(phase(&host), "aborted");
    assert_eq!(host.live("fickle"), "1.0.0");
    for run in 0..50 {
        assert_eq!(super::version_for(&host, &format!("t{run}")), "1.0.0");
    }
}

#[test]
fn a_plugin_that_keeps_state_is_not_served_by_two_versions() {
    let host = holding(&["counter-1-0", "counter-1-1"], |_| {});
    let refusal = try_start(&host, "counter", "1.1.0", &canary(json!({})));
    assert_eq!(refused(refusal), "PB-LIFE-004");
    let plan = host.host().rollout_plan(
        &name("counter"),
        &serde_json::from_value(json!({ "to": "1.1.0", "policy": canary(json!({})) })).unwrap(),
    );
    let plan = plan.unwrap();
    assert!(!plan.allowed && plan.refusal.unwrap().code == "PB-LIFE-004");
    try_start(&host, "counter", "1.1.0", &json!("immediate")).unwrap();
    assert_eq!(host.live("counter"), "1.1.0");
}

#[test]
fn a_candidate_that_dependents_could_not_use_is_refused_unless_it_is_forced() {
    let host = holding(&["echo-1-0"], |_| {});
    super::promote(&host, &take_in(&host, "needs-echo"));
    take_in(&host, "echo-2-0");
    let refusal = try_start(&host, "echo", "2.0.0", &canary(json!({})));
    assert_eq!(refused(refusal), "PB-REG-011");
    let at_once = try_start(&host, "echo", "2.0.0", &json!("immediate"));
    assert_eq!(refused(at_once), "PB-REG-011");
    let request = json!({ "to": "2.0.0", "policy": "immediate" });
    let plan = host
        .host()
        .rollout_plan(&name("echo"), &serde_json::from_value(request).unwrap())
        .unwrap();
    assert!(!plan.allowed && plan.refusal.unwrap().code == "PB-REG-011");
    assert!(
        plan.dependents
            .iter()
            .any(|one| one.plugin == name("needs-echo") && one.breaks)
    );
    let to = selector("2.0.0");
    let policy = Some(canary(json!({})));
    let begun = host
        .host()
        .rollout_start(&name("echo"), &to, policy, forced())
        .unwrap();
    // It waits where its policy says, with its share.
    assert_eq!((begun.phase.as_str(), begun.weight), ("paused", 25.0));
}

#[test]
fn what_cannot_begin_says_why() {
    let host = two();
    let manual = json!("manual");
    assert_eq!(
        refused(try_start(&host, "fickle", "1.1.0", &manual)),
        "PB-DELIVERY-007"
    );
    assert_eq!(
        refused(try_start(&host, "fickle", "1.0.0", &canary(json!({})))),
        "PB-DELIVERY-004"
    );
    assert_eq!(
        refused(try_start(&host, "fickle", "9.0.0", &canary(json!({})))),
        "PB-REG-004"
    );
    let of_nobody = host.host().rollout_abort(&name("fickle"), by_ada());
    assert_eq!(refused(of_nobody), "PB-DELIVERY-001");
    assert_eq!(refused(host.host().rollout("fickle-9")), "PB-DELIVERY-002");
    take_in(&host, "echo-1-0");
    assert_eq!(
        refused(try_start(&host, "echo", "1.0.0", &canary(json!({})))),
        "PB-DELIVERY-005"
    );
}

#[test]
fn one_rollout_of_a_plugin_is_under_way_and_the_same_order_is_the_same_rollout() {
    let host = holding(&["fickle-1-0", "fickle-1-1", "fickle-1-2"], |_| {});
    let first = start(&host, &canary(json!({})));
    let again = start(&host, &canary(json!({})));
    assert_eq!((again.id.as_str(), again.changed), (first.id.as_str(), false));
    let other = try_start(&host, "fickle", "1.2.0", &canary(json!({})));
    assert_eq!(refused(other), "PB-DELIVERY-003");
}

#[test]
fn a_plan_says_what_would_be_and_changes_nothing() {
    let host = two();
    let generation = host.host().status().generation;
    let request = json!({ "to": "1.1.0", "policy": canary(json!({ "steps": [5, 50] })) });
    let plan = host
        .host()
        .rollout_plan(&name("fickle"), &serde_json::from_value(request).unwrap())
        .unwrap();
    assert!(plan.allowed && plan.refusal.is_none(), "{plan:?}");
    for part in ["5 %", "50 %", "it goes live"] {
        assert!(plan.steps.iter().any(|step| step.contains(part)), "{plan:?}");
    }
    assert_eq!(host.host().status().generation, generation);
    assert_eq!(host.live("fickle"), "1.0.0");
    assert_eq!(host.host().status().rollouts, 0);
    // What was loaded for the plan does not stay for ever.
    assert!(
        host.host()
            .history(&name("fickle"))
            .unwrap()
            .iter()
            .all(|line| line.action != "weighted")
    );
}

#[test]
fn what_a_deadline_does_is_said_by_the_policy() {
    // Nobody calls, so that no check can pass.
    let waits = json!({ "intervalMs": 10, "minCalls": 50, "noData": "wait" });
    for (then, kind) in [
        ("rollback", "rollout.failed"),
        ("pause", "rollout.paused"),
        ("promote", "rollout.promoted"),
    ] {
        let host = two();
        let from = host.tape().position();
        let policy = canary(json!({
            "pause": { "afterMs": 10 }, "analysis": waits, "deadlineMs": 60, "onDeadline": then,
        }));
        start(&host, &policy);
        let event = wait(&host, from, kind);
        let live = if then == "promote" { "1.1.0" } else { "1.0.0" };
        assert_eq!(host.live("fickle"), live, "{then} {event:?}");
        if then == "pause" {
            assert!(event.message.contains("deadline"), "{event:?}");
            host.host().rollout_abort(&name("fickle"), by_ada()).unwrap();
        }
    }
}
