//! Nodes that join, cut, wait and stop.

use plugin_api::error::code;
use plugin_api::prelude::*;

use super::tests::{MISSING, check, check_in, workflow};
use super::*;

#[test]
fn merge_makes_one_value_of_what_arrived() {
    check::<merge>(&[("{}", Ok((r#"{"result": []}"#, &[])))]);
    let harness = workflow()
        .input(
            0,
            &Value::from_json(r#"{"result": [{"id": 1, "a": 1}, {"id": 2, "a": 2}, {"a": 3}]}"#).unwrap(),
        )
        .input(
            2,
            &Value::from_json(r#"[{"id": 2.0, "b": 5}, {"id": 3}, {"id": 3, "c": 1}, {"b": 6}]"#).unwrap(),
        )
        .input(2, &Value::from_json(r#"{"id": 3, "d": 1}"#).unwrap());
    check_in::<merge>(
        &harness,
        &[
            (
                "{}",
                Ok((
                    r#"{"result": [{"id": 1, "a": 1}, {"id": 2, "a": 2}, {"a": 3}, {"id": 2.0, "b": 5}, {"id": 3},
                        {"id": 3, "c": 1}, {"b": 6}, {"id": 3, "d": 1}]}"#,
                    &[],
                )),
            ),
            (
                r#"{"mode": "mergeByKey", "key": "id"}"#,
                Ok((
                    r#"{"result": [{"id": 1, "a": 1}, {"id": 2.0, "a": 2, "b": 5}, {"a": 3}, {"id": 3, "d": 1},
                        {"id": 3, "c": 1}, {"b": 6}]}"#,
                    &[],
                )),
            ),
            (
                r#"{"mode": "combine"}"#,
                Ok((
                    r#"{"result": [{"id": 3, "a": 1, "b": 5, "d": 1}, {"id": 3, "a": 2}, {"a": 3, "id": 3, "c": 1},
                        {"b": 6}]}"#,
                    &[],
                )),
            ),
            (
                r#"{"mode": "chooseBranch", "index": 2}"#,
                Ok((
                    r#"{"result": [{"id": 2.0, "b": 5}, {"id": 3}, {"id": 3, "c": 1}, {"b": 6}]}"#,
                    &[],
                )),
            ),
            (
                r#"{"mode": "pick", "take": ""}"#,
                Ok((
                    r#"{"result": {"result": [{"id": 1, "a": 1}, {"id": 2, "a": 2}, {"a": 3}]}}"#,
                    &[],
                )),
            ),
            (
                r#"{"mode": "pick", "index": 1}"#,
                Err((code::VALIDATION_FAILED, "`index`")),
            ),
            (r#"{"mode": "object"}"#, Err((code::VALIDATION_FAILED, "input 0"))),
        ],
    );
    check_in::<merge>(
        &workflow(),
        &[
            (r#"{"mode": "pick"}"#, Ok((r#"{"result": null}"#, &[]))),
            (
                r#"{"mode": "object", "inputs": [{"result": {"a": 1}}, null]}"#,
                Ok((r#"{"result": {"a": 1}}"#, &[])),
            ),
            (
                r#"{"mode": "nonsense"}"#,
                Err((code::VALIDATION_FAILED, "`mode`")),
            ),
            (r#"{"inputs": {}}"#, Err((code::VALIDATION_FAILED, "`inputs`"))),
            (
                r#"{"mode": "combine", "inputs": [[5]]}"#,
                Err((code::VALIDATION_FAILED, "item 0 of input 0")),
            ),
        ],
    );
}

#[test]
fn a_wait_ends_and_says_how_long_it_was() {
    check::<wait>(&[
        (
            r#"{"duration": 0}"#,
            Ok((r#"{"waited": true, "duration": 0, "unit": "ms"}"#, &[])),
        ),
        (
            r#"{"amount": "1"}"#,
            Ok((r#"{"waited": true, "duration": 1, "unit": "ms"}"#, &[])),
        ),
        (
            r#"{"duration": 0.0, "unit": "hours"}"#,
            Ok((r#"{"waited": true, "duration": 0, "unit": "hours"}"#, &[])),
        ),
        ("{}", Err((code::VALIDATION_FAILED, "`duration`"))),
        (
            r#"{"duration": -1}"#,
            Err((code::VALIDATION_FAILED, "`duration`")),
        ),
        (
            r#"{"duration": "soon"}"#,
            Err((code::VALIDATION_FAILED, "`duration`")),
        ),
        (
            r#"{"duration": "inf"}"#,
            Err((code::VALIDATION_FAILED, "`duration`")),
        ),
        (
            r#"{"duration": true}"#,
            Err((code::VALIDATION_FAILED, "`duration`")),
        ),
        (
            r#"{"duration": 24.1, "unit": "h"}"#,
            Err((code::VALIDATION_FAILED, "`duration`")),
        ),
        (
            r#"{"duration": 1e300, "unit": "h"}"#,
            Err((code::VALIDATION_FAILED, "`duration`")),
        ),
        (
            r#"{"duration": 1, "unit": "days"}"#,
            Err((code::VALIDATION_FAILED, "`unit`")),
        ),
    ]);
}

#[test]
fn noop_passes_on_what_arrived() {
    check::<noop>(&[]);
    check_in::<noop>(
        &workflow().input(0, &[1, 2]).input(1, &3),
        &[("{}", Ok(("[1, 2]", &[])))],
    );
}

#[test]
fn split_cuts_a_list_that_was_given_or_arrived() {
    check::<split>(&[
        (
            r#"{"array": [], "size": 3}"#,
            Ok((r#"{"result": [], "count": 0}"#, &[])),
        ),
        (
            r#"{"items": [1], "batchSize": 3}"#,
            Ok((r#"{"result": [[1]], "count": 1}"#, &[])),
        ),
        (
            r#"{"items": [1, 2], "size": 9223372036854775807}"#,
            Ok((r#"{"result": [[1, 2]], "count": 1}"#, &[])),
        ),
        ("{}", Err((code::VALIDATION_FAILED, "`items`"))),
        (r#"{"items": "ab"}"#, Err((code::VALIDATION_FAILED, "`items`"))),
        (
            r#"{"items": [1], "size": 0}"#,
            Err((code::VALIDATION_FAILED, "`size`")),
        ),
        (
            r#"{"items": [1], "size": -1}"#,
            Err((code::VALIDATION_FAILED, "`size`")),
        ),
    ]);
    let arrived = Value::from_json(r#"{"result": [1, 2, 3]}"#).unwrap();
    check_in::<split>(
        &workflow().input(0, &arrived),
        &[(
            r#"{"size": 2}"#,
            Ok((r#"{"result": [[1, 2], [3]], "count": 2}"#, &[])),
        )],
    );
}

#[test]
fn stop_fails_as_told_and_only_when_told() {
    check::<stop>(&[
        ("{}", Err(("STOPPED", "the workflow stopped itself"))),
        (
            r#"{"errorMessage": "no stock", "code": "OUT"}"#,
            Err(("OUT", "no stock")),
        ),
        (r#"{"when": "$json.ok"}"#, Err(("STOPPED", "stopped"))),
        (r#"{"when": "$json.no"}"#, Ok((r#"{"stopped": false}"#, &[]))),
        (r#"{"when": "1 +"}"#, Err((MISSING, "`when`"))),
        (r#"{"code": ""}"#, Err((code::VALIDATION_FAILED, "`code`"))),
        (
            r#"{"statusCode": 1000}"#,
            Err((code::VALIDATION_FAILED, "`statusCode`")),
        ),
    ]);
    let error = workflow()
        .call::<stop>(r#"{"statusCode": 409, "details": {"left": 0}}"#)
        .unwrap_err();
    assert_eq!((error.status_code, error.retryable), (Some(409), Some(false)));
    assert_eq!(error.details.unwrap().to_json(), r#"{"left":0}"#);
}
