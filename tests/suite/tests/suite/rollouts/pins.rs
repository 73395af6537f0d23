//! Somebody is held at a version, whatever is live.

use patchbay_tests_support::patchbay::{Collect, PinScope, PinnedView, RevisionState, TenantId};
use patchbay_tests_support::{TestHost, name};
use serde_json::json;

use super::{
    by_ada, canary, forced, holding, ran_on, refused, run, selector, start, two, version_for, wait, workflow,
};

fn scope(tenant: Option<&str>, workflow: Option<&str>) -> PinScope {
    PinScope {
        tenant: tenant.map(|text| text.parse().unwrap()),
        workflow: workflow.map(|text| text.parse().unwrap()),
    }
}

fn pin(host: &TestHost, to: &str, scope: PinScope) -> PinnedView {
    let pinned = host.host().pin(&name("fickle"), &selector(to), scope, by_ada());
    pinned.unwrap()
}

fn unpin(host: &TestHost, scope: PinScope) -> PinnedView {
    host.host().unpin(&name("fickle"), scope, by_ada()).unwrap()
}

fn ran(host: &TestHost, id: &str) -> String {
    ran_on(&run(host, &workflow(id, &[("fk.version", json!({}))])), "n0")
}

#[test]
fn a_tenant_a_workflow_or_everybody_is_held_and_the_narrower_pin_goes_first() {
    let host = holding(&["fickle-1-0", "fickle-1-1", "fickle-1-2"], |_| {});
    let view = pin(&host, "1.1.0", scope(Some("acme"), None));
    assert!(view.changed && view.before.is_none());
    assert_eq!(view.pin.unwrap().to.version.to_string(), "1.1.0");
    assert_eq!(version_for(&host, "acme"), "1.1.0");
    assert_eq!(version_for(&host, "other"), "1.0.0");
    // Runs of the workflows below are of the tenant `acme`.
    assert_eq!(
        (ran(&host, "billing").as_str(), ran(&host, "mail").as_str()),
        ("1.1.0", "1.1.0")
    );
    pin(&host, "1.2.0", scope(None, Some("billing")));
    assert_eq!(
        (ran(&host, "billing").as_str(), ran(&host, "mail").as_str()),
        ("1.2.0", "1.1.0")
    );
    pin(&host, "1.0.0", scope(Some("acme"), Some("billing")));
    assert_eq!(ran(&host, "billing"), "1.0.0");
    pin(&host, "1.2.0", scope(None, None));
    assert_eq!(
        (version_for(&host, "acme"), version_for(&host, "other")),
        ("1.1.0".into(), "1.2.0".into())
    );
    assert_eq!(host.live("fickle"), "1.0.0");
    assert_eq!(host.host().pins(Some(&name("fickle"))).unwrap().len(), 4);

    assert!(unpin(&host, scope(Some("acme"), Some("billing"))).changed);
    assert_eq!(ran(&host, "billing"), "1.2.0");
    assert!(unpin(&host, scope(None, Some("billing"))).changed);
    assert_eq!(ran(&host, "billing"), "1.1.0");
    assert!(unpin(&host, scope(Some("acme"), None)).changed);
    assert_eq!(ran(&host, "billing"), "1.2.0");
    let last = unpin(&host, scope(None, None));
    assert_eq!(last.before.unwrap().version.to_string(), "1.2.0");
    assert_eq!(
        (version_for(&host, "acme"), version_for(&host, "other")),
        ("1.0.0".into(), "1.0.0".into())
    );
    assert!(!unpin(&host, scope(None, None)).changed);
    assert!(host.host().pins(None).unwrap().is_empty());
}

#[test]
fn a_pin_and_its_end_take_effect_once_and_are_in_the_audit() {
    let host = two();
    assert!(pin(&host, "1.1.0", scope(Some("acme"), None)).changed);
    assert!(!pin(&host, "1.1.0", scope(Some("acme"), None)).changed);
    let moved = pin(&host, "1.0.0", scope(Some("acme"), None));
    assert_eq!(
        (moved.before.unwrap().version.to_string().as_str(), moved.changed),
        ("1.1.0", true)
    );
    unpin(&host, scope(Some("acme"), None));
    let records = host.host().audit(&super::audit_of("fickle")).unwrap();
    let of_pins: Vec<_> = records
        .iter()
        .filter(|record| record.action.starts_with("pin."))
        .map(|record| {
            (
                record.action.as_str(),
                record.tenant.as_ref().map(TenantId::as_str),
            )
        })
        .collect();
    let acme = Some("acme");
    assert_eq!(
        of_pins,
        [("pin.set", acme), ("pin.set", acme), ("pin.removed", acme)]
    );
}

#[test]
fn a_pin_holds_through_swaps_canaries_and_a_restart() {
    let mut host = two();
    pin(&host, "1.0.0", scope(Some("acme"), None));
    start(&host, &canary(json!({ "steps": [99.99] })));
    assert_eq!(version_for(&host, "acme"), "1.0.0");
    host.promote("fickle", "1.1.0").unwrap();
    assert_eq!(
        (version_for(&host, "acme"), version_for(&host, "other")),
        ("1.0.0".into(), "1.1.0".into())
    );
    host.restart(|_| {});
    assert_eq!(
        (version_for(&host, "acme"), version_for(&host, "other")),
        ("1.0.0".into(), "1.1.0".into())
    );
    assert_eq!(host.host().pins(None).unwrap().len(), 1);
    unpin(&host, scope(Some("acme"), None));
    host.restart(|_| {});
    assert_eq!(version_for(&host, "acme"), "1.1.0");
}

