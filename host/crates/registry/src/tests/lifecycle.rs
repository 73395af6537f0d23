//! Rollback, quarantine, retirement, removal, and what listings say about them.

use patchbay_vocab::{PinReason, UnixMillis};

use super::*;

/// `a` 1.0.0, 1.1.0 and 1.2.0, each promoted in turn.
fn three_generations() -> Bench {
    let bench = Bench::strict();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        bench.live(candidate("a", version, &["a.x"], &[]));
    }
    bench
}

fn target(bench: &Bench, selector: Option<&str>) -> Result<RevisionNumber, RegistryError> {
    let selector: Option<Selector> = selector.map(|text| text.parse().unwrap());
    bench.rollback_target(&name("a"), selector.as_ref())
}

#[test]
fn a_rollback_goes_to_what_was_live_before_and_skips_the_quarantined() {
    let bench = three_generations();
    assert_eq!(target(&bench, None), Ok(r(2)));
    bench
        .promote(
            &name("a"),
            r(2),
            Force::No,
            &Change::rollback("ann", "1.2 is slow"),
        )
        .unwrap();
    assert_eq!(bench.actions("a").last().unwrap(), "rolled-back 2");
    assert_eq!(
        target(&bench, None),
        Ok(r(3)),
        "1.2 was live before the present one"
    );
    bench.quarantine(&name("a"), r(3), &by_test()).unwrap();
    assert_eq!(target(&bench, None), Ok(r(1)));
}

#[test]
fn a_rollback_goes_to_the_revision_or_version_named() {
    let bench = three_generations();
    for text in ["1", "r1", "1.0.0"] {
        assert_eq!(target(&bench, Some(text)), Ok(r(1)), "{text}");
    }
    bench.refused("PB-REG-004", &["revision 9"], |b| target(b, Some("9")));
    bench.refused("PB-REG-004", &["version 9.0.0"], |b| target(b, Some("9.0.0")));
}

#[test]
fn the_first_revision_has_nothing_to_roll_back_to() {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    bench.warm(candidate("a", "0.9.0", &["a.x"], &[]));
    bench.refused("PB-REG-013", &["`a`"], |b| target(b, None));
}

#[test]
fn a_version_replaced_in_development_mode_names_its_latest_revision() {
    let bench = Bench::new(SameVersion::Replace);
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    bench.live(candidate("a", "1.0.0", &["a.y"], &[]));
    assert_eq!(target(&bench, Some("1.0.0")), Ok(r(2)));
}

#[test]
fn quarantining_the_live_revision_puts_the_previous_one_live_in_the_same_store() {
    let bench = three_generations();
    assert_eq!(bench.fallbacks_for(&name("a"), r(3)).first().copied(), Some(r(2)));
    assert_eq!(
        bench.fallbacks_for(&name("a"), r(2)).first().copied(),
        None,
        "it is not live"
    );
    let generation = bench.snapshot().generation();
    let done = bench.quarantine(&name("a"), r(3), &by_test()).unwrap();
    let swap = Swap {
        plugin: name("a"),
        from: Some(r(3)),
        to: r(2),
        generation: generation + 1,
    };
    assert_eq!(
        done,
        Quarantined {
            was_live: true,
            fallback: Some(swap),
            generation: generation + 1
        }
    );
    assert_eq!(
        (bench.live_of("a"), bench.state("a", r(3))),
        (Some(r(2)), RevisionState::Quarantined)
    );
    assert_eq!(bench.actions("a")[6..], ["quarantined 3", "fell-back 2"]);
    let again = bench.quarantine(&name("a"), r(3), &by_test()).unwrap();
    assert_eq!(
        (again.was_live, again.fallback, bench.actions("a").len()),
        (false, None, 8),
        "idempotent"
    );
}

#[test]
fn a_fallback_that_is_not_loaded_is_named_beforehand_and_passed_over_in_the_act() {
    let bench = three_generations();
    bench.retire_fully("a", r(2));
    assert_eq!(
        bench.fallbacks_for(&name("a"), r(3)).first().copied(),
        Some(r(2)),
        "the caller may load it"
    );
    bench.quarantine(&name("a"), r(3), &by_test()).unwrap();
    assert_eq!(bench.live_of("a"), Some(r(1)));
}

