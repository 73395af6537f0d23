//! Plugins, their versions, and the files that were refused.

use patchbay_wire::{PluginView, RejectedView, RevisionView};

use super::{facts, indented, joined, render_table};
use crate::clock::{bytes, stamp};
use crate::streams::Layout;
use crate::text;

pub(crate) fn plugins(plugins: &[PluginView], layout: Layout) -> String {
    if plugins.is_empty() {
        return "no plugins: put a plugin's file into the watched directory\n".into();
    }
    let mut rows = Vec::new();
    for plugin in plugins {
        for revision in &plugin.revisions {
            let mut row = vec![plugin.name.to_string()];
            row.extend(cells(revision));
            rows.push(row);
        }
        if plugin.revisions.is_empty() {
            rows.push(
                [plugin.name.as_str(), "", "", "", "", "", "", "", ""]
                    .map(String::from)
                    .to_vec(),
            );
        }
    }
    let header = [
        "plugin",
        "version",
        "rev",
        "state",
        "leases",
        "calls",
        "pinned by",
        "memory",
        "threads",
    ];
    render_table(&header, &rows, layout)
}

fn cells(revision: &RevisionView) -> [String; 8] {
    [
        revision.version.to_string(),
        format!("r{}", revision.revision),
        revision.state.to_string(),
        revision.calls_in_flight.to_string(),
        revision.calls_total.to_string(),
        revision.pinned_by.join(", "),
        revision.memory_bytes.map(bytes).unwrap_or_default(),
        revision.threads.to_string(),
    ]
}

pub(crate) fn plugin(plugin: &PluginView, layout: Layout) -> String {
    let live = match (&plugin.live, plugin.live_revision) {
        (Some(version), Some(revision)) => format!("{version} (r{revision})"),
        (Some(version), None) => version.to_string(),
        (None, _) => "nothing".into(),
    };
    let needs: Vec<_> = plugin
        .dependencies
        .iter()
        .map(|needed| format!("{}@{}", needed.plugin, needed.range))
        .collect();
    let mut out = facts(&[
        ("plugin", plugin.name.to_string()),
        ("about", plugin.description.clone()),
        ("author", plugin.author.clone()),
        ("live", live),
        (
            "since generation",
            plugin
                .generation
                .map(|number| number.to_string())
                .unwrap_or_default(),
        ),
        ("needs", needs.join(", ")),
        ("nodes", joined(&plugin.nodes)),
    ]);
    let rows: Vec<_> = plugin
        .revisions
        .iter()
        .map(|revision| {
            let mut row = cells(revision).to_vec();
            row.extend([
                stamp(revision.admitted_at),
                revision.digest.short(),
                revision.origin.clone(),
            ]);
            row
        })
        .collect();
    let header = [
        "version",
        "rev",
        "state",
        "leases",
        "calls",
        "pinned by",
        "memory",
        "threads",
        "admitted",
        "digest",
        "origin",
    ];
    out.push('\n');
    out.push_str(&render_table(&header, &rows, layout));
    for revision in &plugin.revisions {
        if let Some(problem) = &revision.blocked_by {
            let (code, message) = (text::line(&problem.code), text::lines(&problem.message));
            let what = format!("r{} cannot go live [{code}]: {message}", revision.revision);
            out.push_str(&format!(
                "\n{what}\n{}",
                indented(&format!("hint: {}", problem.hint), 2)
            ));
        }
    }
    out
}

pub(crate) fn rejected(rejected: &[RejectedView], layout: Layout) -> String {
    if rejected.is_empty() {
        return "no file was refused\n".into();
    }
    let rows: Vec<_> = rejected
        .iter()
        .map(|file| {
            vec![
                file.code.clone(),
                file.path.clone(),
                file.message.clone(),
                file.hint.clone(),
                stamp(file.at),
            ]
        })
        .collect();
    render_table(&["code", "file", "reason", "hint", "when"], &rows, layout)
}
