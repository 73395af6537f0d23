//! Filters: maps that say which rows are meant.
//!
//! Invariant: a filter compares columns of its entity with values, and nothing else; the values are bound. A row has to
//! meet all of its entries.
//!
//! | entry | a row meets it when |
//! |---|---|
//! | `"a": 1` | its `a` is 1 |
//! | `"a": null` | it has no `a`, as with `{"$exists": false}` |
//! | `"a": {"$gte": 1, "$lt": 9}` | both hold; also `$eq`, `$ne`, `$gt`, `$lte`, `$between: [1, 9]` |
//! | `"a": {"$in": [1, 2]}` | its `a` is one of them; `$nin` for none of them |
//! | `"a": {"$like": "x%"}` | it is like the pattern, as the database compares; `$ilike` in any case of the letters |
//! | `"a": {"$contains": "x"}` | the text, list or array has it; also `$icontains`, `$startsWith`, `$endsWith` |
//! | `"a": {"$not": {"$gt": 1}}` | the inner does not hold |
//! | `"$or": [{...}, {...}]` | one of them holds; also `$and`, `$nor`, and `$not: {...}` |
//!
//! Nothing is not equal to anything: `$ne` and `$nin` hold where the column has nothing, as `$not` does.

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, shown};
use plugin_api::value::{Kind, ListRef, MapRef};

use super::matching::{holding, textual};
use super::{Entity, Part};
use crate::schema::{Column, ColumnKind};

/// Filters nest no deeper.
const DEEPEST: usize = 16;

/// Values of a `$in`.
const MOST_VALUES: usize = 10_000;

/// What the parameter is called in messages.
const FILTER: &str = "filter";

const OPERATORS: &str = "$eq, $ne, $gt, $gte, $lt, $lte, $between, $in, $nin, $like, $ilike, $contains, $icontains, \
                         $startsWith, $endsWith, $exists, $isNull and $not";

pub(super) fn wrong(why: impl std::fmt::Display) -> NodeError {
    NodeError::invalid(FILTER, why)
}

/// The condition of a filter; `None` when it has no entries.
pub(super) fn condition(entity: &Entity<'_>, filter: ValueRef<'_>) -> NodeResult<Option<Part>> {
    if filter.is_null() {
        return Ok(None);
    }
    let Some(map) = filter.as_map() else {
        return Err(wrong(format_args!("must be a map, but is {}", shown(filter))));
    };
    let parts = entries(entity, map, 0)?;
    Ok((!parts.is_empty()).then(|| joined(parts, " AND ")))
}

/// The column of an entry that is equality and nothing else.
pub(super) fn equalities(filter: ValueRef<'_>) -> NodeResult<Vec<(String, Value)>> {
    let map = filter.as_map();
    let mut equal = Vec::new();
    for (name, value) in map.iter().flat_map(MapRef::iter) {
        let value = match value.as_map() {
            Some(map) if map.len() == 1 => map.get("$eq"),
            Some(_) => None,
            None => Some(value),
        };
        match value.filter(|_| !name.starts_with('$')) {
            Some(value) => equal.push((name.to_owned(), value.to_value())),
            None => {
                return Err(wrong(format_args!(
                    "an upsert makes a row of its filter when there is none, so `{name}` has to be compared by equality"
                )));
            }
        }
    }
    Ok(equal)
}

fn joined(parts: Vec<Part>, by: &str) -> Part {
    let mut all = Part::default();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            all.push(by);
        }
        all.push("(");
        all.append(part);
        all.push(")");
    }
    all
}

/// Whether a filter holds for every row, or for none, whatever the rows are; `None` when it depends on them. It was read
/// before, so it is not too deep.
pub(crate) fn always(filter: MapRef<'_>) -> Option<bool> {
    let each = |value: ValueRef<'_>| -> Vec<Option<bool>> {
        let list = value.as_list().into_iter().flat_map(|list| list.iter());
        list.map(|item| item.as_map().and_then(always)).collect()
    };
    let of = |(name, value): (&str, ValueRef<'_>)| match name {
        "$and" => all_of(&each(value)),
        "$or" => any_of(&each(value)),
        "$nor" => any_of(&each(value)).map(|holds| !holds),
        "$not" => value.as_map().and_then(always).map(|holds| !holds),
        _ => None,
    };
    all_of(&filter.iter().map(of).collect::<Vec<_>>())
}

fn all_of(parts: &[Option<bool>]) -> Option<bool> {
    if parts.contains(&Some(false)) {
        return Some(false);
    }
    parts.iter().all(|part| *part == Some(true)).then_some(true)
}

