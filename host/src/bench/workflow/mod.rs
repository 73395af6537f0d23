//! Runs of workflows: what a node costs beside its call, and what holds when many run, plugins are swapped, caches fill.
//!
//! Invariant: every document is run once and its result compared before it is measured, and a measured run that does not
//! succeed ends the bench.

mod caches;
mod crowd;
mod document;
mod grow;
mod overlaid;
mod reading;
mod record;
mod runner;
mod swapping;
mod template;

use super::report::Report;
use super::stage::Stage;
use super::{BenchError, Effort};

type Part = fn(&Stage, Effort) -> Result<Report, BenchError>;

/// Adds the tables of all parts to `reports`, each as soon as it is measured.
pub(crate) fn run(stage: &Stage, effort: Effort, reports: &mut Vec<Report>) -> Result<(), BenchError> {
    let parts: [Part; 8] = [
        grow::run,
        record::run,
        template::run,
        reading::run,
        crowd::run,
        swapping::run,
        overlaid::run,
        caches::run,
    ];
    for part in parts {
        reports.push(part(stage, effort)?);
    }
    Ok(())
}
