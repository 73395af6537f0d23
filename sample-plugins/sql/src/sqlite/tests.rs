use std::path::Path;

use plugin_api::error::code;
use plugin_api::testing::Harness;

use super::*;
use crate::nodes::{execute, ping, query};

fn harness(address: &str) -> Harness {
    Harness::new().secret("DATABASE_URL", address)
}

fn file(path: &Path, options: &str) -> String {
    format!("sqlite:{}{options}", path.display())
}

#[test]
fn a_file_is_made_only_when_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    let error = harness(&file(&path, ""))
        .call::<query>(r#"{"query": "SELECT 1"}"#)
        .unwrap_err();
    assert!(error.message.contains("`?mode=rwc`"), "{error}");
    assert!(!path.exists());
    assert!(
        harness(&file(&path, "?mode=rwc"))
            .call::<query>(r#"{"query": "SELECT 1"}"#)
            .is_ok()
    );
    assert!(path.exists());
    let read_only = harness(&file(&path, "?mode=ro")).setting("sql.allow_ddl", "true");
    let error = read_only
        .call::<execute>(r#"{"query": "CREATE TABLE x (id int)"}"#)
        .unwrap_err();
    assert_eq!(error.code, code::NOT_ALLOWED, "{error}");
}

#[test]
fn what_is_no_database_is_told_without_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hunter2.db");
    std::fs::write(
        &path,
        "this is no database, as everybody can see who reads it".repeat(50),
    )
    .unwrap();
    let output = harness(&file(&path, "")).call::<ping>("{}").unwrap().to_json();
    assert!(output.contains("no database of SQLite"), "{output}");
    assert!(!output.contains("hunter2"), "{output}");
    let error = harness(&file(folder.path(), ""))
        .call::<query>(r#"{"query": "SELECT 1"}"#)
        .unwrap_err();
    assert!(error.message.contains("cannot be opened"), "{error}");
}

#[test]
fn a_writer_elsewhere_is_waited_for_and_then_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("busy.db");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE x (id INTEGER PRIMARY KEY, tenantId TEXT); BEGIN EXCLUSIVE")
        .unwrap();
    let harness = harness(&file(&path, ""));
    let insert = r#"{"query": "INSERT INTO x DEFAULT VALUES"}"#;
    let error = harness.call::<execute>(insert).unwrap_err();
    assert_eq!(
        (error.code.as_ref(), error.retryable),
        (code::TEMPORARY_FAILURE, Some(true))
    );
    let waiting = std::thread::spawn(move || harness.call::<execute>(insert));
    other.execute_batch("COMMIT").unwrap();
    assert!(waiting.join().unwrap().is_ok());
}

#[test]
fn foreign_keys_hold_and_other_files_are_out_of_reach() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE a (id INTEGER PRIMARY KEY, tenantId TEXT); \
             CREATE TABLE b (a INTEGER REFERENCES a (id), tenantId TEXT)",
        )
        .unwrap();
    let harness = harness(&file(&path, "")).setting("sql.tenant_filter", "off");
    let error = harness
        .call::<execute>(r#"{"query": "INSERT INTO b (a) VALUES (7)"}"#)
        .unwrap_err();
    assert_eq!(error.code, code::VALIDATION_FAILED);
    assert!(error.message.contains("FOREIGN KEY"), "{error}");
    for text in [
        "ATTACH 'y.db' AS y",
        "PRAGMA journal_mode = off",
        "SELECT * FROM pragma_database_list",
    ] {
        let input = Value::from_pairs([("query", Value::from(text).as_ref())]).unwrap();
        let error = harness.call::<execute>(&input.to_json()).unwrap_err();
        assert!(
            [code::NOT_ALLOWED, code::EXECUTION_ERROR].contains(&error.code.as_ref()),
            "{text}: {error}"
        );
    }
}

#[test]
fn memory_is_bounded() {
    let harness = harness("sqlite::memory:").setting("sql.functions", "zeroblob");
    for text in [
        "SELECT zeroblob(1000000000)",
        "SELECT group_concat(x, '') FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) \
         SELECT zeroblob(1000000) AS x FROM n)",
    ] {
        let input = Value::from_pairs([("query", Value::from(text).as_ref())]).unwrap();
        let error = harness.call::<query>(&input.to_json()).unwrap_err();
        assert_eq!(error.code, code::LIMIT_EXCEEDED, "{text}: {error}");
    }
}
