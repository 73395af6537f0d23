use std::collections::HashSet;
use std::fs;

use patchbay_vocab::{Digest, Explain, SystemClock};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

struct Bench {
    dir: tempfile::TempDir,
    watched: PathBuf,
    events: Receiver<WatchEvent>,
    watcher: Watcher,
}

/// Watches a directory that `prepare` has filled, up to the end of the first scan.
fn watch(stable_for: u64, rescan: u64, prepare: impl FnOnce(&std::path::Path)) -> (Bench, Vec<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let watched = dir.path().join("plugins");
    fs::create_dir(&watched).unwrap();
    prepare(&watched);
    let (out, events) = crossbeam_channel::unbounded();
    let config = WatchConfig {
        dir: watched.clone(),
        stable_for: Duration::from_millis(stable_for),
        rescan: Duration::from_millis(rescan),
    };
    let watcher = Watcher::start(config, Arc::new(SystemClock::new()), out).unwrap();
    let bench = Bench {
        dir,
        watched,
        events,
        watcher,
    };
    let mut first = Vec::new();
    loop {
        match bench.next() {
            WatchEvent::Settled(settled) => first.push(settled.into_path()),
            WatchEvent::Scanned => return (bench, first),
            other => panic!("{other:?}"),
        }
    }
}

impl Bench {
    fn next(&self) -> WatchEvent {
        self.events.recv_timeout(PATIENCE).expect("the watcher is silent")
    }

    fn next_settled(&self) -> PathBuf {
        match self.next() {
            WatchEvent::Settled(settled) => settled.into_path(),
            other => panic!("{other:?}"),
        }
    }

    fn rename_in(&self, name: &str, content: &[u8]) {
        let part = self.watched.join(format!("{name}.part"));
        fs::write(&part, content).unwrap();
        fs::rename(part, self.watched.join(name)).unwrap();
    }
}

/// Longer than any test: what settles under it has not waited.
const NEVER: u64 = 3_600_000;

#[test]
fn a_renamed_and_a_closed_file_settle_without_waiting_and_other_names_never_do() {
    let (bench, first) = watch(NEVER, NEVER, |_| ());
    assert_eq!(first, Vec::<PathBuf>::new());
    bench.rename_in("a.so", b"one");
    assert_eq!(bench.next_settled(), bench.watched.join("a.so"));
    for ignored in ["notes.txt", ".hidden.so", "b.so.tmp", "so"] {
        fs::write(bench.watched.join(ignored), b"x").unwrap();
    }
    fs::write(bench.watched.join("b.so"), b"two").unwrap();
    assert_eq!(bench.next_settled(), bench.watched.join("b.so"));
    fs::remove_file(bench.watched.join("a.so")).unwrap();
    assert!(matches!(bench.next(), WatchEvent::Removed(path) if path == bench.watched.join("a.so")));
}

#[test]
fn a_signature_that_comes_changes_or_goes_settles_its_plugin_once_each() {
    let (bench, _) = watch(NEVER, NEVER, |_| ());
    let plugin = bench.watched.join("a.so");
    bench.rename_in("a.so", b"one");
    assert_eq!(bench.next_settled(), plugin);
    bench.rename_in("a.so.minisig", b"signature");
    assert_eq!(bench.next_settled(), plugin);
    fs::write(bench.watched.join("a.so.minisig"), b"another").unwrap();
    assert_eq!(bench.next_settled(), plugin);
    fs::remove_file(bench.watched.join("a.so.minisig")).unwrap();
    assert_eq!(bench.next_settled(), plugin);
    bench.rename_in("end.so", b"end");
    assert_eq!(bench.next_settled(), bench.watched.join("end.so"));
}

#[test]
fn a_signature_without_its_plugin_or_of_an_unfinished_one_tells_nothing() {
    let (bench, _) = watch(NEVER, NEVER, |_| ());
    for name in [
        "a.so.minisig",
        "notes.txt.minisig",
        ".hidden.so.minisig",
        "b.so.minisig.minisig",
    ] {
        bench.rename_in(name, b"signature");
    }
    // A link to it changes what the plugin is, and nobody has said that it is complete.
    fs::write(bench.dir.path().join("outside"), b"x").unwrap();
    fs::hard_link(bench.dir.path().join("outside"), bench.watched.join("c.so")).unwrap();
    bench.rename_in("c.so.minisig", b"signature");
    bench.rename_in("end.so", b"end");
    assert_eq!(bench.next_settled(), bench.watched.join("end.so"));
}

#[test]
fn a_plugin_that_lies_there_with_its_signature_at_the_start_is_told_once() {
    let (bench, first) = watch(30, NEVER, |dir| {
        for name in ["a.so", "a.so.minisig"] {
            fs::write(dir.join(name), b"x").unwrap();
            let file = fs::File::options().write(true).open(dir.join(name)).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        }
    });
    assert_eq!(first, [bench.watched.join("a.so")]);
}

