//! Deadlines, cancelling, and calls that never return.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use patchbay_vocab::TenantId;
use patchbay_workflow::{OnError, WhenLimited};

use super::hold::{Bench, Latch, draft, flaky, json, main, node, plan, statuses, usual};
use crate::{Admitted, Class, Nature, Refusal, RunStatus};

#[test]
fn a_cancelled_run_ends_at_once_when_its_nodes_listen() {
    let mut nodes = usual();
    let begun = Arc::new(Latch::default());
    let tell = Arc::clone(&begun);
    nodes.push((
        "slow",
        Nature::Blocking,
        node(move |_, _, call| {
            tell.open();
            while call.cancel.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            Err(crate::Failure::new(Class::Cancelled, "told so"))
        }),
    ));
    let bench = Bench::new(&nodes);
    let run = bench.begin(bench.request(plan(&[draft("s", "slow"), draft("after", "echo")], &[main(0, 1)])));
    begun.wait();
    run.run.cancel(RunStatus::Cancelled);
    let finished = run.wait();
    assert_eq!(finished.status, RunStatus::Cancelled);
    assert_eq!(statuses(&finished, &["s", "after"]), ["error", "skipped"]);
}

#[test]
fn a_wait_between_tries_does_not_hold_up_a_cancelled_run() {
    let mut nodes = usual();
    nodes.push(("flaky", Nature::Pure, flaky(9, "TIMEOUT")));
    let bench = Bench::new(&nodes);
    let run = bench.begin(bench.request(plan(&[draft("f", "flaky").tries(9)], &[])));
    while run.run.shop.pool.timers.len() == 0 {
        std::thread::yield_now();
    }
    // The clock stands still: its wait would never be over.
    run.run.cancel(RunStatus::Cancelled);
    let finished = run.wait();
    assert_eq!(finished.status, RunStatus::Cancelled);
    assert_eq!(finished.nodes()[0].failure.unwrap().class, Class::Cancelled);
    assert_eq!(finished.nodes()[0].attempts, 1);
}

#[test]
fn a_failure_elsewhere_ends_waits_between_tries() {
    let mut nodes = usual();
    nodes.push(("flaky", Nature::Pure, flaky(9, "TIMEOUT")));
    let bench = Bench::with(&nodes, &[], 1);
    let drafts = [draft("f", "flaky").tries(9), draft("bad", "fail")];
    let finished = bench.run(plan(&drafts, &[]));
    assert_eq!(finished.status, RunStatus::Error);
    assert_eq!(finished.error.as_ref().unwrap().0, "bad");
    assert_eq!(statuses(&finished, &["f", "bad"]), ["error", "error"]);
}

#[test]
fn a_run_that_takes_too_long_ends_as_a_timeout() {
    let mut nodes = usual();
    nodes.push(("flaky", Nature::Pure, flaky(9, "TIMEOUT")));
    let bench = Bench::new(&nodes);
    let mut slow = plan(&[draft("f", "flaky").tries(1000)], &[]);
    slow.limits.time = Some(Duration::from_secs(2));
    let finished = bench.begin(bench.request(slow)).wait_moving(&bench);
    assert_eq!(finished.status, RunStatus::Timeout);
}

