use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the output with the selected outputs, or the code and a part of the message.
type Case = (
    &'static str,
    Result<(&'static str, &'static [u32]), (&'static str, &'static str)>,
);

const MISSING: &str = "CONDITION_EVAL_ERROR";

/// Knows a few expressions.
pub(crate) fn workflow() -> Harness {
    Harness::new().with_evaluator(|expression, bindings| match expression {
        "$json.ok" | "$versions == null" => Ok(Value::from(true)),
        "$json.no" => Ok(Value::from(false)),
        "$json.missing" => Ok(Value::null()),
        "$json.name" => Ok(Value::from("Ada")),
        "$value > 10" => Ok(Value::from(
            bindings
                .get("value")
                .and_then(|value| value.as_i64())
                .unwrap_or(0)
                > 10,
        )),
        _ => Err(NodeError::new(format!("unexpected end of `{expression}`"))),
    })
}

fn check<N: Export>(cases: &[Case]) {
    let harness = workflow();
    harness.check_examples::<N>();
    assert!(N::meta().examples.len() >= 2, "{}", N::NODE_TYPE);
    // A node of a workflow may be called alone, too; its examples are.
    harness.clone().outside_workflow().check_examples::<N>();
    check_in::<N>(&harness, cases);
}

fn check_in<N: Export>(harness: &Harness, cases: &[Case]) {
    for (input, expected) in cases {
        match (harness.call::<N>(input), expected) {
            (Ok(output), Ok((expected, outputs))) => {
                assert_eq!(
                    output,
                    Value::from_json(expected).unwrap(),
                    "{} {input}",
                    N::NODE_TYPE
                );
                assert_eq!(harness.selected_outputs(), *outputs, "{} {input}", N::NODE_TYPE);
            }
            (Err(error), Err((code, part))) => {
                assert_eq!(error.code, *code, "{} {input}: {error}", N::NODE_TYPE);
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
                assert!(harness.selected_outputs().is_empty(), "{} {input}", N::NODE_TYPE);
            }
            (found, expected) => panic!("{} {input}: {found:?}, expected {expected:?}", N::NODE_TYPE),
        }
    }
}

