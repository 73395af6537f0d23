//! Files that are no journal, or not one for this program.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use patchbay_vocab::Explain;

use super::*;

#[track_caller]
fn refused(folder: &Path, code: &str) -> JournalError {
    let error = Journal::open(&config(folder), Arc::new(FakeClock::new())).unwrap_err();
    assert_eq!(error.code().0, code, "{}", error.chain());
    assert!(!error.help().is_empty());
    error
}

fn made(folder: &Path, runs: u64) {
    let journal = open(folder);
    for n in 0..runs {
        journal.finish(record(&format!("r{n}"), n, 20));
    }
}

#[test]
fn an_empty_file_becomes_a_journal_that_only_its_user_reads() {
    for empty in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.db");
        if empty {
            fs::write(&file, "").unwrap();
        }
        made(folder.path(), 1);
        let admin = sqlite(folder.path());
        let format: i64 = admin
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(format, crate::migration::FORMAT);
        assert_eq!(count(&admin, "runs"), 1);
        if !empty {
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}

#[test]
fn a_database_of_version_0_without_tables_becomes_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    sqlite(folder.path())
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a); DROP TABLE t")
        .unwrap();
    assert!(fs::metadata(folder.path().join("journal.db")).unwrap().size() > 0);
    made(folder.path(), 3);
    assert_eq!(count(&sqlite(folder.path()), "runs"), 3);
}

#[test]
fn a_journal_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), 1);
    sqlite(folder.path())
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let file = folder.path().join("journal.db");
    let before = fs::read(&file).unwrap();
    let error = refused(folder.path(), "PB-JOURNAL-004");
    assert!(error.to_string().contains("format 99"), "{error}");
    assert!(fs::read(&file).unwrap() == before);
}

#[test]
fn what_is_no_journal_is_refused_and_left_alone() {
    let other = tempfile::tempdir().unwrap();
    sqlite(other.path())
        .execute_batch("CREATE TABLE theirs (a)")
        .unwrap();
    let other = fs::read(other.path().join("journal.db")).unwrap();
    let mut marked = other.clone();
    marked[68..72].copy_from_slice(b"PBjl");
    let contents: [(&str, &[u8]); 6] = [
        ("text", b"no database, but some text of somebody"),
        ("one byte", b"x"),
        ("zeros", &[0; 8192]),
        ("the beginning of a header", b"SQLite format 3\0"),
        ("another program's", &other),
        ("one that says it is ours", &marked),
    ];
    for (what, content) in contents {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.db");
        fs::write(&file, content).unwrap();
        refused(folder.path(), "PB-JOURNAL-003");
        assert!(fs::read(&file).unwrap() == content, "{what} was changed");
    }
}

#[test]
fn a_damaged_journal_is_refused_wherever_the_damage_is() {
    let good = tempfile::tempdir().unwrap();
    made(good.path(), 50);
    let good = fs::read(good.path().join("journal.db")).unwrap();
    assert!(good.len() > 20 * 4096);
    let truncated = |length: usize| good[..length].to_vec();
    let overwritten = |from: usize| {
        let mut content = good.clone();
        content[from..from + 4096].fill(0xa5);
        content
    };
    let cases = [
        ("the last page is missing", truncated(good.len() - 4096)),
        ("half is missing", truncated(good.len() / 2 / 4096 * 4096)),
        ("all but one page is missing", truncated(4096)),
        ("half a page is missing", truncated(good.len() - 2000)),
        ("a page in the middle is overwritten", overwritten(10 * 4096)),
        ("the second page is overwritten", overwritten(4096 * 2)),
    ];
    for (what, content) in cases {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("journal.db"), content).unwrap();
        let error = Journal::open(&config(folder.path()), Arc::new(FakeClock::new()));
        let error = error.err().unwrap_or_else(|| panic!("{what}: it was opened"));
        assert_eq!(error.code().0, "PB-JOURNAL-005", "{what}: {}", error.chain());
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    fs::create_dir(&file).unwrap();
    assert!(
        refused(folder.path(), "PB-JOURNAL-002")
            .to_string()
            .contains("a directory")
    );
    fs::remove_dir(&file).unwrap();

    // A link leads out of the data directory, whether or not there is something.
    symlink(folder.path().join("elsewhere.db"), &file).unwrap();
    assert!(
        refused(folder.path(), "PB-JOURNAL-002")
            .to_string()
            .contains("a symbolic link")
    );
    assert!(!folder.path().join("elsewhere.db").exists());
    fs::remove_file(&file).unwrap();

    let status = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(status.success());
    assert!(
        refused(folder.path(), "PB-JOURNAL-002")
            .to_string()
            .contains("a pipe")
    );
    fs::remove_file(&file).unwrap();

    fs::remove_file(folder.path().join("journal.db.lock")).unwrap();
    for end in [".lock", "-wal", "-shm"] {
        let file = folder.path().join(format!("journal.db{end}"));
        symlink("/dev/null", &file).unwrap();
        refused(folder.path(), "PB-JOURNAL-002");
        fs::remove_file(file).unwrap();
    }
    open(folder.path());
}

#[test]
fn a_log_that_is_no_log_takes_nothing_away() {
    for log in [&b"some text"[..], &[0xa5; 100_000], &[]] {
        let folder = tempfile::tempdir().unwrap();
        made(folder.path(), 5);
        fs::write(folder.path().join("journal.db-wal"), log).unwrap();
        fs::write(folder.path().join("journal.db-shm"), log).unwrap();
        let journal = open(folder.path());
        assert_eq!(journal.runs(&RunFilter::default()).unwrap().len(), 5);
    }
}

#[test]
fn a_folder_that_is_not_there_or_takes_no_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    refused(&folder.path().join("nowhere"), "PB-JOURNAL-001");
    let file = folder.path().join("a-file");
    fs::write(&file, "").unwrap();
    refused(&file, "PB-JOURNAL-001");
    // Nobody makes files there, not even who may do everything.
    refused(Path::new("/proc/self"), "PB-JOURNAL-001");
}

#[test]
fn a_folder_may_be_reached_by_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real");
    fs::create_dir(&real).unwrap();
    symlink(&real, folder.path().join("link")).unwrap();
    made(&folder.path().join("link"), 2);
    assert_eq!(count(&sqlite(&real), "runs"), 2);
}

#[test]
fn two_hosts_do_not_write_one_journal() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    first.begin(start("r1", 1));
    first.sync(LONG).unwrap();
    refused(folder.path(), "PB-JOURNAL-006");
    let runs = first.runs(&RunFilter::default()).unwrap();
    assert_eq!(runs[0].status, RunStatus::Running);
    drop(first);
    open(folder.path());
}

#[test]
fn code_in_a_prepared_file_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), 1);
    sqlite(folder.path())
        .execute_batch("CREATE TRIGGER evil AFTER INSERT ON runs BEGIN DELETE FROM runs WHERE id = 'r0'; END")
        .unwrap();
    let journal = open(folder.path());
    journal.finish(record("r1", 1, 1));
    journal.sync(LONG).unwrap();
    assert_eq!(ids(&journal.runs(&RunFilter::default()).unwrap()), ["r1", "r0"]);
}
