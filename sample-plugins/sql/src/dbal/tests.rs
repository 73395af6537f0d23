use std::fmt::Write as _;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

use crate::nodes::{dbal_aggregate, dbal_read, dbal_write, execute};

/// A tenant's own database in memory, with rows of it and of another tenant.
pub(super) struct World {
    pub(super) harness: Harness,
}

impl World {
    /// `name` is the test's: databases in memory are kept by tenant.
    pub(super) fn new(name: &str) -> Self {
        let open = Harness::new()
            .tenant(name)
            .secret("DATABASE_URL", "sqlite::memory:")
            .setting("sql.allow_ddl", "true")
            .setting("sql.tenant_filter", "off");
        for text in [
            "CREATE TABLE Session (id TEXT PRIMARY KEY, tenantId TEXT, userId TEXT, token BLOB, meta JSON, lastSeen INTEGER)",
            "CREATE TABLE Item (id INTEGER PRIMARY KEY, tenantId TEXT, name TEXT, size REAL, isRead BOOLEAN, tags JSON, createdAt TEXT)",
            "CREATE TABLE Pair (a TEXT, b TEXT, tenantId TEXT, n INTEGER, UNIQUE (a, b))",
        ] {
            let input = Value::from_pairs([("query", Value::from(text).as_ref())]).unwrap();
            open.call::<execute>(&input.to_json()).unwrap();
        }
        let insert = "INSERT INTO Item VALUES \
            (1, ?, 'apple', 1.5, 0, '[\"red\",\"round\"]', '2024-01-01T00:00:00.000Z'), \
            (2, ?1, 'Banana', 2.5, 1, '[\"long\"]', '2024-02-01T00:00:00.000Z'), \
            (3, ?1, 'cherry 100%', NULL, 0, NULL, '2024-03-01T00:00:00.000Z'), \
            (4, ?1, NULL, 4, 1, '{\"k\": 1}', NULL), \
            (5, 'other', 'apple', 1.5, 0, '[\"red\"]', '2024-01-01T00:00:00.000Z')";
        let (query, name_value) = (Value::from(insert), Value::from(name));
        let params = Value::from_items([name_value.as_ref()]).unwrap();
        let input = Value::from_pairs([("query", query.as_ref()), ("params", params.as_ref())]).unwrap();
        open.call::<execute>(&input.to_json()).unwrap();
        let harness = Harness::new()
            .tenant(name)
            .secret("DATABASE_URL", "sqlite::memory:");
        Self { harness }
    }

    pub(super) fn read(&self, input: &str) -> Result<String, NodeError> {
        self.harness
            .call::<dbal_read>(input)
            .map(|output| output.to_json())
    }

