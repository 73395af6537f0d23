//! Thousands of swaps with a real load and unload each leave the process as it was.
//!
//! A binary of its own, with one test at a time: memory, threads and descriptors are those of the whole process.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "what fails here fails its test")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use patchbay_tests_support::patchbay::{Call, Output, Value};
use patchbay_tests_support::{TestHost, fds, fixture, mappings, resident_kib, stripped, threads};
use serde_json::json;

/// The name of threads that make one call.
const CALLER: &str = "short-lived";

/// What a part of a soak may take without being told a leak: less than 128 bytes for a swap.
const LEAST_KIB: u64 = 32;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What the process holds while nothing is being swapped.
#[derive(Debug, PartialEq)]
struct Holding {
    fds: usize,
    threads: Vec<String>,
    mapped_versions: usize,
}

impl Holding {
    fn now(host: &TestHost) -> Self {
        let mut versions: Vec<_> = mappings(&host.maps())
            .iter()
            .filter_map(|line| line.split_whitespace().nth(5).map(str::to_owned))
            .collect();
        versions.sort();
        versions.dedup();
        Self {
            fds: fds(),
            threads: threads(),
            mapped_versions: versions.len(),
        }
    }
}

/// A host that keeps nothing warm, with stripped copies of two versions: what authors ship.
fn lean(plugin: &str) -> TestHost {
    let host = TestHost::with(|config| config.history_limit = 0);
    for (folder, version) in [("1-0", "1.0.0"), ("1-1", "1.1.0")] {
        let of = format!("{plugin}-{folder}");
        stripped(&fixture(&of), &host.inbox(&format!("{of}.so")));
        host.wait("plugin.live", plugin, version);
    }
    host
}

/// Makes the other version live `swaps` times, an even number, each time waiting until the one before is unmapped.
fn alternate(host: &TestHost, plugin: &str, swaps: u64, mut between: impl FnMut()) {
    let versions = ["1.0.0", "1.1.0"];
    for swap in 0..swaps {
        let from = host.tape().position();
        host.promote(plugin, versions[(swap % 2) as usize]).unwrap();
        between();
        host.wait_after(from, "the version before to be unmapped", |event| {
            event.kind == "revision.retired"
        });
        host.tape().forget();
    }
}

/// Resident memory after each of the parts of a soak. What leaks grows in every one of them; what the allocator and the
/// bounded histories take now and then does not.
fn assert_flat(resident: &[u64]) {
    let (warm, end) = (resident[0], resident[resident.len() - 1]);
    let least = resident
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]))
        .min();
    assert!(
        least <= Some(LEAST_KIB) && end <= warm + warm / 10,
        "resident memory grew: {resident:?} KiB"
    );
}

#[test]
fn ten_thousand_swaps_under_load_leave_the_process_as_it_was() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let host = lean("echo");
    let (over, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    let node = host.host().resolve("fx.version").unwrap();
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let call = Call::of("default".parse().unwrap());
                    let input = Value::from_json("{}").unwrap();
                    let mut out = Output::with_limit(1 << 16);
                    while !over.load(Ordering::Acquire) {
                        node.call(input.as_ref(), &call, &mut out).unwrap();
                        calls.fetch_add(1, Ordering::Relaxed);
                        // Leaves the processor to the swaps: the load is in the calls that meet them.
                        std::thread::yield_now();
                    }
                })
            })
            .collect();
        let soaked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            alternate(&host, "echo", 1000, || {});
            let before = Holding::now(&host);
            let mut resident = vec![resident_kib()];
            let begin = Instant::now();
            for _ in 0..5 {
                alternate(&host, "echo", 1800, || {});
                resident.push(resident_kib());
            }
            eprintln!("9,000 swaps in {:?}, {resident:?} KiB", begin.elapsed());
            assert_flat(&resident);
            assert_eq!(Holding::now(&host), before);
            assert_eq!(before.mapped_versions, 1);
        }));
        over.store(true, Ordering::Release);
        let callers: Vec<_> = callers
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect();
        soaked.unwrap();
        assert!(callers.iter().all(Result::is_ok), "a call failed");
    });
    assert!(calls.into_inner() > 10_000);
}

#[test]
fn swaps_of_a_plugin_with_thread_locals_leave_the_process_as_it_was() {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let host = lean("tls");
    // Short-lived callers: a thread-local with a destructor holds its version while its thread lives.
    let call = || {
        let called = std::thread::scope(|scope| {
            std::thread::Builder::new()
                .name(CALLER.to_owned())
                .spawn_scoped(scope, || host.try_call("tls.use", json!({})))
                .unwrap()
                .join()
                .unwrap()
        });
        assert_eq!(called.unwrap().output["entries"], 100);
    };
    // The system lists a thread for a moment after it was joined.
    let alone = || {
        host.until("the last caller to be gone", || {
            !threads().iter().any(|name| name == CALLER)
        });
    };
    alternate(&host, "tls", 100, call);
    alone();
    let before = Holding::now(&host);
    let mut resident = vec![resident_kib()];
    // The C library has 1,024 thread-specific keys: each version makes one, so a leak of them would end here.
    for _ in 0..4 {
        alternate(&host, "tls", 280, call);
        resident.push(resident_kib());
    }
    assert_flat(&resident);
    alone();
    assert_eq!(Holding::now(&host), before);
    assert_eq!(before.mapped_versions, 1);
}
