//! Workflows: what was found in a document, what a host serves, what its caches hold.

use patchbay_wire::{
    CachesView, FailureCountView, TriggerView, ValidateView, WorkflowFindingView, WorkflowView,
};

use super::{facts, indented, render_table};
use crate::clock::{bytes, stamp};
use crate::streams::Layout;
use crate::text;

/// Everything that was found in a document: code, place, message, what to do.
#[must_use]
pub fn render_findings(findings: &[WorkflowFindingView]) -> String {
    let mut out = String::new();
    for finding in findings {
        out.push_str(&format!(
            "{}[{}]",
            text::line(&finding.level),
            text::line(&finding.code)
        ));
        if !finding.path.is_empty() {
            out.push_str(&format!(" at {}", text::line(&finding.path)));
        }
        if let Some(node) = &finding.node {
            out.push_str(&format!(" (node {})", text::line(node)));
        }
        out.push('\n');
        out.push_str(&indented(&finding.message, 2));
        if !finding.hint.is_empty() {
            out.push_str(&indented(&format!("hint: {}", finding.hint), 2));
        }
    }
    out
}

/// `1 error`, `2 errors`.
pub(super) fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

pub(crate) fn validation(view: &ValidateView, _: Layout) -> String {
    let mut out = render_findings(&view.findings);
    if !out.is_empty() {
        out.push('\n');
    }
    let found = match (view.errors, view.warnings) {
        (0, 0) => String::new(),
        (0, warnings) => format!(", {}", counted(warnings, "warning")),
        (errors, 0) => format!(", {}", counted(errors, "error")),
        (errors, warnings) => {
            format!(", {}, {}", counted(errors, "error"), counted(warnings, "warning"))
        }
    };
    let name = match (text::line(&view.workflow), &view.workflow_id) {
        (name, _) if !name.is_empty() => name,
        (_, Some(id)) => id.to_string(),
        _ => "the workflow".to_owned(),
    };
    let verdict = if view.valid { "is valid" } else { "cannot be run" };
    out.push_str(&format!(
        "{name} {verdict}: {}{found}\n",
        counted(view.nodes, "node")
    ));
    out
}

fn trigger(trigger: &TriggerView) -> String {
    let mut out = trigger.kind.clone();
    if !trigger.detail.is_empty() {
        out.push_str(&format!(" {}", trigger.detail.trim()));
    }
    if !trigger.enabled {
        out.push_str(" (off)");
    }
    out
}

pub(crate) fn workflows(workflows: &[WorkflowView], layout: Layout) -> String {
    if workflows.is_empty() {
        return "no workflows: start the host with `patchbay up --workflows DIR`\n".into();
    }
    let rows: Vec<_> = workflows
        .iter()
        .map(|workflow| {
            vec![
                workflow.workflow_id.to_string(),
                text::cut(&workflow.name, 40),
                workflow.file.clone(),
                match (workflow.valid, workflow.active) {
                    (false, _) => "cannot be run",
                    (true, true) => "active",
                    (true, false) => "by hand",
                }
                .into(),
                workflow.nodes.to_string(),
                workflow
                    .triggers
                    .iter()
                    .map(trigger)
                    .collect::<Vec<_>>()
                    .join("; "),
            ]
        })
        .collect();
    render_table(
        &["workflow", "name", "file", "state", "nodes", "triggers"],
        &rows,
        layout,
    )
}

