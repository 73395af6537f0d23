//! What holds for every list.

use plugin_api::prelude::*;
use plugin_api::reading::{Number, same};
use plugin_api::testing::Harness;
use proptest::prelude::*;

use super::tests_nodes::PLUGIN;

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::null()),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        (-3_i64..3).prop_map(|number| Value::try_from(number as f64 / 2.0).unwrap()),
        Just(Value::try_from(-0.0).unwrap()),
        prop::sample::select(vec![i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1]).prop_map(Value::from),
        prop::sample::select(vec![
            9_223_372_036_854_775_808.0,
            -9_223_372_036_854_775_808.0,
            9_007_199_254_740_992.0
        ])
        .prop_map(|float| Value::try_from(float).unwrap()),
        "[ab]{0,2}".prop_map(|text| Value::from(text.as_str())),
    ];
    scalar.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| Value::from_serialize(&items).unwrap()),
            prop::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|entries| Value::from_serialize(&entries).unwrap()),
        ]
    })
}

fn items() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(value(), 0..8)
}

fn listed(items: &[Value]) -> Value {
    Value::from_items(items.iter().map(Value::as_ref)).unwrap()
}

/// The result for a list and further parameters as the rest of a JSON map.
fn of(node_type: &str, items: &[Value], more: &str) -> Value {
    PLUGIN.result(node_type, &format!(r#"{{"array": {}{more}}}"#, listed(items)))
}

fn list_of(node_type: &str, items: &[Value], more: &str) -> Vec<Value> {
    let result = of(node_type, items, more);
    let list = result.as_ref().as_list().expect("a list");
    list.iter().map(|item| item.to_value()).collect()
}

/// The items in some order that does not depend on theirs.
fn settled(items: &[Value]) -> Vec<String> {
    let mut all: Vec<_> = items.iter().map(Value::to_json).collect();
    all.sort();
    all
}

proptest! {
    #[test]
    fn reversing_twice_changes_nothing(items in items()) {
        prop_assert_eq!(list_of("list.reverse", &list_of("list.reverse", &items, ""), ""), items);
    }

    #[test]
    fn what_is_unique_stays_and_nothing_is_lost(items in items()) {
        let once = list_of("list.unique", &items, "");
        prop_assert_eq!(list_of("list.unique", &once, ""), once.clone());
        prop_assert!(items.iter().all(|item| once.iter().any(|kept| same(kept.as_ref(), item.as_ref()))));
    }

    #[test]
    fn what_is_sorted_stays_and_loses_nothing(
        items in prop::collection::vec(value().prop_filter("ordered", |value| {
            value.as_ref().as_list().is_none() && value.as_ref().as_map().is_none()
        }), 0..12),
    ) {
        let sorted = list_of("list.sort", &items, "");
        prop_assert_eq!(list_of("list.sort", &sorted, ""), sorted.clone());
        prop_assert_eq!(settled(&sorted), settled(&items));
    }

    #[test]
    fn sorted_numbers_are_in_order_and_turned_round_when_descending(
        numbers in prop::collection::vec(any::<i64>(), 0..12),
    ) {
        let items: Vec<Value> = numbers.iter().map(|number| (*number).into()).collect();
        let up = list_of("list.sort", &items, "");
        let number = |value: &Value| Number::exactly(value.as_ref()).unwrap();
        prop_assert!(up.windows(2).all(|pair| number(&pair[0]).compare(number(&pair[1])).is_le()));
        let mut down = list_of("list.sort", &items, r#", "order": "desc""#);
        down.reverse();
        prop_assert_eq!(down, up);
    }

    #[test]
    fn the_chunks_of_a_list_flatten_to_it(items in items(), size in 1_usize..5) {
        let chunks = list_of("list.chunk", &items, &format!(r#", "size": {size}"#));
        prop_assert_eq!(chunks.len(), items.len().div_ceil(size));
        prop_assert_eq!(list_of("list.flatten", &chunks, ""), items);
    }

    #[test]
    fn both_sides_of_a_cut_are_the_list(items in items(), cut in -10_i64..10) {
        let left = list_of("list.slice", &items, &format!(r#", "end": {cut}"#));
        let right = list_of("list.slice", &items, &format!(r#", "start": {cut}"#));
        prop_assert_eq!([left, right].concat(), items);
    }

    #[test]
    fn an_item_is_a_slice_of_one(items in items(), index in 0_usize..10) {
        let at = of("list.at", &items, &format!(r#", "index": {index}"#));
        let slice = list_of("list.slice", &items, &format!(r#", "start": {index}, "end": {}"#, index + 1));
        prop_assert_eq!(slice.first().cloned().unwrap_or_default(), at);
    }

    #[test]
    fn concat_is_associative_and_adds_lengths(a in items(), b in items(), c in items()) {
        let concat = |a: &[Value], b: &[Value]| {
            let input = format!(r#"{{"arrays": [{}, {}]}}"#, listed(a), listed(b));
            let result = PLUGIN.result("list.concat", &input);
            let list = result.as_ref().as_list().unwrap();
            list.iter().map(|item| item.to_value()).collect::<Vec<_>>()
        };
        let left = concat(&concat(&a, &b), &c);
        prop_assert_eq!(&left, &concat(&a, &concat(&b, &c)));
        let length = of("list.length", &left, "");
        prop_assert_eq!(length.as_ref().as_i64(), i64::try_from(a.len() + b.len() + c.len()).ok());
    }

    #[test]
    fn what_was_added_is_taken_off(items in items(), item in value()) {
        let more = format!(r#", "value": {item}"#);
        for (add, take) in [("list.push", "list.pop"), ("list.unshift", "list.shift")] {
            let longer = listed(&list_of(add, &items, &more));
            let output = PLUGIN.call(&Harness::new(), take, &format!(r#"{{"array": {longer}}}"#)).unwrap();
            let output = output.as_ref();
            prop_assert_eq!(output.get("removed"), Some(item.as_ref()));
            prop_assert_eq!(output.get("result").map(|left| left.to_value()), Some(listed(&items)));
        }
    }

    #[test]
    fn searches_for_a_value_agree(items in items(), wanted in value()) {
        let more = format!(r#", "value": {wanted}"#);
        let place = items.iter().position(|item| same(item.as_ref(), wanted.as_ref()));
        let index = Value::from(place.map_or(-1, |place| i64::try_from(place).unwrap()));
        let there = Value::from(place.is_some());
        prop_assert_eq!(of("list.indexOf", &items, &more), index.clone());
        prop_assert_eq!(of("list.findIndex", &items, &more), index.clone());
        prop_assert_eq!(of("list.includes", &items, &more), there.clone());
        prop_assert_eq!(of("list.some", &items, &more), there.clone());
        let input = format!(r#"{{"array": {}{more}}}"#, listed(&items));
        let found = PLUGIN.call(&Harness::new(), "list.find", &input).unwrap();
        prop_assert_eq!(found.as_ref().get("found"), Some(there.as_ref()));
        prop_assert_eq!(found.as_ref().get("index"), Some(index.as_ref()));
        let kept = list_of("list.filter", &items, &more);
        let every = of("list.every", &items, &more);
        prop_assert_eq!(every.as_ref().as_bool(), Some(kept.len() == items.len()));
    }

    #[test]
    fn filtering_keeps_the_order(items in items(), wanted in value()) {
        let kept = list_of("list.filter", &items, &format!(r#", "value": {wanted}"#));
        let expected: Vec<_> = items.into_iter().filter(|item| same(item.as_ref(), wanted.as_ref())).collect();
        prop_assert_eq!(kept, expected);
    }

    #[test]
    fn groups_have_all_items_and_keep_their_order(keys in prop::collection::vec("[abc]", 0..10)) {
        let item = |(place, key): (usize, &String)| format!(r#"{{"k": "{key}", "n": {place}}}"#);
        let items: Vec<Value> =
            keys.iter().enumerate().map(item).map(|json| Value::from_json(&json).unwrap()).collect();
        let groups = of("list.groupBy", &items, r#", "key": "k""#);
        let mut all = Vec::new();
        for (name, group) in groups.as_ref().as_map().unwrap() {
            let group: Vec<_> = group.as_list().unwrap().iter().collect();
            let place = |item: &ValueRef<'_>| item.get("n").and_then(|place| place.as_i64()).unwrap();
            prop_assert!(group.iter().all(|item| item.get("k").and_then(|key| key.as_str()) == Some(name)));
            prop_assert!(group.windows(2).all(|pair| place(&pair[0]) < place(&pair[1])));
            all.extend(group.iter().map(ValueRef::to_value));
        }
        prop_assert_eq!(settled(&all), settled(&items));
    }

    #[test]
    fn a_template_of_the_item_maps_a_list_to_itself(items in items()) {
        prop_assert_eq!(list_of("list.map", &items, r#", "transform": "{{ $item }}""#), items);
    }

    #[test]
    fn a_literal_is_what_is_written_and_what_its_variable_holds(items in items()) {
        let harness = Harness::new();
        let list = listed(&items);
        let input = format!(r#"{{"items": {list}, "outputs": {{"list": "the list"}}}}"#);
        let output = PLUGIN.call(&harness, "list.literal", &input).unwrap();
        prop_assert_eq!(output.as_ref().get("result"), Some(list.as_ref()));
        prop_assert_eq!(harness.variable_value("the list"), Some(list));
    }
}
