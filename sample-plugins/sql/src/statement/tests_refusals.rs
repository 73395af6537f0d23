use plugin_api::error::code;

use super::tests::{confined, sent, sqlite};
use crate::dialect::Dialect;

#[test]
fn what_cannot_be_confined_is_refused() {
    for (dialect, text) in [
        (Dialect::Sqlite, "SELECT 1; DELETE FROM orders"),
        (Dialect::Sqlite, "PRAGMA table_info(orders)"),
        (Dialect::Sqlite, "ATTACH DATABASE 'x.db' AS x"),
        (Dialect::Sqlite, "CREATE TABLE x (id int)"),
        (Dialect::Sqlite, "DROP TABLE orders"),
        (Dialect::Sqlite, "BEGIN"),
        (Dialect::Sqlite, "VACUUM"),
        (Dialect::Sqlite, "EXPLAIN SELECT 1"),
        (Dialect::Sqlite, "SELECT load_extension('x')"),
        (Dialect::Sqlite, "SELECT readfile('/etc/passwd')"),
        (Dialect::Sqlite, "SELECT * FROM secrets"),
        (Dialect::Sqlite, "SELECT * FROM pragma_table_info('orders')"),
        (Dialect::Sqlite, "SELECT 1 WHERE 1 IN secrets"),
        (Dialect::Sqlite, "SELECT 1 WHERE 1 IN main.secrets"),
        (Dialect::Sqlite, "REPLACE INTO orders (id) VALUES (1)"),
        (Dialect::Sqlite, "INSERT OR REPLACE INTO orders (id) VALUES (1)"),
        (Dialect::Sqlite, "UPDATE OR REPLACE orders SET id = 1"),
        (
            Dialect::Sqlite,
            "INSERT INTO orders (id, tenantId) VALUES (1, 'other')",
        ),
        (
            Dialect::Sqlite,
            "INSERT INTO orders (id, tenantId) VALUES (1, NULL)",
        ),
        (Dialect::Sqlite, "UPDATE orders SET tenantId = 'other'"),
        (
            Dialect::Sqlite,
            "UPDATE orders SET (id, \"TENANTID\") = (1, 'other')",
        ),
        (Dialect::Sqlite, "UPDATE orders SET id = 1 FROM secrets"),
        (
            Dialect::Sqlite,
            "INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET tenantId = 'other'",
        ),
        (Dialect::Sqlite, "INSERT INTO countries (code) VALUES ('x')"),
        (Dialect::Sqlite, "DELETE FROM countries"),
        (Dialect::Sqlite, "SELECT * FROM orders INDEXED BY i"),
        (Dialect::Sqlite, "SELECT * FROM other.main.orders"),
        (Dialect::Sqlite, "WITH x AS (SELECT 1) DELETE FROM orders"),
        (
            Dialect::Postgres,
            "WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x",
        ),
        (Dialect::Postgres, "COPY orders TO '/tmp/x'"),
        (Dialect::Postgres, "SET patchbay.tenant = 'other'"),
        (Dialect::Postgres, "CALL something()"),
        (Dialect::Postgres, "EXPLAIN ANALYZE SELECT 1"),
        (Dialect::Postgres, "SELECT * INTO x FROM orders"),
        (Dialect::Postgres, "TABLE orders"),
        (Dialect::Postgres, "SELECT pg_read_file('/etc/passwd')"),
        (
            Dialect::Postgres,
            "SELECT set_config('patchbay.tenant', 'other', true)",
        ),
        (Dialect::Postgres, "SELECT pg_catalog.pg_sleep(9)"),
        (Dialect::Postgres, "SELECT other.lower('x')"),
        (Dialect::Postgres, "SELECT lo_import('/etc/passwd')"),
        (Dialect::Postgres, "SELECT * FROM dblink('x', 'y') AS t(a int)"),
        (
            Dialect::Postgres,
            "SELECT query_to_xml('select 1', true, true, '')",
        ),
        (Dialect::Postgres, "SELECT * FROM ONLY orders"),
        (Dialect::Postgres, "SELECT * FROM orders TABLESAMPLE SYSTEM (1)"),
        (Dialect::Postgres, "SELECT 1 OPERATOR(public.+) 2"),
        (
            Dialect::Postgres,
            "MERGE INTO orders USING users ON true WHEN MATCHED THEN DELETE",
        ),
        (Dialect::Postgres, "SELECT E'a\\'b'"),
        (Dialect::Postgres, "SELECT U&'\\0061'"),
        (Dialect::Postgres, "SELECT $$a$$"),
        (Dialect::Postgres, "LOCK TABLE orders"),
        (Dialect::Postgres, "LISTEN x"),
        (Dialect::Postgres, "GRANT SELECT ON orders TO public"),
        (Dialect::Postgres, "TRUNCATE orders"),
        (
            Dialect::Postgres,
            "INSERT INTO orders (id) VALUES (1) ON CONFLICT DO UPDATE SET \"tenantId\" = 'other'",
        ),
    ] {
        let error = confined(text, "null", dialect).expect_err(text);
        let syntax = [code::NOT_ALLOWED, code::EXECUTION_ERROR];
        assert!(syntax.contains(&error.code.as_ref()), "{text}: {error}");
    }
}

