use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::meta::{Effect, NodeMeta};
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the result or a part of the error's message.
pub(crate) type Case = (&'static str, Result<&'static str, &'static str>);

/// What stands for a secret below, and must not come up in any message.
pub(crate) const CANARY: &str = "kanarienvogel-geheim-4711";

pub(crate) fn harness() -> Harness {
    Harness::new()
        .wall_clock(UNIX_EPOCH + Duration::from_secs(1_516_239_100))
        .secret("SIGNING_KEY", CANARY)
        .secret("JWT_SECRET", "another key of thirty-two bytes, or more")
        .secret("SIGNING_KEY_EMPTY", "")
}

pub(crate) fn call<N: Export>(input: &str) -> Result<Value, NodeError> {
    harness().call::<N>(input)
}

pub(crate) fn check<N: Export>(cases: &[Case]) {
    let harness = harness();
    harness.check_examples::<N>();
    for (input, expected) in cases {
        match (harness.call::<N>(input), expected) {
            (Ok(output), Ok(expected)) => {
                let output = output.as_ref().get("result").unwrap().to_value();
                assert_eq!(
                    output,
                    Value::from_json(expected).unwrap(),
                    "{} {input}",
                    N::NODE_TYPE
                );
            }
            (Err(error), Err(part)) => {
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
                assert!(
                    !error.to_string().contains(CANARY),
                    "{} {input}: {error}",
                    N::NODE_TYPE
                );
            }
            (found, expected) => panic!("{} {input}: {found:?}, expected {expected:?}", N::NODE_TYPE),
        }
    }
}

macro_rules! metas {
    ($($node:ident),+ $(,)?) => { vec![$((stringify!($node), $node::meta())),+] };
}

fn metas() -> Vec<(&'static str, NodeMeta)> {
    metas![
        bcrypt_compare,
        bcrypt_hash,
        constant_time_equals,
        hash,
        hmac,
        hmac_verify,
        jwt_sign,
        jwt_verify,
        random_bytes,
        random_password,
        random_string,
        sha256,
        uuid,
    ]
}

#[test]
fn every_node_is_described_and_has_two_examples() {
    let exported = include_str!("lib.rs").split_once("nodes: [").unwrap().1;
    let exported = exported.split_once(']').unwrap().0.split(',').map(str::trim);
    let exported: BTreeSet<&str> = exported.filter(|name| !name.is_empty()).collect();
    let metas = metas();
    assert_eq!(exported, metas.iter().map(|(name, _)| *name).collect());
    for (_, meta) in metas {
        assert!(meta.examples.len() >= 2, "{}", meta.node_type);
        assert!(!meta.description.is_empty(), "{}", meta.node_type);
        assert!(meta.node_type.starts_with("crypto."), "{}", meta.node_type);
        for (name, parameter) in meta.parameters["properties"].as_object().unwrap() {
            let described = parameter["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            assert!(described, "{} {name}", meta.node_type);
        }
    }
}

#[test]
fn what_reads_a_secret_says_so_and_is_not_pure() {
    for (_, meta) in metas() {
        let reads = meta.parameters["properties"].get("secretName").is_some();
        assert_eq!(reads, !meta.capabilities.is_empty(), "{}", meta.node_type);
        assert_eq!(reads, !meta.secrets.is_empty(), "{}", meta.node_type);
        if reads {
            assert_eq!(meta.effect, Effect::Idempotent, "{}", meta.node_type);
        }
    }
}

#[test]
fn a_node_that_compares_secrets_is_not_one_whose_parameters_and_results_are_kept() {
    for (name, meta) in metas() {
        if [
            "bcrypt_compare",
            "bcrypt_hash",
            "constant_time_equals",
            "hmac_verify",
        ]
        .contains(&name)
        {
            assert_eq!(meta.effect, Effect::Idempotent, "{}", meta.node_type);
        }
    }
}

#[test]
fn other_names_lead_to_the_same_nodes() {
    let aliases = |name: &str| metas().into_iter().find(|meta| meta.0 == name).unwrap().1.aliases;
    assert_eq!(aliases("sha256"), ["string.sha256"]);
    assert_eq!(aliases("bcrypt_hash"), ["crypto.bcrypt_hash", "bcrypt_hash"]);
    assert_eq!(
        aliases("bcrypt_compare"),
        ["crypto.bcrypt_compare", "bcrypt_compare", "crypto.bcryptVerify"]
    );
    assert_eq!(aliases("jwt_sign"), ["crypto.jwt_sign", "generate_jwt"]);
}

#[test]
fn digests_are_of_texts_and_bytes_and_nothing_else() {
    check::<hash>(&[
        (
            r#"{"input": "abc", "algorithm": "sha1", "allowLegacy": true}"#,
            Ok(r#""a9993e364706816aba3e25717850c26c9cd0d89d""#),
        ),
        (
            r#"{"value": "616263", "inputEncoding": "hex"}"#,
            Ok(r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#),
        ),
        (
            r#"{"value": "YWJj\nCg==", "inputEncoding": "base64", "encoding": "base64url"}"#,
            Ok(r#""7eqv8_F3StKIhnN3DG1kCX45G8Ni19b7NJgt3w79GMs""#),
        ),
        (
            r#"{"value": 5}"#,
            Ok(r#""ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d""#),
        ),
        (
            r#"{"value": "5"}"#,
            Ok(r#""ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d""#),
        ),
        (r#"{}"#, Err("`value`: is missing")),
        (r#"{"value": null}"#, Err("`value`: is missing")),
        (
            r#"{"value": 1.5}"#,
            Err("expected a text or bytes, found a number, at `value`"),
        ),
        (
            r#"{"value": {"a": 1}}"#,
            Err("expected a text or bytes, found a map, at `value`"),
        ),
        (r#"{"value": "a", "input": "a"}"#, Err("`value`")),
        (
            r#"{"value": "abc", "inputEncoding": "hex"}"#,
            Err("`value`: is no hexadecimal text"),
        ),
        (
            r#"{"value": "a$", "inputEncoding": "base64"}"#,
            Err("`value`: is no Base64 text"),
        ),
        (
            r#"{"value": "a+", "inputEncoding": "base64url"}"#,
            Err("`value`: is no Base64 of the alphabet for URLs text"),
        ),
        (r#"{"value": "a", "algorithm": "sha3"}"#, Err("at `algorithm`")),
        (
            r#"{"value": "a", "algorithm": "md5"}"#,
            Err("`algorithm`: md5 is broken, take sha256"),
        ),
        (
            r#"{"value": "a", "algorithm": "sha1", "allowLegacy": false}"#,
            Err("`algorithm`: sha1 is broken"),
        ),
        (r#"{"value": "a", "encoding": "utf8"}"#, Err("at `encoding`")),
        (
            r#"{"value": "a", "allowLegacy": "perhaps"}"#,
            Err("at `allowLegacy`"),
        ),
    ]);
    check::<sha256>(&[
        (
            r#"{"value": "abc"}"#,
            Ok(r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#),
        ),
        (
            r#"{"input": "", "prefix": "True"}"#,
            Ok(r#""sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855""#),
        ),
        (r#"{}"#, Err("`input`: is missing")),
        (r#"{"input": [1]}"#, Err("found a list, at `input`")),
        (r#"{"input": "a", "prefix": 1}"#, Err("at `prefix`")),
    ]);
}

#[test]
fn bytes_go_in_and_out_as_bytes() {
    let mut input = Vec::new();
    plugin_api::value::Writer::new(&mut input)
        .map(|map| {
            map.entry("value", |value| value.bytes(b"abc"))?;
            map.entry("encoding", |encoding| encoding.str("bytes"))?;
            // Bytes are what they are, whatever a text would have stood for.
            map.entry("inputEncoding", |encoding| encoding.str("hex"))
        })
        .unwrap();
    let instance = harness().instance::<hash>("null").unwrap();
    let output = instance.call_value(ValueRef::parse(&input).unwrap()).unwrap();
    let digest = output.as_ref().get("result").unwrap().as_bytes().unwrap();
    assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
}

#[test]
fn a_code_needs_a_key_from_one_place() {
    check::<hmac>(&[
        (
            r#"{"value": "a", "secretName": "SIGNING_KEY"}"#,
            Ok(r#""1b8bae4a5a395ecf708fb7b57a5414570a0f5427aca51de72e314461da7506c5""#),
        ),
        (
            r#"{"value": "a"}"#,
            Err("`secret`: is missing: give a key, or better the name of a secret in `secretName`"),
        ),
        (
            r#"{"value": "a", "secret": "kanarienvogel-geheim-4711", "secretName": "SIGNING_KEY"}"#,
            Err("`secret`: give a key or `secretName`, not both"),
        ),
        (
            r#"{"value": "a", "secret": ""}"#,
            Err("`secret`: the key is empty"),
        ),
        (
            r#"{"value": "a", "secretName": "SIGNING_KEY_EMPTY"}"#,
            Err("`secretName`: the key is empty"),
        ),
        (
            r#"{"value": "a", "secretName": "SIGNING_KEY", "secretEncoding": "hex"}"#,
            Err("`secretName`: is no hexadecimal text"),
        ),
        (
            r#"{"value": "a", "secret": "kanarienvogel-geheim-4711", "secretEncoding": "base64"}"#,
            Err("`secret`: is no Base64 text"),
        ),
        (
            r#"{"value": "a", "secret": ["kanarienvogel-geheim-4711"]}"#,
            Err("expected a text or bytes, found a list, at `secret`"),
        ),
        (
            r#"{"value": "a", "secret": {"kanarienvogel-geheim-4711": 1}}"#,
            Err("found a map, at `secret`"),
        ),
        (
            r#"{"value": "a", "secret": 4.711}"#,
            Err("found a number, at `secret`"),
        ),
        (r#"{"secret": "a"}"#, Err("`value`: is missing")),
        (
            r#"{"value": "a", "secret": "a", "algorithm": "md5"}"#,
            Err("at `algorithm`"),
        ),
        (
            r#"{"value": "a", "secret": "a", "algorithm": "sha1"}"#,
            Err("`algorithm`: sha1 is broken"),
        ),
    ]);
    let error = call::<hmac>(r#"{"value": "a", "secretName": "SIGNING_KEY_OTHER"}"#).unwrap_err();
    assert_eq!(error.code, code::CREDENTIAL_MISSING);
}

#[test]
fn a_secret_of_another_name_is_refused_with_the_names_that_there_are() {
    let host = NodeError::with_code(code::NOT_ALLOWED, "the host does not allow this node to do that");
    let error = secret::named(host);
    assert_eq!(error.code, code::NOT_ALLOWED);
    assert!(
        error
            .message
            .contains("`secretName`: the key may be `SIGNING_KEY`"),
        "{error}"
    );
    let other = NodeError::with_code(code::CREDENTIAL_MISSING, "the tenant has no secret `SIGNING_KEY`");
    assert_eq!(secret::named(other.clone()), other);
}

#[test]
fn a_code_that_is_none_is_not_right_and_no_error() {
    let code = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    let of = |signature: &str, more: &str| {
        let input = format!(
            r#"{{"value": "what do ya want for nothing?", "key": "Jefe", "signature": "{signature}"{more}}}"#
        );
        call::<hmac_verify>(&input)
            .unwrap()
            .as_ref()
            .get("result")
            .unwrap()
            .as_bool()
            .unwrap()
    };
    assert!(of(code, ""));
    assert!(of(&code.to_uppercase(), ""));
    assert!(of(&format!("v1={code}"), r#", "prefix": "v1=""#));
    assert!(of(
        "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM",
        r#", "encoding": "base64""#
    ));
    assert!(!of(code, r#", "prefix": "v1=""#));
    assert!(!of(&code[..62], ""));
    assert!(!of(&code[..63], ""));
    assert!(!of("", ""));
    assert!(!of("zz", ""));
    assert!(!of(code, r#", "encoding": "base64""#));
    assert!(!of(code, r#", "encoding": "bytes""#));
    check::<hmac_verify>(&[
        (r#"{"value": "a", "secret": "a"}"#, Err("`signature`: is missing")),
        (
            r#"{"value": "a", "secret": "a", "signature": {}}"#,
            Err("found a map, at `signature`"),
        ),
        (r#"{"value": "a", "signature": "a"}"#, Err("`secret`: is missing")),
        (r#"{"secret": "a", "signature": "a"}"#, Err("`value`: is missing")),
        (
            r#"{"value": "a", "secret": "a", "signature": "a", "algorithm": "sha1"}"#,
            Err("`algorithm`: sha1 is broken"),
        ),
    ]);
}

#[test]
fn comparing_looks_at_the_bytes() {
    check::<constant_time_equals>(&[
        (r#"{"left": "", "right": ""}"#, Ok("true")),
        (r#"{"a": "é", "b": "e\u0301"}"#, Ok("false")),
        (r#"{"a": "12", "b": 12}"#, Ok("true")),
        (r#"{"a": "kanarienvogel-geheim-4711"}"#, Err("`b`: is missing")),
        (r#"{"b": "kanarienvogel-geheim-4711"}"#, Err("`a`: is missing")),
        (
            r#"{"a": "kanarienvogel-geheim-4711", "b": true}"#,
            Err("found a boolean, at `b`"),
        ),
    ]);
}
