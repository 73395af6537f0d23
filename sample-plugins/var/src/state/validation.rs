//! The fields of a map, held against rules.

use plugin_api::prelude::*;
use plugin_api::reading::{kind_name, shown};

use super::rule::Rule;
use super::{Call, Step, misplaced, unknown};

/// Fields that have rules.
const MOST_FIELDS: usize = 1_000;

pub(super) fn validation(old: Option<ValueRef<'_>>, operation: &str, call: &Call<'_>) -> NodeResult<Step> {
    if let Some(old) = old.filter(|old| old.as_map().is_none()) {
        return Err(misplaced("a map of errors", old));
    }
    match operation {
        "get" | "errors" => Ok(Step::found(old.is_none_or(is_empty).into())),
        "clear" | "reset" => Ok(Step::to(Value::empty_map()).with(true.into())),
        "validate" => {
            let errors = errors(call)?;
            let valid = is_empty(errors.as_ref());
            Ok(Step::to(errors).with(valid.into()))
        }
        _ => Err(unknown("`get`, `validate` and `clear`")),
    }
}

fn is_empty(errors: ValueRef<'_>) -> bool {
    errors.as_map().is_none_or(|errors| errors.is_empty())
}

/// What is wrong with each field, for those of which something is.
fn errors(call: &Call<'_>) -> NodeResult<Value> {
    let value = call.value()?;
    let Some(fields) = value.as_map() else {
        let why = format_args!("expected a map, found {}", shown(value));
        return Err(NodeError::invalid("value", why));
    };
    if call.rules.len() > MOST_FIELDS {
        let why = format_args!("has more than {MOST_FIELDS} fields");
        return Err(NodeError::invalid("rules", why));
    }
    let mut errors = Vec::new();
    for (field, rules) in call.rules.iter() {
        let wrong = |why: &str| {
            let field: String = field.chars().take(40).collect();
            NodeError::invalid(&format!("rules.{field}"), why)
        };
        let Some(rules) = rules.as_str() else {
            return Err(wrong(&format!("expected a text, found {}", kind_name(rules))));
        };
        let rules = rules.split('|').map(str::trim).filter(|rule| !rule.is_empty());
        let rules = rules.map(|rule| Rule::named(rule).map_err(|why| wrong(&why)));
        let rules = rules.collect::<NodeResult<Vec<_>>>()?;
        let value = fields.get(field).unwrap_or(ValueRef::NULL);
        let is_there = !value.is_null() && value.as_str() != Some("");
        let broken: Vec<Value> = if is_there {
            let broken = rules.iter().filter_map(|rule| rule.broken(value));
            broken.map(|why| why.as_str().into()).collect()
        } else if rules.contains(&Rule::Required) {
            vec!["is required".into()]
        } else {
            Vec::new()
        };
        if !broken.is_empty() {
            errors.push((field, Value::from_items(broken.iter().map(Value::as_ref))?));
        }
    }
    Ok(Value::from_pairs(
        errors.iter().map(|(field, broken)| (*field, broken.as_ref())),
    )?)
}