#[test]
fn tables_of_the_database_itself_are_not_there() {
    for (dialect, text) in [
        (Dialect::Sqlite, "SELECT * FROM sqlite_schema"),
        (Dialect::Sqlite, "SELECT * FROM \"sqlite_master\""),
        (Dialect::Sqlite, "SELECT * FROM temp.orders"),
        (
            Dialect::Sqlite,
            "WITH sqlite_schema AS (SELECT 1) SELECT * FROM (SELECT 1), main.sqlite_schema",
        ),
        (Dialect::Postgres, "SELECT * FROM pg_stats"),
        (Dialect::Postgres, "SELECT * FROM pg_catalog.pg_class"),
        (Dialect::Postgres, "SELECT * FROM information_schema.tables"),
        (
            Dialect::Postgres,
            "SELECT (WITH pg_stats AS (SELECT 1) SELECT count(*) FROM pg_stats), x.* FROM pg_stats x",
        ),
    ] {
        let error = confined(text, "null", dialect).expect_err(text);
        assert!(error.message.contains("no table"), "{text}: {error}");
    }
}

#[test]
fn texts_and_names_cannot_break_out() {
    let (text, arguments) = sent(
        "SELECT '\\'' UNION SELECT secret FROM secrets --' FROM orders",
        "null",
        Dialect::Sqlite,
    );
    assert!(!text.contains("secret"), "{text}");
    assert!(arguments.contains("secrets"), "{arguments}");
    for text in [
        "SELECT \"a\\\" FROM secrets --\" FROM orders",
        "SELECT \"a\"\"b\" FROM orders",
        "SELECT [a]]b] FROM orders",
        "SELECT `a\"b` FROM orders",
        "SELECT \u{e9}t\u{e9} FROM orders",
    ] {
        assert!(confined(text, "null", Dialect::Sqlite).is_err(), "{text}");
    }
    assert_eq!(
        sqlite("SELECT [id], `item`, 'x' /* secrets */ FROM orders -- secrets"),
        "SELECT \"id\", \"item\", 'x' FROM (SELECT * FROM \"main\".\"orders\" WHERE \"tenantId\" = ?1) AS orders"
    );
}

#[test]
fn a_statement_that_cannot_be_read_says_where() {
    let error = confined("SELECT *\nFROM orders WHERE )", "null", Dialect::Sqlite).unwrap_err();
    assert_eq!(error.code, code::EXECUTION_ERROR);
    assert!(error.message.contains("Line: 2"), "{error}");
    let details = error.details.unwrap();
    assert_eq!(details.as_ref().get("line").unwrap().as_i64(), Some(2));
    let error = confined("SELECT 1 FROM orders foo bar", "null", Dialect::Postgres).unwrap_err();
    assert!(error.message.contains("found `bar`"), "{error}");
    let error = confined("SELECT 'x", "null", Dialect::Postgres).unwrap_err();
    assert_eq!(error.code, code::EXECUTION_ERROR);
}
