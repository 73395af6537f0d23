//! Every plugin of a workload swapped ten times a second while its workflows run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use patchbay::{Order, Patchbay, PluginName, RevisionNumber, RunOrder, RunStatus, Selector};

use super::super::report::{Report, Row};
use super::super::stage::{Stage, drop_in, variant};
use super::super::{BenchError, Effort};
use super::document::{Draft, Keep};
use super::runner::{PATIENCE, Runner, begin, order};

/// File names of the plugins, which are their libraries' names.
const PLUGINS: [&str; 6] = ["test", "string", "math", "logic", "list", "rate_limiter"];
/// Runs that each of the two feeding threads has under way.
const AT_ONCE: usize = 32;
const EVERY: Duration = Duration::from_millis(100);

const TRIGGER: &str = r#"{"name":"ada","count":41}"#;
const GIVES: &str = r#"{"name":"ADA","total":42,"more":true,"first":3,"allowed":true,"waited":1}"#;

/// A run that uses all of the plugins, and waits for a moment in its middle.
fn workload() -> Result<RunOrder, BenchError> {
    let mut draft = Draft::new(Keep::All);
    let nodes = [
        ("string.upper", r#"{"value":"{{ $json.name }}"}"#),
        ("math.add", r#"{"values":["{{ $json.count }}",1]}"#),
        ("test.sleep", r#"{"millis":1}"#),
        ("logic.gt", r#"{"a":"{{ $steps.n1.result }}","b":41}"#),
        ("list.reverse", r#"{"array":[1,2,3]}"#),
        (
            "rate-limiter",
            r#"{"operationType":"bench","accountId":"{{ $json.name }}","customLimit":1000000,"resetWindowMs":1000}"#,
        ),
        (
            "test.echo",
            r#"{"name":"{{ $steps.n0.result }}","total":"{{ $steps.n1.result }}","more":"{{ $steps.n3.result }}",
            "first":"{{ $steps.n4.result[0] }}","allowed":"{{ $steps.n5.allowed }}","waited":"{{ $steps.n2.result }}"}"#,
        ),
    ];
    for (at, (node_type, parameters)) in nodes.iter().enumerate() {
        draft.node(node_type, parameters);
        if at > 0 {
            draft.edge(at - 1, at);
        }
    }
    order(draft.text("workload"), TRIGGER)
}

pub(super) fn run(stage: &Stage, effort: Effort) -> Result<Report, BenchError> {
    let length = match effort {
        Effort::Quick => Duration::from_secs(1),
        Effort::Full => Duration::from_secs(8),
    };
    let host = stage.host(&PLUGINS, 4)?;
    let runner = Runner::on(&host.patchbay);
    let order = workload()?;
    runner.check(&order, "n6", GIVES)?;
    let mut swapped = Vec::new();
    for plugin in PLUGINS {
        drop_in(
            &host.plugins,
            &format!("{plugin}.so"),
            &variant(&stage.bytes(plugin)?, 1),
        )?;
        let name: PluginName = plugin.replace('_', "-").parse().map_err(BenchError::new)?;
        swapped.push((name.clone(), two_revisions(&host.patchbay, &name)?));
    }
    let quiet = Load::run(&host.patchbay, &order, length, &[])?;
    let busy = Load::run(&host.patchbay, &order, length, &swapped)?;
    let again = Load::run(&host.patchbay, &order, length, &[])?;
    host.patchbay.sync_runs(PATIENCE).map_err(BenchError::new)?;
    let calm = f64::midpoint(quiet.rate(), again.rate());
    let rows = vec![
        Row::plain(
            "without swaps, before and after",
            calm,
            quiet.rate().min(again.rate()),
            "runs/s",
        ),
        Row {
            baseline: Some("without swaps".into()),
            ratio: Some(busy.rate() / calm),
            ..Row::plain(
                "every plugin swapped 10 times a second",
                busy.rate(),
                busy.rate(),
                "runs/s",
            )
        },
    ];
    Ok(Report {
        subject: "workflow, swaps during runs: 7 nodes of 6 plugins, one of them with state, recorded; 64 runs at once",
        rows,
        notes: vec![
            format!(
                "{} swaps, {:.1} a second of each plugin, during {} runs: {} begun, {} ended, {} failed, {} with a wrong result, {} refused",
                busy.swaps,
                busy.swaps as f64 / PLUGINS.len() as f64 / busy.swapped_for.as_secs_f64(),
                busy.begun,
                busy.begun,
                busy.ended,
                busy.failed,
                busy.wrong,
                busy.refused
            ),
            format!(
                "swaps that failed: {}; {} runs saw two versions of one plugin",
                busy.swap_errors, busy.mixed
            ),
            format!(
                "without swaps: {} begun, {} ended, {} failed, {} with a wrong result",
                quiet.begun + again.begun,
                quiet.ended + again.ended,
                quiet.failed + again.failed,
                quiet.wrong + again.wrong
            ),
        ],
    })
}

/// The revisions of a plugin, once there are two.
pub(super) fn two_revisions(host: &Patchbay, plugin: &PluginName) -> Result<[RevisionNumber; 2], BenchError> {
    let begin = Instant::now();
    loop {
        let view = host.plugin(plugin).map_err(BenchError::new)?;
        let live: Vec<_> = view
            .revisions
            .iter()
            .filter(|known| known.memory_bytes.is_some())
            .collect();
        if let [one, two] = &live[..] {
            return Ok([one.revision, two.revision]);
        }
        if begin.elapsed() > PATIENCE {
            return Err(BenchError::new(format!(
                "the second version of `{plugin}` did not go live"
            )));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What happened while two threads had workflows run.
#[derive(Debug, Default)]
struct Load {
    begun: u64,
    ended: u64,
    failed: u64,
    wrong: u64,
    refused: u64,
    /// Runs in which one plugin answered with two versions.
    mixed: u64,
    swaps: u64,
    swap_errors: u64,
    /// How long plugins were swapped; the last runs end after it.
    swapped_for: Duration,
    took: Duration,
}

impl Load {
    fn rate(&self) -> f64 {
        self.ended as f64 / self.took.as_secs_f64()
    }

    /// Keeps runs under way for so long, and swaps the plugins meanwhile.
    fn run(
        host: &Patchbay,
        order: &RunOrder,
        length: Duration,
        plugins: &[(PluginName, [RevisionNumber; 2])],
    ) -> Result<Self, BenchError> {
        let stop = AtomicBool::new(false);
        let counts: [AtomicU64; 6] = Default::default();
        let [begun, ended, failed, wrong, refused, mixed] = &counts;
        // Each load begins with nothing waiting to be written.
        host.sync_runs(PATIENCE).map_err(BenchError::new)?;
        let began = Instant::now();
        let mut load = Self::default();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let runs: Vec<_> = (0..AT_ONCE).map(|_| begin(host, order)).collect();
                        for run in runs {
                            let Ok(run) = run else {
                                refused.fetch_add(1, Ordering::Relaxed);
                                continue;
                            };
                            begun.fetch_add(1, Ordering::Relaxed);
                            let Ok((status, finished)) = run.wait_status() else {
                                continue;
                            };
                            ended.fetch_add(1, Ordering::Relaxed);
                            if status != RunStatus::Success {
                                failed.fetch_add(1, Ordering::Relaxed);
                            } else if finished.output_of("n6").map(|output| output.to_json()).as_deref()
                                != Some(GIVES)
                            {
                                wrong.fetch_add(1, Ordering::Relaxed);
                            }
                            mixed.fetch_add(u64::from(is_mixed(&finished)), Ordering::Relaxed);
                        }
                    }
                });
            }
            let mut next = began;
            while began.elapsed() < length {
                next += EVERY;
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
                for (plugin, revisions) in plugins {
                    let to = Selector::Revision(revisions[load.swaps as usize / plugins.len() % 2]);
                    let done = host.promote(plugin, &to, Order::by("bench", "swaps during runs"));
                    load.swaps += 1;
                    load.swap_errors += u64::from(done.is_err());
                }
            }
            load.swapped_for = began.elapsed();
            stop.store(true, Ordering::Relaxed);
        });
        load.took = began.elapsed();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (load.begun, load.ended, load.failed) = (read(begun), read(ended), read(failed));
        (load.wrong, load.refused, load.mixed) = (read(wrong), read(refused), read(mixed));
        Ok(load)
    }
}

/// Whether a run saw two versions of one plugin: of the test plugin, which has two nodes in it.
fn is_mixed(finished: &Arc<patchbay::Finished>) -> bool {
    let nodes = finished.nodes();
    let mut of_test = nodes
        .iter()
        .filter_map(|node| node.served_by)
        .filter(|by| by.plugin.as_str() == "test")
        .map(|by| by.revision);
    let first = of_test.next();
    of_test.any(|other| Some(other) != first)
}
