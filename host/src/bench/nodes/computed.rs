//! Nodes that compute, and what a program would write in their place.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::hint::black_box;
use std::sync::Mutex;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use regex::Regex;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

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
        crypto()?,
        date()?,
        regex()?,
        csv()?,
        template()?,
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

/// A kibibyte of text.
fn kibibyte() -> String {
    TEXT.chars().cycle().take(1024).collect()
}

fn crypto() -> Result<Case, BenchError> {
    let text = kibibyte();
    Case::of(
        "crypto",
        "crypto.sha256",
        json!({"input": text}),
        "SHA-256 of 1 KiB, in hexadecimal",
        move || {
            let mut digits = String::with_capacity(64);
            for byte in Sha256::digest(black_box(text.as_bytes())) {
                let _ = write!(digits, "{byte:02x}");
            }
            digits
        },
    )
}

fn date() -> Result<Case, BenchError> {
    let (moment, form) = ("2024-02-29T12:30:00Z", "%A, %-d %B %Y");
    Case::of(
        "date",
        "date.format",
        json!({"value": moment, "format": form}),
        "jiff, read and written",
        move || {
            let moment: Timestamp = black_box(moment).parse().ok()?;
            Some(
                moment
                    .to_zoned(TimeZone::UTC)
                    .strftime(black_box(form))
                    .to_string(),
            )
        },
    )
}

fn regex() -> Result<Case, BenchError> {
    let pattern = r"l[a-z]{2}y\s+(dog|cat)";
    let compiled = Regex::new(pattern).map_err(BenchError::new)?;
    let input = json!({"value": TEXT, "pattern": pattern});
    Case::of(
        "regex",
        "regex.test",
        input,
        "Regex::is_match, compiled before",
        move || compiled.is_match(black_box(TEXT)),
    )
}

fn csv() -> Result<Case, BenchError> {
    let mut text = "id,name,city\n".to_owned();
    for row in 0..20 {
        let _ = writeln!(text, "{row},name {row},\"London, N{row}\"");
    }
    Case::of(
        "csv",
        "csv.parse",
        json!({"value": text}),
        "the crate csv, 20 rows into maps",
        move || {
            let mut reader = csv::Reader::from_reader(black_box(text.as_bytes()));
            let rows: Result<Vec<BTreeMap<String, String>>, _> = reader.deserialize().collect();
            rows.ok()
        },
    )
}

fn template() -> Result<Case, BenchError> {
    let (name, count) = ("Ada", 3);
    let input = json!({"template": "Dear {{ name }}, you have {{ count }} messages.", "data": {"name": name, "count": count}});
    Case::of("template", "template.render", input, "format!", move || {
        format!(
            "Dear {}, you have {} messages.",
            black_box(name),
            black_box(count)
        )
    })
}
