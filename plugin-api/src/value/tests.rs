use proptest::prelude::*;

use super::*;

/// A value as a plain tree, to compare encodings with.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Null,
    Bool(bool),
    I64(i64),
    F64(f64),
    Str(String),
    Bytes(Vec<u8>),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    fn write(&self, w: Writer<'_, Vec<u8>>) -> Result<(), ValueError> {
        match self {
            Self::Null => w.null(),
            Self::Bool(v) => w.bool(*v),
            Self::I64(v) => w.i64(*v),
            Self::F64(v) => w.f64(*v),
            Self::Str(v) => w.str(v),
            Self::Bytes(v) => w.bytes(v),
            Self::List(items) => w.list(|l| items.iter().try_for_each(|i| l.item(|w| i.write(w)))),
            Self::Map(entries) => w.map(|m| entries.iter().try_for_each(|(k, v)| m.entry(k, |w| v.write(w)))),
        }
    }

    fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(Writer::new(&mut out)).unwrap();
        out
    }

    fn read(value: ValueRef<'_>) -> Self {
        match value.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(value.as_bool().unwrap()),
            Kind::I64 => Self::I64(value.as_i64().unwrap()),
            Kind::F64 => Self::F64(value.as_f64().unwrap()),
            Kind::Str => Self::Str(value.as_str().unwrap().into()),
            Kind::Bytes => Self::Bytes(value.as_bytes().unwrap().into()),
            Kind::List => Self::List(value.as_list().unwrap().iter().map(Self::read).collect()),
            Kind::Map => Self::Map(
                value
                    .as_map()
                    .unwrap()
                    .iter()
                    .map(|(k, v)| (k.to_owned(), Self::read(v)))
                    .collect(),
            ),
        }
    }
}

/// Fractions of 8 survive every decimal notation, so that the JSON round trip can be exact.
fn scalars(with_bytes: bool) -> BoxedStrategy<Tree> {
    let common = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        any::<i64>().prop_map(Tree::I64),
        any::<i32>().prop_map(|n| Tree::F64(f64::from(n) / 8.0)),
        ".{0,20}".prop_map(Tree::Str),
    ];
    if with_bytes {
        prop_oneof![
            common,
            prop::collection::vec(any::<u8>(), 0..20).prop_map(Tree::Bytes)
        ]
        .boxed()
    } else {
        common.boxed()
    }
}

fn trees(with_bytes: bool) -> impl Strategy<Value = Tree> {
    scalars(with_bytes).prop_recursive(5, 200, 24, |inner| {
        let key = prop_oneof!["[a-d]{0,3}", ".{0,30}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..24).prop_map(Tree::List),
            prop::collection::vec((key, inner), 0..24).prop_map(|mut entries| {
                let mut seen = std::collections::HashSet::new();
                entries.retain(|(key, _)| seen.insert(key.clone()));
                Tree::Map(entries)
            }),
        ]
    })
}

/// Calls everything there is to call; the answers may be anything.
fn touch(value: ValueRef<'_>, budget: &mut usize) {
    if *budget == 0 {
        return;
    }
    *budget -= 1;
    let _ = (
        value.kind(),
        value.is_null(),
        value.as_bool(),
        value.as_i64(),
        value.as_f64(),
        value.as_str(),
    );
    let _ = (
        value.as_bytes(),
        value.pointer("/a/0"),
        value.get("a"),
        value.at(17),
        value.to_value(),
    );
    for item in value.as_list().into_iter().flatten() {
        touch(item, budget);
    }
    for (key, item) in value.as_map().into_iter().flatten() {
        let _ = value.get(key);
        touch(item, budget);
    }
}

fn every_part<'a>(value: ValueRef<'a>, seen: &mut Vec<ValueRef<'a>>) {
    seen.push(value);
    value
        .as_list()
        .into_iter()
        .flatten()
        .for_each(|v| every_part(v, seen));
    value
        .as_map()
        .into_iter()
        .flatten()
        .for_each(|(_, v)| every_part(v, seen));
}

