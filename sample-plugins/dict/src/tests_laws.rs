//! What holds for every map.

use plugin_api::prelude::*;
use plugin_api::testing::Harness;
use proptest::prelude::*;

use super::tests_nodes::PLUGIN;

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::null()),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ab]{0,2}".prop_map(|text| Value::from(text.as_str())),
    ];
    scalar.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|items| Value::from_serialize(&items).unwrap()),
            map_of(inner),
        ]
    })
}

fn map_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[abc]", value, 0..4)
        .prop_map(|entries| Value::from_serialize(&entries).unwrap())
}

/// The result for a map and further parameters as the rest of a JSON map.
fn of(node_type: &str, object: &Value, more: &str) -> Value {
    PLUGIN.result(node_type, &format!(r#"{{"object": {object}{more}}}"#))
}

fn merged(node_type: &str, objects: &[&Value]) -> Value {
    let objects = Value::from_items(objects.iter().map(|object| object.as_ref())).unwrap();
    PLUGIN.result(node_type, &format!(r#"{{"objects": {objects}}}"#))
}

fn count(value: &Value) -> usize {
    let (list, map) = (value.as_ref().as_list(), value.as_ref().as_map());
    list.map_or(0, |list| list.len()) + map.map_or(0, |map| map.len())
}

proptest! {
    #[test]
    fn what_was_set_is_got(object in map_of(value()), path in "[abc](\\.[abcd]){0,3}", new in value()) {
        let input = format!(r#"{{"object": {object}, "path": "{path}", "value": {new}}}"#);
        match PLUGIN.call(&Harness::new(), "dict.set", &input) {
            Ok(output) => {
                let object = output.as_ref().get("result").unwrap().to_value();
                prop_assert_eq!(of("dict.get", &object, &format!(r#", "path": "{path}""#)), new);
            }
            // A list stood in the way.
            Err(error) => prop_assert!(error.message.contains("is no position in a list"), "{}", error),
        }
    }

    #[test]
    fn setting_what_is_there_changes_nothing(object in map_of(value()), key in "[abc]") {
        if let Some(there) = object.as_ref().get(&key) {
            let set = of("dict.set", &object, &format!(r#", "path": "{key}", "value": {there}"#));
            prop_assert_eq!(set, object);
        }
    }

    #[test]
    fn what_was_deleted_is_not_there(object in map_of(value()), key in "[abcd]") {
        let more = format!(r#", "key": "{key}""#);
        let left = of("dict.delete", &object, &more);
        prop_assert_eq!(of("dict.has", &left, &more), Value::from(false));
        prop_assert_eq!(&of("dict.omit", &object, &format!(r#", "keys": ["{key}"]"#)), &left);
        let had = of("dict.has", &object, &more).as_ref().as_bool() == Some(true);
        prop_assert_eq!(count(&left), count(&object) - usize::from(had));
    }

    #[test]
    fn entries_make_the_same_map_again(object in map_of(value())) {
        let entries = of("dict.entries", &object, "");
        prop_assert_eq!(PLUGIN.result("dict.fromEntries", &format!(r#"{{"entries": {entries}}}"#)), object);
    }

    #[test]
    fn keys_and_values_are_the_two_sides_of_the_entries(object in map_of(value())) {
        let (keys, values) = (of("dict.keys", &object, ""), of("dict.values", &object, ""));
        let sides = keys.as_ref().as_list().unwrap().iter().zip(values.as_ref().as_list().unwrap());
        let entries = of("dict.entries", &object, "");
        let entries = entries.as_ref().as_list().unwrap();
        prop_assert_eq!(entries.len(), count(&keys));
        for (entry, (key, value)) in entries.iter().zip(sides) {
            prop_assert_eq!((entry.at(0), entry.at(1)), (Some(key), Some(value)));
        }
        let size = of("dict.size", &object, "");
        prop_assert_eq!(size.as_ref().as_i64(), i64::try_from(entries.len()).ok());
    }

    #[test]
    fn sorted_keys_are_all_keys_in_order(keys in prop::collection::hash_set("[a-z]{1,3}", 0..8)) {
        let entries: Vec<String> = keys.iter().map(|key| format!(r#""{key}": 1"#)).collect();
        let object = Value::from_json(&format!("{{{}}}", entries.join(", "))).unwrap();
        let sorted = of("dict.keys", &object, r#", "sorted": true"#);
        let sorted: Vec<_> = sorted.as_ref().as_list().unwrap().iter().filter_map(|key| key.as_str()).collect();
        prop_assert_eq!(sorted.len(), keys.len());
        prop_assert!(sorted.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn what_is_picked_and_what_is_left_are_the_whole(object in map_of(value()), keys in "[abcd]{0,4}") {
        let keys = Value::from_serialize(&keys.chars().collect::<Vec<_>>()).unwrap();
        let more = format!(r#", "keys": {keys}"#);
        let (picked, left) = (of("dict.pick", &object, &more), of("dict.omit", &object, &more));
        prop_assert_eq!(count(&picked) + count(&left), count(&object));
        let whole = merged("dict.merge", &[&left, &picked]);
        let (whole, object) = (whole.as_ref().as_map().unwrap(), object.as_ref().as_map().unwrap());
        prop_assert_eq!(whole.len(), object.len());
        prop_assert!(object.iter().all(|(key, value)| whole.get(key) == Some(value)));
    }

    #[test]
    fn merging_with_nothing_or_itself_changes_nothing(object in map_of(value())) {
        let objects = [&object, &Value::empty_map(), &Value::null(), &object];
        prop_assert_eq!(merged("dict.merge", &objects), object.clone());
        prop_assert_eq!(merged("dict.deepMerge", &objects), object);
    }

    #[test]
    fn merging_is_associative(a in map_of(value()), b in map_of(value()), c in map_of(value())) {
        let all = merged("dict.merge", &[&a, &b, &c]);
        prop_assert_eq!(&merged("dict.merge", &[&merged("dict.merge", &[&a, &b]), &c]), &all);
        prop_assert_eq!(&merged("dict.merge", &[&a, &merged("dict.merge", &[&b, &c])]), &all);
        // Deep merging is so from the left alone: a value that is no map hides what was before it.
        let deep = merged("dict.deepMerge", &[&a, &b, &c]);
        prop_assert_eq!(merged("dict.deepMerge", &[&merged("dict.deepMerge", &[&a, &b]), &c]), deep);
    }

    #[test]
    fn inverting_twice_changes_nothing_where_values_differ(keys in prop::collection::hash_set("[a-z]{1,3}", 0..6)) {
        let entries: Vec<String> = keys.iter().map(|key| format!(r#""{key}": "{key}!""#)).collect();
        let object = Value::from_json(&format!("{{{}}}", entries.join(", "))).unwrap();
        prop_assert_eq!(of("dict.invert", &of("dict.invert", &object, ""), ""), object);
    }

    #[test]
    fn a_template_of_the_value_maps_a_map_to_itself(object in map_of(value())) {
        prop_assert_eq!(of("dict.mapValues", &object, r#", "transform": "{{ $value }}""#), object);
    }

    #[test]
    fn filtering_keeps_the_order_and_what_holds(object in map_of(value())) {
        prop_assert_eq!(&of("dict.filterEntries", &object, r#", "condition": true"#), &object);
        prop_assert_eq!(of("dict.filterEntries", &object, r#", "condition": false"#), Value::empty_map());
        let kept = of("dict.filterEntries", &object, r#", "condition": "$value""#);
        let truthy = object.as_ref().as_map().unwrap().iter().filter(|(_, value)| plugin_api::reading::truthy(*value));
        prop_assert_eq!(kept, Value::from_pairs(truthy).unwrap());
    }
}
