//! Which policy holds.

use std::collections::BTreeMap;

use patchbay_lifecycle::GoLive;
use patchbay_rollout::{Canary, Policy, Replay, Shadow};

use super::name;
use crate::{Policies, PolicySource};

fn policies(ordered: &[(&str, &str)]) -> Policies {
    let configured = BTreeMap::from([(name("a"), Policy::Manual), (name("b"), Policy::Manual)]);
    let ordered: Vec<_> = ordered
        .iter()
        .map(|(plugin, text)| (name(plugin), (*text).to_owned()))
        .collect();
    Policies::new(Policy::Immediate, configured, &ordered)
}

#[test]
fn what_was_ordered_goes_before_the_file_and_that_before_what_holds_for_all() {
    let policies = policies(&[("a", r#"{"shadow":{}}"#)]);
    let of = |plugin: &str| policies.of(&name(plugin));
    assert_eq!(
        of("a"),
        (Policy::Shadow(Shadow::default()), PolicySource::Ordered)
    );
    assert_eq!(of("b"), (Policy::Manual, PolicySource::Configured));
    assert_eq!(of("c"), (Policy::Immediate, PolicySource::Standard));
    let set = |plugin: &str, policy| {
        let mut told = None;
        policies.set(&name(plugin), policy, |now, source| {
            told = Some((now.clone(), source));
        });
        told
    };
    assert_eq!(set("a", None), Some((Policy::Manual, PolicySource::Configured)));
    assert_eq!(of("a"), (Policy::Manual, PolicySource::Configured));
    assert_eq!(set("a", None), None, "nothing was ordered any more");
    assert_eq!(
        set("c", Some(Policy::Manual)),
        Some((Policy::Manual, PolicySource::Ordered))
    );
    assert_eq!(set("c", Some(Policy::Manual)), None);
    assert_eq!(of("c"), (Policy::Manual, PolicySource::Ordered));
}

#[test]
fn a_stored_policy_that_cannot_be_read_any_more_is_left_out_and_the_others_hold() {
    let policies = policies(&[
        ("a", "{"),
        ("b", r#""immediate""#),
        ("c", r#"{"canary":{"steps":[9,5]}}"#),
    ]);
    assert_eq!(policies.of(&name("a")).1, PolicySource::Configured);
    assert_eq!(
        policies.of(&name("b")),
        (Policy::Immediate, PolicySource::Ordered)
    );
    assert_eq!(policies.of(&name("c")).1, PolicySource::Standard);
}

#[test]
fn versions_go_live_at_once_by_hand_or_by_a_rollout() {
    for (policy, expected) in [
        (Policy::Immediate, GoLive::Immediate),
        (Policy::Manual, GoLive::Manual),
        (Policy::Canary(Canary::default()), GoLive::Rollout),
        (Policy::Shadow(Shadow::default()), GoLive::Rollout),
        (Policy::Replay(Replay::default()), GoLive::Rollout),
    ] {
        let policies = Policies::new(policy, BTreeMap::new(), &[]);
        assert_eq!(policies.go_live(&name("a")), expected);
    }
}