    /// The ids that a filter finds, in order.
    pub(super) fn ids(&self, filter: &str) -> Result<String, NodeError> {
        let input = format!(r#"{{"entity": "Item", "filter": {filter}, "sort": "id", "fields": "id"}}"#);
        let output = self.harness.call::<dbal_read>(&input)?;
        let mut ids = String::new();
        for row in output.as_ref().get("result").unwrap().as_list().unwrap().iter() {
            write!(ids, "{} ", row.get("id").unwrap().as_i64().unwrap()).unwrap();
        }
        Ok(ids.trim().to_owned())
    }

    fn write(&self, input: &str) -> Result<String, NodeError> {
        self.harness
            .call::<dbal_write>(input)
            .map(|output| output.to_json())
    }

    fn count(&self, entity: &str) -> i64 {
        let input = format!(r#"{{"entity": "{entity}", "operation": "count"}}"#);
        let output = self.harness.call::<dbal_read>(&input).unwrap();
        output.as_ref().get("result").unwrap().as_i64().unwrap()
    }
}

#[test]
fn a_page_says_whether_there_is_more() {
    let world = World::new("page");
    let page = |limit: u32, offset: u32| {
        let input = format!(
            r#"{{"entity": "item", "sort": {{"id": -1}}, "fields": ["id"], "limit": {limit}, "offset": {offset}}}"#
        );
        world.read(&input).unwrap()
    };
    assert_eq!(
        page(2, 0),
        r#"{"success":true,"result":[{"id":4},{"id":3}],"count":2,"hasMore":true}"#
    );
    assert_eq!(
        page(2, 2),
        r#"{"success":true,"result":[{"id":2},{"id":1}],"count":2,"hasMore":false}"#
    );
    assert_eq!(
        page(0, 0),
        r#"{"success":true,"result":[],"count":0,"hasMore":true}"#
    );
}

#[test]
fn one_row_is_a_map_or_null() {
    let world = World::new("one");
    for input in [
        r#"{"entity": "Item", "id": 1, "fields": "id"}"#,
        r#"{"entity": "Item", "operation": "get", "id": "1", "fields": "id"}"#,
        r#"{"entity": "Item", "operation": "findOne", "filter": {"name": "apple"}, "fields": "id"}"#,
        r#"{"entity": "Item", "operation": "read", "single": true, "sort": "id", "fields": "id"}"#,
    ] {
        assert_eq!(
            world.read(input).unwrap(),
            r#"{"success":true,"result":{"id":1}}"#,
            "{input}"
        );
    }
    let none = r#"{"success":true,"result":null}"#;
    assert_eq!(world.read(r#"{"entity": "Item", "id": 5}"#).unwrap(), none);
    let output = world
        .read(r#"{"entity": "Item", "operation": "exists", "filter": {"id": 5}}"#)
        .unwrap();
    assert!(output.contains(r#""result":false"#), "{output}");
    let output = world
        .read(r#"{"entity": "Item", "operation": "exists", "filter": {"id": 4}}"#)
        .unwrap();
    assert!(output.contains(r#""result":true"#), "{output}");
}

#[test]
fn nothing_comes_before_everything_else() {
    let world = World::new("order");
    let order = |sort: &str| {
        let input = format!(r#"{{"entity": "Item", "sort": {sort}, "fields": ["id"]}}"#);
        let output = world.read(&input)?;
        Ok::<String, NodeError>(output.chars().filter(char::is_ascii_digit).take(4).collect())
    };
    for (sort, ids) in [
        (r#"{"size": 1}"#, "3124"),
        (r#"{"size": -1}"#, "4213"),
        (r#"{"isRead": "desc", "id": "asc"}"#, "2413"),
        (
            r#"[{"field": "isRead", "direction": "desc"}, {"field": "id", "direction": -1}]"#,
            "4231",
        ),
        (r#"["-isRead", "id"]"#, "2413"),
        (r#""-isRead, id desc""#, "4231"),
        (r#"{"field": "id"}"#, "1234"),
    ] {
        assert_eq!(order(sort).unwrap(), ids, "{sort}");
    }
    for sort in [
        r#"{"size": 2}"#,
        r#"{"nowhere": 1}"#,
        "7",
        r#"[["id"]]"#,
        r#""id sideways""#,
    ] {
        let error = order(sort).unwrap_err();
        assert!(error.message.contains("`sort`"), "{sort}: {error}");
    }
}

#[test]
fn sums_are_over_the_tenants_rows() {
    let world = World::new("sums");
    let aggregate = |input: &str| {
        world
            .harness
            .call::<dbal_aggregate>(input)
            .map(|output| output.to_json())
    };
    assert_eq!(
        aggregate(
            r#"{"entity": "Item", "aggregations": {"n": "count", "named": "count(name)", "kinds": "count(distinct isRead)",
                "sum": "sum(size)", "avg": {"$avg": "size"}, "low": "min(size)", "high": "MAX( size )"}}"#
        )
        .unwrap(),
        r#"{"success":true,"result":{"n":4,"named":3,"kinds":2,"sum":8.0,"avg":2.6666666666666665,"low":1.5,"high":4.0}}"#
    );
    assert_eq!(
        aggregate(
            r#"{"entity": "Item", "aggregates": [{"function": "sum", "field": "size", "as": "s"}, {"fn": "max", "column": "size"}],
                "filter": {"id": 99}}"#
        )
        .unwrap(),
        r#"{"success":true,"result":{"s":0,"max_size":null}}"#
    );
    assert_eq!(
        aggregate(r#"{"entity": "Item", "groupBy": "isRead"}"#).unwrap(),
        r#"{"success":true,"result":[{"isRead":false,"count":2},{"isRead":true,"count":2}],"count":2}"#
    );
    let output = world
        .read(r#"{"entity": "Item", "operation": "aggregate", "aggregates": {"n": "count(*)"}, "filter": {"isRead": true}}"#)
        .unwrap();
    assert_eq!(output, r#"{"success":true,"result":{"n":2}}"#);
    for (input, part) in [
        (
            r#"{"entity": "Item", "aggregations": {"x": "median(size)"}}"#,
            "`median`",
        ),
        (
            r#"{"entity": "Item", "aggregations": {"x": "sum(nowhere)"}}"#,
            "no column `nowhere`",
        ),
        (
            r#"{"entity": "Item", "aggregations": {"x": "sum"}}"#,
            "says no column",
        ),
        (r#"{"entity": "Item", "aggregations": 7}"#, "`aggregates`"),
        (r#"{"entity": "Item", "groupBy": 7}"#, "`groupBy`"),
        (
            r#"{"entity": "Item", "groupBy": ["id"], "limit": 3}"#,
            "more than 3 groups",
        ),
        (
            r#"{"entity": "Item", "groupBy": ["id"], "sort": {"size": 1}}"#,
            "`size` is neither",
        ),
        (
            r#"{"entity": "Item", "groupBy": ["id"], "aggregations": {"id": "count(*)"}}"#,
            "twice",
        ),
        (r#"{"entity": "Nobody"}"#, "no table `Nobody`"),
    ] {
        let error = aggregate(input).unwrap_err();
        assert!(error.message.contains(part), "{input}: {error}");
    }
}

#[test]
fn a_row_is_made_with_an_id_and_as_its_columns_keep_it() {
    let world = World::new("create");
    let output = world
        .write(
            r#"{"entity": "Session", "operation": "create", "data": {"userId": "u", "tenantId": "create", "token": "AQI=",
                "meta": {"a": [1, true]}, "lastSeen": 1700000000000}}"#,
        )
        .unwrap();
    let output = Value::from_json(&output).unwrap();
    let row = output.as_ref().get("result").unwrap();
    let text = |name: &str| row.get(name).unwrap().to_json();
    assert_eq!(text("id").len(), 38, "{output}");
    assert_eq!(text("id").chars().nth(15), Some('4'), "{output}");
    assert_eq!(
        (text("tenantId").as_str(), text("token").as_str()),
        ("\"create\"", "\"AQI=\"")
    );
    assert_eq!(text("meta"), r#"{"a":[1,true]}"#);
    let found = world
        .harness
        .call::<dbal_read>(r#"{"entity": "Session", "filter": {"token": "AQI="}, "single": true}"#);
    let found = found.unwrap();
    assert_eq!(
        found
            .as_ref()
            .get("result")
            .unwrap()
            .get("token")
            .unwrap()
            .as_bytes(),
        Some(&[1, 2][..])
    );

    let output = world
        .write(r#"{"entity": "Item", "operation": "create", "data": {}}"#)
        .unwrap();
    assert!(
        output.contains(r#""result":{"id":6,"tenantId":"create","name":null"#),
        "{output}"
    );
    let many = r#"{"entity": "Item", "operation": "createMany", "data": [{"name": "x"}, {"size": 1}]}"#;
    let output = world.write(many).unwrap();
    assert!(
        output.contains(r#""id":8"#) && output.contains(r#""affectedRows":2"#),
        "{output}"
    );
}

#[test]
fn what_is_said_of_one_row_touches_one() {
    let world = World::new("update");
    let write = |input: &str| world.write(input);
    let output = write(
        r#"{"entity": "Item", "operation": "update", "filter": {"id": 1}, "data": {"name": "pear", "tags": ["x"]}}"#,
    );
    assert!(output.unwrap().contains(r#""name":"pear""#));
    let none =
        write(r#"{"entity": "Item", "operation": "update", "id": 5, "data": {"name": "pear"}}"#).unwrap();
    assert_eq!(
        none,
        r#"{"success":true,"result":null,"affectedRows":0,"created":false}"#
    );
    for operation in ["update", "delete"] {
        let input = format!(
            r#"{{"entity": "Item", "operation": "{operation}", "filter": {{"isRead": true}}, "data": {{"name": "all"}}}}"#
        );
        let error = write(&input).unwrap_err();
        assert!(error.message.contains(&format!("`{operation}Many`")), "{error}");
    }
    assert_eq!(world.ids(r#"{"name": "all"}"#).unwrap(), "");
    let many = write(
        r#"{"entity": "Item", "operation": "updateMany", "filter": {"isRead": true}, "data": {"name": "all"}}"#,
    );
    assert!(many.unwrap().contains(r#""result":2,"affectedRows":2"#));
    let output = write(r#"{"entity": "Item", "operation": "delete", "id": 2}"#).unwrap();
    assert!(output.contains(r#""result":{"id":2"#), "{output}");
    assert_eq!(world.count("Item"), 3);
    let output = write(r#"{"entity": "Item", "operation": "deleteMany", "allRows": true}"#).unwrap();
    assert!(output.contains(r#""result":3"#), "{output}");
}

#[test]
fn an_upsert_changes_a_row_or_makes_it() {
    let world = World::new("upsert");
    let upsert = |a: &str, n: i32| {
        world.write(&format!(
            r#"{{"entity": "Pair", "operation": "upsert", "filter": {{"a": "{a}", "b": {{"$eq": "y"}}}}, "data": {{"n": {n}}}}}"#
        ))
    };
    assert!(
        upsert("x", 1)
            .unwrap()
            .ends_with(r#""affectedRows":1,"created":true}"#)
    );
    let output = upsert("x", 2).unwrap();
    assert!(
        output.contains(r#""n":2"#) && output.ends_with(r#""created":false}"#),
        "{output}"
    );
    assert_eq!(world.count("Pair"), 1);
    // The other tenant's row is in the way and stays as it is.
    let other = Harness::new()
        .tenant("upsert")
        .secret("DATABASE_URL", "sqlite::memory:")
        .setting("sql.tenant_filter", "off");
    other
        .call::<execute>(r#"{"query": "INSERT INTO Pair VALUES ('z', 'y', 'other', 7)"}"#)
        .unwrap();
    assert_eq!(upsert("z", 8).unwrap_err().code, "CONFLICT");
    let error = world
        .write(
            r#"{"entity": "Pair", "operation": "upsert", "filter": {"n": {"$gt": 1}}, "data": {"a": "q"}}"#,
        )
        .unwrap_err();
    assert!(error.message.contains("equality"), "{error}");
}

#[test]
fn writes_are_refused_with_a_reason() {
    let world = World::new("refused");
    for (input, code, part) in [
        (
            r#"{"entity": "Item", "operation": "create", "data": {"tenantId": "other"}}"#,
            code::NOT_ALLOWED,
            "`data`",
        ),
        (
            r#"{"entity": "Item", "operation": "create", "data": {"TENANTID": null}}"#,
            code::NOT_ALLOWED,
            "`data`",
        ),
        (
            r#"{"entity": "Item", "operation": "create", "data": [7]}"#,
            code::VALIDATION_FAILED,
            "`data`",
        ),
        (
            r#"{"entity": "Item", "operation": "create", "data": {"nowhere": 1}}"#,
            code::VALIDATION_FAILED,
            "no column `nowhere`",
        ),
        (
            r#"{"entity": "Item", "operation": "create", "data": {"id": 1}}"#,
            "CONFLICT",
            "already",
        ),
        (
            r#"{"entity": "Item", "operation": "create", "data": {"id": 5}}"#,
            "CONFLICT",
            "already",
        ),
        (
            r#"{"entity": "Item", "operation": "create", "data": {"name": 1, "NAME": 2}}"#,
            code::VALIDATION_FAILED,
            "twice",
        ),
        (
            r#"{"entity": "Session", "operation": "create", "data": {"token": "?"}}"#,
            code::VALIDATION_FAILED,
            "no base64",
        ),
        (
            r#"{"entity": "Item", "operation": "update", "data": {"name": 1}}"#,
            code::VALIDATION_FAILED,
            "`filter`",
        ),
        (
            r#"{"entity": "Item", "operation": "update", "id": 1, "data": {}}"#,
            code::VALIDATION_FAILED,
            "nothing to change",
        ),
        (
            r#"{"entity": "Item", "operation": "update", "id": 1, "data": {"tenantId": "other"}}"#,
            code::NOT_ALLOWED,
            "`data`",
        ),
        (
            r#"{"entity": "Item", "operation": "update", "filter": {"tenantId": "other"}, "data": {"name": 1}}"#,
            code::NOT_ALLOWED,
            "`filter`",
        ),
        (
            r#"{"entity": "Item", "operation": "delete", "filter": {}}"#,
            code::VALIDATION_FAILED,
            "every row",
        ),
        (
            r#"{"entity": "Item", "operation": "deleteMany", "filter": {"$and": [{}]}}"#,
            code::VALIDATION_FAILED,
            "every row",
        ),
        (
            r#"{"entity": "Item", "operation": "updateMany", "filter": {"$or": [{"id": 1}, {}]}, "data": {"name": "x"}}"#,
            code::VALIDATION_FAILED,
            "every row",
        ),
        (
            r#"{"entity": "Item", "operation": "deleteMany", "filter": {"$not": {"$nor": [{"$and": [{}]}]}}}"#,
            code::VALIDATION_FAILED,
            "every row",
        ),
        (
            r#"{"entity": "Item", "operation": "deleteMany"}"#,
            code::VALIDATION_FAILED,
            "allRows",
        ),
        (
            r#"{"entity": "Item", "operation": "explode", "data": {}}"#,
            code::VALIDATION_FAILED,
            "`explode`",
        ),
        (
            r#"{"entity": " ", "operation": "create", "data": {}}"#,
            code::VALIDATION_FAILED,
            "`entity`",
        ),
        (
            r#"{"entity": "a\"b", "operation": "create", "data": {}}"#,
            code::VALIDATION_FAILED,
            "`entity`",
        ),
        (
            r#"{"entity": "Item", "operation": "create", "data": {"a\"b": 1}}"#,
            code::VALIDATION_FAILED,
            "no column",
        ),
        (
            r#"{"entity": "sqlite_schema", "operation": "create", "data": {}}"#,
            code::VALIDATION_FAILED,
            "no table",
        ),
    ] {
        let error = world.write(input).expect_err(input);
        assert_eq!(error.code, code, "{input}: {error}");
        assert!(error.message.contains(part), "{input}: {error}");
    }
    let items = r#"{"entity": "Item", "operation": "createMany", "data": [{"name": "x"}, {"id": 1}]}"#;
    assert_eq!(world.write(items).unwrap_err().code, "CONFLICT");
    assert_eq!(world.count("Item"), 4);
}
