//! Records of the audit: how many a second reach the disk, are verified, are exported.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use patchbay_state::{Entry, State, StateConfig, Verdict, Write, export, verify};
use patchbay_vocab::{RevisionNumber, SystemClock, UnixMillis};

use super::measure::{least, median};
use super::report::{Report, Row};
use super::stage::Stage;
use super::{BenchError, Effort};

const LONG: Duration = Duration::from_secs(60);
const THREADS: u32 = 8;

struct Lengths {
    rounds: u32,
    /// Orders of one round and thread.
    orders: u32,
    /// Records that are verified and exported.
    records: u64,
}

pub(crate) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let lengths = match effort {
        Effort::Quick => Lengths {
            rounds: 3,
            orders: 50,
            records: 10_000,
        },
        Effort::Full => Lengths {
            rounds: 15,
            orders: 200,
            records: 200_000,
        },
    };
    // Where the plugins are is a disk; a temporary folder may be in memory.
    let folder = stage.disk()?;
    let state = open(folder.path())?;
    let raw = File::create(folder.path().join("raw")).map_err(BenchError::new)?;
    let (mut bare, mut single, mut many) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..lengths.rounds {
        bare.push(rate(lengths.orders, || synced(&raw, lengths.orders))?);
        single.push(rate(lengths.orders, || orders(&state, lengths.orders))?);
        many.push(rate(lengths.orders * THREADS, || {
            at_once(&state, lengths.orders)
        })?);
    }
    fill(&state, lengths.records)?;
    let path = folder.path().join("state.db");
    let (mut verified, mut exported) = (Vec::new(), Vec::new());
    let records = state.rows().map_err(BenchError::new)?.audit;
    for _ in 0..lengths.rounds.min(5) {
        let begin = Instant::now();
        match verify(&path, None).map_err(BenchError::new)? {
            Verdict::Whole(_) => verified.push(records as f64 / begin.elapsed().as_secs_f64()),
            Verdict::Broken(_) => return Err(BenchError::new("the audit is not whole")),
        }
        let begin = Instant::now();
        let mut lines = Lines::default();
        export(&path, 0, &mut lines).map_err(BenchError::new)?;
        exported.push(records as f64 / begin.elapsed().as_secs_f64());
        if lines.0 < records {
            return Err(BenchError::new("the export is not whole"));
        }
    }
    let rows = vec![
        row("4 KiB written to a file and synced, nothing else", &bare, None),
        row(
            "one order at a time, each answered after its sync",
            &single,
            Some(("4 KiB and a sync", &bare)),
        ),
        row(
            "8 threads of orders, each answered after its sync",
            &many,
            Some(("one at a time", &single)),
        ),
        row("verified", &verified, None),
        row(
            "exported as lines of JSON",
            &exported,
            Some(("verified", &verified)),
        ),
    ];
    let stats = state.stats();
    Ok(Report {
        subject: "audit: records a second",
        rows,
        notes: vec![
            format!(
                "an order takes {:.2} ms by itself, {:.2} ms among 8 threads of them; a sync of 4 KiB takes {:.2} ms",
                1e3 / median(single.clone()),
                1e3 * f64::from(THREADS) / median(many.clone()),
                1e3 / median(bare.clone())
            ),
            format!("verified and exported: {records} records"),
            format!("{stats:?}"),
        ],
    })
}

fn row(what: &str, rates: &[f64], baseline: Option<(&str, &[f64])>) -> Row {
    let mut row = Row::plain(what, median(rates.to_vec()), least(rates), "1/s");
    if let Some((name, base)) = baseline {
        row.baseline = Some(name.to_owned());
        row.ratio = Some(median(
            rates.iter().zip(base).map(|(mine, base)| mine / base).collect(),
        ));
    }
    row
}

fn open(folder: &Path) -> Result<State, BenchError> {
    let config = StateConfig::within(folder, env!("CARGO_PKG_VERSION"));
    std::fs::create_dir_all(&config.artifacts).map_err(BenchError::new)?;
    let (state, _) = State::open(&config, Arc::new(SystemClock::new())).map_err(BenchError::new)?;
    Ok(state)
}

fn rate(count: u32, done: impl FnOnce() -> Result<(), BenchError>) -> Result<f64, BenchError> {
    let begin = Instant::now();
    done()?;
    Ok(f64::from(count) / begin.elapsed().as_secs_f64())
}

fn synced(file: &File, count: u32) -> Result<(), BenchError> {
    for turn in 0..count {
        let page = [turn.to_le_bytes()[0]; 4096];
        file.write_all_at(&page, u64::from(turn) * 4096)
            .and_then(|()| file.sync_data())
            .map_err(BenchError::new)?;
    }
    Ok(())
}

fn orders(state: &State, count: u32) -> Result<(), BenchError> {
    for turn in 0..count {
        let write = vec![Write::Audit(entry(turn.into()))];
        state.record(write, LONG).map_err(BenchError::new)?;
    }
    Ok(())
}

fn at_once(state: &State, count: u32) -> Result<(), BenchError> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| scope.spawn(|| orders(state, count)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            let done = thread.join();
            done.unwrap_or_else(|_| Err(BenchError::new("a thread panicked")))
        })
    })
}

fn fill(state: &State, records: u64) -> Result<(), BenchError> {
    for first in (0..records).step_by(100) {
        let some = (first..records.min(first + 100)).map(|turn| Write::Audit(entry(turn)));
        state.tell(some.collect());
    }
    state.settle(LONG).map_err(BenchError::new)
}

fn entry(turn: u64) -> Entry {
    Entry {
        at: UnixMillis(1_700_000_000_000 + turn),
        actor: "ada@example.com".to_owned(),
        action: "plugin.promoted".to_owned(),
        plugin: "string".parse().ok(),
        revision: Some(RevisionNumber(turn)),
        tenant: None,
        workflow: None,
        reason: "a new version for everybody".to_owned(),
        key: Some(format!("key-{turn}")),
        detail: r#"{"version":"1.2.3","from":1,"generation":2}"#.to_owned(),
    }
}

/// Counts lines and forgets them.
#[derive(Default)]
struct Lines(u64);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
