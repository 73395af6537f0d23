//! Who may be admitted and who may go live.

use super::*;

#[test]
fn each_content_is_admitted_once_and_numbered_from_one() {
    let bench = Bench::strict();
    let first = || candidate("a", "1.0.0", &["a.x"], &[]);
    assert_eq!(
        bench.admit(first(), "inbox", &by_test()),
        Ok(Admission::New(r(1)))
    );
    assert_eq!(
        bench.admit(first(), "elsewhere", &by_test()),
        Ok(Admission::Known(r(1)))
    );
    assert_eq!(bench.admitted(candidate("a", "1.1.0", &["a.x"], &[])), r(2));
    assert_eq!(bench.admitted(candidate("b", "1.0.0", &["b.x"], &[])), r(1));
    assert_eq!(bench.state("a", r(1)), RevisionState::Vetted);
    assert_eq!(bench.actions("a"), ["admitted 1", "admitted 2"]);
}

#[test]
fn a_version_with_other_content_is_refused_with_the_advice_to_bump_it() {
    let bench = Bench::strict();
    bench.admitted(candidate("a", "1.0.0", &["a.x"], &[]));
    let other = candidate("a", "1.0.0", &["a.y"], &[]);
    let error = bench.refused("PB-REG-001", &["`a` 1.0.0", "revision 1"], |b| {
        b.admit(other, "inbox", &by_test())
    });
    assert!(error.help().contains("bump the version"));
}

#[test]
fn a_version_with_other_content_is_the_next_revision_in_development_mode() {
    let bench = Bench::new(SameVersion::Replace);
    assert_eq!(bench.live(candidate("a", "1.0.0", &["a.x"], &[])), r(1));
    assert_eq!(bench.admitted(candidate("a", "1.0.0", &["a.y"], &[])), r(2));
    assert!(
        bench.should_go_live(&name("a"), r(2)),
        "an equal version counts as higher"
    );
    assert!(
        !bench.should_go_live(&name("a"), r(1)),
        "the live one need not go live"
    );
    let first = candidate("a", "1.0.0", &["a.x"], &[]);
    assert_eq!(
        bench.admit(first, "inbox", &by_test()),
        Ok(Admission::Known(r(1)))
    );
}

#[test]
fn a_candidate_that_offers_a_node_type_twice_is_refused() {
    let bench = Bench::strict();
    let twice = candidate("a", "1.0.0", &["a.x", "a.y", "a.x"], &[]);
    bench.refused("PB-REG-002", &["`a.x` twice"], |b| {
        b.admit(twice, "inbox", &by_test())
    });
}

#[test]
fn unknown_plugins_and_revisions_are_refused_by_name() {
    let bench = Bench::strict();
    bench.refused("PB-REG-003", &["`a`"], |b| b.go_live("a", r(1)));
    bench.admitted(candidate("a", "1.0.0", &["a.x"], &[]));
    bench.refused("PB-REG-004", &["`a`", "revision 2"], |b| b.go_live("a", r(2)));
    bench.refused("PB-REG-004", &["revision 2"], |b| {
        b.registry.mount(&name("a"), r(2), load())
    });
}

#[test]
fn a_revision_that_is_not_loaded_is_refused() {
    let bench = Bench::strict();
    let number = bench.admitted(candidate("a", "1.0.0", &["a.x"], &[]));
    bench.refused("PB-REG-005", &["vetted"], |b| b.go_live("a", number));
}

