use proptest::prelude::*;

use super::*;

fn result<N: Export>(input: &str) -> String {
    let output = crypto()
        .call::<N>(input)
        .unwrap_or_else(|error| panic!("{input}: {error}"));
    output.as_ref().get("result").unwrap().to_json()
}

#[test]
fn rules_say_what_is_done_with_each_field() {
    for (input, expected) in [
        (
            r#"{"entity": {"name": " A ", "x": " B "}, "rules": {}}"#,
            r#"{"name":"a","x":"B"}"#,
        ),
        (
            r#"{"entity": {"name": " A ", "x": " B "}, "rules": {"x": "trim|lower"}}"#,
            r#"{"name":" A ","x":"b"}"#,
        ),
        (
            r#"{"entity": {"a": " X  y ", "b": "Q"}, "rules": {"a": "collapse", "*": "lowercase"}}"#,
            r#"{"a":"X y","b":"q"}"#,
        ),
        (
            r#"{"entity": {"n": 1, "l": [" a "], "z": null}}"#,
            r#"{"n":1,"l":[" a "],"z":null}"#,
        ),
    ] {
        assert_eq!(result::<normalize_entity>(input), expected, "{input}");
    }
    check_errors::<normalize_entity>(
        &crypto(),
        &[
            ("{}", INVALID, "`entity`: is missing"),
            (r#"{"entity": "x"}"#, INVALID, "`entity`: expected a map"),
            (
                r#"{"entity": {}, "rules": "trim"}"#,
                INVALID,
                "`rules`: expected a map",
            ),
            (
                r#"{"entity": {"a": ""}, "rules": {"a": "shout"}}"#,
                INVALID,
                "`shout`",
            ),
            (r#"{"entity": {"a": ""}, "rules": {"a": 5}}"#, INVALID, "`rules`"),
            (
                r#"{"entity": {"a": ""}, "rules": {"a": [5]}}"#,
                INVALID,
                "`rules`",
            ),
        ],
    );
}

#[test]
fn a_package_is_valid_or_all_that_is_wrong_is_told() {
    for entity in [
        r#"{"namespace": "a", "name": "b-c_d.e"}"#,
        r#"{"namespace": "9", "name": "b", "version": "1.0.0-rc.1+x", "variant": "Linux_x64", "more": []}"#,
        r#"{"namespace": "a", "name": "b", "version": null, "variant": null}"#,
    ] {
        result::<validate_entity>(&format!(r#"{{"entity": {entity}}}"#));
    }
    for (entity, paths) in [
        (r#"{}"#, vec!["/namespace", "/name"]),
        (r#"{"namespace": "A", "name": "b"}"#, vec!["/namespace"]),
        (r#"{"namespace": "a", "name": "a/b"}"#, vec!["/name"]),
        (
            r#"{"namespace": "..", "name": "a..b"}"#,
            vec!["/namespace", "/name"],
        ),
        (r#"{"namespace": "a", "name": 5}"#, vec!["/name"]),
        (
            r#"{"namespace": "a", "name": "b", "version": "1.0"}"#,
            vec!["/version"],
        ),
        (
            r#"{"namespace": "a", "name": "b", "version": 1, "variant": "a b"}"#,
            vec!["/version", "/variant"],
        ),
    ] {
        let error = crypto()
            .call::<validate_entity>(&format!(r#"{{"entity": {entity}}}"#))
            .unwrap_err();
        assert_eq!(
            (&*error.code, error.status_code),
            (INVALID, Some(400)),
            "{entity}"
        );
        let details = error.details.unwrap();
        let told = details.as_ref().get("violations").unwrap().as_list().unwrap();
        let told: Vec<&str> = told
            .iter()
            .map(|one| one.get("path").unwrap().as_str().unwrap())
            .collect();
        assert_eq!(told, paths, "{entity}");
    }
}

#[test]
fn an_entity_is_held_to_a_schema() {
    let valid = |schema: &str, entity: &str| {
        crypto().call::<validate_entity>(&format!(r#"{{"entity": {entity}, "schema": {schema}}}"#))
    };
    for (schema, fits, breaks) in [
        (r#"{"type": "object"}"#, "{}", None),
        (r#"{"required": ["a"]}"#, r#"{"a": null}"#, Some("{}")),
        (
            r#"{"properties": {"a": {"type": ["string", "null"]}}}"#,
            r#"{"a": null}"#,
            Some(r#"{"a": 1}"#),
        ),
        (
            r#"{"properties": {"a": {"type": "integer"}}}"#,
            r#"{"a": 2.0}"#,
            Some(r#"{"a": 2.5}"#),
        ),
        (
            r#"{"properties": {"a": {"type": "number"}}}"#,
            r#"{"a": 2.5}"#,
            Some(r#"{"a": "2"}"#),
        ),
        (
            r#"{"properties": {"a": {"type": "boolean"}}}"#,
            r#"{"a": false}"#,
            Some(r#"{"a": 0}"#),
        ),
        (
            r#"{"properties": {"a": {"type": "array", "items": {"minimum": 1}}}}"#,
            r#"{"a": [1, 2]}"#,
            Some(r#"{"a": [1, 0]}"#),
        ),
        (
            r#"{"properties": {"a": {"enum": [1, "x"]}}}"#,
            r#"{"a": 1.0}"#,
            Some(r#"{"a": "y"}"#),
        ),
        (
            r#"{"properties": {"a": {"const": {"b": 1}}}}"#,
            r#"{"a": {"b": 1}}"#,
            Some(r#"{"a": {"b": 2}}"#),
        ),
        (
            r#"{"properties": {"a": {"maximum": 3}}}"#,
            r#"{"a": 3}"#,
            Some(r#"{"a": 3.1}"#),
        ),
        (
            r#"{"properties": {"a": {"exclusiveMinimum": 0}}}"#,
            r#"{"a": 0.1}"#,
            Some(r#"{"a": 0}"#),
        ),
        (
            r#"{"properties": {"a": {"exclusiveMaximum": 0}}}"#,
            r#"{"a": -1}"#,
            Some(r#"{"a": 0}"#),
        ),
        (
            r#"{"properties": {"a": {"minLength": 2, "maxLength": 3}}}"#,
            r#"{"a": "äöü"}"#,
            Some(r#"{"a": "a"}"#),
        ),
        (
            r#"{"properties": {"a": {"minItems": 1, "maxItems": 1}}}"#,
            r#"{"a": [1]}"#,
            Some(r#"{"a": [1, 2]}"#),
        ),
        (
            r#"{"minProperties": 1, "maxProperties": 1}"#,
            r#"{"a": 1}"#,
            Some("{}"),
        ),
        (
            r#"{"properties": {"a": {"pattern": "^[a-z]+$"}}}"#,
            r#"{"a": "abc"}"#,
            Some(r#"{"a": "a1"}"#),
        ),
        (
            r#"{"properties": {"a": {}}, "additionalProperties": false}"#,
            r#"{"a": 1}"#,
            Some(r#"{"b": 1}"#),
        ),
        (
            r#"{"additionalProperties": {"type": "string"}}"#,
            r#"{"a": "x"}"#,
            Some(r#"{"a": 1}"#),
        ),
        (
            r#"{"title": "t", "$schema": "x", "format": "uuid", "properties": {"a": true}}"#,
            r#"{"a": 1}"#,
            None,
        ),
        (r#"{"properties": {"a": false}}"#, "{}", Some(r#"{"a": 1}"#)),
    ] {
        valid(schema, fits).unwrap_or_else(|error| panic!("{schema} {fits}: {error}"));
        if let Some(breaks) = breaks {
            let error = valid(schema, breaks).unwrap_err();
            assert!(
                error.message.contains("`entity`") && error.details.is_some(),
                "{schema} {breaks}: {error}"
            );
        }
    }
}

#[test]
fn what_is_told_of_violations_is_short_however_long_names_are() {
    let (name, items) = ("n".repeat(100_000), vec!["1"; 200].join(","));
    let input = format!(
        r#"{{"entity": {{"{name}": [{items}]}}, "schema": {{"additionalProperties": {{"items": {{"type": "string"}}}}}}}}"#
    );
    let error = crypto().call::<validate_entity>(&input).unwrap_err();
    let details = error.details.unwrap().to_json();
    assert!(details.len() < 200_000, "{}", details.len());
}

#[test]
fn a_schema_that_cannot_be_used_is_an_error_and_not_passed_over() {
    let deep = format!("{}{}{}", r#"{"items": "#.repeat(40), "true", "}".repeat(40));
    let list = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let input = format!(r#"{{"entity": {{"a": {list}}}, "schema": {{"properties": {{"a": {deep}}}}}}}"#);
    let mut cases: Vec<(String, &str)> = [
        (r#""x""#, "a schema is a map"),
        (r##"{"$ref": "#"}"##, "`$ref`"),
        (r#"{"oneOf": []}"#, "`oneOf`"),
        (r#"{"type": "text"}"#, "is no type"),
        (r#"{"type": ["string", 5]}"#, "is no type"),
        (r#"{"enum": 1}"#, "`enum`"),
        (r#"{"required": "a"}"#, "`required`"),
        (r#"{"required": [1]}"#, "`required`"),
        (r#"{"properties": []}"#, "`properties`"),
        (r#"{"minProperties": "1"}"#, "`minProperties`"),
        (r#"{"properties": {"a": {"pattern": "("}}}"#, "the pattern"),
        (r#"{"properties": {"a": {"pattern": 5}}}"#, "`pattern`"),
        (
            r#"{"properties": {"a": {"pattern": "(\\w{100}){100}"}}}"#,
            "the pattern",
        ),
    ]
    .into_iter()
    .map(|(schema, why)| (format!(r#"{{"entity": {{"a": "x"}}, "schema": {schema}}}"#), why))
    .collect();
    let long = "a".repeat(1_001);
    let long = format!(
        r#"{{"entity": {{"a": "x"}}, "schema": {{"properties": {{"a": {{"pattern": "{long}"}}}}}}}}"#
    );
    cases.extend([(input, "levels"), (long, "`pattern`")]);
    for (input, why) in &cases {
        let error = crypto().call::<validate_entity>(input).unwrap_err();
        assert!(
            error.message.contains("`schema`") && error.message.contains(why),
            "{input}: {error}"
        );
    }
}

#[test]
fn a_pattern_without_a_plugin_that_knows_patterns_is_an_error() {
    let input = r#"{"entity": {"a": "x"}, "schema": {"properties": {"a": {"pattern": "^[a-z]+$"}}}}"#;
    check_errors::<validate_entity>(&Harness::new(), &[(input, "UNKNOWN_NODE_TYPE", "`regex.test`")]);
}

#[test]
fn the_latest_version_is_a_release_where_there_is_one() {
    for (input, expected) in [
        (r#"{"versions": ["1.0.0", "1.0.1", "1.0.0-rc.1"]}"#, r#""1.0.1""#),
        (
            r#"{"versions": ["1.0.0", "2.0.0-rc.1"], "prerelease": true}"#,
            r#""2.0.0-rc.1""#,
        ),
        (r#"{"versions": ["1.0.0-a", "1.0.0-b"]}"#, r#""1.0.0-b""#),
        (r#"{"versions": ["latest", "nightly"]}"#, r#""nightly""#),
        (r#"{"versions": ["1.0.0", "2.0.0"], "range": ">=3"}"#, "null"),
        (
            r#"{"versions": ["1.2.3", "1.9.0", "2.0.0"], "range": "~1.2"}"#,
            r#""1.2.3""#,
        ),
        (
            r#"{"versions": [{"version": "1.0.0", "variant": "a"}, {"version": "1.0.0", "variant": "b"}]}"#,
            r#"{"version":"1.0.0","variant":"a"}"#,
        ),
        (r#"{"versions": []}"#, "null"),
    ] {
        assert_eq!(result::<resolve_latest_version>(input), expected, "{input}");
    }
    check_errors::<resolve_latest_version>(
        &crypto(),
        &[
            ("{}", INVALID, "`versions`: is missing"),
            (
                r#"{"versions": "$versions"}"#,
                INVALID,
                "`$versions` is not there",
            ),
            (r#"{"versions": "1.0.0"}"#, INVALID, "`versions`: expected a list"),
            (r#"{"versions": [1]}"#, INVALID, "item 0"),
            (r#"{"versions": [{"version": 1}]}"#, INVALID, "item 0"),
            (r#"{"versions": [], "range": "one"}"#, INVALID, "`range`"),
        ],
    );
}

#[test]
fn versions_are_told_with_what_is_known_of_them() {
    let harness = crypto();
    let about = r#"{"digest": "new", "size": 7, "uploaded_at": "2026-01-01", "secret": 1}"#;
    let put = format!(r#"{{"key": "artifact/acme/lib/1.0.0/any", "value": {about}}}"#);
    harness.call::<kv_put>(&put).unwrap();
    let enriched = harness.call::<enrich_version_list>(
        r#"{"namespace": "acme", "name": "lib", "versions": [{"version": "0.9.0"}, {"version": "1.0.0", "variant": "any", "digest": "own"}]}"#,
    );
    assert_eq!(
        enriched.unwrap().to_json(),
        r#"{"result":[{"version":"1.0.0","variant":"any","digest":"own","latest":true,"prerelease":false,"size":7,"uploaded_at":"2026-01-01"},{"version":"0.9.0","latest":false,"prerelease":false}]}"#
    );
    check_errors::<enrich_version_list>(
        &harness,
        &[
            (r#"{"versions": null}"#, INVALID, "`versions`: is missing"),
            (r#"{"versions": 5}"#, INVALID, "`versions`"),
            (r#"{"versions": [null]}"#, INVALID, "item 0"),
            (r#"{"versions": [], "namespace": []}"#, INVALID, "`namespace`"),
            (r#"{"versions": [], "name": {}}"#, INVALID, "`name`"),
        ],
    );
}

proptest! {
    #[test]
    fn an_entity_in_its_form_stays_as_it_is(name in "\\PC{0,12}", version in "[ \\t0-9.a-z-]{0,10}") {
        let entity = Value::from_pairs([
            ("name", Value::from(name.as_str()).as_ref()),
            ("version", Value::from(version.as_str()).as_ref()),
        ]).unwrap();
        let once = entity::normalized(entity.as_ref().as_map().unwrap(), None).unwrap();
        let twice = entity::normalized(once.as_ref().as_map().unwrap(), None).unwrap();
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn the_latest_is_one_of_the_versions_and_none_is_later(
        versions in prop::collection::vec("[0-3]\\.[0-3]\\.[0-3](-rc\\.[0-9])?", 1..12)
    ) {
        let list = Value::from_serialize(&versions).unwrap();
        let input = Value::from_pairs([("versions", list.as_ref())]).unwrap();
        let found = crypto().instance::<resolve_latest_version>("null").unwrap().call_value(input.as_ref()).unwrap();
        let found = found.as_ref().get("result").unwrap().as_str().unwrap().to_owned();
        prop_assert!(versions.contains(&found));
        let parsed = |text: &str| semver::Version::parse(text).unwrap();
        let stable = versions.iter().any(|version| parsed(version).pre.is_empty());
        for version in &versions {
            prop_assert!(parsed(version) <= parsed(&found) || (stable && !parsed(version).pre.is_empty()));
        }
    }
}
