//! Random statements against a real database: whatever they say, the other tenant's rows neither come out nor change.

use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value as Stored;

use super::tests::{facts, policy};
use super::tests_grammar::{change, select};
use super::*;
use crate::dialect::Dialect;

/// Rows of both tenants; every text and number of the other's can be told from everything else.
const SEED: &str = "
    CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT, price REAL, tenantId TEXT);
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, tenantId TEXT);
    CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT);
    CREATE TABLE secrets (id INTEGER PRIMARY KEY, secret TEXT);
    CREATE INDEX by_item ON orders (item, price);
    CREATE INDEX by_price ON orders (price);
    CREATE UNIQUE INDEX by_name ON users (name, id);
    INSERT INTO orders VALUES (1, 'a', 1.5, 'acme'), (2, 'b', 2.5, 'acme'), (3, NULL, 3.5, 'acme'),
        (900001, 'FOREIGN1', 900011, 'FOREIGN'), (900003, 'FOREIGN2', 900013, 'FOREIGN'), (900005, 'a', 900015, 'FOREIGN');
    INSERT INTO users VALUES (1, 'u', 'acme'), (2, 'v', 'acme'), (900021, 'FOREIGN3', 'FOREIGN'), (900023, 'u', 'FOREIGN');
    INSERT INTO countries VALUES ('at', 'Austria'), ('ch', 'Switzerland');
    INSERT INTO secrets VALUES (900031, 'FOREIGN4');
";

/// The numbers of the other tenant. Those after its ids are not among them: a new row may get one.
const NUMBERS: [i64; 9] = [
    900_001, 900_003, 900_005, 900_011, 900_013, 900_015, 900_021, 900_023, 900_031,
];

/// All rows that are not to change, as text.
const FOREIGN: &str = "SELECT (SELECT group_concat(quote(id) || quote(item) || quote(price) || tenantId) FROM \
    (SELECT * FROM orders WHERE tenantId <> 'acme' OR tenantId IS NULL ORDER BY id)) || '|' || \
    (SELECT group_concat(quote(id) || quote(name) || tenantId) FROM \
    (SELECT * FROM users WHERE tenantId <> 'acme' OR tenantId IS NULL ORDER BY id)) || '|' || \
    (SELECT group_concat(quote(code) || quote(name)) FROM (SELECT * FROM countries ORDER BY code)) || '|' || \
    (SELECT group_concat(quote(id) || quote(secret)) FROM (SELECT * FROM secrets ORDER BY id))";

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SEED).unwrap();
    connection
}

/// The same, without the other tenant.
fn alone() -> Connection {
    let connection = database();
    connection
        .execute_batch(
            "DELETE FROM orders WHERE tenantId <> 'acme'; DELETE FROM users WHERE tenantId <> 'acme'",
        )
        .unwrap();
    connection
}

fn foreign(connection: &Connection) -> String {
    connection.query_row(FOREIGN, [], |row| row.get(0)).unwrap()
}

/// Runs a statement as it would be run, and gives all values that came out. `None` when it was refused or failed.
fn run(connection: &Connection, text: &str) -> Option<Vec<Stored>> {
    told(connection, text)?.ok()
}

/// As [`run`], with the text of a failure of the database.
fn told(connection: &Connection, text: &str) -> Option<Result<Vec<Stored>, String>> {
    let places = text.matches('?').count();
    let given = Given::List(vec![Value::from("bound"); places]);
    let parsed = Parsed::parse(text, &given, Dialect::Sqlite, &policy()).ok()?;
    let confined = parsed.confine(&facts(Dialect::Sqlite), &policy()).ok()?;
    Some(values(connection, &confined).map_err(|error| error.to_string()))
}

