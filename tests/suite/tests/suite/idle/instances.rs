//! Idle instances are parked: their state outlives them.

use std::time::Duration;

use patchbay_tests_support::TestHost;
use patchbay_tests_support::patchbay::{
    CallReply, CallRequest, Config, ControlError, Explain, InstanceConfig, Order,
};
use patchbay_wire::InstancesView;
use serde_json::{Value as Json, json};

const NODE: &str = "fx.count";

/// Parks what is idle at once.
fn at_once(config: &mut Config) {
    config.instances.idle_after = Some(Duration::from_millis(1));
}

fn counting(host: &TestHost, tenant: &str, config: &Json, by: i64) -> Result<CallReply, ControlError> {
    let request = CallRequest {
        tenant: Some(tenant.parse().unwrap()),
        config: (!config.is_null()).then(|| config.clone()),
        ..CallRequest::of(json!({ "by": by }))
    };
    host.host().call_json(NODE, request)
}

fn count(host: &TestHost, tenant: &str, by: i64) -> i64 {
    let reply = counting(host, tenant, &Json::Null, by).unwrap();
    reply.output["result"].as_i64().unwrap()
}

fn numbers(host: &TestHost) -> InstancesView {
    host.host().caches().instances
}

fn until_parked(host: &TestHost, parked: u64) {
    host.until(&format!("{parked} parked states"), || {
        numbers(host).parked == parked && numbers(host).live == 0
    });
}

#[test]
fn an_idle_instance_is_parked_and_goes_on_counting_where_it_was() {
    let host = TestHost::holding(&["counter-1-0"], at_once);
    for round in 1..=5 {
        assert_eq!(count(&host, "acme", 1), round);
        until_parked(&host, 1);
    }
    let seen = numbers(&host);
    assert_eq!((seen.misses, seen.evictions, seen.restored), (5, 5, 4));
    assert!(seen.parked_bytes > 0);
    assert_eq!(seen.plugins.len(), 1);
    let caches = host.host().caches().caches;
    let listed = caches.iter().find(|cache| cache.name == "instances").unwrap();
    assert_eq!((listed.entries, listed.misses, listed.evictions), (0, 5, 5));
    assert_eq!(
        host.revision("counter", "1.0.0").calls_total,
        5,
        "a look is no call"
    );
}

#[test]
fn an_instance_in_use_is_found_and_not_made_again() {
    let host = TestHost::holding(&["counter-1-0"], |_| {});
    for round in 1..=5 {
        assert_eq!(count(&host, "acme", 1), round);
    }
    let seen = numbers(&host);
    assert_eq!((seen.live, seen.hits, seen.misses, seen.evictions), (1, 4, 1, 0));
    let caches = host.host().caches().caches;
    let listed = caches.iter().find(|cache| cache.name == "instances").unwrap();
    assert_eq!(listed.hit_rate, Some(0.8));
}

#[test]
fn every_tenant_and_configuration_gets_its_own_state_back() {
    let host = TestHost::holding(&["counter-1-0"], at_once);
    let other = json!({"save": "never"});
    for (tenant, by) in [("acme", 1), ("globex", 10)] {
        count(&host, tenant, by);
        counting(&host, tenant, &other, by * 7).unwrap();
    }
    until_parked(&host, 4);
    for (tenant, by) in [("acme", 1), ("globex", 10), ("initech", 0)] {
        assert_eq!(count(&host, tenant, 0), by, "{tenant}");
        let reply = counting(&host, tenant, &other, 0).unwrap();
        assert_eq!(reply.output["result"], by * 7, "{tenant}");
    }
}

#[test]
fn a_parked_state_goes_with_a_swap_and_with_the_rollback() {
    let host = TestHost::holding(&["counter-1-0"], at_once);
    for (tenant, by) in [("acme", 3), ("globex", 4)] {
        count(&host, tenant, by);
    }
    until_parked(&host, 2);
    let live = host.bring_in("counter-1-1");
    assert!(
        live.message.contains("the state of 2 instances"),
        "{}",
        live.message
    );
    assert_eq!(count(&host, "acme", 1), 4);
    host.until("all to be parked again", || {
        let counter = numbers(&host);
        counter.live == 0
    });
    let plugin = "counter".parse().unwrap();
    let back = host.host().rollback(&plugin, None, Order::by("test", "back"));
    assert_eq!(back.unwrap().state.unwrap().instances, 2);
    assert_eq!((count(&host, "acme", 0), count(&host, "globex", 0)), (4, 4));
}

#[test]
fn a_version_that_does_not_take_a_parked_state_does_not_go_live() {
    let host = TestHost::holding(&["counter-1-0"], at_once);
    let config = json!({"load": "1.1.0"});
    counting(&host, "acme", &config, 3).unwrap();
    until_parked(&host, 1);
    host.drop_in("counter-1-1");
    assert_eq!(host.wait_rejected("counter-1-1.so").code, "PB-STATE-004");
    let reply = counting(&host, "acme", &config, 1).unwrap();
    assert_eq!(reply.output["result"], 4);
}

