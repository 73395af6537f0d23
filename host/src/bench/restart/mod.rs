//! The start of a host that knows its plugins: after an end by order and after a kill, with the files still in its
//! directory and without.
//!
//! The host is a process of its own, as `patchbay up` starts it, and is ready when it says so and has answered a call.

pub(super) mod many;
mod process;

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::measure::{least, median};
use super::report::{Report, Row};
use super::stage::Stage;
use super::{BenchError, Effort};
use many::{Kind, Many};
use process::{End, Process};

/// How a host comes back, as it is called in the table.
const WAYS: [(&str, Files, End); 4] = [
    ("files there, ended by order", Files::There, End::Ordered),
    ("files there, killed", Files::There, End::Killed),
    ("directory empty, ended by order", Files::Gone, End::Ordered),
    ("directory empty, killed", Files::Gone, End::Killed),
];

/// Whether the directory still has what the host took in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Files {
    There,
    Gone,
}

struct Lengths {
    count: u16,
    rounds: usize,
    idle: Duration,
}

pub(crate) fn run(stage: &Stage, effort: Effort, count: Option<u16>) -> Result<Vec<Report>, BenchError> {
    let lengths = match effort {
        Effort::Quick => Lengths {
            count: count.unwrap_or(100),
            rounds: 3,
            idle: Duration::from_secs(3),
        },
        Effort::Full => Lengths {
            count: count.unwrap_or(1000),
            rounds: 7,
            idle: Duration::from_secs(20),
        },
    };
    [Kind::Small, Kind::Large]
        .into_iter()
        .map(|kind| of_kind(stage, kind, &lengths))
        .collect()
}

fn of_kind(stage: &Stage, kind: Kind, lengths: &Lengths) -> Result<Report, BenchError> {
    let many = Many::make(kind, lengths.count)?;
    let folder = stage.disk()?;
    let (bare, full) = (folder.path().join("bare"), folder.path().join("full"));
    let first = {
        many.put(&full.join("plugins"))?;
        let host = Process::start(&full, None)?;
        let took = host.until_live(lengths.count)?;
        host.end(End::Ordered)?;
        took
    };
    Process::start(&bare, None)?.end(End::Ordered)?;
    let [idle_bare, idle_full] = idle(&bare, &full, lengths)?;

    let mut alone = Times::default();
    let mut all: [Times; 4] = std::array::from_fn(|_| Times::default());
    let mut probes = 0;
    for (at, (_, files, end)) in WAYS.into_iter().enumerate() {
        if files == Files::Gone {
            many.take_away(&full.join("plugins"))?;
        }
        for _ in 0..lengths.rounds {
            // Of two ends in a row one is by order: a host that is killed again and again starts otherwise.
            Process::start(&full, None)?.end(end)?;
            let begun = SystemTime::now();
            let host = Process::start(&full, Some(&many.last()))?;
            all[at].add(&host);
            host.check_live(lengths.count)?;
            host.end(End::Ordered)?;
            probes += many.probes_since(&full.join("data"), begun)?;
            let host = Process::start(&bare, None)?;
            alone.add(&host);
            host.end(End::Ordered)?;
        }
    }
    let mut rows = vec![alone.row("a host without plugins, ready", None)];
    for ((way, ..), times) in WAYS.into_iter().zip(&all) {
        rows.push(times.row(&format!("{way}: ready"), Some(&alone)));
        rows.push(Row::plain(
            format!("{way}: first call answered"),
            median(times.answered.clone()),
            least(&times.answered),
            "ms",
        ));
    }
    rows.push(Row::plain(
        "idle without plugins, share of a core",
        idle_bare,
        idle_bare,
        "%",
    ));
    let mut idle = Row::plain(
        "idle with all of them, share of a core",
        idle_full,
        idle_full,
        "%",
    );
    idle.added = None;
    rows.push(idle);
    let slowest = all
        .iter()
        .map(|times| median(times.answered.clone()))
        .fold(0.0, f64::max);
    Ok(Report {
        subject: match kind {
            Kind::Small => "restart: small plugins in C",
            Kind::Large => "restart: plugins in C, as long as one in Rust",
        },
        rows,
        notes: vec![
            format!(
                "{} plugins of {:.0} KiB each, all live after every start; taken in for the first time in {:.1} s",
                lengths.count,
                many.kib(),
                first.as_secs_f64()
            ),
            format!("trial loads made at these starts: {probes}"),
            format!("the slowest of the ways answers its first call after {slowest:.0} ms (budget 1,000 ms)"),
            format!(
                "idle over {} s: {idle_full:.2} % of a core (budget 1 %)",
                lengths.idle.as_secs()
            ),
        ],
    })
}

/// How much of a core two hosts take that nobody calls, side by side.
fn idle(bare: &Path, full: &Path, lengths: &Lengths) -> Result<[f64; 2], BenchError> {
    let hosts = [Process::start(bare, None)?, Process::start(full, None)?];
    std::thread::sleep(lengths.idle / 4);
    let before = [hosts[0].cpu()?, hosts[1].cpu()?];
    std::thread::sleep(lengths.idle);
    let after = [hosts[0].cpu()?, hosts[1].cpu()?];
    for host in hosts {
        host.end(End::Ordered)?;
    }
    let share = |at: usize| (after[at] - before[at]).as_secs_f64() / lengths.idle.as_secs_f64() * 100.0;
    Ok([share(0), share(1)])
}

/// Milliseconds of several starts.
#[derive(Default)]
struct Times {
    ready: Vec<f64>,
    answered: Vec<f64>,
}

impl Times {
    fn add(&mut self, host: &Process) {
        self.ready.push(host.ready.as_secs_f64() * 1e3);
        self.answered
            .extend(host.answered.map(|took| took.as_secs_f64() * 1e3));
    }

    fn row(&self, what: &str, alone: Option<&Self>) -> Row {
        let mut row = Row::plain(what, median(self.ready.clone()), least(&self.ready), "ms");
        if let Some(alone) = alone {
            row.baseline = Some("without plugins".into());
            row.ratio = Some(row.median / median(alone.ready.clone()));
        }
        row
    }
}
