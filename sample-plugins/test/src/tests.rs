use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the output or the code and a part of the message.
type Case = (&'static str, Result<&'static str, (&'static str, &'static str)>);

fn check<N: Export>(cases: &[Case]) {
    let harness = Harness::new();
    harness.check_examples::<N>();
    for (input, expected) in cases {
        match (harness.call::<N>(input), expected) {
            (Ok(output), Ok(expected)) => {
                assert_eq!(
                    output,
                    Value::from_json(expected).unwrap(),
                    "{} {input}",
                    N::NODE_TYPE
                );
            }
            (Err(error), Err((code, part))) => {
                assert_eq!(error.code, *code, "{} {input}: {error}", N::NODE_TYPE);
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
            }
            (found, expected) => panic!("{} {input}: {found:?}, expected {expected:?}", N::NODE_TYPE),
        }
    }
}

#[test]
fn every_example_holds() {
    let harness = Harness::new();
    harness.check_examples::<noop>();
    harness.check_examples::<echo>();
    harness.check_examples::<sleep>();
}

#[test]
fn equality_goes_to_the_depths_and_a_difference_fails_with_both_values() {
    const FAILED: &str = "ASSERTION_FAILED";
    check::<assert_equals>(&[
        ("{}", Ok(r#"{"passed": true, "expected": null, "actual": null}"#)),
        (
            r#"{"actual": [{"a": 1, "b": 2}], "expected": [{"b": 2.0, "a": 1}]}"#,
            Ok(r#"{"passed": true, "expected": [{"b": 2.0, "a": 1}], "actual": [{"a": 1, "b": 2}]}"#),
        ),
        (
            r#"{"actual": 0.0, "expected": -0.0}"#,
            Ok(r#"{"passed": true, "expected": -0.0, "actual": 0.0}"#),
        ),
        (
            r#"{"actual": 1, "expected": "1"}"#,
            Err((FAILED, r#"expected "1", found 1"#)),
        ),
        (
            r#"{"actual": false, "expected": null}"#,
            Err((FAILED, "expected null, found false")),
        ),
        (
            r#"{"actual": [1, 2], "expected": [1]}"#,
            Err((FAILED, "expected [1], found [1,2]")),
        ),
        (
            r#"{"actual": {"a": null}, "expected": {"b": null}}"#,
            Err((FAILED, r#"expected {"b":null}"#)),
        ),
        (
            r#"{"actual": 9007199254740993, "expected": 9007199254740992.0}"#,
            Err((FAILED, "found 9007199254740993")),
        ),
        (
            r#"{"actual": 1, "expected": 2, "message": "the sum"}"#,
            Err((FAILED, "the sum: expected 2, found 1")),
        ),
        (r#"{"message": 1}"#, Err((code::VALIDATION_FAILED, "`message`"))),
    ]);
}

#[test]
fn a_failed_assertion_tells_machines_what_was_found_and_cuts_it_for_people() {
    let input = format!(r#"{{"actual": "{}", "expected": 1}}"#, "é".repeat(10_000));
    let error = Harness::new().call::<assert_equals>(&input).unwrap_err();
    assert!(error.message.len() < 400, "{}", error.message.len());
    let details = error.details.unwrap();
    assert_eq!(
        details
            .as_ref()
            .get("actual")
            .unwrap()
            .as_str()
            .unwrap()
            .chars()
            .count(),
        10_000
    );
    assert_eq!(details.as_ref().get("passed").unwrap().as_bool(), Some(false));
}

#[test]
fn true_and_false_are_not_what_merely_counts_as_such() {
    const FAILED: &str = "ASSERTION_FAILED";
    check::<assert_true>(&[
        (r#"{"value": 1}"#, Err((FAILED, "expected true, found 1"))),
        ("{}", Err((FAILED, "expected true, found null"))),
        (
            r#"{"value": false, "message": ""}"#,
            Err((FAILED, "expected true, found false")),
        ),
    ]);
    check::<assert_false>(&[
        (r#"{"value": 0}"#, Err((FAILED, "expected false, found 0"))),
        (
            r#"{"value": true, "message": "empty"}"#,
            Err((FAILED, "empty: expected false, found true")),
        ),
    ]);
    check::<assert_exists>(&[
        (r#"{"value": false}"#, Ok(r#"{"passed": true, "value": false}"#)),
        (
            r#"{"value": null}"#,
            Err((FAILED, "expected a value, found null")),
        ),
        ("{}", Err((FAILED, "found null"))),
    ]);
}

#[test]
fn a_suite_counts_and_names_the_result_that_is_none() {
    check::<run_suite>(&[
        (
            r#"{"results": [{"passed": false}], "suite_name": "S"}"#,
            Ok(
                r#"{"passed": false, "total": 1, "passed_count": 0, "failed_count": 1,
                "failures": [{"test_index": 0, "error": null}], "summary": "S: 0 of 1 passed"}"#,
            ),
        ),
        (
            r#"{"results": [{"passed": true}, 5]}"#,
            Err((code::VALIDATION_FAILED, "`results[1]`")),
        ),
        (
            r#"{"results": [{"passed": "yes"}]}"#,
            Err((code::VALIDATION_FAILED, "`results[0]`")),
        ),
        (r#"{"results": 5}"#, Err((code::VALIDATION_FAILED, "`results`"))),
    ]);
}

#[test]
fn fail_fails_as_told() {
    check::<fail>(&[
        ("{}", Err((code::EXECUTION_ERROR, "failed as told"))),
        (
            r#"{"code": "TIMEOUT", "message": "slow"}"#,
            Err(("TIMEOUT", "slow")),
        ),
        (r#"{"code": ""}"#, Err((code::VALIDATION_FAILED, "`code`"))),
        (
            r#"{"statusCode": 99}"#,
            Err((code::VALIDATION_FAILED, "`statusCode`")),
        ),
        (
            r#"{"statusCode": 70000, "when": false}"#,
            Err((code::VALIDATION_FAILED, "`statusCode`")),
        ),
        (r#"{"when": "no"}"#, Err((code::VALIDATION_FAILED, "`when`"))),
    ]);
    let error = Harness::new()
        .call::<fail>(r#"{"status": 429, "retryable": true}"#)
        .unwrap_err();
    assert_eq!((error.status_code, error.retryable), (Some(429), Some(true)));
}

#[test]
fn flaky_fails_as_often_as_told_and_then_succeeds() {
    // Parameters, and each call's message or output.
    let table: &[(&str, &[Result<&str, &str>])] = &[
        (
            r#"{"failures": 1, "code": "MY_CODE", "result": "ok"}"#,
            &[
                Err("MY_CODE: flaky failure 1"),
                Ok(r#"{"result": "ok", "attempts": 2}"#),
            ],
        ),
        (
            r#"{"failures": 3, "code": "TIMEOUT", "result": "ok"}"#,
            &[
                Err("TIMEOUT: flaky failure 1"),
                Err("TIMEOUT: flaky failure 2"),
                Err("TIMEOUT: flaky failure 3"),
                Ok(r#"{"result": "ok", "attempts": 4}"#),
                Ok(r#"{"result": "ok", "attempts": 5}"#),
            ],
        ),
        (
            r#"{"failures": 1, "result": [1], "value": "abc"}"#,
            &[
                Err("EXECUTION_ERROR: flaky failure 1"),
                Ok(r#"{"result": [1], "attempts": 2}"#),
            ],
        ),
        (
            "{}",
            &[
                Err("EXECUTION_ERROR: flaky failure 1"),
                Ok(r#"{"result": null, "attempts": 2}"#),
            ],
        ),
    ];
    let harness = Harness::new();
    harness.check_examples::<Flaky>();
    for (input, calls) in table {
        let instance = harness.instance::<Flaky>("null").unwrap();
        for (number, expected) in calls.iter().enumerate() {
            match (instance.call(input), expected) {
                (Ok(output), Ok(expected)) => assert_eq!(output, Value::from_json(expected).unwrap()),
                (Err(error), Err(expected)) => assert_eq!(error.to_string(), *expected),
                (found, _) => panic!("{input}, call {number}: {found:?}, expected {expected:?}"),
            }
        }
    }
    let instance = harness.instance::<Flaky>("null").unwrap();
    let error = instance
        .call(r#"{"failures": 1, "statusCode": 503}"#)
        .unwrap_err();
    assert_eq!(error.status_code, Some(503));
}

#[test]
fn a_wrong_parameter_of_flaky_is_no_attempt() {
    let instance = Harness::new().instance::<Flaky>("null").unwrap();
    for (input, parameter) in [
        (r#"{"failures": -1}"#, "`failures`"),
        (r#"{"failures": 1.5}"#, "`failures`"),
        (r#"{"statusCode": 600}"#, "`statusCode`"),
        (r#"{"code": ""}"#, "`code`"),
    ] {
        let error = instance.call(input).unwrap_err();
        assert_eq!(error.code, code::VALIDATION_FAILED, "{input}: {error}");
        assert!(error.message.contains(parameter), "{input}: {error}");
    }
    assert_eq!(instance.call("{}").unwrap_err().message, "flaky failure 1");
}

#[test]
fn the_next_version_goes_on_counting() {
    let harness = Harness::new();
    let old = harness.instance::<Flaky>("null").unwrap();
    assert_eq!(old.save_state().unwrap(), None);
    old.call(r#"{"failures": 2}"#).unwrap_err();
    let state = old.save_state().unwrap().unwrap();
    let mut new = harness.instance::<Flaky>("null").unwrap();
    new.load_state("1.0.0", state.as_ref()).unwrap();
    assert_eq!(
        new.call(r#"{"failures": 2}"#).unwrap_err().message,
        "flaky failure 2"
    );
    for bad in [
        "null",
        r#"{"format": 2, "counts": []}"#,
        r#"{"format": 1, "counts": [["a", -1]]}"#,
    ] {
        assert!(
            new.load_state("1.0.0", Value::from_json(bad).unwrap().as_ref())
                .is_err(),
            "{bad}"
        );
    }
    assert!(new.call(r#"{"failures": 2}"#).is_ok());
}

#[test]
fn aliases_name_the_ids_of_the_other_languages() {
    assert_eq!(assert_equals::meta().aliases, ["test.assert_equals"]);
    assert_eq!(run_suite::meta().aliases, ["test.run_suite"]);
}
