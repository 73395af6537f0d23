use std::time::Duration;

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;
use crate::postgres::tests_server::Database;

const TABLES: &str = r#"
    CREATE TABLE orders (id integer PRIMARY KEY, "tenantId" text NOT NULL, item text NOT NULL CHECK (item <> ''), price numeric(10,2));
    CREATE TABLE lines (id serial PRIMARY KEY, "order" integer REFERENCES orders (id), "tenantId" text);
    CREATE TABLE countries (code text PRIMARY KEY);
    CREATE TABLE secrets (secret text);
    INSERT INTO orders VALUES (1, 'acme', 'a', 1.50), (2, 'acme', 'b', 2.25), (3, 'other', 'FOREIGN', 99);
    INSERT INTO countries VALUES ('at');
    CREATE SCHEMA more;
    CREATE TABLE more.orders (n int, "tenantId" uuid);
"#;

fn call<N: Export>(harness: &Harness, query: &str, params: &str) -> Result<String, NodeError> {
    let query = Value::from(query);
    let params = Value::from_json(params).unwrap();
    let input = Value::from_pairs([("query", query.as_ref()), ("params", params.as_ref())]).unwrap();
    harness.call::<N>(&input.to_json()).map(|output| output.to_json())
}

fn rows(harness: &Harness, text: &str, params: &str) -> Result<String, NodeError> {
    let output = Value::from_json(&call::<query>(harness, text, params)?).unwrap();
    Ok(output.as_ref().get("rows").unwrap().to_json())
}

