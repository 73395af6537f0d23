use std::cell::RefCell;
use std::path::PathBuf;

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;
use tempfile::TempDir;

use super::*;

const SEED: &str = r#"
    CREATE TABLE posts (id TEXT PRIMARY KEY, tenantId TEXT, authorId TEXT, title TEXT, likes INTEGER DEFAULT 0,
        isDeleted BOOLEAN DEFAULT 0, tags JSON, createdAt TEXT);
    INSERT INTO posts VALUES
        ('p1', 'test', 'u1', 'Hello', 5, 0, '["a","b"]', '2024-01-01T00:00:00.000Z'),
        ('p2', 'test', 'u1', 'Second', 2, 0, NULL, '2024-01-02T00:00:00.000Z'),
        ('p3', 'test', 'u2', 'Third', 9, 1, '[]', '2024-01-03T00:00:00.000Z'),
        ('o1', 'other', 'u1', 'Foreign', 100, 0, '["a"]', '2024-01-01T00:00:00.000Z'),
        ('o2', 'other', 'u9', 'Foreign too', 200, 1, NULL, NULL);
    CREATE TABLE regions (code TEXT PRIMARY KEY, tenantId TEXT, name TEXT NOT NULL CHECK (length(name) < 20));
    INSERT INTO regions VALUES ('ch', 'test', 'Switzerland'), ('de', 'test', 'Germany'), ('fr', 'other', 'France');
    CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT NOT NULL);
    INSERT INTO countries VALUES ('ch', 'Switzerland');
    CREATE TABLE audit (id INTEGER PRIMARY KEY, what TEXT);
    INSERT INTO audit VALUES (1, 'everybody''s secret');
"#;

const REPORTS: &str = "CREATE TABLE sales (id INTEGER PRIMARY KEY, tenantId TEXT, amount REAL DEFAULT 0);";

/// Databases with rows of two tenants, and a harness for one of them.
pub(super) struct Seeded {
    folder: TempDir,
    pub(super) harness: Harness,
}

impl Seeded {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, seed) in [("main.db", SEED), ("reports.db", REPORTS)] {
            let connection = rusqlite::Connection::open(folder.path().join(name)).unwrap();
            connection.execute_batch(seed).unwrap();
        }
        let address = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
        let harness = Harness::new()
            .secret("DATABASE_URL", &address("main.db"))
            .secret("DATABASE_URL_REPORTS", &address("reports.db"))
            .secret("DATABASE_URL_MISSING", &address("missing.db"))
            .setting("sql.shared_tables", "countries");
        Self { folder, harness }
    }

    /// A harness alone, whose databases go when the test's thread ends.
    pub(super) fn kept() -> Harness {
        thread_local! {
            static KEPT: RefCell<Vec<TempDir>> = const { RefCell::new(Vec::new()) };
        }
        let Self { folder, harness } = Self::new();
        KEPT.with_borrow_mut(|kept| kept.push(folder));
        harness
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("main.db")
    }

    /// What a query without any filter gives, as text.
    pub(super) fn seen(&self, query: &str) -> String {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// All rows of the other tenant.
    pub(super) fn foreign(&self) -> String {
        self.seen(
            "SELECT group_concat(quote(id) || quote(tenantId) || quote(authorId) || quote(title) || quote(likes) || \
             quote(isDeleted) || quote(tags), ' ') FROM (SELECT * FROM posts WHERE tenantId = 'other' ORDER BY id)",
        )
    }

    pub(super) fn call<N: Export>(&self, input: &str) -> Result<String, NodeError> {
        self.harness.call::<N>(input).map(|output| output.to_json())
    }
}

pub(super) fn refusals<N: Export>(cases: &[(&str, &str, &str)]) {
    let seeded = Seeded::new();
    let before = seeded.foreign();
    for (input, code, part) in cases {
        let error = seeded.call::<N>(input).expect_err(input);
        assert_eq!(error.code, *code, "{input}: {error}");
        assert!(error.message.contains(part), "{input}: {error}");
    }
    assert_eq!(seeded.foreign(), before);
}

