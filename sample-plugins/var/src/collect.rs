//! Making a variable longer. A variable that is not there, or null, begins empty.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Growing, Text, kind_name, text_of};

use crate::name::{Name, wrong_kind};

#[parameters]
pub(crate) struct Append<'a> {
    /// The name of the variable, which holds a list.
    #[serde(default, alias = "key")]
    name: Name<'a>,
    /// The item to put at the end.
    #[serde(default)]
    value: Any<'a>,
}

/// A list that became longer.
#[output]
pub(crate) struct Appended {
    /// The list now.
    #[schemars(with = "Vec<Value>")]
    result: Value,
    /// Its length.
    length: usize,
}

/// Puts an item at the end of a list.
#[node(
    id = "var.append",
    effect = "effectful",
    tags = ["variable", "list"],
    example(title = "the first", input = r#"{"name": "l", "value": 1}"#, output = r#"{"result": [1], "length": 1}"#),
    example(title = "a list is one item", input = r#"{"name": "m", "value": [1]}"#, output = r#"{"result": [[1]], "length": 1}"#)
)]
pub(crate) fn append(input: Append<'_>, ctx: &Ctx<'_>) -> NodeResult<Appended> {
    let mut length = 0;
    let (_, new) = ctx.update_variable(input.name.get()?, |old| {
        let items = match old.filter(|old| !old.is_null()) {
            None => None,
            Some(old) => Some(
                old.as_list()
                    .ok_or_else(|| wrong_kind(input.name, "a list", old))?,
            ),
        };
        length = items.map_or(0, |items| items.len()) + 1;
        Ok(Some(Value::from_items(
            items.into_iter().flatten().chain([input.value.0]),
        )?))
    })?;
    Ok(Appended {
        result: new.unwrap_or_default(),
        length,
    })
}

#[parameters]
pub(crate) struct Concat<'a> {
    /// The name of the variable, which holds a text.
    #[serde(default, alias = "key")]
    name: Name<'a>,
    /// The text to put at the end.
    #[serde(default)]
    value: Text<'a>,
    /// What to put between both, unless there was nothing before.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    separator: Text<'a>,
}

/// Puts a text at the end of a text.
#[node(
    id = "var.concat",
    effect = "effectful",
    tags = ["variable", "text"],
    example(title = "the first", input = r#"{"name": "s", "value": "x", "separator": "-"}"#, output = r#"{"result": "x"}"#),
    example(title = "a number", input = r#"{"name": "t", "value": 5}"#, output = r#"{"result": "5"}"#)
)]
pub(crate) fn concat(input: Concat<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<String>> {
    let mut result = String::new();
    ctx.update_variable(input.name.get()?, |old| {
        let old = old.unwrap_or(ValueRef::NULL);
        let old = text_of(old).ok_or_else(|| wrong_kind(input.name, "a text", old))?;
        let separator = if old.is_empty() { "" } else { &*input.separator.0 };
        let mut text = Growing::default();
        text.push(&old, "name")?;
        text.push(separator, "separator")?;
        text.push(&input.value.0, "value")?;
        result = text.finish();
        Ok(Some(Value::from_serialize(&result)?))
    })?;
    Ok(answer(result))
}

#[parameters]
pub(crate) struct Merge<'a> {
    /// The name of the variable, which holds a map.
    #[serde(default, alias = "key")]
    name: Name<'a>,
    /// The entries to add; those that are there already are replaced.
    #[schemars(extend("type" = "object"))]
    value: Any<'a>,
}

/// A map that took entries in.
#[output]
pub(crate) struct Merged {
    /// The map now.
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    result: Value,
}

/// Adds the entries of a map to a map; a map inside is replaced as a whole.
#[node(
    id = "var.merge",
    effect = "idempotent",
    tags = ["variable", "map"],
    example(title = "the first", input = r#"{"name": "o", "value": {"z": 1}}"#, output = r#"{"result": {"z": 1}}"#),
    example(title = "nothing new", input = r#"{"name": "p", "value": {}}"#, output = r#"{"result": {}}"#)
)]
pub(crate) fn merge(input: Merge<'_>, ctx: &Ctx<'_>) -> NodeResult<Merged> {
    let Some(added) = input.value.0.as_map() else {
        let why = format_args!("expected a map, found {}", kind_name(input.value.0));
        return Err(NodeError::invalid("value", why));
    };
    let (_, new) = ctx.update_variable(input.name.get()?, |old| {
        let entries = match old.filter(|old| !old.is_null()) {
            None => None,
            Some(old) => Some(old.as_map().ok_or_else(|| wrong_kind(input.name, "a map", old))?),
        };
        let kept = entries
            .into_iter()
            .flatten()
            .map(|(key, value)| (key, added.get(key).unwrap_or(value)));
        let new = added
            .iter()
            .filter(|(key, _)| entries.is_none_or(|entries| entries.get(key).is_none()));
        Ok(Some(Value::from_pairs(kept.chain(new))?))
    })?;
    Ok(Merged {
        result: new.unwrap_or_default(),
    })
}
