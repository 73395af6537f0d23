//! What is kept of old versions.

use std::fs;

use patchbay_tests_support::TestHost;
use patchbay_tests_support::name;
use patchbay_tests_support::patchbay::{Collect, CollectedView, Config, PinScope};
use serde_json::json;

use super::{by_ada, canary, holding, selector, try_start};

/// 1.0.0, 1.1.0 and 1.2.0 went live one after the other, and the old ones are unloaded.
fn three(change: impl FnOnce(&mut Config)) -> TestHost {
    let host = holding(&["fickle-1-0", "fickle-1-1", "fickle-1-2"], |config| {
        config.history_limit = 0;
        config.delivery.retention.revisions = 1;
        config.delivery.retention.rollbacks = 1;
        change(config);
    });
    let from = host.tape().position();
    for version in ["1.1.0", "1.2.0"] {
        host.promote("fickle", version).unwrap();
    }
    for version in ["1.0.0", "1.1.0"] {
        super::wait_retired(&host, from, version);
    }
    host
}

fn versions(of: &[patchbay_wire::ArtifactView]) -> Vec<String> {
    let mut versions: Vec<_> = of
        .iter()
        .map(|one| one.version.as_ref().unwrap().to_string())
        .collect();
    versions.sort();
    versions
}

fn collect(host: &TestHost, how: Collect) -> CollectedView {
    host.host().collect(how, by_ada()).unwrap()
}

fn artifacts(host: &TestHost) -> usize {
    fs::read_dir(host.config().data.join("artifacts"))
        .unwrap()
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_str().unwrap().len() >= 64
        })
        .count()
}

#[test]
fn a_dry_run_says_what_the_real_one_does_and_changes_nothing() {
    let host = three(|_| {});
    let before = artifacts(&host);
    let dry = collect(&host, Collect::DryRun);
    assert!(dry.dry_run);
    assert_eq!(versions(&dry.removed), ["1.0.0"]);
    assert_eq!(versions(&dry.kept), ["1.1.0", "1.2.0"]);
    assert_eq!(
        (artifacts(&host), host.plugin("fickle").revisions.len()),
        (before, 3)
    );
    let length = fs::metadata(host.inbox("fickle-1-0.so")).unwrap().len();
    assert_eq!(dry.bytes_freed, length);
    let real = collect(&host, Collect::ForReal);
    assert!(!real.dry_run);
    assert_eq!((&real.removed, &real.kept), (&dry.removed, &dry.kept));
    assert_eq!(
        (real.bytes_before, real.bytes_freed),
        (dry.bytes_before, dry.bytes_freed)
    );
    assert_eq!(host.plugin("fickle").revisions.len(), 2);
    host.until("the artifact to be gone", || artifacts(&host) == before - 1);
    let history = host.host().history(&name("fickle")).unwrap();
    let last = history.last().unwrap();
    assert_eq!((last.action.as_str(), last.actor.as_str()), ("forgotten", "ada"));
    let again = collect(&host, Collect::ForReal);
    assert!(
        again.removed.is_empty() && again.bytes_before == real.bytes_before - length,
        "{again:?}"
    );
}

#[test]
fn what_is_live_pinned_rolled_out_or_within_a_rollbacks_reach_stays_whatever_the_limits_say() {
    let host = three(|config| config.delivery.retention.bytes = 1);
    assert_eq!(versions(&collect(&host, Collect::DryRun).removed), ["1.0.0"]);
    let scope = PinScope {
        tenant: Some("acme".parse().unwrap()),
        workflow: None,
    };
    host.host()
        .pin(&name("fickle"), &selector("1.0.0"), scope.clone(), by_ada())
        .unwrap();
    assert!(collect(&host, Collect::ForReal).removed.is_empty());
    host.host().unpin(&name("fickle"), scope, by_ada()).unwrap();
    try_start(&host, "fickle", "1.0.0", &canary(json!({}))).unwrap();
    assert!(collect(&host, Collect::ForReal).removed.is_empty());
    host.host().rollout_abort(&name("fickle"), by_ada()).unwrap();
    host.until("1.0.0 to be unloaded", || {
        !collect(&host, Collect::DryRun).removed.is_empty()
    });
    assert_eq!(versions(&collect(&host, Collect::ForReal).removed), ["1.0.0"]);
    // The rollback that was kept within reach works.
    let back = host.host().rollback(&name("fickle"), None, by_ada()).unwrap();
    assert_eq!(back.to.unwrap().version.to_string(), "1.1.0");
}

#[test]
fn the_disk_budget_takes_the_oldest_that_nothing_needs() {
    let host = three(|config| config.delivery.retention.revisions = 20);
    assert!(
        collect(&host, Collect::DryRun).removed.is_empty(),
        "there is room for all"
    );
    let host = three(|config| {
        config.delivery.retention.revisions = 20;
        config.delivery.retention.bytes = 1;
    });
    let done = collect(&host, Collect::ForReal);
    assert_eq!(versions(&done.removed), ["1.0.0"]);
    assert!(done.removed[0].why.contains("more than they may"), "{done:?}");
}

#[test]
fn old_versions_go_by_themselves_and_are_gone_after_a_restart() {
    let mut host = three(|_| {});
    let often = std::time::Duration::from_millis(20);
    host.reopen(|config| {
        fs::remove_file(config.plugins.join("fickle-1-0.so")).unwrap();
        config.delivery.retention.every = often;
    })
    .unwrap();
    let known = |host: &TestHost| -> Vec<String> {
        let revisions = host.plugin("fickle").revisions;
        revisions.iter().map(|known| known.version.to_string()).collect()
    };
    host.until("1.0.0 to be collected", || known(&host) == ["1.1.0", "1.2.0"]);
    host.restart(|_| {});
    assert_eq!(known(&host), ["1.1.0", "1.2.0"]);
    assert_eq!(host.live("fickle"), "1.2.0");
    assert!(host.host().audit_verify(None).unwrap().intact);
}

#[test]
fn what_a_stored_workflow_asks_for_stays() {
    let mut host = three(|_| {});
    let folder = host.scratch("workflows");
    fs::create_dir(&folder).unwrap();
    let mut document = super::workflow("old-friend", &[("fk.version", json!({}))]);
    document["nodes"][0]["plugin"] = json!("fickle@=1.0.0");
    fs::write(folder.join("old-friend.json"), document.to_string()).unwrap();
    let at = folder.clone();
    host.reopen(move |config| config.workflows.workflows = Some(at))
        .unwrap();
    let stored = host.host().workflows();
    let dry = collect(&host, Collect::DryRun);
    assert!(dry.removed.is_empty(), "{dry:#?}\n{stored:#?}");
    fs::remove_file(folder.join("old-friend.json")).unwrap();
    host.restart(|_| {});
    assert_eq!(versions(&collect(&host, Collect::DryRun).removed), ["1.0.0"]);
}

#[test]
fn a_version_that_was_collected_and_lies_in_the_directory_is_another_revision_and_does_not_go_live() {
    let mut host = three(|_| {});
    collect(&host, Collect::ForReal);
    host.restart(|_| {});
    assert_eq!(host.live("fickle"), "1.2.0");
    let plugin = host.plugin("fickle");
    let of_first: Vec<_> = plugin
        .revisions
        .iter()
        .filter(|known| known.version.to_string() == "1.0.0")
        .map(|known| known.revision.0)
        .collect();
    assert!(
        of_first.is_empty() || of_first == [4],
        "a number is never given twice: {plugin:?}"
    );
}
