//! Invariant: a message of a violation names the field and the demand, and never shows the value: it may be a password.

use plugin_api::prelude::*;
use plugin_api::reading::{field, same};
use plugin_api::value::Kind;

use crate::form;
use crate::rule::{Demand, Rule, Shape};

/// Whether an entity has a record with that value in that field.
pub(crate) type Taken<'t> = dyn FnMut(&str, &str, ValueRef<'_>) -> NodeResult<bool> + 't;

/// What is wrong with one field.
#[output]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Violation {
    /// The field.
    pub(crate) field: String,
    /// The rule, as written.
    pub(crate) rule: String,
    /// For people.
    pub(crate) message: String,
}

/// A field, and what its rules came to.
pub(crate) struct Checked {
    /// What it becomes, when that is another value: a default, or the number that a text is.
    pub(crate) becomes: Option<Value>,
    /// What is wrong with it.
    pub(crate) violations: Vec<Violation>,
}

/// Holds a field to its rules. `whole` is what the field is of, for rules about another field.
pub(crate) fn check(
    name: &str,
    value: Option<ValueRef<'_>>,
    whole: ValueRef<'_>,
    rules: &[Rule<'_>],
    taken: &mut Taken<'_>,
) -> NodeResult<Checked> {
    let mut checked = Checked {
        becomes: None,
        violations: Vec::new(),
    };
    let mut violated = |rule: &Rule<'_>, message: String| {
        checked.violations.push(Violation {
            field: name.to_owned(),
            rule: rule.text.to_owned(),
            message,
        });
    };
    let absent = value.is_none_or(|value| value.is_null());
    if absent && let Some(default) = rules.iter().find_map(default_of) {
        checked.becomes = Some(default);
        return Ok(checked);
    }
    if let Some(rule) = rules.iter().find(|rule| rule.demand == Demand::Required)
        && value.is_none_or(is_empty)
    {
        violated(rule, format!("`{name}` is required"));
        return Ok(checked);
    }
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(checked);
    };
    let mut becomes = None;
    for rule in rules {
        if let Demand::Shape(shape) = rule.demand {
            match shaped(value, shape) {
                Shaped::As => {}
                Shaped::Converted(converted) => becomes = Some(converted),
                Shaped::Not => {
                    violated(rule, format!("`{name}` must be {}", noun(shape)));
                    return Ok(checked);
                }
            }
        }
    }
    let value = becomes.as_ref().map_or(value, Value::as_ref);
    for rule in rules {
        if let Some(why) = broken(&rule.demand, name, value, whole, taken)? {
            violated(rule, format!("`{name}` {why}"));
        }
    }
    checked.becomes = becomes;
    Ok(checked)
}

fn default_of(rule: &Rule<'_>) -> Option<Value> {
    match rule.demand {
        Demand::Default(text) => Some(Value::from_json(text).unwrap_or_else(|_| Value::from(text))),
        _ => None,
    }
}

/// Whether a value says nothing.
fn is_empty(value: ValueRef<'_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::Str => value.as_str().is_some_and(|text| text.trim().is_empty()),
        Kind::List => value.as_list().is_some_and(|list| list.is_empty()),
        Kind::Map => value.as_map().is_some_and(|map| map.is_empty()),
        Kind::Bytes => value.as_bytes().is_some_and(<[u8]>::is_empty),
        Kind::Bool | Kind::I64 | Kind::F64 => false,
    }
}

enum Shaped {
    /// It is of the shape.
    As,
    /// It becomes that without losing anything.
    Converted(Value),
    /// It is not.
    Not,
}

fn shaped(value: ValueRef<'_>, shape: Shape) -> Shaped {
    let as_if = |fits: bool| if fits { Shaped::As } else { Shaped::Not };
    let converted = |value: Option<Value>| value.map_or(Shaped::Not, Shaped::Converted);
    match (shape, value.kind()) {
        (Shape::Text, kind) => as_if(kind == Kind::Str),
        (Shape::List, kind) => as_if(kind == Kind::List),
        (Shape::Map, kind) => as_if(kind == Kind::Map),
        (Shape::Number, Kind::I64 | Kind::F64)
        | (Shape::Integer, Kind::I64)
        | (Shape::Boolean, Kind::Bool) => Shaped::As,
        (Shape::Number, Kind::Str) => converted(value.as_str().and_then(number)),
        (Shape::Integer, Kind::F64) => converted(value.as_f64().and_then(integer)),
        (Shape::Integer, Kind::Str) => {
            let number = value.as_str().and_then(number);
            converted(number.filter(|number| number.as_ref().kind() == Kind::I64))
        }
        (Shape::Boolean, Kind::Str) => match value.as_str() {
            Some("true") => Shaped::Converted(Value::from(true)),
            Some("false") => Shaped::Converted(Value::from(false)),
            _ => Shaped::Not,
        },
        (Shape::Number | Shape::Integer | Shape::Boolean, _) => Shaped::Not,
    }
}

