//! The table, for eyes and for programs.

use std::fmt::Write;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Serialize;

/// Everything that was measured, in one run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) calls: Vec<CallRow>,
    pub(crate) rename_to_live: Vec<RenameRow>,
    pub(crate) bad_files: Vec<FileRow>,
    /// What is to be known when the figures are read.
    pub(crate) notes: Vec<String>,
}

/// A warm call.
#[derive(Debug, Serialize)]
pub(crate) struct CallRow {
    /// `noop` or `echo`.
    pub(crate) work: &'static str,
    pub(crate) what: &'static str,
    pub(crate) payload: &'static str,
    pub(crate) median_ns: f64,
    pub(crate) least_ns: f64,
    /// To Patchbay: the median of the rounds' ratios.
    pub(crate) ratio: f64,
}

/// From a renamed file to the first call of its code.
#[derive(Debug, Serialize)]
pub(crate) struct RenameRow {
    pub(crate) what: &'static str,
    /// What is done with the file meanwhile.
    pub(crate) does: &'static str,
    pub(crate) median_ms: f64,
    pub(crate) least_ms: f64,
    pub(crate) ratio: f64,
}

/// What a bad file does to the process it is given to.
#[derive(Debug, Serialize)]
pub(crate) struct FileRow {
    pub(crate) file: &'static str,
    pub(crate) hot_lib_reloader: String,
    pub(crate) patchbay: String,
}

impl Report {
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        let mut part = |title: &str, header: &[&str], rows: Vec<Vec<String>>| {
            if !rows.is_empty() {
                let mut table = Table::new();
                table.load_style(NOTHING);
                table.set_header(header.iter().copied());
                table.add_rows(rows);
                for column in table.column_iter_mut() {
                    column.set_padding((0, 2));
                }
                // Writing to a string does not fail.
                let _ = writeln!(text, "{title}\n{}\n", table.trim_fmt());
            }
        };
        let calls = self.calls.iter().map(|row| {
            vec![
                row.work.to_owned(),
                row.what.to_owned(),
                number(row.median_ns),
                number(row.least_ns),
                ratio(row.ratio),
                row.payload.to_owned(),
            ]
        });
        let header = [
            "WORK",
            "WARM CALL",
            "MEDIAN ns",
            "LEAST ns",
            "TO PATCHBAY",
            "IN AND OUT",
        ];
        part("calls", &header, calls.collect());
        let renames = self.rename_to_live.iter().map(|row| {
            vec![
                row.what.to_owned(),
                number(row.median_ms),
                number(row.least_ms),
                ratio(row.ratio),
                row.does.to_owned(),
            ]
        });
        let header = [
            "FILE RENAMED UNTIL CALLED",
            "MEDIAN ms",
            "LEAST ms",
            "TO PATCHBAY",
            "MEANWHILE",
        ];
        part("rename to live", &header, renames.collect());
        let files = self.bad_files.iter().map(|row| {
            vec![
                row.file.to_owned(),
                row.hot_lib_reloader.clone(),
                row.patchbay.clone(),
            ]
        });
        part(
            "bad files",
            &["FILE", "HOT-LIB-RELOADER", "PATCHBAY"],
            files.collect(),
        );
        for note in &self.notes {
            let _ = writeln!(text, "  {note}");
        }
        text
    }
}

fn number(value: f64) -> String {
    if value >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

fn ratio(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}x")
    } else {
        format!("{value:.2}x")
    }
}
