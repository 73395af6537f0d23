//! Many ways: the outputs of the first case that fits, else the fallback's.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Any, Given, Whole, excerpt, label, same};
use plugin_api::value::Kind;

use crate::branch::{holds, leave_by};

/// The highest number of an output.
const MAX_OUTPUT: u32 = u16::MAX as u32;

#[parameters]
pub(crate) struct Switch<'a> {
    /// What to decide by.
    #[serde(default)]
    value: Any<'a>,
    /// A map from the value, as text, to the number of an output; or a list of maps, each with `value` or `condition`,
    /// and `output`, one number or a list of them. A case that names no output has its own place among the cases.
    #[serde(default)]
    #[schemars(extend("type" = ["object", "array", "null"], "x-template" = false))]
    cases: Any<'a>,
    /// The result when no case fits; a number is the output as well.
    #[serde(default)]
    default: Given<'a>,
    /// The output when no case fits; the one behind those of all cases, if missing.
    #[serde(default, alias = "fallback")]
    #[schemars(range(min = 0, max = 65_535))]
    fallback_output: Option<Whole>,
}

/// What was decided.
#[output]
pub(crate) struct Switched {
    /// What the case says: the entry of a map of cases, `result` or else the outputs of a case in a list; the default when
    /// no case fits.
    #[schemars(with = "Any<'_>")]
    result: Value,
    /// Whether a case fits.
    matched: bool,
    /// The number of the output.
    #[schemars(extend("type" = ["integer", "array"]))]
    output: Value,
}

/// A case that fits.
struct Case<'a> {
    result: ValueRef<'a>,
    outputs: Vec<u32>,
}

/// Leaves by the output of the first case that fits a value.
#[node(
    id = "switch",
    aliases = ["control.switch"],
    category = "control",
    effect = "idempotent",
    tags = ["branch"],
    example(
        title = "by name",
        input = r#"{"value": "b", "cases": {"a": 0, "b": 1}}"#,
        output = r#"{"result": 1, "matched": true, "output": 1}"#
    ),
    example(
        title = "none fits",
        input = r#"{"value": 7, "cases": [{"value": 1, "output": 0}, {"value": 2, "output": 3}]}"#,
        output = r#"{"result": null, "matched": false, "output": 4}"#
    ),
    example(
        title = "what a case stands for",
        input = r#"{"value": "de", "cases": {"de": "Hallo", "en": "Hello"}, "default": "?"}"#,
        output = r#"{"result": "Hallo", "matched": true, "output": 0}"#
    )
)]
pub(crate) fn switch(input: Switch<'_>, ctx: &Ctx<'_>) -> NodeResult<Switched> {
    let filled = filled(&input, ctx)?;
    let cases = filled.as_ref().map_or(input.cases.0, Value::as_ref);
    let value = input.value.0;
    let mut behind = 0;
    let found = match cases.kind() {
        Kind::Null => None,
        Kind::Map => in_map(cases, value, &mut behind),
        Kind::List => in_list(cases, value, &mut behind, ctx)?,
        _ => {
            return Err(NodeError::invalid(
                "cases",
                format_args!("expected a map or a list, found {}", excerpt(cases)),
            ));
        }
    };
    let matched = found.is_some();
    let case = match found {
        Some(case) => case,
        None => fallback(&input, behind)?,
    };
    for output in &case.outputs {
        leave_by(*output, ctx)?;
    }
    let output = match case.outputs.as_slice() {
        [only] => Value::from(i64::from(*only)),
        several => Value::from_serialize(several)?,
    };
    Ok(Switched {
        result: case.result.to_value(),
        matched,
        output,
    })
}

