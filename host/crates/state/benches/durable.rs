//! What it costs to be sure: records of the audit on the disk, a chain walked, a state opened, a load marked.
#![forbid(unsafe_code)]
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot be made ready has nothing to measure"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use patchbay_state::{Entry, HistoryLine, KnownRevision, State, StateConfig, Verdict, Write, verify};
use patchbay_vocab::{Digest, PluginName, RevisionNumber, SystemClock, UnixMillis};

const LONG: Duration = Duration::from_secs(60);
const THREADS: u64 = 8;
const RECORDS: u64 = 100_000;
const PLUGINS: u64 = 1_000;

fn folder() -> tempfile::TempDir {
    // On the disk of the build, which is one: a temporary folder may be in memory.
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the benchmark")
}

fn open(folder: &Path) -> State {
    let config = StateConfig::within(folder, "0.0.0");
    std::fs::create_dir_all(&config.artifacts).expect("a folder for artifacts");
    State::open(&config, Arc::new(SystemClock::new()))
        .expect("a state")
        .0
}

fn entry(n: u64) -> Entry {
    Entry {
        at: UnixMillis(n),
        actor: "ada@example.com".to_owned(),
        action: "promote".to_owned(),
        plugin: "string".parse().ok(),
        revision: Some(RevisionNumber(n)),
        tenant: None,
        workflow: None,
        reason: "a new version for everybody".to_owned(),
        key: Some(format!("key-{n}")),
        detail: r#"{"from":1,"to":2}"#.to_owned(),
    }
}

fn records(criterion: &mut Criterion) {
    let folder = folder();
    let state = open(folder.path());
    let mut group = criterion.benchmark_group("a record of the audit on the disk");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one at a time", |bencher| {
        bencher.iter(|| state.record(vec![Write::Audit(entry(1))], LONG));
    });
    group.bench_function("8 threads", |bencher| {
        bencher.iter_custom(|iterations| {
            let each = iterations.div_ceil(THREADS);
            let began = Instant::now();
            std::thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        for n in 0..each {
                            state.record(vec![Write::Audit(entry(n))], LONG).expect("written");
                        }
                    });
                }
            });
            // As if exactly as many had been asked for.
            began
                .elapsed()
                .mul_f64(iterations as f64 / (each * THREADS) as f64)
        });
    });
    group.bench_function("told, settled once", |bencher| {
        bencher.iter_custom(|iterations| {
            let began = Instant::now();
            for n in 0..iterations {
                state.tell(vec![Write::Audit(entry(n))]);
            }
            state.settle(LONG).expect("written");
            began.elapsed()
        });
    });
    group.finish();
}

fn chain(criterion: &mut Criterion) {
    let folder = folder();
    let state = open(folder.path());
    for n in 0..RECORDS {
        state.tell(vec![Write::Audit(entry(n))]);
    }
    state.settle(LONG).expect("written");
    let mut group = criterion.benchmark_group("a chain walked");
    group.throughput(Throughput::Elements(RECORDS)).sample_size(10);
    group.bench_function("100,000 records", |bencher| {
        bencher.iter(|| {
            let found = verify(&folder.path().join("state.db"), None).expect("readable");
            assert!(matches!(found, Verdict::Whole(whole) if whole.records == RECORDS));
        });
    });
    group.finish();
}

fn start(criterion: &mut Criterion) {
    let folder = folder();
    let state = open(folder.path());
    let digest = Digest::of(b"artifact");
    std::fs::write(folder.path().join(format!("artifacts/{digest}.so")), "artifact").expect("an artifact");
    for plugin in 0..PLUGINS {
        let plugin: PluginName = format!("plugin-{plugin}").parse().expect("a name");
        for number in 1..=3 {
            let number = RevisionNumber(number);
            let version = semver(number);
            let known = KnownRevision {
                plugin: plugin.clone(),
                number,
                version: version.clone(),
                digest,
                nodes: (0..4)
                    .filter_map(|n| format!("{plugin}.node{n}").parse().ok())
                    .collect(),
                dependencies: Vec::new(),
                origin: format!("/plugins/{plugin}.so"),
                admitted_at: UnixMillis(1),
                quarantined: false,
            };
            let line = HistoryLine {
                at: UnixMillis(1),
                generation: number.0,
                action: "promote".to_owned(),
                revision: number,
                version,
                from: None,
                actor: "ada".to_owned(),
                reason: "a new version".to_owned(),
            };
            state.tell(vec![
                Write::Revision(known),
                Write::Live {
                    plugin: plugin.clone(),
                    to: Some(number),
                    generation: number.0,
                    live_order: vec![number],
                },
                Write::History {
                    plugin: plugin.clone(),
                    line,
                },
            ]);
        }
    }
    state.settle(LONG).expect("written");
    drop(state);
    let mut group = criterion.benchmark_group("a state opened");
    group.sample_size(20);
    group.bench_function("1,000 plugins with 3 revisions each", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut took = Duration::ZERO;
            for _ in 0..iterations {
                let began = Instant::now();
                let state = open(folder.path());
                took += began.elapsed();
                drop(state);
            }
            took
        });
    });
    group.finish();
}

fn semver(number: RevisionNumber) -> patchbay_vocab::Version {
    patchbay_vocab::Version::new(1, number.0, 0)
}

fn marks(criterion: &mut Criterion) {
    let folder = folder();
    let state = open(folder.path());
    let plugin: PluginName = "string".parse().expect("a name");
    criterion.bench_function("a load marked and unmarked", |bencher| {
        bencher.iter(|| drop(state.about_to_load(&plugin, RevisionNumber(7))));
    });
}

criterion_group!(benches, records, chain, start, marks);
criterion_main!(benches);
