use super::*;

/// Waits for what the writer's thread brings about.
#[track_caller]
fn until(condition: impl Fn() -> bool) {
    let began = std::time::Instant::now();
    while !condition() {
        assert!(began.elapsed() < LONG, "it did not come about");
        std::thread::yield_now();
    }
}

#[test]
fn rows_come_in_the_order_in_which_they_were_told() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for n in 0..2000_u64 {
        journal.begin(start(&format!("r{n}"), 0));
        if n % 3 != 0 {
            journal.finish(record(&format!("r{n}"), 0, 1));
        }
    }
    journal.sync(LONG).unwrap();
    let admin = sqlite(folder.path());
    let told: Vec<String> = (0..2000).map(|n| format!("r{n}")).collect();
    let rows: Vec<String> = admin
        .prepare("SELECT id FROM runs ORDER BY key")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows, told);
    let stats = journal.stats();
    assert_eq!((stats.queued, stats.queued_bytes), (0, 0));
    assert_eq!((stats.failed, stats.refused, stats.failing), (0, 0, None));
    assert!(stats.written == 3333 && stats.database_bytes > 0 && stats.write_micros_p95 > 0);
}

#[test]
fn what_is_queued_is_written_when_the_handle_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for n in 0..500 {
        journal.finish(record(&format!("r{n}"), n, 3));
    }
    drop(journal);
    let admin = sqlite(folder.path());
    assert_eq!((count(&admin, "runs"), count(&admin, "nodes")), (500, 1500));
}

#[test]
fn a_locked_database_keeps_the_queue_and_reports_that_it_is_behind() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = JournalConfig {
        queue_bytes: 2000,
        ..config(folder.path())
    };
    let journal = Journal::open(&tiny, Arc::new(FakeClock::new())).unwrap();
    journal.finish(record("r0", 0, 0));
    journal.sync(LONG).unwrap();
    assert!(!journal.is_behind());

    let admin = sqlite(folder.path());
    admin.execute_batch("BEGIN IMMEDIATE").unwrap();
    for n in 1..100 {
        journal.finish(record(&format!("r{n}"), n, 1));
    }
    assert!(journal.is_behind());
    until(|| journal.stats().failed > 1);
    let stats = journal.stats();
    assert_eq!((stats.queued, stats.refused), (99, 0));
    assert!(stats.failing.as_ref().unwrap().contains("locked"), "{stats:?}");
    let error = journal.sync(Duration::ZERO).unwrap_err();
    assert!(
        matches!(
            &error,
            JournalError::NotYet {
                queued: 99,
                why: Some(_)
            }
        ),
        "{error}"
    );
    // Who asks is answered all the same.
    assert_eq!(ids(&journal.runs(&RunFilter::default()).unwrap()), ["r0"]);

    admin.execute_batch("ROLLBACK").unwrap();
    journal.sync(LONG).unwrap();
    assert!(!journal.is_behind());
    assert_eq!(journal.stats().failing, None);
    assert_eq!(count(&admin, "runs"), 100);
    // When nobody heeds that it is behind, records lose their values before the host loses its memory.
    let first = journal.run(&"r1".parse().unwrap()).unwrap().unwrap();
    let last = journal.run(&"r99".parse().unwrap()).unwrap().unwrap();
    assert_eq!(first.nodes[0].output.as_ref().unwrap().cut(), None);
    assert!(last.nodes[0].output.as_ref().unwrap().cut().is_some());
    assert!(last.trigger_value.unwrap().cut().is_some());
}

#[test]
fn a_record_that_the_database_refuses_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let admin = sqlite(folder.path());
    admin
        .execute_batch("CREATE UNIQUE INDEX odd ON runs (name) WHERE name <> 'A workflow'")
        .unwrap();
    for n in 0..50 {
        let mut told = record(&format!("r{n}"), n, 1);
        if n % 10 == 5 {
            told.start.name = "twice".into();
        }
        journal.finish(told);
    }
    journal.sync(LONG).unwrap();
    let stats = journal.stats();
    assert_eq!((stats.queued, stats.queued_bytes, stats.refused), (0, 0, 4));
    assert_eq!((count(&admin, "runs"), count(&admin, "nodes")), (46, 46));
}

#[test]
fn a_database_that_cannot_be_opened_is_outlived() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.finish(record("r0", 0, 0));
    journal.sync(LONG).unwrap();
    let (file, aside) = (folder.path().join("journal.db"), folder.path().join("aside.db"));
    std::fs::rename(&file, &aside).unwrap();
    std::fs::create_dir(&file).unwrap();
    for n in 1..100 {
        journal.finish(record(&format!("r{n}"), n, 2));
    }
    until(|| journal.stats().failed > 2);
    assert_eq!(journal.stats().queued, 99);
    std::fs::remove_dir(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    journal.sync(LONG).unwrap();
    assert_eq!(journal.stats().failing, None);
    let admin = sqlite(folder.path());
    assert_eq!((count(&admin, "runs"), count(&admin, "nodes")), (100, 198));
}

#[test]
fn forgetting_that_fails_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Retention {
        runs: 1,
        ..Retention::default()
    };
    let journal = Journal::open(
        &JournalConfig {
            keep,
            ..config(folder.path())
        },
        Arc::new(FakeClock::new()),
    )
    .unwrap();
    let admin = sqlite(folder.path());
    for n in 0..3 {
        journal.finish(record(&format!("r{n}"), n, 0));
    }
    journal.sync(LONG).unwrap();
    admin.execute_batch("BEGIN IMMEDIATE").unwrap();
    journal.prune(Duration::ZERO).unwrap_err();
    until(|| journal.stats().failed > 0);
    admin.execute_batch("ROLLBACK").unwrap();
    journal.prune(LONG).unwrap();
    assert_eq!(journal.stats().failing, None);
    assert_eq!(ids(&journal.runs(&RunFilter::default()).unwrap()), ["r2"]);
}

#[test]
fn a_file_that_was_deleted_under_the_host_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.finish(record("r0", 0, 0));
    journal.sync(LONG).unwrap();
    for end in ["", "-wal", "-shm"] {
        std::fs::remove_file(folder.path().join(format!("journal.db{end}"))).unwrap();
    }
    journal.finish(record("r1", 1, 0));
    journal.sync(LONG).unwrap();
    assert_eq!(ids(&journal.runs(&RunFilter::default()).unwrap()), ["r1"]);
}

#[test]
fn many_threads_tell_and_ask_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let journal = &journal;
            scope.spawn(move || {
                for n in 0..100 {
                    let id = format!("t{thread}-{n}");
                    journal.begin(start(&id, n));
                    journal.finish(record(&id, n, 2));
                    if n % 20 == 0 {
                        journal.sync(LONG).unwrap();
                        assert!(journal.run(&id.parse().unwrap()).unwrap().is_some());
                        assert!(!journal.runs(&RunFilter::default()).unwrap().is_empty());
                    }
                }
            });
        }
    });
    journal.sync(LONG).unwrap();
    assert_eq!(count(&sqlite(folder.path()), "nodes"), 800);
}
