//! Rollouts come and go under load, and no call fails of it.

use std::collections::BTreeMap;

use patchbay_tests_support::name;
use patchbay_tests_support::patchbay::{PinScope, PromoteHow};
use serde_json::json;

use super::{by_ada, canary, holding, selector, start, two, under_load, wait};

#[test]
fn shares_pins_pauses_aborts_and_promotions_under_load_fail_no_call() {
    let host = two();
    let fickle = name("fickle");
    let ((), load) = under_load(&host, 4, &json!({ "value": 7 }), |load| {
        for round in 0..10 {
            start(&host, &canary(json!({ "steps": [5, 50, 90] })));
            load.more(&host, 40);
            for _ in 0..2 {
                host.host()
                    .rollout_promote(&fickle, PromoteHow::NextStep, by_ada())
                    .unwrap();
                load.more(&host, 40);
            }
            let scope = PinScope {
                tenant: Some("acme".parse().unwrap()),
                workflow: None,
            };
            host.host()
                .pin(&fickle, &selector("1.0.0"), scope.clone(), by_ada())
                .unwrap();
            load.more(&host, 20);
            host.host().unpin(&fickle, scope, by_ada()).unwrap();
            if round % 2 == 0 {
                host.host().rollout_abort(&fickle, by_ada()).unwrap();
            } else {
                host.host()
                    .rollout_promote(&fickle, PromoteHow::Full, by_ada())
                    .unwrap();
                load.more(&host, 20);
                host.host().rollback(&fickle, None, by_ada()).unwrap();
            }
            assert_eq!(host.live("fickle"), "1.0.0");
        }
    });
    assert_eq!(load.failures(), BTreeMap::new());
    assert!(
        load.answered_by("1.0.0") > 0 && load.answered_by("1.1.0") > 0,
        "{load:?}"
    );
    let verified = host.host().audit_verify(None).unwrap();
    assert!(verified.intact, "{verified:?}");
}

#[test]
fn a_canary_from_its_first_step_to_its_end_under_load_fails_no_call_though_nothing_is_kept_warm() {
    let host = holding(&["fickle-1-0", "fickle-1-1"], |config| config.history_limit = 0);
    let policy = canary(json!({
        "steps": [10, 50], "pause": { "afterMs": 50 }, "bakeMs": 50,
        "analysis": { "intervalMs": 20, "minCalls": 10, "latency": [] },
    }));
    let ((), load) = under_load(&host, 4, &json!({}), |load| {
        for (to, from) in [("1.1.0", "1.0.0"), ("1.0.0", "1.1.0"), ("1.1.0", "1.0.0")] {
            assert_eq!(host.live("fickle"), from);
            let at = host.tape().position();
            super::try_start(&host, "fickle", to, &policy).unwrap();
            wait(&host, at, "rollout.promoted");
            assert_eq!(host.live("fickle"), to);
            load.more(&host, 50);
        }
    });
    assert_eq!(load.failures(), BTreeMap::new());
}