#[test]
fn without_a_fallback_the_node_types_stop_resolving_and_keep_their_slots() {
    let bench = Bench::strict();
    let number = bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    let slot = bench.snapshot().slot("a.x");
    let done = bench.quarantine(&name("a"), number, &by_test()).unwrap();
    assert_eq!((done.was_live, done.fallback), (true, None));
    assert_eq!((bench.live_of("a"), bench.route("a.x")), (None, None));
    assert_eq!(bench.snapshot().slot("a.x"), slot);
    bench.live(candidate("a", "1.0.1", &["a.x"], &[]));
    assert_eq!(
        (bench.route("a.x").unwrap().as_str(), bench.snapshot().slot("a.x")),
        ("a@2#0", slot)
    );
}

#[test]
fn a_fallback_never_takes_a_node_type_from_another_plugin() {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["a.x", "shared"], &[]));
    bench.live(candidate("a", "2.0.0", &["a.x"], &[]));
    bench.live(candidate("b", "1.0.0", &["shared"], &[]));
    assert_eq!(bench.fallbacks_for(&name("a"), r(2)).first().copied(), None);
    bench.quarantine(&name("a"), r(2), &by_test()).unwrap();
    assert_eq!(
        (bench.live_of("a"), bench.route("shared").unwrap().as_str()),
        (None, "b@1#0")
    );
}

#[test]
fn a_fallback_is_taken_although_a_dependent_wants_the_failed_version() {
    let bench = three_generations();
    bench.live(candidate("b", "1.0.0", &["b.x"], &[("a", "^1.2")]));
    bench.quarantine(&name("a"), r(3), &by_test()).unwrap();
    assert_eq!((bench.live_of("a"), bench.live_of("b")), (Some(r(2)), Some(r(1))));
}

#[test]
fn surplus_keeps_the_latest_live_first_and_names_every_loaded_quarantined_one() {
    let bench = three_generations();
    let never = bench.warm(candidate("a", "0.1.0", &["a.x"], &[]));
    let surplus = |limit| bench.surplus(&name("a"), limit);
    assert_eq!(surplus(0), [r(2), r(1), never]);
    let of_a = |number| (name("a"), number);
    assert_eq!(bench.surplus_of_all(0), [r(2), r(1), never].map(of_a));
    assert_eq!(surplus(1), [r(1), never]);
    assert_eq!(surplus(3), []);
    bench.quarantine(&name("a"), r(2), &by_test()).unwrap();
    assert_eq!(surplus(1), [never, r(2)]);
    assert_eq!(surplus(9), [r(2)]);
    bench.retire_fully("a", r(2));
    assert_eq!(surplus(9), []);
    assert_eq!(bench.surplus(&name("unknown"), 0), []);
}

#[test]
fn a_warm_revision_drains_is_retired_and_comes_back_as_a_fresh_load() {
    let bench = three_generations();
    let old = bench.mounted(&name("a"), r(2)).unwrap();
    let call = old.enter().unwrap();
    let mount = bench.begin_retire(&name("a"), r(2)).unwrap();
    assert!(Arc::ptr_eq(&mount, &old) && mount.enter().is_none());
    assert_eq!(bench.state("a", r(2)), RevisionState::Draining);
    bench.note_pinned(&mount, vec![PinReason::Calls(1)]).unwrap();
    let listed =
        |number: u64| bench.registry.plugin(&name("a")).unwrap().revisions[number as usize - 1].clone();
    assert_eq!(
        (listed(2).pinned, listed(2).calls_in_flight),
        (vec![PinReason::Calls(1)], 1)
    );
    bench.refused("PB-REG-005", &["draining"], |b| b.go_live("a", r(2)));
    drop(call);
    assert!(mount.gate().idle().is_some());
    bench.retired(&mount, &by_test()).unwrap();
    let gone = listed(2);
    assert_eq!(
        (gone.state, gone.calls_ever, gone.pinned.len()),
        (RevisionState::Retired, 1, 0)
    );
    bench.refused("PB-REG-018", &[], |b| b.retired(&mount, &by_test()));
    let fresh = bench.registry.mount(&name("a"), r(2), load()).unwrap();
    bench.go_live("a", r(2)).unwrap();
    drop(fresh.enter());
    assert_eq!((listed(2).calls_ever, bench.live_of("a")), (2, Some(r(2))));
}

