//! Loops and sub-workflows.

use super::hold::{Bench, draft, json, main, plan, statuses, usual};
use crate::{Class, RunStatus};

#[test]
fn a_loop_runs_its_body_for_each_item() {
    let bench = Bench::new(&usual());
    let body = plan(&[draft("b", "echo").given(r#"{"x": 1}"#)], &[]);
    let drafts = [
        draft("loop", "loop")
            .given(r#"{"items": ["a", "b", "c"]}"#)
            .body(body, 10),
        draft("after", "none"),
    ];
    let finished = bench.run(plan(&drafts, &[main(0, 1)]));
    assert_eq!(finished.status, RunStatus::Success, "{:?}", finished.error);
    let expected = json(r#"{"results": [{"x": 1}, {"x": 1}, {"x": 1}], "count": 3, "exhausted": false}"#);
    assert_eq!(finished.output_of("loop").unwrap(), expected.as_ref());
    assert_eq!(
        finished.output_of("after").unwrap().at(0).unwrap(),
        expected.as_ref()
    );
    // Every round is counted; the nodes of the last one are in the record, with who answered.
    assert_eq!(finished.metrics().nodes_executed, 5);
    let nodes = finished.nodes();
    assert_eq!(nodes[1].id, "loop/b");
    assert!(nodes[1].served_by.is_some());
    assert_eq!(bench.nodes.calls.load(std::sync::atomic::Ordering::SeqCst), 4);
}

#[test]
fn a_loop_counts_or_goes_over_batches_and_never_passes_its_bound() {
    let cases = [
        (r#"{"count": 4}"#, Ok(4)),
        (r#"{"count": 0}"#, Ok(0)),
        (r#"{"items": []}"#, Ok(0)),
        (r#"{"items": [1, 2, 3, 4, 5], "batchSize": 2}"#, Ok(3)),
        ("{}", Ok(5)),
        (r#"{"count": 6}"#, Err(Class::LimitExceeded)),
        (r#"{"items": [1, 2, 3, 4, 5, 6]}"#, Err(Class::LimitExceeded)),
        (r#"{"count": -1}"#, Err(Class::ExecutionError)),
        (r#"{"count": "x"}"#, Err(Class::ExecutionError)),
        (r#"{"items": 5}"#, Err(Class::ExecutionError)),
        (r#"{"items": [1], "batchSize": 0}"#, Err(Class::ExecutionError)),
    ];
    for (parameters, expected) in cases {
        let bench = Bench::new(&usual());
        let body = plan(&[draft("b", "echo")], &[]);
        let finished = bench.run(plan(
            &[draft("loop", "loop").given(parameters).body(body, 5)],
            &[],
        ));
        match expected {
            Ok(count) => {
                let output = finished.output_of("loop").unwrap();
                assert_eq!(output.get("count").unwrap().as_i64(), Some(count), "{parameters}");
            }
            Err(class) => assert_eq!(finished.error.as_ref().unwrap().1.class, class, "{parameters}"),
        }
    }
}

#[test]
fn a_failure_in_a_round_is_the_loops() {
    let bench = Bench::new(&usual());
    let body = plan(&[draft("b", "fail")], &[]);
    let finished = bench.run(plan(
        &[draft("loop", "loop").given(r#"{"count": 3}"#).body(body, 5)],
        &[],
    ));
    let (node, failure) = finished.error.as_ref().unwrap();
    assert_eq!(node, "loop");
    assert!(
        failure.message.contains("round 0: node `loop/b` failed: no luck"),
        "{failure}"
    );
}

#[test]
fn loops_nest() {
    let bench = Bench::new(&usual());
    let inner = plan(&[draft("x", "echo"), draft("y", "later")], &[main(0, 1)]);
    let outer = plan(
        &[draft("inner", "loop").given(r#"{"count": 3}"#).body(inner, 5)],
        &[],
    );
    let finished = bench.run(plan(
        &[draft("outer", "loop").given(r#"{"count": 4}"#).body(outer, 5)],
        &[],
    ));
    assert_eq!(finished.status, RunStatus::Success, "{:?}", finished.error);
    let results = finished.output_of("outer").unwrap().get("results").unwrap();
    assert_eq!(results.as_list().unwrap().len(), 4);
    assert_eq!(results.at(3).unwrap().get("count").unwrap().as_i64(), Some(3));
    let ids: Vec<_> = finished.nodes().into_iter().map(|node| node.id).collect();
    assert_eq!(ids, ["outer", "outer/inner", "outer/inner/x", "outer/inner/y"]);
}

#[test]
fn a_workflow_runs_another_and_takes_its_result() {
    let bench = Bench::new(&usual());
    let inner = plan(
        &[draft("t", "trigger").trigger(), draft("last", "none")],
        &[main(0, 1)],
    );
    let drafts = [
        draft("sub", "workflow")
            .given(r#"{"input": {"from": "outer"}}"#)
            .inline(inner),
        draft("after", "none"),
    ];
    let finished = bench.run(plan(&drafts, &[main(0, 1)]));
    assert_eq!(
        finished.output_of("sub").unwrap(),
        json(r#"[{"from": "outer"}]"#).as_ref()
    );
    assert_eq!(statuses(&finished, &["sub", "after"]), ["success", "success"]);
    let broken = plan(&[draft("bad", "fail")], &[]);
    let finished = bench.run(plan(&[draft("sub", "workflow").inline(broken)], &[]));
    assert!(
        finished
            .error
            .as_ref()
            .unwrap()
            .1
            .message
            .contains("node `bad` failed")
    );
}

#[test]
fn rounds_count_as_executions() {
    let bench = Bench::new(&usual());
    let body = plan(&[draft("b", "echo")], &[]);
    let mut bounded = plan(
        &[draft("loop", "loop").given(r#"{"count": 9}"#).body(body, 10)],
        &[],
    );
    bounded.limits.executions = Some(5);
    let finished = bench.run(bounded);
    assert_eq!(finished.error.as_ref().unwrap().1.class, Class::LimitExceeded);
    assert_eq!(bench.nodes.calls.load(std::sync::atomic::Ordering::SeqCst), 4);
}

#[test]
fn a_loop_is_bound_by_its_parameters_and_wants_a_list_where_it_is_given_one() {
    let cases = [
        (r#"{"count": 4, "maxIterations": 3}"#, Class::LimitExceeded),
        (r#"{"items": [1, 2], "maxIterations": 1}"#, Class::LimitExceeded),
        // A missing path is null: nobody meant a loop over nothing in particular.
        (r#"{"items": null}"#, Class::ExecutionError),
        (r#"{"count": null}"#, Class::ExecutionError),
        (r#"{"count": 1, "maxIterations": 0}"#, Class::ExecutionError),
    ];
    for (parameters, class) in cases {
        let bench = Bench::new(&usual());
        let body = plan(&[draft("b", "echo")], &[]);
        let finished = bench.run(plan(
            &[draft("loop", "loop").given(parameters).body(body, 5)],
            &[],
        ));
        assert_eq!(finished.error.as_ref().unwrap().1.class, class, "{parameters}");
    }
    let bench = Bench::new(&usual());
    let body = plan(&[draft("b", "echo")], &[]);
    let finished = bench.run(plan(
        &[draft("loop", "loop")
            .given(r#"{"maxIterations": 2}"#)
            .body(body, 5)],
        &[],
    ));
    assert_eq!(
        finished.output_of("loop").unwrap().get("count").unwrap().as_i64(),
        Some(2)
    );
}

/// The last round was kept in the loop's result, and kept the frame of the loop: neither ever went.
#[test]
fn nothing_of_a_run_with_loops_is_kept_when_it_is_let_go() {
    let bench = Bench::new(&usual());
    let inner = plan(&[draft("x", "echo")], &[]);
    let outer = plan(
        &[draft("inner", "loop").given(r#"{"count": 2}"#).body(inner, 5)],
        &[],
    );
    let finished = bench.run(plan(
        &[draft("outer", "loop").given(r#"{"count": 2}"#).body(outer, 5)],
        &[],
    ));
    let frame = std::sync::Arc::downgrade(&finished.frame);
    drop(finished);
    // The thread that ended it lets go of it in its own time.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while frame.strong_count() > 0 {
        assert!(
            std::time::Instant::now() < end,
            "{} hold it",
            frame.strong_count()
        );
        std::thread::yield_now();
    }
}
