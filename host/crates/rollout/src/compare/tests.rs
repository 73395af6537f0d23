use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Any JSON of a modest size.
pub(crate) fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c~/*#$]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("[a-c~/*$]{0,3}", inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn paths(texts: &[&str]) -> Vec<IgnorePath> {
    texts.iter().map(|text| text.parse().expect("a path")).collect()
}

fn places(stable: &Value, candidate: &Value, ignore: &[&str]) -> Vec<String> {
    compare(stable, candidate, &paths(ignore))
        .into_iter()
        .map(|difference| difference.path)
        .collect()
}

#[test]
fn differences_say_where_and_what() {
    let stable = json!({"a": 1, "b": [1, {"c": "x"}], "gone": null, "~/": 1});
    let candidate = json!({"a": 2, "b": [1, {"c": "y"}, 3], "~/": 2});
    let found = compare(&stable, &candidate, &[]);
    let rows: Vec<_> = found
        .iter()
        .map(|d| (d.path.as_str(), d.stable.as_deref(), d.candidate.as_deref()))
        .collect();
    let mut wanted = vec![
        ("/a", Some("1"), Some("2")),
        ("/b/1/c", Some("\"x\""), Some("\"y\"")),
        ("/b/2", None, Some("3")),
        ("/gone", Some("null"), None),
        ("/~0~1", Some("1"), Some("2")),
    ];
    wanted.sort_unstable();
    let mut rows = rows;
    rows.sort_unstable();
    assert_eq!(rows, wanted);
    assert_eq!(places(&json!(1), &json!("1"), &[]), [""]);
}

#[test]
fn numbers_are_compared_by_value() {
    for (one, other) in [
        ("1", "1.0"),
        ("100", "1e2"),
        ("-0.0", "0"),
        ("18446744073709551615", "18446744073709551615"),
    ] {
        let read = |text| serde_json::from_str::<Value>(text).expect("a number");
        assert_eq!(places(&read(one), &read(other), &[]), [""; 0], "{one} {other}");
    }
    for (one, other) in [
        ("1", "1.5"),
        ("9007199254740993", "9007199254740992.0"),
        ("1", "-1"),
        ("0.1", "0.2"),
    ] {
        let read = |text| serde_json::from_str::<Value>(text).expect("a number");
        assert_eq!(places(&read(one), &read(other), &[]), [""], "{one} {other}");
    }
}

#[test]
fn ignored_places_are_passed_over_with_what_is_in_them() {
    let stable = json!({"meta": {"at": 1, "by": "x"}, "items": [{"id": 1, "n": 1}, {"id": 2, "n": 2}]});
    let candidate =
        json!({"meta": {"at": 2, "by": "x", "new": {}}, "items": [{"id": 7, "n": 1}, {"id": 8, "n": 3}]});
    assert_eq!(
        places(&stable, &candidate, &["/meta/at", "$.items[*].id"]),
        ["/items/1/n", "/meta/new"]
    );
    assert_eq!(
        places(&stable, &candidate, &["/meta", "/items/*/id", "$.items[1].n"]),
        [""; 0]
    );
    assert_eq!(places(&stable, &candidate, &["/*"]), [""; 0]);
    assert_eq!(
        places(&stable, &candidate, &["/items/1", "/items/0", "/meta"]),
        [""; 0]
    );
    assert_eq!(
        places(&stable, &candidate, &["/items/01", "/meta", "/items/0/id"]).len(),
        2
    );
}

#[test]
fn what_comes_out_is_bounded() {
    let long = |letter: &str| Value::from(letter.repeat(1 << 20));
    let found = compare(
        &json!({"a".repeat(5_000): long("x")}),
        &json!({"a".repeat(5_000): long("ü")}),
        &[],
    );
    let [only] = found.as_slice() else {
        panic!("{found:?}")
    };
    for text in [
        &only.path,
        only.stable.as_ref().expect("text"),
        only.candidate.as_ref().expect("text"),
    ] {
        assert!(
            text.len() <= LONGEST + "…".len() && text.ends_with('…'),
            "{}",
            text.len()
        );
    }
    let many = |n: u64| Value::from((0..10_000).map(|i| i * 2 + n).collect::<Vec<_>>());
    assert_eq!(compare(&many(0), &many(1), &[]).len(), MOST_DIFFERENCES);

    let deep = |end: i64| (0..5_000).fold(Value::from(end), |inner, _| Value::from(vec![inner]));
    let (one, other) = (deep(1), deep(1));
    assert_eq!(compare(&one, &other, &[]).len(), 1, "too deep to be called equal");
    // Dropping nested values recurses: take them apart.
    for mut value in [one, other] {
        while let Value::Array(mut list) = value {
            value = list.pop().unwrap_or_default();
        }
    }
}

proptest! {
    #[test]
    fn a_value_does_not_differ_from_itself(value in arbitrary_json()) {
        prop_assert_eq!(compare(&value, &value.clone(), &[]), []);
    }

    #[test]
    fn values_differ_both_ways_at_the_same_places(one in arbitrary_json(), other in arbitrary_json()) {
        let mut there: Vec<_> = compare(&one, &other, &[]).into_iter().map(|d| (d.path, d.stable, d.candidate)).collect();
        let mut back: Vec<_> = compare(&other, &one, &[]).into_iter().map(|d| (d.path, d.candidate, d.stable)).collect();
        prop_assert!(there.len() <= MOST_DIFFERENCES);
        if there.len() < MOST_DIFFERENCES {
            there.sort();
            back.sort();
            prop_assert_eq!(there, back);
        }
    }

    #[test]
    fn ignoring_what_differs_leaves_nothing(one in arbitrary_json(), other in arbitrary_json()) {
        let found = compare(&one, &other, &[]);
        if found.len() < MOST_DIFFERENCES && found.iter().all(|d| !d.path.is_empty() && !d.path.contains('*')) {
            let ignore: Vec<IgnorePath> = found.iter().map(|d| d.path.parse().expect("a pointer is a path")).collect();
            prop_assert_eq!(compare(&one, &other, &ignore), []);
        }
    }
}
