//! What holds for all values.

use plugin_api::prelude::*;
use plugin_api::reading::truthy;
use proptest::prelude::*;

use super::tests::workflow;
use super::tests_nodes::PLUGIN;

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::null()),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        (-3_i64..3).prop_map(|number| Value::try_from(number as f64 / 2.0).unwrap()),
    ];
    scalar.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|items| Value::from_serialize(&items).unwrap()),
            prop::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|entries| Value::from_serialize(&entries).unwrap()),
        ]
    })
}

fn listed(items: &[Value]) -> Value {
    Value::from_items(items.iter().map(Value::as_ref)).unwrap()
}

fn merged(mode: &str, inputs: &[Value]) -> Value {
    let input = format!(
        r#"{{"mode": "{mode}", "take": "", "inputs": {}}}"#,
        listed(inputs)
    );
    PLUGIN.result("merge", &input)
}

fn lists() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(
        prop::collection::vec(value(), 0..4).prop_map(|items| listed(&items)),
        3,
    )
}

proptest! {
    #[test]
    fn a_condition_leaves_by_one_way_which_says_whether_it_holds(condition in value()) {
        for node_type in ["condition", "logic.if"] {
            let harness = workflow();
            let output = PLUGIN.call(&harness, node_type, &format!(r#"{{"condition": {condition}}}"#)).unwrap();
            let holds = output.as_ref().get("result").and_then(|result| result.as_bool());
            prop_assert_eq!(holds, Some(truthy(condition.as_ref())));
            prop_assert_eq!(harness.selected_outputs(), [u32::from(holds != Some(true))]);
        }
    }

    #[test]
    fn a_switch_leaves_by_the_place_of_the_case_that_fits(value in -3_i64..6, cases in 0_i64..5) {
        let harness = workflow();
        let entries: Vec<String> = (0..cases).map(|case| format!(r#""{case}": "way {case}""#)).collect();
        let input = format!(r#"{{"value": {value}, "cases": {{{}}}}}"#, entries.join(", "));
        let output = PLUGIN.call(&harness, "switch", &input).unwrap();
        let fits = (0..cases).contains(&value);
        let place = if fits { value } else { cases };
        prop_assert_eq!(output.as_ref().get("matched").and_then(|matched| matched.as_bool()), Some(fits));
        prop_assert_eq!(harness.selected_outputs(), [u32::try_from(place).unwrap()]);
    }

    #[test]
    fn a_list_of_cases_chooses_as_the_map_of_them(value in 0_i64..6, cases in prop::collection::hash_set(0_i64..6, 0..5)) {
        let map: Vec<String> = cases.iter().map(|case| format!(r#""{case}": "x""#)).collect();
        let list: Vec<String> = cases.iter().map(|case| format!(r#"{{"value": {case}, "result": "x"}}"#)).collect();
        let of_map = format!(r#"{{"value": {value}, "cases": {{{}}}}}"#, map.join(", "));
        let of_list = format!(r#"{{"value": {value}, "cases": [{}]}}"#, list.join(", "));
        let call = |input: &str| PLUGIN.call(&workflow(), "switch", input).unwrap();
        prop_assert_eq!(call(&of_map), call(&of_list));
    }

    #[test]
    fn the_parts_of_a_list_appended_are_the_list(items in prop::collection::vec(value(), 0..10), size in 1_usize..4) {
        let list = listed(&items);
        let output = PLUGIN.call(&workflow(), "split", &format!(r#"{{"items": {list}, "size": {size}}}"#)).unwrap();
        let output = output.as_ref();
        let count = output.get("count").and_then(|count| count.as_i64()).unwrap() as usize;
        prop_assert_eq!(count, items.len().div_ceil(size));
        let parts = output.get("result").and_then(|parts| parts.as_list()).unwrap();
        prop_assert_eq!(parts.len(), count);
        prop_assert!(parts.iter().all(|part| part.as_list().is_some_and(|part| (1..=size).contains(&part.len()))));
        let parts: Vec<Value> = parts.iter().map(|part| part.to_value()).collect();
        prop_assert_eq!(merged("append", &parts), list);
    }

    #[test]
    fn appending_is_associative(lists in lists()) {
        let all = merged("append", &lists);
        let (first, rest) = (&lists[..1], &lists[1..]);
        prop_assert_eq!(&merged("append", &[first, &[merged("append", rest)]].concat()), &all);
        prop_assert_eq!(merged("append", &[merged("append", &lists[..2]), lists[2].clone()]), all);
    }

    #[test]
    fn one_map_of_one_map_is_that_map(entries in prop::collection::btree_map("[abc]", value(), 0..4)) {
        let map = Value::from_serialize(&entries).unwrap();
        prop_assert_eq!(&merged("object", std::slice::from_ref(&map)), &map);
        prop_assert_eq!(&merged("object", &[map.clone(), Value::empty_map(), map.clone()]), &map);
        prop_assert_eq!(merged("combine", &[map.clone(), map.clone()]), listed(&[map]));
    }

    #[test]
    fn what_is_combined_by_key_has_every_key_once(keys in prop::collection::vec(0_i64..5, 0..8)) {
        let item = |key: &i64| Value::from_json(&format!(r#"{{"id": {key}}}"#)).unwrap();
        let items: Vec<Value> = keys.iter().map(item).collect();
        let input = format!(r#"{{"mode": "combine", "key": "id", "inputs": [{}]}}"#,
            items.iter().map(Value::to_json).collect::<Vec<_>>().join(", "));
        let result = PLUGIN.result("merge", &input);
        let found: Vec<i64> = result.as_ref().as_list().unwrap().iter()
            .map(|item| item.get("id").and_then(|id| id.as_i64()).unwrap()).collect();
        let mut expected = Vec::new();
        keys.iter().for_each(|key| if !expected.contains(key) { expected.push(*key) });
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn noop_passes_on_what_arrived(value in value()) {
        let harness = workflow().input(0, &value);
        prop_assert_eq!(PLUGIN.call(&harness, "noop", "{}").unwrap(), value);
    }

    #[test]
    fn stop_stops_exactly_when_it_is_told(when in value()) {
        let stopped = PLUGIN.call(&workflow(), "stop", &format!(r#"{{"when": {when}}}"#)).is_err();
        prop_assert_eq!(stopped, truthy(when.as_ref()));
    }

    #[test]
    fn a_wait_says_how_long_it_was(micros in 0_u32..2_000) {
        let millis = f64::from(micros) / 1_000.0;
        let output = PLUGIN.call(&workflow(), "wait", &format!(r#"{{"duration": {millis}}}"#)).unwrap();
        prop_assert_eq!(output.as_ref().get("duration").and_then(|duration| duration.as_f64()), Some(millis));
    }
}
