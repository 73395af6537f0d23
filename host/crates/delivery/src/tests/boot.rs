//! What a host begins with.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_dispatch::Served;
use patchbay_registry::{Registry, SameVersion};
use patchbay_state::{Boot, GoodSet, KnownPlugin, KnownRevision, Pin, Remembered, StoredRollout};
use patchbay_vocab::{Digest, FakeClock, PluginName, RevisionNumber, UnixMillis, Version};

use super::{name, r};
use crate::{Mode, Start, begin};

const NOW: UnixMillis = UnixMillis(1_000_000_000);

/// A plugin with revisions `1..=revisions`, the last of which is live; each was live before the next.
fn plugin(text: &str, revisions: u64) -> KnownPlugin {
    KnownPlugin {
        name: name(text),
        live: Some(r(revisions)),
        live_order: (1..=revisions).rev().map(r).collect(),
        highest: r(revisions),
        revisions: (1..=revisions)
            .map(|number| KnownRevision {
                plugin: name(text),
                number: r(number),
                version: Version::new(1, number, 0),
                digest: Digest::of(format!("{text} {number}").as_bytes()),
                nodes: vec![format!("{text}.x").parse().unwrap()],
                dependencies: Vec::new(),
                origin: String::new(),
                admitted_at: UnixMillis(number),
                quarantined: false,
            })
            .collect(),
        history: Vec::new(),
    }
}

fn rollout(text: &str, from: u64, to: u64) -> StoredRollout {
    StoredRollout {
        id: format!("{text}-1"),
        plugin: name(text),
        from: Some(r(from)),
        to: r(to),
        policy: String::new(),
        state: String::new(),
        phase: "step".to_owned(),
        finished: false,
        started_at: NOW,
        changed_at: NOW,
        actor: String::new(),
        reason: String::new(),
    }
}

/// So many boots just before now that ended without being told to.
fn crashed(times: u64) -> Vec<Boot> {
    let boot = |back| Boot {
        id: times - back,
        started_at: UnixMillis(NOW.0 - 1000 * (back + 1)),
        version: "1.0.0".to_owned(),
        stable_at: None,
        ended_at: None,
    };
    (0..times).map(boot).collect()
}

fn good(live: &[(&str, u64)]) -> Option<GoodSet> {
    let live: BTreeMap<PluginName, RevisionNumber> = live
        .iter()
        .map(|(plugin, number)| (name(plugin), r(*number)))
        .collect();
    Some(GoodSet {
        at: UnixMillis(1),
        live,
    })
}

fn begun(remembered: &Remembered, mode: Mode) -> Start {
    let registry: Registry<Served> = Registry::new(Arc::new(FakeClock::new()), SameVersion::Refuse);
    begin(&registry, remembered, mode, NOW)
}

/// What is wanted of a plugin: live first, and beside it.
fn wanted(start: &Start, text: &str) -> (Vec<u64>, Vec<u64>) {
    let one = start.wanted.iter().find(|one| one.plugin == name(text)).unwrap();
    let numbers = |of: &[RevisionNumber]| of.iter().map(|number| number.0).collect();
    (numbers(&one.live), numbers(&one.beside))
}

fn suspects(start: &Start) -> Vec<(String, u64)> {
    let of = start.suspects.iter();
    of.map(|suspect| (suspect.plugin.to_string(), suspect.revision.0))
        .collect()
}

#[test]
fn what_was_live_comes_first_then_what_was_before_it_and_who_is_needed_beside_it() {
    let mut a = plugin("a", 4);
    a.revisions[2].quarantined = true;
    let remembered = Remembered {
        plugins: vec![a, plugin("b", 1)],
        pins: vec![Pin {
            plugin: name("a"),
            tenant: None,
            workflow: None,
            revision: r(1),
            actor: String::new(),
            reason: String::new(),
            at: NOW,
        }],
        rollouts: vec![rollout("a", 4, 2)],
        good: good(&[("a", 1)]),
        ..Remembered::default()
    };
    let start = begun(&remembered, Mode::Normal);
    assert_eq!(wanted(&start, "a"), (vec![4, 2, 1], vec![1, 2, 4]));
    assert_eq!(wanted(&start, "b"), (vec![1], vec![]));
    assert!(start.why.is_none() && start.suspects.is_empty() && !start.leaves_directory_alone);
}

