//! Several node types held from one snapshot.

use super::*;

fn two_plugins() -> (Bench, [NodeSlot; 3]) {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["a.x", "a.y"], &[]));
    bench.live(candidate("b", "1.0.0", &["b.x"], &[]));
    let snapshot = bench.snapshot();
    let slots = ["a.x", "b.x", "a.y"].map(|node| snapshot.slot(node).unwrap());
    (bench, slots)
}

#[test]
fn a_lease_holds_one_pass_for_each_load_and_resolves_every_slot() {
    let (bench, slots) = two_plugins();
    let set = bench.lease(&slots).unwrap();
    let a = bench.mounted(&name("a"), r(1)).unwrap();
    assert_eq!(a.gate().in_flight(), 1, "two nodes of one plugin share a pass");
    let last = set.at(2).unwrap();
    assert_eq!((last.route.node(), last.pass.belongs_to(a.gate())), (1, true));
    assert_eq!(set.find(slots[1]).unwrap().route.mount().plugin().as_str(), "b");
    assert!(set.at(3).is_none() && set.pass_for(&a).is_some());
    drop(set);
    assert_eq!(a.gate().in_flight(), 0);
}

#[test]
fn a_lease_keeps_its_versions_through_a_swap_and_holds_up_their_retirement() {
    let (bench, slots) = two_plugins();
    let set = bench.lease(&slots).unwrap();
    bench.live(candidate("a", "2.0.0", &["a.x"], &[]));
    let old = bench.begin_retire(&name("a"), r(1)).unwrap();
    for at in [0, 2] {
        let leased = set.at(at).unwrap();
        assert_eq!(leased.route.mount().revision(), r(1));
        drop(leased.pass.renew());
    }
    assert!(old.gate().idle().is_none());
    drop(set);
    assert!(old.gate().idle().is_some());
}

#[test]
fn a_lease_of_a_node_type_that_nothing_serves_is_refused_and_holds_nothing() {
    let (bench, slots) = two_plugins();
    bench.remove_live(&name("b"), Force::No, &by_test()).unwrap();
    bench.refused("PB-REG-019", &[], |b| b.lease(&slots));
    assert_eq!(bench.mounted(&name("a"), r(1)).unwrap().gate().in_flight(), 0);
}

#[test]
fn a_lease_on_a_gate_closed_from_outside_is_refused_instead_of_retried_for_ever() {
    let (bench, slots) = two_plugins();
    bench.mounted(&name("b"), r(1)).unwrap().gate().close();
    let closed_first = [slots[1], slots[0]];
    bench.refused("PB-REG-017", &["`b`"], |b| b.lease(&closed_first));
    assert!(bench.lease(&slots).is_err());
    assert_eq!(
        bench.mounted(&name("a"), r(1)).unwrap().gate().in_flight(),
        0,
        "it let go of the rest"
    );
}

#[test]
fn an_overlaid_snapshot_leads_to_what_it_was_given_and_nobody_else_sees_it() {
    let (bench, slots) = two_plugins();
    let other = bench.warm(candidate("a", "2.0.0", &["a.z", "a.x"], &[]));
    let other = bench.mounted(&name("a"), other).unwrap();
    let live = bench.snapshot();
    let over = Arc::new(live.overlaid(&[Arc::clone(&other)]));
    assert_eq!(over.generation(), live.generation());
    let set = LeaseSet::within(&over, &[slots[0], over.slot("a.z").unwrap(), slots[1]]).unwrap();
    for (at, plugin, node) in [(0, "a@2", 1), (1, "a@2", 0), (2, "b@1", 0)] {
        let route = set.at(at).unwrap().route;
        let mount = route.mount();
        assert_eq!(format!("{}@{}", mount.plugin(), mount.revision()), plugin);
        assert_eq!(route.node(), node);
    }
    assert_eq!(set.of_plugin(&name("a")).unwrap().0.revision(), other.revision());
    // What the given version lacks is gone, there alone.
    assert!(over.route(slots[2]).is_none() && live.route(slots[2]).is_some());
    assert!(live.slot("a.z").is_none());
    assert_eq!(bench.route("a.x"), Some("a@1#0".into()));
    assert_eq!(other.gate().in_flight(), 1);
    drop(set);
    assert_eq!(other.gate().in_flight(), 0);
}

#[test]
fn a_set_that_begins_with_passes_of_another_needs_no_open_gate_for_them() {
    let (bench, slots) = two_plugins();
    let first = bench.lease(&slots[..1]).unwrap();
    let snapshot = Arc::clone(first.snapshot());
    let mount = bench.mounted(&name("a"), r(1)).unwrap();
    mount.gate().close();
    assert!(LeaseSet::within(&snapshot, &slots).is_err());
    let second = LeaseSet::beginning_with(first.passes_again().collect(), &snapshot, &slots).unwrap();
    assert_eq!(mount.gate().in_flight(), 2);
    drop(first);
    assert_eq!(second.at(0).unwrap().route.mount().revision(), r(1));
    drop(second);
    assert_eq!(mount.gate().in_flight(), 0);
}

#[test]
fn a_set_knows_the_loads_that_it_holds_by_their_plugin() {
    let (bench, slots) = two_plugins();
    let set = bench.lease(&slots[..1]).unwrap();
    assert_eq!(set.of_plugin(&name("a")).unwrap().0.revision(), r(1));
    assert!(set.of_plugin(&name("b")).is_none() && set.of_plugin(&name("c")).is_none());
}

#[test]
fn an_empty_lease_is_just_a_snapshot() {
    let (bench, _) = two_plugins();
    let set = bench.lease(&[]).unwrap();
    assert_eq!(set.snapshot().generation(), 2);
    assert!(set.at(0).is_none());
}
