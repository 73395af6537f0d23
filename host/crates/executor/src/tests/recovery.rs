//! Retries and recovery.

use std::time::Duration;

use patchbay_workflow::{OnError, Recovery};

use super::hold::{Bench, Draft, draft, flaky, json, main, node, order, plan, statuses, usual};
use crate::{Class, Finished, Nature, RunStatus};

fn bench(failures: u32, code: &'static str) -> Bench {
    let mut nodes = usual();
    nodes.push(("flaky", Nature::Pure, flaky(failures, code)));
    Bench::new(&nodes)
}

fn run(bench: &Bench, draft: Draft) -> Finished {
    let plan = plan(&[draft], &[]);
    bench.begin(bench.request(plan)).wait_moving(bench)
}

fn delays(finished: &Finished) -> Vec<u128> {
    finished.nodes()[0]
        .delays
        .iter()
        .map(Duration::as_millis)
        .collect()
}

#[test]
fn a_retryable_failure_is_tried_again_after_growing_waits() {
    let bench = bench(2, "TIMEOUT");
    let finished = run(&bench, draft("f", "flaky").tries(3));
    assert_eq!(finished.status, RunStatus::Success);
    assert_eq!(delays(&finished), [200, 400]);
    assert_eq!(order(&finished), ["f", "f", "f"]);
    assert_eq!(finished.nodes()[0].attempts, 3);
    assert_eq!(finished.metrics().total_retries, 2);
}

#[test]
fn another_failure_is_not_tried_again() {
    let bench = bench(1, "EXECUTION_ERROR");
    let finished = run(&bench, draft("f", "flaky").tries(3));
    assert_eq!(finished.status, RunStatus::Error);
    assert_eq!(order(&finished), ["f"]);
}

#[test]
fn the_last_try_is_the_last() {
    let bench = bench(9, "TEMPORARY_FAILURE");
    let finished = run(&bench, draft("f", "flaky").tries(2));
    assert_eq!((order(&finished).len(), finished.status), (2, RunStatus::Error));
}

#[test]
fn a_fallback_calls_the_fallback() {
    let bench = bench(9, "X");
    let finished = run(
        &bench,
        draft("f", "flaky")
            .given(r#"{"value": 7}"#)
            .fallback(Some("echo")),
    );
    assert_eq!(finished.status, RunStatus::Success);
    assert_eq!(finished.output_of("f").unwrap(), json(r#"{"value": 7}"#).as_ref());
    let nodes = finished.nodes();
    let recovered = nodes[0].recovery.unwrap();
    assert_eq!(
        (recovered.applied, recovered.fallback.as_deref()),
        (true, Some("echo"))
    );
    let metrics = finished.metrics();
    assert_eq!((metrics.recovery_attempts, metrics.recovery_successes), (1, 1));
    assert_eq!(metrics.total_retries, 0);
}

#[test]
fn a_fallback_that_is_polled_works_as_well() {
    let bench = bench(9, "X");
    let finished = run(
        &bench,
        draft("f", "flaky")
            .given(r#"{"value": 7}"#)
            .fallback(Some("later")),
    );
    assert_eq!(finished.output_of("f").unwrap(), json(r#"{"value": 7}"#).as_ref());
}

#[test]
fn a_fallback_that_is_not_there_fails_with_a_code_of_its_own() {
    for (fallback, class) in [
        (None, Class::NoFallback),
        (Some("big"), Class::FallbackNotFound),
        (Some("fail"), Class::FallbackFailed),
    ] {
        let bench = bench(9, "X");
        let finished = run(&bench, draft("f", "flaky").fallback(fallback));
        assert_eq!(finished.error.as_ref().unwrap().1.class, class);
        let nodes = finished.nodes();
        assert!(!nodes[0].recovery.unwrap().applied);
    }
}

#[test]
fn the_version_before_answers_when_recovery_says_so() {
    let mut nodes = usual();
    nodes.push(("flaky", Nature::Pure, flaky(9, "X")));
    let before = node(|_, _, _| Ok(json(r#"{"from": "0.9"}"#)));
    let bench = Bench::with(&nodes, &[("flaky", before)], 2);
    let finished = run(&bench, draft("f", "flaky").recovery(Recovery::PreviousVersion));
    assert_eq!(
        finished.output_of("f").unwrap(),
        json(r#"{"from": "0.9"}"#).as_ref()
    );
    let nodes = finished.nodes();
    assert_eq!(nodes[0].served_by.unwrap().version.to_string(), "0.9.0");
    assert_eq!(nodes[0].attempts, 1);
    let without = super::hold::Bench::new(&[("flaky", Nature::Pure, flaky(9, "X"))]);
    let finished = run(&without, draft("f", "flaky").recovery(Recovery::PreviousVersion));
    assert_eq!(finished.status, RunStatus::Error);
    assert!(
        finished
            .error
            .as_ref()
            .unwrap()
            .1
            .message
            .contains("no version before")
    );
}

#[test]
fn skipping_goes_on_behind_the_node() {
    for partial_output in [false, true] {
        let bench = bench(9, "X");
        let drafts = [
            draft("f", "flaky").recovery(Recovery::Skip { partial_output }),
            draft("after", "echo"),
        ];
        let finished = bench.run(plan(&drafts, &[main(0, 1)]));
        assert_eq!(statuses(&finished, &["f", "after"]), ["skipped", "success"]);
        assert_eq!(finished.nodes()[0].output.is_some(), partial_output);
        let metrics = finished.metrics();
        assert_eq!((metrics.nodes_executed, metrics.success_nodes), (2, 1));
    }
}

#[test]
fn recovery_by_more_tries_ends_with_the_policy() {
    let bench = bench(2, "X");
    let more = Recovery::Retry {
        tries: 3,
        delay: Duration::from_millis(70),
    };
    let finished = run(&bench, draft("f", "flaky").recovery(more.clone()));
    assert_eq!(finished.status, RunStatus::Success);
    assert_eq!(delays(&finished), [70, 70]);
    assert!(finished.nodes()[0].recovery.unwrap().applied);
    let bench = self::bench(9, "X");
    let failing = draft("f", "flaky")
        .recovery(more)
        .on_error(OnError::ContinueRegular);
    let finished = run(&bench, failing);
    assert_eq!((order(&finished).len(), finished.status), (4, RunStatus::Success));
}