#[test]
fn an_instance_whose_state_cannot_be_kept_stays() {
    for config in [
        json!({"save": "1.0.0"}),
        json!({"save": "1.0.0 panic"}),
        json!({"save": "none"}),
        json!({"load": "1.0.0"}),
        json!({"load": "1.0.0 panic"}),
    ] {
        let host = TestHost::holding(&["counter-1-0", "twins-1-0"], at_once);
        counting(&host, "acme", &config, 3).unwrap();
        // Each look that parks the other plugin's instance has looked at this one's before.
        for round in 1..=3 {
            host.call("fx.left", Json::Null);
            host.until("the other to be parked", || numbers(&host).evictions == round);
        }
        assert_eq!((numbers(&host).live, numbers(&host).parked), (1, 1), "{config}");
        let reply = counting(&host, "acme", &config, 1).unwrap();
        assert_eq!(reply.output["result"], 4, "{config}");
    }
}

#[test]
fn of_too_many_instances_some_are_parked_and_none_forgets() {
    let host = TestHost::holding(&["counter-1-0"], |config| {
        config.instances = InstanceConfig {
            idle_after: None,
            max: 2,
            ..InstanceConfig::default()
        };
    });
    let tenants = ["t0", "t1", "t2", "t3", "t4"];
    for (tenant, by) in tenants.into_iter().zip(1..) {
        count(&host, tenant, by);
    }
    host.until("three to be parked", || numbers(&host).parked == 3);
    assert_eq!(numbers(&host).live, 2);
    for (tenant, by) in tenants.into_iter().zip(1..) {
        assert_eq!(count(&host, tenant, 0), by, "{tenant}");
    }
}

#[test]
fn what_there_is_no_room_for_stays() {
    // The encoded count takes less than 20 bytes, three take more.
    let host = TestHost::holding(&["counter-1-0"], |config| {
        at_once(config);
        config.instances.parked_bytes = 20;
    });
    let tenants = ["t0", "t1", "t2", "t3", "t4"];
    for (tenant, by) in tenants.into_iter().zip(1_000_000..) {
        count(&host, tenant, by);
    }
    host.until("the room to be used", || numbers(&host).parked > 0);
    let seen = numbers(&host);
    assert!(seen.parked < 5 && seen.parked_bytes <= 20, "{seen:?}");
    for (tenant, by) in tenants.into_iter().zip(1_000_000..) {
        assert_eq!(count(&host, tenant, 0), by, "{tenant}");
    }
}

#[test]
fn a_state_that_its_own_node_does_not_take_back_is_kept_for_a_version_that_does() {
    let host = TestHost::holding(&["counter-1-0", "counter-1-1"], at_once);
    host.promote("counter", "1.0.0").unwrap();
    // The node has shown that it takes its states back, and does not do so for this one.
    count(&host, "globex", 1);
    host.until("one to be parked", || numbers(&host).evictions == 1);
    let config = json!({"load": "1.0.0"});
    counting(&host, "acme", &config, 3).unwrap();
    until_parked(&host, 2);
    for _ in 0..2 {
        let error = counting(&host, "acme", &config, 1).unwrap_err();
        assert_eq!(error.code().0, "PB-IDLE-002", "{error:?}");
        assert!(error.help().contains("load_state"), "{}", error.help());
    }
    host.promote("counter", "1.1.0").unwrap();
    let reply = counting(&host, "acme", &config, 1).unwrap();
    assert_eq!(reply.output["result"], 4);
}

#[test]
fn a_call_that_is_inside_keeps_its_instance_and_the_others_are_parked() {
    let host = TestHost::holding(&["counter-1-0"], at_once);
    let (began, until) = (host.scratch("began"), host.scratch("until"));
    std::thread::scope(|threads| {
        let long = json!({"by": 1, "began": began, "until": until});
        let inside = threads.spawn(|| host.call_for("acme", NODE, long));
        host.until("the call to be inside", || began.exists());
        count(&host, "globex", 2);
        host.until("the other to be parked", || numbers(&host).parked == 1);
        assert_eq!(numbers(&host).live, 1);
        std::fs::write(&until, "").unwrap();
        assert_eq!(inside.join().unwrap().unwrap().output["result"], 1);
    });
    assert_eq!((count(&host, "acme", 0), count(&host, "globex", 0)), (1, 2));
}

#[test]
fn no_count_is_lost_or_given_twice_while_instances_come_and_go_under_load() {
    const CALLS: i64 = 400;
    let host = TestHost::holding(&["counter-1-0", "counter-1-1"], at_once);
    std::thread::scope(|threads| {
        for tenant in ["acme", "acme", "globex", "initech"] {
            let host = &host;
            threads.spawn(move || {
                for call in 0..CALLS {
                    count(host, tenant, 1);
                    if call % 4 == 0 {
                        let before = numbers(host).evictions;
                        // It may be parked now, or another thread uses it.
                        for _ in 0..200 {
                            if numbers(host).evictions > before {
                                break;
                            }
                            std::thread::yield_now();
                        }
                    }
                }
            });
        }
        for swap in 0..40 {
            host.promote("counter", ["1.0.0", "1.1.0"][swap % 2]).unwrap();
        }
    });
    assert_eq!(count(&host, "acme", 0), 2 * CALLS);
    assert_eq!(
        (count(&host, "globex", 0), count(&host, "initech", 0)),
        (CALLS, CALLS)
    );
    assert!(numbers(&host).evictions > 0);
}
