//! Policies: where they come from, and what they make of a version that arrives.

use std::time::Duration;

use patchbay_tests_support::patchbay::{Config, ConfigFile, Policy};
use patchbay_tests_support::{TestHost, name};
use serde_json::json;

use super::{by_ada, canary, kinds, refused, rollout, take_in, wait};

const FILE: &str = r#"
[rollout]
policy = "immediate"
tick_ms = 10

[plugin.echo]
policy = "manual"

[plugin.fickle.policy.canary]
steps = [20]
pause = "promote"
bake_ms = 0
analysis = "off"
sticky = "tenant"
"#;

fn configured(config: &mut Config) {
    let path = config.plugins.parent().unwrap().join("patchbay.toml");
    std::fs::write(&path, FILE).unwrap();
    ConfigFile::read(&path).unwrap().apply(config).unwrap();
    assert_eq!(config.delivery.tick, Duration::from_millis(10));
}

fn source(host: &TestHost, plugin: &str) -> (String, String) {
    let view = host.host().policy(&name(plugin)).unwrap();
    let kind = match &view.policy {
        serde_json::Value::String(word) => word.clone(),
        other => other.as_object().unwrap().keys().next().unwrap().clone(),
    };
    (kind, view.source)
}

fn is(kind: &str, source: &str) -> (String, String) {
    (kind.to_owned(), source.to_owned())
}

#[test]
fn the_file_says_how_versions_arrive_immediately_by_hand_or_in_steps() {
    let host = TestHost::with(configured);
    // The first one of a plugin has nothing that it could be compared with.
    host.bring_in("fickle-1-0");
    host.bring_in("tls-1-0");
    host.bring_in("tls-1-1");
    let first = take_in(&host, "echo-1-0");
    assert_eq!(host.live("echo"), "", "it waits for an order");
    super::promote(&host, &first);
    take_in(&host, "echo-1-1");
    take_in(&host, "fickle-1-1");
    wait(&host, 0, "rollout.paused");
    let view = rollout(&host);
    assert_eq!((view.weight, view.actor.as_str()), (20.0, "rollout"));
    assert_eq!(host.live("fickle"), "1.0.0");
    assert_eq!(host.live("tls"), "1.1.0");
    assert_eq!(host.version(), "1.0.0");
    assert_eq!(source(&host, "fickle"), is("canary", "file"));
    assert_eq!(source(&host, "echo"), is("manual", "file"));
    assert_eq!(source(&host, "tls"), is("immediate", "default"));
}

#[test]
fn an_ordered_policy_goes_before_the_file_survives_a_restart_and_can_be_taken_back() {
    let mut host = TestHost::with(configured);
    host.bring_in("fickle-1-0");
    let fickle = name("fickle");
    let set = host
        .host()
        .set_policy(&fickle, Some(json!("manual")), by_ada())
        .unwrap();
    assert_eq!(set.source, "api");
    take_in(&host, "fickle-1-1");
    host.restart(|_| {});
    assert_eq!(source(&host, "fickle"), is("manual", "api"));
    assert_eq!(host.live("fickle"), "1.0.0");
    assert_eq!(host.host().status().rollouts, 0, "{:?}", kinds(&host));
    host.host().set_policy(&fickle, None, by_ada()).unwrap();
    assert_eq!(source(&host, "fickle"), is("canary", "file"));
    let audit = host.host().audit(&super::audit_of("fickle")).unwrap();
    let set = audit.iter().filter(|record| record.action == "policy.set");
    assert_eq!(set.count(), 2);
    host.restart(|_| {});
    assert_eq!(source(&host, "fickle"), is("canary", "file"));
}

#[test]
fn a_policy_that_cannot_be_carried_out_is_refused_and_the_one_before_stays() {
    let host = TestHost::with(configured);
    host.bring_in("fickle-1-0");
    for wrong in [
        json!({ "canary": { "steps": [50, 5] } }),
        json!({ "canary": { "steps": [0] } }),
        json!({ "canary": { "stepz": [5] } }),
        json!("gradual"),
    ] {
        let answer = host.host().set_policy(&name("fickle"), Some(wrong), by_ada());
        assert!(refused(answer).starts_with("PB-ROLLOUT-"));
    }
    assert_eq!(source(&host, "fickle"), is("canary", "file"));
    assert_eq!(refused(host.host().policy(&name("nobody"))), "PB-CONTROL-001");
}

#[test]
fn a_newer_version_that_arrives_takes_the_place_of_the_one_that_is_rolled_out() {
    let host = TestHost::with(configured);
    host.bring_in("fickle-1-0");
    take_in(&host, "fickle-1-1");
    wait(&host, 0, "rollout.paused");
    let first = rollout(&host);
    let from = host.tape().position();
    take_in(&host, "fickle-1-2");
    let aborted = wait(&host, from, "rollout.aborted");
    assert!(aborted.message.contains("newer version"), "{aborted:?}");
    assert_eq!(aborted.version.unwrap().to_string(), "1.1.0");
    wait(&host, from, "rollout.paused");
    let second = rollout(&host);
    assert_ne!(first.id, second.id);
    assert_eq!(second.to.version.to_string(), "1.2.0");
    assert_eq!(second.from.unwrap().version.to_string(), "1.0.0");
    assert_eq!(host.live("fickle"), "1.0.0");
}

#[test]
fn an_older_version_that_arrives_starts_nothing() {
    let host = TestHost::with(configured);
    host.bring_in("fickle-1-1");
    take_in(&host, "fickle-1-0");
    let event = take_in(&host, "fickle-1-2");
    wait(&host, host.tape().position_after(&event), "rollout.paused");
    assert_eq!(kinds(&host), ["rollout.paused"], "1.2.0 alone");
}

#[test]
fn an_arrival_whose_rollout_cannot_begin_is_told_of_and_the_stable_version_serves() {
    let host = TestHost::with(|config| {
        config.delivery.tick = Duration::from_millis(10);
        let policy = Policy::from_json(&canary(json!({})).to_string()).unwrap();
        config.delivery.policy = policy;
    });
    host.bring_in("counter-1-0");
    take_in(&host, "counter-1-1");
    let failed = wait(&host, 0, "rollout.failed");
    assert_eq!(failed.code.as_deref(), Some("PB-LIFE-004"));
    assert_eq!(host.live("counter"), "1.0.0");
    assert_eq!(host.call("fx.count", json!({ "by": 1 })), 1);
}
