//! What was known before: taken in, routed to again, and forgotten.

use patchbay_vocab::UnixMillis;

use super::*;

fn known(number: u64, version: &str, quarantined: bool) -> KnownRevision {
    KnownRevision {
        number: r(number),
        version: version.parse().unwrap(),
        digest: Digest::of(version.as_bytes()),
        nodes: ["a.x".parse::<NodeType>().unwrap()].into(),
        dependencies: [].into(),
        origin: "inbox".into(),
        admitted_at: UnixMillis(number),
        quarantined,
    }
}

fn plugin_a() -> KnownPlugin {
    let everybody = PinScope::default();
    let somebody = PinScope {
        tenant: Some("ada".parse().unwrap()),
        ..PinScope::default()
    };
    KnownPlugin {
        plugin: name("a"),
        highest: r(7),
        revisions: vec![
            known(2, "1.0.0", false),
            known(4, "1.1.0", true),
            known(5, "1.2.0", false),
        ],
        live_order: vec![r(5), r(3), r(2)],
        pins: vec![(somebody, r(2)), (everybody, r(3))],
        history: Vec::new(),
    }
}

#[test]
fn what_is_taken_in_is_known_and_neither_loaded_nor_live() {
    let bench = Bench::strict();
    bench.restore(vec![plugin_a()], 41);
    assert_eq!(bench.snapshot().generation(), 41);
    assert_eq!(bench.live_of("a"), None);
    assert_eq!(bench.state("a", r(2)), RevisionState::Retired);
    assert_eq!(bench.state("a", r(4)), RevisionState::Quarantined);
    let status = bench.plugin(&name("a")).unwrap();
    assert_eq!(status.pins.len(), 1, "a pin to what is not known is left out");
    assert_eq!(bench.live_order(&name("a")), [r(5), r(2)]);
    // Numbers are never given twice, not even those of revisions that were forgotten.
    assert_eq!(bench.admitted(candidate("a", "2.0.0", &["a.x"], &[])), r(8));
    // The same content is the same revision.
    let same = Candidate {
        digest: Digest::of(b"1.2.0"),
        ..candidate("a", "1.2.0", &["a.x"], &[])
    };
    assert_eq!(bench.admit(same, "inbox", &by_test()), Ok(Admission::Known(r(5))));
}

#[test]
fn what_was_live_is_live_again_in_one_store_with_its_pins() {
    let bench = Bench::strict();
    let other = KnownPlugin {
        plugin: name("b"),
        highest: r(1),
        revisions: vec![KnownRevision {
            nodes: ["b.x".parse::<NodeType>().unwrap()].into(),
            ..known(1, "1.0.0", false)
        }],
        live_order: vec![r(1)],
        pins: Vec::new(),
        history: Vec::new(),
    };
    bench.restore(vec![plugin_a(), other], 41);
    for (plugin, number) in [("a", 5), ("a", 2), ("b", 1)] {
        bench.mount(&name(plugin), r(number), load()).unwrap();
    }
    let wanted = [(name("a"), r(5)), (name("b"), r(1))];
    assert_eq!(bench.reinstate(&desired(&wanted)), wanted);
    assert_eq!(bench.snapshot().generation(), 42, "one store");
    assert_eq!((bench.live_of("a"), bench.live_of("b")), (Some(r(5)), Some(r(1))));
    let snapshot = bench.snapshot();
    let route = snapshot.route(snapshot.slot("a.x").unwrap()).unwrap();
    let of = |tenant| {
        let caller = Caller {
            tenant,
            run: "",
            workflow: None,
            key: None,
        };
        route.leg(&caller).unwrap().mount.revision()
    };
    assert_eq!((of("ada"), of("bob")), (r(2), r(5)));
    assert!(bench.history(&name("a")).unwrap().is_empty(), "it is no change");
}

