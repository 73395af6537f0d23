//! Runs: lists, one with its nodes, what happens in one, and one beside another.

use std::collections::BTreeSet;

use patchbay_wire::{DifferenceView, NodeResultView, ReplayView, RunEventView, RunListView, RunView};

use super::workflows::{counted, render_findings};
use super::{facts, push_column, render_table};
use crate::clock::stamp;
use crate::streams::Layout;
use crate::text;

/// Nodes of a run that are listed one by one; of more, those that did not succeed.
const LISTED: usize = 60;
const LONGEST_CELL: usize = 100;

/// `1.2`, `340`, `12300`: milliseconds, the fewer digits after the point the more there are.
fn millis(count: f64) -> String {
    if count < 10.0 {
        format!("{count:.2}")
    } else if count < 100.0 {
        format!("{count:.1}")
    } else {
        format!("{count:.0}")
    }
}

pub(crate) fn runs(list: &RunListView, layout: Layout) -> String {
    if list.runs.is_empty() {
        return "no runs\n".into();
    }
    let mut rows: Vec<_> = list
        .runs
        .iter()
        .map(|run| {
            vec![
                run.run_id.to_string(),
                text::cut(&run.workflow, 40),
                run.tenant.to_string(),
                run.status.clone(),
                run.trigger.clone(),
                stamp(run.started_at),
                millis(run.duration),
                run.nodes_executed.to_string(),
            ]
        })
        .collect();
    let mut header = vec![
        "run", "workflow", "tenant", "status", "by", "began", "ms", "nodes",
    ];
    let errors = list.runs.iter().map(|run| {
        let error = run.error.as_ref();
        error.map_or_else(String::new, |error| text::cut(&failed(error), LONGEST_CELL))
    });
    push_column(&mut header, &mut rows, "error", errors.collect());
    render_table(&header, &rows, layout)
}

fn failed(error: &patchbay_wire::RunErrorView) -> String {
    match &error.node {
        Some(node) => format!("{node}: {}: {}", error.code, error.message),
        None => format!("{}: {}", error.code, error.message),
    }
}

/// What made a run fail, as one line; nothing for one that did not.
pub(crate) fn run_failure(run: &RunView) -> Option<String> {
    let error = run.error.as_ref()?;
    Some(match &error.node {
        Some(node) => format!(
            "error[{}]: node {}: {}",
            text::line(&error.code),
            text::line(node),
            text::lines(&error.message)
        ),
        None => format!(
            "error[{}]: {}",
            text::line(&error.code),
            text::lines(&error.message)
        ),
    })
}

/// What a run comes to, in one line.
pub(crate) fn run_summary(run: &RunView) -> String {
    let metrics = &run.metrics;
    let mut out = format!(
        "{} {}: {} in {} ms",
        run.run_id,
        text::line(&run.status),
        counted(metrics.nodes_executed, "node"),
        millis(run.duration)
    );
    if metrics.failed_nodes > 0 {
        out.push_str(&format!(", {} failed", metrics.failed_nodes));
    }
    match metrics.total_retries {
        0 => {}
        1 => out.push_str(", 1 retry"),
        retries => out.push_str(&format!(", {retries} retries")),
    }
    out
}

/// The nodes of a run as a table: in the order in which they began, then those that did not begin.
pub(crate) fn run_nodes(run: &RunView, layout: Layout) -> String {
    let mut told = BTreeSet::new();
    let begun = run.execution_order.iter().map(patchbay_vocab::NodeId::as_str);
    let order = begun.chain(run.state.keys().map(String::as_str));
    let nodes: Vec<(&str, &NodeResultView)> = order
        .filter(|node| told.insert(*node))
        .filter_map(|node| Some((node, run.state.get(node)?)))
        .collect();
    if nodes.is_empty() {
        return String::new();
    }
    let all = nodes.len();
    let listed: Vec<_> = match all {
        0..=LISTED => nodes,
        _ => {
            let bad = nodes.into_iter().filter(|(_, result)| result.status != "success");
            bad.take(LISTED).collect()
        }
    };
    let mut rows: Vec<_> = listed.iter().map(|(node, result)| row(node, result)).collect();
    let mut header = vec!["node", "status", "version", "tries", "ms"];
    let errors = listed.iter().map(|(_, result)| error(result));
    push_column(&mut header, &mut rows, "error", errors.collect());
    let mut out = String::new();
    if !rows.is_empty() {
        out = render_table(&header, &rows, layout);
    }
    if all > listed.len() {
        out.push_str(&format!(
            "{} of {all} nodes are listed; --json has all of them\n",
            listed.len()
        ));
    }
    out
}