pub(crate) fn workflow(workflow: &WorkflowView, layout: Layout) -> String {
    let tenant = workflow.tenant.as_ref().map(ToString::to_string);
    let mut out = facts(&[
        ("workflow", workflow.workflow_id.to_string()),
        ("name", workflow.name.clone()),
        ("file", workflow.file.clone()),
        ("tenant", tenant.unwrap_or_default()),
        ("nodes", workflow.nodes.to_string()),
        ("can be run", if workflow.valid { "yes" } else { "no" }.into()),
        (
            "starts by itself",
            if workflow.active { "yes" } else { "no" }.into(),
        ),
    ]);
    if !workflow.triggers.is_empty() {
        let rows: Vec<_> = workflow
            .triggers
            .iter()
            .map(|trigger| {
                vec![
                    trigger.kind.clone(),
                    trigger.node.to_string(),
                    if trigger.enabled { "on" } else { "off" }.into(),
                    trigger.detail.trim().to_owned(),
                    trigger.next_at.map(stamp).unwrap_or_default(),
                ]
            })
            .collect();
        out.push('\n');
        out.push_str(&render_table(
            &["trigger", "node", "state", "detail", "next"],
            &rows,
            layout,
        ));
    }
    if !workflow.findings.is_empty() {
        out.push('\n');
        out.push_str(&render_findings(&workflow.findings));
    }
    out
}

pub(crate) fn caches(view: &CachesView, layout: Layout) -> String {
    let rows: Vec<_> = view
        .caches
        .iter()
        .map(|cache| {
            let rate = cache.hit_rate.map(|rate| format!("{:.1} %", rate * 100.0));
            vec![
                cache.name.clone(),
                cache.entries.to_string(),
                cache.bytes.map(bytes).unwrap_or_default(),
                cache.hits.to_string(),
                cache.misses.to_string(),
                cache.evictions.to_string(),
                rate.unwrap_or_default(),
            ]
        })
        .collect();
    render_table(
        &[
            "cache",
            "entries",
            "bytes",
            "hits",
            "misses",
            "evictions",
            "hit rate",
        ],
        &rows,
        layout,
    )
}

pub(crate) fn failures(views: &[FailureCountView], layout: Layout) -> String {
    let rows: Vec<_> = views
        .iter()
        .map(|view| {
            let version = match (&view.plugin, &view.version) {
                (Some(plugin), Some(version)) => format!("{plugin}@{version}"),
                _ => String::new(),
            };
            let mean = view.mean_recovery_ms.map(|mean| format!("{mean:.1}"));
            vec![
                view.code.clone(),
                view.node_type.clone(),
                version,
                view.count.to_string(),
                view.recovery_attempts.to_string(),
                view.recovery_successes.to_string(),
                mean.unwrap_or_default(),
            ]
        })
        .collect();
    render_table(
        &[
            "code",
            "node type",
            "version",
            "failed",
            "recoveries",
            "recovered",
            "mean ms",
        ],
        &rows,
        layout,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(level: &str, code: &str) -> WorkflowFindingView {
        WorkflowFindingView {
            code: code.into(),
            level: level.into(),
            path: "nodes[1].parameters.value".into(),
            message: "it is \u{1b}[31mwrong".into(),
            hint: "mend it".into(),
            node: Some("b".into()),
        }
    }

    #[test]
    fn a_finding_has_its_code_place_message_and_hint_and_moves_no_cursor() {
        assert_eq!(
            render_findings(&[finding("error", "CYCLE")]),
            "error[CYCLE] at nodes[1].parameters.value (node b)\n  it is [31mwrong\n  hint: mend it\n"
        );
    }

    #[test]
    fn a_verdict_ends_with_what_it_comes_to() {
        let view = |valid, findings: Vec<WorkflowFindingView>| ValidateView {
            valid,
            workflow_id: None,
            workflow: "orders".into(),
            nodes: 2,
            errors: findings.iter().filter(|found| found.level == "error").count() as u64,
            warnings: findings.iter().filter(|found| found.level == "warning").count() as u64,
            findings,
        };
        let last = |view: &ValidateView| {
            let text = validation(view, Layout::Pipe);
            text.lines().last().unwrap().to_owned()
        };
        assert_eq!(
            validation(&view(true, vec![]), Layout::Pipe),
            "orders is valid: 2 nodes\n"
        );
        assert_eq!(
            last(&view(false, vec![finding("error", "A"), finding("warning", "B")])),
            "orders cannot be run: 2 nodes, 1 error, 1 warning"
        );
    }
}
