//! How two answers differ.

use patchbay_rollout::Comparing;
use plugin_api::value::Value;
use serde_json::{Value as Json, json};

use crate::shadow::{Comparison, difference, differences};

fn answer(json: &Json) -> Result<Value, String> {
    Ok(Value::from_json(&json.to_string()).unwrap())
}

fn error(code: &str) -> Result<Value, String> {
    Err(code.to_owned())
}

fn found(
    compare: Comparing,
    ignore: &[&str],
    stable: &Result<Value, String>,
    candidate: &Result<Value, String>,
) -> Vec<Json> {
    let comparison = Comparison {
        compare,
        ignore: ignore.iter().map(|path| path.parse().unwrap()).collect(),
    };
    differences(&comparison, stable, candidate)
}

#[test]
fn answers_are_compared_but_where_they_may_differ() {
    let (one, other) = (
        answer(&json!({ "a": 1, "b": [1, 2] })),
        answer(&json!({ "a": 2, "b": [1, 2] })),
    );
    let seen = found(Comparing::Yes, &[], &one, &other);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(found(Comparing::Yes, &["$.a"], &one, &other).is_empty());
    assert!(found(Comparing::Yes, &[], &one, &one).is_empty());
    assert!(found(Comparing::No, &[], &one, &other).is_empty());
}

#[test]
fn an_error_is_like_an_error_of_the_same_code_and_unlike_an_answer() {
    let fine = answer(&json!(1));
    assert!(found(Comparing::Yes, &[], &error("X"), &error("X")).is_empty());
    for (stable, candidate) in [
        (&fine, &error("X")),
        (&error("X"), &fine),
        (&error("X"), &error("Y")),
    ] {
        let seen = found(Comparing::Yes, &["$.a"], stable, candidate);
        assert_eq!(seen.len(), 1, "{seen:?}");
    }
    // Without comparison the candidate is to answer what the stable version answered.
    assert_eq!(found(Comparing::No, &[], &fine, &error("X")).len(), 1);
    assert!(found(Comparing::No, &[], &error("X"), &fine).is_empty());
}

#[test]
fn of_a_long_input_a_part_is_kept() {
    let tenant = "acme".parse().unwrap();
    let long = Value::from_json(&json!({ "text": "ä".repeat(100_000) }).to_string()).unwrap();
    let kept = difference("n.x", &tenant, &long, &[]);
    assert_eq!(kept["inputCut"], true);
    assert!(kept.to_string().len() < 10_000);
    let short = Value::from_json("{}").unwrap();
    assert_eq!(difference("n.x", &tenant, &short, &[])["inputCut"], false);
}
