//! Templates for tests: finds the expressions in a value's texts; what they give is the test's business.

use crate::NodeError;
use crate::value::{Kind, Value, ValueRef};

type Evaluate<'e> = dyn Fn(&str) -> Result<Value, NodeError> + 'e;

/// The expression of a text that is `{{ expression }}` and nothing else.
pub(super) fn expression_of(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let alone = !inside.contains("{{") && !inside.contains("}}");
    alone.then(|| inside.trim())
}

/// The value with every expression in its texts filled in.
pub(super) fn render(template: ValueRef<'_>, evaluate: &Evaluate<'_>) -> Result<Value, NodeError> {
    if let Some(text) = template.as_str() {
        return match expression_of(text) {
            Some(expression) => evaluate(expression),
            None => filled(text, evaluate),
        };
    }
    if let Some(list) = template.as_list() {
        let items = list.iter().map(|item| render(item, evaluate));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        return Ok(Value::from_items(items.iter().map(Value::as_ref))?);
    }
    if let Some(map) = template.as_map() {
        let pairs = map.iter().map(|(key, value)| Ok((key, render(value, evaluate)?)));
        let pairs = pairs.collect::<Result<Vec<_>, NodeError>>()?;
        return Ok(Value::from_pairs(
            pairs.iter().map(|(key, value)| (*key, value.as_ref())),
        )?);
    }
    Ok(template.to_value())
}

/// A text with its expressions written into it: texts as they are, everything else as JSON.
fn filled(text: &str, evaluate: &Evaluate<'_>) -> Result<Value, NodeError> {
    let (mut done, mut rest) = (String::new(), text);
    while let Some((before, (expression, after))) = rest
        .split_once("{{")
        .and_then(|(before, open)| Some((before, open.split_once("}}")?)))
    {
        done.push_str(before);
        let value = evaluate(expression.trim())?;
        match (value.as_ref().kind(), value.as_ref().as_str()) {
            (Kind::Null, _) => {}
            (_, Some(text)) => done.push_str(text),
            _ => done.push_str(&value.to_json()),
        }
        rest = after;
    }
    done.push_str(rest);
    Ok(Value::from(done.as_str()))
}
