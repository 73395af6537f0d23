use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

/// Parameters, and the output with the selected outputs, or the code and a part of the message.
pub(crate) type Case = (
    &'static str,
    Result<(&'static str, &'static [u32]), (&'static str, &'static str)>,
);

pub(crate) const MISSING: &str = "CONDITION_EVAL_ERROR";

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

pub(crate) fn check<N: Export>(cases: &[Case]) {
    let harness = workflow();
    harness.check_examples::<N>();
    assert!(N::meta().examples.len() >= 2, "{}", N::NODE_TYPE);
    // A node of a workflow may be called alone, too; its examples are.
    harness.clone().outside_workflow().check_examples::<N>();
    check_in::<N>(&harness, cases);
}

pub(crate) fn check_in<N: Export>(harness: &Harness, cases: &[Case]) {
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