fn values(connection: &Connection, confined: &Confined) -> rusqlite::Result<Vec<Stored>> {
    let mut statement = connection.prepare(confined.text())?;
    for (index, argument) in confined.arguments().iter().enumerate() {
        let argument = argument.as_ref().as_str().unwrap_or_default();
        statement.raw_bind_parameter(index + 1, argument)?;
    }
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        for index in 0..width {
            found.push(row.get(index)?);
        }
        if found.len() > 10_000 {
            break;
        }
    }
    Ok(found)
}

/// Whether a value is one of the other tenant's. A statement that names such a value itself may give it back.
fn is_foreign(value: &Stored, text: &str) -> bool {
    match value {
        Stored::Text(found) => found.contains("FOREIGN") && !text.contains("FOREIGN"),
        Stored::Integer(number) => NUMBERS.contains(number) && !text.contains("9000"),
        Stored::Real(number) => NUMBERS.contains(&(*number as i64)) && !text.contains("9000"),
        Stored::Null | Stored::Blob(_) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn rows_of_another_tenant_never_come_out(text in select()) {
        let connection = database();
        for value in run(&connection, &text).unwrap_or_default() {
            prop_assert!(!is_foreign(&value, &text), "{text} gives {value:?}");
        }
    }

    #[test]
    fn nothing_tells_whether_there_are_other_tenants(text in select()) {
        let (with, without) = (told(&database(), &text), told(&alone(), &text));
        let sorted = |told: Option<Result<Vec<Stored>, String>>| {
            told.map(|told| told.map(|values| {
                let mut values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
                values.sort();
                values
            }))
        };
        prop_assert_eq!(sorted(with), sorted(without), "{}", text);
    }

    #[test]
    fn rows_of_another_tenant_are_never_changed(text in change()) {
        let connection = database();
        let before = foreign(&connection);
        let found = run(&connection, &text);
        prop_assert_eq!(foreign(&connection), before, "{}", text);
        for value in found.unwrap_or_default() {
            prop_assert!(!is_foreign(&value, &text), "{text} gives {value:?}");
        }
    }
}

/// Each of these failed for a row of the other tenant, if it were looked at before its tenant is.
#[test]
fn no_failure_tells_of_another_tenants_row() {
    let poison = "abs(CASE WHEN name LIKE 'FOR%' THEN -9223372036854775807 - 1 ELSE 1 END) = 1";
    for text in [
        format!("SELECT 1 FROM users WHERE name >= '' AND {poison}"),
        format!("SELECT 1 FROM orders o LEFT JOIN users ON users.name >= '' AND {poison}"),
        format!("SELECT id FROM users WHERE name >= '' GROUP BY id, name HAVING {poison}"),
        format!("SELECT 1 WHERE EXISTS (SELECT 1 FROM users WHERE name >= '' AND {poison})"),
        format!("SELECT 1 FROM (SELECT {poison} AS x FROM users WHERE name >= '') WHERE x"),
        format!("WITH q AS (SELECT name, {poison} AS x FROM users) SELECT 1 FROM q WHERE name >= '' AND x"),
        format!("UPDATE users SET name = 'x' WHERE name >= '' AND {poison}"),
        format!("DELETE FROM users WHERE name >= '' AND {poison}"),
        "SELECT 1 FROM users WHERE name >= '' AND 'a' LIKE 'a' ESCAPE CASE WHEN name LIKE 'FOR%' THEN 'ab' ELSE 'c' END"
            .to_owned(),
    ] {
        let found = told(&database(), &text).expect("it is refused");
        assert!(found.is_ok(), "{text}: {found:?}");
    }
}

/// The random statements would prove nothing if nearly all of them failed.
#[test]
fn many_of_the_random_statements_run() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut ran, mut gave) = (0, 0);
    for strategy in [select().boxed(), change().boxed()] {
        for _ in 0..1_000 {
            let text = strategy.new_tree(&mut runner).unwrap().current();
            if let Some(found) = run(&database(), &text) {
                ran += 1;
                gave += usize::from(!found.is_empty());
            }
        }
    }
    assert!(
        ran > 250 && gave > 100,
        "{ran} of 2000 ran, {gave} gave something"
    );
}