#[test]
fn a_hard_link_settles_after_the_quiet_time() {
    let (bench, _) = watch(30, NEVER, |_| ());
    fs::write(bench.dir.path().join("outside"), b"x").unwrap();
    fs::hard_link(bench.dir.path().join("outside"), bench.watched.join("a.so")).unwrap();
    assert_eq!(bench.next_settled(), bench.watched.join("a.so"));
}

#[test]
fn files_of_the_start_are_told_before_the_scan_is_called_done() {
    let (_bench, first) = watch(30, NEVER, |dir| {
        for n in 0..20 {
            fs::write(dir.join(format!("{n:02}.so")), b"x").unwrap();
        }
        fs::create_dir(dir.join("folder.so")).unwrap();
    });
    assert_eq!(first.iter().collect::<HashSet<_>>().len(), 21);
    assert_eq!(first.len(), 21);
}

#[test]
fn a_rescan_finds_files_when_the_whole_directory_was_swapped() {
    let (bench, _) = watch(1, 20, |_| ());
    let fresh = bench.dir.path().join("fresh");
    fs::create_dir(&fresh).unwrap();
    fs::write(fresh.join("a.so"), b"x").unwrap();
    fs::rename(&bench.watched, bench.dir.path().join("old")).unwrap();
    fs::rename(&fresh, &bench.watched).unwrap();
    loop {
        match bench.next() {
            WatchEvent::Settled(settled) => break assert_eq!(settled.path(), bench.watched.join("a.so")),
            WatchEvent::Trouble(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_deleted_directory_is_reported_once_and_watched_again_when_it_is_back() {
    let (bench, _) = watch(1, 20, |_| ());
    bench.rename_in("a.so", b"x");
    bench.next_settled();
    fs::rename(&bench.watched, bench.dir.path().join("away")).unwrap();
    match bench.next() {
        WatchEvent::Trouble(error) => assert_eq!(error.code().0, "PB-WATCH-001"),
        other => panic!("{other:?}"),
    }
    fs::create_dir(&bench.watched).unwrap();
    assert!(matches!(bench.next(), WatchEvent::Removed(path) if path == bench.watched.join("a.so")));
    bench.rename_in("b.so", b"x");
    assert_eq!(bench.next_settled(), bench.watched.join("b.so"));
}

#[test]
fn a_file_can_be_asked_for_again() {
    let (bench, _) = watch(5, NEVER, |_| ());
    bench.rename_in("a.so", b"x");
    let path = bench.next_settled();
    bench.watcher.settle_again(path.clone());
    assert_eq!(bench.next_settled(), path);
}

#[test]
fn a_storm_of_renames_to_500_names_yields_each_content() {
    let (bench, _) = watch(NEVER, NEVER, |_| ());
    let mut missing: HashSet<Digest> = HashSet::new();
    for n in 0..500_u32 {
        bench.rename_in(&format!("{n}.so"), &n.to_le_bytes());
        missing.insert(Digest::of(&n.to_le_bytes()));
    }
    while !missing.is_empty() {
        missing.remove(&Digest::of(&fs::read(bench.next_settled()).unwrap()));
    }
}

#[test]
fn a_storm_of_renames_over_one_name_ends_with_the_last_content() {
    let (bench, _) = watch(NEVER, NEVER, |_| ());
    for n in 0..500_u32 {
        bench.rename_in("a.so", &n.to_le_bytes());
    }
    while fs::read(bench.next_settled()).unwrap() != 499_u32.to_le_bytes() {}
    // All renames are over, so every event from here on can only repeat that content.
    bench.rename_in("end.so", b"end");
    while let path = bench.next_settled()
        && path != bench.watched.join("end.so")
    {
        assert_eq!(fs::read(path).unwrap(), 499_u32.to_le_bytes());
    }
}

#[test]
fn a_directory_that_cannot_be_listed_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    for (name, code) in [("none", "PB-WATCH-001"), ("file", "PB-WATCH-002")] {
        let config = WatchConfig {
            dir: dir.path().join(name),
            stable_for: Duration::ZERO,
            rescan: Duration::ZERO,
        };
        let started = Watcher::start(
            config,
            Arc::new(SystemClock::new()),
            crossbeam_channel::unbounded().0,
        );
        assert_eq!(started.unwrap_err().code().0, code);
    }
}

#[test]
fn dropping_the_watcher_ends_its_thread_even_when_nobody_reads_its_events() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.so"), b"x").unwrap();
    let (out, events) = crossbeam_channel::bounded(0);
    let config = WatchConfig {
        dir: dir.path().to_owned(),
        stable_for: Duration::ZERO,
        rescan: Duration::from_secs(3600),
    };
    drop(Watcher::start(config, Arc::new(SystemClock::new()), out).unwrap());
    assert!(events.try_recv().is_err());
}
