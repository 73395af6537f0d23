//! Values made of other values.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, Outcome};

use crate::given::{arrived, only, some};

#[parameters]
pub(crate) struct Transform<'a> {
    /// `transform_data`, which is what the node does anyway.
    #[serde(default)]
    #[schemars(length(max = 100))]
    operation: Option<&'a str>,
    /// The result, with its `{{ }}` filled in by the workflow.
    #[serde(default)]
    output: Given<'a>,
    /// The result where `output` is missing: a text that is an expression, or a list or map with texts that hold some.
    #[serde(default)]
    #[schemars(extend("x-template" = false))]
    expression: Given<'a>,
    /// What the result is made of: `$value` in `expression`, and the result where nothing else says what that is.
    #[serde(default, alias = "data")]
    input: Given<'a>,
}

/// Gives what it is given as `output`: the whole of it is the result, so that later nodes read `$steps.ID.output.FIELD`.
/// With `expression` instead, gives what that comes to; with neither, its `input`.
#[node(
    id = "metabuilder.transform",
    category = "metabuilder",
    effect = "idempotent",
    tags = ["map", "template", "expression"],
    example(
        title = "a map",
        input = r#"{"operation": "transform_data", "output": {"page": 2, "limit": 50}}"#,
        output = r#"{"page": 2, "limit": 50}"#
    ),
    example(
        title = "a single value",
        input = r#"{"output": 100}"#,
        output = "100"
    ),
    example(title = "the input as it is", input = r#"{"input": ["a"]}"#, output = r#"["a"]"#)
)]
pub(crate) fn transform<'a>(input: Transform<'a>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'a>> {
    only(input.operation, &["transform_data", "transformData", "transform"])?;
    if let Some(output) = input.output.0 {
        return Ok(Outcome::Lent(output));
    }
    match (some(input.expression), input.input.0) {
        (Some(expression), Some(value)) => evaluated(expression, value, ctx).map(Outcome::Made),
        (Some(expression), None) => evaluated(expression, arrived(ctx)?.as_ref(), ctx).map(Outcome::Made),
        (None, Some(value)) => Ok(Outcome::Lent(value)),
        (None, None) => {
            let why = "is missing, and so are `expression` and `input`; give one of them";
            Err(NodeError::invalid("output", why))
        }
    }
}

/// What an expression comes to, or a value with expressions in its texts.
pub(crate) fn evaluated(expression: ValueRef<'_>, value: ValueRef<'_>, ctx: &Ctx<'_>) -> NodeResult<Value> {
    let bindings = [("value", value)];
    let result = match expression.as_str() {
        Some(text) => ctx.evaluate(text, &bindings),
        None if !has_expressions(expression) => return Ok(expression.to_value()),
        None => ctx.render(expression, &bindings),
    };
    result.map_err(|mut error| {
        error.message = format!("parameter `expression`: {}", error.message).into();
        error
    })
}

/// A parameter that reached the node as it is written, with its expressions filled in.
pub(crate) fn rendered(value: ValueRef<'_>, parameter: &str, ctx: &Ctx<'_>) -> NodeResult<Value> {
    if !has_expressions(value) {
        return Ok(value.to_value());
    }
    ctx.render(value, &[]).map_err(|mut error| {
        error.message = format!("parameter `{parameter}`: {}", error.message).into();
        error
    })
}

/// Whether there is anything to be filled in: without it no workflow is needed.
pub(crate) fn has_expressions(value: ValueRef<'_>) -> bool {
    if let Some(text) = value.as_str() {
        return text.contains("{{");
    }
    let list = value.as_list().into_iter().flatten();
    let map = value.as_map().into_iter().flatten();
    list.into_iter().any(has_expressions)
        || map
            .into_iter()
            .any(|(key, value)| key.contains("{{") || has_expressions(value))
}