#[test]
fn rows_are_told_apart_by_tenant_on_postgres() {
    let database = Database::new("apart", TABLES);
    let harness = database.harness("acme").setting("sql.shared_tables", "countries");
    for (text, expected) in [
        (
            "SELECT id, price FROM orders ORDER BY id",
            r#"[{"id":1,"price":1.5},{"id":2,"price":2.25}]"#,
        ),
        (
            "SELECT count(*) AS n FROM public.orders o JOIN orders p ON o.id >= p.id",
            r#"[{"n":3}]"#,
        ),
        (
            "WITH orders AS (SELECT * FROM orders WHERE id = 1) SELECT o.item FROM orders AS o",
            r#"[{"item":"a"}]"#,
        ),
        ("SELECT code FROM countries", r#"[{"code":"at"}]"#),
        ("SELECT (SELECT max(item) FROM orders) AS m", r#"[{"m":"b"}]"#),
        (
            "SELECT row_to_json(orders) AS r FROM orders WHERE id = 1",
            r#"[{"r":{"id":1,"tenantId":"acme","item":"a","price":1.5}}]"#,
        ),
        (
            "SELECT item FROM orders WHERE item = 'it''s' OR id = 2",
            r#"[{"item":"b"}]"#,
        ),
    ] {
        let found = rows(&harness, text, "null").unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(found, expected, "{text}");
    }
    let locking = rows(&harness, "SELECT item FROM orders FOR SHARE", "null");
    assert_eq!(locking.unwrap_err().code, code::NOT_ALLOWED);
    let insert =
        r#"INSERT INTO orders (id, item, "tenantId") VALUES (:id, :item, 'acme') RETURNING id, "tenantId""#;
    let output = call::<execute>(&harness, insert, r#"{"id": 4, "item": "d"}"#).unwrap();
    assert!(output.contains(r#""affectedRows":1,"lastId":4"#), "{output}");
    let output = call::<execute>(&harness, "UPDATE orders SET price = 0", "null").unwrap();
    assert!(output.contains(r#""affectedRows":3"#), "{output}");
    let upsert = "INSERT INTO orders (id, item) SELECT n, 'mine' FROM generate_series(3, 5) AS s(n) \
                  ON CONFLICT (id) DO UPDATE SET item = excluded.item";
    let output = call::<execute>(&harness, upsert, "null").unwrap();
    assert!(output.contains(r#""affectedRows":2"#), "{output}");
    let output = call::<execute>(
        &harness,
        "DELETE FROM orders USING countries c WHERE c.code = 'at'",
        "null",
    )
    .unwrap();
    assert!(output.contains(r#""affectedRows":4"#), "{output}");
    assert_eq!(
        database.seen("SELECT string_agg(id || item || price || \"tenantId\", ' ') FROM orders"),
        "3FOREIGN99.00other"
    );
    for (text, code) in [
        ("SELECT * FROM secrets", code::NOT_ALLOWED),
        ("SELECT * FROM pg_stats", code::EXECUTION_ERROR),
        ("SELECT * FROM information_schema.tables", code::EXECUTION_ERROR),
        ("SELECT pg_read_file('/etc/passwd')", code::NOT_ALLOWED),
        ("INSERT INTO countries VALUES ('x')", code::NOT_ALLOWED),
        ("TRUNCATE orders", code::NOT_ALLOWED),
        ("SELECT * FROM more.orders", code::VALIDATION_FAILED),
    ] {
        assert_eq!(
            call::<execute>(&harness, text, "null").expect_err(text).code,
            code,
            "{text}"
        );
    }
}

#[test]
fn policies_of_the_database_see_the_tenant_on_postgres() {
    let tables = r#"
        CREATE ROLE limited LOGIN PASSWORD 'hunter2';
        CREATE TABLE notes (id integer, text text, owner text DEFAULT current_setting('patchbay.tenant'));
        ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON notes USING (owner = current_setting('patchbay.tenant'));
        GRANT ALL ON notes TO limited;
        INSERT INTO notes VALUES (1, 'mine', 'acme'), (2, 'FOREIGN', 'other');
    "#;
    let database = Database::new("policies", tables);
    let harness = Harness::new()
        .tenant("acme")
        .secret("DATABASE_URL", &database.address("limited", "sslmode=disable"))
        .setting("sql.tenant_filter", "off");
    assert_eq!(
        rows(&harness, "SELECT text FROM notes", "null").unwrap(),
        r#"[{"text":"mine"}]"#
    );
    call::<execute>(&harness, "INSERT INTO notes (id, text) VALUES (3, 'x')", "null").unwrap();
    assert_eq!(database.seen("SELECT owner FROM notes WHERE id = 3"), "acme");
    let error = call::<execute>(&harness, "INSERT INTO notes VALUES (4, 'x', 'other')", "null").unwrap_err();
    assert_eq!(error.code, code::NOT_ALLOWED);
}

#[test]
fn values_of_all_types_come_and_go_on_postgres() {
    let tables = r#"
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE DOMAIN small AS integer CHECK (VALUE < 100);
        CREATE TABLE t ("tenantId" text, b boolean, i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, n numeric,
            s text, v varchar(9), c char(3), y bytea, j json, jb jsonb, u uuid, d date, ti time, tz timestamptz, ts timestamp,
            iv interval, ip inet, m mood, sm small, ia int[], ta text[][], bi bit(3));
    "#;
    let database = Database::new("types", tables);
    let harness = database.harness("acme");
    let given = r#"{"b": true, "i2": -7, "i4": 2147483647, "i8": 9007199254740993, "f4": 0.1, "f8": 1e-300,
        "n": "12345678901234567890.123456789", "s": "é ' \\ \"", "v": "x", "c": "ab", "y": "AQID/w==", "j": {"k": [1, null]},
        "jb": ["a", {"b": 1.5}], "u": "123E4567-e89b-42d3-a456-426614174000", "d": "2024-02-29", "ti": "12:34:56.789",
        "tz": 1700000000123, "ts": "2024-01-02T03:04:05.123456", "iv": "1 year 2 days 03:00:04.5", "ip": "10.0.0.1",
        "m": "good", "sm": 99, "ia": [1, null, 3], "ta": [["a", "b\"\\"], ["c", "d"]], "bi": "101"}"#;
    let names: Vec<String> = Value::from_json(given)
        .unwrap()
        .as_ref()
        .as_map()
        .unwrap()
        .keys()
        .map(str::to_owned)
        .collect();
    let insert = format!(
        "INSERT INTO t ({}) VALUES (:{})",
        names.join(", "),
        names.join(", :")
    );
    call::<execute>(&harness, &insert, given).unwrap();
    let found = rows(&harness, &format!("SELECT {} FROM t", names.join(", ")), "null").unwrap();
    assert_eq!(
        found,
        r#"[{"b":true,"i2":-7,"i4":2147483647,"i8":9007199254740993,"f4":0.1,"f8":1e-300,"#.to_owned()
            + r#""n":"12345678901234567890.123456789","s":"é ' \\ \"","v":"x","c":"ab ","y":"AQID/w==","j":{"k":[1,null]},"#
            + r#""jb":["a",{"b":1.5}],"u":"123e4567-e89b-42d3-a456-426614174000","d":"2024-02-29","ti":"12:34:56.789","#
            + r#""tz":"2023-11-14T22:13:20.123Z","ts":"2024-01-02T03:04:05.123456","iv":"P1Y2DT3H4.5S","ip":"10.0.0.1","#
            + r#""m":"good","sm":99,"ia":[1,null,3],"ta":[["a","b\"\\"],["c","d"]],"bi":"101"}]"#
    );
    let nulls: Vec<String> = names.iter().map(|name| format!("\"{name}\": null")).collect();
    call::<execute>(&harness, &insert, &format!("{{{}}}", nulls.join(","))).unwrap();
    let found = rows(&harness, "SELECT * FROM t WHERE b IS NULL", "null").unwrap();
    assert_eq!(found.matches("null").count(), names.len(), "{found}");
    for (column, value, code) in [
        ("i4", "\"x\"", code::VALIDATION_FAILED),
        ("i4", "2.5", code::VALIDATION_FAILED),
        ("i2", "70000", code::VALIDATION_FAILED),
        ("v", "\"too long for it\"", code::VALIDATION_FAILED),
        ("y", "\"?\"", code::VALIDATION_FAILED),
        ("u", "\"x\"", code::VALIDATION_FAILED),
        ("sm", "100", code::VALIDATION_FAILED),
        ("m", "\"great\"", code::VALIDATION_FAILED),
        ("b", "[1]", code::VALIDATION_FAILED),
        ("s", "\"a\\u0000\"", code::VALIDATION_FAILED),
    ] {
        let error = call::<execute>(
            &harness,
            &format!("INSERT INTO t ({column}) VALUES (?)"),
            &format!("[{value}]"),
        );
        assert_eq!(error.expect_err(value).code, code, "{column} {value}");
    }
    for (text, code) in [
        ("SELECT to_tsvector('a') AS t", code::UNSUPPORTED),
        ("SELECT CAST('NaN' AS float8) AS f", code::EXECUTION_ERROR),
        ("SELECT CAST('NaN' AS numeric) AS f", code::EXECUTION_ERROR),
    ] {
        let error = rows(&harness, text, "null").unwrap_err();
        assert_eq!(error.code, code, "{text}: {error}");
        assert!(error.message.contains("CAST("), "{error}");
    }
}

#[test]
fn failures_have_codes_on_postgres() {
    let database = Database::new("failures", TABLES);
    let harness = database.harness("acme");
    for (text, code, part) in [
        (
            "INSERT INTO orders (id, item) VALUES (1, 'x')",
            "CONFLICT",
            "(id)=(1) already exists",
        ),
        (
            "INSERT INTO orders (id) VALUES (9)",
            code::VALIDATION_FAILED,
            "null value in column",
        ),
        (
            "INSERT INTO orders (id, item) VALUES (9, '')",
            code::VALIDATION_FAILED,
            "check constraint",
        ),
        (
            "INSERT INTO lines (\"order\") VALUES (77)",
            code::VALIDATION_FAILED,
            "not present",
        ),
        ("SELECT nowhere FROM orders", code::EXECUTION_ERROR, "nowhere"),
        ("SELECT 1 / 0", code::VALIDATION_FAILED, "division by zero"),
        ("SELECT lower(1, 2)", code::EXECUTION_ERROR, "42883"),
    ] {
        let error = call::<execute>(&harness, text, "null").expect_err(text);
        assert_eq!(error.code, code, "{text}: {error}");
        assert!(error.message.contains(part), "{text}: {error}");
    }
    let conflict =
        call::<execute>(&harness, "INSERT INTO orders (id, item) VALUES (1, 'x')", "null").unwrap_err();
    assert_eq!(conflict.status_code, Some(409));
    let error = rows(&harness, "SELECT nowhere FROM orders", "null").unwrap_err();
    let near = error.details.unwrap().as_ref().get("near").unwrap().to_value();
    assert!(
        near.as_ref().as_str().unwrap().starts_with("nowhere FROM"),
        "{near}"
    );
    let error = call::<query>(&harness, "DELETE FROM orders", "null").unwrap_err();
    assert_eq!(error.code, code::NOT_ALLOWED);

    let transaction = |input: &str| harness.call::<transaction>(input);
    let error =
        transaction(r#"{"statements": ["DELETE FROM orders", "INSERT INTO orders (id) VALUES (9)"]}"#)
            .unwrap_err();
    assert!(error.message.starts_with("statement 2: "), "{error}");
    assert_eq!(database.seen("SELECT count(*) FROM orders"), "3");
    let output = transaction(
        r#"{"statements": ["DELETE FROM orders WHERE id = 1", "SELECT count(*) AS n FROM orders"]}"#,
    );
    assert!(output.unwrap().to_json().contains(r#"[{"n":1}]"#));
}

#[test]
fn the_catalogue_is_told_on_postgres() {
    let database = Database::new("catalogue", TABLES);
    let harness = database
        .harness("acme")
        .setting("sql.shared_tables", "public.countries");
    let output = harness.call::<tables>("{}").unwrap().to_json();
    for part in [
        r#"{"name":"countries","schema":"public","type":"table","access":"shared"}"#,
        r#"{"name":"orders","schema":"more","type":"table","access":"tenant"}"#,
        r#"{"name":"secrets","schema":"public","type":"table","access":"none"}"#,
    ] {
        assert!(output.contains(part), "{output}");
    }
    let output = harness
        .call::<describe>(r#"{"table": "ORDERS"}"#)
        .unwrap()
        .to_json();
    assert!(
        output.contains(r#""schema":"public","access":"tenant","tenantColumn":"tenantId""#),
        "{output}"
    );
    assert!(
        output.contains(r#"{"name":"id","type":"integer","nullable":false,"default":null,"primaryKey":true,"generated":false}"#),
        "{output}"
    );
    let output = harness
        .call::<describe>(r#"{"table": "orders", "schema": "more"}"#)
        .unwrap()
        .to_json();
    assert!(output.contains(r#""type":"uuid""#), "{output}");
    let output = harness.call::<ping>("{}").unwrap().to_json();
    assert!(
        output.contains(r#""dialect":"postgres","version":"PostgreSQL "#),
        "{output}"
    );
}

#[test]
fn results_are_bounded_and_statements_end_with_their_call_on_postgres() {
    let database = Database::new("bounded", TABLES);
    let harness = database.harness("acme");
    let input = r#"{"query": "SELECT n FROM generate_series(1, 100000000) AS s(n)", "maxRows": 100}"#;
    let error = harness.call::<query>(input).unwrap_err();
    assert_eq!(error.code, code::LIMIT_EXCEEDED);
    let wide = "SELECT repeat('x', 20000000) AS a FROM generate_series(1, 10)";
    assert_eq!(
        rows(&harness, wide, "null").unwrap_err().code,
        code::LIMIT_EXCEEDED
    );

    let hurried = harness.deadline(Duration::from_millis(200));
    let endless = "SELECT count(*) AS n FROM generate_series(1, 1000000000) AS a(i), generate_series(1, 1000000000) AS b(j)";
    assert_eq!(rows(&hurried, endless, "null").unwrap_err().code, code::TIMEOUT);
    // All of these are cancelled at the server: nothing runs there any more, soon.
    let running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND query LIKE '%generate_series%' \
                   AND pid <> pg_backend_pid()";
    assert!((0..500).any(|_| database.seen(running) == "0"), "still running");
}

/// Each of these would fail for a row of the other tenant, if it were looked at before its tenant is.
#[test]
fn no_failure_tells_of_another_tenants_row_on_postgres() {
    let tables = r#"
        CREATE TABLE t (id int PRIMARY KEY, "tenantId" text, s text, n int, j jsonb, u uuid);
        INSERT INTO t SELECT i, 'acme', 'true', 1, 'true', NULL FROM generate_series(1, 50) i;
        INSERT INTO t SELECT i, 'other', '(', 0, '"FOREIGN"', NULL FROM generate_series(51, 5000) i;
        CREATE INDEX by_s ON t (s);
        CREATE INDEX by_n ON t (n, s);
        CREATE INDEX by_j ON t USING gin (j);
        ANALYZE t;
    "#;
    let database = Database::new("silent", tables);
    let conditions = [
        "s ~ s",
        "s::boolean",
        "j::boolean",
        "CAST(s AS boolean) AND s >= ''",
        "1 / n = 1",
        "n >= 0 AND 1 / n = 1 AND s >= ''",
        "CASE WHEN n = 0 THEN 1 / n = 1 ELSE true END",
        "n >= 0 AND s ~ s",
        "j @> j AND j::boolean",
        "(s, n) >= ('', 0) AND s ~ s",
        "EXISTS (SELECT 1 FROM t x WHERE x.n = t.n AND x.s ~ x.s)",
        "s::boolean OR 1 / n = 1",
    ];
    for plan in [
        "enable_seqscan",
        "enable_indexscan",
        "enable_bitmapscan",
        "enable_hashjoin",
    ] {
        let options = format!("sslmode=disable&options=-c%20{plan}%3Doff");
        let harness = Harness::new()
            .tenant("acme")
            .secret("DATABASE_URL", &database.address("admin", &options));
        for condition in conditions {
            for text in [
                format!("SELECT count(*) AS n FROM t WHERE {condition}"),
                format!(
                    "SELECT count(*) AS n FROM (VALUES (1), (2)) v (i) LEFT JOIN t ON v.i = t.id AND {condition}"
                ),
                format!(
                    "SELECT count(*) AS n FROM (SELECT * FROM t) t JOIN (SELECT id AS i FROM t) o ON o.i = t.id WHERE {condition}"
                ),
                format!("SELECT count(*) AS n FROM (SELECT {condition} AS x FROM t) q WHERE x"),
                format!(
                    "WITH q AS (SELECT {condition} AS x, s FROM t) SELECT count(*) AS n FROM q WHERE x AND s >= ''"
                ),
                format!("UPDATE t SET n = 1 WHERE {condition}"),
                format!("DELETE FROM t WHERE {condition} AND id = 9000"),
            ] {
                let done = call::<execute>(&harness, &text, "null");
                assert!(done.is_ok(), "{plan}: {text}: {done:?}");
            }
        }
    }
    assert_eq!(
        database.seen("SELECT count(*) FROM t WHERE s = '(' AND n = 0"),
        "4950"
    );
}
