//! What somebody orders of a rollout: once, twice, and under a key.

use patchbay_tests_support::patchbay::{
    AuditFilter, ControlError, Order, PinScope, PromoteHow, RolloutScope, RolloutView,
};
use patchbay_tests_support::{TestHost, name};
use serde_json::json;

use super::{by_ada, canary, refused, rollout, start, try_start, two, wait};

type Ordering = fn(&TestHost, Order) -> Result<RolloutView, ControlError>;

const PAUSE: Ordering = |host, order| host.host().rollout_pause(&name("fickle"), order);
const RESUME: Ordering = |host, order| host.host().rollout_resume(&name("fickle"), order);
const ABORT: Ordering = |host, order| host.host().rollout_abort(&name("fickle"), order);
const NEXT: Ordering = |host, order| {
    host.host()
        .rollout_promote(&name("fickle"), PromoteHow::NextStep, order)
};
const FULL: Ordering = |host, order| {
    host.host()
        .rollout_promote(&name("fickle"), PromoteHow::Full, order)
};

/// A rollout that stands in a step for as long as nobody orders anything.
fn standing() -> TestHost {
    let host = two();
    start(
        &host,
        &canary(json!({ "steps": [10, 50], "pause": { "afterMs": 1_800_000 } })),
    );
    host
}

#[test]
fn pause_and_resume_take_effect_once_however_often_they_are_ordered() {
    let host = standing();
    for (ordered, phase) in [(PAUSE, "paused"), (RESUME, "stepping")] {
        let first = ordered(&host, by_ada()).unwrap();
        assert_eq!((first.phase.as_str(), first.changed), (phase, true));
        let again = ordered(&host, by_ada()).unwrap();
        assert_eq!((again.phase.as_str(), again.changed), (phase, false));
        assert_eq!(again.weight, 10.0, "its share stays as it is");
    }
    let kinds = super::kinds(&host);
    assert_eq!(kinds, ["rollout.step", "rollout.paused", "rollout.step"]);
}

#[test]
fn promote_goes_a_step_on_or_to_the_end_and_then_says_that_it_is_done() {
    let host = standing();
    let next = NEXT(&host, by_ada()).unwrap();
    assert_eq!((next.step, next.weight, next.changed), (Some(2), 50.0, true));
    let full = FULL(&host, by_ada()).unwrap();
    assert_eq!((full.phase.as_str(), full.changed), ("promoted", true));
    assert_eq!(host.live("fickle"), "1.1.0");
    let again = FULL(&host, by_ada()).unwrap();
    assert_eq!(
        (again.id, again.phase.as_str(), again.changed),
        (full.id, "promoted", false)
    );
    assert_eq!(refused(PAUSE(&host, by_ada())), "PB-DELIVERY-001");
    assert_eq!(refused(ABORT(&host, by_ada())), "PB-DELIVERY-001");
    assert_eq!(host.live("fickle"), "1.1.0");
}

#[test]
fn abort_takes_the_share_back_once_however_often_it_is_ordered() {
    let host = standing();
    let first = ABORT(&host, by_ada()).unwrap();
    assert_eq!(
        (first.phase.as_str(), first.changed, first.weight),
        ("aborted", true, 0.0)
    );
    let again = ABORT(&host, by_ada()).unwrap();
    assert_eq!(
        (again.id, again.phase.as_str(), again.changed),
        (first.id, "aborted", false)
    );
    assert_eq!(host.live("fickle"), "1.0.0");
    for number in 0..50 {
        assert_eq!(super::version_for(&host, &format!("t{number}")), "1.0.0");
    }
    assert_eq!(refused(FULL(&host, by_ada())), "PB-DELIVERY-001");
}

#[test]
fn a_step_that_waits_for_a_promotion_is_not_resumed() {
    let host = two();
    start(&host, &canary(json!({})));
    let refusal = RESUME(&host, by_ada());
    assert!(refused(refusal).starts_with("PB-ROLLOUT-"));
    assert_eq!(rollout(&host).weight, 25.0);
}

#[test]
fn what_was_ordered_is_in_the_audit_with_who_and_why_and_the_audit_is_whole() {
    let host = standing();
    let order = || Order::by("eve", "it is friday");
    PAUSE(&host, order()).unwrap();
    RESUME(&host, order()).unwrap();
    ABORT(&host, order()).unwrap();
    let filter = AuditFilter {
        plugin: Some(name("fickle")),
        actor: Some("eve".to_owned()),
        ..AuditFilter::default()
    };
    let records = host.host().audit(&filter).unwrap();
    let actions: Vec<_> = records.iter().map(|record| record.action.as_str()).collect();
    assert!(
        ["rollout.paused", "rollout.step", "rollout.aborted"]
            .iter()
            .all(|action| actions.contains(action)),
        "{actions:?}"
    );
    let of_rollouts = records
        .iter()
        .filter(|record| record.action.starts_with("rollout."));
    assert!(
        of_rollouts
            .into_iter()
            .all(|record| record.reason == "it is friday")
    );
    let verified = host.host().audit_verify(None).unwrap();
    assert!(verified.intact, "{verified:?}");
}

