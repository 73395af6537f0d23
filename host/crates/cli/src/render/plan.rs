//! What a rollout would change, and for whom.

use patchbay_wire::{RolloutPlanView, SchemaChangeView, TouchedWorkflowView};

use super::pins::who;
use super::rollouts::{left_out, named, policy_line};
use super::workflows::{counted, render_findings};
use super::{facts, indented, joined, render_table};
use crate::streams::Layout;
use crate::text;

/// Names that are listed on one line; of more there is a count.
const LISTED: usize = 20;

pub(crate) fn rollout_plan(plan: &RolloutPlanView, layout: Layout) -> String {
    let from = plan.from.as_ref().map_or_else(|| "nothing".to_owned(), named);
    let mut out = facts(&[
        ("plugin", plan.plugin.to_string()),
        ("versions", format!("{from} -> {}", named(&plan.to))),
        ("policy", policy_line(&plan.policy)),
        ("tenants", some(&plan.tenants)),
    ]);
    section(
        &mut out,
        "steps",
        plan.steps
            .iter()
            .enumerate()
            .map(|(at, step)| format!("{}. {}", at + 1, text::line(step))),
    );
    out.push_str(&changes(&plan.changes, layout));
    out.push_str(&workflows(&plan.workflows));
    section(
        &mut out,
        "plugins that depend on it",
        plan.dependents.iter().map(|dependent| {
            let breaks = if dependent.breaks {
                ": BREAKS, the new version is none of them"
            } else {
                ""
            };
            format!(
                "{} needs {}{breaks}",
                dependent.plugin,
                text::line(&dependent.range)
            )
        }),
    );
    section(
        &mut out,
        "pinned, so that it does not reach them",
        plan.pins.iter().map(|pin| {
            let (who, to) = (who(pin.tenant.as_ref(), pin.workflow.as_ref()), named(&pin.to));
            format!(
                "{who} at {to}, by {}: {}",
                text::line(&pin.actor),
                text::line(&pin.reason)
            )
        }),
    );
    out.push_str(&left_out(&plan.left_out, "not tried by shadow and replay"));
    out.push('\n');
    match &plan.refusal {
        Some(problem) => {
            let (code, message) = (text::line(&problem.code), text::lines(&problem.message));
            out.push_str(&format!("refused [{code}]: {message}\n"));
            if !problem.findings.is_empty() {
                out.push_str(&indented(&render_findings(&problem.findings), 2));
            }
            if !problem.hint.is_empty() {
                out.push_str(&indented(&format!("hint: {}", problem.hint), 2));
            }
        }
        None if plan.allowed => out.push_str("allowed: `patchbay rollout start` would begin it\n"),
        None => out.push_str("refused\n"),
    }
    out
}

fn section(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    for (at, line) in lines.enumerate() {
        if at == 0 {
            out.push_str(&format!("\n{title}:\n"));
        }
        out.push_str(&format!("  {line}\n"));
    }
}

/// The differences, those first that can break something.
fn changes(changes: &[SchemaChangeView], layout: Layout) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let (breaking, harmless): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.breaking);
    let row = |change: &&SchemaChangeView| {
        vec![
            if change.breaking { "BREAKING" } else { "harmless" }.to_owned(),
            change.node_type.clone(),
            change.path.clone(),
            change.kind.clone(),
            change.message.clone(),
        ]
    };
    let rows: Vec<_> = breaking.iter().chain(&harmless).map(row).collect();
    let table = render_table(&["change", "node", "where", "kind", "what"], &rows, layout);
    format!("\nhow the nodes differ:\n{}", indented(&table, 2))
}

fn workflows(workflows: &[TouchedWorkflowView]) -> String {
    let mut out = String::new();
    for (at, workflow) in workflows.iter().enumerate() {
        if at == 0 {
            out.push_str("\nworkflows that use it:\n");
        }
        let tenant = workflow.tenant.as_ref();
        let tenant = tenant.map(|tenant| format!(" of {tenant}")).unwrap_or_default();
        let found = match workflow.new_findings.len() {
            0 => "nothing new is wrong with it".to_owned(),
            count => counted(count as u64, "new finding"),
        };
        out.push_str(&format!(
            "  {}{tenant} ({}): {found}\n",
            text::line(&workflow.name),
            text::line(workflow.workflow_id.as_str())
        ));
        out.push_str(&indented(&format!("nodes: {}", some(&workflow.nodes)), 4));
        out.push_str(&indented(&render_findings(&workflow.new_findings), 4));
    }
    out
}

/// The first names, and how many more there are.
fn some<T: std::fmt::Display>(names: &[T]) -> String {
    let listed = names.get(..LISTED.min(names.len())).unwrap_or_default();
    match names.len() - listed.len() {
        0 => text::line(&joined(listed)),
        more => format!("{}, and {more} more", text::line(&joined(listed))),
    }
}
