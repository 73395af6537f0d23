//! Invariant: an assertion that holds gives `passed: true`; one that does not hold fails its node, with what was found in
//! the message and in the details, so that a workflow whose assertion fails is a failed run.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Dict, Given, Shape, excerpt, same, shown};

/// The code of an assertion that does not hold.
const FAILED: &str = "ASSERTION_FAILED";

#[parameters]
pub(crate) struct Compared<'a> {
    /// What was found.
    #[serde(default)]
    actual: Any<'a>,
    /// What it should be.
    #[serde(default)]
    expected: Any<'a>,
    /// What the error says first, when they differ.
    #[serde(default)]
    #[schemars(length(max = 10_000))]
    message: Option<&'a str>,
}

/// Two values that are equal.
#[output]
pub(crate) struct Equal<'a> {
    /// True.
    passed: bool,
    /// What it should be.
    expected: Any<'a>,
    /// What was found.
    actual: Any<'a>,
}

/// Fails unless two values are equal. Lists and maps are compared to their depths, the order of a map's entries does not
/// count, and `1` equals `1.0`.
#[node(
    id = "test.assertEquals",
    aliases = ["test.assert_equals"],
    effect = "pure",
    tags = ["test", "assert"],
    example(
        title = "equal numbers",
        input = r#"{"actual": 4, "expected": 4.0}"#,
        output = r#"{"passed": true, "expected": 4.0, "actual": 4}"#
    ),
    example(
        title = "maps in another order",
        input = r#"{"actual": {"a": 1, "b": [2]}, "expected": {"b": [2], "a": 1}, "message": "the sum"}"#,
        output = r#"{"passed": true, "expected": {"b": [2], "a": 1}, "actual": {"a": 1, "b": [2]}}"#
    )
)]
pub(crate) fn assert_equals(input: Compared<'_>) -> NodeResult<Equal<'_>> {
    let Compared { actual, expected, .. } = input;
    if same(actual.0, expected.0) {
        let passed = true;
        return Ok(Equal {
            passed,
            expected,
            actual,
        });
    }
    let why = format!("expected {}, found {}", excerpt(expected.0), excerpt(actual.0));
    failed(input.message, why, &[("expected", expected), ("actual", actual)])
}

#[parameters]
pub(crate) struct Checked<'a> {
    /// What was found.
    #[serde(default)]
    value: Any<'a>,
    /// What the error says first, when the assertion does not hold.
    #[serde(default)]
    #[schemars(length(max = 10_000))]
    message: Option<&'a str>,
}

/// A value that is as it should be.
#[output]
pub(crate) struct Held<'a> {
    /// True.
    passed: bool,
    /// What was found.
    value: Any<'a>,
}

impl<'a> Checked<'a> {
    fn holds(self, holds: bool, wanted: &str) -> NodeResult<Held<'a>> {
        if holds {
            return Ok(Held {
                passed: true,
                value: self.value,
            });
        }
        let why = format!("expected {wanted}, found {}", excerpt(self.value.0));
        failed(self.message, why, &[("value", self.value)])
    }
}

