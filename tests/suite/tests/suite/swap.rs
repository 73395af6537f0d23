//! Swaps under load: no call fails, and none that began after a swap is answered by the version before it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use patchbay_tests_support::TestHost;
use patchbay_tests_support::patchbay::{Call, Output, Value};

const CALLERS: usize = 8;

/// Alternates 1.0.0 and 1.1.0 `swaps` times under the load of [`CALLERS`] threads, and gives the number of calls.
///
/// Swap `k` makes version `k % 2` live. A caller reads how many swaps have returned, `floor`, before it calls, and how
/// many have been begun, `ceiling`, after: the answer must be of a swap between the two.
fn swap_under_load(host: &TestHost, swaps: u64) -> u64 {
    let (begun, returned, calls) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let over = AtomicBool::new(false);
    host.promote("echo", "1.0.0").unwrap();
    let of = [
        host.revision("echo", "1.0.0").revision,
        host.revision("echo", "1.1.0").revision,
    ];
    let node = host.host().resolve("fx.version").unwrap();
    std::thread::scope(|threads| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                threads.spawn(|| {
                    let call = Call::of("default".parse().unwrap());
                    let input = Value::from_json("{}").unwrap();
                    let mut out = Output::with_limit(1 << 16);
                    while !over.load(Ordering::Acquire) {
                        let floor = returned.load(Ordering::SeqCst);
                        let (value, revision) = node.call(input.as_ref(), &call, &mut out).unwrap();
                        let version = value.get("result").unwrap().to_json();
                        let ceiling = begun.load(Ordering::SeqCst);
                        let answered = usize::from(version.contains("1.1.0"));
                        assert_eq!(revision, of[answered], "{version}");
                        let allowed = (floor..=ceiling).any(|swap| swap % 2 == answered as u64);
                        assert!(
                            allowed,
                            "{version} answered a call between swap {floor} and {ceiling}"
                        );
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for swap in 1..=swaps {
            // Each swap meets calls: some were made since the one before.
            let before = calls.load(Ordering::Relaxed);
            while calls.load(Ordering::Relaxed) < before + 4
                && !callers.iter().any(std::thread::ScopedJoinHandle::is_finished)
            {
                std::thread::yield_now();
            }
            begun.store(swap, Ordering::SeqCst);
            let done = host.promote("echo", ["1.0.0", "1.1.0"][(swap % 2) as usize]);
            if done.is_err() {
                over.store(true, Ordering::Release);
            }
            done.unwrap();
            returned.store(swap, Ordering::SeqCst);
        }
        over.store(true, Ordering::Release);
        callers.into_iter().for_each(|caller| caller.join().unwrap());
    });
    calls.into_inner()
}

#[test]
fn four_hundred_warm_swaps_under_load_fail_no_call_and_are_seen_at_once() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], |_| {});
    assert!(swap_under_load(&host, 400) >= 1600);
}

#[test]
fn a_hundred_swaps_with_real_loads_under_load_fail_no_call_and_are_seen_at_once() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], |config| config.history_limit = 0);
    assert!(swap_under_load(&host, 100) >= 400);
}

#[test]
fn concurrent_orders_leave_the_plugin_live_and_the_history_whole() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1", "echo-2-0"], |config| {
        config.history_limit = 0;
    });
    std::thread::scope(|threads| {
        for version in ["1.0.0", "1.1.0", "2.0.0"] {
            let host = &host;
            threads.spawn(move || {
                for _ in 0..15 {
                    host.promote("echo", version).unwrap();
                    assert!(!host.version().is_empty());
                }
            });
        }
    });
    let last = host
        .host()
        .history(&patchbay_tests_support::name("echo"))
        .unwrap()
        .into_iter()
        .rev();
    let last = last.into_iter().find(|line| line.action == "promoted").unwrap();
    assert_eq!(host.version(), last.version.to_string());
}