fn any_of(parts: &[Option<bool>]) -> Option<bool> {
    if parts.contains(&Some(true)) {
        return Some(true);
    }
    parts.iter().all(|part| *part == Some(false)).then_some(false)
}

fn entries(entity: &Entity<'_>, map: MapRef<'_>, depth: usize) -> NodeResult<Vec<Part>> {
    if depth > DEEPEST {
        return Err(wrong(format_args!("nests deeper than {DEEPEST} levels")));
    }
    let mut parts = Vec::new();
    for (name, value) in map.iter() {
        match name {
            "$and" => parts.push(several(entity, name, value, " AND ", depth)?),
            "$or" => parts.push(several(entity, name, value, " OR ", depth)?),
            "$nor" => parts.push(negated(several(entity, name, value, " OR ", depth)?)),
            "$not" => {
                let inner = value
                    .as_map()
                    .ok_or_else(|| wrong(format_args!("`$not` must be a map, but is {}", shown(value))))?;
                let inner = entries(entity, inner, depth + 1)?;
                let inner = if inner.is_empty() {
                    Part::new("1 = 1")
                } else {
                    joined(inner, " AND ")
                };
                parts.push(negated(inner));
            }
            _ if name.starts_with('$') => {
                return Err(wrong(format_args!(
                    "`{name}` is not known; beside columns it may have $and, $or, $nor and $not"
                )));
            }
            _ => {
                let column = entity.column(name, FILTER)?;
                parts.push(of_column(entity, column, value, depth)?);
            }
        }
    }
    Ok(parts)
}

/// What is not known to hold does not hold, so its opposite does.
fn negated(part: Part) -> Part {
    let mut all = Part::new("NOT COALESCE((");
    all.append(part);
    all.push("), 1 = 0)");
    all
}

fn several(entity: &Entity<'_>, name: &str, value: ValueRef<'_>, by: &str, depth: usize) -> NodeResult<Part> {
    let Some(list) = value.as_list().filter(|list| !list.is_empty()) else {
        return Err(wrong(format_args!(
            "`{name}` must be a list of filters, but is {}",
            shown(value)
        )));
    };
    let mut parts = Vec::new();
    for item in list.iter() {
        let inner = item
            .as_map()
            .ok_or_else(|| wrong(format_args!("`{name}` must hold maps, but has {}", shown(item))))?;
        let inner = entries(entity, inner, depth + 1)?;
        parts.push(if inner.is_empty() {
            Part::new("1 = 1")
        } else {
            joined(inner, " AND ")
        });
    }
    Ok(joined(parts, by))
}

fn of_column(entity: &Entity<'_>, column: &Column, value: ValueRef<'_>, depth: usize) -> NodeResult<Part> {
    if entity.is_tenant_column(column) {
        return of_tenant(entity, column, value);
    }
    match value.kind() {
        Kind::Map => {
            let operators = value.as_map();
            let operators: Vec<_> = operators.iter().flat_map(MapRef::iter).collect();
            if operators.is_empty() || operators.iter().any(|(name, _)| !name.starts_with('$')) {
                return Err(wrong(format_args!(
                    "`{}` is compared by operators that begin with `$`: {OPERATORS}",
                    column.name
                )));
            }
            let parts: NodeResult<Vec<Part>> = operators
                .into_iter()
                .map(|(name, operand)| operator(entity, column, name, operand, depth))
                .collect();
            Ok(joined(parts?, " AND "))
        }
        Kind::List => Err(wrong(format_args!(
            "`{}` is compared with a list; write {{\"$in\": [...]}}",
            column.name
        ))),
        _ => compared(entity, column, "=", value),
    }
}

/// The tenant is always a condition; here it is only checked that nobody else is meant.
fn of_tenant(entity: &Entity<'_>, column: &Column, value: ValueRef<'_>) -> NodeResult<Part> {
    let single = |value: ValueRef<'_>| entity.own_tenant(column, value, FILTER);
    match value.as_map() {
        None => single(value)?,
        Some(map) => match (
            map.len(),
            map.get("$eq"),
            map.get("$in").and_then(|list| list.as_list()),
        ) {
            (1, Some(value), _) => single(value)?,
            (1, _, Some(list)) if !list.is_empty() => list.iter().try_for_each(single)?,
            _ => single(ValueRef::NULL)?,
        },
    }
    Ok(Part::new("1 = 1"))
}

