//! A host that starts again serves what it served.

use std::fs;
use std::path::PathBuf;

use patchbay_tests_support::patchbay::{Config, Mode, Policy, PromoteHow, RevisionState};
use patchbay_tests_support::{TestHost, deploy, fixture, name};
use serde_json::json;

use super::{by_ada, canary, holding, quick, refused, rollout, start, two, version_for};

/// Where the copy of an artifact lies.
fn artifact(config: &Config, digest: &str) -> PathBuf {
    let entries = fs::read_dir(config.data.join("artifacts")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().contains(digest);
    paths
        .find(is_it)
        .unwrap_or_else(|| panic!("no artifact {digest}"))
}

pub(super) fn remove_artifact(config: &Config, digest: &str) {
    fs::remove_file(artifact(config, digest)).unwrap();
}

/// 1.0.0 and 1.1.0 went live one after the other, by themselves.
fn both_live() -> TestHost {
    TestHost::holding(&["fickle-1-0", "fickle-1-1"], |config| {
        quick(config);
        config.delivery.policy = Policy::Immediate;
    })
}

#[test]
fn what_was_rolled_back_stays_so_though_the_directory_has_a_higher_version() {
    let mut host = both_live();
    host.host().rollback(&name("fickle"), None, by_ada()).unwrap();
    let generation = host.host().status().generation;
    for _ in 0..2 {
        host.restart(|_| {});
        assert_eq!(host.live("fickle"), "1.0.0");
        assert_eq!(host.host().status().mode, "normal");
    }
    assert!(host.host().status().generation >= generation, "generations go on");
    host.promote("fickle", "1.1.0").unwrap();
    host.restart(|_| {});
    assert_eq!(host.live("fickle"), "1.1.0");
}

#[test]
fn a_version_that_came_while_the_host_was_down_goes_live_as_its_policy_says() {
    let mut host = both_live();
    host.restart(|config| deploy(&fixture("fickle-1-2"), &config.plugins.join("fickle-1-2.so")));
    assert_eq!(host.live("fickle"), "1.2.0");

    let mut host = two();
    host.restart(|config| deploy(&fixture("fickle-1-2"), &config.plugins.join("fickle-1-2.so")));
    assert_eq!(host.live("fickle"), "1.0.0");
    assert_eq!(host.plugin("fickle").revisions.len(), 3);
}

#[test]
fn history_numbers_and_quarantine_are_as_they_were() {
    let mut host = both_live();
    host.host().quarantine(&name("fickle"), None, by_ada()).unwrap();
    let lines = |host: &TestHost| {
        let history = host.host().history(&name("fickle")).unwrap();
        let kept = history.into_iter().filter(|line| line.action != "retired");
        kept.map(|line| {
            (
                line.action,
                line.revision,
                line.actor,
                line.reason,
                line.at,
                line.generation,
            )
        })
        .collect::<Vec<_>>()
    };
    let before = lines(&host);
    assert!(before.len() >= 6);
    host.restart(|_| {});
    assert_eq!(lines(&host), before);
    assert_eq!(host.live("fickle"), "1.0.0");
    assert_eq!(host.revision("fickle", "1.1.0").state, RevisionState::Quarantined);
    assert_eq!(refused(host.promote("fickle", "1.1.0")), "PB-REG-006");
    let first = host.revision("fickle", "1.0.0").revision;
    assert_eq!(first.0, 1);
    assert!(host.host().audit_verify(None).unwrap().intact);
}

#[test]
fn a_canary_goes_on_at_its_step_with_whom_it_had() {
    let mut host = two();
    let policy = canary(json!({ "steps": [10, 50], "sticky": "tenant" }));
    let begun = start(&host, &policy);
    host.host()
        .rollout_promote(&name("fickle"), PromoteHow::NextStep, by_ada())
        .unwrap();
    let tenants: Vec<String> = (0..50).map(|number| format!("tenant-{number}")).collect();
    let who =
        |host: &TestHost| -> Vec<String> { tenants.iter().map(|tenant| version_for(host, tenant)).collect() };
    let before = who(&host);
    host.restart(|_| {});
    let view = rollout(&host);
    assert_eq!((&view.id, view.step, view.weight), (&begun.id, Some(2), 50.0));
    assert!(!view.finished && view.phase == "paused", "{view:?}");
    assert_eq!(who(&host), before);
    assert_eq!(host.live("fickle"), "1.0.0");
    host.host()
        .rollout_promote(&name("fickle"), PromoteHow::Full, by_ada())
        .unwrap();
    host.restart(|_| {});
    assert_eq!(
        (host.live("fickle").as_str(), host.host().status().rollouts),
        ("1.1.0", 0)
    );
}

#[test]
fn what_was_forced_when_a_rollout_began_is_so_after_a_restart() {
    let mut host = holding(&["echo-1-0"], |_| {});
    super::promote(&host, &super::take_in(&host, "needs-echo"));
    super::take_in(&host, "echo-2-0");
    let to = super::selector("2.0.0");
    let policy = Some(canary(json!({ "steps": [50] })));
    host.host()
        .rollout_start(&name("echo"), &to, policy, super::forced())
        .unwrap();
    host.restart(|_| {});
    let view = host.host().rollout("echo").unwrap();
    assert_eq!((view.phase.as_str(), view.weight), ("paused", 50.0), "{view:?}");
    host.host()
        .rollout_promote(&name("echo"), PromoteHow::Full, by_ada())
        .unwrap();
    assert_eq!(host.version(), "2.0.0");
}

#[test]
fn a_canary_in_time_goes_on_in_time_and_one_that_bakes_goes_on_baking() {
    let mut host = two();
    start(
        &host,
        &canary(json!({ "steps": [10], "pause": { "afterMs": 1_800_000 }, "bakeMs": 40 })),
    );
    host.restart(|_| {});
    assert_eq!(rollout(&host).phase, "stepping");
    let from = host.tape().position();
    host.host()
        .rollout_promote(&name("fickle"), PromoteHow::NextStep, by_ada())
        .unwrap();
    super::wait(&host, from, "rollout.promoted");

    let mut host = two();
    start(&host, &canary(json!({ "steps": [100], "bakeMs": 1_800_000 })));
    host.restart(|_| {});
    assert_eq!(
        (rollout(&host).phase.as_str(), host.live("fickle").as_str()),
        ("baking", "1.1.0")
    );
    host.host().rollout_abort(&name("fickle"), by_ada()).unwrap();
    assert_eq!(host.live("fickle"), "1.0.0");
}

#[test]
fn a_shadow_goes_on_and_a_paused_rollout_stays_paused() {
    let mut host = two();
    start(
        &host,
        &json!({ "shadow": { "calls": 20, "ignore": ["$.by"], "then": "manual" } }),
    );
    host.restart(|_| {});
    assert_eq!(rollout(&host).phase, "shadowing");
    host.until("the shadow to be over", || {
        host.try_call("fk.do", json!({})).unwrap();
        rollout(&host).phase == "paused"
    });
    host.restart(|_| {});
    assert_eq!(
        (rollout(&host).phase.as_str(), host.live("fickle").as_str()),
        ("paused", "1.0.0")
    );
}

#[test]
fn a_live_artifact_that_is_gone_or_damaged_is_replaced_by_the_one_before_and_that_is_shown() {
    for damage in ["gone", "cut", "overwritten"] {
        let mut host = both_live();
        let digest = host.revision("fickle", "1.1.0").digest.to_string();
        host.restart(|config| {
            let path = artifact(config, &digest);
            fs::remove_file(config.plugins.join("fickle-1-1.so")).unwrap();
            match damage {
                "gone" => fs::remove_file(&path).unwrap(),
                _ => {
                    let mut content = fs::read(&path).unwrap();
                    match damage {
                        "cut" => content.truncate(content.len() / 2),
                        _ => content.iter_mut().skip(4096).for_each(|byte| *byte ^= 0x5a),
                    }
                    fs::remove_file(&path).unwrap();
                    fs::write(&path, content).unwrap();
                }
            }
        });
        assert_eq!(host.live("fickle"), "1.0.0", "{damage}");
        assert_eq!(version_for(&host, "acme"), "1.0.0");
        let desired = host.plugin("fickle").desired.unwrap();
        assert_eq!(desired.version.to_string(), "1.1.0", "{damage}");
        assert!(host.promote("fickle", "1.1.0").is_err(), "{damage}");
        assert_eq!(host.live("fickle"), "1.0.0");
        // The file comes back, and with it what should be live.
        host.restart(|config| deploy(&fixture("fickle-1-1"), &config.plugins.join("fickle-1-1.so")));
        assert_eq!(host.live("fickle"), "1.1.0", "{damage}");
        assert_eq!(
            host.plugin("fickle").desired.unwrap().version.to_string(),
            "1.1.0"
        );
    }
}

#[test]
fn whoever_orders_what_stands_in_for_a_lost_version_means_it() {
    let mut host = both_live();
    let digest = host.revision("fickle", "1.1.0").digest.to_string();
    host.restart(|config| {
        remove_artifact(config, &digest);
        fs::remove_file(config.plugins.join("fickle-1-1.so")).unwrap();
    });
    let desired = |host: &TestHost| host.plugin("fickle").desired.unwrap().version.to_string();
    assert_eq!(
        (host.live("fickle"), desired(&host)),
        ("1.0.0".into(), "1.1.0".into())
    );
    host.promote("fickle", "1.0.0").unwrap();
    assert_eq!(
        (host.live("fickle"), desired(&host)),
        ("1.0.0".into(), "1.0.0".into())
    );
    host.restart(|config| deploy(&fixture("fickle-1-1"), &config.plugins.join("fickle-1-1.so")));
    assert_eq!(
        (host.live("fickle"), desired(&host)),
        ("1.0.0".into(), "1.0.0".into())
    );
}

#[test]
fn a_plugin_directory_that_was_emptied_takes_nothing_out_of_service() {
    let mut host = TestHost::opened(&["string", "math"], &["echo-1-0", "fickle-1-1"], |_| {});
    let before: Vec<_> = host
        .host()
        .plugins()
        .into_iter()
        .map(|plugin| (plugin.name, plugin.live))
        .collect();
    assert!(
        before.len() == 4 && before.iter().all(|(_, live)| live.is_some()),
        "{before:?}"
    );
    host.restart(|config| {
        fs::remove_dir_all(&config.plugins).unwrap();
        fs::create_dir(&config.plugins).unwrap();
    });
    let after: Vec<_> = host
        .host()
        .plugins()
        .into_iter()
        .map(|plugin| (plugin.name, plugin.live))
        .collect();
    assert_eq!(after, before);
    assert_eq!(version_for(&host, "acme"), "1.1.0");
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn dependents_come_back_with_what_they_need() {
    let mut host = holding(&["echo-1-0"], |_| {});
    super::promote(&host, &super::take_in(&host, "needs-echo"));
    host.restart(|_| {});
    assert_eq!(host.call("needs.version", json!({})), "1.0.0");
}

#[test]
fn in_safe_mode_nothing_goes_forward_by_itself_and_orders_are_followed() {
    let mut host = both_live();
    let set = host
        .host()
        .set_policy(&name("fickle"), Some(json!("immediate")), by_ada());
    set.unwrap();
    host.close();
    deploy(
        &fixture("fickle-1-2"),
        &host.config().plugins.join("fickle-1-2.so"),
    );
    host.reopen(|config| config.delivery.mode = Mode::Safe).unwrap();
    assert_eq!(host.host().status().mode, "safe");
    assert_eq!(host.live("fickle"), "1.1.0");
    assert_eq!(host.plugin("fickle").revisions.len(), 2, "no file is taken in");
    host.promote("fickle", "1.0.0").unwrap();
    assert_eq!(version_for(&host, "acme"), "1.0.0");
    host.reopen(|config| config.delivery.mode = Mode::Normal).unwrap();
    assert_eq!(host.host().status().mode, "normal");
    assert_eq!(host.live("fickle"), "1.2.0", "what arrived meanwhile is taken in");
}

#[test]
fn a_rollout_whose_candidate_is_gone_at_the_start_fails_and_the_stable_version_serves() {
    let mut host = two();
    start(
        &host,
        &canary(json!({ "steps": [50], "pause": { "afterMs": 1_800_000 } })),
    );
    let digest = host.revision("fickle", "1.1.0").digest.to_string();
    host.restart(|config| {
        remove_artifact(config, &digest);
        fs::remove_file(config.plugins.join("fickle-1-1.so")).unwrap();
    });
    let view = rollout(&host);
    assert!(view.finished && view.phase == "failed", "{view:?}");
    for number in 0..20 {
        assert_eq!(version_for(&host, &format!("t{number}")), "1.0.0");
    }
}
