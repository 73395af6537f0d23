use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

use crate::nodes::{dbal_aggregate, dbal_read, dbal_write};
use crate::postgres::tests_server::Database;

const TABLES: &str = r#"
    CREATE TABLE "User" (id text PRIMARY KEY, "tenantId" text, email text UNIQUE, level int DEFAULT 0, "isActive" boolean,
        "createdAt" timestamptz DEFAULT now(), profile jsonb, roles text[], balance numeric(12, 2));
    INSERT INTO "User" VALUES
        ('u1', 'acme', 'a@x.y', 1, true, '2024-01-01T00:00:00Z', '{"tags": ["red", "blue"]}', '{admin,staff}', 10.50),
        ('u2', 'acme', 'b@x.y', 5, false, '2024-02-01T00:00:00Z', '{"tags": []}', '{}', 0.10),
        ('u3', 'acme', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('o1', 'other', 'o@x.y', 9, true, '2024-01-01T00:00:00Z', '{}', '{admin}', 99);
    CREATE TABLE "Token" (id uuid PRIMARY KEY, "tenantId" text, "userId" text, "expiresAt" timestamp);
"#;

fn ids(harness: &Harness, filter: &str) -> Result<String, NodeError> {
    let input = format!(r#"{{"entity": "user", "filter": {filter}, "sort": ["id"], "fields": ["id"]}}"#);
    let output = harness.call::<dbal_read>(&input)?;
    let rows = output.as_ref().get("result").unwrap().to_value();
    let rows = rows.as_ref().as_list().unwrap();
    let ids: Vec<&str> = rows
        .iter()
        .map(|row| row.get("id").unwrap().as_str().unwrap())
        .collect();
    Ok(ids.join(" "))
}

#[test]
fn filters_find_the_same_rows_on_postgres() {
    let database = Database::new("filters", TABLES);
    let harness = database.harness("acme");
    for (filter, expected) in [
        ("{}", "u1 u2 u3"),
        (r#"{"tenantId": "acme", "email": "a@x.y"}"#, "u1"),
        (r#"{"email": null}"#, "u3"),
        (r#"{"isActive": false}"#, "u2"),
        (
            r#"{"createdAt": {"$gte": "2024-01-15T00:00:00.000Z", "$lte": "2024-02-15T00:00:00.000Z"}}"#,
            "u2",
        ),
        (r#"{"createdAt": {"$lt": 1705000000000}}"#, "u1"),
        (r#"{"level": {"$in": [1, "5", 9]}}"#, "u1 u2"),
        (r#"{"level": {"$nin": [1]}}"#, "u2 u3"),
        (r#"{"level": {"$ne": 1}}"#, "u2 u3"),
        (r#"{"balance": {"$gt": 0.1}}"#, "u1"),
        (r#"{"email": {"$like": "%@x.y"}}"#, "u1 u2"),
        (r#"{"email": {"$ilike": "A@%"}}"#, "u1"),
        (r#"{"email": {"$contains": "@"}}"#, "u1 u2"),
        (r#"{"email": {"$icontains": "B@"}}"#, "u2"),
        (r#"{"email": {"$startsWith": "a"}}"#, "u1"),
        (r#"{"email": {"$endsWith": "y"}}"#, "u1 u2"),
        (r#"{"level": {"$contains": "5"}}"#, "u2"),
        (r#"{"roles": {"$contains": "admin"}}"#, "u1"),
        (r#"{"profile": {"$contains": {"tags": ["red"]}}}"#, "u1"),
        (
            r#"{"$or": [{"level": {"$gte": 5}}, {"level": {"$exists": false}}]}"#,
            "u2 u3",
        ),
        (r#"{"$not": {"level": {"$gt": 2}}}"#, "u1 u3"),
        (r#"{"email": "x' OR '1' = '1"}"#, ""),
    ] {
        assert_eq!(ids(&harness, filter).unwrap(), expected, "{filter}");
    }
    assert_eq!(
        ids(&harness, r#"{"tenantId": "other"}"#).unwrap_err().code,
        code::NOT_ALLOWED
    );
    let output = harness
        .call::<dbal_read>(r#"{"entity": "User", "sort": {"level": -1}, "fields": ["id", "balance"]}"#)
        .unwrap();
    assert_eq!(
        output.as_ref().get("result").unwrap().to_json(),
        r#"[{"id":"u2","balance":0.1},{"id":"u1","balance":10.5},{"id":"u3","balance":null}]"#
    );
    let output = harness
        .call::<dbal_aggregate>(
            r#"{"entity": "User", "aggregations": {"n": "count(*)", "avg": "avg(level)", "sum": "sum(balance)", "max": "max(level)"}}"#,
        )
        .unwrap();
    assert_eq!(
        output.as_ref().get("result").unwrap().to_json(),
        r#"{"n":3,"avg":3.0,"sum":10.6,"max":5}"#
    );
    let output = harness
        .call::<dbal_aggregate>(
            r#"{"entity": "User", "groupBy": "isActive", "sort": {"count": -1, "isActive": 1}}"#,
        )
        .unwrap();
    assert_eq!(
        output.as_ref().get("result").unwrap().to_json(),
        r#"[{"isActive":null,"count":1},{"isActive":false,"count":1},{"isActive":true,"count":1}]"#
    );
}

#[test]
fn rows_are_written_on_postgres() {
    let database = Database::new("written", TABLES);
    let harness = database.harness("acme");
    let write = |input: &str| harness.call::<dbal_write>(input).map(|output| output.to_json());
    let output = write(
        r#"{"entity": "User", "operation": "create", "data": {"id": "u9", "email": "n@x.y", "tenantId": "acme",
            "createdAt": "2024-05-06T07:08:09.123Z", "profile": {"a": 1}, "roles": ["x"], "balance": 1.1}}"#,
    );
    assert_eq!(
        output.unwrap(),
        r#"{"success":true,"result":{"id":"u9","tenantId":"acme","email":"n@x.y","level":0,"isActive":null,"#
            .to_owned()
            + r#""createdAt":"2024-05-06T07:08:09.123Z","profile":{"a":1},"roles":["x"],"balance":1.1},"affectedRows":1,"created":true}"#
    );
    let output = write(
        r#"{"entity": "Token", "operation": "create", "data": {"userId": "u1", "expiresAt": 1700000000000}}"#,
    );
    assert!(
        output
            .unwrap()
            .contains(r#""expiresAt":"2023-11-14T22:13:20.000""#)
    );
    let output = write(
        r#"{"entity": "User", "operation": "update", "filter": {"id": "u1"}, "data": {"level": 2, "profile": null}}"#,
    );
    assert!(output.unwrap().contains(r#""level":2"#));
    let error = write(
        r#"{"entity": "User", "operation": "update", "filter": {"level": {"$exists": true}}, "data": {"level": 7}}"#,
    );
    assert!(error.unwrap_err().message.contains("`updateMany`"));
    let output = write(
        r#"{"entity": "User", "operation": "updateMany", "filter": {"level": {"$exists": true}}, "data": {"level": 7}}"#,
    );
    assert!(output.unwrap().contains(r#""result":3"#));
    for (email, created) in [("new@x.y", true), ("new@x.y", false)] {
        let input = format!(
            r#"{{"entity": "User", "operation": "upsert", "filter": {{"email": "{email}"}}, "data": {{"level": 3}}}}"#
        );
        assert!(
            write(&input)
                .unwrap()
                .ends_with(&format!(r#""affectedRows":1,"created":{created}}}"#))
        );
    }
    // The address is another tenant's: it can neither be changed nor made once more.
    let error = write(
        r#"{"entity": "User", "operation": "upsert", "filter": {"email": "o@x.y"}, "data": {"level": 3}}"#,
    );
    assert_eq!(error.unwrap_err().code, "CONFLICT");
    let error =
        write(r#"{"entity": "User", "operation": "createMany", "data": [{"id": "m1"}, {"id": "u1"}]}"#);
    assert_eq!(error.unwrap_err().code, "CONFLICT");
    let output = write(r#"{"entity": "User", "operation": "delete", "id": "u2"}"#);
    assert!(output.unwrap().contains(r#""id":"u2""#));
    let output = write(r#"{"entity": "User", "operation": "deleteMany", "allRows": true}"#);
    assert!(output.unwrap().contains(r#""result":4"#));
    assert_eq!(
        database.seen("SELECT string_agg(id || email || level, ' ') FROM \"User\""),
        "o1o@x.y9"
    );
}

#[test]
fn upserts_at_the_same_time_make_one_row_on_postgres() {
    let database = Database::new("raced", TABLES);
    std::thread::scope(|scope| {
        for number in 0..6 {
            let harness = database.harness("acme");
            scope.spawn(move || {
                for round in 0..5 {
                    let input = format!(
                        r#"{{"entity": "User", "operation": "upsert", "filter": {{"email": "r{round}@x.y"}}, "data": {{"level": {number}}}}}"#
                    );
                    harness.call::<dbal_write>(&input).unwrap();
                }
            });
        }
    });
    assert_eq!(
        database.seen("SELECT count(*) FROM \"User\" WHERE email LIKE 'r%'"),
        "5"
    );
}
