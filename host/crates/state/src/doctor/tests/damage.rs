//! Files that are damaged for real.

use proptest::prelude::*;

use super::*;

const PAGE: usize = 4096;

/// The bytes of a furnished state, made once.
fn good() -> &'static (tempfile::TempDir, Vec<u8>) {
    static GOOD: std::sync::LazyLock<(tempfile::TempDir, Vec<u8>)> = std::sync::LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        furnished(folder.path());
        let bytes = fs::read(folder.path().join(STATE)).unwrap();
        (folder, bytes)
    });
    &GOOD
}

/// A directory like the furnished one, with other bytes for a state.
fn with_state(bytes: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(ARTIFACTS)).unwrap();
    for path in artifacts::files(&good().0.path().join(ARTIFACTS)) {
        fs::copy(
            &path,
            folder.path().join(ARTIFACTS).join(path.file_name().unwrap()),
        )
        .unwrap();
    }
    fs::copy(good().0.path().join(JOURNAL), folder.path().join(JOURNAL)).unwrap();
    fs::write(folder.path().join(STATE), bytes).unwrap();
    folder
}

/// Mends a state with these bytes; the damaged one has to be kept as it was.
fn mended_from(bytes: &[u8]) -> (tempfile::TempDir, Vec<Repaired>, Remembered, Rows) {
    let folder = with_state(bytes);
    let repaired = mended(folder.path());
    if repaired.iter().any(|one| one.code.0 == "PB-DOCTOR-004") {
        assert!(fs::read(folder.path().join("state.db.damaged-77")).unwrap() == bytes);
    }
    let (_, remembered, rows) = reopened(folder.path());
    (folder, repaired, remembered, rows)
}

/// Everything but the audit, which has some records more.
fn all_rows(rows: &Rows) -> [u64; 7] {
    [
        rows.plugins,
        rows.revisions,
        rows.artifacts,
        rows.history,
        rows.pins,
        rows.rollouts,
        rows.evidence,
    ]
}

const ALL: [u64; 7] = [3, 12, 12, 12, 3, 3, 3];

#[test]
fn a_header_of_zeros_loses_nothing() {
    for zeros in [16, 60, 100] {
        let mut bytes = good().1.clone();
        bytes[..zeros].fill(0);
        let (folder, repaired, remembered, rows) = mended_from(&bytes);
        assert_eq!(repaired[0].code.0, "PB-DOCTOR-004");
        assert_eq!((all_rows(&rows), rows.audit), (ALL, RECORDS + 2), "{repaired:?}");
        assert_eq!(remembered.plugins[0].live, Some(rev(REVISIONS)));
        assert_eq!(remembered.good.unwrap().live.len(), 3);
        assert_eq!(remembered.boots.len(), 1);
        // The records are what they were, behind one that says why they are numbered anew.
        let (state, _) = open(folder.path());
        let filter = crate::AuditFilter {
            after_seq: 1,
            limit: 1_000,
            ..Default::default()
        };
        let records = state.audit(&filter).unwrap();
        assert!(
            (1..=RECORDS)
                .zip(&records)
                .all(|(n, record)| record.entry == entry(n))
        );
        let (action, detail) = beginning(&state);
        assert_eq!(action, "audit.restarted");
        let good = sqlite(good().0.path());
        let hash: String = good
            .query_row("SELECT hash FROM audit_head", [], |row| row.get(0))
            .unwrap();
        assert!(
            detail.contains(&hash) && detail.contains("state.db.damaged-77"),
            "{detail}"
        );
    }
}

#[test]
fn what_says_which_tables_there_are_can_be_lost() {
    let schema: Vec<u64> = {
        let empty = tempfile::tempdir().unwrap();
        let path = empty.path().join("empty.db");
        let connection = database::open(&path, &crate::form::FORM).unwrap();
        let roots: Vec<u64> = connection
            .prepare("SELECT rootpage FROM sqlite_schema WHERE rootpage > 0")
            .unwrap()
            .query_map([], |row| row.get::<_, i64>(0))
            .unwrap()
            .map(|page| u64::try_from(page.unwrap()).unwrap())
            .collect();
        drop(connection);
        let pages = fs::metadata(&path).unwrap().len() / PAGE as u64;
        (1..=pages).filter(|page| !roots.contains(page)).collect()
    };
    assert!(schema.len() > 3, "{schema:?}");
    let mut bytes = good().1.clone();
    for page in schema {
        let at = usize::try_from(page - 1).unwrap() * PAGE;
        bytes[at..at + PAGE].fill(0);
    }
    let (_folder, repaired, _, rows) = mended_from(&bytes);
    assert_eq!((all_rows(&rows), rows.audit), (ALL, RECORDS + 2), "{repaired:?}");
}

