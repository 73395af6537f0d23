//! What holds for all values.

use plugin_api::prelude::*;
use plugin_api::reading::{compare, text_or_json, truthy};
use proptest::prelude::*;

use super::tests::workflow;
use super::tests_nodes::PLUGIN;

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::null()),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        (-3_i64..3).prop_map(|number| Value::try_from(number as f64 / 2.0).unwrap()),
        "[ab]{0,2}".prop_map(|text| Value::from(text.as_str())),
    ];
    scalar.prop_recursive(2, 12, 4, |inner| {
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

fn unlisted(list: &Value) -> Vec<Value> {
    list.as_ref()
        .as_list()
        .expect("a list")
        .iter()
        .map(|item| item.to_value())
        .collect()
}

/// The result for a list and further parameters as the rest of a JSON map.
fn of(node_type: &str, items: &[Value], more: &str) -> Value {
    PLUGIN.result(node_type, &format!(r#"{{"items": {}{more}}}"#, listed(items)))
}

fn settled(items: &[Value]) -> Vec<String> {
    let mut all: Vec<_> = items.iter().map(Value::to_json).collect();
    all.sort();
    all
}

/// The items that a node of texts gives.
fn texts(node_type: &str, items: &[Value], more: &str) -> Vec<Value> {
    let input = format!(r#"{{"items": {}{more}}}"#, listed(items));
    let output = PLUGIN.call(&workflow(), node_type, &input).unwrap();
    unlisted(&output.as_ref().get("items").unwrap().to_value())
}

proptest! {
    #[test]
    fn what_is_sorted_is_in_order_and_loses_nothing(items in items()) {
        let sorted = unlisted(&of("utility.sort", &items, ""));
        prop_assert!(sorted.windows(2).all(|pair| compare(pair[0].as_ref(), pair[1].as_ref()).is_le()));
        prop_assert_eq!(settled(&sorted), settled(&items));
        prop_assert_eq!(unlisted(&of("utility.sort", &sorted, "")), sorted);
    }

    #[test]
    fn the_other_way_round_null_is_last_all_the_same(items in items()) {
        let sorted = unlisted(&of("utility.sort", &items, r#", "order": "desc""#));
        prop_assert_eq!(settled(&sorted), settled(&items));
        let nulls = items.iter().filter(|item| item.as_ref().is_null()).count();
        let (others, end) = sorted.split_at(sorted.len() - nulls);
        prop_assert!(end.iter().all(|item| item.as_ref().is_null()));
        prop_assert!(others.windows(2).all(|pair| compare(pair[0].as_ref(), pair[1].as_ref()).is_ge()));
    }

    #[test]
    fn filtering_keeps_all_or_none_or_those_that_count_as_true_in_their_order(items in items()) {
        prop_assert_eq!(unlisted(&of("utility.filter", &items, r#", "condition": true"#)), items.clone());
        prop_assert_eq!(unlisted(&of("utility.filter", &items, r#", "condition": 0"#)), Vec::<Value>::new());
        let kept = unlisted(&of("utility.filter", &items, r#", "condition": "$item""#));
        let expected: Vec<_> = items.into_iter().filter(|item| truthy(item.as_ref())).collect();
        prop_assert_eq!(kept, expected);
    }

    #[test]
    fn an_expression_of_the_item_maps_a_list_to_itself(items in items()) {
        prop_assert_eq!(unlisted(&of("utility.map", &items, r#", "transform": "$item""#)), items.clone());
        let places: Vec<Value> = (0_i64..).zip(&items).map(|(place, _)| place.into()).collect();
        prop_assert_eq!(unlisted(&of("utility.map", &items, r#", "transform": "$index""#)), places);
    }

    #[test]
    fn a_list_reduces_to_its_sum_or_what_it_began_with(numbers in prop::collection::vec(-1_000_i64..1_000, 0..8)) {
        let items: Vec<Value> = numbers.iter().map(|number| (*number).into()).collect();
        let sum = of("utility.reduce", &items, r#", "reducer": "$acc + $item", "initial": 0"#);
        prop_assert_eq!(sum.as_ref().as_i64(), Some(numbers.iter().sum()));
        let first = of("utility.reduce", &items, r#", "reducer": "$acc""#);
        prop_assert_eq!(first.as_ref().as_i64(), numbers.first().copied());
    }

    #[test]
    fn groups_have_all_items_each_once(items in items()) {
        let groups = of("utility.group", &items, "");
        let mut all = Vec::new();
        for (name, group) in groups.as_ref().as_map().unwrap() {
            let group: Vec<_> = group.as_list().unwrap().iter().map(|item| item.to_value()).collect();
            let named = |item: &Value| item.as_ref().is_null() || text_or_json(item.as_ref()) == name;
            prop_assert!(group.iter().all(named));
            all.extend(group);
        }
        prop_assert_eq!(settled(&all), settled(&items));
    }

    #[test]
    fn turning_round_twice_is_whether_it_counts_as_true(value in value()) {
        let once = PLUGIN.result("utils.not", &format!(r#"{{"value": {value}}}"#));
        let twice = PLUGIN.result("utils.not", &format!(r#"{{"value": {once}}}"#));
        prop_assert_eq!(twice.as_ref().as_bool(), Some(truthy(value.as_ref())));
        let branch = PLUGIN.result("utils.branchCondition", &format!(r#"{{"value": {value}}}"#));
        prop_assert_eq!(branch, twice);
    }

    #[test]
    fn a_text_equals_itself_and_its_parts_are_in_it(before in "[a-c.*]{0,4}", middle in "[a-c.*]{0,4}", behind in "[a-c.*]{0,4}") {
        let text = format!("{before}{middle}{behind}");
        let is = |mode: &str, compare: &str| {
            let input = format!(r#"{{"value": "{text}", "mode": "{mode}", "compare": "{compare}"}}"#);
            PLUGIN.result("utils.branchCondition", &input).as_ref().as_bool() == Some(true)
        };
        prop_assert!(is("equals", &text) && !is("not_equals", &text));
        prop_assert!(is("starts_with", &before) && is("ends_with", &behind) && is("contains", &middle));
        prop_assert!(is("is_empty", "") == text.is_empty());
    }

    #[test]
    fn a_list_of_texts_is_filtered_by_what_branches_decide(items in items(), pattern in "[ab]{0,2}") {
        for mode in ["contains", "equals", "starts_with", "ends_with", "regex"] {
            let kept = texts("utils.filterList", &items, &format!(r#", "mode": "{mode}", "pattern": "{pattern}""#));
            let fits = |item: &Value| {
                let input = format!(r#"{{"value": {item}, "mode": "{mode}", "compare": "{pattern}"}}"#);
                PLUGIN.result("utils.branchCondition", &input).as_ref().as_bool() == Some(true)
            };
            let expected: Vec<_> = items.iter().filter(|item| fits(item)).cloned().collect();
            prop_assert_eq!(kept, expected);
        }
    }

    #[test]
    fn the_template_that_is_the_item_writes_every_item_as_text(items in items()) {
        let written = texts("utils.mapList", &items, "");
        let expected: Vec<Value> = items.iter().map(|item| (&*text_or_json(item.as_ref())).into()).collect();
        prop_assert_eq!(&written, &expected);
        let joined = of("utils.reduceList", &items, r#", "separator": "|""#);
        let parts: Vec<&str> = expected.iter().filter_map(|text| text.as_ref().as_str()).collect();
        prop_assert_eq!(joined.as_ref().as_str(), Some(&*parts.join("|")));
    }

    #[test]
    fn a_mapping_comes_back_and_its_json_reads_as_it(value in value()) {
        let call = |more: &str| {
            PLUGIN.call(&workflow(), "transform", &format!(r#"{{"mapping": {value}{more}}}"#)).unwrap()
        };
        prop_assert_eq!(&call(""), &value);
        for format in ["json", "json-pretty"] {
            let text = call(&format!(r#", "format": "{format}""#));
            prop_assert_eq!(&Value::from_json(text.as_ref().as_str().unwrap()).unwrap(), &value);
        }
    }

    #[test]
    fn flattening_deeply_leaves_no_list(items in items()) {
        let input = format!(r#"{{"mapping": {}, "flatten": 100}}"#, listed(&items));
        let flat = PLUGIN.call(&workflow(), "transform", &input).unwrap();
        prop_assert!(unlisted(&flat).iter().all(|item| item.as_ref().as_list().is_none()));
        let again = format!(r#"{{"mapping": {flat}, "flatten": true}}"#);
        prop_assert_eq!(PLUGIN.call(&workflow(), "transform", &again).unwrap(), flat);
    }

    #[test]
    fn what_was_set_is_what_there_is(values in prop::collection::btree_map("[a-c]", value(), 0..4)) {
        let harness = workflow().variable("old", "there");
        let variables = Value::from_serialize(&values).unwrap();
        let input = format!(r#"{{"variables": {variables}, "mode": "replace"}}"#);
        let output = PLUGIN.call(&harness, "set-variable", &input).unwrap();
        prop_assert_eq!(output.as_ref().get("count").and_then(|count| count.as_i64()), i64::try_from(values.len()).ok());
        prop_assert_eq!(harness.variables(), variables);
    }
}
