use std::time::{Duration, UNIX_EPOCH};

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::meta::NodeMeta;
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the result or the part of an error's message that names the parameter.
type Case = (&'static str, Result<&'static str, &'static str>);

/// On New Year's Day of 2026, half an hour after midnight and a quarter of a second, and a bit that nobody asks for.
pub(crate) fn harness() -> Harness {
    Harness::new().wall_clock(UNIX_EPOCH + Duration::new(1_767_227_400, 250_999_999))
}

pub(crate) fn check<N: Export>(cases: &[Case]) {
    let harness = harness();
    harness.check_examples::<N>();
    for (input, expected) in cases {
        match (harness.call::<N>(input), expected) {
            (Ok(output), Ok(expected)) => {
                let expected = Value::from_json(expected).unwrap();
                let found = output.as_ref().get("result").map(|result| result.to_value());
                assert_eq!(found, Some(expected), "{} {input}", N::NODE_TYPE);
            }
            (Err(error), Err(part)) => {
                assert_eq!(
                    error.code,
                    code::VALIDATION_FAILED,
                    "{} {input}: {error}",
                    N::NODE_TYPE
                );
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
            }
            (found, expected) => panic!("{} {input}: {found:?}, expected {expected:?}", N::NODE_TYPE),
        }
    }
}

/// Calls `$each` with every node of this plugin as its type.
macro_rules! with_every_node {
    ($each:ident) => {
        $each! {
            add compare diff end_of format from_unix is_after is_before is_same is_valid now parse parts start_of
            subtract to_timezone to_unix weekday
        }
    };
}

macro_rules! metadata {
    ($($node:ident)*) => { [$((stringify!($node), <$node as Export>::meta())),*] };
}

macro_rules! examples {
    ($($node:ident)*) => { $(harness().check_examples::<$node>();)* };
}

#[test]
fn every_node_is_described_and_shown() {
    let nodes = with_every_node!(metadata);
    let exported = include_str!("lib.rs").split_once("nodes: [").unwrap().1;
    let exported = exported.split_once(']').unwrap().0.split(',').map(str::trim);
    let exported: Vec<&str> = exported.filter(|node| !node.is_empty()).collect();
    assert_eq!(nodes.each_ref().map(|(name, _)| *name).as_slice(), exported);
    for (_, node) in &nodes {
        check_metadata(node);
    }
    with_every_node!(examples);
}

fn check_metadata(node: &NodeMeta) {
    let of = &node.node_type;
    assert!(of.starts_with("date."), "{of}");
    assert!(!node.description.trim().is_empty(), "{of} has no description");
    assert!(node.examples.len() >= 2, "{of} has too few examples");
    assert!(!node.tags.is_empty(), "{of} has no tags");
    let parameters = node
        .parameters
        .pointer("/properties")
        .unwrap()
        .as_object()
        .unwrap();
    for (name, schema) in parameters {
        assert!(
            schema.get("description").is_some(),
            "{of}: `{name}` is not described"
        );
    }
    let snake = of.chars().fold(String::new(), |mut snake, c| {
        if c.is_uppercase() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
        snake
    });
    assert_eq!(node.aliases.contains(&snake), snake != *of, "{of}");
}

#[test]
fn the_time_of_day_is_the_hosts_to_the_millisecond() {
    check::<now>(&[
        (r#"{}"#, Ok(r#""2026-01-01T00:30:00.25Z""#)),
        (
            r#"{"timezone": null, "format": null}"#,
            Ok(r#""2026-01-01T00:30:00.25Z""#),
        ),
        (r#"{"tz": "Asia/Tokyo"}"#, Ok(r#""2026-01-01T09:30:00.25+09:00""#)),
        (r#"{"format": "unix"}"#, Ok(r#""1767227400""#)),
        (r#"{"format": "timestamp"}"#, Ok(r#""1767227400250""#)),
        (
            r#"{"timezone": "Mars/Base"}"#,
            Err("`timezone`: `Mars/Base` is no time zone"),
        ),
        (r#"{"timezone": 1}"#, Err("`timezone`")),
        (r#"{"format": "nonsense"}"#, Err("`format`")),
    ]);
    let before = Harness::new().wall_clock(UNIX_EPOCH);
    let output = before.call::<now>("{}").unwrap();
    assert_eq!(output.to_json(), r#"{"result":"1970-01-01T00:00:00Z"}"#);
}

#[test]
fn a_host_without_a_clock_is_told_of() {
    let old = Harness::new().host_contract(plugin_api::Contract { major: 1, minor: 0 });
    let error = old.call::<now>("{}").unwrap_err();
    assert_eq!(error.code, code::UNSUPPORTED, "{error}");
}

#[test]
fn what_is_no_date_is_an_error_that_says_so_in_every_node() {
    macro_rules! of_value {
        ($($node:ident)*) => { $(
            let required = <$node as Export>::meta().parameters["required"].clone();
            for parameter in required.as_array().into_iter().flatten().filter_map(|name| name.as_str()) {
                if !["value", "a", "b", "start", "end"].contains(&parameter) {
                    continue;
                }
                let mut input = <$node as Export>::meta().examples[0].input.clone();
                for bad in ["null", "true", "[]", "{}", "\"\"", "\"nonsense\"", "\"2023-02-29\"", "1e300"] {
                    input[parameter] = serde_json::from_str(bad).unwrap();
                    let error = harness().call::<$node>(&input.to_string()).unwrap_err();
                    assert_eq!(error.code, code::VALIDATION_FAILED, "{} {input}", $node::NODE_TYPE);
                    assert!(error.message.contains(&format!("`{parameter}`")), "{} {input}: {error}", $node::NODE_TYPE);
                }
                input.as_object_mut().unwrap().remove(parameter);
                let error = harness().call::<$node>(&input.to_string()).unwrap_err();
                assert!(error.message.contains(&format!("`{parameter}`")), "{} {input}: {error}", $node::NODE_TYPE);
            }
        )* };
    }
    with_every_node!(of_value);
}
