//! A run sees one snapshot, whatever is deployed meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use patchbay_tests_support::patchbay::{RunOrder, Wanted};
use patchbay_tests_support::{DEADLINE, TestHost};
use serde_json::json;

use super::{begin, ended, files, let_end, node, result, run, succeed, wait_begun, with, workflow};

#[test]
fn a_run_sees_one_version_of_a_plugin_that_is_swapped_under_it() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let files = files(&host, "swap");
    let nodes = [
        node("before", "fx.version", json!({})),
        node("wait", "fx.await", files.clone()),
        node("after", "fx.version", json!({})),
    ];
    let document = workflow(&nodes, &[("before", "wait"), ("wait", "after")]);
    let begun = begin(&host, &document);
    wait_begun(&host, &files);
    host.bring_in("echo-1-1");
    assert_eq!(host.version(), "1.1.0");
    let_end(&files);
    let held = ended(begun);
    for node in ["before", "wait", "after"] {
        assert_eq!(result(&held, node), "1.0.0", "{held:#}");
        assert_eq!(held["state"][node]["version"], "1.0.0");
    }
    let later = succeed(&host, &document);
    for node in ["before", "wait", "after"] {
        assert_eq!(result(&later, node), "1.1.0", "{later:#}");
    }
}

const SWAPS: u64 = 40;
const RUNS_BETWEEN: u64 = 60;
const RUNNERS: usize = 3;

#[test]
fn swaps_under_thousands_of_runs_lose_none_and_mix_no_versions() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1"], |_| {});
    let nodes = [
        node("a", "fx.version", json!({})),
        node("b", "fx.nested", json!({})),
        node("c", "fx.version", json!({ "of": "{{ $steps.a.output.result }}" })),
    ];
    let document: std::sync::Arc<str> = workflow(&nodes, &[("a", "b"), ("b", "c")]).to_string().into();
    host.promote("echo", "1.0.0").unwrap();
    let (over, runs) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| {
        let runners: Vec<_> = (0..RUNNERS)
            .map(|_| {
                threads.spawn(|| {
                    let mut seen = [0_u64; 2];
                    while !over.load(Ordering::Acquire) {
                        let run = host.host().run_workflow(RunOrder::of(document.as_ref())).unwrap();
                        let run = serde_json::to_value(&run).unwrap();
                        assert_eq!(run["status"], "success", "{run:#}");
                        let first = result(&run, "a");
                        seen[usize::from(first == "1.1.0")] += 1;
                        for node in ["b", "c"] {
                            assert_eq!(result(&run, node), first, "{run:#}");
                        }
                        runs.fetch_add(1, Ordering::Relaxed);
                    }
                    seen
                })
            })
            .collect();
        for swap in 1..=SWAPS {
            let before = runs.load(Ordering::Relaxed);
            while runs.load(Ordering::Relaxed) < before + RUNS_BETWEEN
                && !runners.iter().any(std::thread::ScopedJoinHandle::is_finished)
            {
                std::thread::yield_now();
            }
            host.promote("echo", ["1.0.0", "1.1.0"][(swap % 2) as usize])
                .unwrap();
        }
        over.store(true, Ordering::Release);
        for runner in runners {
            let seen = runner.join().unwrap();
            assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
        }
    });
    let runs = runs.load(Ordering::Relaxed);
    assert!(runs >= SWAPS * RUNS_BETWEEN);
    // Every one of them is in the journal.
    host.host().sync_runs(DEADLINE).unwrap();
    let (mut kept, mut before) = (0, None);
    loop {
        let wanted = Wanted {
            limit: Some(1_000),
            before,
            ..Wanted::default()
        };
        let page = host.host().runs(&wanted).unwrap();
        assert!(
            page.runs.iter().all(|run| run.status == "success"),
            "{:#?}",
            page.runs
        );
        kept += page.runs.len() as u64;
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(kept, runs);
}

#[test]
fn a_node_whose_new_version_fails_may_be_answered_by_the_one_before() {
    let host = TestHost::holding(&["steady-1-0", "steady-1-1"], |_| {});
    assert_eq!(host.live("steady"), "1.1.0");
    let steady = node("s", "fx.steady", json!({}));
    let failed = run(&host, &workflow(std::slice::from_ref(&steady), &[]));
    assert_eq!(
        (&failed["status"], &failed["error"]["code"]),
        (&json!("error"), &json!("BROKEN"))
    );
    let recovering = json!({ "errorRecoveryStrategy": { "strategy": "previousVersion" } });
    let recovered = succeed(&host, &workflow(&[with(steady, recovering)], &[]));
    let node = &recovered["state"]["s"];
    assert_eq!(node["output"]["result"], "1.0.0");
    assert_eq!(
        (&node["version"], &node["recoveryApplied"]),
        (&json!("1.0.0"), &json!(true)),
        "{node:#}"
    );
    assert_eq!(recovered["metrics"]["recoverySuccesses"], 1);
    assert_eq!(host.live("steady"), "1.1.0");
}