#[test]
fn a_state_that_was_cut_off_anywhere_keeps_what_is_left_and_can_be_opened() {
    let good = &good().1;
    let pages = good.len() / PAGE;
    let mut most = 0;
    for length in [
        1,
        50,
        100,
        PAGE - 1,
        PAGE,
        5 * PAGE,
        10 * PAGE + 7,
        pages / 2 * PAGE,
        (pages - 10) * PAGE,
        (pages - 1) * PAGE,
        good.len() - 1,
    ] {
        let (_folder, repaired, _, rows) = mended_from(&good[..length]);
        // One byte less may leave a database that has other records.
        let code = repaired[0].code.0;
        assert!(
            code == "PB-DOCTOR-004" || length + 1 == good.len() && code == "PB-DOCTOR-009",
            "cut to {length}"
        );
        assert!(
            rows.audit >= most,
            "cut to {length}: {} records, and {most} of less",
            rows.audit
        );
        most = rows.audit;
    }
    // Of what was cut at its last page nearly all is there.
    assert!(most > RECORDS - 60, "{most}");
}

#[test]
fn a_page_that_is_overwritten_takes_at_most_what_was_in_it() {
    let good = &good().1;
    let mut intact = 0;
    for page in 1..good.len() / PAGE {
        let mut bytes = good.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0xa5);
        let (_folder, repaired, _, rows) = mended_from(&bytes);
        let kinds = all_rows(&rows);
        let lost = kinds
            .iter()
            .zip(ALL)
            .filter(|(found, all)| **found < *all)
            .count();
        // One page belongs to one table, and rows of others go only by references into it.
        assert!(lost <= 2, "page {page}: {kinds:?} {repaired:#?}");
        assert!(
            rows.audit > RECORDS - 60 || lost == 0,
            "page {page}: {} records",
            rows.audit
        );
        intact += usize::from(lost == 0);
    }
    assert!(intact > good.len() / PAGE / 2);
}

#[test]
fn a_log_that_is_gone_leaves_a_state_that_can_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    for n in 1..=2_000 {
        state.tell(vec![Write::Audit(entry(n))]);
    }
    state.settle(LONG).unwrap();
    // As a kill leaves them, and the log lost on the way.
    let bytes = fs::read(folder.path().join(STATE)).unwrap();
    let log = fs::read(folder.path().join("state.db-wal")).unwrap();
    drop(state);
    for (kept, records) in [(log.len(), 2_000), (0, 0), (log.len() / 2, 0), (40, 0)] {
        let other = tempfile::tempdir().unwrap();
        fs::create_dir(other.path().join(ARTIFACTS)).unwrap();
        fs::write(other.path().join(STATE), &bytes).unwrap();
        fs::write(other.path().join("state.db-wal"), &log[..kept]).unwrap();
        mended(other.path());
        let (_, _, rows) = reopened(other.path());
        assert!(rows.audit >= records, "{kept} bytes: {} records", rows.audit);
    }
}

#[test]
fn the_log_of_a_damaged_state_is_salvaged_with_it_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    for n in 1..=50 {
        state.record(vec![Write::Audit(entry(n))], LONG).unwrap();
    }
    let mut bytes = fs::read(folder.path().join(STATE)).unwrap();
    let log = fs::read(folder.path().join("state.db-wal")).unwrap();
    drop(state);
    bytes.truncate(100);
    bytes.resize(100, 0);
    bytes.fill(0xee);
    let other = tempfile::tempdir().unwrap();
    fs::create_dir(other.path().join(ARTIFACTS)).unwrap();
    fs::write(other.path().join(STATE), &bytes).unwrap();
    fs::write(other.path().join("state.db-wal"), &log).unwrap();
    mended(other.path());
    let (_, _, rows) = reopened(other.path());
    assert_eq!(rows.audit, 52);
    assert!(fs::read(other.path().join("state.db.damaged-77-wal")).unwrap() == log);
}

#[test]
fn a_repair_that_is_killed_at_any_point_is_done_by_the_next() {
    const FOLDER: &str = "PATCHBAY_TEST_DOCTOR_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = Path::new(&folder);
        let _ = done(folder, &looked(folder), &FakeClock::new());
        return;
    }
    for point in ["state.remade", "state.kept", "state.parted", "state.replaced"] {
        let mut bytes = good().1.clone();
        bytes[..100].fill(0);
        let folder = with_state(&bytes);
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--test-threads=1"])
            .arg("doctor::tests::damage::a_repair_that_is_killed_at_any_point_is_done_by_the_next")
            .env(FOLDER, folder.path())
            .env("PATCHBAY_KILL_AT", point)
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.code().is_none(), "{point}: it ended with {status}");
        mended(folder.path());
        let (_, _, rows) = reopened(folder.path());
        assert_eq!((all_rows(&rows), rows.audit), (ALL, RECORDS + 2), "{point}");
        let kept = artifacts::files(folder.path());
        let is_kept = |path: &std::path::PathBuf| {
            path.display().to_string().contains("state.db.damaged-") && fs::read(path).unwrap() == bytes
        };
        assert!(kept.iter().any(is_kept), "{point}: {kept:?}");
    }
}