#[test]
fn a_host_that_keeps_ending_begins_with_what_was_good_and_suspects_what_came_since() {
    let mut remembered = Remembered {
        plugins: vec![plugin("a", 3), plugin("b", 2), plugin("new", 1)],
        good: good(&[("a", 2), ("b", 2)]),
        boots: crashed(2),
        ..Remembered::default()
    };
    let start = begun(&remembered, Mode::Normal);
    assert!(start.why.is_none());
    assert_eq!(wanted(&start, "a").0, [3, 2, 1]);

    remembered.boots = crashed(3);
    let start = begun(&remembered, Mode::Normal);
    assert!(start.why.as_ref().unwrap().contains("3 times"), "{start:?}");
    assert_eq!(suspects(&start), [("a".to_owned(), 3), ("new".to_owned(), 1)]);
    assert_eq!(wanted(&start, "a").0, [2, 1]);
    assert_eq!(wanted(&start, "b").0, [2, 1]);
    assert!(wanted(&start, "new").0.is_empty());
    assert!(!start.leaves_directory_alone);
}

#[test]
fn what_was_being_loaded_is_the_suspect_whatever_else_has_changed() {
    let remembered = Remembered {
        plugins: vec![plugin("a", 3), plugin("b", 2)],
        good: good(&[("a", 2), ("b", 1)]),
        boots: crashed(3),
        loading: vec![(name("b"), r(2))],
        ..Remembered::default()
    };
    let start = begun(&remembered, Mode::Normal);
    assert_eq!(suspects(&start), [("b".to_owned(), 2)]);
    assert_eq!(wanted(&start, "b").0, [1]);
    assert!(!start.leaves_directory_alone);
}

#[test]
fn a_file_without_a_revision_that_was_being_loaded_leaves_the_directory_alone() {
    let remembered = Remembered {
        plugins: vec![plugin("a", 1)],
        boots: crashed(4),
        loading: vec![(name("fresh"), r(0))],
        ..Remembered::default()
    };
    let start = begun(&remembered, Mode::Normal);
    assert!(start.leaves_directory_alone);
    assert_eq!(start.suspects[0].version, None);
    assert_eq!(wanted(&start, "a").0, [1]);
}

#[test]
fn a_candidate_is_suspected_and_kept_from_its_share() {
    let remembered = Remembered {
        plugins: vec![KnownPlugin {
            live: Some(r(1)),
            live_order: vec![r(1)],
            ..plugin("a", 2)
        }],
        rollouts: vec![rollout("a", 1, 2)],
        boots: crashed(3),
        ..Remembered::default()
    };
    let start = begun(&remembered, Mode::Normal);
    assert_eq!(suspects(&start), [("a".to_owned(), 2)]);
    assert_eq!(wanted(&start, "a"), (vec![1], vec![1]));
}

#[test]
fn without_a_good_set_what_is_live_is_not_suspected() {
    let remembered = Remembered {
        plugins: vec![plugin("a", 2)],
        boots: crashed(3),
        ..Remembered::default()
    };
    let start = begun(&remembered, Mode::Normal);
    assert!(start.why.is_some() && start.suspects.is_empty());
    assert_eq!(wanted(&start, "a").0, [2, 1]);
}

#[test]
fn safe_mode_begins_with_what_was_good_and_blames_nobody() {
    let remembered = Remembered {
        plugins: vec![plugin("a", 3)],
        good: good(&[("a", 2)]),
        ..Remembered::default()
    };
    let start = begun(&remembered, Mode::Safe);
    assert_eq!(wanted(&start, "a").0, [2, 3, 1]);
    assert!(start.leaves_directory_alone && start.suspects.is_empty() && start.why.is_some());
}
