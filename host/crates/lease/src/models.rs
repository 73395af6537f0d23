//! The protocol under loom: every interleaving, and every value a weak memory may return.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use loom::thread;

use crate::Gate;

/// One version: its gate, whether its code is gone, and what the calls have done.
struct Version {
    gate: Gate,
    unmapped: AtomicBool,
    work: AtomicU64,
}

impl Version {
    fn new() -> Self {
        Self {
            gate: Gate::new(),
            unmapped: AtomicBool::new(false),
            work: AtomicU64::new(0),
        }
    }

    /// A call on `shard`; the relaxed accesses show what the gate alone orders.
    fn call(&self, shard: usize) -> bool {
        let Some(pass) = self.gate.enter_on(shard) else {
            return false;
        };
        assert!(
            !self.unmapped.load(Ordering::Relaxed),
            "inside a version that is gone"
        );
        self.work.fetch_add(1, Ordering::Relaxed);
        drop(pass);
        true
    }

    /// Unmaps when nobody is inside, as the unloader does.
    fn try_unmap(&self) -> bool {
        let Some(_idle) = self.gate.idle() else {
            return false;
        };
        self.unmapped.store(true, Ordering::Relaxed);
        true
    }
}

/// Two callers on the shards given, one closer that asks once. Three threads are explored up to three
/// preemptions (complete it takes minutes); the models of two threads are complete.
fn callers_and_closer(shards: [usize; 2]) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let version = Arc::new(Version::new());
        let callers = shards.map(|shard| {
            let version = Arc::clone(&version);
            thread::spawn(move || version.call(shard))
        });
        version.gate.close();
        if version.try_unmap() {
            // All that will ever be done has been done, and is seen here without any further ordering.
            let seen = version.work.load(Ordering::Relaxed);
            let admitted = callers
                .into_iter()
                .filter(|_| true)
                .map(|c| u64::from(c.join().unwrap()))
                .sum::<u64>();
            assert_eq!(seen, admitted, "a call slipped in, or its work was not seen");
        } else {
            for caller in callers {
                caller.join().unwrap();
            }
            assert!(version.try_unmap(), "drained, and not idle");
        }
    });
}

#[test]
fn no_call_is_inside_once_idle_was_given_with_callers_on_one_shard() {
    callers_and_closer([0, 0]);
}

#[test]
fn no_call_is_inside_once_idle_was_given_with_callers_on_two_shards() {
    callers_and_closer([0, 1]);
}

#[test]
fn a_drain_completes_and_sees_the_work_of_every_admitted_call() {
    loom::model(|| {
        let version = Arc::new(Version::new());
        let caller = {
            let version = Arc::clone(&version);
            thread::spawn(move || u64::from(version.call(0)) + u64::from(version.call(1)))
        };
        version.gate.close();
        while !version.try_unmap() {
            thread::yield_now();
        }
        let seen = version.work.load(Ordering::Relaxed);
        assert_eq!(seen, caller.join().unwrap());
        assert_eq!(version.gate.in_flight(), 0);
        assert_eq!(version.gate.entered(), seen);
    });
}

#[test]
fn a_pass_dropped_on_another_thread_still_counts_as_inside_until_then() {
    loom::model(|| {
        let gate = std::sync::Arc::new(Gate::new());
        let done = Arc::new(AtomicBool::new(false));
        let pass = gate.enter_owned().unwrap();
        let dropper = {
            let done = Arc::clone(&done);
            thread::spawn(move || {
                let call = pass.renew();
                done.store(true, Ordering::Relaxed);
                drop(call);
                drop(pass);
            })
        };
        gate.close();
        if gate.idle().is_some() {
            assert!(done.load(Ordering::Relaxed), "idle before the pass was dropped");
        }
        dropper.join().unwrap();
        assert!(gate.idle().is_some());
    });
}

#[test]
fn a_task_extended_from_a_call_counts_as_inside_after_the_call_has_left() {
    loom::model(|| {
        let gate = std::sync::Arc::new(Gate::new());
        let done = Arc::new(AtomicBool::new(false));
        let outer = std::sync::Arc::clone(&gate);
        let caller = {
            let done = Arc::clone(&done);
            thread::spawn(move || {
                let Some(call) = outer.enter_on(1) else {
                    return false;
                };
                let task = call.extend(&outer);
                drop(call);
                done.store(true, Ordering::Relaxed);
                drop(task);
                true
            })
        };
        gate.close();
        let idle = gate.idle().is_some();
        let seen = done.load(Ordering::Relaxed);
        let admitted = caller.join().unwrap();
        assert!(!(idle && admitted) || seen, "idle while the task was inside");
        assert!(gate.idle().is_some());
    });
}

#[test]
fn a_call_that_begins_after_the_swap_is_answered_by_the_new_version() {
    loom::model(|| {
        let versions = Arc::new([Version::new(), Version::new()]);
        // Stands for the snapshot cell: which version is live.
        let live = Arc::new(AtomicUsize::new(0));
        let caller = {
            let (versions, live) = (Arc::clone(&versions), Arc::clone(&live));
            thread::spawn(move || {
                loop {
                    let at = live.load(Ordering::Acquire);
                    if versions[at].call(at) {
                        return;
                    }
                    // A closed gate is closed after the store, so the next look finds the new version.
                    assert_eq!(at, 0, "the live version refused a call");
                    assert_eq!(live.load(Ordering::Acquire), 1, "refused before the swap");
                }
            })
        };
        live.store(1, Ordering::Release);
        versions[0].gate.close();
        versions[0].try_unmap();
        assert!(
            versions[live.load(Ordering::Acquire)].call(1),
            "refused after the swap"
        );
        caller.join().unwrap();
        assert!(versions[0].gate.idle().is_some(), "drained, and not idle");
        assert!(versions[1].gate.idle().is_none(), "idle while open");
    });
}
