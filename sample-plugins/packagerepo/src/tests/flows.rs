use super::*;

/// A run that this request started.
fn run(store: &Harness, path: &str, body: &str) -> Harness {
    let trigger = format!(
        r#"{{"request": {{"method": "PUT", "path": "{path}", "body": "{body}", "headers": {{"Authorization": "Bearer signed", "Content-Length": "{}"}}}}}}"#,
        body.len()
    );
    let trigger = json(&trigger);
    store.clone().with_evaluator(move |expression, _| {
        Ok(if expression == "$json" {
            trigger.clone()
        } else {
            Value::null()
        })
    })
}

fn at(value: &Value, pointer: &str) -> String {
    value
        .as_ref()
        .pointer(pointer)
        .unwrap_or(ValueRef::NULL)
        .to_json()
}

const ENTITY: &str =
    r#"{"path": "$request.path", "pattern": "/v1/:namespace/:name/:version/:variant/blob", "out": "entity"}"#;
const ARTIFACT: &str = "artifact/$entity.namespace/$entity.name/$entity.version/$entity.variant";

fn publish(harness: &Harness) -> Result<Value, NodeError> {
    harness.call::<verify_jwt>(r#"{"token": "$request.headers.Authorization", "out": "principal"}"#)?;
    harness.call::<check_scopes>(r#"{"principal": "$principal", "required_scopes": ["read"]}"#)?;
    harness.call::<parse_path>(ENTITY)?;
    harness.call::<normalize_entity>(r#"{"entity": "$entity", "out": "normalized"}"#)?;
    harness.call::<validate_entity>(r#"{"entity": "$normalized"}"#)?;
    let existing = harness.call::<kv_get>(&format!(r#"{{"key": "{ARTIFACT}", "out": "existing"}}"#))?;
    let is_new = existing
        .as_ref()
        .get("result")
        .is_some_and(|result| result.is_null());
    if !is_new {
        return harness.call::<respond_error>(r#"{"message": "Artifact already exists", "status": 409}"#);
    }
    harness.call::<blob_put>(r#"{"digest": "$digest", "data": "$request.body"}"#)?;
    harness.call::<kv_put>(&format!(
        r#"{{"key": "{ARTIFACT}", "value": {{"digest": "$digest", "size": "$request.content_length", "uploaded_at": "$timestamp", "uploaded_by": "$principal.sub"}}}}"#
    ))?;
    harness.call::<index_upsert>(
        r#"{"key": "$entity.namespace/$entity.name", "entry": {"version": "$entity.version", "variant": "$entity.variant", "digest": "$digest"}}"#,
    )?;
    harness.call::<respond_json>(r#"{"body": {"ok": true, "digest": "$digest"}, "status": 201}"#)
}

/// Variables are a run's, and each of these harnesses is one: what was published is copied over.
fn next(before: &Harness, path: &str, body: &str) -> Harness {
    let after = crypto();
    for (key, value) in [
        "packagerepo/kv/artifact/acme/lib/1.0.0/any",
        "packagerepo/kv/artifact/acme/lib/1.1.0/any",
    ]
    .iter()
    .filter_map(|key| Some((*key, before.key_value(key)?)))
    {
        let key = key.strip_prefix("packagerepo/kv/").unwrap();
        let input =
            Value::from_pairs([("key", Value::from(key).as_ref()), ("value", value.as_ref())]).unwrap();
        after
            .instance::<kv_put>("null")
            .unwrap()
            .call_value(input.as_ref())
            .unwrap();
    }
    if let Some(entries) = before.key_value("packagerepo/index/packages/acme/lib") {
        for entry in entries.as_ref().as_list().unwrap() {
            let input =
                Value::from_pairs([("key", Value::from("acme/lib").as_ref()), ("entry", entry)]).unwrap();
            after
                .instance::<index_upsert>("null")
                .unwrap()
                .call_value(input.as_ref())
                .unwrap();
        }
    }
    for data in ["one", "two"] {
        let digest = blob::sha256(data.as_bytes());
        if before
            .key_value(&format!("packagerepo/blob/sha256/{digest}"))
            .is_some()
        {
            after
                .call::<blob_put>(&format!(r#"{{"data": "{data}"}}"#))
                .unwrap();
        }
    }
    run(&after, path, body)
}

#[test]
fn what_is_published_can_be_listed_resolved_and_downloaded() {
    let first = run(&crypto(), "/v1/acme/lib/1.0.0/any/blob", "one");
    let published = publish(&first).unwrap();
    assert_eq!(at(&published, "/statusCode"), "201");
    assert_eq!(
        at(&published, "/body/digest"),
        format!("\"{}\"", blob::sha256(b"one"))
    );

    let second = next(&first, "/v1/acme/lib/1.1.0/any/blob", "two");
    assert_eq!(at(&publish(&second).unwrap(), "/statusCode"), "201");

    let again = next(&second, "/v1/acme/lib/1.1.0/any/blob", "two");
    let refused = publish(&again).unwrap();
    assert_eq!(
        (at(&refused, "/statusCode"), at(&refused, "/body/ok")),
        ("409".into(), "false".into())
    );

    let latest = next(&second, "/v1/acme/lib/latest", "");
    latest
        .call::<parse_path>(
            r#"{"path": "$request.path", "pattern": "/v1/:namespace/:name/latest", "out": "entity"}"#,
        )
        .unwrap();
    latest
        .call::<index_query>(r#"{"key": "$entity.namespace/$entity.name", "out": "versions"}"#)
        .unwrap();
    latest
        .call::<resolve_latest_version>(r#"{"versions": "$versions", "out": "latest"}"#)
        .unwrap();
    latest
        .call::<kv_get>(r#"{"key": "artifact/$entity.namespace/$entity.name/$latest.version/$latest.variant", "out": "metadata"}"#)
        .unwrap();
    let found = latest
        .call::<respond_json>(
            r#"{"body": {"version": "$latest.version", "size": "$metadata.size"}, "status": 200}"#,
        )
        .unwrap();
    assert_eq!(at(&found, "/body"), r#"{"version":"1.1.0","size":3}"#);

    let download = next(&second, "/v1/acme/lib/1.0.0/any/blob", "");
    download.call::<parse_path>(ENTITY).unwrap();
    download
        .call::<kv_get>(&format!(r#"{{"key": "{ARTIFACT}", "out": "metadata"}}"#))
        .unwrap();
    download
        .call::<blob_get>(r#"{"digest": "$metadata.digest", "out": "blob_data"}"#)
        .unwrap();
    let sent = download
        .call::<respond_blob>(
            r#"{"data": "$blob_data", "headers": {"Content-Digest": "sha-256=$metadata.digest", "Content-Length": "$metadata.size"}, "status": 200}"#,
        )
        .unwrap();
    assert_eq!(sent.as_ref().get("body").unwrap().as_bytes(), Some(&b"one"[..]));
    assert_eq!(at(&sent, "/headers/Content-Length"), r#""3""#);
    assert_eq!(
        at(&sent, "/headers/Content-Digest"),
        format!("\"sha-256={}\"", blob::sha256(b"one"))
    );
}

#[test]
fn somebody_logs_in_with_the_body_of_a_request() {
    let harness = crypto();
    harness
        .call::<user_put>(r#"{"username": "ada", "password": "secret", "scopes": ["read"]}"#)
        .unwrap();
    let login = run(
        &harness,
        "/login",
        r#"{\"username\": \"ada\", \"password\": \"secret\"}"#,
    );
    login
        .call::<parse_json>(r#"{"input": "$request.body", "out": "credentials"}"#)
        .unwrap();
    login
        .call::<verify_password>(
            r#"{"username": "$credentials.username", "password": "$credentials.password", "out": "user"}"#,
        )
        .unwrap();
    login
        .call::<generate_jwt>(
            r#"{"subject": "$user.username", "scopes": "$user.scopes", "expires_in": 86400, "out": "token"}"#,
        )
        .unwrap();
    let answer = login
        .call::<respond_json>(
            r#"{"body": {"ok": true, "token": "$token", "scopes": "$user.scopes"}, "status": 200}"#,
        )
        .unwrap();
    assert_eq!(
        at(&answer, "/body"),
        r#"{"ok":true,"token":"signed","scopes":["read"]}"#
    );
}

#[test]
fn the_first_answer_of_a_run_is_the_runs() {
    let harness = crypto();
    let first = harness
        .call::<respond_json>(r#"{"body": 1, "status": 201}"#)
        .unwrap();
    let second = harness
        .call::<respond_error>(r#"{"message": "not found", "status": 404}"#)
        .unwrap();
    let third = harness.call::<respond_blob>(r#"{"data": "x"}"#).unwrap();
    assert_eq!(first, second);
    assert_eq!(first, third);
    // A bad parameter is told of all the same.
    assert!(harness.call::<respond_error>(r#"{"status": 200}"#).is_err());
}

#[test]
fn an_answer_that_cannot_be_sent_is_refused() {
    let many: Vec<String> = (0..33).map(|n| format!(r#""x{n}": "1""#)).collect();
    let many = format!(r#"{{"headers": {{{}}}}}"#, many.join(", "));
    check_errors::<respond_json>(
        &crypto(),
        &[
            (r#"{"status": 199}"#, INVALID, "`status`"),
            (r#"{"status": 600}"#, INVALID, "`status`"),
            (r#"{"status": "ok"}"#, INVALID, "`status`"),
            (r#"{"headers": "x"}"#, INVALID, "`headers`"),
            (r#"{"headers": {"a b": "1"}}"#, INVALID, "`headers`"),
            (r#"{"headers": {"": "1"}}"#, INVALID, "`headers`"),
            (r#"{"headers": {"a": "1\r\nb: 2"}}"#, INVALID, "`headers`"),
            (r#"{"headers": {"a": [1]}}"#, INVALID, "`headers`"),
            (&many, INVALID, "`headers`"),
        ],
    );
    check_errors::<respond_error>(
        &crypto(),
        &[
            (r#"{"status": 200}"#, INVALID, "`status`"),
            (r#"{"message": {}}"#, INVALID, "`message`"),
            (r#"{"error_code": []}"#, INVALID, "error"),
        ],
    );
    check_errors::<respond_blob>(
        &crypto(),
        &[
            ("{}", INVALID, "`data`: is missing"),
            (r#"{"data": [1]}"#, INVALID, "`data`"),
            (r#"{"data": "$blob_data"}"#, INVALID, "`$blob_data` is not there"),
        ],
    );
    let standard = crypto().call::<respond_error>("{}").unwrap();
    assert_eq!(
        standard.to_json(),
        r#"{"statusCode":500,"headers":{},"body":{"ok":false,"error":{"message":"an error occurred"}}}"#
    );
}

#[test]
fn a_json_text_that_is_none_is_a_bad_request() {
    check_errors::<parse_json>(
        &crypto(),
        &[
            ("{}", INVALID, "`input`: is missing"),
            (r#"{"input": "{"}"#, INVALID, "`input`: is no JSON"),
            (r#"{"input": ""}"#, INVALID, "`input`: is no JSON"),
            (r#"{"input": 5}"#, INVALID, "`input`: expected a text"),
        ],
    );
    let error = crypto().call::<parse_json>(r#"{"input": "nope"}"#).unwrap_err();
    assert_eq!(error.status_code, Some(400));
}

#[test]
fn a_form_is_complete_or_says_what_is_missing() {
    let form = json(r#"{"namespace": "acme", "name": " ", "file": null}"#);
    let trigger = json(&format!(r#"{{"form": {form}}}"#));
    let harness = crypto().with_evaluator(move |expression, _| {
        Ok(match expression {
            "$json" => trigger.clone(),
            _ => Value::null(),
        })
    });
    let error = harness
        .call::<validate_required>(
            r#"{"fields": ["namespace", "name", "version", "file"], "input": "$form"}"#,
        )
        .unwrap_err();
    assert_eq!(error.code, INVALID);
    assert_eq!(
        error.details.unwrap().to_json(),
        r#"{"missing":["name","version","file"]}"#
    );
    let good = harness
        .call::<validate_required>(r#"{"fields": ["namespace"], "input": "$form", "out": "checked"}"#)
        .unwrap();
    assert_eq!(at(&good, "/result"), form.to_json());
    assert_eq!(harness.variable_value("checked"), Some(form));
    let told = harness
        .call::<output_set>(r#"{"key": "result", "value": {"msg": "Published $form.namespace."}}"#)
        .unwrap();
    assert_eq!(told.to_json(), r#"{"result":{"msg":"Published acme."}}"#);
    assert_eq!(
        harness.call::<output_set>("{}").unwrap().to_json(),
        r#"{"result":null}"#
    );
    check_errors::<validate_required>(
        &harness,
        &[
            ("{}", INVALID, "`fields`"),
            (r#"{"fields": "name", "input": {}}"#, INVALID, "`fields`"),
            (r#"{"fields": [1], "input": {}}"#, INVALID, "`fields`"),
            (r#"{"fields": []}"#, INVALID, "`input`"),
            (
                r#"{"fields": [], "input": 5}"#,
                INVALID,
                "`input`: expected a map",
            ),
        ],
    );
    check_errors::<output_set>(&harness, &[(r#"{"key": []}"#, INVALID, "`key`")]);
}
