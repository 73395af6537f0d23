//! Answers for people.
//!
//! Invariant: every cell and every line goes through [`crate::text`], and nothing is said by colour alone.

mod audit;
mod author;
mod changes;
mod file;
mod manual;
mod nodes;
mod page;
mod pins;
mod plan;
mod plugins;
mod rollouts;
mod runs;
mod schema;
mod trust;
mod workflows;

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, ContentArrangement, Table};

pub use audit::render_doctor;
pub(crate) use audit::{audit, collected, verified};
pub use author::{render_dev, render_new};
pub(crate) use changes::{event, history, quarantined, status, swap};
pub use file::{render_check, render_inspect};
pub(crate) use manual::manual;
pub(crate) use nodes::nodes;
pub(crate) use pins::{pinned, pins};
pub(crate) use plan::rollout_plan;
pub(crate) use plugins::{plugin, plugins, rejected};
pub(crate) use rollouts::{policy, rollout, rollout_change, rollout_line, rollout_told, rollouts};
pub(crate) use runs::{replay, run, run_event, run_failure, run_nodes, run_summary, runs};
pub use trust::{render_key_pair, render_relaxed, render_signed};
pub use workflows::render_findings;
pub(crate) use workflows::{caches, failures, validation, workflow, workflows};

use crate::streams::Layout;
use crate::text;

/// The least columns that a table is fitted to: below, it would be torn into single letters.
const LEAST_COLUMNS: u16 = 40;

/// The layout for a terminal of this width, which some report as 0.
fn fitting(layout: Layout, columns: Option<u16>) -> Layout {
    match columns {
        Some(columns) if columns < LEAST_COLUMNS => Layout::Pipe,
        _ => layout,
    }
}

/// A table without lines: a header in capitals, one row per line unless a terminal is too narrow for it.
#[must_use]
pub fn render_table(header: &[&str], rows: &[Vec<String>], layout: Layout) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match fitting(layout, table.width()) {
        Layout::Terminal => table.set_content_arrangement(ContentArrangement::Dynamic),
        Layout::Pipe => table
            .force_no_tty()
            .set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(header.iter().map(|title| Cell::new(title.to_uppercase())));
    for row in rows {
        table.add_row(row.iter().map(|cell| {
            Cell::new(if cell.is_empty() {
                "-".into()
            } else {
                text::line(cell)
            })
        }));
    }
    let last = header.len().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { 2 }));
    }
    let mut out = String::new();
    for line in table.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Adds a column that says something in at least one row; one that would be empty is left out.
fn push_column(header: &mut Vec<&str>, rows: &mut [Vec<String>], title: &'static str, cells: Vec<String>) {
    if cells.iter().all(String::is_empty) {
        return;
    }
    header.push(title);
    for (row, cell) in rows.iter_mut().zip(cells) {
        row.push(cell);
    }
}

/// `name: value` lines with the values aligned; empty values are left out.
fn facts(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    let mut out = String::new();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        let name = format!("{name}:");
        out.push_str(&format!("{name:width$} {}\n", text::line(value)));
    }
    out
}

/// `text` with every line moved to the right.
fn indented(text: &str, by: usize) -> String {
    let margin = " ".repeat(by);
    let mut out = String::new();
    for line in text::lines(text).lines() {
        if !line.trim().is_empty() {
            out.push_str(&margin);
            out.push_str(line.trim_end());
        }
        out.push('\n');
    }
    out
}

fn joined<T: std::fmt::Display>(items: &[T]) -> String {
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_manual;
#[cfg(test)]
mod tests_rollouts;
