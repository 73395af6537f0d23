//! The ends of a workflow in this dialect: what comes in is complete, and what goes out has a name.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Outcome, kind_name};

use crate::reference::{Names, Raw, cut};

/// Fields that may be asked for.
const MAX_FIELDS: usize = 200;

#[parameters]
pub(crate) struct Required<'a> {
    /// The names of the fields.
    #[serde(default)]
    fields: Raw<'a>,
    /// What has them: a map.
    #[serde(default, alias = "value", alias = "data")]
    input: Raw<'a>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Gives a map on when it has all fields that are needed, none of them null or blank; otherwise fails with
/// `VALIDATION_FAILED` and the missing ones in `details.missing`.
#[node(
    id = "packagerepo.validateRequired",
    aliases = ["packagerepo.validate_required", "validate.required"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["validation", "form"],
    example(
        title = "complete",
        input = r#"{"fields": ["name"], "input": {"name": "lib", "note": ""}}"#,
        output = r#"{"result": {"name": "lib", "note": ""}}"#
    ),
    example(title = "nothing is needed", input = r#"{"fields": [], "input": {}}"#, output = r#"{"result": {}}"#)
)]
pub(crate) fn validate_required(input: Required<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let fields = names.needed(input.fields, "fields")?;
    let wrong = || {
        NodeError::invalid(
            "fields",
            format_args!("expected a list of at most {MAX_FIELDS} names"),
        )
    };
    let list = fields
        .as_ref()
        .as_list()
        .filter(|list| list.len() <= MAX_FIELDS)
        .ok_or_else(wrong)?;
    let value = names.needed(input.input, "input")?;
    let Some(map) = value.as_ref().as_map() else {
        let why = format_args!("expected a map, found {}", kind_name(value.as_ref()));
        return Err(NodeError::invalid("input", why));
    };
    let mut missing = Vec::new();
    for field in list {
        let field = field.as_str().ok_or_else(wrong)?;
        let blank = |value: ValueRef<'_>| {
            value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
        };
        if map.get(field).is_none_or(blank) {
            missing.push(field);
        }
    }
    if let Some(first) = missing.first() {
        let more = match missing.len() {
            1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        let message = format!("parameter `input`: `{}` is missing{more}", cut(first));
        let list = Value::from_serialize(&missing)?;
        return Err(NodeError::with_code(code::VALIDATION_FAILED, message)
            .status(400)
            .retryable(false)
            .details(Value::from_pairs([("missing", list.as_ref())])?));
    }
    names.set(input.out, value.as_ref())?;
    Ok(answer(Outcome::Made(value)))
}

#[parameters]
pub(crate) struct SetOutput<'a> {
    /// The name of the output; `result` if missing.
    #[serde(default, alias = "name")]
    key: Raw<'a>,
    /// Its value.
    #[serde(default)]
    value: Raw<'a>,
}

/// Gives a map of one entry, the output of the workflow under its name.
#[node(
    id = "packagerepo.outputSet",
    aliases = ["packagerepo.output_set", "output.set"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["result"],
    example(
        title = "a message",
        input = r#"{"key": "result", "value": {"type": "success", "msg": "Published!"}}"#,
        output = r#"{"result": {"type": "success", "msg": "Published!"}}"#
    ),
    example(title = "another name", input = r#"{"key": "count", "value": 3}"#, output = r#"{"count": 3}"#)
)]
pub(crate) fn output_set(input: SetOutput<'_>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'static>> {
    let names = Names::new(ctx)?;
    let key = match names.read(input.key, "key")? {
        None => "result".to_owned(),
        Some(_) => names.text(input.key, "key", 128)?,
    };
    let value = names.read(input.value, "value")?.unwrap_or_default();
    Ok(Outcome::Made(Value::from_pairs([(key, value.as_ref())])?))
}