#[test]
fn a_promoted_revision_answers_for_its_nodes_and_the_one_before_is_kept_warm() {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["a.x", "a.old"], &[]));
    let slot = bench.snapshot().slot("a.x").unwrap();
    let second = bench.warm(candidate("a", "1.1.0", &["a.new", "a.x"], &[]));
    let old = bench.snapshot();
    let swap = bench.go_live("a", second).unwrap();
    assert_eq!(
        swap,
        Swap {
            plugin: name("a"),
            from: Some(r(1)),
            to: second,
            generation: 2
        }
    );
    assert_eq!(bench.route("a.x").unwrap(), "a@2#1");
    assert_eq!(bench.route("a.new").unwrap(), "a@2#0");
    assert_eq!(bench.route("a.old"), None, "the new version does not offer it");
    assert_eq!(bench.snapshot().slot("a.x"), Some(slot), "slots are for ever");
    assert_eq!(
        old.route(slot).unwrap().mount().revision(),
        r(1),
        "an old snapshot does not change"
    );
    assert_eq!(
        (bench.state("a", r(1)), bench.state("a", r(2))),
        (RevisionState::Warm, RevisionState::Live)
    );
    let routed: Vec<_> = bench
        .snapshot()
        .routes()
        .map(|(node, slot, _)| (node.to_string(), slot))
        .collect();
    assert_eq!(routed.len(), 2);
    assert!(routed.contains(&("a.x".into(), slot)));
}

#[test]
fn promoting_the_live_revision_again_changes_nothing() {
    let bench = Bench::strict();
    let number = bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    let lines = bench.actions("a").len();
    assert!(bench.check_promote(&name("a"), number, Force::No).is_ok());
    let swap = bench.go_live("a", number).unwrap();
    assert_eq!((swap.from, swap.to, swap.generation), (Some(number), number, 1));
    assert_eq!(
        (bench.snapshot().generation(), bench.actions("a").len()),
        (1, lines)
    );
}

#[test]
fn a_quarantined_revision_goes_live_only_by_force_which_releases_it() {
    let bench = Bench::strict();
    let number = bench.warm(candidate("a", "1.0.0", &["a.x"], &[]));
    bench.quarantine(&name("a"), number, &by_test()).unwrap();
    assert!(!bench.should_go_live(&name("a"), number));
    bench.refused("PB-REG-006", &["revision 1", "quarantined"], |b| {
        b.go_live("a", number)
    });
    bench.promote(&name("a"), number, Force::Yes, &by_test()).unwrap();
    assert_eq!(bench.state("a", number), RevisionState::Live);
    assert_eq!(
        bench.actions("a"),
        ["admitted 1", "quarantined 1", "released 1", "promoted 1"]
    );
}

#[test]
fn a_node_type_of_another_live_plugin_is_refused_until_that_one_gives_it_up() {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["x.y"], &[]));
    let thief = bench.warm(candidate("b", "1.0.0", &["b.z", "x.y"], &[]));
    bench.refused("PB-REG-007", &["`a`", "`b`", "`x.y`"], |b| b.go_live("b", thief));
    let forced = |b: &Bench| b.promote(&name("b"), thief, Force::Yes, &by_test());
    bench.refused("PB-REG-007", &[], forced);
    bench.live(candidate("a", "2.0.0", &["a.other"], &[]));
    bench.go_live("b", thief).unwrap();
    assert_eq!(bench.route("x.y").unwrap(), "b@1#1");
}

#[test]
fn a_revision_waits_for_a_dependency_that_is_missing_or_out_of_range() {
    let bench = Bench::strict();
    let user = bench.warm(candidate("a", "1.0.0", &["a.x"], &[("b", "^1.2")]));
    let error = bench.refused("PB-REG-008", &["`a`", "`b`", "^1.2"], |b| b.go_live("a", user));
    assert!(error.waits_for_others());
    bench.live(candidate("b", "1.1.0", &["b.x"], &[]));
    let error = bench.refused("PB-REG-009", &["`b`", "^1.2", "1.1.0"], |b| b.go_live("a", user));
    assert!(error.waits_for_others());
    bench.live(candidate("b", "1.2.3", &["b.x"], &[]));
    bench.go_live("a", user).unwrap();
}

#[test]
fn two_plugins_that_wait_for_each_other_are_told_so_though_neither_is_live() {
    let bench = Bench::strict();
    let a = bench.warm(candidate("a", "1.0.0", &["a.x"], &[("b", "^1")]));
    assert!(
        bench
            .refused("PB-REG-008", &["`b`"], |b| b.go_live("a", a))
            .waits_for_others()
    );
    let b = bench.warm(candidate("b", "1.0.0", &["b.x"], &[("a", "^1")]));
    let error = bench.refused("PB-REG-010", &["a", "b"], |bench| bench.go_live("b", b));
    assert!(!error.waits_for_others());
    // A version of the other that needs nobody opens the circle.
    bench.live(candidate("a", "1.1.0", &["a.x"], &[]));
    bench.go_live("b", b).unwrap();
}

