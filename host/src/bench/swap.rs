//! A change of versions: until the next call sees it, under load, and from a file.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use patchbay::{Call, Output, Patchbay, PluginName, RevisionNumber, Selector, TenantId, Value};

use super::measure::{least, quantile};
use super::report::{Report, Row};
use super::stage::{Host, Stage, drop_in, variant};
use super::{BenchError, Effort, state};

const PATIENCE: Duration = Duration::from_secs(30);

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
        row("cold: mapped, swapped, called", &cold.micros, None),
        row(
            "warm: swapped, called",
            &warm.micros,
            Some(("cold", &cold.micros)),
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

fn row(what: &str, micros: &[f64], baseline: Option<(&str, &[f64])>) -> Row {
    let median = quantile(micros, 0.5);
    let mut row = Row::plain(what, median, least(micros), "us");
    if let Some((name, base)) = baseline {
        row.baseline = Some(name.to_owned());
        row.ratio = Some(median / quantile(base, 0.5));
    }
    row
}

struct Swapping {
    micros: Vec<f64>,
    calls: u64,
    failed: u64,
    stale: u64,
}

impl Swapping {
    /// Alternates between the two newest revisions while two threads call.
    fn measure(
        host: &Patchbay,
        plugin: &PluginName,
        swaps: u32,
        between: Between,
    ) -> Result<Self, BenchError> {
        let node = host.resolve("test.noop").map_err(BenchError::new)?;
        let tenant: TenantId = "bench".parse().map_err(BenchError::new)?;
        let call = Call::of(tenant);
        let input = Value::from_json("{}").map_err(BenchError::new)?;
        let view = host.plugin(plugin).map_err(BenchError::new)?;
        let mut revisions: Vec<RevisionNumber> =
            view.revisions.iter().map(|revision| revision.revision).collect();
        revisions.sort();
        let [.., one, two] = *revisions else {
            return Err(BenchError::new("needs two revisions"));
        };
        let stop = AtomicBool::new(false);
        let (calls, failed, stale) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        // How many swaps have begun, whether one is under way, and what is live since the last, in one word.
        let settled = AtomicU64::new(view.live_revision.map_or(0, |live| live.0));
        let mut micros = Vec::new();
        let result = std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut out = Output::with_limit(1 << 20);
                    while !stop.load(Ordering::Relaxed) {
                        let before = settled.load(Ordering::SeqCst);
                        let answer = node
                            .call(input.as_ref(), &call, &mut out)
                            .map(|(_, revision)| revision);
                        let after = settled.load(Ordering::SeqCst);
                        calls.fetch_add(1, Ordering::Relaxed);
                        match answer {
                            Err(_) => _ = failed.fetch_add(1, Ordering::Relaxed),
                            // No swap began or ended during the call, so there is one right answer.
                            Ok(revision) if before == after && before & BUSY == 0 => {
                                if revision.0 != before & 0xffff {
                                    stale.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                            Ok(_) => {}
                        }
                    }
                });
            }
            let swapped = (|| {
                let mut out = Output::with_limit(1 << 20);
                for swap in 0..swaps {
                    let to = if swap % 2 == 0 { one } else { two };
                    let count = u64::from(swap + 1) << 16;
                    settled.store(count | BUSY, Ordering::SeqCst);
                    let order = patchbay::Order::by("bench", "");
                    let begin = Instant::now();
                    host.promote(plugin, &Selector::Revision(to), order)
                        .map_err(BenchError::new)?;
                    let answer = node
                        .call(input.as_ref(), &call, &mut out)
                        .map_err(BenchError::new)?;
                    micros.push(begin.elapsed().as_nanos() as f64 / 1e3);
                    if answer.1 != to {
                        stale.fetch_add(1, Ordering::Relaxed);
                    }
                    settled.store(count | to.0, Ordering::SeqCst);
                    if between == Between::Unloading {
                        wait_until_unloaded(host, plugin)?;
                    }
                }
                Ok(())
            })();
            stop.store(true, Ordering::Relaxed);
            swapped
        });
        result.map(|()| Self {
            micros,
            calls: calls.into_inner(),
            failed: failed.into_inner(),
            stale: stale.into_inner(),
        })
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

/// A swap is under way.
const BUSY: u64 = 1 << 63;

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
