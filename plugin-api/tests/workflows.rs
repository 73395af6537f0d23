//! What a node sees and asks of the workflow it runs in, end to end through the tables.
#![cfg(feature = "testing")]
#![forbid(unsafe_code)]

use plugin_api::contract::{Contract, FIRST};
use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

/// Adds one to a variable, and says what it was and what it is.
#[node(id = "test.count")]
fn count(ctx: &Ctx<'_>) -> NodeResult<Answer<(Option<i64>, Option<i64>)>> {
    let (old, new) = ctx.update_variable("count", |count| {
        let count = count.and_then(|count| count.as_i64()).unwrap_or(0);
        Ok(Some(Value::from(count + 1)))
    })?;
    let number = |value: Option<Value>| value.and_then(|value| value.as_ref().as_i64());
    Ok(answer((number(old), number(new))))
}

#[parameters]
struct Replace {
    expected: Option<String>,
    value: Option<String>,
}

/// Compares and sets one variable.
#[node(id = "test.replace")]
fn replace(input: Replace, ctx: &Ctx<'_>) -> NodeResult<Answer<bool>> {
    let text = |text: Option<String>| text.as_deref().map(Value::from);
    let (expected, value) = (text(input.expected), text(input.value));
    let (expected, value) = (
        expected.as_ref().map(Value::as_ref),
        value.as_ref().map(Value::as_ref),
    );
    Ok(answer(ctx.replace_variable("v", expected, value)?))
}

/// All variables.
#[node(id = "test.variables")]
fn variables(ctx: &Ctx<'_>) -> NodeResult<Answer<String>> {
    Ok(answer(ctx.variables()?.to_json()))
}

/// The first value at input 0, and how many arrived at input 1; leaves by the output that is the count.
#[node(id = "test.join")]
fn join(ctx: &Ctx<'_>) -> NodeResult<Answer<(Option<String>, usize)>> {
    let first = ctx.input(0)?.map(|value| value.to_json());
    let others = ctx.inputs(1)?.len();
    ctx.select_output(u32::try_from(others)?)?;
    ctx.select_output(7)?;
    ctx.select_output(7)?;
    Ok(answer((first, others)))
}

#[parameters]
struct Filter {
    items: Vec<i64>,
    when: String,
}

/// Keeps the items for which the expression is true.
#[node(id = "test.filter")]
fn filter(input: Filter, ctx: &Ctx<'_>) -> NodeResult<Answer<Vec<i64>>> {
    let mut kept = Vec::new();
    for item in input.items {
        let value = Value::from(item);
        let verdict = ctx.evaluate(&input.when, &[("item", value.as_ref())])?;
        if verdict.as_ref().as_bool() == Some(true) {
            kept.push(item);
        }
    }
    Ok(answer(kept))
}

/// Renders a template by a node that is polled.
#[node(id = "test.render")]
async fn rendered(ctx: Ctx<'_>) -> NodeResult<Answer<String>> {
    let template = Value::from_json(r#"{"a": ["{{ $item }}", "is {{ $item }}, {{ $item }}!"], "b": 1}"#)?;
    let item = Value::from(3);
    Ok(answer(
        ctx.render(template.as_ref(), &[("item", item.as_ref())])?
            .to_json(),
    ))
}

fn larger_than_two() -> Harness {
    Harness::new().with_evaluator(|expression, bindings| {
        let item = bindings
            .get("item")
            .and_then(|item| item.as_i64())
            .unwrap_or_default();
        match expression {
            "$item" => Ok(Value::from(item)),
            "$item > 2" => Ok(Value::from(item > 2)),
            other => Err(NodeError::with_code("EXPRESSION", format!("what is `{other}`?"))),
        }
    })
}

#[test]
fn a_variable_is_made_from_what_it_was_and_both_are_known() {
    let harness = Harness::new();
    assert_eq!(
        harness.call::<count>("{}").unwrap().to_json(),
        r#"{"result":[null,1]}"#
    );
    assert_eq!(
        harness.call::<count>("{}").unwrap().to_json(),
        r#"{"result":[1,2]}"#
    );
    assert_eq!(harness.variable_value("count"), Some(Value::from(2)));
}

#[test]
fn updates_from_many_threads_lose_none() {
    let harness = Harness::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..200).for_each(|_| drop(harness.call::<count>("{}").unwrap())));
        }
    });
    assert_eq!(harness.variable_value("count"), Some(Value::from(800)));
}