/// Fails unless a value is true. What merely counts as true, such as 1 or a text, is not.
#[node(
    id = "test.assertTrue",
    aliases = ["test.assert_true"],
    effect = "pure",
    tags = ["test", "assert"],
    example(title = "true", input = r#"{"value": true}"#, output = r#"{"passed": true, "value": true}"#),
    example(
        title = "with a message",
        input = r#"{"value": true, "message": "the account is open"}"#,
        output = r#"{"passed": true, "value": true}"#
    )
)]
pub(crate) fn assert_true(input: Checked<'_>) -> NodeResult<Held<'_>> {
    let holds = input.value.0.as_bool() == Some(true);
    input.holds(holds, "true")
}

/// Fails unless a value is false. What merely counts as false, such as 0 or null, is not.
#[node(
    id = "test.assertFalse",
    aliases = ["test.assert_false"],
    effect = "pure",
    tags = ["test", "assert"],
    example(title = "false", input = r#"{"value": false}"#, output = r#"{"passed": true, "value": false}"#),
    example(
        title = "with a message",
        input = r#"{"value": false, "message": "nothing is left"}"#,
        output = r#"{"passed": true, "value": false}"#
    )
)]
pub(crate) fn assert_false(input: Checked<'_>) -> NodeResult<Held<'_>> {
    let holds = input.value.0.as_bool() == Some(false);
    input.holds(holds, "false")
}

/// Fails when a value is null, which a path that leads nowhere is.
#[node(
    id = "test.assertExists",
    aliases = ["test.assert_exists"],
    effect = "pure",
    tags = ["test", "assert"],
    example(title = "a text", input = r#"{"value": "x"}"#, output = r#"{"passed": true, "value": "x"}"#),
    example(title = "zero", input = r#"{"value": 0}"#, output = r#"{"passed": true, "value": 0}"#)
)]
pub(crate) fn assert_exists(input: Checked<'_>) -> NodeResult<Held<'_>> {
    let holds = !input.value.0.is_null();
    input.holds(holds, "a value")
}

#[parameters]
pub(crate) struct Typed<'a> {
    /// What was found.
    #[serde(default)]
    value: Given<'a>,
    /// What it should be: `string`, `number`, `integer`, `boolean`, `null`, `list`, `map`, or a list of one of these, such
    /// as `string_list`.
    #[serde(rename = "type")]
    #[schemars(length(max = 64))]
    kind: &'a str,
    /// Variables to look at: under `value` the name of one that is meant instead of a value.
    #[serde(default)]
    inputs: Dict<'a>,
    /// What the error says first, when the assertion does not hold.
    #[serde(default)]
    #[schemars(length(max = 10_000))]
    message: Option<&'a str>,
}

/// A value of the type that it should have.
#[output]
pub(crate) struct OfType {
    /// True.
    passed: bool,
    /// What was found.
    #[schemars(with = "Any<'_>")]
    value: Value,
}

/// Fails unless a value, or a variable, is of a type; of a list of a type every item is looked at.
#[node(
    id = "value.assert.type",
    aliases = ["value.assertType", "value.assert_type", "test.assertType", "test.assert_type"],
    category = "test",
    effect = "idempotent",
    tags = ["test", "assert", "type"],
    example(
        title = "a list of texts",
        input = r#"{"value": ["a", "b"], "type": "string_list"}"#,
        output = r#"{"passed": true, "value": ["a", "b"]}"#
    ),
    example(
        title = "a whole number",
        input = r#"{"value": 2.0, "type": "integer", "message": "a count"}"#,
        output = r#"{"passed": true, "value": 2.0}"#
    )
)]
pub(crate) fn assert_type(input: Typed<'_>, ctx: &Ctx<'_>) -> NodeResult<OfType> {
    let unknown = || NodeError::invalid("type", "is none that is known, such as `string` or `number_list`");
    let shape = Shape::named(input.kind).ok_or_else(unknown)?;
    let value = match (input.value.0, input.inputs.get("value")) {
        (Some(value), None) => value.to_value(),
        (None, Some(name)) => {
            let found = match name.as_str() {
                Some(name) => ctx.variable::<Value>(name)?,
                None => None,
            };
            let why = || format!("there is no variable of the name {}", shown(name));
            found.ok_or_else(|| NodeError::invalid("inputs.value", why()))?
        }
        (Some(_), Some(_)) => {
            return Err(NodeError::invalid(
                "value",
                "give either `value` or `inputs.value`",
            ));
        }
        (None, None) => return Err(NodeError::invalid("value", "is missing")),
    };
    let Some(misfit) = shape.misfit(value.as_ref()) else {
        return Ok(OfType { passed: true, value });
    };
    let mut why = misfit.to_string();
    if !misfit.path.is_empty() {
        why = format!("at {}: {why}", misfit.path);
    }
    failed(input.message, why, &[("value", Any(value.as_ref()))])
}

fn failed<T>(message: Option<&str>, why: String, found: &[(&str, Any<'_>)]) -> NodeResult<T> {
    let message = match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{message}: {why}"),
        None => why,
    };
    let mut details = Vec::new();
    plugin_api::value::Writer::new(&mut details).map(|map| {
        map.entry("passed", |value| value.bool(false))?;
        found
            .iter()
            .try_for_each(|(name, found)| map.entry(name, |value| value.value(found.0)))
    })?;
    Err(NodeError::with_code(FAILED, message)
        .retryable(false)
        .details(Value::from_encoded(details)?))
}
