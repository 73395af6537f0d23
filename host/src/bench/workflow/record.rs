//! What recording costs, how even the nodes' cost is from run to run, and how many cores are used.

use std::time::Instant;

use patchbay::{Call, Output, RunOrder, TenantId, Value};

use super::super::measure::{Subject, least, median, quantile, rounds};
use super::super::report::{Report, Row};
use super::super::stage::Stage;
use super::super::{BenchError, Effort};
use super::document::{Keep, NOOP, chain};
use super::runner::Runner;

const NODES: usize = 1_000;
/// Runs that are under way at the same time.
const AT_ONCE: usize = 32;
/// Runs before the journal is waited for: it writes many at a time.
const IN_A_ROW: usize = 64;

pub(super) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let one = stage.host_with(&["test"], |config| config.workflows.threads = 1)?;
    let all = stage.host_with(&["test"], |config| config.workflows.threads = cores)?;
    let (one, all) = (Runner::on(&one.patchbay), Runner::on(&all.patchbay));
    let plain = RunOrder::of(chain(NOOP, NODES, Keep::Nothing));
    let kept = RunOrder::of(chain(NOOP, NODES, Keep::All));
    let last = format!("n{}", NODES - 1);
    for runner in [&one, &all] {
        for order in [&plain, &kept] {
            runner.check(order, &last, NOOP.gives)?;
        }
    }
    let single = RunOrder::of(chain(NOOP, 1, Keep::Nothing));
    let mut subjects = vec![
        Subject::new("one run after the other, nothing recorded", || one.once(&plain)),
        Subject::new("one run after the other, recorded, until it has ended", || {
            one.once(&kept);
        })
        .then(|| one.sync()),
        Subject::new(
            "64 runs one after the other, recorded, until all are on disk",
            || {
                (0..IN_A_ROW).for_each(|_| one.once(&kept));
                one.sync();
            },
        ),
        Subject::new("32 runs at once, 1 thread, nothing recorded", || {
            one.many(&plain, AT_ONCE);
        }),
        Subject::new("32 runs at once, all cores, nothing recorded", || {
            all.many(&plain, AT_ONCE);
        }),
        Subject::new(
            "64 runs at once, all cores, recorded, until all are on disk",
            || {
                all.many(&kept, IN_A_ROW);
                all.sync();
            },
        ),
        Subject::new("a run of one node, nothing recorded", || one.once(&single)),
        Subject::new("the same, 32 runs at once", || one.many(&single, AT_ONCE)),
    ];
    let nodes = [1, 1, IN_A_ROW, AT_ONCE, AT_ONCE, IN_A_ROW].map(|runs| runs * NODES);
    let nodes = nodes.into_iter().chain([1, AT_ONCE]).map(|nodes| nodes as f64);
    let nanos = rounds(&mut subjects, effort);
    let names: Vec<_> = subjects.iter().map(|subject| subject.name.clone()).collect();
    drop(subjects);
    let nanos: Vec<Vec<f64>> = nanos
        .iter()
        .zip(nodes)
        .map(|(nanos, nodes)| nanos.iter().map(|all| all / nodes).collect())
        .collect();
    // What each is compared with: itself without the one thing that differs.
    let beside = [None, Some(0), Some(0), None, Some(3), Some(4), None, Some(6)];
    let mut rows = Vec::new();
    for ((name, mine), beside) in names.iter().zip(&nanos).zip(beside) {
        let mut row = Row::plain(name, median(mine.clone()), least(mine), "ns/node");
        if let Some(at) = beside {
            row.baseline = Some(names[at].clone());
            row.ratio = Some(median(
                mine.iter()
                    .zip(&nanos[at])
                    .map(|(mine, base)| mine / base)
                    .collect(),
            ));
        }
        rows.push(row);
    }
    let recording: Vec<f64> = nanos[2]
        .iter()
        .zip(&nanos[0])
        .map(|(kept, plain)| kept - plain)
        .collect();
    let mut notes = vec![format!(
        "recording costs {:.0} ns a node at the median until it is on disk, {:.0} until the run has ended; most of it on \
         threads beside the run's",
        median(recording),
        median(
            nanos[1]
                .iter()
                .zip(&nanos[0])
                .map(|(kept, plain)| kept - plain)
                .collect()
        ),
    )];
    notes.extend(spread(&one, &plain, effort)?);
    one.verdict()?;
    all.verdict()?;
    Ok(Report {
        subject: "workflow, recording and cores: a chain of 1,000 test.noop, nanoseconds for one node",
        rows,
        notes,
    })
}

/// How a node's share of its run's time is spread over many runs.
fn spread(runner: &Runner<'_>, order: &RunOrder, effort: Effort) -> Result<Vec<String>, BenchError> {
    let runs = match effort {
        Effort::Quick => 200,
        Effort::Full => 1_000,
    };
    let host = runner.host();
    let session = host.session(&[NOOP.node_type]).map_err(BenchError::new)?;
    let tenant: TenantId = "bench".parse().map_err(BenchError::new)?;
    let call = Call::of(tenant);
    let input = Value::from_json(NOOP.parameters).map_err(BenchError::new)?;
    let mut out = Output::with_limit(1 << 20);
    let mut calls = Vec::with_capacity(runs);
    let mut whole = Vec::with_capacity(runs);
    let mut inside = Vec::with_capacity(runs);
    let mut each = Vec::new();
    for run in 0..runs {
        let begin = Instant::now();
        for _ in 0..NODES {
            let answer = call.in_session(&session, 0, NOOP.node_type, input.as_ref(), &mut out);
            answer.map_err(BenchError::new)?;
        }
        calls.push(begin.elapsed().as_nanos() as f64 / NODES as f64);
        let begin = Instant::now();
        let begun = host.begin_run(order.clone()).map_err(BenchError::new)?;
        let (_, finished) = begun.wait_status().map_err(BenchError::new)?;
        whole.push(begin.elapsed().as_nanos() as f64 / NODES as f64);
        inside.push(finished.took.as_nanos() as f64 / NODES as f64);
        // A sample of the runs is enough: a record is larger than a run is long.
        if run % 10 == 0 {
            each.extend(finished.nodes().iter().map(|node| node.took.as_nanos() as f64));
        }
    }
    let call = median(calls);
    let line = |what: &str, nanos: &[f64]| {
        format!(
            "{what}: p50 {:.0} ns, p95 {:.0} ns, p99 {:.0} ns",
            quantile(nanos, 0.5),
            quantile(nanos, 0.95),
            quantile(nanos, 0.99)
        )
    };
    let added: Vec<f64> = whole.iter().map(|nanos| nanos - call).collect();
    Ok(vec![
        format!(
            "{} (budget: p95 under 2,000 ns)",
            line(
                &format!("what a run adds to each of its calls, over {runs} runs"),
                &added
            )
        ),
        line(
            "the same with the run's own clock, which begins when it is handed to its thread",
            &inside,
        ),
        line(
            &format!("the time of {} single nodes, as recorded", each.len()),
            &each,
        ),
    ])
}
