//! `bench`: what this host costs, side by side with a named baseline in the same run.
//!
//! Invariant: every figure is measured when it is printed, and stands beside the figure it is a ratio of. Rounds of
//! subject and baseline alternate, so that a noisy machine disturbs both.

mod audit;
mod dispatch;
mod measure;
mod nodes;
mod report;
mod restart;
mod rollout;
mod seen;
mod stage;
mod state;
mod swap;
mod values;
mod workflow;

use patchbay::Explain;
use patchbay_cli::{BenchArgs, BenchSubject, Exit, Format, with_process_streams};
use patchbay_vocab::Code;

use report::Report;

/// Why nothing could be measured.
#[derive(Debug)]
pub(crate) struct BenchError(String);

impl BenchError {
    pub(crate) fn new(what: impl std::fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl std::fmt::Display for BenchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BenchError {}

impl Explain for BenchError {
    fn code(&self) -> Code {
        Code("PB-BENCH-001")
    }

    fn help(&self) -> String {
        "build the sample plugins beside the binary (cargo build --release), or name their folder with --plugins".into()
    }
}

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    Quick,
    Full,
}

pub(crate) fn bench(arguments: &BenchArgs) -> Exit {
    let effort = if arguments.quick {
        Effort::Quick
    } else {
        Effort::Full
    };
    let wanted = |subject| arguments.subject.is_none_or(|given| given == subject);
    let format = Format::of_flag(arguments.json);
    let mut reports = Vec::new();
    let measured = (|| -> Result<(), BenchError> {
        let stage = stage::Stage::set(arguments.plugins.as_deref())?;
        if wanted(BenchSubject::Dispatch) {
            reports.push(dispatch::run(&stage, effort)?);
        }
        if wanted(BenchSubject::Values) {
            reports.push(values::run(&stage, effort)?);
        }
        if wanted(BenchSubject::Nodes) {
            reports.push(nodes::run(&stage, effort)?);
        }
        if wanted(BenchSubject::Swap) {
            reports.push(swap::run(&stage, effort)?);
        }
        if wanted(BenchSubject::Workflow) {
            workflow::run(&stage, effort, &mut reports)?;
        }
        if wanted(BenchSubject::Rollout) {
            rollout::run(effort, &mut reports)?;
        }
        if wanted(BenchSubject::Audit) {
            reports.push(audit::run(&stage, effort)?);
        }
        if wanted(BenchSubject::Restart) {
            reports.extend(restart::run(&stage, effort, arguments.count)?);
        }
        Ok(())
    })();
    with_process_streams(|streams| {
        if cfg!(debug_assertions) {
            streams.note("this is a debug build: its figures say nothing; use a release build");
        }
        let shown = match format {
            Format::Json => streams.json(&reports),
            Format::Human => {
                let texts: Vec<_> = reports.iter().map(Report::render).collect();
                streams.answer(&texts.join("\n"))
            }
        };
        match measured {
            Ok(()) => shown,
            Err(error) => streams.error(&error, format, Exit::Internal),
        }
    })
}
