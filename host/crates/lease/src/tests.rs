use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::Gate;

#[test]
fn an_open_gate_lets_calls_in_and_counts_them() {
    let gate = Gate::new();
    let first = gate.enter().unwrap();
    let second = gate.enter().unwrap();
    assert_eq!((gate.in_flight(), gate.entered()), (2, 2));
    drop(first);
    assert_eq!((gate.in_flight(), gate.entered()), (1, 2));
    drop(second);
    assert_eq!((gate.in_flight(), gate.entered()), (0, 2));
}

#[test]
fn an_open_gate_is_never_idle() {
    assert!(Gate::new().idle().is_none());
}

#[test]
fn a_closed_gate_refuses_calls_and_does_not_count_them() {
    let gate = Arc::new(Gate::new());
    drop(gate.enter());
    gate.close();
    assert!(gate.is_closed());
    assert!(gate.enter().is_none() && gate.enter_owned().is_none());
    assert_eq!((gate.in_flight(), gate.entered()), (0, 1));
    assert!(gate.idle().is_some(), "refused calls keep it busy");
}

#[test]
fn a_closed_gate_is_idle_only_when_the_last_call_has_left() {
    let gate = Gate::new();
    let pass = gate.enter().unwrap();
    gate.close();
    assert!(gate.idle().is_none());
    drop(pass);
    let idle = gate.idle().unwrap();
    assert!(idle.belongs_to(&gate) && std::ptr::eq(idle.gate(), &gate));
}

#[test]
fn a_pass_knows_its_gate_from_any_other() {
    let (gate, other) = (Arc::new(Gate::new()), Gate::new());
    let pass = gate.enter().unwrap();
    let owned = gate.enter_owned().unwrap();
    assert!(pass.belongs_to(&gate) && !pass.belongs_to(&other) && std::ptr::eq(pass.gate(), &*gate));
    assert!(owned.belongs_to(&gate) && !owned.belongs_to(&other) && std::ptr::eq(owned.gate(), &*gate));
}

#[test]
fn an_owned_pass_leaves_on_the_shard_it_entered_when_dropped_by_another_thread() {
    let gate = Arc::new(Gate::new());
    let pass = gate.enter_owned().unwrap();
    gate.close();
    std::thread::spawn(move || drop(pass)).join().unwrap();
    assert!(gate.idle().is_some());
}

#[test]
fn a_pass_is_renewed_after_the_close_and_keeps_the_gate_busy() {
    let gate = Arc::new(Gate::new());
    let run = gate.enter_owned().unwrap();
    gate.close();
    let call = run.renew();
    assert!(call.belongs_to(&gate));
    assert_eq!((gate.in_flight(), gate.entered()), (2, 2));
    drop(call);
    assert!(gate.idle().is_none(), "the run itself is still inside");
    drop(run);
    assert!(gate.idle().is_some());
}

#[test]
fn threads_that_hammer_a_gate_while_it_closes_are_all_out_once_it_is_idle() {
    for _ in 0..50 {
        let gate = Gate::new();
        let gone = AtomicBool::new(false);
        let work = AtomicU64::new(0);
        let admitted: u64 = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut calls = 0_u64;
                        while let Some(pass) = gate.enter() {
                            assert!(!gone.load(Ordering::Relaxed), "inside after idle");
                            work.fetch_add(1, Ordering::Relaxed);
                            calls += 1;
                            drop(pass);
                        }
                        calls
                    })
                })
                .collect();
            while gate.entered() < 100 {
                std::thread::yield_now();
            }
            gate.close();
            while gate.idle().is_none() {
                std::thread::yield_now();
            }
            gone.store(true, Ordering::Relaxed);
            let seen = work.load(Ordering::Relaxed);
            let admitted = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
            assert_eq!(seen, admitted, "work was done after idle, or was not seen");
            admitted
        });
        assert_eq!(gate.entered(), admitted);
    }
}

#[test]
fn a_visit_holds_the_gate_as_a_call_does_and_is_not_counted_as_one() {
    let gate = Gate::new();
    drop(gate.enter());
    let visit = gate.visit().unwrap();
    assert_eq!((gate.in_flight(), gate.entered()), (1, 1));
    gate.close();
    assert!(gate.idle().is_none());
    drop(visit);
    assert!(gate.idle().is_some() && gate.visit().is_none());
    assert_eq!(gate.entered(), 1);
}
