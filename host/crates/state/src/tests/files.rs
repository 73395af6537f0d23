//! Files that are no state, or not one for this program.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use patchbay_vocab::Explain;

use super::*;

#[track_caller]
fn refused(folder: &Path, code: &str) -> StateError {
    let until = Instant::now() + LONG;
    let error = loop {
        match State::open(&config(folder), Arc::new(FakeClock::new())).unwrap_err() {
            // As in `open`.
            StateError::InUse { .. } if code != "PB-DURABLE-006" && Instant::now() < until => {
                std::thread::yield_now();
            }
            error => break error,
        }
    };
    assert_eq!(error.code().0, code, "{}", error.chain());
    assert!(!error.help().is_empty());
    error
}

fn made(folder: &Path, records: u64) {
    let (state, _) = open(folder);
    for n in 1..=records {
        state.tell(vec![Write::Audit(entry(n))]);
    }
}

#[test]
fn a_state_is_for_its_user_alone_and_has_the_format_of_this_program() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), 1);
    let mode = fs::metadata(folder.path().join("state.db"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let admin = sqlite(folder.path());
    let format: i64 = admin
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(format, crate::form::FORM.format());
}

#[test]
fn what_is_no_state_is_refused_and_left_alone() {
    let contents: [&[u8]; 3] = [b"some text of somebody", &[0; 8192], b"SQLite format 3\0"];
    for content in contents {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.db");
        fs::write(&file, content).unwrap();
        refused(folder.path(), "PB-DURABLE-003");
        assert!(fs::read(&file).unwrap() == content);
    }
    let folder = tempfile::tempdir().unwrap();
    symlink("/dev/null", folder.path().join("state.db")).unwrap();
    refused(folder.path(), "PB-DURABLE-002");
    let folder = tempfile::tempdir().unwrap();
    symlink("/dev/null", folder.path().join("state.db.loading")).unwrap();
    refused(folder.path(), "PB-DURABLE-002");
    // Nobody makes files there, not even who may do everything.
    let nowhere = StateConfig::within(Path::new("/proc/self"), "1.2.3");
    let error = State::open(&nowhere, Arc::new(FakeClock::new())).unwrap_err();
    assert_eq!(error.code().0, "PB-DURABLE-001");
}

#[test]
fn a_state_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), 1);
    sqlite(folder.path())
        .pragma_update(None, "user_version", 99)
        .unwrap();
    refused(folder.path(), "PB-DURABLE-004");
}

#[test]
fn two_hosts_do_not_write_one_state() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = open(folder.path());
    refused(folder.path(), "PB-DURABLE-006");
    drop(first);
    open(folder.path());
}

#[test]
fn an_audit_whose_end_is_not_where_its_head_says_is_refused() {
    for sql in [
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET hash = 'x'",
        "UPDATE audit SET hash = 'x' WHERE seq = 3",
    ] {
        let folder = tempfile::tempdir().unwrap();
        made(folder.path(), 3);
        sqlite(folder.path()).execute_batch(sql).unwrap();
        refused(folder.path(), "PB-DURABLE-014");
    }
}

#[test]
fn a_row_that_no_host_writes_is_an_error_that_names_its_table() {
    for (sql, table) in [
        ("INSERT INTO plugins (name) VALUES ('Not A Name')", "plugins"),
        ("INSERT INTO plugins (name, live) VALUES ('a', -1)", "plugins"),
        (
            "INSERT INTO plugins (name, live_order) VALUES ('a', '{')",
            "plugins",
        ),
        ("INSERT INTO policies VALUES ('', '1')", "policies"),
        ("INSERT INTO pins VALUES ('a', '-', '', 1, 'ada', '', 1)", "pins"),
        (
            "INSERT INTO good_at VALUES (1, 1); INSERT INTO good VALUES ('A', 1)",
            "good",
        ),
        (
            "INSERT INTO revisions VALUES ('a', 1, 'one', '', '[]', '[]', '', 1, 0)",
            "revisions",
        ),
        ("INSERT INTO boots (started_at, version) VALUES (-1, '')", "boots"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        made(folder.path(), 1);
        sqlite(folder.path()).execute_batch(sql).unwrap();
        let error = refused(folder.path(), "PB-DURABLE-010");
        assert!(error.to_string().contains(&format!("`{table}`")), "{error}");
    }
}

#[test]
fn code_in_a_prepared_file_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), 1);
    sqlite(folder.path())
        .execute_batch("CREATE TRIGGER evil AFTER INSERT ON audit BEGIN DELETE FROM audit WHERE seq = 1; END")
        .unwrap();
    let (state, _) = open(folder.path());
    state.record(vec![Write::Audit(entry(2))], LONG).unwrap();
    assert!(matches!(state.verify_audit(None).unwrap(), Verdict::Whole(whole) if whole.records == 2));
}
