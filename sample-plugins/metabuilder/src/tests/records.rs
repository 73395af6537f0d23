use super::*;

/// What a count of one record gives.
pub(super) const ONE: &str = r#"{"success": true, "result": 1}"#;
pub(super) const NONE: &str = r#"{"success": true, "result": 0}"#;

/// A database with one user: it answers as `dbal-read` and `dbal-write` do.
pub(super) fn database_of_ada(harness: Harness) -> Harness {
    recorded(harness, &Calls::default())
}

fn recorded(harness: Harness, calls: &Calls) -> Harness {
    let (reads, writes) = (calls.clone(), calls.clone());
    let operation = |input: ValueRef<'_>| input.get("operation").unwrap().as_str().unwrap().to_owned();
    harness
        .node("dbal-read", move |input| {
            reads.note("dbal-read", input);
            Ok(json(match operation(input).as_str() {
                "findOne" => r#"{"success": true, "result": {"id": "u1", "email": "ada@example.org"}}"#,
                "read" => {
                    r#"{"success": true, "result": [{"id": "u1", "email": "ada@example.org"}], "count": 1, "hasMore": false}"#
                }
                "count" => ONE,
                "aggregate" => r#"{"success": true, "result": {"total": 7}}"#,
                other => panic!("{other}"),
            }))
        })
        .node("dbal-write", move |input| {
            writes.note("dbal-write", input);
            Ok(json(match operation(input).as_str() {
                "create" => {
                    r#"{"success": true, "result": {"id": "u2", "email": "eve@example.org"}, "affectedRows": 1, "created": true}"#
                }
                "update" | "upsert" | "delete" => {
                    r#"{"success": true, "result": {"id": "u1"}, "affectedRows": 1, "created": false}"#
                }
                "updateMany" | "deleteMany" => {
                    r#"{"success": true, "result": 3, "affectedRows": 3, "created": false}"#
                }
                other => panic!("{other}"),
            }))
        })
}

