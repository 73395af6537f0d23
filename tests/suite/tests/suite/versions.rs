//! Which version serves, who may change it, and what is remembered of it.

use patchbay_tests_support::patchbay::{Explain, Force, Order, Policy, RevisionState, SameVersion};
use patchbay_tests_support::{TestHost, name};
use serde_json::json;

fn forced() -> Order {
    Order {
        force: Force::Yes,
        ..Order::by("ada", "it has to be")
    }
}

#[test]
fn a_higher_version_goes_live_by_itself_and_a_lower_one_never_does() {
    let host = TestHost::holding(&["echo-1-1"], |_| {});
    host.drop_in("echo-1-0");
    host.wait("revision.registered", "echo", "1.0.0");
    host.bring_in("tls-1-0");
    assert_eq!(host.version(), "1.1.0");
    host.bring_in("echo-2-0");
    assert_eq!(host.version(), "2.0.0");
}

#[test]
fn in_manual_mode_nothing_goes_live_by_itself() {
    let host = TestHost::with(|config| config.delivery.policy = Policy::Manual);
    host.drop_in("echo-1-0");
    host.wait("revision.registered", "echo", "1.0.0");
    assert_eq!(
        host.try_call("fx.version", json!({})).unwrap_err().code().0,
        "PB-CALL-001"
    );
    host.promote("echo", "1.0.0").unwrap();
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn promote_and_rollback_name_a_version_a_revision_or_nothing() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1", "echo-2-0"], |_| {});
    let back = host
        .host()
        .rollback(&name("echo"), None, Order::by("ada", ""))
        .unwrap();
    assert_eq!(back.to.unwrap().version.to_string(), "1.1.0");
    assert_eq!(host.version(), "1.1.0");
    let first = host.revision("echo", "1.0.0").revision;
    host.promote("echo", &format!("r{first}")).unwrap();
    assert_eq!(host.version(), "1.0.0");
    host.promote("echo", "2.0.0").unwrap();
    assert_eq!(host.version(), "2.0.0");
    let to = "1.0.0".parse().unwrap();
    host.host()
        .rollback(&name("echo"), Some(&to), Order::by("ada", ""))
        .unwrap();
    assert_eq!(host.version(), "1.0.0");
    // What is live already stays, and says so.
    let same = host.promote("echo", "1.0.0").unwrap();
    assert_eq!(same.from, same.to);
}

#[test]
fn what_nobody_has_cannot_be_promoted() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    for (plugin, to, code) in [
        ("echo", "9.9.9", "PB-REG-004"),
        ("echo", "r99", "PB-REG-004"),
        ("ecco", "1.0.0", "PB-REG-003"),
    ] {
        let error = host.promote(plugin, to).unwrap_err();
        let expected = if plugin == "ecco" {
            ["PB-CONTROL-001", code]
        } else {
            [code, code]
        };
        assert!(expected.contains(&error.code().0), "{error:?}");
    }
    let error = host
        .host()
        .rollback(&name("echo"), None, Order::by("ada", ""))
        .unwrap_err();
    assert_eq!(error.code().0, "PB-REG-013");
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn the_history_says_who_when_and_why() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], |_| {});
    host.host()
        .rollback(&name("echo"), None, Order::by("ada", "1.1 is slow"))
        .unwrap();
    let history = host.host().history(&name("echo")).unwrap();
    let lines: Vec<_> = history
        .iter()
        .map(|line| (line.action.as_str(), line.version.to_string()))
        .collect();
    let expected = [
        ("admitted", "1.0.0"),
        ("promoted", "1.0.0"),
        ("admitted", "1.1.0"),
        ("promoted", "1.1.0"),
        ("rolled-back", "1.0.0"),
    ];
    assert_eq!(
        lines,
        expected.map(|(action, version)| (action, version.to_owned()))
    );
    let last = history.last().unwrap();
    assert_eq!(
        (last.actor.as_str(), last.reason.as_str()),
        ("ada", "1.1 is slow")
    );
    assert_eq!(last.from_revision, Some(host.revision("echo", "1.1.0").revision));
    assert!(
        history
            .windows(2)
            .all(|pair| pair[0].at <= pair[1].at && pair[0].generation <= pair[1].generation)
    );
    assert!(last.at.0 > 1_600_000_000_000);
}

#[test]
fn another_content_under_a_published_version_is_refused() {
    let host = TestHost::holding(&["echo-1-1"], |_| {});
    host.drop_in("echo-1-1-other");
    let rejected = host.wait_rejected("echo-1-1-other.so");
    assert_eq!(rejected.code, "PB-REG-001");
    assert!(rejected.hint.contains("bump the version"), "{rejected:?}");
    assert_eq!(host.plugin("echo").revisions.len(), 1);
}

#[test]
fn a_refused_duplicate_leaves_nothing_mapped() {
    let host = TestHost::holding(&["echo-1-1"], |_| {});
    let before = patchbay_tests_support::mappings(&host.maps()).len();
    host.drop_in("echo-1-1-other");
    host.wait_rejected("echo-1-1-other.so");
    assert_eq!(patchbay_tests_support::mappings(&host.maps()).len(), before);
}

#[test]
fn in_development_another_content_replaces_the_version() {
    let host = TestHost::holding(&["echo-1-1"], |config| config.same_version = SameVersion::Replace);
    host.bring_in("echo-1-1-other");
    let plugin = host.plugin("echo");
    assert_eq!(plugin.revisions.len(), 2);
    assert_eq!(plugin.description, "Version 1.1.0 once more, with other content.");
}

