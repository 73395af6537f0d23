use plugin_api::conformance::{exported, flaws};
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

mod accounts;
mod entities;
mod flows;
mod stores;

/// Parameters, and the code of the error with a part of its message.
type Bad<'c> = (&'c str, &'c str, &'c str);

const INVALID: &str = "VALIDATION_FAILED";

fn json(text: &str) -> Value {
    Value::from_json(text).expect(text)
}

/// Plugins that a test can look through: a hash is the password turned round, there is one good token, and one pattern
/// is known.
fn crypto() -> Harness {
    let turned = |value: ValueRef<'_>| {
        let text = value
            .get("input")
            .and_then(|text| text.as_str())
            .unwrap_or_default();
        text.chars().rev().collect::<String>()
    };
    let result = |value: Value| Ok(Value::from_pairs([("result", value.as_ref())])?);
    Harness::new()
        .node("crypto.bcryptHash", move |input| {
            result(Value::from(turned(input).as_str()))
        })
        .node("crypto.bcryptCompare", move |input| {
            let hash = input.get("hash").and_then(|hash| hash.as_str());
            result(Value::from(hash == Some(turned(input).as_str())))
        })
        .node("regex.test", move |input| {
            let text = input
                .get("value")
                .and_then(|value| value.as_str())
                .unwrap_or_default();
            match input.get("pattern").and_then(|pattern| pattern.as_str()) {
                Some("^[a-z]+$") => result(Value::from(text.bytes().all(|byte| byte.is_ascii_lowercase()))),
                _ => Err(NodeError::invalid("pattern", "a group is not closed")),
            }
        })
        .node("crypto.jwtSign", move |input| {
            assert!(input.get("secret").is_some() || input.get("secretName").is_some());
            result(Value::from("signed"))
        })
        .node("crypto.jwtVerify", move |input| {
            if input.get("token").and_then(|token| token.as_str()) != Some("signed") {
                return Err(NodeError::with_code("TOKEN_INVALID", "the signature is wrong").status(401));
            }
            result(json(r#"{"sub": "ada", "scopes": ["read"]}"#))
        })
}

#[parameters]
struct Seed<'a> {
    key: &'a str,
    value: ValueRef<'a>,
}

/// Writes a key of the store as no node of the plugin would.
#[node(id = "test.seed")]
fn seed(input: Seed<'_>, ctx: &Ctx<'_>) -> NodeResult<()> {
    ctx.kv_put(input.key, &input.value)
}

/// A store with one key.
fn seeded(key: &str, value: ValueRef<'_>) -> Harness {
    let harness = crypto();
    let input = Value::from_pairs([("key", Value::from(key).as_ref()), ("value", value)]).unwrap();
    harness
        .instance::<seed>("null")
        .unwrap()
        .call_value(input.as_ref())
        .unwrap();
    harness
}

fn check_errors<N: Export>(harness: &Harness, cases: &[Bad<'_>]) {
    for (input, code, part) in cases {
        let error = harness.call::<N>(input).expect_err(input);
        assert_eq!(error.code, *code, "{} {input}: {error}", N::NODE_TYPE);
        assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
    }
}

macro_rules! each_node {
    ($check:ident) => {
        $check!(
            blob_get,
            blob_put,
            check_scopes,
            enrich_version_list,
            generate_jwt,
            index_query,
            index_upsert,
            kv_get,
            kv_put,
            normalize_entity,
            output_set,
            parse_json,
            parse_path,
            resolve_latest_version,
            respond_blob,
            respond_error,
            respond_json,
            user_put,
            validate_entity,
            validate_required,
            verify_jwt,
            verify_password
        )
    };
}

#[test]
fn every_node_keeps_what_it_promises_in_a_run_and_outside_of_one() {
    macro_rules! check {
        ($($node:ident),*) => {{
            assert_eq!(exported(include_str!("lib.rs")), [$(stringify!($node)),*]);
            let mut found = Vec::new();
            $(
                found.extend(flaws::<$node>(&crypto));
                found.extend(flaws::<$node>(&|| crypto().outside_workflow()));
            )*
            found
        }};
    }
    assert_eq!(each_node!(check), Vec::<String>::new());
}
