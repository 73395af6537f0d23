//! What holds for all values, and for every row of operations.

use std::collections::VecDeque;

use plugin_api::prelude::*;
use plugin_api::reading::same;
use plugin_api::testing::Harness;
use proptest::prelude::*;

use super::tests_nodes::PLUGIN;

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::null()),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        "[ab]{0,2}".prop_map(|text| Value::from(text.as_str())),
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

/// The output of a node that works on the variable `v`.
fn on(harness: &Harness, node_type: &str, more: &str) -> Value {
    let input = format!(r#"{{"name": "v"{more}}}"#);
    PLUGIN
        .call(harness, node_type, &input)
        .unwrap_or_else(|error| panic!("{node_type} {input}: {error}"))
}

fn result(harness: &Harness, node_type: &str, more: &str) -> Value {
    on(harness, node_type, more)
        .as_ref()
        .get("result")
        .unwrap()
        .to_value()
}

fn kept(harness: &Harness) -> Value {
    harness.variable_value("v").unwrap_or_default()
}

fn field(output: &Value, name: &str) -> Value {
    output
        .as_ref()
        .get(name)
        .map_or_else(Value::null, |value| value.to_value())
}

fn listed<'v>(items: impl IntoIterator<Item = &'v Value>) -> Value {
    Value::from_items(items.into_iter().map(Value::as_ref)).unwrap()
}