#[test]
fn a_plugin_that_claims_anothers_node_is_refused_by_both_names() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    host.drop_in("thief");
    let rejected = host.wait_rejected("thief.so");
    assert_eq!(rejected.code, "PB-REG-007");
    for word in ["`thief`", "`echo`", "`fx.version`"] {
        assert!(rejected.message.contains(word), "{rejected:?}");
    }
    assert_eq!(
        host.host()
            .call_json("fx.version", serde_json::from_value(json!({})).unwrap())
            .unwrap()
            .plugin,
        name("echo")
    );
}

#[test]
fn a_plugin_waits_for_what_it_needs_and_goes_live_when_it_comes() {
    let host = TestHost::start();
    host.drop_in("needs-echo");
    let blocked = host.wait("revision.blocked", "needs-echo", "1.0.0");
    assert_eq!(blocked.code.as_deref(), Some("PB-REG-008"));
    assert_eq!(
        host.revision("needs-echo", "1.0.0").blocked_by.unwrap().code,
        "PB-REG-008"
    );
    host.drop_in("echo-1-0");
    host.wait("plugin.live", "needs-echo", "1.0.0");
    assert_eq!(host.call("needs.version", json!({})), "1.0.0");
    assert!(host.revision("needs-echo", "1.0.0").blocked_by.is_none());
}

#[test]
fn a_plugin_goes_on_waiting_while_only_the_wrong_version_is_there() {
    let host = TestHost::holding(&["echo-2-0"], |_| {});
    host.drop_in("needs-echo");
    let blocked = host.wait("revision.blocked", "needs-echo", "1.0.0");
    assert_eq!(blocked.code.as_deref(), Some("PB-REG-009"));
    host.drop_in("echo-1-0");
    host.wait("revision.registered", "echo", "1.0.0");
    host.promote("echo", "1.0.0").unwrap();
    host.wait("plugin.live", "needs-echo", "1.0.0");
}

#[test]
fn a_change_that_breaks_a_dependent_needs_force() {
    let host = TestHost::holding(&["echo-1-0", "needs-echo"], |_| {});
    host.drop_in("echo-2-0");
    let rejected = host.wait_rejected("echo-2-0.so");
    assert_eq!(rejected.code, "PB-REG-011");
    assert!(rejected.message.contains("needs-echo"));
    assert_eq!(host.version(), "1.0.0");
    let error = host.promote("echo", "2.0.0").unwrap_err();
    assert_eq!(error.code().0, "PB-REG-011");
    assert_eq!(host.version(), "1.0.0");
    host.host()
        .promote(&name("echo"), &"2.0.0".parse().unwrap(), forced())
        .unwrap();
    assert_eq!(host.version(), "2.0.0");
}

#[test]
fn a_circle_of_dependencies_is_refused_and_named() {
    let host = TestHost::holding(&["ring-a-1-0", "ring-b"], |_| {});
    host.drop_in("ring-a-1-1");
    let rejected = host.wait_rejected("ring-a-1-1.so");
    assert_eq!(rejected.code, "PB-REG-010");
    assert!(
        rejected.message.contains("ring-a -> ring-b -> ring-a"),
        "{rejected:?}"
    );
    assert_eq!(host.live("ring-a"), "1.0.0");
}

#[test]
fn a_quarantined_version_falls_back_and_never_comes_back_by_itself() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], |_| {});
    let done = host
        .host()
        .quarantine(&name("echo"), None, Order::by("ada", "it corrupts texts"))
        .unwrap();
    assert_eq!(done.from.unwrap().version.to_string(), "1.1.0");
    assert_eq!(done.to.unwrap().version.to_string(), "1.0.0");
    assert_eq!(host.version(), "1.0.0");
    assert_eq!(host.revision("echo", "1.1.0").state, RevisionState::Quarantined);
    // Neither by arriving again, nor when something else moves.
    host.drop_in("echo-1-1");
    host.bring_in("tls-1-0");
    assert_eq!(host.version(), "1.0.0");
    let error = host.promote("echo", "1.1.0").unwrap_err();
    assert_eq!(error.code().0, "PB-REG-006");
    host.wait("revision.retired", "echo", "1.1.0");
    host.host()
        .promote(&name("echo"), &"1.1.0".parse().unwrap(), forced())
        .unwrap();
    assert_eq!(host.version(), "1.1.0");
    let actions: Vec<_> = host
        .host()
        .history(&name("echo"))
        .unwrap()
        .into_iter()
        .map(|line| line.action)
        .collect();
    for action in ["quarantined", "fell-back", "released"] {
        assert!(
            actions.iter().any(|known| known == action),
            "{action} is not in {actions:?}"
        );
    }
}

#[test]
fn a_quarantine_without_another_version_takes_the_plugin_out() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let done = host
        .host()
        .quarantine(&name("echo"), None, Order::by("ada", ""))
        .unwrap();
    assert!(done.to.is_none());
    assert_eq!(
        host.try_call("fx.version", json!({})).unwrap_err().code().0,
        "PB-CALL-001"
    );
    host.wait("revision.retired", "echo", "1.0.0");
}

#[test]
fn a_session_keeps_its_version_across_a_swap() {
    use patchbay_tests_support::patchbay::{Output, Value};
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], |_| {});
    let session = host.host().session(&["fx.version"]).unwrap();
    host.promote("echo", "1.0.0").unwrap();
    assert_eq!(host.version(), "1.0.0");
    assert_eq!(session.served_by(0).unwrap().version.to_string(), "1.1.0");
    drop((session, Output::with_limit(1), Value::from(1)));
    assert_eq!(host.call("fx.nested", json!({"depth": 2})), "1.0.0");
}
