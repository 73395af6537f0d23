//! Tables of figures.

use patchbay_cli::{Layout, render_table};
use serde::Serialize;

/// One table.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) subject: &'static str,
    pub(crate) rows: Vec<Row>,
    /// Sentences: what was compared with what, budgets met or missed.
    pub(crate) notes: Vec<String>,
}

/// One figure with its baseline.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) what: String,
    /// The median over the rounds, in `unit`.
    pub(crate) median: f64,
    /// The least over the rounds.
    pub(crate) min: f64,
    pub(crate) unit: &'static str,
    /// To what it is compared.
    pub(crate) baseline: Option<String>,
    /// The median of the rounds' ratios to the baseline.
    pub(crate) ratio: Option<f64>,
    /// What it takes more than the baseline, at the least of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) added: Option<f64>,
}

impl Row {
    pub(crate) fn plain(what: impl Into<String>, median: f64, min: f64, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            median,
            min,
            unit,
            baseline: None,
            ratio: None,
            added: None,
        }
    }
}

impl Report {
    pub(crate) fn render(&self) -> String {
        let adds = self.rows.iter().any(|row| row.added.is_some());
        let mut header = vec!["WHAT", "MEDIAN", "LEAST", "UNIT", "RATIO", "TO"];
        if adds {
            header.insert(4, "ADDED");
        }
        let rows: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                let mut cells = vec![
                    row.what.clone(),
                    number(row.median),
                    number(row.min),
                    row.unit.to_owned(),
                    row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}x")),
                    row.baseline.clone().unwrap_or_default(),
                ];
                if adds {
                    cells.insert(4, row.added.map_or_else(String::new, number));
                }
                cells
            })
            .collect();
        let notes: String = self.notes.iter().map(|note| format!("  {note}\n")).collect();
        format!(
            "{}\n{}\n{notes}",
            self.subject,
            render_table(&header, &rows, Layout::Pipe)
        )
    }
}

fn number(value: f64) -> String {
    if value.abs() >= 1000.0 || (value.fract() == 0.0 && value.abs() >= 100.0) {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}
