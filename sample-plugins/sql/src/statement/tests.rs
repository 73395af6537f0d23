use plugin_api::error::code;

use super::*;
use crate::dialect::Dialect;
use crate::policy::{Ddl, Filter, Policy};
use crate::schema::{Column, ColumnKind, Facts, Table, TableKind, TableName, kind_of};

/// Tables with these columns, in the schema that each database has by default.
pub(super) fn facts(dialect: Dialect) -> Facts {
    let mut facts = Facts::default();
    let schema = match dialect {
        Dialect::Sqlite => "main",
        Dialect::Postgres => "public",
    };
    for (name, columns) in [
        ("orders", "id integer, item text, price real, tenantId text"),
        ("users", "id integer, name text, tenantId text"),
        ("countries", "code text, name text"),
        ("secrets", "id integer, secret text"),
    ] {
        let columns = columns
            .split(", ")
            .map(|column| {
                let (name, type_name) = column.split_once(' ').unwrap();
                Column {
                    name: name.into(),
                    type_name: type_name.into(),
                    kind: kind_of(dialect, type_name),
                    nullable: true,
                    default: None,
                    key: u32::from(name == "id"),
                    generated: false,
                }
            })
            .collect();
        let table = Table {
            schema: schema.into(),
            name: name.into(),
            kind: TableKind::Table,
            columns,
        };
        facts.insert(TableName::bare(name), table.clone());
        let full = TableName {
            schema: Some(schema.into()),
            name: name.into(),
        };
        facts.insert(full, table);
    }
    facts
}

pub(super) fn policy() -> Policy {
    Policy {
        shared_tables: vec!["countries".into()],
        ..Policy::standard("acme")
    }
}

fn confined_by(policy: &Policy, text: &str, params: &str, dialect: Dialect) -> NodeResult<Confined> {
    let given = Given::read(Value::from_json(params).unwrap().as_ref())?;
    Parsed::parse(text, &given, dialect, policy)?.confine(&facts(dialect), policy)
}

pub(super) fn confined(text: &str, params: &str, dialect: Dialect) -> NodeResult<Confined> {
    confined_by(&policy(), text, params, dialect)
}

/// The text that is sent, and its arguments as JSON.
pub(super) fn sent(text: &str, params: &str, dialect: Dialect) -> (String, String) {
    let confined = confined(text, params, dialect).unwrap_or_else(|error| panic!("{text}: {error}"));
    let arguments = Value::from_items(confined.arguments().iter().map(|value| value.as_ref())).unwrap();
    (confined.text().to_owned(), arguments.to_json())
}

pub(super) fn sqlite(text: &str) -> String {
    sent(text, "null", Dialect::Sqlite).0
}

