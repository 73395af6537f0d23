//! What holds for all values.

use plugin_api::prelude::*;
use plugin_api::reading::{same, truthy};
use proptest::prelude::*;

use super::tests_nodes::PLUGIN;
use crate::equality::{Strictness, equal};

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::null()),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        (-3_i64..3).prop_map(|number| Value::try_from(number as f64 / 2.0).unwrap()),
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

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3_i64..3).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![
            -0.0,
            0.5,
            9_007_199_254_740_992.0,
            9_223_372_036_854_775_808.0
        ])
        .prop_map(|float| Value::try_from(float).unwrap()),
    ]
}

fn says(node_type: &str, input: &str) -> bool {
    PLUGIN
        .result(node_type, input)
        .as_ref()
        .as_bool()
        .expect("true or false")
}

fn of_value(node_type: &str, value: &Value) -> bool {
    says(node_type, &format!(r#"{{"value": {value}}}"#))
}

fn of_pair(node_type: &str, a: &Value, b: &Value) -> bool {
    says(node_type, &format!(r#"{{"a": {a}, "b": {b}}}"#))
}

fn of_list(node_type: &str, values: &[Value]) -> bool {
    says(node_type, &format!(r#"{{"values": {}}}"#, listed(values)))
}

fn listed(values: &[Value]) -> Value {
    Value::from_items(values.iter().map(Value::as_ref)).unwrap()
}

fn values() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(value(), 0..5)
}

proptest! {
    #[test]
    fn not_both_is_one_that_is_not(values in values()) {
        let turned: Vec<Value> = values.iter().map(|value| of_value("logic.not", value).into()).collect();
        prop_assert_eq!(!of_list("logic.and", &values), of_list("logic.or", &turned));
        prop_assert_eq!(!of_list("logic.or", &values), of_list("logic.and", &turned));
    }

    #[test]
    fn turning_round_twice_is_whether_it_counts_as_true(value in value()) {
        let once = of_value("logic.not", &value);
        prop_assert_eq!(of_value("logic.not", &once.into()), truthy(value.as_ref()));
    }

    #[test]
    fn the_order_of_values_does_not_count(values in values()) {
        let mut turned = values.clone();
        turned.reverse();
        for node_type in ["logic.and", "logic.or", "logic.xor"] {
            prop_assert_eq!(of_list(node_type, &values), of_list(node_type, &turned));
        }
    }

    #[test]
    fn one_of_two_is_either_and_not_both(a in value(), b in value()) {
        let xor = of_pair("logic.xor", &a, &b);
        let pair = [a, b];
        prop_assert_eq!(xor, of_list("logic.or", &pair) && !of_list("logic.and", &pair));
        prop_assert_eq!(xor, of_list("logic.xor", &pair));
    }

    #[test]
    fn equality_is_reflexive_and_symmetric_and_loose_equality_is_wider(a in value(), b in value()) {
        prop_assert!(of_pair("logic.equals", &a, &a));
        prop_assert_eq!(of_pair("logic.equals", &a, &b), of_pair("logic.equals", &b, &a));
        prop_assert_ne!(of_pair("logic.equals", &a, &b), of_pair("logic.notEquals", &a, &b));
        let (a, b) = (a.as_ref(), b.as_ref());
        prop_assert_eq!(equal(a, b, Strictness::Loose), equal(b, a, Strictness::Loose));
        prop_assert!(!equal(a, b, Strictness::Strict) || equal(a, b, Strictness::Loose));
    }

    #[test]
    fn of_two_numbers_one_is_less_or_they_are_equal(a in number(), b in number()) {
        let (less, equal, greater) =
            (of_pair("logic.lt", &a, &b), of_pair("logic.equals", &a, &b), of_pair("logic.gt", &a, &b));
        prop_assert_eq!(u8::from(less) + u8::from(equal) + u8::from(greater), 1, "{} {}", a, b);
        prop_assert_eq!(less, of_pair("logic.gt", &b, &a));
        prop_assert_eq!(of_pair("logic.lte", &a, &b), less || equal);
        prop_assert_eq!(of_pair("logic.gte", &a, &b), greater || equal);
    }

    #[test]
    fn the_order_of_numbers_is_transitive(a in number(), b in number(), c in number()) {
        if of_pair("logic.lte", &a, &b) && of_pair("logic.lte", &b, &c) {
            prop_assert!(of_pair("logic.lte", &a, &c), "{} {} {}", a, b, c);
        }
    }

    #[test]
    fn between_is_not_below_and_not_above(value in number(), min in number(), max in number()) {
        let input = |inclusive: bool| {
            format!(r#"{{"value": {value}, "min": {min}, "max": {max}, "inclusive": {inclusive}}}"#)
        };
        let within = of_pair("logic.gte", &value, &min) && of_pair("logic.lte", &value, &max);
        prop_assert_eq!(says("logic.between", &input(true)), within);
        let inside = of_pair("logic.gt", &value, &min) && of_pair("logic.lt", &value, &max);
        prop_assert_eq!(says("logic.between", &input(false)), inside);
    }

    #[test]
    fn what_is_in_a_list_equals_one_of_its_items(values in values(), wanted in value()) {
        let input = format!(r#"{{"value": {wanted}, "array": {}}}"#, listed(&values));
        let is_one = values.iter().any(|item| of_pair("logic.equals", item, &wanted));
        prop_assert_eq!(says("logic.in", &input), is_one);
    }

    #[test]
    fn a_choice_is_one_of_what_there_is_to_choose(condition in value(), yes in value(), no in value()) {
        let input = format!(r#"{{"condition": {condition}, "then": {yes}, "else": {no}}}"#);
        let chosen = if truthy(condition.as_ref()) { yes } else { no };
        prop_assert_eq!(PLUGIN.result("logic.ternary", &input), chosen);
    }

    #[test]
    fn the_first_that_is_not_null_is_taken(values in values()) {
        let first = values.iter().find(|value| !value.as_ref().is_null()).cloned().unwrap_or_default();
        let input = format!(r#"{{"values": {}}}"#, listed(&values));
        prop_assert_eq!(PLUGIN.result("logic.coalesce", &input), first);
    }

    #[test]
    fn what_is_null_is_empty_and_has_its_own_type(value in value()) {
        let is_null = of_value("logic.isNull", &value);
        let kind = PLUGIN.result("logic.typeOf", &format!(r#"{{"value": {value}}}"#));
        prop_assert_eq!(kind.as_ref().as_str() == Some("null"), is_null);
        prop_assert!(!is_null || of_value("logic.isEmpty", &value));
        prop_assert_eq!(is_null, same(value.as_ref(), ValueRef::NULL));
    }
}