#[test]
fn every_node_says_what_it_is_and_shows_how_it_is_used() {
    let all = [
        query::meta(),
        execute::meta(),
        transaction::meta(),
        tables::meta(),
        describe::meta(),
        ping::meta(),
        dbal_read::meta(),
        dbal_write::meta(),
        dbal_aggregate::meta(),
    ];
    for node in all {
        assert!(node.description.len() > 20, "{}", node.node_type);
        assert!(node.examples.len() >= 2, "{}", node.node_type);
        assert!(node.examples.iter().all(|example| !example.title.is_empty()));
        assert!(
            node.secrets.contains(&"DATABASE_URL_*".to_owned()),
            "{}",
            node.node_type
        );
        let parameters = node.parameters.get("properties").unwrap().as_object().unwrap();
        for (name, schema) in parameters {
            assert!(schema.get("description").is_some(), "{}: {name}", node.node_type);
            assert!(
                !["host", "password"].contains(&name.as_str()),
                "{}",
                node.node_type
            );
        }
        let fields = node.result.get("properties").unwrap().as_object().unwrap();
        assert!(fields.contains_key("success"), "{}", node.node_type);
    }
}

#[test]
fn a_workflow_does_not_say_where_its_database_is() {
    let input = r#"{"host": "localhost", "port": 5432, "database": "metabuilder", "user": "postgres", "operation": "x"}"#;
    refusals::<ping>(&[
        (
            input,
            code::VALIDATION_FAILED,
            "parameters `host`, `port`, `user`, `database`: a workflow does not say",
        ),
        (
            r#"{"password": "hunter2"}"#,
            code::VALIDATION_FAILED,
            "set the secret `DATABASE_URL`",
        ),
        (
            r#"{"connection": "nobody"}"#,
            code::CREDENTIAL_MISSING,
            "no secret `DATABASE_URL_NOBODY`",
        ),
        (
            r#"{"connection": "a b"}"#,
            code::VALIDATION_FAILED,
            "parameter `connection`",
        ),
    ]);
    let error = Harness::new().call::<ping>("{}").unwrap_err();
    assert_eq!(error.code, code::CREDENTIAL_MISSING);
    let error = Harness::new()
        .secret("DATABASE_URL", "hunter2")
        .call::<ping>("{}")
        .unwrap_err();
    assert!(!error.message.contains("hunter2"), "{error}");
}