#[test]
fn a_variable_is_replaced_only_when_it_is_the_expected_one() {
    let harness = Harness::new();
    for (input, done, left) in [
        (r#"{"expected": "a", "value": "b"}"#, false, None),
        (r#"{"expected": null, "value": "a"}"#, true, Some("a")),
        (r#"{"expected": null, "value": "c"}"#, false, Some("a")),
        (r#"{"expected": "a", "value": "b"}"#, true, Some("b")),
        (r#"{"expected": "a", "value": null}"#, false, Some("b")),
        (r#"{"expected": "b", "value": null}"#, true, None),
        (r#"{"expected": null, "value": null}"#, true, None),
    ] {
        let answer = harness.call::<replace>(input).unwrap();
        assert_eq!(
            answer.as_ref().pointer("/result").unwrap().as_bool(),
            Some(done),
            "{input}"
        );
        assert_eq!(harness.variable_value("v"), left.map(Value::from), "{input}");
    }
}

#[test]
fn variables_are_listed_in_the_order_in_which_they_were_first_set() {
    let harness = Harness::new()
        .variable("z", &1)
        .variable("a", &2)
        .variable("z", &3);
    let wanted = r#"{"z":3,"a":2}"#;
    assert_eq!(harness.variables().to_json(), wanted);
    let listed = harness.call::<variables>("{}").unwrap();
    assert_eq!(listed.as_ref().get("result").unwrap().as_str(), Some(wanted));
    assert_eq!(
        Harness::new().call::<variables>("{}").unwrap().to_json(),
        r#"{"result":"{}"}"#
    );
}

#[test]
fn a_node_sees_its_inputs_and_names_its_outputs() {
    let harness = Harness::new()
        .input(0, "first")
        .input(0, "second")
        .input(1, &1)
        .input(1, &2);
    assert_eq!(
        harness.call::<join>("{}").unwrap().to_json(),
        r#"{"result":["\"first\"",2]}"#
    );
    assert_eq!(harness.selected_outputs(), [2, 7]);
    // What a call selects is its own.
    harness.call::<count>("{}").unwrap();
    assert_eq!(harness.selected_outputs(), [0; 0]);
    let nothing_arrived = Harness::new().call::<join>("{}").unwrap();
    assert_eq!(nothing_arrived.to_json(), r#"{"result":[null,0]}"#);
}

#[test]
fn an_expression_is_evaluated_with_what_it_is_bound_to() {
    for when in ["$item > 2", "{{ $item > 2 }}"] {
        let input = format!(r#"{{"items": [1, 2, 3, 4], "when": "{when}"}}"#);
        assert_eq!(
            larger_than_two().call::<filter>(&input).unwrap().to_json(),
            r#"{"result":[3,4]}"#
        );
    }
    let error = larger_than_two()
        .call::<filter>(r#"{"items": [1], "when": "$itme"}"#)
        .unwrap_err();
    assert_eq!(
        (&*error.code, &*error.message),
        ("EXPRESSION", "what is `$itme`?")
    );
    assert_eq!(
        larger_than_two().call::<rendered>("{}").unwrap().to_json(),
        r#"{"result":"{\"a\":[3,\"is 3, 3!\"],\"b\":1}"}"#
    );
}

/// The code of what a node says that asks for what is not there.
fn codes(harness: &Harness) -> [String; 6] {
    [
        harness.call::<count>("{}"),
        harness.call::<replace>(r#"{"expected": null, "value": null}"#),
        harness.call::<variables>("{}"),
        harness.call::<join>("{}"),
        harness.call::<filter>(r#"{"items": [1], "when": "$item"}"#),
        harness.call::<rendered>("{}"),
    ]
    .map(|answer| answer.map_or_else(|error| error.code.into_owned(), |_| "OK".to_owned()))
}

#[test]
fn hosts_of_older_contracts_say_that_they_lack_all_of_it() {
    for contract in [FIRST, Contract { major: 1, minor: 1 }] {
        let harness = larger_than_two().input(0, &1).host_contract(contract);
        assert_eq!(codes(&harness), [code::UNSUPPORTED; 6], "{contract}");
    }
    assert_eq!(codes(&larger_than_two()), ["OK"; 6]);
}

#[test]
fn outside_a_workflow_there_are_variables_and_nothing_else() {
    let no = code::UNSUPPORTED;
    let outside = larger_than_two().input(0, &1).outside_workflow();
    assert_eq!(codes(&outside), ["OK", "OK", "OK", no, no, no]);
    // A test that gives no evaluator has a host without expressions.
    assert_eq!(codes(&Harness::new()), ["OK", "OK", "OK", "OK", no, no]);
}
