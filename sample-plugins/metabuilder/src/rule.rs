//! Invariant: a rule that cannot be read is an error of whoever wrote it, and never one of the value that it is about.

use plugin_api::prelude::*;
use plugin_api::reading::shown;

use crate::given::cut;

/// The longest text of rules for one field.
const MAX_TEXT: usize = 10_000;
/// Rules that one field may have.
const MAX_RULES: usize = 64;

const KNOWN: &str = "required, string, number, integer, boolean, array, object, email, uuid, url, date, min, max, \
                     length, minLength, maxLength, in, notIn, same, different, unique, default, nullable, any";

/// What a value has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A text.
    Text,
    /// A number.
    Number,
    /// A number without a fraction.
    Integer,
    /// True or false.
    Boolean,
    /// A list.
    List,
    /// A map.
    Map,
}

/// What a text has to look like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    /// An e-mail address.
    Email,
    /// A UUID with its hyphens.
    Uuid,
    /// An address of the web.
    Url,
    /// A date, or a date with a time.
    Date,
}

/// One demand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Demand<'r> {
    /// It is there, and is neither blank nor empty.
    Required,
    /// It may be null; without `required` anything may.
    Nullable,
    /// It is of a shape.
    Shape(Shape),
    /// It is a text of a form.
    Form(Form),
    /// A number is not less; a text, list or map not shorter.
    Min(f64),
    /// A number is not more; a text, list or map not longer.
    Max(f64),
    /// A text, list or map is as long.
    Length(f64),
    /// A text, list or map is not shorter.
    MinLength(f64),
    /// A text, list or map is not longer.
    MaxLength(f64),
    /// It is one of these.
    In(Vec<&'r str>),
    /// It is none of these.
    NotIn(Vec<&'r str>),
    /// It is what another field is.
    Same(&'r str),
    /// It is not what another field is.
    Different(&'r str),
    /// No record of an entity has it in a field.
    Unique {
        /// The entity.
        entity: &'r str,
        /// The field; the one that the rule is about, if missing.
        field: Option<&'r str>,
    },
    /// What is not there becomes this.
    Default(&'r str),
}

/// A demand, and how it was written.
#[derive(Clone, Debug)]
pub(crate) struct Rule<'r> {
    /// As written.
    pub(crate) text: &'r str,
    /// What it demands.
    pub(crate) demand: Demand<'r>,
}

/// Reads rules: texts with `|` between them, or a list of texts.
pub(crate) fn read<'r>(value: ValueRef<'r>, parameter: &str) -> NodeResult<Vec<Rule<'r>>> {
    let mut rules = Vec::new();
    if let Some(text) = value.as_str() {
        if text.len() > MAX_TEXT {
            return Err(NodeError::invalid(
                parameter,
                format_args!("must have at most {MAX_TEXT} bytes"),
            ));
        }
        for part in text.split('|') {
            rules.push(one(part, parameter)?);
        }
    } else if let Some(list) = value.as_list() {
        for item in list.iter().take(MAX_RULES + 1) {
            // As an item of a list a rule may hold a `|`, such as in a default.
            let wrong =
                || NodeError::invalid(parameter, format_args!("expected a rule, found {}", shown(item)));
            rules.push(one(item.as_str().ok_or_else(wrong)?, parameter)?);
        }
    } else {
        let why = format_args!(
            "expected rules such as `required|string`, or a list of them, found {}",
            shown(value)
        );
        return Err(NodeError::invalid(parameter, why));
    }
    if rules.len() > MAX_RULES {
        return Err(NodeError::invalid(
            parameter,
            format_args!("has more than {MAX_RULES} rules"),
        ));
    }
    Ok(rules)
}

fn one<'r>(text: &'r str, parameter: &str) -> NodeResult<Rule<'r>> {
    let text = text.trim();
    let (name, argument) = match text.split_once(':') {
        Some((name, argument)) => (name.trim(), Some(argument.trim())),
        None => (text, None),
    };
    let wrong = |why: std::fmt::Arguments<'_>| {
        NodeError::invalid(parameter, format_args!("rule `{}`: {why}", cut(text)))
    };
    let argued = |example: &str| {
        argument.filter(|argument| !argument.is_empty()).ok_or_else(|| {
            wrong(format_args!(
                "needs something behind a colon, such as `{example}`"
            ))
        })
    };
    let number = |example: &str, least: f64| {
        let number = argued(example)?.parse::<f64>().ok();
        number
            .filter(|number| number.is_finite() && *number >= least)
            .ok_or_else(|| {
                wrong(format_args!(
                    "needs a number behind the colon, such as `{example}`"
                ))
            })
    };
    let choices = |example: &str| -> NodeResult<Vec<&'r str>> {
        Ok(argued(example)?.split(',').map(str::trim).collect())
    };
    let demand = match name {
        "required" => Demand::Required,
        "nullable" | "optional" | "any" | "sometimes" => Demand::Nullable,
        "string" | "text" => Demand::Shape(Shape::Text),
        "number" | "numeric" => Demand::Shape(Shape::Number),
        "integer" | "int" => Demand::Shape(Shape::Integer),
        "boolean" | "bool" => Demand::Shape(Shape::Boolean),
        "array" | "list" => Demand::Shape(Shape::List),
        "object" | "map" => Demand::Shape(Shape::Map),
        "email" => Demand::Form(Form::Email),
        "uuid" => Demand::Form(Form::Uuid),
        "url" => Demand::Form(Form::Url),
        "date" => Demand::Form(Form::Date),
        "min" => Demand::Min(number("min:1", f64::MIN)?),
        "max" => Demand::Max(number("max:500", f64::MIN)?),
        "length" | "size" => Demand::Length(number("length:8", 0.0)?),
        "minLength" | "min_length" => Demand::MinLength(number("minLength:8", 0.0)?),
        "maxLength" | "max_length" => Demand::MaxLength(number("maxLength:200", 0.0)?),
        "in" | "enum" => Demand::In(choices("in:asc,desc")?),
        "notIn" | "not_in" => Demand::NotIn(choices("notIn:root,admin")?),
        "same" | "matches" => Demand::Same(argued("same:password")?),
        "different" => Demand::Different(argued("different:password")?),
        "unique" => {
            let of = argued("unique:User")?;
            let (entity, field) = match of.split_once(',') {
                Some((entity, field)) => (entity.trim(), Some(field.trim())),
                None => (of, None),
            };
            if entity.is_empty() || field == Some("") {
                return Err(wrong(format_args!(
                    "needs an entity, such as `unique:User` or `unique:User,email`"
                )));
            }
            Demand::Unique { entity, field }
        }
        "default" => Demand::Default(argued("default:50")?),
        _ => return Err(wrong(format_args!("is no rule; known are {KNOWN}"))),
    };
    let plain = matches!(
        demand,
        Demand::Required | Demand::Nullable | Demand::Shape(_) | Demand::Form(_)
    );
    if plain && argument.is_some() {
        return Err(wrong(format_args!("takes nothing behind a colon")));
    }
    Ok(Rule { text, demand })
}
