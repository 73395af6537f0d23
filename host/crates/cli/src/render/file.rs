//! What is known of a file.

use patchbay_wire::{CheckView, InspectView};

use super::trust::signer;
use super::{facts, indented, joined, render_table};
use crate::clock::{bytes, micros};
use crate::streams::Layout;
use crate::text;

/// Exports listed for people; `--json` has them all.
const EXPORTS_SHOWN: usize = 12;

/// What a file says of itself, for people.
#[must_use]
pub fn render_inspect(view: &InspectView) -> String {
    let mut exports = view
        .exports
        .iter()
        .take(EXPORTS_SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(more @ 1..) = view.exports.len().checked_sub(EXPORTS_SHOWN) {
        exports.push_str(&format!(", and {more} more"));
    }
    facts(&[
        ("plugin", view.plugin.to_string()),
        ("version", view.version.to_string()),
        ("contract", view.contract.clone()),
        ("sdk", view.sdk.clone()),
        ("compiler", view.compiler.clone()),
        ("target", view.target.clone()),
        ("entry", view.entry.clone()),
        ("file", view.path.clone()),
        ("size", bytes(view.size)),
        ("digest", view.digest.to_string()),
        ("signer", signer(view.signed_by.as_ref())),
        ("needs", joined(&view.needed)),
        ("imports", view.imports.to_string()),
        ("exports", exports),
    ])
}

/// The verdict on a file, for people: the answer first, the stages below it.
#[must_use]
pub fn render_check(view: &CheckView) -> String {
    let name = match (&view.plugin, &view.version) {
        (Some(plugin), Some(version)) => format!(" {plugin}@{version}"),
        (Some(plugin), None) => format!(" {plugin}"),
        (None, _) => String::new(),
    };
    let mut out = if view.fit {
        format!("fit{}{name}\n", if name.is_empty() { "" } else { ":" })
    } else {
        let code = text::line(view.code.as_deref().unwrap_or("no code"));
        let message = text::lines(view.message.as_deref().unwrap_or("no reason given"));
        format!(
            "unfit{}{name} [{code}]: {message}\n",
            if name.is_empty() { "" } else { ":" }
        )
    };
    if view.signed_by.is_some() {
        out.push_str(&format!(
            "signed by: {}\n",
            text::line(&signer(view.signed_by.as_ref()))
        ));
    }
    if let Some(hint) = view.hint.as_deref().filter(|hint| !hint.is_empty()) {
        out.push_str(&format!("\nhint: {}\n", text::lines(hint)));
    }
    if !view.nodes.is_empty() {
        out.push_str(&format!(
            "\nnodes:\n{}",
            indented(&joined(&view.nodes).replace(", ", "\n"), 2)
        ));
    }
    if !view.stages.is_empty() {
        let rows: Vec<_> = view
            .stages
            .iter()
            .map(|stage| {
                let verdict = if stage.ok { "ok" } else { "failed" };
                let code = stage.code.clone().unwrap_or_default();
                vec![stage.stage.clone(), verdict.into(), micros(stage.micros), code]
            })
            .collect();
        out.push('\n');
        out.push_str(&render_table(
            &["stage", "verdict", "took", "code"],
            &rows,
            Layout::Pipe,
        ));
    }
    for warning in &view.warnings {
        out.push_str(&format!("\nwarning: {}\n", text::lines(warning)));
    }
    out
}
