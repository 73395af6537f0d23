//! Idle plugins are unmapped, and mapped again by the next call.

use std::fs;
use std::sync::Barrier;
use std::time::Duration;

use patchbay_tests_support::patchbay::{
    Call, Config, ControlError, Explain, Order, Output, RevisionState, Value,
};
use patchbay_tests_support::{TestHost, mappings, name};
use patchbay_wire::MappedPluginsView;
use serde_json::{Value as Json, json};

/// Puts what is idle to sleep at once.
fn at_once(config: &mut Config) {
    config.plugins_idle_after = Some(Duration::from_millis(5));
}

fn numbers(host: &TestHost) -> MappedPluginsView {
    host.host().caches().plugins
}

fn mapped(host: &TestHost, of: &str) -> usize {
    let all = mappings(&host.maps());
    all.iter().filter(|line| line.contains(of)).count()
}

/// Waits until a version sleeps and nothing of it is mapped.
fn until_asleep(host: &TestHost, plugin: &str, version: &str) {
    host.until(&format!("{plugin} {version} to sleep"), || {
        let view = host.revision(plugin, version);
        view.asleep && view.memory_bytes.is_none()
    });
}

#[test]
fn a_plugin_that_nobody_calls_is_unmapped_and_the_next_call_maps_it_again() {
    let host = TestHost::holding(&["echo-1-0"], at_once);
    host.wait("plugin.asleep", "echo", "1.0.0");
    until_asleep(&host, "echo", "1.0.0");
    assert_eq!(mapped(&host, "echo-1.0.0"), 0);
    let view = host.revision("echo", "1.0.0");
    assert_eq!((view.state, view.calls_total), (RevisionState::Live, 0));
    assert_eq!(host.live("echo"), "1.0.0");
    assert!(host.host().node("fx.version").is_ok(), "its nodes are listed");
    let (generation, before) = (host.host().status().generation, numbers(&host));
    assert_eq!(host.version(), "1.0.0");
    let stores = host.host().status().generation - generation;
    let awake = host.wait("plugin.awake", "echo", "1.0.0");
    assert!(awake.message.contains(" ms"), "{}", awake.message);
    assert_eq!(host.revision("echo", "1.0.0").calls_total, 1);
    until_asleep(&host, "echo", "1.0.0");
    assert_eq!(
        host.revision("echo", "1.0.0").calls_total,
        1,
        "sleeping loads are counted on"
    );
    let seen = numbers(&host);
    assert_eq!((seen.awake, seen.asleep), (0, 1));
    // On a busy machine it may fall asleep again before the caller that had it woken gets to run: each wake is one store.
    let (wakes, misses) = (seen.wakes - before.wakes, seen.misses - before.misses);
    assert_eq!((wakes, misses, seen.failed_wakes), (stores, stores, 0));
    assert!(
        stores > 0 && seen.sleeps > before.sleeps && seen.last_wake_micros > Some(0),
        "{seen:?}"
    );
}

#[test]
fn every_way_of_calling_wakes() {
    let host = TestHost::holding(&["echo-1-0"], at_once);
    for (node, input) in [
        ("fx.echo", json!({"a": 1})),
        ("fx.ver", json!({})),
        ("fx.sleep", json!({"millis": 1})),
    ] {
        until_asleep(&host, "echo", "1.0.0");
        host.try_call(node, input).unwrap();
    }
    until_asleep(&host, "echo", "1.0.0");
    let node = host.host().resolve("fx.version").unwrap();
    let call = Call::of("default".parse().unwrap());
    let mut out = Output::with_limit(1 << 16);
    node.call(Value::from_json("{}").unwrap().as_ref(), &call, &mut out)
        .unwrap();
    assert!(numbers(&host).wakes >= 4);
}

