use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;
use crate::value::{Value, decode};

fn value(json: &str) -> Value {
    Value::from_json(json).expect(json)
}

fn read<'v, T: serde::Deserialize<'v>>(value: &'v Value) -> Result<T, String> {
    decode(value.as_ref()).map_err(|error| error.to_string())
}

fn fails<T>(json: &str, why: &str)
where
    T: for<'v> serde::Deserialize<'v> + std::fmt::Debug,
{
    let value = value(json);
    let error = decode::<T>(value.as_ref()).expect_err(json).to_string();
    assert!(error.contains(why), "{json}: {error}");
}

#[test]
fn what_is_missing_is_not_what_is_null() {
    #[derive(serde::Deserialize)]
    struct Parameters<'a> {
        #[serde(default, borrow)]
        given: Given<'a>,
        #[serde(default, borrow)]
        any: Any<'a>,
    }
    let (none, null) = (value("{}"), value(r#"{"given": null, "any": null}"#));
    let (none, null): (Parameters<'_>, Parameters<'_>) = (read(&none).unwrap(), read(&null).unwrap());
    assert!(none.given.0.is_none() && null.given.0.is_some());
    assert!(none.given.value().is_null() && none.any.0.is_null() && null.any.0.is_null());
    assert!(null.given.of("given").unwrap().is_null());
    let error = none.given.of("given").unwrap_err();
    assert_eq!(
        error.to_string(),
        "VALIDATION_FAILED: parameter `given`: is missing"
    );
}

#[test]
fn null_is_an_empty_list_and_an_empty_map() {
    let null = Value::default();
    assert!(read::<List<'_>>(&null).unwrap().is_empty());
    assert!(read::<Dict<'_>>(&null).unwrap().is_empty());
    let (list, map) = (value("[1, 2]"), value(r#"{"b": 1, "a": 2}"#));
    let (list, map): (List<'_>, Dict<'_>) = (read(&list).unwrap(), read(&map).unwrap());
    assert_eq!((list.len(), list.iter().count()), (2, 2));
    assert_eq!(list.get(1).and_then(|item| item.as_i64()), Some(2));
    assert!(list.get(2).is_none());
    assert_eq!(map.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(map.get("a").and_then(|item| item.as_i64()), Some(2));
    assert_eq!(List::lenient(map.value()).len(), 0);
    assert_eq!(Dict::lenient(list.value()).len(), 0);
}

#[test]
fn a_value_of_another_type_is_an_error_that_names_both() {
    let list = value("[1]");
    assert!(
        read::<Dict<'_>>(&list)
            .unwrap_err()
            .contains("expected a map, found a list")
    );
    let text = value("\"ab\"");
    assert!(
        read::<List<'_>>(&text)
            .unwrap_err()
            .contains("expected a list, found \"ab\"")
    );
    assert!(
        read::<Text<'_>>(&list)
            .unwrap_err()
            .contains("expected a text, found a list")
    );
    assert!(
        read::<Key<'_>>(&Value::default())
            .unwrap_err()
            .contains("expected a key, found null")
    );
    let float = value("1.5");
    assert!(
        read::<Field<'_>>(&float)
            .unwrap_err()
            .contains("expected the name of a field, found 1.5")
    );
    for json in [
        "\"x\"",
        "\"\"",
        "\"NaN\"",
        "\"inf\"",
        "\"1e999\"",
        "null",
        "true",
        "[]",
    ] {
        fails::<Number>(json, "expected a number");
    }
    fails::<Numeric>("\"true\"", "expected a number");
    for json in ["1.5", "\"1.5\"", "true", "null", "1e300"] {
        fails::<Whole>(json, "expected a whole number");
    }
    for json in ["1", "0", "\"yes\"", "null"] {
        fails::<Flag>(json, "expected true or false");
    }
}

#[test]
fn a_text_of_a_number_or_a_flag_is_one() {
    let whole = |json| read::<Whole>(&value(json)).unwrap().0;
    assert_eq!([whole("7"), whole("7.0"), whole("\" -7 \"")], [7, 7, -7]);
    let flag = |json| read::<Flag>(&value(json)).unwrap().0;
    assert_eq!(
        [flag("true"), flag("\"True\""), flag("\"false\"")],
        [true, true, false]
    );
    let number = |json| {
        let number: Number = read(&value(json)).unwrap();
        Value::from_serialize(&number).unwrap().to_json()
    };
    assert_eq!(
        [number("7"), number("7.0"), number("\" 7e0\""), number("-0.5")],
        ["7", "7", "7", "-0.5"]
    );
    assert_eq!(number("9007199254740993"), "9007199254740993");
    let numeric = |json| read::<Numeric>(&value(json)).unwrap().0.as_f64();
    assert_eq!(
        [numeric("true"), numeric("false"), numeric("\"2\"")],
        [1.0, 0.0, 2.0]
    );
}

#[test]
fn a_whole_number_says_what_is_wrong_with_it() {
    assert_eq!(Whole(3).count("n").unwrap(), 3);
    assert_eq!(Whole(3).within("n", 1..=3).unwrap(), 3);
    let messages = [
        Whole(-1).count("n").unwrap_err(),
        Whole(4).within("n", 1..=3).unwrap_err(),
        Whole(0).within("n", 1..=i64::MAX).unwrap_err(),
    ]
    .map(|error| error.message);
    assert_eq!(
        messages,
        [
            "parameter `n`: must not be negative, but is -1",
            "parameter `n`: must be from 1 to 3, but is 4",
            "parameter `n`: must be at least 1, but is 0",
        ]
    );
    assert_eq!(Whole(-1).index_in(3), Some(2));
    assert_eq!(Whole(5).index_in(3), Some(5));
    assert_eq!(Whole(-4).index_in(3), None);
    assert_eq!(Whole(i64::MIN).index_in(3), None);
}

#[test]
fn numbers_are_written_as_javascript_writes_them() {
    let text = |json| text_of(value(json).as_ref()).unwrap().into_owned();
    for (json, wanted) in [
        ("3.0", "3"),
        ("0.1", "0.1"),
        ("-0.0", "0"),
        ("1e21", "1e+21"),
        ("1e20", "100000000000000000000"),
        ("1e-7", "1e-7"),
        ("0.000001", "0.000001"),
        ("5e-324", "5e-324"),
        ("true", "true"),
        ("null", ""),
        ("\"x\"", "x"),
    ] {
        assert_eq!(text(json), wanted, "{json}");
    }
    assert!(text_of(value("[]").as_ref()).is_none());
    assert_eq!(text_or_json(value("[1]").as_ref()), "[1]");
    assert_eq!(label(Value::default().as_ref()), "null");
    assert_eq!(label(value("2.0").as_ref()), "2");
    assert_eq!(key_of(value("2.0").as_ref()).as_deref(), Some("2"));
    assert_eq!(key_of(Value::default().as_ref()), None);
}

#[test]
fn a_field_is_a_key_or_a_path() {
    let item = value(r#"{"a.b": 1, "a": {"b": 2, "c": [10, {"d": 3}]}}"#);
    let at = |path: &str| field(item.as_ref(), path).map(|found| found.to_json());
    assert_eq!(at("a.b").as_deref(), Some("1"));
    assert_eq!(at("a.c.1.d").as_deref(), Some("3"));
    assert_eq!(at("a.c.2"), None);
    assert_eq!(at("a.c.x"), None);
    assert_eq!(at("x"), None);
    assert_eq!(at(""), None);
    let (position, list) = (value("1"), value("[5, 6]"));
    let field: Field<'_> = read(&position).unwrap();
    assert_eq!(field.of(list.as_ref()).and_then(|item| item.as_i64()), Some(6));
}

#[test]
fn what_is_shown_is_short() {
    let long = Value::from("x".repeat(1_000_000).as_str());
    assert_eq!(shown(long.as_ref()), "a long text");
    assert_eq!(shown(value("\"x\"").as_ref()), "\"x\"");
    assert_eq!(shown(value("{}").as_ref()), "a map");
    assert_eq!(
        excerpt(value(r#"{"a": [1, null]}"#).as_ref()),
        r#"{"a":[1,null]}"#
    );
    assert_eq!(excerpt(long.as_ref()), format!("\"{}...", "x".repeat(119)));
    let wide = Value::from("\u{1f600}".repeat(1_000).as_str());
    assert_eq!(
        excerpt(wide.as_ref()),
        format!("\"{}...", "\u{1f600}".repeat(119))
    );
    let exact = Value::from("x".repeat(118).as_str());
    assert_eq!(excerpt(exact.as_ref()), format!("\"{}\"", "x".repeat(118)));
}

#[test]
fn a_text_that_grows_too_long_is_refused_before_it_is_built() {
    let mut text = Growing::after(MAX_TEXT - 3);
    text.push("ab", "items").unwrap();
    let error = text.push("cd", "items").unwrap_err();
    assert_eq!(
        error.to_string(),
        "LIMIT_EXCEEDED: parameter `items`: the result would be longer than 64 MiB"
    );
    text.push("c", "items").unwrap();
    assert_eq!(text.finish(), "abc");
}

#[test]
fn truth_is_javascripts() {
    for json in ["null", "false", "0", "0.0", "-0.0", "\"\""] {
        assert!(!truthy(value(json).as_ref()), "{json}");
    }
    for json in ["true", "1", "-0.5", "\"0\"", "[]", "{}"] {
        assert!(truthy(value(json).as_ref()), "{json}");
    }
}

#[test]
fn a_type_is_named_in_many_ways_and_says_what_does_not_fit() {
    let shape = |name: &str| Shape::named(name).unwrap_or_else(|| panic!("{name}"));
    for (name, fitting, unfitting) in [
        ("any", "null", ""),
        ("null", "null", "0"),
        ("bool", "true", "\"true\""),
        ("integer", "2.0", "2.5"),
        ("Number", "2.5", "\"2\""),
        ("string", "\"\"", "null"),
        ("array", "[1, \"a\"]", "{}"),
        ("dict", "{}", "[]"),
        ("string_list", "[\"a\"]", "[\"a\", 1]"),
        ("number[]", "[1, 2.5]", "[null]"),
        ("list<list<int>>", "[[1], []]", "[[1], [true]]"),
    ] {
        assert_eq!(shape(name).misfit(value(fitting).as_ref()), None, "{name}");
        if !unfitting.is_empty() {
            assert!(shape(name).misfit(value(unfitting).as_ref()).is_some(), "{name}");
        }
    }
    let strings = shape("list[string]");
    let list = value("[\"a\", 1]");
    let misfit = strings.misfit(list.as_ref()).unwrap();
    assert_eq!(misfit.path, "[1]");
    assert_eq!(misfit.to_string(), "expected a text, found a number");
    let nested = shape("int[][]");
    assert_eq!(
        nested.misfit(value("[[1], [2, null]]").as_ref()).unwrap().path,
        "[1][1]"
    );
    let text = value("\"a\"");
    assert_eq!(
        strings.misfit(text.as_ref()).unwrap().to_string(),
        "expected a list of texts, found a text"
    );
    for name in [
        "",
        "strings",
        "list<",
        "list<>",
        "<string>",
        "_list",
        &"[]".repeat(40),
    ] {
        assert_eq!(Shape::named(name), None, "{name}");
    }
}

#[test]
fn numbers_compare_without_loss() {
    let compare = |a, b| compare(value(a).as_ref(), value(b).as_ref());
    assert_eq!(
        compare("9007199254740993", "9007199254740992.0"),
        Ordering::Greater
    );
    assert_eq!(
        compare("9223372036854775807", "9223372036854775808.0"),
        Ordering::Less
    );
    assert_eq!(
        compare("-9223372036854775808", "-9223372036854775808.0"),
        Ordering::Equal
    );
    assert_eq!(compare("1", "1.5"), Ordering::Less);
    assert_eq!(compare("-1", "-1.5"), Ordering::Greater);
    assert_eq!(compare("null", "{}"), Ordering::Greater);
    assert_eq!(compare("[1]", "[1, 0]"), Ordering::Less);
    assert_eq!(Number::Int(i64::MAX).plus(Number::Int(1)).unwrap().as_f64(), OVER);
    assert!(Number::Float(f64::MAX).plus(Number::Float(f64::MAX)).is_none());
    assert!(Number::Float(f64::MIN).minus(Number::Float(f64::MAX)).is_none());
    assert_eq!(Number::Float(4.0).whole(), Some(4));
    assert_eq!(Number::Float(4.5).whole(), None);
}

const OVER: f64 = 9_223_372_036_854_775_808.0;

/// Values of all kinds, with numbers that collide.
fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (-3_i64..3).prop_map(Into::into),
        (-3_i64..3).prop_map(|whole| (whole as f64).into()),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "[a-c0-2.]{0,2}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec(("[a-c]", inner), 0..4)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn encoded(json: &serde_json::Value) -> Value {
    Value::from_json(&json.to_string()).expect("JSON")
}

/// The same value in another form: floats for integers, maps turned round.
fn in_other_words(json: &serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) if whole.abs() < 1 << 53 => (whole as f64).into(),
            _ => json.clone(),
        },
        serde_json::Value::Array(items) => items.iter().map(in_other_words).collect(),
        serde_json::Value::Object(map) => serde_json::Value::Object(
            map.iter()
                .rev()
                .map(|(key, value)| (key.clone(), in_other_words(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn values_are_the_same_exactly_if_their_canonical_bytes_are(a in values(), b in values()) {
        let other = encoded(&in_other_words(&a));
        let (a, b) = (encoded(&a), encoded(&b));
        prop_assert!(same(a.as_ref(), other.as_ref()), "{a:?} {other:?}");
        prop_assert_eq!(canonical(a.as_ref()), canonical(other.as_ref()));
        prop_assert_eq!(compare(a.as_ref(), other.as_ref()), Ordering::Equal);
        prop_assert_eq!(same(a.as_ref(), b.as_ref()), same(b.as_ref(), a.as_ref()));
        prop_assert_eq!(
            same(a.as_ref(), b.as_ref()),
            canonical(a.as_ref()) == canonical(b.as_ref())
        );
        prop_assert_eq!(same(a.as_ref(), b.as_ref()), compare(a.as_ref(), b.as_ref()).is_eq());
    }

    #[test]
    fn the_order_of_values_is_total(a in values(), b in values(), c in values()) {
        let (a, b, c) = (encoded(&a), encoded(&b), encoded(&c));
        let (a, b, c) = (a.as_ref(), b.as_ref(), c.as_ref());
        prop_assert_eq!(compare(a, b), compare(b, a).reverse());
        if compare(a, b).is_le() && compare(b, c).is_le() {
            prop_assert!(compare(a, c).is_le(), "{a:?} {b:?} {c:?}");
        }
    }

    #[test]
    fn a_number_is_read_from_its_own_text(float in any::<f64>(), integer in any::<i64>()) {
        let of_text = |number: Number| {
            let written = Value::from_serialize(&number).expect("finite");
            Number::of_text(&text_of(written.as_ref()).expect("a number has a text")).expect("its text is one")
        };
        prop_assert!(of_text(Number::Int(integer)).compare(Number::Int(integer)).is_eq());
        if let Some(number) = Number::finite(float) {
            // Digits that no float tells apart may differ.
            prop_assert_eq!(of_text(number).as_f64(), number.as_f64());
        }
    }

    #[test]
    fn sums_and_differences_undo_each_other(a in any::<i64>(), b in -1_000_i64..1_000) {
        let sum = Number::Int(a).plus(Number::Int(b)).expect("finite");
        if let Number::Int(_) = sum {
            let back = sum.minus(Number::Int(b)).expect("finite");
            prop_assert!(back.compare(Number::Int(a)).is_eq());
        }
    }
}
