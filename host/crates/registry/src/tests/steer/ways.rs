//! The short ways of calls say what the whole way says.

use super::*;

#[test]
fn of_many_pinned_tenants_each_goes_where_it_is_held_and_no_other_does() {
    let bench = three();
    for number in 0..300 {
        let tenant = format!("tenant-{number}");
        bench.pins(scope(None, Some(&tenant)), 2 + number % 2).unwrap();
    }
    for number in 0..300 {
        let tenant = format!("tenant-{number}");
        assert_eq!(
            answers(&bench, &caller(&tenant, "run", None)),
            Some(2 + number % 2)
        );
        let other = format!("other-{number}");
        assert_eq!(answers(&bench, &caller(&other, "run", None)), Some(1));
    }
    for number in 0..299 {
        let tenant = format!("tenant-{number}");
        bench
            .unpin(&name("a"), &scope(None, Some(&tenant)), &by_test())
            .unwrap();
    }
    assert_eq!(answers(&bench, &caller("tenant-0", "run", None)), Some(1));
    assert_eq!(answers(&bench, &caller("tenant-299", "run", None)), Some(3));
}

/// Whether the short way decides about a caller at `a.x`; what it says is held against the whole way by `answers`.
fn is_short(bench: &Bench, who: &Caller<'_>) -> bool {
    let snapshot = bench.snapshot();
    let route = snapshot.route(snapshot.slot("a.x").unwrap()).unwrap();
    route.dealt(who.tenant, who.run).is_some()
}

#[test]
fn a_share_by_itself_is_at_hand_and_one_beside_a_pin_or_by_a_variable_is_not() {
    let bench = three();
    let who = caller("ada", "run", None);
    assert!(!is_short(&bench, &who), "nothing is shared");
    for by in [Sticky::Run, Sticky::Tenant] {
        bench.shares(share(2, "50", by)).unwrap();
        assert!(is_short(&bench, &who));
        let runs: Vec<String> = (0..500).map(|number| format!("run-{number}")).collect();
        let taken = runs
            .iter()
            .filter(|run| answers(&bench, &caller(run, run, None)) == Some(2));
        assert!((150..350).contains(&taken.count()));
    }
    bench.shares(share(3, "50", Sticky::Run)).unwrap();
    let snapshot = bench.snapshot();
    let lacking = snapshot.route(snapshot.slot("a.y").unwrap()).unwrap();
    assert!(
        lacking.dealt("ada", "run").is_none(),
        "the candidate has no such node"
    );
    bench
        .shares(share(2, "50", Sticky::Variable("who".into())))
        .unwrap();
    assert!(!is_short(&bench, &who));
    for pin in [
        scope(None, Some("bob")),
        scope(Some("billing"), None),
        scope(None, None),
    ] {
        bench.shares(share(2, "50", Sticky::Run)).unwrap();
        bench.pins(pin.clone(), 1).unwrap();
        assert!(!is_short(&bench, &who), "{pin:?}");
        bench.unpin(&name("a"), &pin, &by_test()).unwrap();
        assert!(is_short(&bench, &who));
    }
}
