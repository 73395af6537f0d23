use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::*;

fn value(json: &str) -> Value {
    Value::from_json(json).unwrap()
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Shape {
    Unit,
    New(u8),
    Pair(u8, String),
    Named { a: Option<i64>, b: f32 },
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Tagged {
    Circle { r: f64 },
    Dot,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(untagged)]
enum Either {
    Number(i64),
    Text(String),
    List(Vec<Either>),
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct All {
    shapes: Vec<Shape>,
    tagged: Vec<Tagged>,
    either: Either,
    by_number: BTreeMap<i32, bool>,
    by_bool: BTreeMap<bool, char>,
    tuple: (u8, String),
    unit: (),
    none: Option<u8>,
    passed: Value,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

fn all() -> All {
    All {
        shapes: vec![
            Shape::Unit,
            Shape::New(1),
            Shape::Pair(2, "x".into()),
            Shape::Named { a: None, b: 0.5 },
        ],
        tagged: vec![Tagged::Circle { r: 1.5 }, Tagged::Dot],
        either: Either::List(vec![Either::Number(1), Either::Text("t".into())]),
        by_number: [(-1, true), (2, false)].into(),
        by_bool: [(true, 'é')].into(),
        tuple: (1, "one".into()),
        unit: (),
        none: None,
        passed: value(r#"{"deep":[1,2.5,"x",null]}"#),
        rest: [("extra".to_owned(), value("[1,{}]"))].into(),
    }
}

#[test]
fn every_serde_shape_encodes_as_serde_json_does_and_decodes_to_itself() {
    let encoded = Value::from_serialize(&all()).unwrap();
    Value::from_encoded(encoded.clone().into_bytes()).unwrap();
    assert_eq!(
        encoded,
        Value::from_json(&serde_json::to_string(&all()).unwrap()).unwrap()
    );
    assert_eq!(decode::<All>(encoded.as_ref()).unwrap(), all());
}

#[derive(Deserialize, Debug, PartialEq)]
struct Borrowed<'a> {
    text: &'a str,
    bytes: &'a [u8],
    #[serde(borrow)]
    part: ValueRef<'a>,
}

#[test]
fn borrowed_fields_point_into_the_encoding() {
    let mut out = Vec::new();
    Writer::new(&mut out)
        .map(|m| {
            m.entry("bytes", |w| w.bytes(&[1, 2]))?;
            m.entry("unknown", |w| w.value(ValueRef::NULL))?;
            m.entry("part", |w| w.list(|l| l.bytes(b"x")))?;
            m.entry("text", |w| w.str("größe"))
        })
        .unwrap();
    let input = ValueRef::parse(&out).unwrap();
    let read: Borrowed<'_> = decode(input).unwrap();
    let inside = |bytes: &[u8]| out.as_ptr_range().contains(&bytes.as_ptr());
    assert!(inside(read.text.as_bytes()) && inside(read.bytes) && inside(read.part.raw()));
    assert_eq!(
        (read.text, read.bytes, read.part),
        ("größe", &[1, 2][..], input.get("part").unwrap())
    );
    assert_eq!(input.get("part").unwrap().to_json(), r#"["eA=="]"#);
    assert_eq!(decode::<Vec<u8>>(input.get("bytes").unwrap()).unwrap(), [1, 2]);
}

#[test]
fn values_in_values_are_copied_and_bytes_stay_bytes() {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes).bytes(&[0, 255]).unwrap();
    let inner = Value::from_encoded(bytes).unwrap();
    let outer = Value::from_serialize(&BTreeMap::from([("k", &inner)])).unwrap();
    assert_eq!(outer.as_ref().get("k").unwrap(), inner.as_ref());
    assert_eq!(outer.to_json(), r#"{"k":"AP8="}"#);
}

#[test]
fn numbers_bend_where_it_is_exact_and_nowhere_else() {
    assert_eq!(decode::<u8>(value("3.0").as_ref()).unwrap(), 3);
    assert_eq!(
        decode::<i64>(value("-9007199254740992.0").as_ref()).unwrap(),
        -9_007_199_254_740_992
    );
    assert_eq!(decode::<f64>(value("3").as_ref()).unwrap(), 3.0);
    for bad in ["3.5", "1e300", "9007199254740994.0", "\"3\"", "null", "256", "-1"] {
        assert_eq!(
            decode::<u8>(value(bad).as_ref()).unwrap_err().kind(),
            ValueErrorKind::Type,
            "{bad}"
        );
    }
}

#[test]
fn decoding_errors_name_the_path_and_what_was_found() {
    #[derive(Deserialize, Debug)]
    #[expect(dead_code, reason = "only read by serde")]
    struct Item {
        name: String,
    }
    #[derive(Deserialize, Debug)]
    #[expect(dead_code, reason = "only read by serde")]
    struct Order {
        items: Vec<Item>,
    }
    let error = |json: &str| decode::<Order>(value(json).as_ref()).unwrap_err().to_string();
    assert_eq!(
        error(r#"{"items":[{"name":"a"},{"name":null}]}"#),
        "expected a string, found null, at `items[1].name`"
    );
    assert_eq!(
        error(r#"{"items":[{}]}"#),
        "the field `name` is missing, at `items[0]`"
    );
    assert_eq!(
        error("[[1]]"),
        "expected struct Item, found integer `1`, at `[0][0]`"
    );
    let variant = decode::<Shape>(value(r#"{"Pair":[1,2]}"#).as_ref()).unwrap_err();
    assert_eq!(variant.path(), "Pair[1]");
}

#[test]
fn encoding_errors_name_the_path_and_leave_the_output_alone() {
    let mut out = b"kept".to_vec();
    let error = encode(&BTreeMap::from([("a", vec![1, u64::MAX])]), &mut out).unwrap_err();
    assert_eq!(
        (error.kind(), error.path(), out.as_slice()),
        (ValueErrorKind::Range, "a[1]", &b"kept"[..])
    );
    assert!(encode(&i128::MIN, &mut out).is_err());
    encode(&(i64::MAX as u128), &mut out).unwrap();
    let nested = Value::from_serialize(&Shape::Named { a: None, b: f32::NAN }).unwrap_err();
    assert_eq!(nested.path(), "Named.b");
    let no_text = Value::from_serialize(&BTreeMap::from([((1, 2), 3)])).unwrap_err();
    assert_eq!(no_text.kind(), ValueErrorKind::Type);
}

#[test]
fn json_numbers_beyond_64_bits_become_floats() {
    assert_eq!(
        value("18446744073709551615").as_ref().as_f64(),
        Some(18_446_744_073_709_551_615.0)
    );
    assert_eq!(value("-9223372036854775808").as_ref().as_i64(), Some(i64::MIN));
    let error = Value::from_json(r#"{"a":1,}"#).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ValueErrorKind::Json, "PB-VALUE-008")
    );
    assert!(Value::from_json("1 2").is_err() && Value::from_json("1e999").is_err());
}

#[test]
fn a_borrowed_value_is_refused_by_json_and_unchecked_bytes_by_everyone() {
    use serde::de::value::BorrowedBytesDeserializer;
    assert!(serde_json::from_str::<ValueRef<'_>>("[1]").is_err());
    let forged = BorrowedBytesDeserializer::<ValueError>::new(&[7, 1]);
    assert!(ValueRef::deserialize(forged).is_err());
    assert!(Value::deserialize(BorrowedBytesDeserializer::<ValueError>::new(&[5, 9])).is_err());
    let honest = BorrowedBytesDeserializer::<ValueError>::new(&[2]);
    assert_eq!(ValueRef::deserialize(honest).unwrap().as_bool(), Some(true));
}

#[test]
fn an_output_that_is_full_gives_its_own_error() {
    struct Small(Vec<u8>);
    impl Output for Small {
        fn push(&mut self, bytes: &[u8]) -> Result<(), Full> {
            if self.0.len() + bytes.len() > 30 {
                return Err(Full);
            }
            self.0.extend_from_slice(bytes);
            Ok(())
        }
        fn len(&self) -> usize {
            self.0.len()
        }
        fn patch_u32(&mut self, at: usize, value: u32) {
            self.0.patch_u32(at, value);
        }
        fn truncate(&mut self, len: usize) {
            self.0.truncate(len);
        }
        fn written(&self) -> &[u8] {
            &self.0
        }
    }
    let mut out = Small(Vec::new());
    assert_eq!(encode(&all(), &mut out).unwrap_err().kind(), ValueErrorKind::Full);
    assert!(out.is_empty());
    encode(&[1, 2], &mut out).unwrap();
    assert!(Writer::new(&mut out).str("too long").is_err());
    assert_eq!(out.len(), 27);
}