#[test]
fn every_table_becomes_the_tenants_part_of_it() {
    let guard = |table: &str, n: usize| {
        format!(r#"(SELECT * FROM "main"."{table}" WHERE "tenantId" = ?{n}) AS {table}"#)
    };
    let (orders, users) = (guard("orders", 1), guard("users", 2));
    for (text, expected) in [
        ("SELECT * FROM orders", format!("SELECT * FROM {orders}")),
        (
            "select o.id from orders o where o.id in (select id from users)",
            format!(
                "SELECT o.id FROM {} WHERE o.id IN (SELECT id FROM {})",
                guard("orders", 1).replace("AS orders", "o"),
                guard("users", 2)
            ),
        ),
        (
            "SELECT 1 FROM orders LEFT JOIN users ON orders.id = users.id",
            format!("SELECT 1 FROM {orders} LEFT JOIN {users} ON orders.id = users.id"),
        ),
        (
            "SELECT id FROM orders UNION ALL SELECT id FROM users",
            format!("SELECT id FROM {orders} UNION ALL SELECT id FROM {users}"),
        ),
        (
            "SELECT * FROM (SELECT * FROM main.orders) AS x, (orders CROSS JOIN users)",
            format!(
                "SELECT * FROM (SELECT * FROM {orders}) AS x, ({} CROSS JOIN {})",
                guard("orders", 2),
                guard("users", 3)
            ),
        ),
        (
            "SELECT (SELECT count(*) FROM users), EXISTS (SELECT 1 FROM orders)",
            format!(
                "SELECT (SELECT count(*) FROM {}), EXISTS (SELECT 1 FROM {})",
                guard("users", 1),
                guard("orders", 2)
            ),
        ),
        (
            "SELECT * FROM countries",
            r#"SELECT * FROM "main"."countries" AS countries"#.to_owned(),
        ),
    ] {
        assert_eq!(sqlite(text), expected, "{text}");
    }
}

#[test]
fn names_of_a_with_are_told_from_tables() {
    let text = sqlite("WITH x AS (SELECT id FROM orders) SELECT x.id FROM x JOIN users ON users.id = x.id");
    assert_eq!(
        text,
        "WITH \"patchbay_with_1\" AS (SELECT id FROM (SELECT * FROM \"main\".\"orders\" WHERE \"tenantId\" = ?1) AS orders) \
         SELECT x.id FROM \"patchbay_with_1\" AS x JOIN (SELECT * FROM \"main\".\"users\" WHERE \"tenantId\" = ?2) AS users \
         ON users.id = x.id"
    );
    // Within its own query the name is the table's, and so it is outside of the WITH.
    let text = sqlite(
        "WITH orders AS (SELECT * FROM orders) SELECT * FROM orders, (WITH users AS (SELECT 1) SELECT * FROM users) u, users",
    );
    assert_eq!(text.matches("\"main\".\"orders\" WHERE").count(), 1, "{text}");
    assert_eq!(text.matches("\"main\".\"users\" WHERE").count(), 1, "{text}");
    assert!(text.contains("\"patchbay_with_1\" AS orders"), "{text}");
    let text =
        sqlite("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n");
    assert_eq!(text.matches("FROM \"patchbay_with_1\" AS n").count(), 2, "{text}");
    let error = confined(
        "WITH x AS (SELECT * FROM y), y AS (SELECT 1) SELECT * FROM x",
        "null",
        Dialect::Sqlite,
    );
    assert!(error.unwrap_err().message.contains("no table `y`"));
}

#[test]
fn changes_get_the_condition() {
    assert_eq!(
        sqlite("UPDATE orders SET price = 1 WHERE id = 2 OR 1 = 1"),
        "UPDATE OR ABORT \"main\".\"orders\" AS orders SET price = 1 WHERE orders.\"tenantId\" = ?1 AND \
         (id = 2 OR 1 = 1)"
    );
    assert_eq!(
        sqlite("DELETE FROM orders AS o"),
        "DELETE FROM \"main\".\"orders\" AS o WHERE o.\"tenantId\" = ?1"
    );
    let (text, arguments) = sent(
        "DELETE FROM orders USING users u WHERE u.id = orders.id RETURNING orders.id",
        "null",
        Dialect::Postgres,
    );
    assert_eq!(
        text,
        "DELETE FROM \"public\".\"orders\" AS orders USING (SELECT * FROM \"public\".\"users\" WHERE \"tenantId\" = $1) u \
         WHERE orders.\"tenantId\" = $2 AND (u.id = orders.id) RETURNING orders.id"
    );
    assert_eq!(arguments, r#"["acme","acme"]"#);
}

#[test]
fn insertions_are_made_the_tenants() {
    for (text, expected) in [
        (
            "INSERT INTO orders (id, item) VALUES (1, 'x'), (2, 'y')",
            "INSERT OR ABORT INTO \"main\".\"orders\" (id, item, \"tenantId\") VALUES (1, 'x', ?1), (2, 'y', ?1)",
        ),
        (
            "INSERT INTO orders (TENANTID, id) VALUES ('acme', 1)",
            "INSERT OR ABORT INTO \"main\".\"orders\" (\"tenantId\", id) VALUES (?1, 1)",
        ),
        (
            "INSERT INTO orders VALUES (1, 'x', 2.5, lower('OTHER'))",
            "INSERT OR ABORT INTO \"main\".\"orders\" (\"id\", \"item\", \"price\", \"tenantId\") VALUES (1, 'x', 2.5, ?1)",
        ),
        (
            "INSERT INTO orders DEFAULT VALUES",
            "INSERT OR ABORT INTO \"main\".\"orders\" (\"tenantId\") VALUES (?1)",
        ),
        (
            "INSERT INTO orders (id, item) SELECT id, name FROM users",
            "INSERT OR ABORT INTO \"main\".\"orders\" (id, item, \"tenantId\") SELECT id, name, ?2 FROM (SELECT * FROM \
             \"main\".\"users\" WHERE \"tenantId\" = ?1) AS users",
        ),
        (
            "INSERT INTO orders (id) SELECT id FROM users UNION SELECT 7",
            "INSERT OR ABORT INTO \"main\".\"orders\" (id, \"tenantId\") WITH \"patchbay_with_1\" AS (SELECT id FROM (SELECT \
             * FROM \"main\".\"users\" WHERE \"tenantId\" = ?1) AS users UNION SELECT 7) SELECT \"patchbay_with_1\".*, ?2 \
             FROM \"patchbay_with_1\" WHERE true",
        ),
        (
            "INSERT INTO orders SELECT * FROM orders",
            "INSERT OR ABORT INTO \"main\".\"orders\" (\"id\", \"item\", \"price\", \"tenantId\") WITH \"patchbay_with_1\" \
             (\"c0\", \"c1\", \"c2\", \"c3\") AS (SELECT * FROM (SELECT * FROM \"main\".\"orders\" WHERE \"tenantId\" = ?1) AS \
             orders) SELECT \"c0\", \"c1\", \"c2\", ?2 FROM \"patchbay_with_1\" WHERE true",
        ),
        (
            "INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET item = excluded.item",
            "INSERT OR ABORT INTO \"main\".\"orders\" (id, \"tenantId\") VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET item = \
             excluded.item WHERE \"orders\".\"tenantId\" = ?2",
        ),
    ] {
        let (sent, _) = sent(text, "null", Dialect::Sqlite);
        assert_eq!(
            sent.replace("TRUE", "true")
                .replace("ON CONFLICT(", "ON CONFLICT ("),
            expected,
            "{text}"
        );
    }
}

#[test]
fn placeholders_are_bound_by_place_number_and_name() {
    for (dialect, text, params, expected, arguments) in [
        (Dialect::Sqlite, "SELECT ?, ?", "[1, 2]", "SELECT ?1, ?2", "[1,2]"),
        (
            Dialect::Sqlite,
            "SELECT ?2, ?1, ?2",
            "[1, 2]",
            "SELECT ?1, ?2, ?1",
            "[2,1]",
        ),
        (
            Dialect::Sqlite,
            "SELECT :a, :b + :a",
            r#"{"a": 1, ":b": 2, "c": 3}"#,
            "SELECT ?1, ?2 + ?1",
            "[1,2]",
        ),
        (Dialect::Sqlite, "SELECT $a", r#"{"a": 1}"#, "SELECT ?1", "[1]"),
        (
            Dialect::Postgres,
            "SELECT ?, ?",
            "[1, 2]",
            "SELECT $1, $2",
            "[1,2]",
        ),
        (
            Dialect::Postgres,
            "SELECT $2, $1",
            "[1, 2]",
            "SELECT $1, $2",
            "[2,1]",
        ),
        (
            Dialect::Postgres,
            "SELECT :a::int, :a",
            r#"{"a": 1}"#,
            "SELECT $1::INT, $1",
            "[1]",
        ),
        (
            Dialect::Postgres,
            "SELECT 'it''s', '\\'",
            "[]",
            "SELECT $1, $2",
            r#"["it's","\\"]"#,
        ),
    ] {
        assert_eq!(
            sent(text, params, dialect),
            (expected.to_owned(), arguments.to_owned()),
            "{text}"
        );
    }
    for (text, params, part) in [
        ("SELECT ?", "[]", "placeholder 1, and 0 values"),
        ("SELECT 1", "[1]", "value 1 of 1 is used by no placeholder"),
        ("SELECT ?3, ?1", "[1, 2, 3]", "value 2 of 3"),
        ("SELECT :a", "[1]", "has to be a map"),
        ("SELECT :a", r#"{"b": 1}"#, "no such name"),
        ("SELECT ?", r#"{"b": 1}"#, "is a map"),
        ("SELECT 1", "7", "must be a list"),
        ("  ", "null", "has no statement"),
    ] {
        let error = confined(text, params, Dialect::Sqlite).unwrap_err();
        assert_eq!(error.code, code::VALIDATION_FAILED, "{text}: {error}");
        assert!(error.message.contains(part), "{text}: {error}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    for text in [
        format!("SELECT {}1", "1 + ".repeat(5_000)),
        format!("SELECT {}1{}", "(".repeat(500), ")".repeat(500)),
        format!("SELECT {}1", "NOT ".repeat(500)),
        format!("SELECT 1{}", " UNION SELECT 1, 2".repeat(500)),
        format!("SELECT {}", "x,".repeat(200_000)),
    ] {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let error = confined(&text, "null", dialect).unwrap_err();
            let known = [code::LIMIT_EXCEEDED, code::EXECUTION_ERROR];
            assert!(known.contains(&error.code.as_ref()), "{error}");
        }
    }
    // As deep as it may be, on a stack as small as a thread's.
    let deep = format!("SELECT {}1 FROM orders", "1 + ".repeat(390));
    let many = format!("SELECT 1 FROM orders WHERE {}1", "id = 1 OR ".repeat(125));
    let sets = format!("SELECT 1{}", " UNION SELECT 1".repeat(190));
    for text in [deep, many, sets] {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            confined(&text, "null", dialect).unwrap();
        }
    }
    let rows = format!("INSERT INTO orders (id) VALUES {}(0)", "(-1), ".repeat(5_000));
    confined(&rows, "null", Dialect::Sqlite).unwrap();
}

#[test]
fn an_administrator_can_turn_the_filter_off() {
    let off = Policy {
        filter: Filter::Off,
        ..policy()
    };
    let text = |text| confined_by(&off, text, "null", Dialect::Sqlite);
    assert_eq!(
        text("SELECT * FROM secrets").unwrap().text(),
        "SELECT * FROM secrets"
    );
    assert_eq!(
        text("UPDATE orders SET tenantId = 'x'").unwrap().text(),
        "UPDATE orders SET tenantId = 'x'"
    );
    for still in [
        "SELECT load_extension('x')",
        "SELECT * FROM sqlite_schema",
        "SELECT 1; SELECT 2",
        "DROP TABLE orders",
    ] {
        assert_eq!(text(still).unwrap_err().code, code::NOT_ALLOWED, "{still}");
    }
}

#[test]
fn an_administrator_can_allow_changes_of_the_schema() {
    let allowed = Policy {
        ddl: Ddl::Allowed,
        ..policy()
    };
    let text = |text| confined_by(&allowed, text, "null", Dialect::Sqlite);
    for ddl in [
        "CREATE TABLE IF NOT EXISTS x (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'a')",
        "CREATE UNIQUE INDEX i ON x (name)",
        "ALTER TABLE x ADD COLUMN y TEXT",
        "DROP TABLE x",
    ] {
        let confined = text(ddl).unwrap();
        assert_eq!(confined.kind(), Kind::Ddl, "{ddl}");
    }
    for refused in [
        "CREATE TABLE x AS SELECT * FROM secrets",
        "CREATE VIEW x AS SELECT * FROM secrets",
        "CREATE TEMPORARY TABLE x (id int)",
        "CREATE TABLE x (id int DEFAULT (load_extension('x')))",
        "CREATE VIRTUAL TABLE x USING fts5(a)",
        "CREATE TRIGGER x AFTER INSERT ON orders BEGIN SELECT 1; END",
    ] {
        text(refused).expect_err(refused);
    }
}

#[test]
fn kinds_of_columns_do_not_matter_here() {
    assert_eq!(kind_of(Dialect::Sqlite, "text"), ColumnKind::Text);
    let parsed = Parsed::parse(
        "SELECT * FROM a, b.c, (SELECT 1 FROM d) x WHERE EXISTS (SELECT 1 FROM \"E\")",
        &Given::List(Vec::new()),
        Dialect::Postgres,
        &policy(),
    );
    let names: Vec<_> = parsed
        .unwrap()
        .tables()
        .into_iter()
        .map(|table| table.name)
        .collect();
    assert_eq!(names, ["E", "a", "d", "c"]);
}

#[test]
fn rows_are_picked_first_where_a_condition_could_tell_of_others() {
    for harmless in [
        "SELECT abs(price) FROM orders WHERE price / 2 > 1 AND lower(item) LIKE 'a%' AND substr(item, 1) <> trim(item)",
        "SELECT 1 FROM orders o JOIN users u ON u.id = o.id WHERE EXISTS (SELECT 1 FROM users WHERE id = o.id)",
        "SELECT item FROM orders GROUP BY item HAVING count(*) > 1",
        "UPDATE orders SET price = abs(price) WHERE id = 1",
    ] {
        assert!(!sqlite(harmless).contains("LIMIT -1"), "{harmless}");
        assert!(!sqlite(harmless).contains("CASE"), "{harmless}");
    }
    for hazard in [
        "SELECT 1 FROM orders WHERE abs(price) = 1",
        "SELECT 1 FROM orders WHERE CASE WHEN id = 1 THEN json(item) END = 1",
        "SELECT 1 FROM orders o JOIN users u ON u.name || o.item = 'x'",
        "SELECT 1 FROM (orders o JOIN users u ON abs(u.id) = 1)",
        "SELECT item FROM orders GROUP BY item HAVING json(item) = 1",
        "SELECT 1 FROM users WHERE name LIKE 'x' ESCAPE name",
        "SELECT 1 FROM users WHERE 'x' LIKE name",
        "SELECT 1 FROM users WHERE id IN (SELECT id FROM orders WHERE item -> 'a' = 1)",
        "SELECT 1 FROM (SELECT abs(price) AS p FROM orders) q WHERE p = 1",
        "WITH q AS (SELECT abs(price) AS p FROM orders) SELECT 1 FROM q WHERE p = 1",
    ] {
        let text = sqlite(hazard);
        assert_eq!(
            text.matches("WHERE \"tenantId\" = ").count(),
            text.matches(" LIMIT -1").count(),
            "{text}"
        );
    }
    let postgres = |text: &str| sent(text, "null", Dialect::Postgres).0;
    for harmless in [
        "SELECT n / 0 FROM orders o JOIN users u ON u.id = o.id WHERE o.item LIKE 'a%' AND o.price > now() - interval '1 day'",
        "SELECT 1 FROM orders WHERE item = ANY ('{a}'::text[]) AND CAST(id AS text) = '1' AND NOT coalesce(id = 1, false)",
        "DELETE FROM orders WHERE lower(item) = 'a' OR strpos(item, 'x') > 0",
    ] {
        assert!(!postgres(harmless).contains("OFFSET 0"), "{harmless}");
        assert!(!postgres(harmless).contains("CASE"), "{harmless}");
    }
    for hazard in [
        "SELECT 1 FROM orders WHERE 1 / id = 1",
        "SELECT 1 FROM orders WHERE item ~ 'x'",
        "SELECT 1 FROM orders WHERE item LIKE item",
        "SELECT 1 FROM orders WHERE CAST(item AS integer) = 1",
        "SELECT 1 FROM orders WHERE item::boolean",
        "SELECT 1 FROM orders WHERE -id = 1",
        "SELECT 1 FROM orders JOIN users ON repeat(name, 99) = item",
    ] {
        let text = postgres(hazard);
        assert_eq!(
            text.matches("WHERE \"tenantId\" = ").count(),
            text.matches(" OFFSET 0").count(),
            "{text}"
        );
    }
    assert_eq!(
        sqlite("DELETE FROM orders WHERE abs(price) = 1"),
        "DELETE FROM \"main\".\"orders\" AS orders WHERE orders.\"tenantId\" = ?1 AND CASE WHEN orders.\"tenantId\" = ?1 \
         THEN abs(price) = 1 ELSE false END"
    );
}