proptest! {
    #[test]
    fn a_tree_survives_the_encoding_and_encodes_to_the_same_bytes_again(tree in trees(true)) {
        let bytes = tree.encoded();
        let value = ValueRef::parse(&bytes).unwrap();
        prop_assert_eq!(&Tree::read(value), &tree);
        prop_assert_eq!(&Tree::read(value).encoded(), &bytes);
        prop_assert_eq!(Value::from_serialize(&value).unwrap().into_bytes(), bytes.clone());
        prop_assert_eq!(decode::<Value>(value).unwrap().into_bytes(), bytes);
    }

    #[test]
    fn a_number_survives_json_text_to_its_last_bit(number in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
        let text = Value::from_serialize(&number).unwrap().to_json();
        let again = Value::from_json(&text).unwrap();
        prop_assert_eq!(again.as_ref().as_f64().map(f64::to_bits), Some(number.to_bits()), "{}", text);
    }

    #[test]
    fn a_tree_without_bytes_survives_json_text(tree in trees(false)) {
        let value = Value::from_encoded(tree.encoded()).unwrap();
        prop_assert_eq!(&Value::from_json(&value.to_json()).unwrap(), &value);
        prop_assert_eq!(&Value::from_json(&value.to_json_pretty()).unwrap(), &value);
        let through_serde: Value = serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap();
        prop_assert_eq!(&through_serde, &value);
    }

    #[test]
    fn every_part_is_a_whole_value_and_is_copied_as_it_is(tree in trees(true)) {
        let bytes = tree.encoded();
        let mut parts = Vec::new();
        every_part(ValueRef::parse(&bytes).unwrap(), &mut parts);
        for part in parts {
            prop_assert_eq!(ValueRef::parse(part.raw()).unwrap(), part);
            let mut copied = Vec::new();
            Writer::new(&mut copied).map(|m| m.entry("part", |w| w.value(part))).unwrap();
            let rebuilt = Tree::Map(vec![("part".into(), Tree::read(part))]).encoded();
            prop_assert_eq!(copied, rebuilt);
        }
    }

    #[test]
    fn lookups_find_what_iteration_shows(tree in trees(true)) {
        let bytes = tree.encoded();
        let mut parts = Vec::new();
        every_part(ValueRef::parse(&bytes).unwrap(), &mut parts);
        for part in parts {
            for (index, item) in part.as_list().into_iter().flatten().enumerate() {
                prop_assert_eq!(part.at(index), Some(item));
            }
            for (key, item) in part.as_map().into_iter().flatten() {
                prop_assert_eq!(part.get(key), Some(item));
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(0..12_u8, 0..200)) {
        let _ = ValueRef::parse(&bytes);
        touch(ValueRef::trusted(&bytes), &mut 1_000);
    }

    #[test]
    fn mutated_encodings_never_panic_and_what_parses_is_canonical(
        tree in trees(true),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = tree.encoded();
        let whole = bytes.clone();
        prop_assert!(ValueRef::parse(&whole[..cut.index(whole.len())]).is_err());
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        touch(ValueRef::trusted(&bytes), &mut 1_000);
        if let Ok(value) = ValueRef::parse(&bytes) {
            prop_assert_eq!(&Tree::read(value).encoded(), &bytes);
        }
        bytes.truncate(cut.index(bytes.len()));
        if let Ok(value) = ValueRef::parse(&bytes) {
            prop_assert_eq!(&Tree::read(value).encoded(), &bytes);
        }
        touch(ValueRef::trusted(&bytes), &mut 1_000);
    }
}

#[test]
fn the_documented_example_is_what_the_code_writes() {
    let text = include_str!("../../docs/value-format.md");
    let hex = text
        .split("```hex\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let bytes: Vec<u8> = hex
        .lines()
        .flat_map(|line| {
            line.chars()
                .take(40)
                .collect::<String>()
                .split_whitespace()
                .map(String::from)
                .collect::<Vec<_>>()
        })
        .map(|byte| u8::from_str_radix(&byte, 16).unwrap())
        .collect();
    assert_eq!(
        bytes,
        Value::from_json(r#"{"name": "rope", "sizes": [3, true]}"#)
            .unwrap()
            .into_bytes()
    );
    assert_eq!(
        ValueRef::parse(&bytes)
            .unwrap()
            .pointer("/sizes/0")
            .unwrap()
            .as_i64(),
        Some(3)
    );
}

#[test]
fn tables_appear_at_sixteen_elements_and_lookups_work_on_both_sides() {
    for n in [0, 1, 15, 16, 17, 64, 65, 1_000] {
        let list = Tree::List((0..n).map(Tree::I64).collect()).encoded();
        let scattered = |i: i64| format!("k{}", i * 7_919 % 1_009);
        let map = Tree::Map((0..n).map(|i| (scattered(i), Tree::I64(i))).collect()).encoded();
        let table = if n >= 16 { 4 * n as usize } else { 0 };
        assert_eq!(list.len(), 9 + 9 * n as usize + table);
        let (list, map) = (ValueRef::parse(&list).unwrap(), ValueRef::parse(&map).unwrap());
        assert_eq!(
            (list.as_list().unwrap().len(), map.as_map().unwrap().len()),
            (n as usize, n as usize)
        );
        for i in 0..n {
            assert_eq!(list.at(i as usize).unwrap().as_i64(), Some(i));
            assert_eq!(map.get(&scattered(i)).unwrap().as_i64(), Some(i));
        }
        assert!(list.at(n as usize).is_none() && map.get("k").is_none() && map.get("kz").is_none());
    }
}

#[test]
fn wrong_tables_are_refused() {
    let map = Tree::Map((0..16).map(|i| (format!("{i:02}"), Tree::Null)).collect()).encoded();
    let list = Tree::List(vec![Tree::Null; 16]).encoded();
    for good in [map, list] {
        let table = good.len() - 64;
        for at in (table..good.len()).step_by(4) {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            assert_eq!(
                ValueRef::parse(&bytes).unwrap_err().kind(),
                ValueErrorKind::Malformed,
                "{at}"
            );
        }
        let mut swapped = good.clone();
        let (left, right) = swapped[table..].split_at_mut(4);
        left.swap_with_slice(&mut right[..4]);
        assert_eq!(
            ValueRef::parse(&swapped).unwrap_err().kind(),
            ValueErrorKind::Malformed
        );
    }
}

#[test]
fn duplicate_keys_are_refused_by_writers_and_readers_at_every_size() {
    for n in [2, 15, 16, 17, 80] {
        let keys: Vec<String> = (0..n - 1)
            .map(|i| format!("{i:03}"))
            .chain(["000".into()])
            .collect();
        let mut out = b"before".to_vec();
        let written = Writer::new(&mut out).map(|m| {
            keys.iter()
                .try_for_each(|k| m.entry(k, |w| w.value(ValueRef::NULL)))
        });
        assert_eq!(written.unwrap_err().kind(), ValueErrorKind::DuplicateKey);
        assert_eq!(out, b"before");

        // The same map forged: the last key is made equal to the first afterwards.
        let mut distinct = keys.clone();
        *distinct.last_mut().unwrap() = "zzz".into();
        let mut bytes = Tree::Map(distinct.into_iter().map(|k| (k, Tree::Null)).collect()).encoded();
        let at = bytes.windows(3).position(|w| w == b"zzz").unwrap();
        bytes[at..at + 3].copy_from_slice(b"000");
        assert!(ValueRef::parse(&bytes).is_err());

        let json = format!(
            "{{{}}}",
            keys.iter()
                .enumerate()
                .map(|(i, k)| format!("\"{k}\":{i}"))
                .collect::<Vec<_>>()
                .join(",")
        );
        let value = Value::from_json(&json).unwrap();
        assert_eq!(value.as_ref().as_map().unwrap().len(), n - 1);
        assert_eq!(
            value.as_ref().as_map().unwrap().iter().next().unwrap().1.as_i64(),
            Some(n as i64 - 1)
        );
        Value::from_encoded(value.into_bytes()).unwrap();
    }
}

#[test]
fn floats_that_are_not_finite_are_refused() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(
            Writer::new(&mut Vec::new()).f64(bad).unwrap_err().kind(),
            ValueErrorKind::NotFinite
        );
        assert_eq!(
            Value::try_from(bad).unwrap_err().kind(),
            ValueErrorKind::NotFinite
        );
        assert_eq!(Value::from_serialize(&[bad]).unwrap_err().path(), "[0]");
        let bytes = [&[4][..], &bad.to_le_bytes()].concat();
        assert_eq!(
            ValueRef::parse(&bytes).unwrap_err().kind(),
            ValueErrorKind::NotFinite
        );
    }
}

#[test]
fn a_million_nested_lists_are_refused_as_bytes_and_as_json() {
    const LEVELS: u32 = 1_000_000;
    let mut bytes = Vec::new();
    for level in 0..LEVELS {
        bytes.push(7);
        bytes.extend_from_slice(&(4 + 9 * (LEVELS - 1 - level)).to_le_bytes());
        bytes.extend_from_slice(&u32::from(level + 1 < LEVELS).to_le_bytes());
    }
    assert_eq!(ValueRef::parse(&bytes).unwrap_err().kind(), ValueErrorKind::Depth);
    assert!(Value::from_json(&"[".repeat(LEVELS as usize)).is_err());
    assert!(Value::from_json(&r#"{"a":"#.repeat(LEVELS as usize)).is_err());
}

#[test]
fn nesting_is_allowed_to_the_limit_and_not_beyond_it_however_it_is_written() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let deepest = Value::from_json(&nested(MAX_DEPTH)).unwrap();
    ValueRef::parse(deepest.as_bytes()).unwrap();
    assert_eq!(Value::from_json(&deepest.to_json()).unwrap(), deepest);
    assert!(Value::from_json(&nested(MAX_DEPTH + 1)).is_err());

    let mut out = Vec::new();
    let copied = Writer::new(&mut out).list(|l| l.value(deepest.as_ref()));
    assert_eq!(copied.unwrap_err().kind(), ValueErrorKind::Depth);
    assert!(out.is_empty());
    assert_eq!(
        Value::from_serialize(&[&deepest]).unwrap_err().kind(),
        ValueErrorKind::Depth
    );
    let inner = Value::from_json(&nested(MAX_DEPTH - 1)).unwrap();
    Value::from_encoded(Value::from_serialize(&[&inner]).unwrap().into_bytes()).unwrap();
}

#[test]
fn an_entry_without_a_value_is_an_error() {
    let mut out = Vec::new();
    let done = Writer::new(&mut out).map(|m| m.entry("a", |_| Ok(())));
    assert_eq!(done.unwrap_err().path(), "a");
    assert!(Writer::new(&mut out).list(|l| l.item(|_| Ok(()))).is_err());
    assert!(out.is_empty());
}

#[test]
fn a_failed_write_leaves_the_output_as_it_was_even_when_its_error_is_swallowed() {
    let mut out = Vec::new();
    Writer::new(&mut out)
        .map(|m| {
            let _ = m.entry("bad", |w| w.list(|l| l.f64(f64::NAN)));
            m.entry("good", |w| w.value(ValueRef::NULL))
        })
        .unwrap();
    assert_eq!(ValueRef::parse(&out).unwrap().to_json(), r#"{"good":null}"#);
}

#[test]
fn errors_name_the_path_in_the_bytes() {
    let mut bytes = Value::from_json(r#"{"a b":[0,{"c":"xyz"}]}"#)
        .unwrap()
        .into_bytes();
    let at = bytes.windows(3).position(|w| w == b"xyz").unwrap();
    bytes[at] = 0xff;
    let error = ValueRef::parse(&bytes).unwrap_err();
    assert_eq!((error.path(), error.code()), (r#"["a b"][1].c"#, "PB-VALUE-002"));
}

#[test]
fn pointers_follow_rfc_6901() {
    let value = Value::from_json(r#"{"a":[{"b":1}],"x/y":2,"m~n":3,"":4}"#).unwrap();
    let at = |pointer| value.as_ref().pointer(pointer).and_then(|v| v.as_i64());
    assert_eq!(
        (at("/a/0/b"), at("/x~1y"), at("/m~0n"), at("/")),
        (Some(1), Some(2), Some(3), Some(4))
    );
    assert_eq!(
        (at("/a/00/b"), at("/a/+0/b"), at("/a/1"), at("a")),
        (None, None, None, None)
    );
    assert_eq!(value.as_ref().pointer(""), Some(value.as_ref()));
}

#[test]
fn integers_are_floats_only_when_exact() {
    assert_eq!(Value::from(3).as_ref().as_f64(), Some(3.0));
    for inexact in [i64::MAX, (1 << 53) + 1] {
        assert_eq!(Value::from(inexact).as_ref().as_f64(), None);
    }
    assert_ne!(Value::from(1), Value::try_from(1.0).unwrap());
}