#[test]
fn a_revision_comes_back_while_an_earlier_load_of_it_is_still_pinned() {
    let bench = three_generations();
    let stuck = bench.mounted(&name("a"), r(2)).unwrap();
    let _call = stuck.enter().unwrap();
    let draining = bench.begin_retire(&name("a"), r(2)).unwrap();
    bench.registry.mount(&name("a"), r(2), load()).unwrap();
    bench.go_live("a", r(2)).unwrap();
    assert_eq!(bench.state("a", r(2)), RevisionState::Live);
    bench.retired(&draining, &by_test()).unwrap();
    assert_eq!(
        (bench.state("a", r(2)), bench.live_of("a")),
        (RevisionState::Live, Some(r(2)))
    );
}

#[test]
fn the_live_revision_is_not_retired() {
    let bench = three_generations();
    bench.refused("PB-REG-015", &["revision 3"], |b| {
        b.begin_retire(&name("a"), r(3))
    });
    assert!(bench.mounted(&name("a"), r(3)).unwrap().enter().is_some());
}

#[test]
fn a_quarantined_revision_stays_quarantined_through_its_retirement() {
    let bench = three_generations();
    bench.quarantine(&name("a"), r(3), &by_test()).unwrap();
    bench.retire_fully("a", r(3));
    assert_eq!(bench.state("a", r(3)), RevisionState::Quarantined);
    let forced = |b: &Bench| b.promote(&name("a"), r(3), Force::Yes, &by_test());
    bench.refused("PB-REG-005", &["quarantined"], forced);
    bench.registry.mount(&name("a"), r(3), load()).unwrap();
    assert_eq!(bench.state("a", r(3)), RevisionState::Quarantined);
    forced(&bench).unwrap();
    assert_eq!(bench.live_of("a"), Some(r(3)));
}

#[test]
fn a_plugin_is_removed_unless_a_live_one_needs_it() {
    let bench = three_generations();
    bench.live(candidate("b", "1.0.0", &["b.x"], &[("a", "^1")]));
    let remove = |b: &Bench, force| b.remove_live(&name("a"), force, &by_test());
    bench.refused("PB-REG-012", &["`a`", "`b` (wants ^1)"], |b| remove(b, Force::No));
    let removed = remove(&bench, Force::Yes).unwrap();
    assert_eq!(
        (removed.from, bench.live_of("a"), bench.route("a.x")),
        (r(3), None, None)
    );
    assert_eq!(bench.state("a", r(3)), RevisionState::Warm);
    assert_eq!(target(&bench, None), Ok(r(3)), "what was live last");
    bench.refused("PB-REG-014", &[], |b| remove(b, Force::No));
}

#[test]
fn the_history_says_when_who_why_and_from_where() {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    let second = bench.warm(candidate("a", "1.1.0", &["a.x"], &[]));
    bench.clock.advance(Duration::from_millis(40));
    bench
        .promote(&name("a"), second, Force::No, &Change::by("ann", "release"))
        .unwrap();
    let line = bench.history(&name("a")).unwrap().pop().unwrap();
    assert_eq!(
        (line.at, line.generation, line.action),
        (UnixMillis(42), 2, Action::Promoted)
    );
    assert_eq!(
        (line.revision, line.version.to_string(), line.from),
        (r(2), "1.1.0".into(), Some(r(1)))
    );
    assert_eq!((&*line.actor, &*line.reason), ("ann", "release"));
}

#[test]
fn the_history_is_bounded_and_keeps_the_latest() {
    let bench = three_generations();
    for turn in 0..1200 {
        bench.go_live("a", r(1 + turn % 2)).unwrap();
    }
    let history = bench.history(&name("a")).unwrap();
    assert_eq!(
        (history.len(), history.last().unwrap().generation),
        (1000, bench.snapshot().generation())
    );
}

