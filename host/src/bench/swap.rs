//! A change of versions: until the next call sees it, under load, and from a file.

use std::time::{Duration, Instant};

use patchbay::{Patchbay, PluginName, RevisionNumber, Selector};

use super::measure::{least, quantile};
use super::report::{Report, Row};
use super::seen::{Orders, PATIENCE, Seen, watch};
use super::stage::{Host, Stage, drop_in, variant};
use super::{BenchError, Effort, state};

pub(crate) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let (warm_swaps, cold_swaps, files) = match effort {
        Effort::Quick => (200, 20, 5),
        Effort::Full => (5000, 500, 50),
    };
    let plugin: PluginName = "test".parse().map_err(BenchError::new)?;
    let bytes = stage.bytes("test")?;

    let host = stage.host(&["test"], 4)?;
    let from_file = from_files(&host, &plugin, &bytes, files)?;
    let warm = Swapping::measure(&host.patchbay, &plugin, warm_swaps, Between::Nothing)?;
    drop(host);

    let host = stage.host(&["test"], 0)?;
    from_files(&host, &plugin, &bytes, 1)?;
    let before = resident_bytes();
    let cold = Swapping::measure(&host.patchbay, &plugin, cold_swaps, Between::Unloading)?;
    let grown = resident_bytes() as f64 - before as f64;
    drop(host);

    let handing = state::measure(stage, effort)?;

    let mut rows = vec![
        row("cold: mapped, swapped, seen by a call", &cold.micros, None),
        row(
            "warm: swapped, seen by a call",
            &warm.micros,
            Some(("cold", &cold.micros)),
        ),
        row(
            "warm: answered, when the disk has it",
            &warm.acknowledged,
            Some(("warm, seen", &warm.micros)),
        ),
        row("file renamed into the directory until live", &from_file, None),
    ];
    rows.push(Row::plain(
        "warm, 99 % within",
        quantile(&warm.micros, 0.99),
        least(&warm.micros),
        "us",
    ));
    for handed in &handing {
        let many = format!("warm, with the state of {} instance(s)", handed.instances);
        rows.push(row(&many, &handed.swaps, Some(("cold", &cold.micros))));
        rows.push(row("  of it, calls of the node wait", &handed.pauses, None));
    }
    Ok(Report {
        subject: "swap: test.noop, two callers running; state: rate-limiter, one instance a tenant",
        rows,
        notes: vec![
            format!(
                "{} calls during {} warm and {} cold swaps: {} failed, {} answered by a version swapped out before",
                warm.calls + cold.calls,
                warm_swaps,
                cold_swaps,
                warm.failed + cold.failed,
                warm.stale + cold.stale
            ),
            format!(
                "warm swap until the next call sees it: {:.1} us at the median (budget 10 us)",
                quantile(&warm.micros, 0.5)
            ),
            format!(
                "a file is live {:.1} ms after the rename at the median (budget 25 ms)",
                quantile(&from_file, 0.5) / 1e3
            ),
            format!(
                "resident memory over {cold_swaps} cold swaps: {:+.0} KiB",
                grown / 1024.0
            ),
        ],
    })
}

pub(crate) fn row(what: &str, micros: &[f64], baseline: Option<(&str, &[f64])>) -> Row {
    let median = quantile(micros, 0.5);
    let mut row = Row::plain(what, median, least(micros), "us");
    if let Some((name, base)) = baseline {
        row.baseline = Some(name.to_owned());
        row.ratio = Some(median / quantile(base, 0.5));
    }
    row
}

/// Promotes the two newest revisions in turn.
struct Swapping<'h> {
    host: &'h Patchbay,
    plugin: &'h PluginName,
    revisions: [RevisionNumber; 2],
    between: Between,
}

impl<'h> Swapping<'h> {
    /// Swaps while two threads call.
    fn measure(
        host: &'h Patchbay,
        plugin: &'h PluginName,
        swaps: u32,
        between: Between,
    ) -> Result<Seen, BenchError> {
        let mut swapping = Self {
            host,
            plugin,
            revisions: two_newest(host, plugin)?,
            between,
        };
        watch(host, "test.noop", swaps, &mut swapping)
    }
}

impl Orders for Swapping<'_> {
    fn prepare(&mut self, turn: u32) -> Result<RevisionNumber, BenchError> {
        Ok(self.revisions[turn as usize % 2])
    }

    fn order(&mut self, turn: u32) -> Result<(), BenchError> {
        let to = Selector::Revision(self.revisions[turn as usize % 2]);
        let order = patchbay::Order::by("bench", "");
        self.host
            .promote(self.plugin, &to, order)
            .map_err(BenchError::new)?;
        Ok(())
    }

    fn settle(&mut self) -> Result<(), BenchError> {
        match self.between {
            Between::Nothing => Ok(()),
            Between::Unloading => wait_until_unloaded(self.host, self.plugin),
        }
    }
}

/// The two newest revisions, the older one first.
pub(crate) fn two_newest(host: &Patchbay, plugin: &PluginName) -> Result<[RevisionNumber; 2], BenchError> {
    let view = host.plugin(plugin).map_err(BenchError::new)?;
    let mut revisions: Vec<RevisionNumber> =
        view.revisions.iter().map(|revision| revision.revision).collect();
    revisions.sort();
    match *revisions {
        [.., one, two] => Ok([one, two]),
        _ => Err(BenchError::new("needs two revisions")),
    }
}

/// What happens between two swaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    Nothing,
    /// The version that was swapped out is unmapped, so that the next swap has to map it again.
    Unloading,
}

fn wait_until_unloaded(host: &Patchbay, plugin: &PluginName) -> Result<(), BenchError> {
    let begin = Instant::now();
    loop {
        let view = host.plugin(plugin).map_err(BenchError::new)?;
        let mapped = view
            .revisions
            .iter()
            .filter(|revision| revision.memory_bytes.is_some())
            .count();
        match mapped {
            0 | 1 => return Ok(()),
            _ if begin.elapsed() > PATIENCE => return Err(BenchError::new("a version was not unmapped")),
            _ => std::thread::sleep(Duration::from_micros(100)),
        }
    }
}

/// Microseconds from the rename of new content until it is live, for several files.
pub(crate) fn from_files(
    host: &Host,
    plugin: &PluginName,
    bytes: &[u8],
    files: u64,
) -> Result<Vec<f64>, BenchError> {
    let mut events = host.patchbay.subscribe();
    let mut micros = Vec::new();
    for number in 0..files {
        let bytes = variant(bytes, number);
        let begin = Instant::now();
        drop_in(&host.plugins, "test.so", &bytes)?;
        loop {
            match events.try_recv() {
                Ok(event) if event.kind == "plugin.live" && event.plugin.as_ref() == Some(plugin) => break,
                Ok(event) if event.kind == "file.rejected" => return Err(BenchError::new(event.message)),
                Ok(_) => {}
                Err(_) if begin.elapsed() > PATIENCE => {
                    return Err(BenchError::new("the file did not go live"));
                }
                Err(_) => std::thread::sleep(Duration::from_micros(50)),
            }
        }
        micros.push(begin.elapsed().as_nanos() as f64 / 1e3);
    }
    Ok(micros)
}

/// Resident memory of this process in bytes, by the kernel's count.
fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    pages * 4096
}