#[test]
fn a_circle_of_dependencies_is_refused_with_its_path_and_does_not_wait() {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    bench.live(candidate("b", "1.0.0", &["b.x"], &[("a", "^1")]));
    bench.live(candidate("c", "1.0.0", &["c.x"], &[("b", "^1")]));
    let circular = bench.warm(candidate(
        "a",
        "1.1.0",
        &["a.x"],
        &[("missing", "^1"), ("c", "^1")],
    ));
    let error = bench.refused("PB-REG-010", &["a -> c -> b -> a"], |b| b.go_live("a", circular));
    assert!(!error.waits_for_others());
    let own = bench.warm(candidate("d", "1.0.0", &["d.x"], &[("d", "*")]));
    bench.refused("PB-REG-010", &["d -> d"], |b| b.go_live("d", own));
}

#[test]
fn a_version_that_breaks_live_dependents_needs_force() {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    bench.live(candidate("b", "1.0.0", &["b.x"], &[("a", "^1")]));
    bench.live(candidate("c", "1.0.0", &["c.x"], &[("a", ">=1")]));
    let second = bench.warm(candidate("a", "2.0.0", &["a.x"], &[]));
    let error = bench.refused("PB-REG-011", &["2.0.0", "`b` (wants ^1)"], |b| {
        b.go_live("a", second)
    });
    assert!(!error.to_string().contains("`c`") && !error.waits_for_others());
    bench.promote(&name("a"), second, Force::Yes, &by_test()).unwrap();
    assert_eq!(bench.live_of("a"), Some(second));
}

#[test]
fn a_dependent_that_dropped_its_dependency_does_not_hold_it_back() {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    bench.live(candidate("b", "1.0.0", &["b.x"], &[("a", "^1")]));
    bench.live(candidate("b", "1.1.0", &["b.x"], &[]));
    bench.live(candidate("a", "2.0.0", &["a.x"], &[]));
    assert_eq!(bench.live_of("a"), Some(r(2)));
}

#[test]
fn only_a_higher_version_goes_live_by_itself() {
    // (live, candidate, whether it goes live)
    let cases = [
        ("1.0.0", "1.0.1", true),
        ("1.0.1", "1.0.0", false),
        ("1.0.0", "1.0.0-rc.1", false),
        ("1.0.0-rc.1", "1.0.0", true),
        ("1.0.0-rc.2", "1.0.0-rc.10", true),
        ("1.0.0+a", "1.0.0+b", false),
    ];
    for (live, next, expected) in cases {
        let bench = Bench::strict();
        let first = bench.admitted(candidate("a", live, &["a.x"], &[]));
        assert!(bench.should_go_live(&name("a"), first), "nothing is live");
        bench.registry.mount(&name("a"), first, load()).unwrap();
        bench.go_live("a", first).unwrap();
        let second = bench.admitted(candidate("a", next, &["a.x"], &[]));
        assert_eq!(
            bench.should_go_live(&name("a"), second),
            expected,
            "{live} -> {next}"
        );
    }
    assert!(!Bench::strict().should_go_live(&name("a"), r(1)), "unknown");
}

#[test]
fn a_load_whose_gate_is_closed_is_neither_mounted_nor_promoted() {
    let bench = Bench::strict();
    let number = bench.admitted(candidate("a", "1.0.0", &["a.x"], &[]));
    let closed = load();
    closed.gate.close();
    bench.refused("PB-REG-017", &[], |b| {
        b.registry.mount(&name("a"), number, closed)
    });
    let mount = bench.registry.mount(&name("a"), number, load()).unwrap();
    bench.refused("PB-REG-016", &[], |b| {
        b.registry.mount(&name("a"), number, load())
    });
    mount.gate().close();
    bench.refused("PB-REG-017", &[], |b| b.go_live("a", number));
}