#[test]
fn a_pinned_revision_is_neither_retired_nor_collected_and_goes_when_nobody_is_held_there() {
    let host = holding(&["fickle-1-0", "fickle-1-1", "fickle-1-2"], |config| {
        config.history_limit = 0;
        config.delivery.retention.revisions = 1;
        config.delivery.retention.rollbacks = 1;
        config.delivery.retention.bytes = 1;
    });
    pin(&host, "1.0.0", scope(Some("acme"), None));
    let from = host.tape().position();
    for version in ["1.1.0", "1.2.0"] {
        host.promote("fickle", version).unwrap();
    }
    super::wait_retired(&host, from, "1.1.0");
    assert_eq!(version_for(&host, "acme"), "1.0.0");
    let done = host.host().collect(Collect::ForReal, by_ada()).unwrap();
    assert!(
        done.removed
            .iter()
            .all(|one| one.version.as_ref().unwrap().to_string() != "1.0.0")
    );
    assert_eq!(version_for(&host, "acme"), "1.0.0");
    let from = host.tape().position();
    unpin(&host, scope(Some("acme"), None));
    super::wait_retired(&host, from, "1.0.0");
    assert_eq!(version_for(&host, "acme"), "1.2.0");
    let done = host.host().collect(Collect::ForReal, by_ada()).unwrap();
    assert!(
        done.removed
            .iter()
            .any(|one| one.version.as_ref().unwrap().to_string() == "1.0.0"),
        "{done:#?}"
    );
}

#[test]
fn who_is_pinned_to_what_cannot_be_loaded_any_more_is_told_so_and_the_others_are_served() {
    let mut host = two();
    pin(&host, "1.1.0", scope(Some("acme"), None));
    let digest = host.revision("fickle", "1.1.0").digest.to_string();
    host.restart(|config| {
        super::restarts::remove_artifact(config, &digest);
        std::fs::remove_file(config.plugins.join("fickle-1-1.so")).unwrap();
    });
    assert_eq!(
        refused(host.call_for("acme", "fk.version", json!({}))),
        "PB-CALL-010"
    );
    assert_eq!(version_for(&host, "other"), "1.0.0");
    unpin(&host, scope(Some("acme"), None));
    assert_eq!(version_for(&host, "acme"), "1.0.0");
}

#[test]
fn quarantine_suspends_a_pin_and_release_takes_it_up() {
    let mut host = two();
    pin(&host, "1.1.0", scope(Some("acme"), None));
    host.host()
        .quarantine(&name("fickle"), Some(&selector("1.1.0")), by_ada())
        .unwrap();
    assert_eq!(version_for(&host, "acme"), "1.0.0");
    assert_eq!(host.host().pins(None).unwrap().len(), 1);
    host.restart(|_| {});
    assert_eq!(version_for(&host, "acme"), "1.0.0");
    assert_eq!(host.revision("fickle", "1.1.0").state, RevisionState::Quarantined);
    host.host()
        .promote(&name("fickle"), &selector("1.1.0"), forced())
        .unwrap();
    host.promote("fickle", "1.0.0").unwrap();
    assert_eq!(
        (version_for(&host, "acme"), version_for(&host, "other")),
        ("1.1.0".into(), "1.0.0".into())
    );
}

#[test]
fn a_pin_that_cannot_be_is_refused_and_changes_nothing() {
    let host = holding(&["counter-1-0", "counter-1-1"], |_| {});
    let counter = name("counter");
    let of = |plugin: &str, to: &str| {
        let scope = scope(Some("acme"), None);
        refused(host.host().pin(&name(plugin), &selector(to), scope, by_ada()))
    };
    assert_eq!(of("counter", "1.1.0"), "PB-LIFE-004", "it keeps state");
    assert_eq!(of("counter", "9.0.0"), "PB-REG-004");
    assert_eq!(of("nobody", "1.0.0"), "PB-CONTROL-001");
    host.host()
        .quarantine(&counter, Some(&selector("1.1.0")), by_ada())
        .unwrap();
    assert_eq!(of("counter", "1.1.0"), "PB-REG-006");
    assert!(host.host().pins(None).unwrap().is_empty());
}

#[test]
fn a_pinned_revision_that_is_not_loaded_is_loaded_first() {
    let host = holding(&["fickle-1-0", "fickle-1-1"], |config| config.history_limit = 0);
    let from = host.tape().position();
    host.promote("fickle", "1.1.0").unwrap();
    let gone = super::wait_retired(&host, from, "1.0.0");
    pin(&host, "1.0.0", scope(Some("acme"), None));
    assert_eq!(
        (version_for(&host, "acme"), version_for(&host, "other")),
        ("1.0.0".into(), "1.1.0".into())
    );
    unpin(&host, scope(Some("acme"), None));
    wait(&host, host.tape().position_after(&gone), "revision.retired");
}
