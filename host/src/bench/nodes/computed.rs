//! Nodes that compute, and what a program would write in their place.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::sync::Mutex;

use serde_json::{Value as Json, json};

use super::BenchError;
use super::case::Case;

/// A text as workflows have them.
const TEXT: &str = "the quick brown fox jumps over the lazy dog";

pub(super) fn cases() -> Result<Vec<Case>, BenchError> {
    Ok(vec![
        test()?,
        string()?,
        math()?,
        logic()?,
        list()?,
        dict()?,
        convert()?,
        var()?,
        control()?,
        utility()?,
    ])
}

fn string() -> Result<Case, BenchError> {
    Case::of(
        "string",
        "string.upper",
        json!({"value": TEXT}),
        "str::to_uppercase",
        || black_box(TEXT).to_uppercase(),
    )
}

fn math() -> Result<Case, BenchError> {
    let numbers = [3_i64, 5, 8, 13];
    Case::of(
        "math",
        "math.add",
        json!({"values": numbers}),
        "a checked sum of 4 integers",
        move || {
            let numbers = black_box(&numbers);
            numbers
                .iter()
                .try_fold(0_i64, |sum, number| sum.checked_add(*number))
        },
    )
}

fn logic() -> Result<Case, BenchError> {
    let side = json!({"id": 17, "name": "a name", "tags": ["a", "b", "c"]});
    let input = json!({"a": side, "b": side});
    let (a, b) = (side.clone(), side);
    Case::of(
        "logic",
        "logic.equals",
        input,
        "== of two maps of 3 fields",
        move || black_box(&a) == black_box(&b),
    )
}

/// Whole numbers in an order that looks like none.
fn shuffled(count: i64) -> Vec<i64> {
    (0..count).map(|n| n * 7_919 % 10_007).collect()
}

fn list() -> Result<Case, BenchError> {
    let items = shuffled(100);
    Case::of(
        "list",
        "list.sort",
        json!({"array": items}),
        "clone and sort of a Vec of 100",
        move || {
            let mut sorted = black_box(&items).clone();
            sorted.sort();
            sorted
        },
    )
}

fn dict() -> Result<Case, BenchError> {
    let object =
        json!({"user": {"name": "Ada", "address": {"city": "London", "code": "N1"}}, "active": true});
    let input = json!({"object": object, "path": "user.address.city"});
    Case::of(
        "dict",
        "dict.get",
        input,
        "3 look-ups in nested maps",
        move || {
            let mut found = Some(black_box(&object));
            for step in black_box("user.address.city").split('.') {
                found = found.and_then(|map| map.get(step));
            }
            found.and_then(Json::as_str).map(str::to_owned)
        },
    )
}

fn convert() -> Result<Case, BenchError> {
    let text = r#"{"id": 17, "name": "a name", "tags": ["a", "b"], "price": 9.75, "paid": true}"#;
    Case::of(
        "convert",
        "convert.parseJson",
        json!({"value": text}),
        "serde_json::from_str",
        move || serde_json::from_str::<Json>(black_box(text)).ok(),
    )
}

fn var() -> Result<Case, BenchError> {
    let variables: Mutex<HashMap<String, BTreeMap<String, i64>>> = Mutex::default();
    let value = BTreeMap::from([("count".to_owned(), 41), ("limit".to_owned(), 100)]);
    let input = json!({"name": "state", "value": value});
    Case::of("var", "var.set", input, "an insert under a lock", move || {
        let value = black_box(&value).clone();
        if let Ok(mut variables) = variables.lock() {
            variables.insert("state".to_owned(), value.clone());
        }
        value
    })
}

fn control() -> Result<Case, BenchError> {
    let items: Vec<i64> = (1..=6).collect();
    Case::of(
        "control",
        "split",
        json!({"items": items, "size": 2}),
        "chunks of a Vec",
        move || {
            black_box(&items)
                .chunks(2)
                .map(<[i64]>::to_vec)
                .collect::<Vec<_>>()
        },
    )
}

fn utility() -> Result<Case, BenchError> {
    let input = json!({"value": TEXT, "mode": "contains", "compare": "lazy"});
    Case::of("utility", "utils.branchCondition", input, "str::contains", || {
        black_box(TEXT).contains(black_box("lazy"))
    })
}

fn test() -> Result<Case, BenchError> {
    let payload = json!({"name": "a name of some length", "count": 41, "active": true});
    let copied = payload.clone();
    let echo = Case::of(
        "test",
        "test.echo",
        payload,
        "clone of a map of 3 fields",
        move || black_box(&copied).clone(),
    )?;
    Ok(Case { field: None, ..echo })
}