#[test]
fn a_session_wakes_and_nothing_it_holds_falls_asleep() {
    let host = TestHost::holding(&["echo-1-0", "counter-1-0"], at_once);
    until_asleep(&host, "echo", "1.0.0");
    until_asleep(&host, "counter", "1.0.0");
    let session = host.host().session(&["fx.version", "fx.count"]).unwrap();
    let call = Call::of("default".parse().unwrap());
    let input = Value::from_json(r#"{"by": 2}"#).unwrap();
    let mut out = Output::with_limit(1 << 16);
    for round in 1..=3 {
        let sleeps = numbers(&host).sleeps;
        // Others come and go meanwhile.
        host.bring_in(["clock-1-0", "clock-1-1", "panics"][round - 1]);
        host.until("others to sleep", || numbers(&host).sleeps > sleeps);
        let (value, _) = call
            .in_session(&session, 1, "fx.count", input.as_ref(), &mut out)
            .unwrap();
        assert_eq!(value.get("result").unwrap().as_i64(), Some(2 * round as i64));
    }
    for plugin in ["echo", "counter"] {
        assert!(!host.revision(plugin, "1.0.0").asleep, "{plugin}");
    }
    drop(session);
    until_asleep(&host, "counter", "1.0.0");
    assert_eq!(
        host.try_call("fx.count", json!({"by": 0})).unwrap().output["result"],
        6
    );
}

#[test]
fn calls_and_sessions_of_a_revision_wake_it_live_or_not() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], at_once);
    let (echo, call) = (name("echo"), Call::of("default".parse().unwrap()));
    for version in ["1.0.0", "1.1.0"] {
        let revision = host.revision("echo", version).revision;
        until_asleep(&host, "echo", version);
        let answer = host
            .host()
            .call_revision((&echo, revision), "fx.version", &json!({}), &call);
        assert_eq!(
            answer.unwrap().as_ref().to_json(),
            format!(r#"{{"result":"{version}"}}"#)
        );
        until_asleep(&host, "echo", version);
        let session = host
            .host()
            .session_with(&["fx.version"], &[(&echo, revision)])
            .unwrap();
        assert_eq!(session.served_by(0).unwrap().version.to_string(), version);
        assert!(!host.revision("echo", version).asleep);
    }
    assert_eq!(host.live("echo"), "1.1.0");
}

#[test]
fn all_who_come_at_once_wait_for_one_load() {
    const THREADS: usize = 8;
    // Long enough for one of them to be in before it falls asleep again.
    let host = TestHost::holding(&["echo-1-0"], |config| {
        config.plugins_idle_after = Some(Duration::from_millis(2_500));
    });
    until_asleep(&host, "echo", "1.0.0");
    let loads = numbers(&host).wakes;
    let (begin, all_in) = (Barrier::new(THREADS), Barrier::new(THREADS));
    std::thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                begin.wait();
                let session = host.host().session(&["fx.version"]).unwrap();
                assert_eq!(host.version(), "1.0.0");
                // Until all have theirs, it cannot fall asleep again.
                all_in.wait();
                drop(session);
            });
        }
    });
    assert_eq!(numbers(&host).wakes - loads, 1);
    assert_eq!(numbers(&host).failed_wakes, 0);
}

