//! State goes from version to version: nothing that was counted is lost, and a version that cannot take it over does
//! not go live.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use patchbay_tests_support::TestHost;
use patchbay_tests_support::patchbay::{
    Call, CallReply, CallRequest, ControlError, Explain, Force, Order, Output, Value,
};
use serde_json::{Value as Json, json};

const NODE: &str = "fx.count";

fn counting(config: &Json, by: i64, host: &TestHost) -> Result<CallReply, ControlError> {
    let request = CallRequest {
        config: (!config.is_null()).then(|| config.clone()),
        ..CallRequest::of(json!({ "by": by }))
    };
    host.host().call_json(NODE, request)
}

/// The count, the version that says so, and the version its state came from.
fn count(host: &TestHost, config: &Json, by: i64) -> (i64, String, Option<String>) {
    let reply = counting(config, by, host).unwrap();
    let text = |field: &str| reply.output[field].as_str().map(str::to_owned);
    (
        reply.output["result"].as_i64().unwrap(),
        text("version").unwrap(),
        text("from"),
    )
}

fn both() -> TestHost {
    TestHost::holding(&["counter-1-0", "counter-1-1"], |_| {})
}

/// A host with both versions, of which 1.0.0 is live, and has counted to 3 with this configuration.
fn in_trouble(config: &Json) -> TestHost {
    let host = both();
    host.promote("counter", "1.0.0").unwrap();
    assert_eq!(count(&host, config, 3).0, 3);
    host
}

#[test]
fn state_goes_up_and_down_and_up_again() {
    let host = TestHost::holding(&["counter-1-0"], |_| {});
    assert_eq!(count(&host, &Json::Null, 5), (5, "1.0.0".into(), None));
    let live = host.bring_in("counter-1-1");
    assert!(
        live.message.contains("the state of 1 instances"),
        "{}",
        live.message
    );
    assert_eq!(
        count(&host, &Json::Null, 1),
        (6, "1.1.0".into(), Some("1.0.0".into()))
    );
    let back = host
        .host()
        .rollback(&"counter".parse().unwrap(), None, Order::by("test", "back"))
        .unwrap();
    let state = back.state.unwrap();
    assert_eq!((state.instances, state.dropped), (1, 0));
    assert!(state.bytes > 0);
    assert_eq!(
        count(&host, &Json::Null, 1),
        (7, "1.0.0".into(), Some("1.1.0".into()))
    );
    host.promote("counter", "1.1.0").unwrap();
    assert_eq!(count(&host, &Json::Null, 0).0, 7);
}

#[test]
fn every_tenant_and_configuration_keeps_its_own_state() {
    let host = TestHost::holding(&["counter-1-0"], |_| {});
    for (tenant, by) in [("acme", 1), ("globex", 10)] {
        host.call_for(tenant, NODE, json!({ "by": by })).unwrap();
    }
    let other = json!({"save": "never"});
    count(&host, &other, 100);
    host.bring_in("counter-1-1");
    for (tenant, expected) in [("acme", 1), ("globex", 10), ("initech", 0)] {
        let reply = host.call_for(tenant, NODE, json!({})).unwrap();
        assert_eq!(reply.output["result"], expected, "{tenant}");
    }
    assert_eq!(count(&host, &other, 0).0, 100);
    assert_eq!(count(&host, &Json::Null, 0).0, 0);
}

#[test]
fn no_count_is_lost_or_given_twice_while_versions_alternate_under_load() {
    const SWAPS: usize = 200;
    let host = both();
    let (over, seen) = (AtomicBool::new(false), Mutex::new(BTreeSet::new()));
    let node = host.host().resolve(NODE).unwrap();
    let calls: usize = std::thread::scope(|threads| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                threads.spawn(|| {
                    let call = Call::of("default".parse().unwrap());
                    let input = Value::from_json(r#"{"by": 1}"#).unwrap();
                    let (mut out, mut counts) = (Output::with_limit(1 << 16), Vec::new());
                    while !over.load(Ordering::Acquire) {
                        let (value, _) = node.call(input.as_ref(), &call, &mut out).unwrap();
                        counts.push(value.get("result").unwrap().as_i64().unwrap());
                    }
                    let calls = counts.len();
                    seen.lock().unwrap().extend(counts);
                    calls
                })
            })
            .collect();
        for swap in 0..SWAPS {
            let swapped = host.promote("counter", ["1.0.0", "1.1.0"][swap % 2]);
            if swapped.is_err() {
                over.store(true, Ordering::Release);
            }
            swapped.unwrap();
        }
        over.store(true, Ordering::Release);
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    // Each call added one, so the counts they were given are exactly 1, 2, 3 ... in some order.
    let seen = seen.into_inner().unwrap();
    assert!(calls > SWAPS, "{calls}");
    assert_eq!(seen.len(), calls);
    assert_eq!(seen.last().copied(), Some(calls as i64));
    assert_eq!(count(&host, &Json::Null, 0).0, calls as i64);
}

