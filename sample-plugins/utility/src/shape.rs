//! Other shapes of the same values: flatter, in groups, or as a text.

use std::collections::{HashMap, HashSet};

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Growing, excerpt, text_or_json};

/// A table has no more cells than this. Rows that share no column make it far larger than themselves.
const MAX_CELLS: usize = 4_000_000;

/// The list with the items of its lists in their places, `depth` levels deep.
pub(crate) fn flattened(value: ValueRef<'_>, depth: usize) -> NodeResult<Value> {
    let wrong = || NodeError::invalid("flatten", format_args!("needs a list, found {}", excerpt(value)));
    let mut flat = Vec::new();
    flatten(value.as_list().ok_or_else(wrong)?.iter(), depth, &mut flat);
    Ok(Value::from_items(flat)?)
}

/// No deeper than the value, whose depth is bounded.
fn flatten<'v>(items: impl Iterator<Item = ValueRef<'v>>, depth: usize, flat: &mut Vec<ValueRef<'v>>) {
    for item in items {
        match item.as_list() {
            Some(inner) if depth > 0 => flatten(inner.iter(), depth - 1, flat),
            _ => flat.push(item),
        }
    }
}

/// The items by the names of their groups, and the names in the order in which they came.
pub(crate) fn grouped(items: Vec<(String, ValueRef<'_>)>) -> NodeResult<(Value, Vec<String>)> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(String, Vec<ValueRef<'_>>)> = Vec::new();
    for (name, item) in items {
        match places.get(&name).and_then(|place| groups.get_mut(*place)) {
            Some((_, group)) => group.push(item),
            None => {
                places.insert(name.clone(), groups.len());
                groups.push((name, vec![item]));
            }
        }
    }
    let lists = groups
        .iter()
        .map(|(name, items)| Ok((name, Value::from_items(items.iter().copied())?)));
    let lists = lists.collect::<NodeResult<Vec<_>>>()?;
    let result = Value::from_pairs(lists.iter().map(|(name, list)| (*name, list.as_ref())))?;
    Ok((result, groups.into_iter().map(|(name, _)| name).collect()))
}

/// A list of maps as a table (RFC 4180), whose columns are the keys in the order in which they came.
pub(crate) fn csv(value: ValueRef<'_>) -> NodeResult<String> {
    let wrong = |found| {
        NodeError::invalid(
            "format",
            format_args!("`csv` needs a list of maps, found {}", excerpt(found)),
        )
    };
    let rows: Vec<_> = value.as_list().ok_or_else(|| wrong(value))?.iter().collect();
    let (mut columns, mut known) = (Vec::new(), HashSet::new());
    for row in &rows {
        let row = row.as_map().ok_or_else(|| wrong(*row))?;
        columns.extend(row.keys().filter(|key| known.insert(*key)));
    }
    if columns.len().saturating_mul(rows.len()) > MAX_CELLS {
        let message = format!("parameter `format`: the table would have more than {MAX_CELLS} cells");
        return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message));
    }
    let mut out = Growing::default();
    line(&mut out, columns.iter().map(|column| (*column).into()))?;
    for row in &rows {
        let cells = columns
            .iter()
            .map(|column| row.get(column).map_or_else(Default::default, text_or_json));
        line(&mut out, cells)?;
    }
    Ok(out.finish())
}

fn line<'v>(out: &mut Growing, cells: impl Iterator<Item = std::borrow::Cow<'v, str>>) -> NodeResult<()> {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            out.push(",", "format")?;
        }
        if cell.contains(['"', ',', '\r', '\n']) {
            out.push("\"", "format")?;
            out.push(&cell.replace('"', "\"\""), "format")?;
            out.push("\"", "format")?;
        } else {
            out.push(&cell, "format")?;
        }
    }
    out.push("\r\n", "format")
}

/// The items of a list as lines; a value that is no list is one.
pub(crate) fn lines(value: ValueRef<'_>) -> NodeResult<String> {
    let Some(list) = value.as_list() else {
        return Ok(text_or_json(value).into_owned());
    };
    let mut out = Growing::default();
    for (place, item) in list.iter().enumerate() {
        if place > 0 {
            out.push("\n", "format")?;
        }
        out.push(&text_or_json(item), "format")?;
    }
    Ok(out.finish())
}