/// The cases with their templates filled in, where they have any. Conditions stay: they are looked at one by one, with
/// the value as `$value`.
fn filled(input: &Switch<'_>, ctx: &Ctx<'_>) -> NodeResult<Option<Value>> {
    let cases = input.cases.0;
    if !cases.raw().windows(2).any(|pair| pair == b"{{") {
        return Ok(None);
    }
    let bindings = [("value", input.value.0)];
    let render = |value: ValueRef<'_>| match ctx.render(value, &bindings) {
        // Outside a workflow a template is a text.
        Err(error) if error.code == code::UNSUPPORTED => Ok(value.to_value()),
        Err(mut error) => {
            error.message = format!("parameter `cases`: {}", error.message).into();
            Err(error)
        }
        rendered => rendered,
    };
    let Some(list) = cases.as_list() else {
        return render(cases).map(Some);
    };
    let case = |case: ValueRef<'_>| -> NodeResult<Value> {
        let Some(map) = case.as_map() else {
            return render(case);
        };
        let fields = map.iter().map(|(name, field)| match name {
            "condition" => Ok((name, field.to_value())),
            _ => Ok((name, render(field)?)),
        });
        let fields = fields.collect::<NodeResult<Vec<_>>>()?;
        Ok(Value::from_pairs(
            fields.iter().map(|(name, field)| (*name, field.as_ref())),
        )?)
    };
    let filled = list.iter().map(case).collect::<NodeResult<Vec<_>>>()?;
    Ok(Some(Value::from_items(filled.iter().map(Value::as_ref))?))
}

/// `behind` becomes the first number that is behind the outputs of all cases.
fn in_map<'a>(cases: ValueRef<'a>, value: ValueRef<'_>, behind: &mut u32) -> Option<Case<'a>> {
    let mut found = None;
    let wanted = (!matches!(value.kind(), Kind::Bytes | Kind::List | Kind::Map)).then(|| label(value));
    for (place, (key, result)) in (0..).zip(cases.as_map()?) {
        let output = number(result).unwrap_or(place);
        *behind = (*behind).max(output.saturating_add(1));
        if wanted.as_deref() == Some(key) {
            found = Some(Case {
                result,
                outputs: vec![output],
            });
        }
    }
    found
}

/// As [`in_map`]; the first case that fits is the one.
fn in_list<'a>(
    cases: ValueRef<'a>,
    wanted: ValueRef<'_>,
    behind: &mut u32,
    ctx: &Ctx<'_>,
) -> NodeResult<Option<Case<'a>>> {
    let mut found = None;
    for (place, case) in (0..).zip(cases.as_list().into_iter().flatten()) {
        let wrong = |why: &str| NodeError::invalid(&format!("cases[{place}]"), why);
        let outputs = match case.get("output") {
            None => vec![place],
            Some(output) => outputs(output)
                .ok_or_else(|| wrong("`output` must be a number from 0 to 65535, or a list of them"))?,
        };
        *behind = (*behind).max(outputs.iter().max().map_or(0, |output| output.saturating_add(1)));
        if found.is_some() {
            continue;
        }
        let fits = match (case.get("value"), case.get("condition")) {
            (Some(value), None) => same(value, wanted),
            (None, Some(condition)) => {
                let parameter = format!("cases[{place}].condition");
                holds(condition, &parameter, &[("value", wanted)], ctx)?
            }
            _ => return Err(wrong("must be a map with either `value` or `condition`")),
        };
        if fits {
            let result = case
                .get("result")
                .or_else(|| case.get("output"))
                .unwrap_or(ValueRef::NULL);
            found = Some(Case { result, outputs });
        }
    }
    Ok(found)
}

fn fallback<'a>(input: &Switch<'a>, behind: u32) -> NodeResult<Case<'a>> {
    let result = input.default.0.unwrap_or(ValueRef::NULL);
    let output = match input.fallback_output {
        None => number(result).unwrap_or(behind),
        Some(output) => output.within("fallbackOutput", 0..=i64::from(MAX_OUTPUT))? as u32,
    };
    Ok(Case {
        result,
        outputs: vec![output],
    })
}

/// The number of an output, if the value is one.
fn number(value: ValueRef<'_>) -> Option<u32> {
    let whole = plugin_api::value::decode::<u32>(value).ok();
    whole.filter(|output| *output <= MAX_OUTPUT)
}

fn outputs(value: ValueRef<'_>) -> Option<Vec<u32>> {
    match value.as_list() {
        None => Some(vec![number(value)?]),
        Some(list) if list.is_empty() => None,
        Some(list) => list.iter().map(number).collect(),
    }
}