#[test]
fn a_hand_over_that_fails_leaves_the_old_version_live_with_its_state() {
    for (config, code) in [
        (json!({"create": "1.1.0"}), "PB-STATE-002"),
        (json!({"create": "1.1.0 panic"}), "PB-STATE-002"),
        (json!({"save": "1.0.0"}), "PB-STATE-003"),
        (json!({"save": "1.0.0 panic"}), "PB-STATE-003"),
        (json!({"load": "1.1.0"}), "PB-STATE-004"),
        (json!({"load": "1.1.0 panic"}), "PB-STATE-004"),
    ] {
        let host = in_trouble(&config);
        let generation = host.host().status().generation;
        let error = host.promote("counter", "1.1.0").unwrap_err();
        assert_eq!(error.code().0, code, "{config}: {error:?}");
        assert!(
            error.to_string().contains("asked to") || error.to_string().contains("panicked"),
            "{error}"
        );
        assert!(error.help().contains("--force"), "{}", error.help());
        assert_eq!(host.live("counter"), "1.0.0");
        assert_eq!(host.host().status().generation, generation, "nothing was stored");
        assert_eq!(count(&host, &config, 0).0, 3, "{config}");
    }
}

#[test]
fn a_new_file_whose_hand_over_fails_is_refused_and_may_be_forced() {
    let config = json!({"load": "1.1.0"});
    let host = TestHost::holding(&["counter-1-0"], |_| {});
    count(&host, &config, 3);
    host.drop_in("counter-1-1");
    let refused = host.wait_rejected("counter-1-1.so");
    assert_eq!(refused.code, "PB-STATE-004");
    assert!(refused.hint.contains("--force"), "{}", refused.hint);
    assert_eq!(count(&host, &config, 1).0, 4);
    let order = Order {
        force: Force::Yes,
        ..Order::by("test", "begin afresh")
    };
    let plugin = "counter".parse().unwrap();
    let forced = host.host().promote(&plugin, &"1.1.0".parse().unwrap(), order);
    assert_eq!(forced.unwrap().state, None);
    assert_eq!(count(&host, &config, 1), (1, "1.1.0".into(), None));
}

#[test]
fn a_rollback_hands_over_what_one_tenant_cannot_take_for_nobody() {
    let host = TestHost::holding(&["counter-1-0", "counter-1-1"], |_| {});
    let bad = json!({"load": "1.0.0"});
    count(&host, &Json::Null, 2);
    count(&host, &bad, 3);
    let plugin = "counter".parse().unwrap();
    let error = host
        .host()
        .rollback(&plugin, None, Order::by("test", "back"))
        .unwrap_err();
    assert_eq!(error.code().0, "PB-STATE-004");
    assert_eq!(count(&host, &Json::Null, 1), (3, "1.1.0".into(), None));
    assert_eq!(count(&host, &bad, 1), (4, "1.1.0".into(), None));
}

#[test]
fn an_instance_without_state_to_give_begins_afresh() {
    let config = json!({"save": "none"});
    let host = in_trouble(&config);
    let swap = host.promote("counter", "1.1.0").unwrap();
    assert_eq!(swap.state.unwrap().instances, 0);
    assert_eq!(count(&host, &config, 1), (1, "1.1.0".into(), None));
}

#[test]
fn a_version_without_a_place_for_the_state_does_not_go_live() {
    let host = TestHost::holding(&["counter-1-0"], |_| {});
    count(&host, &Json::Null, 1);
    host.drop_in("counter-2-0");
    assert_eq!(host.wait_rejected("counter-2-0.so").code, "PB-STATE-005");
    assert_eq!(count(&host, &Json::Null, 1).0, 2);
}

