//! In which order rows come, and which of their columns.
//!
//! Invariant: nothing comes before everything else, and after it when the order is turned around, in both databases.

use plugin_api::prelude::*;
use plugin_api::reading::shown;
use plugin_api::value::{Kind, ListRef, MapRef};

use super::Entity;
use crate::schema::quoted;

const SORT: &str = "sort";

/// Which way an order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Direction {
    const fn as_sql(self) -> &'static str {
        match self {
            Self::Up => "ASC NULLS FIRST",
            Self::Down => "DESC NULLS LAST",
        }
    }

    fn read(value: ValueRef<'_>) -> NodeResult<Self> {
        let text = value.as_str().map(|text| text.trim().to_ascii_lowercase());
        match (value.as_f64(), text.as_deref()) {
            (Some(1.0), _) | (_, Some("asc" | "ascending" | "1")) => Ok(Self::Up),
            (Some(-1.0), _) | (_, Some("desc" | "descending" | "-1")) => Ok(Self::Down),
            _ => Err(NodeError::invalid(
                SORT,
                format_args!(
                    "a direction is 1, -1, `asc` or `desc`, but there is {}",
                    shown(value)
                ),
            )),
        }
    }
}

/// Reads `{"a": -1}`, `[{"field": "a", "direction": "desc"}]`, `["-a", "b"]`, `"a desc"` and `"-a"`.
fn keys(sort: ValueRef<'_>) -> NodeResult<Vec<(String, Direction)>> {
    match sort.kind() {
        Kind::Null => Ok(Vec::new()),
        Kind::Str => {
            let texts = sort.as_str().unwrap_or_default().split(',');
            texts
                .filter(|text| !text.trim().is_empty())
                .map(|text| key(text.trim()))
                .collect()
        }
        Kind::Map => {
            let map = sort.as_map();
            let given = |name: &str| map.and_then(|map| map.get(name));
            if let Some(field) = given("field").and_then(|field| field.as_str()) {
                let direction = given("direction").or_else(|| given("order"));
                return Ok(vec![(
                    field.to_owned(),
                    direction.map_or(Ok(Direction::Up), Direction::read)?,
                )]);
            }
            let entries = map.iter().flat_map(MapRef::iter);
            entries
                .map(|(name, direction)| Ok((name.to_owned(), Direction::read(direction)?)))
                .collect()
        }
        Kind::List => {
            let mut all = Vec::new();
            for item in sort.as_list().iter().flat_map(ListRef::iter) {
                if item.kind() == Kind::List {
                    return Err(unreadable(item));
                }
                all.extend(keys(item)?);
            }
            Ok(all)
        }
        _ => Err(unreadable(sort)),
    }
}

fn unreadable(value: ValueRef<'_>) -> NodeError {
    NodeError::invalid(
        SORT,
        format_args!(
            "must be like {{\"createdAt\": -1}} or [\"-createdAt\"], but is {}",
            shown(value)
        ),
    )
}

fn key(text: &str) -> NodeResult<(String, Direction)> {
    if let Some(name) = text.strip_prefix('-') {
        return Ok((name.trim().to_owned(), Direction::Down));
    }
    match text.rsplit_once(char::is_whitespace) {
        Some((name, direction)) => Ok((
            name.trim().to_owned(),
            Direction::read(Value::from(direction).as_ref())?,
        )),
        None => Ok((text.to_owned(), Direction::Up)),
    }
}

/// ` ORDER BY ...`, or nothing.
pub(super) fn order_by(entity: &Entity<'_>, sort: ValueRef<'_>) -> NodeResult<String> {
    let mut parts = Vec::new();
    for (name, direction) in keys(sort)? {
        let column = entity.column(&name, SORT)?;
        parts.push(format!("{} {}", Entity::written(column), direction.as_sql()));
    }
    Ok(clause(&parts))
}

/// As [`order_by`], by names of the result.
pub(super) fn order_by_names(names: &[String], sort: ValueRef<'_>) -> NodeResult<String> {
    let mut parts = Vec::new();
    for (name, direction) in keys(sort)? {
        if !names.contains(&name) {
            return Err(NodeError::invalid(
                SORT,
                format_args!(
                    "`{name}` is neither a group nor an aggregate; there are {}",
                    names.join(", ")
                ),
            ));
        }
        parts.push(format!("{} {}", quoted(&name), direction.as_sql()));
    }
    Ok(clause(&parts))
}

fn clause(parts: &[String]) -> String {
    if parts.is_empty() {
        return String::new();
    }
    format!(" ORDER BY {}", parts.join(", "))
}

/// What is selected: all columns, or those of a list.
pub(super) fn fields(entity: &Entity<'_>, fields: ValueRef<'_>) -> NodeResult<String> {
    let names: Vec<&str> = match fields.kind() {
        Kind::Null => return Ok("*".to_owned()),
        Kind::Str => fields
            .as_str()
            .iter()
            .flat_map(|text| text.split(','))
            .map(str::trim)
            .collect(),
        Kind::List => {
            let list = fields.as_list();
            let texts: Option<Vec<&str>> = list
                .iter()
                .flat_map(ListRef::iter)
                .map(|item| item.as_str())
                .collect();
            texts.ok_or_else(|| NodeError::invalid("fields", "must be a list of names of columns"))?
        }
        _ => return Err(NodeError::invalid("fields", "must be a list of names of columns")),
    };
    if names.is_empty() {
        return Ok("*".to_owned());
    }
    let columns: NodeResult<Vec<String>> = names
        .into_iter()
        .map(|name| entity.column(name, "fields").map(Entity::written))
        .collect();
    Ok(columns?.join(", "))
}