fn row(node: &str, result: &NodeResultView) -> Vec<String> {
    let version = result
        .plugin
        .as_ref()
        .zip(result.version.as_ref())
        .map(|(plugin, version)| format!("{plugin}@{version}"));
    let mut status = result.status.clone();
    if result.recovery_applied == Some(true) {
        status.push_str(" (recovered)");
    }
    vec![
        text::cut(node, 60),
        status,
        version.unwrap_or_default(),
        match result.attempts {
            0 => String::new(),
            attempts => attempts.to_string(),
        },
        match result.attempts {
            0 => String::new(),
            _ => millis(result.duration),
        },
    ]
}

fn error(result: &NodeResultView) -> String {
    let code = result.error_code.as_deref().unwrap_or_default();
    match (&result.error, code) {
        (None, _) => String::new(),
        (Some(error), "") => text::cut(error, LONGEST_CELL),
        (Some(error), code) => text::cut(&format!("{code}: {error}"), LONGEST_CELL),
    }
}

pub(crate) fn run(run: &RunView, layout: Layout) -> String {
    let mut out = facts(&[
        ("run", run.run_id.to_string()),
        ("workflow", format!("{} ({})", run.workflow, run.workflow_id)),
        ("tenant", run.tenant.to_string()),
        ("status", run.status.clone()),
        ("begun by", run.trigger.clone()),
        (
            "after",
            run.parent.as_ref().map(ToString::to_string).unwrap_or_default(),
        ),
        ("began", stamp(run.started_at)),
        ("took", format!("{} ms", millis(run.duration))),
        (
            "document",
            run.digest.map(|digest| digest.to_string()).unwrap_or_default(),
        ),
    ]);
    if let Some(error) = run_failure(run) {
        out.push_str(&format!("\n{error}\n"));
    }
    let nodes = run_nodes(run, layout);
    if !nodes.is_empty() {
        out.push_str(&format!("\n{nodes}"));
    }
    if !run.warnings.is_empty() {
        out.push_str(&format!("\n{}", render_findings(&run.warnings)));
    }
    if run.result.get() != "null" {
        out.push_str(&format!(
            "\nRESULT\n\n{}\n",
            text::json(&text::pretty(run.result.get()))
        ));
    }
    out
}

pub(crate) fn run_event(event: &RunEventView) -> String {
    let mut out = text::line(&event.kind);
    if let Some(node) = &event.node {
        out.push_str(&format!("  {}", text::line(node)));
    }
    if let Some(took) = event.millis {
        out.push_str(&format!("  {} ms", millis(took)));
    }
    if let Some(code) = &event.code {
        out.push_str(&format!("  {}", text::line(code)));
    }
    if !event.message.is_empty() {
        out.push_str(&format!("  {}", text::line(&event.message)));
    }
    out
}

/// Where a replay went another way.
pub(crate) fn replay(view: &ReplayView, layout: Layout) -> String {
    let mut out = format!("{}\n", run_summary(&view.run));
    if let Some(error) = run_failure(&view.run) {
        out.push_str(&format!("{error}\n"));
    }
    if !view.effectful.is_empty() {
        let names: Vec<_> = view.effectful.iter().map(|node| text::line(node)).collect();
        out.push_str(&format!("done to the world once more: {}\n", names.join(", ")));
    }
    if view.same {
        out.push_str(&format!("the same as {}\n", view.original));
        return out;
    }
    let count = counted(view.differences.len() as u64, "difference");
    out.push_str(&format!("{count} from {}\n\n", view.original));
    let mut rows: Vec<_> = view.differences.iter().map(difference).collect();
    let mut header = vec!["node", "what", "before", "after"];
    let versions = view.differences.iter().map(|difference| {
        match (&difference.version_before, &difference.version_after) {
            (Some(before), Some(after)) if before != after => format!("{before} -> {after}"),
            _ => String::new(),
        }
    });
    push_column(&mut header, &mut rows, "version", versions.collect());
    out.push_str(&render_table(&header, &rows, layout));
    out
}

