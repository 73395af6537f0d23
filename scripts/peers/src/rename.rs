//! From the rename of a new file to the first call that runs its code.
//!
//! Invariant: the clock starts before the rename and stops when a call has answered with the new generation; the caller
//! calls all the time, with a pause of 50 us between calls, for all subjects alike.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use patchbay::{Call, Output, Value};

use crate::Effort;
use crate::measure::Timed;
use crate::native::{shortest, standard};
use crate::report::RenameRow;
use crate::stage::{FILE, PATIENCE, Stage};
use crate::variant::generation;

const PAUSE: Duration = Duration::from_micros(50);

pub(crate) fn run(stage: &Stage, effort: Effort) -> Result<Vec<RenameRow>> {
    let files = match effort {
        Effort::Quick => 3,
        Effort::Full => 25,
    };
    let [plugins, quick, slow] = ["plugins", "shortest", "standard"].map(|name| stage.folder().join(name));
    let node = stage.patchbay.resolve("peer.generation")?;
    let (call, empty) = (Call::of("peers".parse()?), Value::from_json("{}")?);
    let mut out = Output::with_limit(1 << 20);
    let mut patchbay_serves = || {
        let (answer, _) = node.call(empty.as_ref(), &call, &mut out).ok()?;
        u64::try_from(answer.get("result")?.as_i64()?).ok()
    };
    let quick_serves = || Some(shortest::peer_generation());
    let slow_serves = || Some(standard::peer_generation());
    // All have their first file before the first rename.
    ensure!(
        patchbay_serves() == Some(1) && quick_serves() == Some(1) && slow_serves() == Some(1),
        "a subject does not serve the first file"
    );

    let mut rounds = vec![Vec::new(), Vec::new(), Vec::new()];
    for number in 2..files + 2 {
        let bytes = generation(&stage.bytes, number)?;
        let wanted = Some(number);
        rounds[0].push(until(&plugins, &bytes, || patchbay_serves() == wanted)?);
        rounds[1].push(until(&quick, &bytes, || quick_serves() == wanted)?);
        rounds[2].push(until(&slow, &bytes, || slow_serves() == wanted)?);
    }
    let subjects = [
        (
            "Patchbay",
            "staged, hashed, inspected, tried in a child process, mapped",
        ),
        (
            "hot-lib-reloader, debounce of 1 ms",
            "copied and mapped; safe for renamed files only",
        ),
        (
            "hot-lib-reloader, as it comes (debounce of 500 ms)",
            "copied and mapped",
        ),
    ];
    let timed = Timed::of_rounds(&rounds);
    let rows = subjects
        .into_iter()
        .zip(timed)
        .map(|((what, does), timed)| RenameRow {
            what,
            does,
            median_ms: timed.median,
            least_ms: timed.least,
            ratio: timed.ratio,
        });
    Ok(rows.collect())
}

/// Milliseconds.
fn until(folder: &Path, bytes: &[u8], mut serves: impl FnMut() -> bool) -> Result<f64> {
    let part = folder.join(format!(".{FILE}.part"));
    std::fs::write(&part, bytes)?;
    let begin = Instant::now();
    std::fs::rename(&part, folder.join(FILE))?;
    while !serves() {
        ensure!(begin.elapsed() < PATIENCE, "the new file was never called");
        std::thread::sleep(PAUSE);
    }
    Ok(begin.elapsed().as_secs_f64() * 1e3)
}
