use plugin_api::error::code;

use super::tests::World;

#[test]
fn a_filter_finds_the_rows_that_meet_it() {
    let world = World::new("filter");
    for (filter, ids) in [
        ("{}", "1 2 3 4"),
        ("null", "1 2 3 4"),
        (r#"{"name": "apple"}"#, "1"),
        (r#"{"name": "apple", "tenantId": "filter"}"#, "1"),
        (r#"{"NAME": "apple"}"#, "1"),
        (r#"{"name": null}"#, "4"),
        (r#"{"isRead": false}"#, "1 3"),
        (
            r#"{"createdAt": {"$gte": "2024-01-15", "$lte": "2024-02-15"}}"#,
            "2",
        ),
        (r#"{"size": {"$gt": 1.5}}"#, "2 4"),
        (r#"{"size": {"$lt": 2.5}}"#, "1"),
        (r#"{"size": {"$between": [2, 4]}}"#, "2 4"),
        (r#"{"id": {"$in": [1, 3, 5]}}"#, "1 3"),
        (r#"{"id": {"$in": []}}"#, ""),
        (r#"{"name": {"$in": ["apple", null]}}"#, "1 4"),
        (r#"{"name": {"$in": [null]}}"#, "4"),
        (r#"{"name": {"$nin": ["apple"]}}"#, "2 3 4"),
        (r#"{"name": {"$nin": []}}"#, "1 2 3 4"),
        (r#"{"name": {"$ne": "apple"}}"#, "2 3 4"),
        (r#"{"name": {"$ne": null}}"#, "1 2 3"),
        (r#"{"name": {"$eq": null}}"#, "4"),
        (r#"{"name": {"$exists": true}}"#, "1 2 3"),
        (r#"{"name": {"$exists": "false"}}"#, "4"),
        (r#"{"name": {"$isNull": true}}"#, "4"),
        (r#"{"name": {"$like": "%an%"}}"#, "2"),
        (r#"{"name": {"$ilike": "BAN%"}}"#, "2"),
        (r#"{"name": {"$contains": "a"}}"#, "1 2"),
        (r#"{"name": {"$contains": "B"}}"#, "2"),
        (r#"{"name": {"$contains": "0%"}}"#, "3"),
        (r#"{"name": {"$icontains": "b"}}"#, "2"),
        (r#"{"name": {"$startsWith": "b"}}"#, ""),
        (r#"{"name": {"$startsWith": "Ban"}}"#, "2"),
        (r#"{"name": {"$endsWith": "%"}}"#, "3"),
        (r#"{"name": {"$endsWith": ""}}"#, "1 2 3"),
        (r#"{"tags": {"$contains": "red"}}"#, "1"),
        (r#"{"$or": [{"id": 1}, {"size": {"$gte": 4}}]}"#, "1 4"),
        (
            r#"{"$and": [{"id": {"$gt": 1}}, {"id": {"$lt": 4}}], "isRead": true}"#,
            "2",
        ),
        (r#"{"$nor": [{"id": 1}, {"name": "Banana"}]}"#, "3 4"),
        (r#"{"$not": {"size": {"$gt": 2}}}"#, "1 3"),
        (r#"{"size": {"$not": {"$gt": 2}}}"#, "1 3"),
        (r#"{"$or": [{"tenantId": "filter"}, {"id": 1}]}"#, "1 2 3 4"),
        (r#"{"$or": [{}, {"id": 1}]}"#, "1 2 3 4"),
        (r#"{"$not": {"tenantId": "filter"}}"#, ""),
        (r#"{"tenantId": {"$in": ["filter"]}}"#, "1 2 3 4"),
        (r#"{"name": "x' OR 1 = 1 --"}"#, ""),
    ] {
        assert_eq!(world.ids(filter).unwrap(), ids, "{filter}");
    }
}

#[test]
fn a_filter_that_says_nothing_is_refused() {
    let world = World::new("badfilter");
    for (filter, code, part) in [
        ("7", code::VALIDATION_FAILED, "must be a map"),
        (
            r#"{"nowhere": 1}"#,
            code::VALIDATION_FAILED,
            "no column `nowhere`; it has id",
        ),
        (
            r#"{"a\"; DROP TABLE Item": 1}"#,
            code::VALIDATION_FAILED,
            "no column",
        ),
        (
            r#"{"name": {"$near": 1}}"#,
            code::VALIDATION_FAILED,
            "`$near` of `name` is not known",
        ),
        (
            r#"{"name": {"gte": 1}}"#,
            code::VALIDATION_FAILED,
            "begin with `$`",
        ),
        (r#"{"name": {}}"#, code::VALIDATION_FAILED, "begin with `$`"),
        (r#"{"name": ["a"]}"#, code::VALIDATION_FAILED, "$in"),
        (
            r#"{"name": {"$in": "a"}}"#,
            code::VALIDATION_FAILED,
            "must be a list",
        ),
        (
            r#"{"name": {"$in": [["a"]]}}"#,
            code::VALIDATION_FAILED,
            "`$in` of `name`",
        ),
        (
            r#"{"name": {"$gt": null}}"#,
            code::VALIDATION_FAILED,
            "nothing (null)",
        ),
        (
            r#"{"name": {"$eq": [1]}}"#,
            code::VALIDATION_FAILED,
            "`name` is compared",
        ),
        (
            r#"{"name": {"$contains": null}}"#,
            code::VALIDATION_FAILED,
            "must be a text",
        ),
        (
            r#"{"name": {"$exists": 7}}"#,
            code::VALIDATION_FAILED,
            "true or false",
        ),
        (
            r#"{"size": {"$between": [1]}}"#,
            code::VALIDATION_FAILED,
            "two values",
        ),
        (r#"{"$or": []}"#, code::VALIDATION_FAILED, "`$or` must be a list"),
        (r#"{"$or": [1]}"#, code::VALIDATION_FAILED, "must hold maps"),
        (
            r#"{"$xor": [{}]}"#,
            code::VALIDATION_FAILED,
            "`$xor` is not known",
        ),
        (r#"{"tenantId": "other"}"#, code::NOT_ALLOWED, "`filter`"),
        (r#"{"tenantId": null}"#, code::NOT_ALLOWED, "`filter`"),
        (r#"{"tenantId": {"$ne": "x"}}"#, code::NOT_ALLOWED, "`filter`"),
        (
            r#"{"tenantId": {"$in": ["badfilter", "other"]}}"#,
            code::NOT_ALLOWED,
            "`filter`",
        ),
        (
            r#"{"$or": [{"tenantId": "other"}, {"id": 1}]}"#,
            code::NOT_ALLOWED,
            "`filter`",
        ),
        (
            r#"{"$not": {"tenantId": "other"}}"#,
            code::NOT_ALLOWED,
            "`filter`",
        ),
    ] {
        let error = world.ids(filter).expect_err(filter);
        assert_eq!(error.code, code, "{filter}: {error}");
        assert!(error.message.contains(part), "{filter}: {error}");
    }
    let mut deep = r#"{"id": 1}"#.to_owned();
    for _ in 0..30 {
        deep = format!(r#"{{"$not": {deep}}}"#);
    }
    assert!(world.ids(&deep).unwrap_err().message.contains("nests deeper"));
    let many: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    let many = format!(r#"{{"id": {{"$in": [{}]}}}}"#, many.join(","));
    assert!(world.ids(&many).unwrap_err().message.contains("at most 10000"));
}

#[test]
fn many_values_can_be_compared() {
    let world = World::new("many");
    let many: Vec<String> = (0..9_000).map(|n| n.to_string()).collect();
    let many = format!(r#"{{"id": {{"$in": [{}]}}}}"#, many.join(","));
    assert_eq!(world.ids(&many).unwrap(), "1 2 3 4");
}
