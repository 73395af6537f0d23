//! The audit, what was collected, and what a data directory suffers from.

use patchbay_wire::{ArtifactView, AuditVerifiedView, AuditView, CollectedView, DoctorView};

use super::workflows::counted;
use super::{indented, push_column, render_table};
use crate::clock::{bytes, stamp};
use crate::streams::Layout;
use crate::text;

pub(crate) fn audit(records: &[AuditView], layout: Layout) -> String {
    if records.is_empty() {
        return "no records\n".into();
    }
    let mut rows: Vec<_> = records
        .iter()
        .map(|record| {
            vec![
                record.seq.to_string(),
                stamp(record.at),
                record.actor.clone(),
                record.action.clone(),
            ]
        })
        .collect();
    let mut header = vec!["seq", "when", "by", "action"];
    let mut column = |title, cell: fn(&AuditView) -> Option<String>| {
        let cells = records.iter().map(|record| cell(record).unwrap_or_default());
        push_column(&mut header, &mut rows, title, cells.collect());
    };
    column("plugin", |record| record.plugin.as_ref().map(ToString::to_string));
    column("rev", |record| record.revision.map(|number| format!("r{number}")));
    column("tenant", |record| record.tenant.as_ref().map(ToString::to_string));
    column("workflow", |record| {
        record.workflow.as_ref().map(ToString::to_string)
    });
    column("reason", |record| Some(record.reason.clone()));
    render_table(&header, &rows, layout)
}

/// What a look at the whole audit gave.
pub(crate) fn verified(view: &AuditVerifiedView) -> String {
    let records = counted(view.records, "record");
    let head = text::line(&view.head);
    if view.intact {
        return format!("intact: {records}\nhead:   {head}\n");
    }
    let at = view
        .broken_at
        .map(|seq| format!(" at record {seq}"))
        .unwrap_or_default();
    format!("BROKEN{at}: {}\n{records} read\n", text::lines(&view.message))
}

pub(crate) fn collected(view: &CollectedView, layout: Layout) -> String {
    let mut out = String::new();
    if !view.removed.is_empty() {
        out.push_str(&artifacts(&view.removed, layout));
        out.push('\n');
    }
    let (verb, kept) = if view.dry_run {
        ("would be removed", "would stay")
    } else {
        ("removed", "stay")
    };
    out.push_str(&format!(
        "{} of {} {verb}: {}; {} {kept}\n",
        bytes(view.bytes_freed),
        bytes(view.bytes_before),
        counted(view.removed.len() as u64, "artifact"),
        view.kept.len(),
    ));
    out
}

fn artifacts(views: &[ArtifactView], layout: Layout) -> String {
    let rows: Vec<_> = views
        .iter()
        .map(|artifact| {
            vec![
                artifact.digest.short(),
                bytes(artifact.bytes),
                artifact
                    .plugin
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                artifact
                    .version
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                artifact
                    .revision
                    .map(|number| format!("r{number}"))
                    .unwrap_or_default(),
                artifact.why.clone(),
            ]
        })
        .collect();
    render_table(
        &["digest", "size", "plugin", "version", "rev", "why"],
        &rows,
        layout,
    )
}

/// What was found wrong with a data directory, and what was done about it.
#[must_use]
pub fn render_doctor(view: &DoctorView) -> String {
    let mut out = String::new();
    for repair in &view.repaired {
        let verb = if repair.done { "repaired" } else { "not repaired" };
        let (code, message) = (text::line(&repair.code), text::line(&repair.message));
        out.push_str(&format!("{verb}[{code}]: {message}\n"));
    }
    if !view.repaired.is_empty() && !view.findings.is_empty() {
        out.push_str("\nleft:\n");
    }
    for finding in &view.findings {
        let (severity, code) = (text::line(&finding.severity), text::line(&finding.code));
        out.push_str(&format!("{severity}[{code}]: {}\n", text::line(&finding.message)));
        if let Some(path) = &finding.path {
            out.push_str(&indented(&format!("file: {path}"), 2));
        }
        if !finding.hint.is_empty() {
            out.push_str(&indented(&format!("hint: {}", finding.hint), 2));
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let data = text::line(&view.data);
    let left = counted(view.findings.len() as u64, "finding");
    let repairable = view.findings.iter().filter(|finding| finding.repairable).count();
    out.push_str(&match view.healthy {
        true => format!("{data} is healthy: {left}\n"),
        false => format!("{data} cannot be served: {left}\n"),
    });
    if repairable > 0 {
        out.push_str(&format!(
            "`patchbay doctor --repair` mends {repairable} of them\n"
        ));
    }
    out
}
