//! What is known of a file.

use patchbay_wire::{CheckView, ExampleOutcome, ExampleRunView, FindingView, InspectView, Severity};

use super::author::{example, held};
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
    out.push_str(&sections(view));
    out
}

/// What is known of the file beyond the verdict, each part under its name.
fn sections(view: &CheckView) -> String {
    let mut out = String::new();
    let mut section = |name: &str, text: String| {
        if !text.is_empty() {
            out.push_str(&format!("\n{name}:\n{}", indented(&text, 2)));
        }
    };
    if let Some(identity) = &view.identity {
        let rows = [
            ("contract", identity.contract.clone()),
            ("sdk", identity.sdk.clone()),
            ("compiler", identity.compiler.clone()),
            ("target", identity.target.clone()),
            ("entry", identity.entry.clone()),
            ("digest", identity.digest.to_string()),
        ];
        section("identity", facts(&rows));
        let mut links = vec![
            ("needs", joined(&identity.needed)),
            ("imports", identity.imports.to_string()),
        ];
        links.push(("exports", identity.exports.len().to_string()));
        section("links", facts(&links));
    }
    if let Some(size) = &view.size {
        let rows = [
            ("file", bytes(size.file)),
            ("code", bytes(size.code)),
            ("constants", bytes(size.constants)),
            ("variables", bytes(size.variables)),
            ("debug", bytes(size.debug)),
            ("symbols", bytes(size.symbols)),
        ];
        section("size", facts(&rows));
    }
    section("examples", examples(&view.examples));
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
    out.push_str(&findings(&view.findings));
    let count = |level| {
        view.findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    };
    if view.fit {
        out.push_str(&format!(
            "\n{} error(s), {} warning(s), {} note(s)\n",
            count(Severity::Error),
            count(Severity::Warning),
            count(Severity::Note)
        ));
    }
    out
}

/// The findings, the worst first; those with the same remedy are together, and say it once.
fn findings(findings: &[FindingView]) -> String {
    let remedy = |finding: &FindingView| (finding.level, finding.code.clone(), finding.fix.clone());
    let mut told = Vec::new();
    let mut out = String::new();
    for first in findings {
        if told.contains(&remedy(first)) {
            continue;
        }
        told.push(remedy(first));
        let level = match first.level {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        out.push('\n');
        for finding in findings.iter().filter(|finding| remedy(finding) == remedy(first)) {
            out.push_str(&format!(
                "{level}[{}]: {}: {}\n",
                text::line(&finding.code),
                text::line(&finding.place),
                text::line(&finding.message)
            ));
        }
        out.push_str(&format!("  fix: {}\n", text::line(&first.fix)));
    }
    out
}

/// How many examples hold, and each of the others.
fn examples(runs: &[ExampleRunView]) -> String {
    let held = held(runs);
    let others = runs.iter().filter(|run| run.outcome != ExampleOutcome::Holds);
    match runs.len() {
        0 => String::new(),
        _ => format!("{held}\n{}", others.map(example_line).collect::<String>()),
    }
}

fn example_line(run: &ExampleRunView) -> String {
    if run.outcome != ExampleOutcome::NotRun {
        return example(run);
    }
    let why = run.notes.first().map_or("", String::as_str);
    format!(
        "{}: {}: not run, {}\n",
        run.node,
        text::line(&run.title),
        text::line(why)
    )
}