#[test]
fn a_condition_chooses_the_first_output_or_the_second() {
    check::<condition>(&[
        (
            r#"{"condition": "$json.ok"}"#,
            Ok((
                r#"{"result": true, "condition": "$json.ok", "evaluated": true}"#,
                &[0],
            )),
        ),
        (
            r#"{"condition": "{{ $json.no }}"}"#,
            Ok((
                r#"{"result": false, "condition": "{{ $json.no }}", "evaluated": true}"#,
                &[1],
            )),
        ),
        (
            r#"{"condition": "$json.missing"}"#,
            Ok((
                r#"{"result": false, "condition": "$json.missing", "evaluated": true}"#,
                &[1],
            )),
        ),
        (
            r#"{"condition": "$json.name"}"#,
            Ok((
                r#"{"result": true, "condition": "$json.name", "evaluated": true}"#,
                &[0],
            )),
        ),
        (
            r#"{"condition": "true"}"#,
            Ok((
                r#"{"result": true, "condition": "true", "evaluated": true}"#,
                &[0],
            )),
        ),
        (
            r#"{"condition": "false"}"#,
            Ok((
                r#"{"result": false, "condition": "false", "evaluated": true}"#,
                &[1],
            )),
        ),
        (
            r#"{"condition": 0}"#,
            Ok((r#"{"result": false, "condition": 0, "evaluated": true}"#, &[1])),
        ),
        (
            r#"{"condition": 0.5}"#,
            Ok((r#"{"result": true, "condition": 0.5, "evaluated": true}"#, &[0])),
        ),
        (
            r#"{"condition": []}"#,
            Ok((r#"{"result": true, "condition": [], "evaluated": true}"#, &[0])),
        ),
        (
            r#"{"condition": {}}"#,
            Ok((r#"{"result": true, "condition": {}, "evaluated": true}"#, &[0])),
        ),
        ("{}", Err((MISSING, "`condition`"))),
        (r#"{"condition": " "}"#, Err((MISSING, "`condition`"))),
        (
            r#"{"condition": "1 +"}"#,
            Err((MISSING, "`condition`: unexpected end of `1 +`")),
        ),
    ]);
}

#[test]
fn an_expression_outside_a_workflow_says_that_the_host_has_none() {
    let error = Harness::new()
        .outside_workflow()
        .call::<condition>(r#"{"condition": "$json.ok"}"#)
        .unwrap_err();
    assert_eq!(error.code, code::UNSUPPORTED);
    assert!(error.message.contains("`condition`"), "{error}");
}

#[test]
fn outside_a_workflow_what_did_not_arrive_is_missing() {
    let harness = Harness::new().outside_workflow();
    let merged = harness.call::<merge>("{}").unwrap_err();
    let split = harness.call::<split>(r#"{"size": 1}"#).unwrap_err();
    for (error, parameter) in [(merged, "`inputs`"), (split, "`items`")] {
        assert_eq!(error.code, code::VALIDATION_FAILED, "{error}");
        assert!(error.message.contains(parameter), "{error}");
    }
    assert_eq!(harness.call::<noop>("{}").unwrap(), Value::null());
}

#[test]
fn logic_if_names_the_way_it_took() {
    check::<logic_if>(&[
        (
            r#"{"condition": "$versions == null", "then": "missing", "else": "latest"}"#,
            Ok((
                r#"{"result": true, "branch": "missing", "condition": "$versions == null"}"#,
                &[0],
            )),
        ),
        (
            r#"{"condition": false, "then": "missing", "else": "latest"}"#,
            Ok((
                r#"{"result": false, "branch": "latest", "condition": false}"#,
                &[1],
            )),
        ),
        (r#"{"then": "a"}"#, Err((MISSING, "`condition`"))),
        (
            r#"{"condition": true, "else": 5}"#,
            Err((code::VALIDATION_FAILED, "`else`")),
        ),
    ]);
}

#[test]
fn a_switch_takes_the_first_case_that_fits_and_else_the_fallback() {
    check::<switch>(&[
        (
            r#"{"value": 2.0, "cases": {"2": 5}}"#,
            Ok((r#"{"result": 5, "matched": true, "output": 5}"#, &[5])),
        ),
        (
            r#"{"value": true, "cases": {"true": {}}}"#,
            Ok((r#"{"result": {}, "matched": true, "output": 0}"#, &[0])),
        ),
        (
            r#"{"value": "x", "cases": {"a": 0, "b": 7}}"#,
            Ok((r#"{"result": null, "matched": false, "output": 8}"#, &[8])),
        ),
        (
            r#"{"value": "x", "cases": {"a": 0}, "default": 3}"#,
            Ok((r#"{"result": 3, "matched": false, "output": 3}"#, &[3])),
        ),
        (
            r#"{"value": ["x"], "cases": {"a": 0}, "default": "d", "fallbackOutput": 9}"#,
            Ok((r#"{"result": "d", "matched": false, "output": 9}"#, &[9])),
        ),
        (
            "{}",
            Ok((r#"{"result": null, "matched": false, "output": 0}"#, &[0])),
        ),
        (
            r#"{"value": {"a": 1}, "cases": [{"value": {"a": 1.0}, "output": [2, 0], "result": "both"}]}"#,
            Ok((
                r#"{"result": "both", "matched": true, "output": [2, 0]}"#,
                &[2, 0],
            )),
        ),
        (
            r#"{"value": 11, "cases": [{"value": 1}, {"condition": "$value > 10"}, {"condition": true}]}"#,
            Ok((r#"{"result": null, "matched": true, "output": 1}"#, &[1])),
        ),
        (
            r#"{"value": 5, "cases": [{"value": 1}, {"condition": "{{ $value > 10 }}"}]}"#,
            Ok((r#"{"result": null, "matched": false, "output": 2}"#, &[2])),
        ),
        (r#"{"cases": 5}"#, Err((code::VALIDATION_FAILED, "`cases`"))),
        (r#"{"cases": [5]}"#, Err((code::VALIDATION_FAILED, "`cases[0]`"))),
        (
            r#"{"cases": [{"value": 1, "condition": true}]}"#,
            Err((code::VALIDATION_FAILED, "`cases[0]`")),
        ),
        (
            r#"{"cases": [{"value": 1, "output": -1}]}"#,
            Err((code::VALIDATION_FAILED, "`cases[0]`")),
        ),
        (
            r#"{"cases": [{"value": 1, "output": []}]}"#,
            Err((code::VALIDATION_FAILED, "`cases[0]`")),
        ),
        (
            r#"{"cases": [{"value": 1, "output": 65536}]}"#,
            Err((code::VALIDATION_FAILED, "`cases[0]`")),
        ),
        (
            r#"{"cases": [{"condition": "1 +"}]}"#,
            Err((MISSING, "`cases[0].condition`")),
        ),
        (
            r#"{"fallbackOutput": -1}"#,
            Err((code::VALIDATION_FAILED, "`fallbackOutput`")),
        ),
        (
            r#"{"fallbackOutput": 65536}"#,
            Err((code::VALIDATION_FAILED, "`fallbackOutput`")),
        ),
    ]);
}

#[test]
fn the_cases_of_a_switch_may_hold_templates() {
    let harness = workflow();
    check_in::<switch>(
        &harness,
        &[
            (
                r#"{"value": "Ada", "cases": [{"value": "x"}, {"value": "{{ $json.name }}", "output": 4}]}"#,
                Ok((r#"{"result": 4, "matched": true, "output": 4}"#, &[4])),
            ),
            (
                r#"{"value": 11, "cases": [{"condition": "{{ $value > 10 }}", "result": "{{ $json.name }}!"}]}"#,
                Ok((r#"{"result": "Ada!", "matched": true, "output": 0}"#, &[0])),
            ),
            (
                r#"{"value": "a", "cases": {"a": "{{ $json.ok }}"}}"#,
                Ok((r#"{"result": true, "matched": true, "output": 0}"#, &[0])),
            ),
            (
                r#"{"value": 1, "cases": [{"value": "{{ 1 + }}"}]}"#,
                Err((code::EXECUTION_ERROR, "`cases`")),
            ),
        ],
    );
    let nowhere = Harness::new().outside_workflow();
    let output = nowhere.call::<switch>(r#"{"value": "{{ x }}", "cases": [{"value": "{{ x }}"}]}"#);
    assert_eq!(
        output.unwrap().to_json(),
        r#"{"result":null,"matched":true,"output":0}"#
    );
}

#[test]
fn what_a_node_evaluates_itself_is_marked_to_reach_it_as_it_is() {
    let marked = [
        (condition::meta(), "condition"),
        (logic_if::meta(), "condition"),
        (stop::meta(), "when"),
        (switch::meta(), "cases"),
    ];
    for (meta, parameter) in marked {
        let schema = &meta.parameters["properties"][parameter];
        assert_eq!(schema["x-template"], false, "{}", meta.node_type);
    }
}

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

#[test]
fn what_chooses_is_not_pure() {
    for meta in [
        condition::meta(),
        logic_if::meta(),
        switch::meta(),
        merge::meta(),
        wait::meta(),
    ] {
        assert_ne!(meta.effect, plugin_api::meta::Effect::Pure, "{}", meta.node_type);
    }
}
