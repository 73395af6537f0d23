use plugin_api::export::Export;
use plugin_api::meta::NodeMeta;
use plugin_api::reading::same;
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

/// A plugin for cryptography that a test can look through: a hash is the password turned round, a token is its claims.
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
fn the_examples_of_every_node_hold_in_a_run_of_their_own_and_in_none() {
    macro_rules! hold {
        ($($node:ident),*) => {$({
            for example in <$node as Export>::meta().examples {
                let input = example.input.to_string();
                for harness in [crypto(), crypto().outside_workflow()] {
                    let output = harness.call::<$node>(&input);
                    let output = output.unwrap_or_else(|error| panic!("{input}: {error}"));
                    let expected = json(&example.output.to_string());
                    assert!(same(output.as_ref(), expected.as_ref()), "{input}: {output}");
                }
            }
        })*};
    }
    each_node!(hold);
}

#[test]
fn every_node_is_described_and_has_two_examples() {
    macro_rules! metas {
        ($($node:ident),*) => { ([$(stringify!($node)),*], vec![$(<$node as Export>::meta()),*]) };
    }
    let (names, metas): (_, Vec<NodeMeta>) = each_node!(metas);
    let exported = include_str!("lib.rs").split_once("nodes: [").unwrap().1;
    let exported = exported.split_once(']').unwrap().0.split(',').map(str::trim);
    assert_eq!(
        exported.filter(|name| !name.is_empty()).collect::<Vec<_>>(),
        names
    );
    for meta in metas {
        assert!(!meta.description.trim().is_empty(), "{}", meta.node_type);
        assert!(meta.examples.len() >= 2, "{}", meta.node_type);
        assert!(
            meta.examples.iter().all(|example| !example.title.is_empty()),
            "{}",
            meta.node_type
        );
        let properties = meta
            .parameters
            .get("properties")
            .and_then(|all| all.as_object())
            .unwrap();
        for (name, schema) in properties {
            let described = schema.get("description").and_then(|text| text.as_str());
            assert!(
                described.is_some_and(|text| text.len() > 5),
                "{} {name}",
                meta.node_type
            );
        }
        let camel = meta.node_type.strip_prefix("packagerepo.").unwrap();
        let snake = camel.chars().flat_map(|c| {
            c.is_uppercase()
                .then_some('_')
                .into_iter()
                .chain(c.to_lowercase())
        });
        let snake = format!("packagerepo.{}", snake.collect::<String>());
        let plain = ["validate.required", "output.set"];
        let known = |alias: &String| *alias == snake || plain.contains(&alias.as_str());
        assert!(
            meta.aliases.iter().any(known),
            "{}: {:?}",
            meta.node_type,
            meta.aliases
        );
    }
}