#[test]
fn whether_a_read_gives_a_list_is_what_the_document_writes() {
    let calls = Calls::default();
    let harness = recorded(Harness::new(), &calls);
    for (more, is_list, asked) in [
        ("", false, ""),
        (
            r#", "filter": {"id": "u1", "tenantId": "t"}"#,
            false,
            r#","filter":{"id":"u1","tenantId":"t"}"#,
        ),
        (
            r#", "filter": {"isLive": true}"#,
            false,
            r#","filter":{"isLive":true}"#,
        ),
        (r#", "filter": null, "id": "u1""#, false, r#","id":"u1""#),
        (
            r#", "sort": {"createdAt": -1}"#,
            true,
            r#","sort":{"createdAt":-1}"#,
        ),
        (
            r#", "filter": {"id": "u1"}, "limit": "5""#,
            true,
            r#","filter":{"id":"u1"},"limit":5"#,
        ),
        (r#", "limit": null"#, true, ""),
        (r#", "sort": null, "offset": 20.0"#, true, r#","offset":20"#),
        (
            r#", "connection": "reports", "skip": 0"#,
            true,
            r#","connection":"reports","offset":0"#,
        ),
    ] {
        let input = format!(r#"{{"operation": "database_read", "entity": "User"{more}}}"#);
        let output = harness
            .call::<database>(&input)
            .unwrap_or_else(|error| panic!("{input}: {error}"));
        assert_eq!(output.as_ref().as_list().is_some(), is_list, "{input}");
        let operation = if is_list { "read" } else { "findOne" };
        let expected = format!(r#"{{"entity":"User","operation":"{operation}"{asked}}}"#);
        assert_eq!(calls.taken(), [("dbal-read".to_owned(), expected)], "{input}");
    }
}

#[test]
fn each_operation_is_one_of_the_database() {
    let calls = Calls::default();
    let harness = recorded(Harness::new(), &calls);
    for (input, node_type, asked, output) in [
        (
            r#"{"operation": "database_create", "entity": "User", "data": {"a": 1}, "filter": null}"#,
            "dbal-write",
            r#"{"entity":"User","operation":"create","data":{"a":1}}"#,
            r#"{"id":"u2","email":"eve@example.org"}"#,
        ),
        (
            r#"{"operation": "database_create", "entity": "User", "data": [{"a": 1}]}"#,
            "dbal-write",
            r#"{"entity":"User","operation":"create","data":[{"a":1}]}"#,
            r#"{"id":"u2","email":"eve@example.org"}"#,
        ),
        (
            r#"{"operation": "database_update", "entity": "User", "filter": {"id": "u1"}, "data": {"a": null}}"#,
            "dbal-write",
            r#"{"entity":"User","operation":"update","filter":{"id":"u1"},"data":{"a":null}}"#,
            r#"{"id":"u1"}"#,
        ),
        (
            r#"{"operation": "update", "entity": "User", "id": "u1", "data": {}}"#,
            "dbal-write",
            r#"{"entity":"User","operation":"update","id":"u1","data":{}}"#,
            r#"{"id":"u1"}"#,
        ),
        (
            r#"{"operation": "databaseUpsert", "entity": "User", "where": {"code": "it"}, "data": {"a": 1}}"#,
            "dbal-write",
            r#"{"entity":"User","operation":"upsert","filter":{"code":"it"},"data":{"a":1}}"#,
            r#"{"id":"u1"}"#,
        ),
        (
            r#"{"operation": "database_delete", "entity": "User", "filter": {"id": "u1", "tenantId": null}}"#,
            "dbal-write",
            r#"{"entity":"User","operation":"delete","filter":{"id":"u1","tenantId":null}}"#,
            r#"{"id":"u1"}"#,
        ),
    ] {
        assert_eq!(
            harness.call::<database>(input).unwrap().to_json(),
            output,
            "{input}"
        );
        assert_eq!(
            calls.taken(),
            [(node_type.to_owned(), asked.to_owned())],
            "{input}"
        );
    }
    for (input, node_type, asked, output) in [
        (
            r#"{"operation": "database_count", "entity": "Post", "filter": {"isDeleted": false}}"#,
            "dbal-read",
            r#"{"entity":"Post","operation":"count","filter":{"isDeleted":false}}"#,
            "1",
        ),
        (
            r#"{"operation": "database_aggregate", "entity": "Post", "filter": {"a": 1}, "aggregations": {"total": "sum(likes)"}, "groupBy": null}"#,
            "dbal-read",
            r#"{"entity":"Post","operation":"aggregate","filter":{"a":1},"aggregates":{"total":"sum(likes)"}}"#,
            r#"{"total":7}"#,
        ),
        (
            r#"{"operation": "database_update_many", "entity": "Note", "filter": {"id": {"$in": ["a"]}}, "data": {"isRead": true}}"#,
            "dbal-write",
            r#"{"entity":"Note","operation":"updateMany","filter":{"id":{"$in":["a"]}},"data":{"isRead":true}}"#,
            "3",
        ),
        (
            r#"{"operation": "database_delete_many", "entity": "Session", "filter": {"userId": "u1", "id": {"$ne": null}}}"#,
            "dbal-write",
            r#"{"entity":"Session","operation":"deleteMany","filter":{"userId":"u1","id":{"$ne":null}}}"#,
            "3",
        ),
        (
            r#"{"operation": "database_read", "entity": "User", "sort": "-createdAt", "limit": 2}"#,
            "dbal-read",
            r#"{"entity":"User","operation":"read","sort":"-createdAt","limit":2}"#,
            r#"[{"id":"u1","email":"ada@example.org"}]"#,
        ),
    ] {
        assert_eq!(
            harness.call::<operation>(input).unwrap().to_json(),
            output,
            "{input}"
        );
        assert_eq!(
            calls.taken(),
            [(node_type.to_owned(), asked.to_owned())],
            "{input}"
        );
    }
}

#[test]
fn nothing_is_changed_without_saying_what() {
    let calls = Calls::default();
    let harness = recorded(Harness::new(), &calls);
    for operation in ["database_update", "database_delete"] {
        for filter in [
            "",
            r#", "filter": null"#,
            r#", "filter": {}"#,
            r#", "filter": {"id": null}, "id": null"#,
        ] {
            let input =
                format!(r#"{{"operation": "{operation}", "entity": "User", "data": {{"a": 1}}{filter}}}"#);
            check_errors::<database>(&harness, &[(&input, INVALID, "`filter`")]);
            let many = input.replace(operation, &format!("{operation}_many"));
            check_errors::<super::operation>(&harness, &[(&many, INVALID, "`filter`")]);
        }
    }
    assert!(calls.taken().is_empty());
}

#[test]
fn what_cannot_be_asked_of_a_database_is_refused() {
    let read = r#"{"operation": "database_read", "entity": "User""#;
    let cases = [
        ("{}".to_owned(), "`operation`: is missing"),
        (
            r#"{"operation": "database_count", "entity": "User"}"#.to_owned(),
            "`operation`: must be",
        ),
        (
            r#"{"operation": "drop", "entity": "User"}"#.to_owned(),
            "but is `drop`",
        ),
        (
            r#"{"operation": "database_read"}"#.to_owned(),
            "`entity`: is missing",
        ),
        (
            r#"{"operation": "database_read", "entity": " "}"#.to_owned(),
            "`entity`",
        ),
        (
            r#"{"operation": "database_read", "entity": 5}"#.to_owned(),
            "`entity`",
        ),
        (format!(r#"{read}, "filter": "id"}}"#), "`filter`: expected a map"),
        (format!(r#"{read}, "limit": 0}}"#), "`limit`"),
        (format!(r#"{read}, "limit": 10001}}"#), "`limit`"),
        (format!(r#"{read}, "limit": "many"}}"#), "`limit`"),
        (format!(r#"{read}, "offset": -1}}"#), "`offset`"),
        (
            r#"{"operation": "database_create", "entity": "User"}"#.to_owned(),
            "`data`",
        ),
        (
            r#"{"operation": "database_create", "entity": "User", "data": 5}"#.to_owned(),
            "`data`",
        ),
        (
            r#"{"operation": "database_update", "entity": "User", "id": 1, "data": []}"#.to_owned(),
            "`data`",
        ),
        (
            r#"{"operation": "database_upsert", "entity": "User", "data": null}"#.to_owned(),
            "`data`",
        ),
    ];
    for (input, why) in &cases {
        check_errors::<database>(&around(), &[(input, INVALID, why)]);
    }
    check_errors::<operation>(
        &around(),
        &[(
            r#"{"operation": "database_aggregate", "entity": "A", "aggregations": "sum"}"#,
            INVALID,
            "`aggregations`",
        )],
    );
    let none = format!("{read}}}");
    check_errors::<database>(
        &Harness::new(),
        &[(
            &none,
            "UNKNOWN_NODE_TYPE",
            "operation `database_read`: no plugin has the node type `dbal-read`",
        )],
    );
    let odd = Harness::new().node("dbal-read", |_| Ok(json("[]")));
    check_errors::<database>(&odd, &[(&none, "EXECUTION_ERROR", "gave no `result`")]);
}

#[test]
fn folders_are_deleted_and_images_looked_at_by_the_plugin_for_files() {
    let calls = Calls::default();
    let harness = calls.answer(
        Harness::new(),
        "file.deleteAll",
        r#"{"deleted": ["a"], "missing": [], "count": 1}"#,
    );
    let png = r#"{"content": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", "encoding": "base64", "size": 33, "path": "a.png"}"#;
    let harness = calls.answer(harness, "file.read", png);
    let deleted = harness
        .call::<operation>(r#"{"operation": "delete_recursive", "paths": ["a"]}"#)
        .unwrap();
    assert_eq!(deleted.to_json(), r#"{"deleted":["a"],"missing":[],"count":1}"#);
    assert_eq!(
        calls.taken(),
        [("file.deleteAll".to_owned(), r#"{"paths":["a"]}"#.to_owned())]
    );
    for (input, expected) in [
        (
            r#"{"operation": "analyze_image", "filePath": "a.png"}"#,
            r#"{"width":1,"height":1,"format":"png","colorSpace":"rgb","hasAlpha":true,"hasExif":false}"#,
        ),
        (
            r#"{"operation": "analyze_image", "filePath": "a.png", "output": {"width": true, "height": false, "exif": true}}"#,
            r#"{"width":1,"hasExif":false}"#,
        ),
    ] {
        assert_eq!(
            harness.call::<operation>(input).unwrap().to_json(),
            expected,
            "{input}"
        );
        let asked = r#"{"path":"a.png","encoding":"base64","maxBytes":67108864}"#;
        assert_eq!(calls.taken(), [("file.read".to_owned(), asked.to_owned())]);
    }
    check_errors::<operation>(
        &harness,
        &[
            (
                r#"{"operation": "analyze_image"}"#,
                INVALID,
                "`filePath`: is missing",
            ),
            (
                r#"{"operation": "analyze_image", "filePath": "a.png", "output": "width"}"#,
                INVALID,
                "`output`",
            ),
        ],
    );
    let text = calls.answer(
        Harness::new(),
        "file.read",
        r#"{"content": "aGVsbG8=", "encoding": "base64"}"#,
    );
    let look = r#"{"operation": "analyze_image", "filePath": "a.txt"}"#;
    check_errors::<operation>(&text, &[(look, INVALID, "is no image")]);
    let odd = calls.answer(Harness::new(), "file.read", r#"{"content": "?"}"#);
    check_errors::<operation>(&odd, &[(look, "EXECUTION_ERROR", "no `content` in Base64")]);
}
