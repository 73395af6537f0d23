//! A process that is killed while it writes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

const FOLDER: &str = "PATCHBAY_TEST_JOURNAL_FOLDER";
const ROUNDS: u64 = 30;
const NODES: usize = 5;

/// The process that is killed: it tells its journal of runs and says which of them it was promised.
fn write_until_killed(folder: &Path, round: &str) {
    let journal = open(folder);
    let mut out = std::io::stdout();
    for n in 0_u64.. {
        journal.begin(start(&format!("left-{round}-{n}"), n));
        for part in ["a", "b"] {
            let id = format!("{round}-{n}-{part}");
            journal.begin(start(&id, n));
            journal.finish(record(&id, n, NODES));
        }
        journal.sync(LONG).unwrap();
        if writeln!(out, "promised {round}-{n}")
            .and_then(|()| out.flush())
            .is_err()
        {
            return;
        }
    }
}

#[test]
fn what_was_promised_survives_a_kill_and_nothing_is_half_written() {
    if let (Some(folder), Ok(round)) = (std::env::var_os(FOLDER), std::env::var("ROUND")) {
        write_until_killed(Path::new(&folder), &round);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut promised = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg("tests::kill::what_was_promised_survives_a_kill_and_nothing_is_half_written")
            .env(FOLDER, folder.path())
            .env("ROUND", round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        // A number of promises that differs from round to round; where in the next one it is hit is chance.
        let wanted = usize::try_from(1 + round * 7 % 13).unwrap();
        let seen = lines
            .by_ref()
            .filter(|line| line.starts_with("promised "))
            .take(wanted)
            .last();
        child.kill().unwrap();
        child.wait().unwrap();
        let last = lines
            .filter(|line| line.starts_with("promised "))
            .last()
            .or(seen)
            .unwrap();
        let n: u64 = last.rsplit('-').next().unwrap().parse().unwrap();
        promised += 2 * (n + 1);

        let journal = open(folder.path());
        for n in 0..=n {
            for part in ["a", "b"] {
                let id = format!("{round}-{n}-{part}");
                let run = journal
                    .run(&id.parse().unwrap())
                    .unwrap()
                    .unwrap_or_else(|| panic!("{id} is lost"));
                assert_eq!(
                    (run.summary.status, run.nodes.len()),
                    (RunStatus::Success, NODES),
                    "{id}"
                );
            }
        }
        drop(journal);
        let admin = sqlite(folder.path());
        let half: i64 = admin
            .query_row(
                "SELECT count(*) FROM runs WHERE status = 'running'
                    OR node_count <> (SELECT count(*) FROM nodes WHERE run = runs.key)
                    OR (status = 'success') <> (node_count > 0)",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(half, 0, "round {round}");
        let left: i64 = admin
            .query_row(
                "SELECT count(*) FROM runs WHERE id LIKE 'left-%' AND status <> 'interrupted'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(left, 0, "round {round}");
    }
    assert!(promised >= ROUNDS * 2);
}

#[test]
fn runs_of_a_process_that_is_gone_are_interrupted_and_may_still_be_finished() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.begin(start("left", 1));
    journal.finish(record("done", 2, 1));
    drop(journal);
    let journal = open(folder.path());
    let runs = journal
        .runs(&RunFilter {
            status: Some(RunStatus::Interrupted),
            ..RunFilter::default()
        })
        .unwrap();
    assert_eq!(ids(&runs), ["left"]);
    assert_eq!(
        &*runs[0].error.as_ref().unwrap().message,
        "the host ended while it ran"
    );
    let running = RunFilter {
        status: Some(RunStatus::Running),
        ..RunFilter::default()
    };
    assert!(journal.runs(&running).unwrap().is_empty());
    journal.finish(record("left", 1, 1));
    journal.sync(LONG).unwrap();
    let run = journal.run(&"left".parse().unwrap()).unwrap().unwrap();
    assert_eq!(
        (run.summary.status, run.summary.error),
        (RunStatus::Success, None)
    );
}
