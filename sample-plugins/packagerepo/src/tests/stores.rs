use std::thread;

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_put_is_there_for_the_tenant_that_put_it() {
    let harness = crypto();
    harness
        .call::<kv_put>(r#"{"key": "a", "value": {"size": 1}}"#)
        .unwrap();
    harness.call::<kv_put>(r#"{"key": "n", "value": null}"#).unwrap();
    let got = harness.call::<kv_get>(r#"{"key": "a", "out": "found"}"#).unwrap();
    assert_eq!(got.to_json(), r#"{"result":{"size":1}}"#);
    assert_eq!(harness.variable_value("found"), Some(json(r#"{"size": 1}"#)));
    assert_eq!(
        harness.key_value("packagerepo/kv/a"),
        Some(json(r#"{"size": 1}"#))
    );
    assert_eq!(harness.key_value("packagerepo/kv/n"), Some(Value::null()));
}

#[test]
fn only_the_first_writes_where_nothing_is_yet() {
    let harness = crypto();
    let put = |value: i64| {
        harness.call::<kv_put>(&format!(r#"{{"key": "a", "value": {value}, "ifAbsent": true}}"#))
    };
    assert_eq!(put(1).unwrap().to_json(), r#"{"result":true,"key":"a"}"#);
    assert_eq!(put(2).unwrap().to_json(), r#"{"result":false,"key":"a"}"#);
    assert_eq!(harness.key_value("packagerepo/kv/a"), Some(Value::from(1)));
}

#[test]
fn a_key_that_is_none_is_refused_by_name() {
    let long = format!(r#"{{"key": "{}"}}"#, "k".repeat(513));
    check_errors::<kv_get>(
        &crypto(),
        &[
            ("{}", INVALID, "`key`: is missing"),
            (r#"{"key": null}"#, INVALID, "`key`"),
            (r#"{"key": ""}"#, INVALID, "`key`"),
            (r#"{"key": "a\nb"}"#, INVALID, "`key`"),
            (r#"{"key": ["a"]}"#, INVALID, "`key`: expected a text"),
            (r#"{"key": true}"#, INVALID, "`key`"),
            (r#"{"key": "$missing"}"#, INVALID, "`$missing` is not there"),
            (r#"{"key": "a/$missing"}"#, INVALID, "`$missing` cannot be put"),
            (r#"{"key": "a", "out": "a b"}"#, INVALID, "`out`"),
            (&long, INVALID, "from 1 to 512 bytes"),
        ],
    );
    check_errors::<kv_put>(
        &crypto(),
        &[
            (r#"{"value": 1}"#, INVALID, "`key`"),
            (r#"{"key": "a"}"#, INVALID, "`value`: is missing"),
            (
                r#"{"key": "a", "value": 1, "ifAbsent": "yes"}"#,
                INVALID,
                "ifAbsent",
            ),
        ],
    );
}

#[test]
fn an_entry_takes_the_place_of_the_one_that_is_the_same() {
    let harness = crypto();
    let upsert = |entry: &str| {
        let input = format!(r#"{{"key": "acme/lib", "entry": {entry}}}"#);
        harness.call::<index_upsert>(&input).unwrap().to_json()
    };
    for (entry, expected) in [
        (
            r#"{"version": "1.0.0", "variant": "any", "digest": "a"}"#,
            r#"{"result":"added","count":1}"#,
        ),
        (
            r#"{"version": "1.0.0", "variant": "linux"}"#,
            r#"{"result":"added","count":2}"#,
        ),
        (
            r#"{"version": "1.0.0", "variant": "any", "digest": "b"}"#,
            r#"{"result":"replaced","count":2}"#,
        ),
        (
            r#"{"version": "1.0.0", "variant": null}"#,
            r#"{"result":"added","count":3}"#,
        ),
        (r#"{"version": "1.0.0"}"#, r#"{"result":"replaced","count":3}"#),
        (
            r#"{"id": 1, "version": "1.0.0"}"#,
            r#"{"result":"added","count":4}"#,
        ),
        (
            r#"{"id": 1.0, "version": "9.0.0"}"#,
            r#"{"result":"replaced","count":4}"#,
        ),
        (r#"{"other": true}"#, r#"{"result":"added","count":5}"#),
        (r#"{"other": true}"#, r#"{"result":"replaced","count":5}"#),
    ] {
        assert_eq!(upsert(entry), expected, "{entry}");
    }
    let query = |more: &str| {
        let input = format!(r#"{{"key": "acme/lib"{more}}}"#);
        let output = harness.call::<index_query>(&input).unwrap();
        output.as_ref().get("result").unwrap().to_json()
    };
    assert_eq!(
        query(r#", "filter": {"variant": "any"}"#),
        r#"[{"version":"1.0.0","variant":"any","digest":"b"}]"#
    );
    assert_eq!(query(r#", "limit": 1"#), r#"[{"other":true}]"#);
    assert_eq!(query(r#", "indexName": "other""#), "null");
    assert_eq!(query(r#", "filter": {"variant": "none"}"#), "[]");
}

#[test]
fn entries_that_come_at_once_are_all_kept() {
    let harness = crypto();
    thread::scope(|scope| {
        for thread in 0..4 {
            let harness = harness.clone();
            scope.spawn(move || {
                for round in 0..25 {
                    let input = format!(r#"{{"key": "k", "entry": {{"version": "{thread}.{round}.0"}}}}"#);
                    harness.call::<index_upsert>(&input).unwrap();
                }
            });
        }
    });
    let kept = harness.key_value("packagerepo/index/packages/k").unwrap();
    assert_eq!(kept.as_ref().as_list().unwrap().len(), 100);
}

#[test]
fn a_package_with_all_entries_that_it_can_have_takes_no_other_one() {
    let full: Vec<Value> = (0..10_000)
        .map(|n| json(&format!(r#"{{"version": "0.0.{n}"}}"#)))
        .collect();
    let full = Value::from_items(full.iter().map(Value::as_ref)).unwrap();
    let harness = seeded("packagerepo/index/packages/k", full.as_ref());
    let again = harness.call::<index_upsert>(r#"{"key": "k", "entry": {"version": "0.0.7", "size": 1}}"#);
    assert_eq!(again.unwrap().to_json(), r#"{"result":"replaced","count":10000}"#);
    check_errors::<index_upsert>(
        &harness,
        &[(
            r#"{"key": "k", "entry": {"version": "1.0.0"}}"#,
            "LIMIT_EXCEEDED",
            "10000 entries",
        )],
    );
}

#[test]
fn an_index_that_cannot_be_meant_is_refused() {
    check_errors::<index_query>(
        &crypto(),
        &[
            ("{}", INVALID, "`key`"),
            (r#"{"key": "a", "filter": "x"}"#, INVALID, "`filter`"),
            (r#"{"key": "a", "limit": 0}"#, INVALID, "`limit`"),
            (r#"{"key": "a", "limit": "x"}"#, INVALID, "limit"),
            (r#"{"key": "a", "index_name": "a/b"}"#, INVALID, "`indexName`"),
            (r#"{"key": "a", "indexName": {}}"#, INVALID, "`indexName`"),
        ],
    );
    check_errors::<index_upsert>(
        &crypto(),
        &[
            (r#"{"key": "a"}"#, INVALID, "`entry`: is missing"),
            (
                r#"{"key": "a", "entry": [1]}"#,
                INVALID,
                "`entry`: expected a map",
            ),
            (r#"{"entry": {}}"#, INVALID, "`key`"),
        ],
    );
}

#[test]
fn bytes_come_back_as_they_went() {
    let harness = crypto();
    let put = r#"{"data": "AP8B", "encoding": "base64", "out": "digest"}"#;
    let digest = harness.call::<blob_put>(put).unwrap();
    let digest = digest
        .as_ref()
        .get("result")
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        harness.variable_value("digest"),
        Some(Value::from(digest.as_str()))
    );
    let get = |more: &str| {
        let output = harness.call::<blob_get>(&format!(r#"{{"digest": "sha256:{digest}"{more}}}"#));
        output.map(|output| output.as_ref().get("result").unwrap().to_value())
    };
    assert_eq!(get("").unwrap().as_ref().as_bytes(), Some(&[0, 255, 1][..]));
    assert_eq!(get(r#", "as": "base64""#).unwrap(), Value::from("AP8B"));
    assert!(
        get(r#", "as": "text""#)
            .unwrap_err()
            .message
            .contains("no text in UTF-8")
    );
    harness
        .call::<blob_put>(r#"{"data": "abc", "digest": "$unset"}"#)
        .unwrap();
    assert_eq!(
        harness.variable_value("unset"),
        Some(Value::from(blob::sha256(b"abc").as_str()))
    );
    harness
        .call::<blob_put>(r#"{"data": "abc", "digest": "$unset"}"#)
        .unwrap();
    let other = harness
        .call::<blob_put>(r#"{"data": "abcd", "digest": "$unset"}"#)
        .unwrap_err();
    assert!(other.message.contains("is not that of the data"), "{other}");
    let upper = digest.to_ascii_uppercase();
    let found = harness
        .call::<blob_get>(&format!(r#"{{"digest": "sha-256={upper}", "out": "blob"}}"#))
        .unwrap();
    assert!(found.as_ref().get("result").unwrap().as_bytes().is_some());
    assert_eq!(
        harness.variable_value("blob").unwrap().as_ref().as_bytes(),
        Some(&[0, 255, 1][..])
    );
    harness
        .call::<blob_put>(r#"{"key": "k", "data": "00ff", "encoding": "hex"}"#)
        .unwrap();
    let named = harness.call::<blob_get>(r#"{"key": "k"}"#).unwrap();
    assert_eq!(
        named.as_ref().get("result").unwrap().as_bytes(),
        Some(&[0, 255][..])
    );
}

#[test]
fn a_blob_that_is_not_what_it_says_is_not_written() {
    let other = format!(r#"{{"digest": "{}", "data": "abc"}}"#, "0".repeat(64));
    let harness = crypto();
    check_errors::<blob_put>(
        &harness,
        &[
            (&other, INVALID, "`digest`: is not that of the data"),
            (
                r#"{"digest": "abc", "data": "abc"}"#,
                INVALID,
                "`digest`: expected the 64",
            ),
            (r#"{"digest": {}, "data": "abc"}"#, INVALID, "`digest`"),
            ("{}", INVALID, "`data`: is missing"),
            (
                r#"{"data": {"a": 1}}"#,
                INVALID,
                "`data`: expected bytes or a text, found a map",
            ),
            (
                r#"{"data": "?", "encoding": "base64"}"#,
                INVALID,
                "`data`: is no Base64",
            ),
            (r#"{"data": "abc", "encoding": "hex"}"#, INVALID, "`data`"),
            (r#"{"data": "zz", "encoding": "hex"}"#, INVALID, "`data`"),
            (r#"{"data": "abc", "encoding": "utf-16"}"#, INVALID, "encoding"),
            (r#"{"data": "abc", "key": ""}"#, INVALID, "`key`"),
        ],
    );
    assert_eq!(
        harness.key_value(&format!("packagerepo/blob/sha256/{}", "0".repeat(64))),
        None
    );
    let both = format!(r#"{{"digest": "{}", "key": "k"}}"#, "0".repeat(64));
    check_errors::<blob_get>(
        &harness,
        &[
            ("{}", INVALID, "`digest`: is missing"),
            (&both, INVALID, "not both"),
            (r#"{"key": "k", "as": "hex"}"#, INVALID, "as"),
        ],
    );
    let large = format!(r#"{{"data": "{}"}}"#, "a".repeat((16 << 20) - 1_023));
    check_errors::<blob_put>(&harness, &[(&large, "LIMIT_EXCEEDED", "`data`")]);
}

proptest! {
    #[test]
    fn any_bytes_come_back_from_under_their_digest(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let harness = Harness::new();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let put = harness.call::<blob_put>(&format!(r#"{{"data": "{hex}", "encoding": "hex"}}"#)).unwrap();
        let digest = put.as_ref().get("result").unwrap().as_str().unwrap().to_owned();
        let again = format!(r#"{{"data": "{hex}", "encoding": "hex", "digest": "{digest}"}}"#);
        prop_assert_eq!(harness.call::<blob_put>(&again).unwrap(), put);
        let got = harness.call::<blob_get>(&format!(r#"{{"digest": "{digest}"}}"#)).unwrap();
        prop_assert_eq!(got.as_ref().get("result").unwrap().as_bytes(), Some(&bytes[..]));
    }
}
