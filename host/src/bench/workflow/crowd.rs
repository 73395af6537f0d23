//! A thousand runs at once that wait for something.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use patchbay::{RunOrder, RunStatus};

use super::super::measure::{least, median};
use super::super::report::{Report, Row};
use super::super::stage::Stage;
use super::super::{BenchError, Effort};
use super::document::{Draft, Keep};
use super::runner::{Runner, begin};

/// Waits of one run, one after the other.
const WAITS: usize = 5;
const MILLIS: usize = 10;

pub(super) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let rounds = match effort {
        Effort::Quick => 2,
        Effort::Full => 15,
    };
    let host = stage.host(&["test"], 1)?;
    let runner = Runner::on(&host.patchbay);
    let mut draft = Draft::new(Keep::All);
    for at in 0..WAITS {
        draft.node("test.sleep", &format!(r#"{{"millis":{MILLIS}}}"#));
        if at > 0 {
            draft.edge(at - 1, at);
        }
    }
    let order = RunOrder::of(draft.text("waits"));
    runner.check(&order, "n4", &format!(r#"{{"result":{MILLIS}}}"#))?;
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    let mut failed = 0;
    for runs in [1, 100, 1_000] {
        let mut millis = Vec::new();
        let mut threads = 0;
        for _ in 0..rounds {
            let round = Round::of(&runner, &order, runs)?;
            millis.push(round.took.as_secs_f64() * 1e3);
            threads = threads.max(round.threads);
            failed += round.failed;
            runner.sync();
        }
        let mut row = Row::plain(
            format!("{runs} runs at once"),
            median(millis.clone()),
            least(&millis),
            "ms",
        );
        let ideal = (WAITS * MILLIS) as f64;
        row.baseline = Some(format!("{ideal:.0} ms of waiting"));
        row.ratio = Some(median(millis.clone()) / ideal);
        rows.push(row);
        notes.push(format!(
            "{runs} runs at once: {:.0} runs a second, at most {threads} threads in the process",
            runs as f64 / median(millis) * 1e3
        ));
    }
    notes.push(format!("runs that did not succeed: {failed}"));
    runner.verdict()?;
    Ok(Report {
        subject: "workflow, many runs: 5 nodes that wait 10 ms each, recorded; all begun, all waited for",
        rows,
        notes,
    })
}

/// So many runs, begun and waited for.
struct Round {
    took: Duration,
    /// The most threads that the process had meanwhile.
    threads: usize,
    failed: u64,
}

impl Round {
    fn of(runner: &Runner<'_>, order: &RunOrder, runs: usize) -> Result<Self, BenchError> {
        let done = AtomicBool::new(false);
        let most = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    most.fetch_max(threads(), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
            let measured = (|| {
                let began = Instant::now();
                let begun: Result<Vec<_>, _> = (0..runs).map(|_| begin(runner.host(), order)).collect();
                let mut failed = 0;
                for begun in begun? {
                    let (status, _) = begun.wait_status().map_err(BenchError::new)?;
                    failed += u64::from(status != RunStatus::Success);
                }
                Ok((began.elapsed(), failed))
            })();
            done.store(true, Ordering::Relaxed);
            // The thread that counts is one of them, but not of the host's.
            let threads = most.load(Ordering::Relaxed).saturating_sub(1);
            measured.map(|(took, failed)| Self {
                took,
                threads,
                failed,
            })
        })
    }
}

/// Threads of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}