#[test]
fn no_call_fails_and_nothing_piles_up_while_plugins_fall_asleep_and_wake() {
    const CYCLES: u64 = 200;
    let host = TestHost::holding(&["echo-1-0", "counter-1-0"], |config| {
        config.plugins_idle_after = Some(Duration::from_millis(1));
        config.instances.idle_after = Some(Duration::from_millis(1));
    });
    let most = |host: &TestHost, of: &str, before: usize| before.max(mapped(host, of));
    let calls: Vec<(i64, usize)> = std::thread::scope(|threads| {
        let callers: Vec<_> = (0..3)
            .map(|_| {
                threads.spawn(|| {
                    let (mut calls, mut mappings) = (0, 0);
                    while numbers(&host).sleeps < CYCLES {
                        assert_eq!(host.version(), "1.0.0");
                        host.try_call("fx.count", json!({"by": 1})).unwrap();
                        calls += 1;
                        mappings = most(&host, "echo-1.0.0", mappings);
                        let sleeps = numbers(&host).sleeps;
                        for _ in 0..2_000 {
                            if numbers(&host).sleeps > sleeps {
                                break;
                            }
                            std::thread::yield_now();
                        }
                    }
                    (calls, mappings)
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let total: i64 = calls.iter().map(|(calls, _)| calls).sum();
    let state = host.try_call("fx.count", json!({"by": 0})).unwrap();
    assert_eq!(state.output["result"], total, "no count is lost");
    for plugin in ["echo", "counter"] {
        until_asleep(&host, plugin, "1.0.0");
        assert_eq!(mapped(&host, plugin), 0);
    }
    // One load, and the one before it on its way out.
    let one = {
        let _session = host.host().session(&["fx.version"]).unwrap();
        mapped(&host, "echo-1.0.0")
    };
    let peak = calls.iter().map(|(_, mappings)| *mappings).max().unwrap();
    assert!(one > 0 && peak <= 3 * one, "{peak} mappings, {one} of one load");
    let files = fs::read_dir(host.maps()).unwrap().flatten();
    let files: usize = files.map(|dir| fs::read_dir(dir.path()).unwrap().count()).sum();
    assert!(files <= 2, "{files} copies are left");
    assert_eq!(numbers(&host).failed_wakes, 0);
    assert!(
        host.host().history(&name("echo")).unwrap().len() < 5,
        "a sleep is no change"
    );
}

#[test]
fn state_outlives_the_sleep_and_goes_on_to_the_next_version() {
    let host = TestHost::holding(&["counter-1-0"], at_once);
    let count = |by: i64| host.try_call("fx.count", json!({ "by": by })).unwrap();
    assert_eq!(count(3).output["result"], 3);
    until_asleep(&host, "counter", "1.0.0");
    let seen = host.host().caches().instances;
    assert_eq!((seen.live, seen.parked), (0, 1));
    assert_eq!(count(1).output["result"], 4);
    until_asleep(&host, "counter", "1.0.0");
    // From the one that sleeps to the new one, without mapping the old one for it; the new one may have slept already.
    let live = host.bring_in("counter-1-1");
    assert!(
        live.message.contains("the state of 1 instances"),
        "{}",
        live.message
    );
    let woken = host.tape().all(|event| {
        event.kind == "plugin.awake" && event.version.as_ref().is_some_and(|of| of.to_string() == "1.0.0")
    });
    assert_eq!(woken.len(), 1, "by the second call: {woken:?}");
    assert_eq!(count(1).output["result"], 5);
    // And back, to the warm one that sleeps, with the state of the live one that may sleep as well.
    until_asleep(&host, "counter", "1.0.0");
    until_asleep(&host, "counter", "1.1.0");
    let back = host
        .host()
        .rollback(&name("counter"), None, Order::by("test", "back"))
        .unwrap();
    assert_eq!(back.state.unwrap().instances, 1);
    let reply = count(1);
    assert_eq!(
        (&reply.output["result"], &reply.output["version"]),
        (&json!(6), &json!("1.0.0"))
    );
    // Unless it fell asleep between the two, and had its own state back.
    let from = &reply.output["from"];
    assert!(*from == "1.1.0" || *from == "1.0.0", "{from}");
}

#[test]
fn a_version_that_does_not_take_the_state_of_a_sleeping_one_does_not_go_live() {
    let host = TestHost::holding(&["counter-1-0"], at_once);
    host.try_call("fx.count", json!({"by": 3})).unwrap();
    until_asleep(&host, "counter", "1.0.0");
    host.drop_in("counter-2-0");
    assert_eq!(host.wait_rejected("counter-2-0.so").code, "PB-STATE-005");
    assert_eq!(
        host.try_call("fx.count", json!({"by": 1})).unwrap().output["result"],
        4
    );
}

#[test]
fn a_plugin_whose_state_cannot_be_saved_stays_awake() {
    let host = TestHost::holding(&["counter-1-0", "echo-1-0"], at_once);
    let request = patchbay_tests_support::patchbay::CallRequest {
        config: Some(json!({"save": "none"})),
        ..patchbay_tests_support::patchbay::CallRequest::of(json!({"by": 3}))
    };
    host.host().call_json("fx.count", request.clone()).unwrap();
    // The other one slept and woke several times meanwhile.
    for _ in 0..5 {
        until_asleep(&host, "echo", "1.0.0");
        assert_eq!(host.version(), "1.0.0");
    }
    assert!(!host.revision("counter", "1.0.0").asleep);
    let reply = host.host().call_json("fx.count", request).unwrap();
    assert_eq!(reply.output["result"], 6);
}

#[test]
fn a_rollback_and_a_quarantine_go_to_a_warm_version_that_sleeps() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], at_once);
    until_asleep(&host, "echo", "1.0.0");
    until_asleep(&host, "echo", "1.1.0");
    assert_eq!(host.revision("echo", "1.0.0").state, RevisionState::Warm);
    let plugin = name("echo");
    host.host()
        .rollback(&plugin, None, Order::by("test", "back"))
        .unwrap();
    assert_eq!(
        (host.version().as_str(), host.live("echo").as_str()),
        ("1.0.0", "1.0.0")
    );
    until_asleep(&host, "echo", "1.0.0");
    until_asleep(&host, "echo", "1.1.0");
    let bad = host.host().quarantine(&plugin, None, Order::by("test", "bad"));
    assert_eq!(bad.unwrap().to.unwrap().version.to_string(), "1.1.0");
    assert_eq!(host.version(), "1.1.0");
    host.wait("revision.retired", "echo", "1.0.0");
}

#[test]
fn a_plugin_that_runs_a_thread_or_a_call_stays_awake() {
    let host = TestHost::holding(&["stray", "echo-1-0", "clock-1-0"], at_once);
    let (began, until) = (host.scratch("began"), host.scratch("until"));
    host.call("stray.start", json!({"until": until}));
    std::thread::scope(|threads| {
        let inside = threads.spawn(|| host.call("fx.block", json!({"began": began, "until": until})));
        host.until("the call to be inside", || began.exists());
        for _ in 0..3 {
            until_asleep(&host, "clock", "1.0.0");
            host.call("fx.clock", json!({}));
        }
        let asleep = |plugin: &str| host.plugin(plugin).revisions[0].asleep;
        assert!(!asleep("stray") && !asleep("echo"));
        fs::write(&until, "").unwrap();
        inside.join().unwrap();
    });
    until_asleep(&host, "echo", "1.0.0");
}

#[test]
fn a_plugin_that_cannot_be_mapped_again_says_why_and_is_tried_again() {
    let host = TestHost::holding(&["echo-1-0"], at_once);
    until_asleep(&host, "echo", "1.0.0");
    let (store, away) = (host.config().data.join("artifacts"), host.scratch("away"));
    fs::rename(&store, &away).unwrap();
    fs::create_dir(&store).unwrap();
    let failing = || -> Result<Json, ControlError> { Ok(host.try_call("fx.version", json!({}))?.output) };
    let error = failing().unwrap_err();
    assert_eq!(error.code().0, "PB-IDLE-001", "{error:?}");
    assert!(!error.help().is_empty());
    let shown = host.revision("echo", "1.0.0");
    let why = shown.blocked_by.clone().unwrap();
    assert!(
        shown.asleep && error.to_string().contains(&why.code),
        "{error} {why:?}"
    );
    let told = host.wait("plugin.wake_failed", "echo", "1.0.0");
    assert_eq!(told.code, Some(why.code));
    // Whoever comes at once gets the same answer without another attempt.
    assert!(numbers(&host).failed_wakes >= 1);
    fs::remove_dir(&store).unwrap();
    fs::rename(&away, &store).unwrap();
    host.until("a later call to be answered", || failing().is_ok());
    assert!(host.revision("echo", "1.0.0").blocked_by.is_none());
}

#[test]
fn nothing_sleeps_unless_an_admin_says_so() {
    let host = TestHost::holding(&["echo-1-0"], |config| {
        assert_eq!(config.plugins_idle_after, None);
        config.instances.idle_after = Some(Duration::from_millis(1));
    });
    host.bring_in("counter-1-0");
    host.try_call("fx.count", json!({"by": 1})).unwrap();
    host.until("looks to have been taken", || {
        host.host().caches().instances.parked == 1
    });
    assert_eq!((numbers(&host).asleep, numbers(&host).sleeps), (0, 0));
    assert!(mapped(&host, "echo-1.0.0") > 0);
}
