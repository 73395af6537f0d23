//! What holds for all values.

use plugin_api::prelude::*;
use plugin_api::testing::Harness;
use proptest::prelude::*;

use super::tests_nodes::PLUGIN;

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::null()),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
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

fn holds(node_type: &str, input: &str) -> bool {
    match PLUGIN.call(&Harness::new(), node_type, input) {
        Ok(output) => output.as_ref().get("passed").and_then(|passed| passed.as_bool()) == Some(true),
        Err(error) => {
            assert_eq!(error.code, "ASSERTION_FAILED", "{node_type} {input}: {error}");
            false
        }
    }
}

proptest! {
    #[test]
    fn a_value_equals_itself_and_equality_has_no_sides(a in value(), b in value()) {
        let itself = holds("test.assertEquals", &format!(r#"{{"actual": {a}, "expected": {a}}}"#));
        prop_assert!(itself);
        let one = holds("test.assertEquals", &format!(r#"{{"actual": {a}, "expected": {b}}}"#));
        let other = holds("test.assertEquals", &format!(r#"{{"actual": {b}, "expected": {a}}}"#));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn a_value_is_true_or_false_or_neither_and_there_unless_it_is_null(value in value()) {
        let input = format!(r#"{{"value": {value}}}"#);
        let (yes, no) = (holds("test.assertTrue", &input), holds("test.assertFalse", &input));
        prop_assert_eq!(value.as_ref().as_bool(), (yes || no).then_some(yes));
        prop_assert!(!(yes && no));
        prop_assert_eq!(holds("test.assertExists", &input), !value.as_ref().is_null());
    }

    #[test]
    fn every_value_is_of_any_type_and_of_its_own(value in value()) {
        let of = |name: &str| holds("value.assert.type", &format!(r#"{{"value": {value}, "type": "{name}"}}"#));
        prop_assert!(of("any"));
        let own = ["null", "boolean", "number", "string", "list", "map"];
        prop_assert_eq!(own.iter().filter(|name| of(name)).count(), 1);
        prop_assert!(!of("integer") || of("number"));
        prop_assert!(!of("string_list") || of("list"));
    }

    #[test]
    fn what_is_given_comes_back(value in value()) {
        let input = format!(r#"{{"a": {value}}}"#);
        prop_assert_eq!(
            PLUGIN.call(&Harness::new(), "test.echo", &input).unwrap(),
            Value::from_json(&input).unwrap()
        );
        prop_assert_eq!(PLUGIN.call(&Harness::new(), "test.noop", &input).unwrap(), Value::null());
    }

    #[test]
    fn a_suite_counts_every_result_once(results in prop::collection::vec(any::<bool>(), 0..20)) {
        let lines: Vec<String> = results.iter().map(|passed| format!(r#"{{"passed": {passed}}}"#)).collect();
        let input = format!(r#"{{"results": [{}]}}"#, lines.join(", "));
        let report = PLUGIN.call(&Harness::new(), "test.runSuite", &input).unwrap();
        let report = report.as_ref();
        let count = |name: &str| report.get(name).and_then(|count| count.as_i64()).unwrap() as usize;
        prop_assert_eq!(count("total"), results.len());
        prop_assert_eq!(count("passed_count") + count("failed_count"), results.len());
        prop_assert_eq!(count("passed_count"), results.iter().filter(|passed| **passed).count());
        let failed: Vec<usize> = (0..results.len()).filter(|index| !results[*index]).collect();
        let told = report.get("failures").and_then(|told| told.as_list()).unwrap();
        let told = told.iter().map(|failure| failure.get("test_index").and_then(|at| at.as_i64()).unwrap() as usize);
        prop_assert_eq!(told.collect::<Vec<_>>(), failed);
        prop_assert_eq!(report.get("passed").and_then(|passed| passed.as_bool()), Some(results.iter().all(|p| *p)));
    }

    #[test]
    fn what_fails_fails_with_the_code_and_status_it_is_given(code in "[A-Z_]{1,20}", status in 100_i64..600) {
        let input = format!(r#"{{"code": "{code}", "statusCode": {status}, "message": "why"}}"#);
        let error = PLUGIN.call(&Harness::new(), "test.fail", &input).unwrap_err();
        prop_assert_eq!(&*error.code, &*code);
        prop_assert_eq!(error.status_code.map(i64::from), Some(status));
        prop_assert_eq!(error.message, "why");
    }

    #[test]
    fn a_flaky_node_fails_as_often_as_it_is_told(failures in 0_u64..6) {
        let instance = Harness::new().instance::<crate::Flaky>("null").unwrap();
        let input = format!(r#"{{"failures": {failures}}}"#);
        let failed = (0..10).take_while(|_| instance.call(&input).is_err()).count();
        prop_assert_eq!(failed as u64, failures);
        prop_assert!(instance.call(&input).is_ok());
    }
}
