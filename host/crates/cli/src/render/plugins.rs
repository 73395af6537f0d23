//! Plugins, their versions, and the files that were refused.

use patchbay_wire::{PluginView, RejectedView, RevisionView};

use super::rollouts::{named, percent};
use super::trust::signer;
use super::{facts, indented, joined, push_column, render_table};
use crate::clock::{bytes, stamp};
use crate::streams::Layout;
use crate::text;

pub(crate) fn plugins(plugins: &[PluginView], layout: Layout) -> String {
    if plugins.is_empty() {
        return "no plugins: put a plugin's file into the watched directory\n".into();
    }
    let mut rows = Vec::new();
    let (mut shares, mut signers) = (Vec::new(), Vec::new());
    for plugin in plugins {
        for revision in &plugin.revisions {
            let mut row = vec![plugin.name.to_string()];
            row.extend(cells(revision));
            rows.push(row);
            shares.push(share(plugin, revision));
            signers.push(signer(revision.signed_by.as_ref()));
        }
        if plugin.revisions.is_empty() {
            shares.push(String::new());
            signers.push(String::new());
            rows.push(
                [plugin.name.as_str(), "", "", "", "", "", "", "", ""]
                    .map(String::from)
                    .to_vec(),
            );
        }
    }
    let mut header = vec![
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
    push_column(&mut header, &mut rows, "share", shares);
    push_column(&mut header, &mut rows, "signed by", signers);
    render_table(&header, &rows, layout)
}

/// The share of the calls that a canary receives.
fn share(plugin: &PluginView, revision: &RevisionView) -> String {
    let canary = plugin.canary.as_ref();
    canary
        .filter(|canary| canary.to.revision == revision.revision)
        .map(|canary| percent(canary.weight))
        .unwrap_or_default()
}

fn cells(revision: &RevisionView) -> [String; 8] {
    [
        revision.version.to_string(),
        format!("r{}", revision.revision),
        match revision.asleep {
            true => format!("{} (asleep)", revision.state),
            false => revision.state.to_string(),
        },
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
    let desired = plugin
        .desired
        .as_ref()
        .filter(|desired| Some(desired.revision) != plugin.live_revision)
        .map(|desired| format!("{}, which could not be made live", named(desired)));
    let canary = plugin.canary.as_ref().map(|canary| {
        format!(
            "{} with {} of the calls",
            named(&canary.to),
            percent(canary.weight)
        )
    });
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
        ("desired", desired.unwrap_or_default()),
        ("canary", canary.unwrap_or_default()),
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
    let mut rows: Vec<_> = plugin
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
    let mut header = vec![
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
    let signers = plugin
        .revisions
        .iter()
        .map(|revision| signer(revision.signed_by.as_ref()));
    push_column(&mut header, &mut rows, "signed by", signers.collect());
    out.push('\n');
    out.push_str(&render_table(&header, &rows, layout));
    for revision in &plugin.revisions {
        if let Some(problem) = &revision.blocked_by {
            let (code, message) = (text::line(&problem.code), text::lines(&problem.message));
            let fails = match revision.asleep {
                true => "could not be woken",
                false => "cannot go live",
            };
            let what = format!("r{} {fails} [{code}]: {message}", revision.revision);
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
    let mut rows: Vec<_> = rejected
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
    let mut header = vec!["code", "file", "reason", "hint", "when"];
    let signers = rejected.iter().map(|file| signer(file.signed_by.as_ref()));
    push_column(&mut header, &mut rows, "signed by", signers.collect());
    render_table(&header, &rows, layout)
}