/// The integer that a float is.
fn integer(float: f64) -> Option<Value> {
    // Floats of this range are exact, so that the cast loses nothing.
    let exact = float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0;
    exact.then(|| Value::from(float as i64))
}

/// The number that a text is; none when it would lose digits.
fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok().map(Value::from);
    }
    let float = text.parse::<f64>().ok().filter(|float| float.is_finite())?;
    Value::try_from(float).ok()
}

const fn noun(shape: Shape) -> &'static str {
    match shape {
        Shape::Text => "a text",
        Shape::Number => "a number",
        Shape::Integer => "a whole number",
        Shape::Boolean => "true or false",
        Shape::List => "a list",
        Shape::Map => "an object",
    }
}

/// How large a number is, or how long a text, list or map.
fn measured(value: ValueRef<'_>) -> Option<(f64, &'static str)> {
    match value.kind() {
        Kind::I64 => Some((value.as_i64()? as f64, "")),
        Kind::F64 => Some((value.as_f64()?, "")),
        _ => long(value),
    }
}

fn long(value: ValueRef<'_>) -> Option<(f64, &'static str)> {
    match value.kind() {
        Kind::Str => Some((value.as_str()?.chars().count() as f64, " characters")),
        Kind::List => Some((value.as_list()?.len() as f64, " items")),
        Kind::Map => Some((value.as_map()?.len() as f64, " entries")),
        _ => None,
    }
}

/// Why a value does not do what is demanded.
fn broken(
    demand: &Demand<'_>,
    name: &str,
    value: ValueRef<'_>,
    whole: ValueRef<'_>,
    taken: &mut Taken<'_>,
) -> NodeResult<Option<String>> {
    let bound =
        |size: Option<(f64, &'static str)>, fits: &dyn Fn(f64) -> bool, how: &str, limit: f64| match size {
            Some((size, _)) if fits(size) => None,
            Some((_, unit)) => Some(format!(
                "must {} {how} {limit}{unit}",
                if unit.is_empty() { "be" } else { "have" }
            )),
            None => Some(format!("has no size that could be {how} {limit}")),
        };
    Ok(match demand {
        Demand::Required | Demand::Nullable | Demand::Shape(_) | Demand::Default(_) => None,
        Demand::Form(form) => {
            let fits = value.as_str().is_some_and(|text| form::fits(*form, text));
            (!fits).then(|| format!("must be {}", form::noun(*form)))
        }
        Demand::Min(least) => bound(measured(value), &|size| size >= *least, "at least", *least),
        Demand::Max(most) => bound(measured(value), &|size| size <= *most, "at most", *most),
        Demand::MinLength(least) => bound(long(value), &|size| size >= *least, "at least", *least),
        Demand::MaxLength(most) => bound(long(value), &|size| size <= *most, "at most", *most),
        Demand::Length(length) => {
            #[expect(
                clippy::float_cmp,
                reason = "counts are whole numbers, which floats hold exactly"
            )]
            let fits = |size: f64| size == *length;
            bound(long(value), &fits, "exactly", *length)
        }
        Demand::In(choices) => {
            (!is_among(value, choices)).then(|| format!("must be one of {}", choices.join(", ")))
        }
        Demand::NotIn(choices) => {
            is_among(value, choices).then(|| format!("must be none of {}", choices.join(", ")))
        }
        Demand::Same(other) => {
            let fits = field(whole, other).is_some_and(|other| same(value, other));
            (!fits).then(|| format!("must be the same as `{other}`"))
        }
        Demand::Different(other) => {
            let equal = field(whole, other).is_some_and(|other| same(value, other));
            equal.then(|| format!("must be different from `{other}`"))
        }
        Demand::Unique { entity, field } => {
            if matches!(value.kind(), Kind::List | Kind::Map | Kind::Bytes) {
                return Ok(Some(
                    "must be a text, a number or a boolean to be unique".to_owned(),
                ));
            }
            let field = field.unwrap_or(name);
            taken(entity, field, value)?.then(|| format!("is taken: there is a {entity} that has it"))
        }
    })
}

fn is_among(value: ValueRef<'_>, choices: &[&str]) -> bool {
    match value.as_str() {
        Some(text) => choices.contains(&text),
        None => {
            let parsed = choices.iter().filter_map(|choice| Value::from_json(choice).ok());
            parsed.into_iter().any(|choice| same(value, choice.as_ref()))
        }
    }
}