#[test]
fn a_version_without_the_node_goes_live_and_says_what_is_lost() {
    let host = TestHost::holding(&["counter-1-0"], |_| {});
    count(&host, &Json::Null, 1);
    host.bring_in("counter-3-0");
    let plugin = "counter".parse().unwrap();
    host.host()
        .rollback(&plugin, None, Order::by("test", "back"))
        .unwrap();
    let away = host.promote("counter", "3.0.0").unwrap();
    assert_eq!(away.state.unwrap().dropped, 1);
}

#[test]
fn a_call_that_stays_inside_keeps_the_old_version_live_and_loses_nobody() {
    let host = TestHost::holding(&["counter-1-0", "counter-1-1"], |config| {
        config.handover_within = Duration::from_millis(50);
    });
    host.promote("counter", "1.0.0").unwrap();
    let (began, until) = (host.scratch("began"), host.scratch("until"));
    std::thread::scope(|threads| {
        let inside = threads.spawn(|| host.try_call(NODE, json!({"by": 1, "began": began, "until": until})));
        host.until("the call to be inside", || began.exists());
        let error = host.promote("counter", "1.1.0").unwrap_err();
        assert_eq!(error.code().0, "PB-STATE-001");
        assert_eq!(count(&host, &Json::Null, 1), (1, "1.0.0".into(), None));
        std::fs::write(&until, "").unwrap();
        assert_eq!(inside.join().unwrap().unwrap().output["result"], 2);
    });
    host.promote("counter", "1.1.0").unwrap();
    assert_eq!(count(&host, &Json::Null, 1).0, 3);
}

#[test]
fn calls_that_meet_a_hand_over_are_counted_once_by_whichever_version_has_the_state() {
    let host = TestHost::holding(&["counter-1-0", "counter-1-1"], |config| {
        config.handover_within = Duration::from_secs(60);
    });
    host.promote("counter", "1.0.0").unwrap();
    let (began, until) = (host.scratch("began"), host.scratch("until"));
    std::thread::scope(|threads| {
        // Inside it calls itself, which must not wait for a hand-over that waits for it.
        let first = json!({"by": 1, "began": began, "until": until, "nested": true});
        let inside = threads.spawn(|| host.try_call(NODE, first));
        host.until("the call to be inside", || began.exists());
        let swap = threads.spawn(|| host.promote("counter", "1.1.0"));
        // Calls that meet the waiting hand-over cannot end before their own limit.
        host.until("the hand-over to wait", || {
            let request = CallRequest {
                timeout_ms: Some(1),
                ..CallRequest::of(json!({"by": 0}))
            };
            let met = host.host().call_json(NODE, request);
            met.is_err_and(|error| error.code().0 == "PB-CALL-006")
        });
        let waiting = threads.spawn(|| count(&host, &Json::Null, 1));
        std::fs::write(&until, "").unwrap();
        assert_eq!(inside.join().unwrap().unwrap().output["version"], "1.0.0");
        swap.join().unwrap().unwrap();
        // It went in before the state was taken, or it waited until the new version had it.
        let (_, version, from) = waiting.join().unwrap();
        let from = from.as_deref();
        assert!([("1.0.0", None), ("1.1.0", Some("1.0.0"))].contains(&(version.as_str(), from)));
        assert_eq!(
            count(&host, &Json::Null, 0),
            (2, "1.1.0".into(), Some("1.0.0".into()))
        );
    });
}