#[test]
fn values_go_in_and_come_out_as_they_are() {
    let seeded = Seeded::new();
    let output = seeded
        .call::<query>(
            r#"{"query": "SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e, ? AS f, x'0102' AS g, 1 AS id, 2 AS id",
                "params": [9007199254740993, 0.1, "it's \\ \" é", true, null, {"k": [1]}]}"#,
        )
        .unwrap();
    assert_eq!(
        output,
        r#"{"success":true,"rows":[{"a":9007199254740993,"b":0.1,"c":"it's \\ \" é","d":1,"e":null,"f":"{\"k\":[1]}","g":"AQI=","id":1,"id_2":2}],"rowCount":1,"columns":["a","b","c","d","e","f","g","id","id_2"]}"#
    );
    let output = seeded
        .call::<query>(r#"{"query": "SELECT isDeleted, tags FROM posts WHERE id = 'p3'"}"#)
        .unwrap();
    assert!(output.contains(r#"[{"isDeleted":true,"tags":[]}]"#), "{output}");
}

#[test]
fn settings_widen_what_a_tenant_may_do() {
    let with = |name: &str, value: &str| {
        let Seeded { folder, harness } = Seeded::new();
        let harness = harness.setting(name, value);
        Seeded { folder, harness }
    };
    let count = r#"{"query": "SELECT count(*) AS n FROM posts"}"#;
    let all = with("sql.tenant_filter", "off");
    assert!(all.call::<query>(count).unwrap().contains(r#"[{"n":5}]"#));
    assert!(
        all.call::<query>(r#"{"query": "SELECT what FROM audit"}"#)
            .is_ok()
    );
    let error = all
        .call::<query>(r#"{"query": "SELECT load_extension('x')"}"#)
        .unwrap_err();
    assert_eq!(error.code, code::NOT_ALLOWED);

    let ddl = with("sql.allow_ddl", "true");
    for text in [
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, tenantId TEXT, text TEXT)",
        "CREATE INDEX notes_by_tenant ON notes (tenantId)",
        "ALTER TABLE notes ADD COLUMN more TEXT DEFAULT 'x'",
        "INSERT INTO notes (text) VALUES ('hello')",
        "ALTER TABLE notes DROP COLUMN more",
        "DROP TABLE notes",
    ] {
        let input = Value::from_pairs([("query", Value::from(text).as_ref())]).unwrap();
        ddl.call::<execute>(&input.to_json())
            .unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    let column = with("sql.tenant_column", "authorId");
    let column = column.harness.clone().tenant("u1");
    let titles = r#"{"query": "SELECT title FROM posts ORDER BY id"}"#;
    let output = column.call::<query>(titles).unwrap().to_json();
    assert!(
        output.contains(r#"[{"title":"Foreign"},{"title":"Hello"},{"title":"Second"}]"#),
        "{output}"
    );

    let function = r#"{"query": "SELECT last_insert_rowid() AS n"}"#;
    assert_eq!(
        Seeded::new().call::<query>(function).unwrap_err().code,
        code::NOT_ALLOWED
    );
    let more = with("sql.functions", "changes, Last_Insert_Rowid");
    assert!(more.call::<query>(function).is_ok());

    for (name, value) in [("sql.tenant_filter", "of"), ("sql.allow_ddl", "yes")] {
        let error = with(name, value).call::<query>(count).unwrap_err();
        assert!(error.message.contains(name), "{error}");
    }
}

#[test]
fn a_statement_ends_with_its_call() {
    let seeded = Seeded::new();
    let endless = r#"{"query": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"}"#;
    let harness = seeded
        .harness
        .clone()
        .deadline(std::time::Duration::from_millis(50));
    assert_eq!(harness.call::<query>(endless).unwrap_err().code, code::TIMEOUT);
    // The file is free again.
    assert!(seeded.call::<query>(r#"{"query": "SELECT 1"}"#).is_ok());
    let cancelled = seeded.harness.clone().cancelled();
    assert_eq!(
        cancelled.call::<query>(endless).unwrap_err().code,
        code::CANCELLED
    );
}

#[test]
fn a_database_in_memory_is_the_tenants() {
    let harness = |tenant| {
        Harness::new()
            .tenant(tenant)
            .secret("DATABASE_URL", "sqlite::memory:")
            .setting("sql.allow_ddl", "true")
    };
    let one = harness("one");
    one.call::<execute>(r#"{"query": "CREATE TABLE x (id INTEGER PRIMARY KEY, tenantId TEXT)"}"#)
        .unwrap();
    one.call::<execute>(r#"{"query": "INSERT INTO x DEFAULT VALUES"}"#)
        .unwrap();
    let error = one
        .call::<transaction>(r#"{"statements": ["INSERT INTO x DEFAULT VALUES", "SELECT * FROM y"]}"#)
        .unwrap_err();
    assert!(error.message.starts_with("statement 2"), "{error}");
    let count = r#"{"query": "SELECT count(*) AS n FROM x"}"#;
    assert!(one.call::<query>(count).unwrap().to_json().contains(r#""n":1"#));
    assert!(
        harness("two")
            .call::<query>(count)
            .unwrap_err()
            .message
            .contains("no table `x`")
    );
}

#[test]
fn tables_are_told_of_with_what_may_be_done_with_them() {
    refusals::<describe>(&[
        (
            r#"{"table": "nothing"}"#,
            code::VALIDATION_FAILED,
            "no table `nothing`",
        ),
        ("{}", code::VALIDATION_FAILED, "table"),
        (
            r#"{"table": "posts", "schema": "temp"}"#,
            code::VALIDATION_FAILED,
            "no table",
        ),
    ]);
    let seeded = Seeded::new();
    let output = seeded.call::<describe>(r#"{"name": "POSTS"}"#).unwrap();
    assert!(output.contains(r#""tenantColumn":"tenantId""#), "{output}");
    assert!(
        output.contains(r#"{"name":"tags","type":"JSON","nullable":true"#),
        "{output}"
    );
}
