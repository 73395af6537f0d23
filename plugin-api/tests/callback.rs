//! What is evaluated for each item sees that item, and says which one it failed for.

#![cfg(feature = "testing")]
#![forbid(unsafe_code)]

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Any, Callback, Dict, List, Place};
use plugin_api::testing::Harness;

#[parameters]
struct Evaluated<'a> {
    /// Items to go over.
    #[serde(default)]
    items: List<'a>,
    /// Entries to go over.
    #[serde(default)]
    entries: Dict<'a>,
    /// An expression.
    expression: &'a str,
    /// A template.
    #[serde(default)]
    #[schemars(extend("x-template" = false))]
    template: Any<'a>,
}

/// Evaluates something for everything that it is given, and keeps what holds.
#[node(id = "test.evaluated", effect = "idempotent")]
fn evaluated(input: Evaluated<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Vec<Value>>> {
    let (expression, template) = (Callback::new("expression", ctx), Callback::new("template", ctx));
    let mut out = Vec::new();
    let mut acc = Value::from(0);
    for (index, item) in input.items.iter().enumerate() {
        acc = expression.evaluate(input.expression, Place::reducing(index, item, acc.as_ref()))?;
        out.push(acc.clone());
        if expression.holds(input.template.0, Place::item(index, item))? {
            out.push(template.render(input.template.0, Place::item(index, item))?);
        }
    }
    for (key, value) in input.entries.iter() {
        out.push(expression.evaluate(input.expression, Place::entry(key, value))?);
    }
    Ok(answer(out))
}

/// Gives what an expression is bound to, but for `fail`, which fails, and `no`.
fn harness() -> Harness {
    Harness::new().with_evaluator(|expression, bindings| match expression {
        "fail" => Err(NodeError::new("there is no such thing")),
        "no" => Ok(false.into()),
        _ => Ok(bindings.to_value()),
    })
}

fn message(harness: &Harness, input: &str) -> String {
    let answer = harness.call::<evaluated>(input);
    answer.map_or_else(|error| error.to_string(), |output| output.to_json())
}

#[test]
fn an_expression_sees_the_item_its_place_and_the_result_so_far() {
    let output = harness().call::<evaluated>(r#"{"items": ["a"], "expression": "all", "template": "no"}"#);
    assert_eq!(
        output.unwrap().to_json(),
        r#"{"result":[{"acc":0,"item":"a","index":0}]}"#
    );
    let output = harness().call::<evaluated>(r#"{"items": ["a"], "expression": "all", "template": [1]}"#);
    let second = output
        .unwrap()
        .as_ref()
        .pointer("/result/1")
        .map(|second| second.to_json());
    assert_eq!(
        second.as_deref(),
        Some("[1]"),
        "what is no text holds as it is, and renders to itself"
    );
    let output = harness().call::<evaluated>(r#"{"entries": {"k": 2}, "expression": "all"}"#);
    assert_eq!(output.unwrap().to_json(), r#"{"result":[{"value":2,"key":"k"}]}"#);
}

#[test]
fn a_failure_names_the_parameter_and_the_place() {
    let long = "k".repeat(100);
    for (input, expected) in [
        (
            r#"{"items": [1], "expression": "fail"}"#.to_owned(),
            "EXECUTION_ERROR: parameter `expression`, for item 0: there is no such thing".to_owned(),
        ),
        (
            format!(r#"{{"entries": {{"{long}": 1}}, "expression": "fail"}}"#),
            format!(
                "EXECUTION_ERROR: parameter `expression`, for key `{}`: there is no such thing",
                "k".repeat(40)
            ),
        ),
    ] {
        assert_eq!(message(&harness(), &input), expected);
    }
    let input = r#"{"items": [1], "expression": "all"}"#;
    assert_eq!(
        message(&Harness::new().outside_workflow(), input),
        "UNSUPPORTED: parameter `expression`: an expression needs a workflow"
    );
    let error = harness().cancelled().call::<evaluated>(input).unwrap_err();
    assert_eq!(error.code, code::CANCELLED);
    assert!(
        !error.message.contains("expression"),
        "whoever cancels is no fault of an expression: {error}"
    );
}
