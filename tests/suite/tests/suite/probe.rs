//! Files whose constructors misbehave meet a child process, and end in a code of their own.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use patchbay_tests_support::{TestHost, fixture, hostile, run};

#[test]
fn every_hostile_constructor_ends_in_its_own_code_while_calls_go_on() {
    let host = TestHost::holding(&["echo-1-0"], |config| {
        config.probe_deadline = Duration::from_secs(4);
    });
    let (over, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| {
        let caller = threads.spawn(|| {
            while !over.load(Ordering::Acquire) {
                assert_eq!(host.version(), "1.0.0");
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
        let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for (source, code, word) in [
                ("segfault", "PB-PROBE-003", "segmentation fault"),
                ("abort", "PB-PROBE-003", "abort"),
                ("exit", "PB-PROBE-004", "exit status 0"),
                ("endless", "PB-PROBE-005", "loading"),
                ("writes", "PB-PROBE-006", "files"),
            ] {
                let before = calls.load(Ordering::Relaxed);
                let file = format!("{source}.so");
                hostile(source, &host.inbox(&file));
                let rejected = host.wait_rejected(&file);
                assert_eq!(rejected.code, code, "{rejected:?}");
                assert!(
                    rejected.message.contains(word) && !rejected.hint.is_empty(),
                    "{rejected:?}"
                );
                assert!(calls.load(Ordering::Relaxed) > before, "calls stood still");
            }
        }));
        over.store(true, Ordering::Release);
        caller.join().unwrap();
        judged.unwrap();
    });
    assert_eq!(host.host().plugins().len(), 1);
    // The children that were killed left no copies.
    let left: Vec<_> = fs::read_dir(host.maps())
        .unwrap()
        .flatten()
        .map(|file| file.file_name())
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn what_a_plugin_prints_while_it_is_tried_is_not_taken_for_the_childs_word() {
    let host = TestHost::start();
    hostile("flood", &host.inbox("flood.so"));
    host.wait("plugin.live", "c-flood", "1.0.0");
}

#[test]
fn the_host_is_the_same_helper_for_a_check_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("segfault.so");
    hostile("segfault", &bad);
    let done = run(&["check", bad.to_str().unwrap(), "--json"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert_eq!(
        (&done.json()["fit"], &done.json()["code"]),
        (&false.into(), &"PB-PROBE-003".into())
    );
    let done = run(&["check", fixture("echo-1-0").to_str().unwrap(), "--json"]);
    assert_eq!((done.code, &done.json()["fit"]), (0, &true.into()), "{done:?}");
}

#[test]
fn a_helper_that_is_no_helper_is_refused_and_not_taken_for_a_verdict() {
    let host = TestHost::with(|config| config.probe_helper = "/bin/true".into());
    host.drop_in("echo-1-0");
    assert_eq!(host.wait_rejected("echo-1-0.so").code, "PB-PROBE-002");
}