#[test]
fn files_that_have_each_others_names_get_their_own_back() {
    let folder = tempfile::tempdir().unwrap();
    furnished(folder.path());
    let before = bytes_of(folder.path());
    let (state, journal) = (folder.path().join(STATE), folder.path().join(JOURNAL));
    let between = folder.path().join("between");
    fs::rename(&state, &between).unwrap();
    fs::rename(&journal, &state).unwrap();
    fs::rename(&between, &journal).unwrap();
    assert_eq!(codes(&looked(folder.path())), ["008"]);
    mended(folder.path());
    assert!(bytes_of(folder.path()) == before);

    // The repair was interrupted at its last step.
    fs::rename(&journal, folder.path().join("state.db.swapped")).unwrap();
    assert_eq!(codes(&looked(folder.path())), ["008"]);
    mended(folder.path());
    assert!(bytes_of(folder.path()) == before);
}

#[test]
fn a_state_that_lost_its_mark_or_a_column_is_damaged_and_loses_nothing() {
    let marked = with_state(&good().1);
    sqlite(marked.path())
        .pragma_update(None, "application_id", 7)
        .unwrap();
    let mut column = good().1.clone();
    // It is there more than once: pages keep what was in them.
    let text = b"    policy TEXT NOT NU";
    let places: Vec<usize> = (0..column.len())
        .filter(|at| column[*at..].starts_with(text))
        .collect();
    for at in places {
        column[at + 4] = b'q';
    }
    for bytes in [fs::read(marked.path().join(STATE)).unwrap(), column] {
        let (_folder, repaired, _, rows) = mended_from(&bytes);
        assert_eq!(repaired[0].code.0, "PB-DOCTOR-004");
        assert_eq!((all_rows(&rows), rows.audit), (ALL, RECORDS + 2), "{repaired:?}");
    }
}

#[test]
fn one_journal_in_the_place_of_the_state_and_a_newer_state_are_left_to_people() {
    let folder = tempfile::tempdir().unwrap();
    furnished(folder.path());
    fs::copy(folder.path().join(JOURNAL), folder.path().join(STATE)).unwrap();
    let findings = looked(folder.path());
    assert_eq!(codes(&findings), ["005"]);
    assert!(!findings[0].repairable && findings[0].message.contains("is a journal"));

    let newer = with_state(&good().1);
    sqlite(newer.path())
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let findings = looked(newer.path());
    assert_eq!(codes(&findings), ["005"]);
    assert!(findings[0].message.contains("format 99"));
    assert!(done(newer.path(), &findings, &FakeClock::new()).is_empty());
}

#[test]
fn a_damaged_journal_is_moved_aside_and_the_log_of_no_database_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    furnished(folder.path());
    let journal = folder.path().join(JOURNAL);
    let mut bytes = fs::read(&journal).unwrap();
    bytes.truncate(3 * PAGE);
    fs::write(&journal, &bytes).unwrap();
    assert_eq!(codes(&looked(folder.path())), ["006"]);
    mended(folder.path());
    assert!(!journal.exists());
    assert!(fs::read(folder.path().join("journal.db.damaged-77")).unwrap() == bytes);

    fs::write(folder.path().join("journal.db-wal"), "what was written last").unwrap();
    assert_eq!(codes(&looked(folder.path())), ["017"]);
    mended(folder.path());
    let kept = fs::read_to_string(folder.path().join("journal.db-wal.damaged-77")).unwrap();
    assert_eq!(kept, "what was written last");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_bytes_are_others_the_state_can_be_opened_in_the_end(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=u8::MAX), 1..200),
    ) {
        let mut bytes = good().1.clone();
        for (at, by) in flips {
            flip(&mut bytes, at, by);
        }
        mended_from(&bytes);
    }

    #[test]
    fn whatever_bytes_of_a_log_are_others_the_state_can_be_opened_in_the_end(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=u8::MAX), 1..50),
        in_state in prop::collection::vec((any::<prop::sample::Index>(), 1..=u8::MAX), 0..20),
        kept in 0..=100_usize,
    ) {
        let (mut state, mut log) = logged().clone();
        log.truncate(log.len() * kept / 100);
        for (bytes, flips) in [(&mut log, flips), (&mut state, in_state)] {
            for (at, by) in flips {
                flip(bytes, at, by);
            }
        }
        let folder = with_state(&state);
        fs::write(folder.path().join("state.db-wal"), &log).unwrap();
        mended(folder.path());
        reopened(folder.path());
    }
}

/// Makes one byte another one, but for those that say which format it is: a later one is left to people.
fn flip(bytes: &mut [u8], at: prop::sample::Index, by: u8) {
    if bytes.is_empty() {
        return;
    }
    let at = at.index(bytes.len());
    if !(60..64).contains(&at) {
        bytes[at] ^= by;
    }
}

/// A state and its log as a kill leaves them.
fn logged() -> &'static (Vec<u8>, Vec<u8>) {
    static LOGGED: std::sync::LazyLock<(Vec<u8>, Vec<u8>)> = std::sync::LazyLock::new(|| {
        let folder = with_state(&good().1);
        let (state, _) = open(folder.path());
        for n in 1..=30 {
            state.record(vec![Write::Audit(entry(n))], LONG).unwrap();
        }
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
        (read(STATE), read("state.db-wal"))
    });
    &LOGGED
}