#[test]
fn who_is_pinned_to_what_could_not_be_loaded_is_told_so_and_the_others_are_served() {
    let bench = Bench::strict();
    bench.restore(vec![plugin_a()], 0);
    bench.mount(&name("a"), r(5), load()).unwrap();
    assert_eq!(bench.reinstate(&desired(&[(name("a"), r(5))])).len(), 1);
    let snapshot = bench.snapshot();
    let route = snapshot.route(snapshot.slot("a.x").unwrap()).unwrap();
    let leg = |tenant| {
        let caller = Caller {
            tenant,
            run: "",
            workflow: None,
            key: None,
        };
        route.leg(&caller).map(|leg| leg.mount.revision())
    };
    assert_eq!(leg("ada"), Err(NotLoaded));
    assert_eq!(leg("bob"), Ok(r(5)));
}

#[test]
fn what_is_not_loaded_or_out_of_service_or_claims_anothers_node_is_left_out() {
    let bench = Bench::strict();
    let thief = KnownPlugin {
        plugin: name("b"),
        highest: r(1),
        revisions: vec![known(1, "1.0.0", false)],
        live_order: Vec::new(),
        pins: Vec::new(),
        history: Vec::new(),
    };
    bench.restore(vec![plugin_a(), thief], 0);
    bench.mount(&name("a"), r(4), load()).unwrap();
    for wanted in [("a", 5), ("a", 4), ("a", 9), ("z", 1)] {
        assert!(
            bench
                .reinstate(&desired(&[(name(wanted.0), r(wanted.1))]))
                .is_empty()
        );
    }
    assert_eq!(bench.live_of("a"), None);
    bench.mount(&name("a"), r(5), load()).unwrap();
    bench.mount(&name("b"), r(1), load()).unwrap();
    let both = [(name("a"), r(5)), (name("b"), r(1))];
    assert_eq!(bench.reinstate(&desired(&both)), both[..1]);
    assert_eq!(bench.live_of("b"), None);
}

#[test]
fn a_revision_is_forgotten_only_when_nothing_needs_it_and_its_number_is_gone_for_good() {
    let bench = Bench::strict();
    for version in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        bench.live(candidate("a", version, &["a.x"], &[]));
    }
    let forget = |number: u64| bench.forget_revision(&name("a"), r(number), &by_test());
    let kept = |number: u64| {
        bench.refused("PB-REG-021", &[], |b| {
            b.forget_revision(&name("a"), r(number), &by_test())
        })
    };
    kept(4);
    kept(1);
    let mount = bench.begin_retire(&name("a"), r(1)).unwrap();
    kept(1);
    bench.retired(&mount, &by_test()).unwrap();
    forget(1).unwrap();
    bench.refused("PB-REG-004", &[], |b| {
        b.forget_revision(&name("a"), r(1), &by_test())
    });
    assert!(!bench.live_order(&name("a")).contains(&r(1)));
    assert_eq!(bench.actions("a").last().unwrap(), "forgotten 1");
    // The newest stays, though nothing needs it.
    bench.go_live("a", r(3)).unwrap();
    bench.retire_fully("a", r(4));
    kept(4);
    // A pin that waits for its revision to be loaded keeps it.
    bench
        .pin(&name("a"), PinScope::default(), r(2), &by_test())
        .unwrap();
    bench.quarantine(&name("a"), r(2), &by_test()).unwrap();
    bench.retire_fully("a", r(2));
    kept(2);
    bench.unpin(&name("a"), &PinScope::default(), &by_test()).unwrap();
    forget(2).unwrap();
    assert_eq!(bench.admitted(candidate("a", "1.4.0", &["a.x"], &[])), r(5));
}

#[test]
fn whoever_makes_live_what_stands_in_for_another_says_something_new_and_is_remembered_once() {
    let bench = Bench::strict();
    bench.restore(vec![plugin_a()], 0);
    bench.mount(&name("a"), r(2), load()).unwrap();
    let told = bench.history(&name("a")).unwrap().len();
    assert_eq!(bench.reinstate(&[(name("a"), r(2), Standing::Instead)]).len(), 1);
    assert_eq!(
        bench.history(&name("a")).unwrap().len(),
        told,
        "coming back is no change"
    );
    let change = Change::by("ada", "it will do");
    for _ in 0..2 {
        bench.promote(&name("a"), r(2), Force::No, &change).unwrap();
        assert_eq!(bench.history(&name("a")).unwrap().len(), told + 1);
    }
}