fn compared(entity: &Entity<'_>, column: &Column, sign: &str, value: ValueRef<'_>) -> NodeResult<Part> {
    let name = Entity::written(column);
    let mut part = Part::default();
    match (value.kind(), sign) {
        (Kind::Null, "=") => part.push(&format!("{name} IS NULL")),
        (Kind::Null, "<>") => part.push(&format!("{name} IS NOT NULL")),
        (Kind::Null, _) => {
            return Err(wrong(format_args!(
                "`{}` is compared by order with nothing (null)",
                column.name
            )));
        }
        (Kind::List | Kind::Map, _) => {
            return Err(wrong(format_args!(
                "`{}` is compared with {}, which has no order and no equal here",
                column.name,
                shown(value)
            )));
        }
        (_, "<>") => {
            part.push(&format!("{name} IS NULL OR {name} <> "));
            part.bind(entity.fitting(column, value, FILTER)?);
        }
        _ => {
            part.push(&format!("{name} {sign} "));
            part.bind(entity.fitting(column, value, FILTER)?);
        }
    }
    Ok(part)
}

fn operator(
    entity: &Entity<'_>,
    column: &Column,
    name: &str,
    operand: ValueRef<'_>,
    depth: usize,
) -> NodeResult<Part> {
    match name {
        "$eq" => compared(entity, column, "=", operand),
        "$ne" => compared(entity, column, "<>", operand),
        "$gt" => compared(entity, column, ">", operand),
        "$gte" => compared(entity, column, ">=", operand),
        "$lt" => compared(entity, column, "<", operand),
        "$lte" => compared(entity, column, "<=", operand),
        "$between" => match list(column, name, operand)?.iter().collect::<Vec<_>>().as_slice() {
            [low, high] => {
                let low = compared(entity, column, ">=", *low)?;
                let high = compared(entity, column, "<=", *high)?;
                Ok(joined(vec![low, high], " AND "))
            }
            _ => Err(wrong(format_args!(
                "`{name}` of `{}` must have two values",
                column.name
            ))),
        },
        "$in" => among(entity, column, list(column, name, operand)?),
        "$nin" | "$notIn" => Ok(negated(among(entity, column, list(column, name, operand)?)?)),
        "$exists" => exists(column, name, operand, true),
        "$isNull" => exists(column, name, operand, false),
        "$not" => {
            let inner = of_column(entity, column, operand, depth + 1)?;
            if depth > DEEPEST {
                return Err(wrong(format_args!("nests deeper than {DEEPEST} levels")));
            }
            Ok(negated(inner))
        }
        "$contains" if matches!(column.kind, ColumnKind::Json | ColumnKind::Array) => {
            holding(entity, column, operand)
        }
        "$like" | "$ilike" | "$contains" | "$icontains" | "$startsWith" | "$endsWith" => {
            textual(entity, column, name, operand)
        }
        _ => Err(wrong(format_args!(
            "`{name}` of `{}` is not known; known are {OPERATORS}",
            column.name
        ))),
    }
}

fn list<'v>(column: &Column, name: &str, operand: ValueRef<'v>) -> NodeResult<ListRef<'v>> {
    let list = operand.as_list().ok_or_else(|| {
        wrong(format_args!(
            "`{name}` of `{}` must be a list, but is {}",
            column.name,
            shown(operand)
        ))
    })?;
    if list.len() > MOST_VALUES {
        return Err(wrong(format_args!(
            "`{name}` of `{}` has {} values; at most {MOST_VALUES} are compared",
            column.name,
            list.len()
        )));
    }
    Ok(list)
}

fn among(entity: &Entity<'_>, column: &Column, list: ListRef<'_>) -> NodeResult<Part> {
    let name = Entity::written(column);
    let mut part = Part::default();
    let mut has_null = false;
    for item in list.iter() {
        if item.is_null() {
            has_null = true;
            continue;
        }
        if matches!(item.kind(), Kind::List | Kind::Map) {
            return Err(wrong(format_args!(
                "`$in` of `{}` has {} in it",
                column.name,
                shown(item)
            )));
        }
        part.push(if part.values.is_empty() { "" } else { ", " });
        part.bind(entity.fitting(column, item, FILTER)?);
    }
    if part.values.is_empty() {
        part.push(if has_null { "" } else { "1 = 0" });
    } else {
        part.text = format!("{name} IN ({})", part.text);
    }
    if has_null {
        let or = if part.text.is_empty() { "" } else { " OR " };
        part.push(&format!("{or}{name} IS NULL"));
    }
    Ok(part)
}

fn exists(column: &Column, operator: &str, operand: ValueRef<'_>, when_true: bool) -> NodeResult<Part> {
    let Some(Flag(flag)) = Flag::read(operand) else {
        return Err(wrong(format_args!(
            "`{operator}` of `{}` must be true or false, but is {}",
            column.name,
            shown(operand)
        )));
    };
    let not = if flag == when_true { "NOT " } else { "" };
    Ok(Part::new(format!("{} IS {not}NULL", Entity::written(column))))
}