#[test]
fn an_order_under_a_key_is_carried_out_once_though_it_comes_again_later() {
    let host = two();
    let keyed = |key: &str| Order {
        key: Some(key.to_owned()),
        ..by_ada()
    };
    let to = super::selector("1.1.0");
    let policy = || Some(canary(json!({})));
    let begin = || {
        host.host()
            .rollout_start(&name("fickle"), &to, policy(), keyed("one"))
    };
    let first = begin().unwrap();
    ABORT(&host, keyed("two")).unwrap();
    // The answer to the first order was lost, and it is sent once more.
    let again = begin().unwrap();
    assert_eq!(
        (again.id, again.phase.as_str(), again.changed),
        (first.id, "aborted", false)
    );
    assert_eq!(host.host().status().rollouts, 0, "nothing begins anew");
    let second = start(&host, &canary(json!({})));
    // So that the key of an old abort ends no other rollout.
    ABORT(&host, keyed("two")).unwrap();
    assert_eq!(rollout(&host).id, second.id);
    assert_eq!(host.host().status().rollouts, 1);
    // A key stands for one kind of order.
    assert_eq!(
        refused(host.host().set_policy(&name("fickle"), None, keyed("one"))),
        "PB-DELIVERY-008"
    );
}

#[test]
fn a_pin_and_a_policy_under_a_key_are_ordered_once_though_they_come_again_later() {
    let host = two();
    let keyed = |key: &str| Order {
        key: Some(key.to_owned()),
        ..by_ada()
    };
    let fickle = name("fickle");
    let to = super::selector("1.1.0");
    let scope = PinScope::default;
    let pin = || host.host().pin(&fickle, &to, scope(), keyed("pin")).unwrap();
    let unpin = |key| host.host().unpin(&fickle, scope(), keyed(key)).unwrap();
    assert!(pin().changed);
    assert!(unpin("unpin").changed);
    let again = pin();
    assert!(!again.changed && again.pin.is_none(), "{again:?}");
    assert!(host.host().pins(None).unwrap().is_empty());

    let set = |policy, key| host.host().set_policy(&fickle, Some(policy), keyed(key)).unwrap();
    set(json!("immediate"), "first");
    set(json!("manual"), "second");
    let again = set(json!("immediate"), "first");
    assert_eq!(again.policy, json!("manual"));
}

#[test]
fn of_orders_at_once_one_begins_a_rollout_and_the_others_are_told_of_it() {
    let host = two();
    let views: Vec<_> = std::thread::scope(|threads| {
        let order = || try_start(&host, "fickle", "1.1.0", &canary(json!({}))).unwrap();
        let orders: Vec<_> = (0..8).map(|_| threads.spawn(order)).collect();
        orders.into_iter().map(|order| order.join().unwrap()).collect()
    });
    assert_eq!(views.iter().filter(|view| view.changed).count(), 1);
    assert!(views.iter().all(|view| view.id == views[0].id));
    ABORT(&host, by_ada()).unwrap();
    let all = host
        .host()
        .rollouts(Some(&name("fickle")), RolloutScope::All)
        .unwrap();
    assert!(all.len() == 1 && all[0].finished, "{all:#?}");
}

#[test]
fn a_rollout_that_ended_can_be_begun_again_and_both_are_remembered() {
    let host = standing();
    let first = rollout(&host);
    ABORT(&host, by_ada()).unwrap();
    let from = host.tape().position();
    let second = try_start(&host, "fickle", "1.1.0", &canary(json!({ "steps": [100] }))).unwrap();
    wait(&host, from, "rollout.promoted");
    assert_ne!(first.id, second.id);
    let all = host
        .host()
        .rollouts(Some(&name("fickle")), RolloutScope::All)
        .unwrap();
    let ends: Vec<_> = all
        .iter()
        .map(|view| (view.id.as_str(), view.phase.as_str(), view.evidence.len()))
        .collect();
    assert_eq!(
        ends,
        [
            (second.id.as_str(), "promoted", 1),
            (first.id.as_str(), "aborted", 1)
        ]
    );
}