/// A call that never returns must not keep its run, nor the host's threads: found with one thread and two runs.
#[test]
fn a_call_that_never_returns_is_given_up_and_its_thread_replaced() {
    let release = Arc::new(Latch::default());
    let wait = Arc::clone(&release);
    let mut nodes = usual();
    nodes.push((
        "stuck",
        Nature::Blocking,
        node(move |_, _, _| {
            wait.wait();
            Ok(json("{}"))
        }),
    ));
    let bench = Bench::with(&nodes, &[], 1);
    let drafts = [
        draft("s", "stuck")
            .timeout(1_000)
            .on_error(OnError::ContinueRegular),
        draft("after", "echo"),
    ];
    let finished = bench
        .begin(bench.request(plan(&drafts, &[main(0, 1)])))
        .wait_moving(&bench);
    assert_eq!(statuses(&finished, &["s", "after"]), ["error", "success"]);
    assert_eq!(finished.nodes()[0].failure.unwrap().class, Class::Timeout);
    assert!(finished.nodes()[0].served_by.is_some());
    assert_eq!(finished.output_of("s").unwrap(), json("{}").as_ref());
    assert_eq!(bench.executor.lost_threads(), 1);
    assert_eq!(
        bench.run(plan(&[draft("x", "echo")], &[])).status,
        RunStatus::Success
    );
    release.open();
    while bench.executor.lost_threads() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_cancelled_run_whose_call_never_returns_ends_after_its_grace() {
    let (release, begun) = (Arc::new(Latch::default()), Arc::new(Latch::default()));
    let (wait, tell) = (Arc::clone(&release), Arc::clone(&begun));
    let mut nodes = usual();
    nodes.push((
        "stuck",
        Nature::Blocking,
        node(move |_, _, _| {
            tell.open();
            wait.wait();
            Ok(json("{}"))
        }),
    ));
    let bench = Bench::with(&nodes, &[], 1);
    let run = bench.begin(bench.request(plan(&[draft("s", "stuck")], &[])));
    begun.wait();
    run.run.cancel(RunStatus::Cancelled);
    let finished = run.wait_moving(&bench);
    assert_eq!(
        (finished.status, statuses(&finished, &["s"])),
        (RunStatus::Cancelled, vec!["error"])
    );
    assert_eq!(
        bench.run(plan(&[draft("x", "echo")], &[])).status,
        RunStatus::Success
    );
    release.open();
    // The thread that hung ends when it is back: another one has its place.
    while bench.executor.lost_threads() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn runs_over_the_limit_wait_for_a_place_in_order() {
    let bench = Bench::new(&usual());
    let mut bounded = plan(&[draft("a", "echo")], &[]);
    bounded.limits.concurrent_runs = Some(2);
    let (acme, bolt): (TenantId, TenantId) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
    let (sender, places) = std::sync::mpsc::channel();
    for n in 0..4 {
        let sender = sender.clone();
        let start = Box::new(move |place| sender.send((n, place)).unwrap());
        // Counted together, whatever a rate would be counted by.
        let key = format!("user {n}");
        let admitted = bench.executor.admit(&bounded, &acme, &key, start).unwrap();
        assert_eq!(admitted, if n < 2 { Admitted::Begun } else { Admitted::Queued });
    }
    let (first, place) = places.recv().unwrap();
    let (second, kept) = places.recv().unwrap();
    assert!(places.try_recv().is_err());
    drop(place);
    let (third, other_place) = places.recv().unwrap();
    assert_eq!((first, second, third), (0, 1, 2));
    // Another tenant's workflow of the same id is counted apart.
    let other = bench.executor.admit(&bounded, &bolt, "", Box::new(drop)).unwrap();
    assert_eq!(other, Admitted::Begun);
    drop((kept, other_place));
    drop(places.recv().unwrap());
    assert!(bench.executor.has_no_books());
}

/// Ending a run begins the next one, whose end begins the next: thousands of them ended within each other, which no stack
/// has room for.
#[test]
fn runs_that_cannot_begin_do_not_pile_up_on_one_stack() {
    let bench = Bench::new(&usual());
    let mut bounded = plan(&[draft("a", "echo")], &[]);
    bounded.limits.concurrent_runs = Some(1);
    let tenant: TenantId = "acme".parse().unwrap();
    let (sender, places) = std::sync::mpsc::channel();
    let admit = |start| bench.executor.admit(&bounded, &tenant, "", start).unwrap();
    admit(Box::new(move |place| sender.send(place).unwrap()));
    let (sender, ended) = std::sync::mpsc::channel();
    for _ in 0..9_000 {
        let sender = sender.clone();
        admit(Box::new(move |place| {
            drop(place);
            sender.send(()).unwrap();
        }));
    }
    drop(places.recv().unwrap());
    for _ in 0..9_000 {
        ended.recv_timeout(Duration::from_secs(30)).unwrap();
    }
}

#[test]
fn a_workflow_runs_no_more_often_than_its_document_allows() {
    let bench = Bench::new(&usual());
    let mut limited = plan(&[draft("a", "echo")], &[]);
    limited.rate = Some(patchbay_workflow::RateLimit {
        requests: 2,
        window: Duration::from_secs(10),
        key: "user".into(),
        when_limited: WhenLimited::Reject,
    });
    let tenant: TenantId = "acme".parse().unwrap();
    let admit = |plan: &patchbay_workflow::Plan, user: &str| {
        bench.executor.admit(plan, &tenant, user, Box::new(drop))
    };
    assert_eq!(admit(&limited, "ada"), Ok(Admitted::Begun));
    bench.clock.advance(Duration::from_secs(4));
    assert_eq!(admit(&limited, "ada"), Ok(Admitted::Begun));
    let again = Duration::from_secs(6);
    assert!(matches!(admit(&limited, "ada"), Err(Refusal::TooOften { again: wait, .. }) if wait == again));
    assert_eq!(admit(&limited, "bob"), Ok(Admitted::Begun));
    bench.clock.advance(again);
    assert_eq!(admit(&limited, "ada"), Ok(Admitted::Begun));
    // Where they wait, they are begun when the window has moved on.
    limited.rate.as_mut().unwrap().when_limited = WhenLimited::Queue;
    let (sender, places) = std::sync::mpsc::channel();
    let start = Box::new(move |place| drop(sender.send(place)));
    let admitted = bench.executor.admit(&limited, &tenant, "ada", start);
    assert_eq!(admitted, Ok(Admitted::Queued));
    assert!(places.try_recv().is_err());
    bench.clock.advance(Duration::from_secs(4));
    bench.executor.look();
    drop(places.recv_timeout(Duration::from_secs(30)).expect("it is begun"));
    // Nothing is kept of those whose window is over.
    while !bench.executor.has_no_books() {
        bench.clock.advance(Duration::from_secs(10));
        bench.executor.look();
        std::thread::yield_now();
    }
}