fn difference(difference: &DifferenceView) -> Vec<String> {
    let shown = |value: &serde_json::Value| text::cut(&text::json(&value.to_string()), 60);
    let what = match difference.pointer.as_str() {
        "" => difference.what.clone(),
        pointer => format!("{} {pointer}", difference.what),
    };
    vec![
        text::cut(&difference.node, 60),
        what,
        shown(&difference.before),
        shown(&difference.after),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> RunView {
        let run = json!({
            "runId": "r1", "workflowId": "w", "workflow": "orders", "digest": null, "tenant": "acme",
            "status": "error",
            "error": {"node": "b", "code": "EXECUTION_ERROR", "message": "no \u{1b}[2Jway"},
            "result": null,
            "state": {
                "b": {"status": "error", "nodeType": "test.fail", "error": "no way", "errorCode": "EXECUTION_ERROR",
                    "timestamp": 1, "duration": 3.0, "retries": 1, "attempts": 2, "plugin": "test", "version": "1.0.0"},
                "c": {"status": "skipped", "nodeType": "string.upper", "timestamp": 1, "duration": 0.0, "retries": 0,
                    "attempts": 0},
                "a": {"status": "success", "nodeType": "string.upper", "output": {"result": "X"}, "timestamp": 1,
                    "duration": 0.1234, "retries": 0, "attempts": 1, "plugin": "string", "version": "1.2.0"}
            },
            "executionOrder": ["a", "b", "b"], "variables": {},
            "metrics": {"nodesExecuted": 2, "successNodes": 1, "failedNodes": 1, "retriedNodes": 1, "totalRetries": 1,
                "validationFailures": 0, "recoveryAttempts": 0, "recoverySuccesses": 0},
            "startedAt": 0, "duration": 5.5, "trigger": "manual", "parent": null
        });
        serde_json::from_str(&run.to_string()).unwrap()
    }

    #[test]
    fn nodes_are_listed_as_they_began_with_version_tries_and_error() {
        let table = run_nodes(&sample(), Layout::Pipe);
        let lines: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0], ["NODE", "STATUS", "VERSION", "TRIES", "MS", "ERROR"]);
        assert_eq!(lines[1], ["a", "success", "string@1.2.0", "1", "0.12", "-"]);
        assert_eq!(
            lines[2],
            [
                "b",
                "error",
                "test@1.0.0",
                "2",
                "3.00",
                "EXECUTION_ERROR:",
                "no",
                "way"
            ]
        );
        assert_eq!(lines[3], ["c", "skipped", "-", "-", "-", "-"]);
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn of_many_nodes_those_that_did_not_succeed_are_listed() {
        let mut run = sample();
        let good = run.state["a"].clone();
        for number in 0..100 {
            run.state.insert(format!("n{number}"), good.clone());
        }
        let table = run_nodes(&run, Layout::Pipe);
        assert_eq!(table.lines().count(), 4, "{table}");
        assert!(
            table.ends_with("2 of 103 nodes are listed; --json has all of them\n"),
            "{table}"
        );
    }

    #[test]
    fn a_run_is_summed_up_in_one_line_and_its_failure_in_another() {
        let run = sample();
        assert_eq!(
            run_summary(&run),
            "r1 error: 2 nodes in 5.50 ms, 1 failed, 1 retry"
        );
        assert_eq!(
            run_failure(&run).unwrap(),
            "error[EXECUTION_ERROR]: node b: no [2Jway"
        );
        let shown = super::run(&run, Layout::Pipe);
        assert!(
            shown.contains("workflow: orders (w)") && !shown.contains('\u{1b}'),
            "{shown}"
        );
    }

    #[test]
    fn a_replay_says_that_nothing_differs_or_where() {
        let mut view = ReplayView {
            original: "r0".parse().unwrap(),
            run: sample(),
            same: true,
            effectful: vec![],
            differences: vec![],
        };
        assert!(replay(&view, Layout::Pipe).ends_with("the same as r0\n"));
        view.same = false;
        view.differences.push(DifferenceView {
            node: "a".into(),
            pointer: "/result".into(),
            what: "output".into(),
            before: json!("X"),
            after: json!("Y"),
            version_before: Some("1.2.0".parse().unwrap()),
            version_after: Some("1.3.0".parse().unwrap()),
        });
        let text = replay(&view, Layout::Pipe);
        assert!(text.contains("1 difference from r0"), "{text}");
        let row: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(
            row,
            ["a", "output", "/result", "\"X\"", "\"Y\"", "1.2.0", "->", "1.3.0"]
        );
    }
}
