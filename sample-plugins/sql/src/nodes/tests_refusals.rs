use plugin_api::error::code;

use super::tests::{Seeded, refusals};
use super::*;

#[test]
fn queries_are_refused_with_a_reason() {
    refusals::<query>(&[
        ("{}", code::VALIDATION_FAILED, "query"),
        (r#"{"query": 1}"#, code::VALIDATION_FAILED, "query"),
        (r#"{"query": ""}"#, code::VALIDATION_FAILED, "`query`"),
        (
            r#"{"query": "SELECT 1", "params": 1}"#,
            code::VALIDATION_FAILED,
            "`params`",
        ),
        (
            r#"{"query": "SELECT 1", "maxRows": 0}"#,
            code::VALIDATION_FAILED,
            "`maxRows`",
        ),
        (
            r#"{"query": "SELECT 1", "maxRows": 1000000}"#,
            code::VALIDATION_FAILED,
            "`maxRows`",
        ),
        (
            r#"{"query": "SELECT FROM WHERE"}"#,
            code::EXECUTION_ERROR,
            "cannot be read",
        ),
        (
            r#"{"query": "SELECT nowhere FROM posts"}"#,
            code::EXECUTION_ERROR,
            "no such column: nowhere",
        ),
        (
            r#"{"query": "SELECT * FROM nowhere"}"#,
            code::EXECUTION_ERROR,
            "no table `nowhere`",
        ),
        (
            r#"{"query": "SELECT * FROM audit"}"#,
            code::NOT_ALLOWED,
            "no column `tenantId`",
        ),
        (
            r#"{"query": "SELECT * FROM sqlite_schema"}"#,
            code::EXECUTION_ERROR,
            "no table",
        ),
        (
            r#"{"query": "DELETE FROM posts"}"#,
            code::NOT_ALLOWED,
            "use `sql.execute`",
        ),
        (
            r#"{"query": "SELECT 1; SELECT 2"}"#,
            code::NOT_ALLOWED,
            "more than one statement",
        ),
        (
            r#"{"query": "PRAGMA user_version"}"#,
            code::NOT_ALLOWED,
            "refused",
        ),
        (
            r#"{"query": "SELECT id FROM posts", "maxRows": 2}"#,
            code::LIMIT_EXCEEDED,
            "more than 2 rows",
        ),
        (r#"{"query": "SELECT 9e999"}"#, code::EXECUTION_ERROR, "infinite"),
        (
            r#"{"query": "SELECT CAST(x'ff' AS text) AS t"}"#,
            code::EXECUTION_ERROR,
            "not UTF-8",
        ),
    ]);
    let seeded = Seeded::new();
    let error = seeded
        .call::<query>(r#"{"query": "SELECT nowhere, id FROM posts"}"#)
        .unwrap_err();
    let near = error.details.unwrap().as_ref().get("near").unwrap().to_value();
    assert!(
        near.as_ref().as_str().unwrap().starts_with("nowhere, id"),
        "{near}"
    );
}

#[test]
fn changes_are_refused_with_a_reason() {
    refusals::<execute>(&[
        (
            r#"{"query": "INSERT INTO posts (id) VALUES ('p1')"}"#,
            "CONFLICT",
            "such a row already",
        ),
        (
            r#"{"query": "INSERT INTO posts (id) VALUES ('o1')"}"#,
            "CONFLICT",
            "such a row already",
        ),
        (
            r#"{"query": "INSERT INTO regions (code) VALUES ('x')"}"#,
            code::VALIDATION_FAILED,
            "NOT NULL",
        ),
        (
            r#"{"query": "INSERT INTO regions (code, name) VALUES ('x', 'aaaaaaaaaaaaaaaaaaaaaaaaaaa')"}"#,
            code::VALIDATION_FAILED,
            "CHECK",
        ),
        (
            r#"{"query": "INSERT INTO countries VALUES ('x', 'y')"}"#,
            code::NOT_ALLOWED,
            "shared",
        ),
        (
            r#"{"query": "INSERT OR REPLACE INTO posts (id) VALUES ('o1')"}"#,
            code::NOT_ALLOWED,
            "OR REPLACE",
        ),
        (
            r#"{"query": "UPDATE posts SET tenantId = 'other'"}"#,
            code::NOT_ALLOWED,
            "never changed",
        ),
        (
            r#"{"query": "INSERT INTO posts (id, tenantId) VALUES (?, ?)", "params": ["x", "other"]}"#,
            code::NOT_ALLOWED,
            "another tenant",
        ),
        (
            r#"{"query": "DROP TABLE posts"}"#,
            code::NOT_ALLOWED,
            "sql.allow_ddl",
        ),
        (r#"{"query": "VACUUM"}"#, code::NOT_ALLOWED, "VACUUM"),
    ]);
    let seeded = Seeded::new();
    let conflict = seeded.call::<execute>(r#"{"query": "INSERT INTO posts (id) VALUES ('p1')"}"#);
    assert_eq!(conflict.unwrap_err().status_code, Some(409));
    let before = seeded.foreign();
    let all = r#"{"query": "UPDATE posts SET likes = 0 WHERE 1 = 1 OR tenantId = 'other'"}"#;
    let output = seeded.call::<execute>(all).unwrap();
    assert!(output.contains(r#""affectedRows":3"#), "{output}");
    let upsert = r#"{"query": "INSERT INTO posts (id, title) VALUES ('o1', 'mine'), ('p1', 'mine') ON CONFLICT (id) DO UPDATE SET title = excluded.title"}"#;
    let output = seeded.call::<execute>(upsert).unwrap();
    assert!(output.contains(r#""affectedRows":1"#), "{output}");
    assert_eq!(seeded.foreign(), before);
    let output = seeded
        .call::<execute>(r#"{"query": "DELETE FROM posts"}"#)
        .unwrap();
    assert!(output.contains(r#""affectedRows":3"#), "{output}");
    assert_eq!(seeded.foreign(), before);
}

#[test]
fn a_transaction_happens_completely_or_not_at_all() {
    refusals::<transaction>(&[
        (r#"{"statements": []}"#, code::VALIDATION_FAILED, "1 to 1000"),
        (r#"{"statements": [1]}"#, code::VALIDATION_FAILED, "item 0"),
        (r#"{"statements": "x"}"#, code::VALIDATION_FAILED, "statements"),
    ]);
    let seeded = Seeded::new();
    let error = seeded
        .call::<transaction>(
            r#"{"statements": ["UPDATE posts SET likes = 0", "DELETE FROM regions",
                {"sql": "INSERT INTO posts (id) VALUES (?)", "params": ["p1"]}]}"#,
        )
        .unwrap_err();
    assert_eq!(error.code, "CONFLICT");
    assert!(error.message.starts_with("statement 3: "), "{error}");
    assert_eq!(
        seeded.seen("SELECT CAST(sum(likes) AS text) FROM posts WHERE tenantId = 'test'"),
        "16"
    );
    assert_eq!(seeded.seen("SELECT CAST(count(*) AS text) FROM regions"), "3");
}