proptest! {
    #[test]
    fn what_was_set_is_there_until_it_is_deleted(value in value()) {
        let harness = Harness::new();
        on(&harness, "var.set", &format!(r#", "value": {value}"#));
        prop_assert_eq!(&result(&harness, "var.get", r#", "default": "none""#), &value);
        prop_assert_eq!(result(&harness, "var.exists", ""), Value::from(true));
        let deleted = on(&harness, "var.delete", "");
        prop_assert_eq!(deleted.as_ref().get("previousValue"), Some(value.as_ref()));
        prop_assert_eq!(result(&harness, "var.exists", ""), Value::from(false));
        prop_assert_eq!(result(&harness, "var.get", r#", "default": "none""#), Value::from("none"));
    }

    #[test]
    fn toggling_twice_changes_nothing(before in any::<bool>()) {
        let harness = Harness::new().variable("v", &before);
        prop_assert_eq!(result(&harness, "var.toggle", ""), Value::from(!before));
        prop_assert_eq!(result(&harness, "var.toggle", ""), Value::from(before));
    }

    #[test]
    fn counting_up_and_down_changes_nothing(before in -1_000_000_i64..1_000_000, amount in any::<i32>()) {
        let harness = Harness::new().variable("v", &before);
        let more = format!(r#", "amount": {amount}"#);
        let up = on(&harness, "var.increment", &more);
        prop_assert_eq!(up.as_ref().get("result").and_then(|now| now.as_i64()), Some(before + i64::from(amount)));
        prop_assert_eq!(result(&harness, "var.decrement", &more), Value::from(before));
    }

    #[test]
    fn a_list_grows_by_what_is_appended(items in prop::collection::vec(value(), 1..6)) {
        let harness = Harness::new();
        for (place, item) in (1_i64..).zip(&items) {
            let output = on(&harness, "var.append", &format!(r#", "value": {item}"#));
            prop_assert_eq!(output.as_ref().get("length").and_then(|length| length.as_i64()), Some(place));
        }
        prop_assert_eq!(kept(&harness), listed(&items));
    }

    #[test]
    fn texts_are_put_together_with_what_is_between(texts in prop::collection::vec("[a-c]{1,3}", 1..6)) {
        let harness = Harness::new();
        for text in &texts {
            on(&harness, "var.concat", &format!(r#", "value": "{text}", "separator": "-""#));
        }
        prop_assert_eq!(kept(&harness), Value::from(texts.join("-").as_str()));
    }

    #[test]
    fn what_is_set_together_is_all_there_is_and_is_cleared(values in prop::collection::btree_map("[a-c]", value(), 0..4)) {
        let harness = Harness::new();
        let variables = Value::from_serialize(&values).unwrap();
        let call = |node_type: &str, input: &str| PLUGIN.call(&harness, node_type, input).unwrap();
        call("var.setMultiple", &format!(r#"{{"variables": {variables}}}"#));
        let all = call("var.getAll", "{}");
        prop_assert_eq!(all.as_ref().get("result"), Some(variables.as_ref()));
        let names = call("var.list", "{}");
        prop_assert_eq!(names.as_ref().get("count").and_then(|count| count.as_i64()), i64::try_from(values.len()).ok());
        let cleared = call("var.clear", "{}");
        prop_assert_eq!(cleared.as_ref().get("previous"), Some(variables.as_ref()));
        prop_assert_eq!(harness.variables(), Value::empty_map());
    }

    #[test]
    fn merging_twice_is_merging_once(values in prop::collection::btree_map("[a-c]", value(), 0..4)) {
        let harness = Harness::new().variable("v", &std::collections::BTreeMap::from([("a", 1), ("d", 2)]));
        let more = format!(r#", "value": {}"#, Value::from_serialize(&values).unwrap());
        let once = result(&harness, "var.merge", &more);
        prop_assert_eq!(&result(&harness, "var.merge", &more), &once);
        prop_assert!(values.iter().all(|(key, value)| once.as_ref().get(key) == Some(value.as_ref())));
        prop_assert!(once.as_ref().get("d").is_some());
    }

    #[test]
    fn a_counter_stays_within_its_limits(
        steps in prop::collection::vec(prop::sample::select(vec!["increment", "decrement", "reset", "get"]), 0..12),
        amount in 1_i64..7,
    ) {
        let harness = Harness::new();
        let mut expected = 5_i64;
        for step in steps {
            let more = format!(
                r#", "hookType": "useCounter", "operation": "{step}", "amount": {amount}, "initial": 5, "min": 0, "max": 9"#
            );
            expected = match step {
                "increment" => expected + amount,
                "decrement" => expected - amount,
                "reset" => 5,
                _ => expected,
            }
            .clamp(0, 9);
            prop_assert_eq!(result(&harness, "hook", &more), Value::from(expected));
        }
    }

    #[test]
    fn stacks_queues_and_sets_do_as_those_of_the_library(
        steps in prop::collection::vec((any::<bool>(), value()), 0..12),
    ) {
        let (stacked, queued, united) = (Harness::new(), Harness::new(), Harness::new());
        let (mut stack, mut queue, mut set) = (Vec::new(), VecDeque::new(), Vec::<Value>::new());
        let call = |harness: &Harness, kind: &str, operation: &str, value: &Value| {
            on(harness, "hook", &format!(r#", "hookType": "{kind}", "operation": "{operation}", "value": {value}"#))
        };
        for (adds, value) in steps {
            let place = set.iter().position(|item| same(item.as_ref(), value.as_ref()));
            if adds {
                call(&stacked, "useStack", "push", &value);
                call(&queued, "useQueue", "enqueue", &value);
                let added = call(&united, "useSet", "add", &value);
                prop_assert_eq!(field(&added, "value"), Value::from(place.is_some()));
                stack.push(value.clone());
                queue.push_back(value.clone());
                if place.is_none() {
                    set.push(value);
                }
            } else {
                let popped = call(&stacked, "stack", "pop", &value);
                prop_assert_eq!(field(&popped, "value"), stack.pop().unwrap_or_default());
                let taken = call(&queued, "queue", "dequeue", &value);
                prop_assert_eq!(field(&taken, "value"), queue.pop_front().unwrap_or_default());
                call(&united, "set", "delete", &value);
                if let Some(place) = place {
                    set.remove(place);
                }
            }
            prop_assert_eq!(kept(&stacked), listed(&stack));
            prop_assert_eq!(kept(&queued), listed(&queue));
            prop_assert_eq!(kept(&united), listed(&set));
        }
    }

    #[test]
    fn what_is_undone_is_what_was_before_and_can_be_done_again(values in prop::collection::vec(value(), 1..6)) {
        let harness = Harness::new();
        let call = |operation: &str, more: &str| {
            on(&harness, "hook", &format!(r#", "hookType": "useStateWithHistory", "operation": "{operation}"{more}"#))
        };
                call("get", "");
        for value in &values {
            call("set", &format!(r#", "value": {value}"#));
        }
        for earlier in values.iter().rev().skip(1).chain([&Value::null()]) {
            prop_assert_eq!(&field(&call("undo", ""), "result"), earlier);
        }
        prop_assert_eq!(field(&call("undo", ""), "canUndo"), Value::from(false));
        for later in &values {
            prop_assert_eq!(&field(&call("redo", ""), "result"), later);
        }
        prop_assert_eq!(field(&call("redo", ""), "canRedo"), Value::from(false));
    }

    #[test]
    fn an_entry_that_was_set_is_there_until_it_is_deleted(key in "[a-c.]{1,3}", value in value()) {
        let harness = Harness::new();
        let call = |operation: &str, more: &str| {
            let more = format!(r#", "hookType": "useMap", "operation": "{operation}", "key": "{key}"{more}"#);
            on(&harness, "hook", &more).as_ref().get("value").unwrap().to_value()
        };
        call("set", &format!(r#", "value": {value}"#));
        prop_assert_eq!(&call("get", ""), &value);
        prop_assert_eq!(call("has", ""), Value::from(true));
        prop_assert_eq!(call("delete", ""), value);
        prop_assert_eq!(call("has", ""), Value::from(false));
        prop_assert_eq!(kept(&harness), Value::empty_map());
    }
}
