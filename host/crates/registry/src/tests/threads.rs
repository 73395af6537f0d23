//! Real threads against swaps, leases and drains. (The gate's own protocol is checked under loom in the lease
//! crate, together with a swap of the cell that leads to it.)

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

const SWAPS: u64 = 300;

/// Adds a generation of `a` (nodes `a.x`, `a.y`), makes it live, and says which.
fn ship(bench: &Bench, number: u64) -> RevisionNumber {
    bench.live(candidate("a", &format!("1.0.{number}"), &["a.x", "a.y"], &[]))
}

#[test]
fn calls_that_begin_after_a_swap_reach_the_new_version_and_none_is_inside_an_idle_one() {
    let bench = Bench::strict();
    ship(&bench, 1);
    let promoted = AtomicU64::new(1);
    let unloaded = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let slot = bench.snapshot().slot("a.x").unwrap();
    let calls: u64 = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut cache = arc_swap::Cache::new(Arc::clone(bench.source()));
                    let mut calls = 0_u64;
                    while !stop.load(Ordering::Relaxed) || calls == 0 {
                        let at_least = promoted.load(Ordering::SeqCst);
                        let mount = cache.load().route(slot).expect("always routed").mount();
                        assert!(mount.revision().0 >= at_least, "an old version for a new call");
                        if let Some(_inside) = mount.enter() {
                            let gone = unloaded.load(Ordering::SeqCst);
                            assert!(mount.revision().0 > gone, "inside a version that is gone");
                            calls += 1;
                        }
                    }
                    calls
                })
            })
            .collect();
        for number in 2..SWAPS {
            let live = ship(&bench, number);
            promoted.store(live.0, Ordering::SeqCst);
            let old = r(live.0 - 1);
            let mount = bench.begin_retire(&name("a"), old).unwrap();
            while mount.gate().idle().is_none() {
                std::thread::yield_now();
            }
            unloaded.store(old.0, Ordering::SeqCst);
            bench.retired(&mount, &by_test()).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    let status = bench.registry.plugin(&name("a")).unwrap();
    assert_eq!(
        status
            .revisions
            .iter()
            .map(|revision| revision.calls_ever)
            .sum::<u64>(),
        calls
    );
    assert_eq!(
        status
            .revisions
            .iter()
            .map(|revision| revision.calls_in_flight)
            .sum::<u64>(),
        0
    );
}

#[test]
fn a_lease_taken_in_the_midst_of_swaps_has_one_version_that_stays() {
    let bench = Bench::strict();
    ship(&bench, 1);
    let unloaded = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let snapshot = bench.snapshot();
    let slots = ["a.x", "a.y"].map(|node| snapshot.slot(node).unwrap());
    drop(snapshot);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut leases = 0;
                while !stop.load(Ordering::Relaxed) || leases == 0 {
                    let set = bench.lease(&slots).expect("always routed");
                    let [x, y] = [0, 1].map(|at| set.at(at).unwrap().route.mount().revision());
                    assert_eq!(x, y, "two versions in one lease");
                    drop(set.at(0).unwrap().pass.renew());
                    assert!(x.0 > unloaded.load(Ordering::SeqCst), "its version is gone");
                    leases += 1;
                }
            });
        }
        for number in 2..SWAPS {
            let old = r(ship(&bench, number).0 - 1);
            let mount = bench.begin_retire(&name("a"), old).unwrap();
            while mount.gate().idle().is_none() {
                std::thread::yield_now();
            }
            unloaded.store(old.0, Ordering::SeqCst);
            bench.retired(&mount, &by_test()).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
}