#[test]
fn a_session_goes_on_with_the_state_of_its_own_version() {
    let host = both();
    host.promote("counter", "1.0.0").unwrap();
    count(&host, &Json::Null, 1);
    let session = host.host().session(&[NODE]).unwrap();
    host.promote("counter", "1.1.0").unwrap();
    let call = Call::of("default".parse().unwrap());
    let input = Value::from_json(r#"{"by": 10}"#).unwrap();
    let mut out = Output::with_limit(1 << 16);
    let (value, _) = call
        .in_session(&session, 0, NODE, input.as_ref(), &mut out)
        .unwrap();
    assert_eq!(value.get("result").unwrap().as_i64(), Some(11));
    assert_eq!(count(&host, &Json::Null, 1).0, 2);
}

#[test]
fn a_quarantine_falls_back_without_asking_the_bad_version_for_its_state() {
    let config = json!({"save": "1.1.0 panic"});
    let host = in_trouble(&config);
    host.promote("counter", "1.1.0").unwrap();
    count(&host, &config, 4);
    let plugin = "counter".parse().unwrap();
    host.host()
        .quarantine(&plugin, None, Order::by("test", "bad"))
        .unwrap();
    assert_eq!(count(&host, &config, 0), (3, "1.0.0".into(), None));
}

#[test]
fn a_version_whose_state_was_taken_over_is_unmapped_like_any_other() {
    let host = TestHost::holding(&["counter-1-0"], |config| config.history_limit = 0);
    count(&host, &Json::Null, 1);
    host.bring_in("counter-1-1");
    host.wait("revision.retired", "counter", "1.0.0");
    assert_eq!(count(&host, &Json::Null, 1).0, 2);
}

#[test]
fn a_new_file_goes_live_when_the_long_call_has_ended() {
    let host = TestHost::holding(&["counter-1-0"], |config| {
        config.handover_within = Duration::from_millis(20);
    });
    let (began, until) = (host.scratch("began"), host.scratch("until"));
    std::thread::scope(|threads| {
        let inside = threads.spawn(|| host.try_call(NODE, json!({"by": 1, "began": began, "until": until})));
        host.until("the call to be inside", || began.exists());
        host.drop_in("counter-1-1");
        let waits = host.wait("revision.blocked", "counter", "1.1.0");
        assert_eq!(waits.code.as_deref(), Some("PB-STATE-001"));
        assert!(host.rejected("counter-1-1.so").is_none());
        std::fs::write(&until, "").unwrap();
        inside.join().unwrap().unwrap();
    });
    host.wait("plugin.live", "counter", "1.1.0");
    assert_eq!(
        count(&host, &Json::Null, 1),
        (2, "1.1.0".into(), Some("1.0.0".into()))
    );
}

#[test]
fn one_long_call_costs_other_calls_moments_and_not_their_time_limits() {
    let host = both();
    host.promote("counter", "1.0.0").unwrap();
    let (began, until) = (host.scratch("began"), host.scratch("until"));
    std::thread::scope(|threads| {
        let long = json!({"by": 0, "began": began, "until": until});
        let inside = threads.spawn(|| host.try_call(NODE, long));
        host.until("the call to be inside", || began.exists());
        let swap = threads.spawn(|| host.promote("counter", "1.1.0"));
        // More than any one turn of the hand-over, far less than it waits in all.
        let mut answered = 0;
        while !swap.is_finished() {
            let request = CallRequest {
                timeout_ms: Some(600),
                ..CallRequest::of(json!({"by": 1}))
            };
            host.host().call_json(NODE, request).unwrap();
            answered += 1;
        }
        assert_eq!(swap.join().unwrap().unwrap_err().code().0, "PB-STATE-001");
        assert!(answered > 0);
        std::fs::write(&until, "").unwrap();
        inside.join().unwrap().unwrap();
    });
}

#[test]
fn nodes_that_became_one_keep_the_old_version_live() {
    let host = TestHost::holding(&["twins-1-0"], |_| {});
    for node in ["fx.left", "fx.right"] {
        host.call(node, Json::Null);
    }
    host.drop_in("twins-2-0");
    assert_eq!(host.wait_rejected("twins-2-0.so").code, "PB-STATE-007");
    assert_eq!(host.call("fx.left", Json::Null), 2);
    assert_eq!(host.call("fx.right", Json::Null), 2);
}

#[test]
fn a_configuration_is_told_of_and_refused_by_a_node_that_keeps_no_state() {
    let host = TestHost::holding(&["counter-1-0", "clock-1-0"], |_| {});
    let nodes = host.host().nodes();
    let config = |name: &str| {
        &nodes
            .iter()
            .find(|node| node.node_type.as_str() == name)
            .unwrap()
            .config
    };
    assert!(config(NODE).is_object(), "{}", config(NODE));
    assert!(config("fx.clock").is_null());
    let request = CallRequest {
        config: Some(json!({"save": "x"})),
        ..CallRequest::of(json!({}))
    };
    let error = host.host().call_json("fx.clock", request).unwrap_err();
    assert_eq!(error.code().0, "PB-CONTROL-003");
    assert!(error.to_string().contains("fx.clock"), "{error}");
    host.call("fx.clock", json!({}));
}
