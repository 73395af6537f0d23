use super::*;

const DAY: u64 = 24 * 60 * 60 * 1000;

fn journal(folder: &Path, keep: Retention, days: u64) -> Journal {
    let clock = FakeClock::new();
    clock.advance(Duration::from_millis(days * DAY));
    let config = JournalConfig {
        keep,
        ..config(folder)
    };
    Journal::open(&config, Arc::new(clock)).unwrap()
}

#[test]
fn the_oldest_runs_beyond_the_number_are_forgotten_and_what_runs_stays() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Retention {
        runs: 40,
        ..Retention::default()
    };
    let journal = journal(folder.path(), keep, 0);
    journal.begin(start("running", 0));
    for n in 0..300 {
        journal.finish(record(&format!("r{n:03}"), n, 2));
    }
    journal.sync(LONG).unwrap();
    let forgotten = journal.prune(LONG).unwrap();
    let admin = sqlite(folder.path());
    assert_eq!(count(&admin, "runs"), 40);
    assert!(
        forgotten <= 261,
        "some may be forgotten before, none more than once: {forgotten}"
    );
    assert_eq!(count(&admin, "nodes"), 39 * 2);
    let runs = journal
        .runs(&RunFilter {
            limit: 100,
            ..RunFilter::default()
        })
        .unwrap();
    assert_eq!(ids(&runs)[38..], ["r261", "running"]);
    assert_eq!(journal.prune(LONG).unwrap(), 0);
}

#[test]
fn runs_are_forgotten_after_their_days() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Retention {
        days: 7,
        ..Retention::default()
    };
    let journal = journal(folder.path(), keep, 10);
    for (id, day) in [("old", 2), ("edge", 3), ("new", 9)] {
        journal.finish(record(id, day * DAY, 1));
    }
    journal.sync(LONG).unwrap();
    journal.prune(LONG).unwrap();
    assert_eq!(
        ids(&journal.runs(&RunFilter::default()).unwrap()),
        ["new", "edge"]
    );
}

#[test]
fn a_database_beyond_its_bytes_forgets_until_it_is_within_and_gives_pages_back() {
    let folder = tempfile::tempdir().unwrap();
    let big = JournalConfig {
        keep: Retention::default(),
        ..config(folder.path())
    };
    let journal = Journal::open(&big, Arc::new(FakeClock::new())).unwrap();
    for n in 0..400 {
        let mut told = record(&format!("r{n:03}"), n, 1);
        told.nodes[0].output = Some(Value::from_serialize(&"x".repeat(40_000)).unwrap());
        journal.finish(told);
    }
    drop(journal);
    let file = folder.path().join("journal.db");
    let before = std::fs::metadata(&file).unwrap().len();
    assert!(before > 16_000_000, "{before}");

    let keep = Retention {
        bytes: 4_000_000,
        ..Retention::default()
    };
    let journal = self::journal(folder.path(), keep, 0);
    journal.prune(LONG).unwrap();
    let admin = sqlite(folder.path());
    let left = count(&admin, "runs");
    assert!((20..110).contains(&left), "{left}");
    assert_eq!(ids(&journal.runs(&RunFilter::default()).unwrap())[0], "r399");
    drop(admin);
    drop(journal);
    let after = std::fs::metadata(&file).unwrap().len();
    assert!(after < before / 2, "{before} bytes became {after}");
}

#[test]
fn nothing_is_kept_when_nothing_is_to_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Retention {
        runs: 0,
        days: 0,
        bytes: 0,
    };
    let journal = journal(folder.path(), keep, 1);
    for n in 0..10 {
        journal.finish(record(&format!("r{n}"), n, 1));
    }
    journal.begin(start("running", 0));
    journal.sync(LONG).unwrap();
    journal.prune(LONG).unwrap();
    assert_eq!(ids(&journal.runs(&RunFilter::default()).unwrap()), ["running"]);
}
