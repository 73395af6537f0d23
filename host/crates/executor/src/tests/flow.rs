//! Joins, ports, failures.

use std::sync::Arc;

use patchbay_workflow::{OnError, Port};

use super::hold::{Bench, Latch, draft, flaky, json, main, node, order, plan, statuses, usual};
use crate::{Class, Nature, RunStatus};

#[test]
fn a_chain_runs_in_order_and_gives_the_last_output() {
    let bench = Bench::new(&usual());
    let drafts: Vec<_> = (0..5)
        .map(|n| draft(&format!("n{n}"), "echo").given(&format!(r#"{{"n": {n}}}"#)))
        .collect();
    let finished = bench.run(plan(&drafts, &[main(0, 1), main(1, 2), main(2, 3), main(3, 4)]));
    assert_eq!(finished.status, RunStatus::Success);
    assert_eq!(order(&finished), ["n0", "n1", "n2", "n3", "n4"]);
    assert_eq!(finished.result(), json(r#"{"n": 4}"#));
    assert_eq!(finished.metrics().success_nodes, 5);
    let by = finished.nodes()[0].served_by.unwrap().version.to_string();
    assert_eq!(by, "1.0.0");
}

#[test]
fn a_join_runs_once_after_all_that_lead_to_it() {
    let bench = Bench::new(&usual());
    let drafts = ["s", "l", "r", "j", "after"].map(|id| draft(id, "echo"));
    let lines = [main(0, 1), main(0, 2), main(1, 3), main(2, 3), main(3, 4)];
    let finished = bench.run(plan(&drafts, &lines));
    let order = order(&finished);
    assert_eq!(order.len(), 5);
    assert!(order.ends_with(&["j".into(), "after".into()]), "{order:?}");
}

#[test]
fn a_join_sees_what_arrived_in_the_order_of_its_edges() {
    let bench = Bench::new(&usual());
    let drafts = [
        draft("a", "echo").given(r#"{"a": 1}"#),
        draft("b", "echo").given(r#"{"b": 2}"#),
        draft("j", "none"),
    ];
    let finished = bench.run(plan(&drafts, &[main(0, 2), main(1, 2)]));
    assert_eq!(
        finished.output_of("j").unwrap(),
        json(r#"[{"a": 1}, {"b": 2}]"#).as_ref()
    );
}

#[test]
fn a_node_chooses_its_outputs_and_what_is_behind_the_others_is_skipped() {
    for node_type in ["choose", "later"] {
        let bench = Bench::new(&usual());
        let drafts = [
            draft("c", node_type).given(r#"{"output": 1}"#),
            draft("zero", "echo"),
            draft("one", "echo"),
            draft("behind", "echo"),
            draft("join", "echo"),
        ];
        let lines = [
            (0, 1, Port::Main, 0),
            (0, 2, Port::Main, 1),
            main(1, 3),
            main(3, 4),
            main(2, 4),
        ];
        let finished = bench.run(plan(&drafts, &lines));
        assert_eq!(
            statuses(&finished, &["c", "zero", "one", "behind", "join"]),
            ["success", "skipped", "success", "skipped", "success"],
            "{node_type}"
        );
    }
}

#[test]
fn what_no_output_is_named_of_fires_all() {
    let bench = Bench::new(&usual());
    let drafts = [draft("a", "echo"), draft("b", "echo"), draft("c", "echo")];
    let finished = bench.run(plan(&drafts, &[(0, 1, Port::Main, 0), (0, 2, Port::Main, 1)]));
    assert_eq!(order(&finished), ["a", "b", "c"]);
}

#[test]
fn a_failure_stops_the_run_and_drops_what_was_ready() {
    let bench = Bench::with(&usual(), &[], 1);
    let drafts = [
        draft("s", "echo"),
        draft("bad", "fail"),
        draft("b1", "echo"),
        draft("behind", "echo"),
    ];
    let finished = bench.run(plan(&drafts, &[main(0, 1), main(0, 2), main(1, 3)]));
    assert_eq!(finished.status, RunStatus::Error);
    assert_eq!(
        statuses(&finished, &["s", "bad", "b1", "behind"]),
        ["success", "error", "-", "skipped"]
    );
    let (node, failure) = finished.error.as_ref().unwrap();
    assert_eq!((node.as_str(), failure.error_code()), ("bad", "EXECUTION_ERROR"));
    assert_eq!(finished.metrics().failed_nodes, 1);
}

#[test]
fn what_happens_after_a_failure_is_for_the_policy_to_say() {
    let cases = [
        (OnError::ContinueRegular, ["error", "success", "skipped"]),
        (OnError::ContinueError, ["error", "skipped", "success"]),
        (OnError::Skip, ["skipped", "success", "skipped"]),
        (OnError::Stop, ["error", "skipped", "skipped"]),
    ];
    for (on_error, expected) in cases {
        let bench = Bench::new(&usual());
        let drafts = [
            draft("bad", "fail").on_error(on_error),
            draft("main", "none"),
            draft("error", "none"),
        ];
        let finished = bench.run(plan(&drafts, &[main(0, 1), (0, 2, Port::Error, 0)]));
        assert_eq!(
            statuses(&finished, &["bad", "main", "error"]),
            expected,
            "{on_error:?}"
        );
        if on_error == OnError::ContinueError {
            let arrived = finished.output_of("error").unwrap().at(0).unwrap();
            assert_eq!(
                arrived.pointer("/error/message").unwrap().as_str(),
                Some("no luck")
            );
        }
        if on_error == OnError::ContinueRegular {
            assert_eq!(finished.output_of("main").unwrap(), json("[{}]").as_ref());
        }
    }
}

#[test]
fn a_node_that_skips_on_fail_is_skipped_with_all_behind_it() {
    let bench = Bench::new(&usual());
    let drafts = [
        draft("bad", "fail").on_error(OnError::ContinueRegular),
        draft("sk", "echo").skip_on_fail(),
        draft("behind", "echo"),
    ];
    let finished = bench.run(plan(&drafts, &[main(0, 1), main(1, 2)]));
    assert_eq!(
        statuses(&finished, &["bad", "sk", "behind"]),
        ["error", "skipped", "skipped"]
    );
    assert_eq!(finished.status, RunStatus::Success);
}

#[test]
fn a_node_is_skipped_for_a_failure_before_it_also_where_something_else_arrives() {
    let bench = Bench::new(&usual());
    for on_error in [OnError::ContinueRegular, OnError::ContinueError] {
        let drafts = [
            draft("bad", "fail").on_error(on_error),
            draft("good", "echo"),
            draft("sk", "echo").skip_on_fail(),
        ];
        let finished = bench.run(plan(&drafts, &[main(0, 2), main(1, 2)]));
        assert_eq!(
            statuses(&finished, &["bad", "good", "sk"]),
            ["error", "success", "skipped"]
        );
    }
}

#[test]
fn a_node_that_is_switched_off_passes_on_what_arrived() {
    let bench = Bench::new(&usual());
    let drafts = [
        draft("a", "echo").given(r#"{"a": 1}"#),
        draft("off", "fail").disabled(),
        draft("c", "none"),
    ];
    let finished = bench.run(plan(&drafts, &[main(0, 1), main(1, 2)]));
    assert_eq!(
        statuses(&finished, &["a", "off", "c"]),
        ["success", "skipped", "success"]
    );
    assert_eq!(finished.output_of("c").unwrap(), json(r#"[{"a": 1}]"#).as_ref());
    assert_eq!(order(&finished), ["a", "c"]);
}

#[test]
fn a_node_that_must_not_be_called_fails_as_its_policy_says_and_is_not_tried() {
    let bench = Bench::new(&usual());
    let drafts = [
        draft("x", "fail").on_error(OnError::ContinueError).tries(5),
        draft("handler", "echo"),
    ];
    let request = bench.request_refusing(
        plan(&drafts, &[(0, 1, Port::Error, 0)]),
        &[("x", "unknown node type: nope")],
    );
    let finished = bench.begin(request).wait();
    assert_eq!(order(&finished), ["handler"]);
    let metrics = finished.metrics();
    assert_eq!(
        (
            metrics.nodes_executed,
            metrics.failed_nodes,
            metrics.validation_failures
        ),
        (2, 0, 1)
    );
    let nodes = finished.nodes();
    assert_eq!(nodes[0].failure.unwrap().class, Class::ValidationFailed);
    assert_eq!(nodes[0].validation, ["unknown node type: nope"]);
}

#[test]
fn a_run_from_another_start_runs_what_is_behind_it_and_no_more() {
    let bench = Bench::new(&usual());
    let drafts = ["a", "b", "c", "j"].map(|id| draft(id, "echo"));
    let lines = [main(0, 2), main(1, 2), main(0, 3), main(2, 3)];
    let mut request = bench.request(plan(&drafts, &lines));
    request.starts = Some(vec![2]);
    let finished = bench.begin(request).wait();
    assert_eq!(order(&finished), ["c", "j"]);
    assert_eq!(
        statuses(&finished, &["a", "b", "c", "j"]),
        ["-", "-", "success", "success"]
    );
}

#[test]
fn what_is_known_from_an_earlier_run_counts_as_done() {
    let bench = Bench::new(&usual());
    let drafts = [draft("a", "fail"), draft("b", "none")];
    let mut request = bench.request(plan(&drafts, &[main(0, 1)]));
    request.starts = Some(vec![1]);
    request.given = vec![crate::Given {
        node: 0,
        status: crate::Status::Success,
        output: Some(json(r#"{"known": 1}"#)),
        failure: None,
        fired: vec![0],
    }];
    let finished = bench.begin(request).wait();
    assert_eq!(finished.status, RunStatus::Success);
    assert_eq!(
        finished.output_of("b").unwrap(),
        json(r#"[{"known": 1}]"#).as_ref()
    );
}

#[test]
fn what_failed_in_an_earlier_run_has_failed_and_only_edges_that_fired_bring_something() {
    let bench = Bench::new(&usual());
    let drafts = [draft("a", "echo"), draft("b", "echo"), draft("c", "none")];
    let mut request = bench.request(plan(&drafts, &[main(0, 2), main(1, 2)]));
    request.starts = Some(vec![2]);
    let known = |node: u32, status, failure, fired| crate::Given {
        node,
        status,
        output: Some(json(&format!("{node}"))),
        failure,
        fired,
    };
    let failure = crate::Failure::new(crate::Class::ExecutionError, "it was so");
    request.given = vec![
        known(0, crate::Status::Success, None, vec![]),
        known(1, crate::Status::Error, Some(failure), vec![1]),
    ];
    let finished = bench.begin(request).wait();
    assert_eq!(finished.output_of("c").unwrap(), json("[1]").as_ref());
    assert_eq!(
        statuses(&finished, &["a", "b", "c"]),
        ["success", "error", "success"]
    );
    let failures = finished.nodes();
    let failures: Vec<_> = failures.iter().filter_map(|node| node.failure).collect();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].message, "it was so");
}

#[test]
fn a_trigger_gives_on_what_triggered_the_run() {
    let bench = Bench::new(&usual());
    let finished = bench.run(plan(
        &[draft("t", "trigger").trigger(), draft("n", "none")],
        &[main(0, 1)],
    ));
    assert_eq!(
        finished.output_of("n").unwrap(),
        json(r#"[{"name": "Ada"}]"#).as_ref()
    );
}

#[test]
fn branches_that_wait_run_at_the_same_time() {
    // Each of the two waits for the other: one thread alone would hang.
    let (a, b) = (Arc::new(Latch::default()), Arc::new(Latch::default()));
    let meet = {
        let (a, b) = (Arc::clone(&a), Arc::clone(&b));
        node(move |input, _, _| {
            let (mine, other) = match input.get("me").unwrap().as_i64() {
                Some(0) => (&a, &b),
                _ => (&b, &a),
            };
            mine.open();
            other.wait();
            Ok(input.to_value())
        })
    };
    let mut nodes = usual();
    nodes.push(("meet", Nature::Blocking, meet));
    let bench = Bench::new(&nodes);
    let drafts = [
        draft("s", "echo"),
        draft("a", "meet").given(r#"{"me": 0}"#),
        draft("b", "meet").given(r#"{"me": 1}"#),
    ];
    let finished = bench.run(plan(&drafts, &[main(0, 1), main(0, 2)]));
    assert_eq!(finished.status, RunStatus::Success);
}

#[test]
fn many_polled_nodes_hold_no_thread() {
    let release = Arc::new(Latch::default());
    let wait = Arc::clone(&release);
    let mut nodes = usual();
    nodes.push((
        "slow",
        Nature::Async,
        node(move |input, _, _| {
            wait.wait();
            Ok(input.to_value())
        }),
    ));
    let bench = Bench::with(&nodes, &[], 1);
    let mut drafts = vec![draft("s", "echo")];
    let mut lines = Vec::new();
    for n in 1..=20 {
        drafts.push(draft(&format!("n{n}"), "slow"));
        lines.push(main(0, n));
    }
    let begun = bench.begin(bench.request(plan(&drafts, &lines)));
    // The one thread is free for another run meanwhile.
    let other = bench.run(plan(&[draft("x", "echo")], &[]));
    assert_eq!(other.status, RunStatus::Success);
    release.open();
    let finished = begun.wait();
    assert_eq!(finished.metrics().success_nodes, 21);
}

#[test]
fn a_long_chain_and_a_wide_fan_need_no_deep_stack() {
    let bench = Bench::new(&usual());
    let drafts: Vec<_> = (0..20_000).map(|n| draft(&format!("n{n}"), "echo")).collect();
    let chain: Vec<_> = (0..19_999).map(|n| main(n, n + 1)).collect();
    assert_eq!(bench.run(plan(&drafts, &chain)).metrics().success_nodes, 20_000);
    // All of a chain behind a node that chose another way is skipped.
    let mut skipped = drafts.clone();
    skipped[0] = draft("n0", "choose").given(r#"{"output": 7}"#);
    let finished = bench.run(plan(&skipped, &chain));
    assert_eq!(finished.nodes().len(), 20_000);
    assert_eq!(finished.metrics().success_nodes, 1);
}

#[test]
fn an_output_over_a_limit_fails_its_node() {
    let bench = Bench::new(&usual());
    let mut small = plan(&[draft("a", "echo").given(r#"{"l": [1, 2, 3]}"#)], &[]);
    small.limits.array_items = Some(2);
    let finished = bench.run(small);
    assert_eq!(finished.error.as_ref().unwrap().1.class, Class::LimitExceeded);
    let mut few = plan(
        &[draft("a", "echo"), draft("b", "echo"), draft("c", "echo")],
        &[main(0, 1), main(1, 2)],
    );
    few.limits.executions = Some(2);
    let finished = bench.run(few);
    assert_eq!(
        statuses(&finished, &["a", "b", "c"]),
        ["success", "success", "error"]
    );
    assert_eq!(finished.error.as_ref().unwrap().1.class, Class::LimitExceeded);
}

#[test]
fn only_the_host_says_that_a_call_timed_out_or_panicked() {
    let mut nodes = usual();
    nodes.push(("flaky", Nature::Pure, flaky(9, "TIMEOUT")));
    let bench = Bench::new(&nodes);
    let finished = bench.run(plan(&[draft("f", "flaky")], &[]));
    let failure = &finished.error.as_ref().unwrap().1;
    assert_eq!(
        (failure.error_code(), &*failure.code),
        ("EXECUTION_ERROR", "TIMEOUT")
    );
    let finished = bench.run(plan(
        &[draft("f", "fail").given(r#"{"code": "OUT_OF_TEA"}"#)],
        &[],
    ));
    assert_eq!(finished.error.as_ref().unwrap().1.error_code(), "OUT_OF_TEA");
}

#[test]
fn a_node_without_a_result_of_its_own_leaves_by_its_first_output() {
    let failing = draft("c", "fail").on_error(OnError::ContinueRegular);
    let off = draft("c", "choose").disabled();
    for (node, status) in [(failing, "error"), (off, "skipped")] {
        let bench = Bench::new(&usual());
        let drafts = [node, draft("zero", "echo"), draft("one", "echo")];
        let finished = bench.run(plan(&drafts, &[(0, 1, Port::Main, 0), (0, 2, Port::Main, 1)]));
        assert_eq!(
            statuses(&finished, &["c", "zero", "one"]),
            [status, "success", "skipped"]
        );
    }
}