#[test]
fn a_listing_has_every_plugin_and_what_its_artifact_said() {
    let bench = three_generations();
    bench.live(candidate("b", "1.0.0", &["b.x"], &[("a", "^1")]));
    let plugins = bench.plugins();
    assert_eq!(
        plugins.iter().map(|p| p.plugin.as_str()).collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(plugins[0].live, Some(r(3)));
    let b = &plugins[1].revisions[0];
    assert_eq!(
        (&*b.origin, b.nodes[0].as_str(), b.admitted_at),
        ("inbox", "b.x", UnixMillis(4))
    );
    assert_eq!(
        (b.dependencies[0].plugin.as_str(), b.mounted, b.state),
        ("a", true, RevisionState::Live)
    );
}

#[test]
fn a_load_that_sleeps_stays_live_and_routed_until_a_fresh_one_takes_its_place() {
    let bench = three_generations();
    let (generation, history) = (bench.snapshot().generation(), bench.actions("a"));
    let asleep = bench.mounted(&name("a"), r(3)).unwrap();
    drop(asleep.enter());
    bench.begin_sleep(&asleep).unwrap();
    assert!(asleep.enter().is_none() && bench.is_asleep(&asleep));
    assert_eq!(bench.route("a.x").as_deref(), Some("a@3#0"));
    assert_eq!(bench.state("a", r(3)), RevisionState::Live);
    assert_eq!(bench.snapshot().generation(), generation, "nothing was stored");
    assert_eq!(bench.awake_loads().len(), 2, "the warm ones");
    let status = || bench.plugin(&name("a")).unwrap().revisions[2].clone();
    assert!(status().asleep && status().mounted);

    let slot = bench.snapshot().slot("a.x").unwrap();
    let refused = bench.lease(&[slot]).unwrap_err();
    assert!(matches!(refused, RegistryError::GateClosed { .. }), "{refused}");

    let awake = bench.awake(&asleep, load()).unwrap();
    assert_eq!(bench.snapshot().generation(), generation + 1, "one store");
    assert!(awake.enter().is_some() && bench.lease(&[slot]).is_ok());
    assert!(!bench.is_asleep(&asleep) && !status().asleep);
    assert_eq!(
        bench.loads(&name("a"), r(3)).len(),
        2,
        "the old one is on its way out"
    );
    bench.forget(&asleep).unwrap();
    assert_eq!(bench.loads(&name("a"), r(3)).len(), 1);
    assert_eq!(status().calls_ever, 3, "its calls are counted on");
    assert_eq!(bench.actions("a"), history, "a sleep is no change");
}

#[test]
fn a_warm_load_that_sleeps_is_woken_before_it_is_promoted_and_may_be_retired() {
    let bench = three_generations();
    let asleep = bench.mounted(&name("a"), r(2)).unwrap();
    bench.begin_sleep(&asleep).unwrap();
    bench.refused("PB-REG-017", &["revision 2"], |b| b.go_live("a", r(2)));
    let generation = bench.snapshot().generation();
    bench.awake(&asleep, load()).unwrap();
    assert_eq!(
        bench.snapshot().generation(),
        generation,
        "nothing of it is routed"
    );
    bench.go_live("a", r(2)).unwrap();
    let other = bench.mounted(&name("a"), r(1)).unwrap();
    bench.begin_sleep(&other).unwrap();
    bench.retire_fully("a", r(1));
    assert_eq!(bench.state("a", r(1)), RevisionState::Retired);
    bench.refused("PB-REG-005", &["revision 1"], |b| b.awake(&other, load()));
}

#[test]
fn a_load_is_woken_once_and_only_while_it_sleeps() {
    let bench = three_generations();
    let live = bench.mounted(&name("a"), r(3)).unwrap();
    bench.refused("PB-REG-016", &["revision 3"], |b| b.awake(&live, load()));
    bench.begin_sleep(&live).unwrap();
    let closed = load();
    closed.gate().close();
    bench.refused("PB-REG-017", &["revision 3"], |b| {
        b.awake(&live, Arc::clone(&closed))
    });
    bench.awake(&live, load()).unwrap();
    bench.refused("PB-REG-016", &["revision 3"], |b| b.awake(&live, load()));
    bench.refused("PB-REG-005", &["revision 3"], |b| b.begin_sleep(&live));
}
