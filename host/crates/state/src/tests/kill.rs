//! A process that is killed while it writes.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use super::*;

const FOLDER: &str = "PATCHBAY_TEST_STATE_FOLDER";
const POINTS: &[&str] = &["state.queued", "state.begun", "state.written", "state.committed"];
const PLUGINS: &[&str] = &["one", "two", "three"];

/// What belongs to step `n` of a plugin: a revision goes live, with its line and its record.
fn step(folder: &Path, plugin: &str, n: u64) -> Vec<Write> {
    let entry = Entry {
        plugin: Some(name(plugin)),
        revision: Some(rev(n)),
        ..entry(n)
    };
    vec![
        Write::Revision(revision(folder, plugin, n)),
        live(plugin, n, n),
        Write::History {
            plugin: name(plugin),
            line: line(n, n),
        },
        Write::Audit(entry),
    ]
}

/// The process that is killed: it goes on where the last one came to, and says what it was promised.
fn write_until_killed(folder: &Path) {
    let (state, remembered) = open(folder);
    let came_to = |plugin: &str| {
        let known = remembered
            .plugins
            .iter()
            .find(|known| known.name.as_str() == plugin);
        known.and_then(|known| known.live).map_or(0, |live| live.0)
    };
    std::thread::scope(|scope| {
        for plugin in PLUGINS {
            let (state, first) = (&state, came_to(plugin) + 1);
            scope.spawn(move || {
                for n in first.. {
                    if n % 3 == 0 {
                        state.tell(step(folder, plugin, n));
                        continue;
                    }
                    if n % 3 == 1 {
                        state.record(step(folder, plugin, n), LONG).unwrap();
                    } else {
                        state.tell(step(folder, plugin, n));
                        state.settle(LONG).unwrap();
                    }
                    let mut out = std::io::stdout().lock();
                    if writeln!(out, "promised {plugin} {n}")
                        .and_then(|()| out.flush())
                        .is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
}

fn spawn(folder: &Path, kill_at: Option<String>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg("tests::kill::what_was_settled_survives_hundreds_of_kills_in_its_order")
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(kill_at) = kill_at {
        command.env("PATCHBAY_KILL_AT", kill_at);
    }
    command.spawn().unwrap()
}

/// Holds what the next host is told against what was promised.
fn check(folder: &Path, promised: &[u64], round: &str) -> Vec<u64> {
    let (state, remembered) = open(folder);
    let mut all = 0;
    let mut came_to = Vec::new();
    for (plugin, promised) in PLUGINS.iter().zip(promised) {
        let known = remembered
            .plugins
            .iter()
            .find(|known| known.name.as_str() == *plugin);
        let n = known.and_then(|known| known.live).map_or(0, |live| live.0);
        assert!(
            n >= *promised,
            "{round}: {plugin} came to {n}, and {promised} was promised"
        );
        if let Some(known) = known {
            assert_eq!(known.revisions.len() as u64, n, "{round}");
            assert_eq!(known.highest, rev(n), "{round}");
            let lines: Vec<_> = known.history.iter().map(|line| line.revision.0).collect();
            let kept = n.saturating_sub(u64::from(HISTORY));
            assert_eq!(lines, (kept + 1..=n).collect::<Vec<_>>(), "{round}");
        }
        all += n;
        came_to.push(n);
    }
    match state.verify_audit(None).unwrap() {
        Verdict::Whole(whole) => assert_eq!(whole.records, all, "{round}"),
        Verdict::Broken(broken) => panic!("{round}: {broken:?}"),
    }
    came_to
}

#[test]
fn what_was_settled_survives_hundreds_of_kills_in_its_order() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        write_until_killed(Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut promised = vec![0; PLUGINS.len()];
    let mut came_to = promised.clone();
    let mut kills = 0;
    for round in 0..40_u64 {
        let points = POINTS
            .iter()
            .map(|point| Some(format!("{point}:{}", 1 + (round * 7) % 11)));
        for kill_at in points.chain([None]) {
            let what = format!("round {round}, {kill_at:?}");
            let by_hand = kill_at.is_none();
            let mut child = spawn(folder.path(), kill_at);
            let lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let wanted = usize::try_from(1 + round % 9).unwrap();
            let mut seen = 0;
            for line in lines.map_while(Result::ok) {
                // The test runner writes in front of the first one.
                let Some((_, line)) = line.split_once("promised ") else {
                    continue;
                };
                let (plugin, n) = line.split_once(' ').unwrap();
                let at = PLUGINS.iter().position(|known| *known == plugin).unwrap();
                promised[at] = n.parse().unwrap();
                seen += 1;
                if by_hand && seen == wanted {
                    child.kill().unwrap();
                }
            }
            let status = child.wait().unwrap();
            assert!(
                !status.success() && status.code().is_none(),
                "{what}: it ended with {status}"
            );
            kills += 1;
            came_to = check(folder.path(), &promised, &what);
            promised.clone_from(&came_to);
        }
    }
    assert_eq!(kills, 200);
    assert!(came_to.iter().all(|n| *n > 40), "{came_to:?}");
}

#[test]
fn a_host_that_dies_while_it_loads_names_what_it_loaded_and_did_not_end_by_order() {
    const LOADING: &str = "PATCHBAY_TEST_STATE_LOADING";
    if let Some(folder) = std::env::var_os(LOADING) {
        let (state, _) = open(Path::new(&folder));
        drop(state.about_to_load(&name("loaded"), rev(1)));
        let _loading = state.about_to_load(&name("culprit"), rev(7));
        std::process::abort();
    }
    let folder = tempfile::tempdir().unwrap();
    for n in 0..3 {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--test-threads=1"])
            .arg("tests::kill::a_host_that_dies_while_it_loads_names_what_it_loaded_and_did_not_end_by_order")
            .env(LOADING, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.code().is_none(), "boot {n} ended with {status}");
    }
    let (state, remembered) = open(folder.path());
    assert_eq!(remembered.loading, [(name("culprit"), rev(7))]);
    let found = crash_loop(&remembered.boots, UnixMillis(0), CrashLimits::default()).unwrap();
    assert_eq!(found.boots, 3);
    state.boot_stable([]);
    state.settle(LONG).unwrap();
    drop(state);
    let (_state, remembered) = open(folder.path());
    assert!(remembered.loading.is_empty());
    assert_eq!(
        crash_loop(&remembered.boots, UnixMillis(0), CrashLimits::default()),
        None
    );
    assert_eq!(remembered.boots.len(), 4);
}

#[test]
fn a_disk_without_room_is_outlived_and_nothing_that_was_told_meanwhile_is_lost() {
    const ROOM: &str = "PATCHBAY_TEST_STATE_ROOM";
    if let Some(folder) = std::env::var_os(ROOM) {
        let (state, _) = open(Path::new(&folder));
        let large = |n: u64| Entry {
            detail: "x".repeat(50_000),
            ..entry(n)
        };
        let mut told = 0;
        // The log can be emptied into the database until that is as long as it may be.
        let error = loop {
            told += 1;
            state.tell(vec![Write::Audit(large(told))]);
            if let Err(error) = state.settle(Duration::from_millis(500))
                && state.is_failing().is_some()
            {
                break error;
            }
        };
        assert!(matches!(error, StateError::NotYet { .. }), "{error}");
        told += 1;
        state.tell(vec![Write::Audit(entry(told))]);
        println!("full after {told}");
        // Somebody makes room meanwhile.
        state.settle(LONG).unwrap();
        assert_eq!(state.is_failing(), None);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // What is beyond the longest file that is allowed is refused as by a full disk.
    let mut child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -S -f 1500; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg("tests::kill::a_disk_without_room_is_outlived_and_nothing_that_was_told_meanwhile_is_lost")
        .env(ROOM, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let told: u64 = lines
        .find_map(|line| Some(line.split_once("full after ")?.1.parse().unwrap()))
        .unwrap();
    let raised = Command::new("prlimit")
        .args(["--fsize=unlimited:unlimited", "--pid", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(raised.success());
    lines.for_each(drop);
    assert!(child.wait().unwrap().success());
    let (state, _) = open(folder.path());
    assert!(told > 10);
    assert!(matches!(state.verify_audit(None).unwrap(), Verdict::Whole(whole) if whole.records == told));
}
