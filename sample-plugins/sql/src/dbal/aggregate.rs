//! Sums and counts, over all rows or over groups of them.
//!
//! Invariant: an average is a number, whatever the column's precision; a sum of nothing is 0, and an average, a smallest and
//! a largest of nothing are null.

use plugin_api::prelude::*;
use plugin_api::reading::shown;
use plugin_api::value::{Kind, ListRef, MapRef};

use super::{Entity, filter, order};
use crate::dbal::Part;
use crate::schema::quoted;

const AGGREGATES: &str = "aggregates";
const GROUP_BY: &str = "groupBy";

/// What is asked of a number of rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aggregation {
    /// `{"total": "sum(likes)"}`
    pub(crate) aggregates: Value,
    /// `["userId"]`
    pub(crate) group_by: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
}

/// The statement that answers, and whether it gives one row for each group.
pub(super) fn statement(
    entity: &Entity<'_>,
    asked: &Aggregation,
    filter: ValueRef<'_>,
    sort: ValueRef<'_>,
    page: &str,
) -> NodeResult<(Part, bool)> {
    let groups = groups(entity, asked.group_by.as_ref())?;
    let mut names = Vec::new();
    let mut selected = Vec::new();
    for name in &groups {
        names.push(name.clone());
        selected.push(format!("t.{} AS {}", quoted(name), quoted(name)));
    }
    for (name, function, column) in aggregates(entity, asked.aggregates.as_ref())? {
        if names.contains(&name) {
            return Err(NodeError::invalid(
                AGGREGATES,
                format_args!("`{name}` is there twice"),
            ));
        }
        selected.push(format!(
            "{} AS {}",
            written(function, column.as_deref()),
            quoted(&name)
        ));
        names.push(name);
    }
    let mut part = Part::new(format!(
        "SELECT {} FROM {} AS t",
        selected.join(", "),
        entity.table.quoted()
    ));
    if let Some(condition) = filter::condition(entity, filter)? {
        part.push(" WHERE ");
        part.append(condition);
    }
    if groups.is_empty() {
        return Ok((part, false));
    }
    let grouped: Vec<String> = groups.iter().map(|name| format!("t.{}", quoted(name))).collect();
    part.push(&format!(" GROUP BY {}", grouped.join(", ")));
    let sorted = order::order_by_names(&names, sort)?;
    if sorted.is_empty() {
        // So that equal questions get equal answers.
        part.push(&format!(" ORDER BY {}", grouped.join(", ")));
    } else {
        part.push(&sorted);
    }
    part.push(page);
    Ok((part, true))
}

fn written(function: Function, column: Option<&str>) -> String {
    let column = column.map_or_else(|| "*".to_owned(), |name| format!("t.{}", quoted(name)));
    match function {
        Function::Count => format!("count({column})"),
        Function::CountDistinct => format!("count(DISTINCT {column})"),
        Function::Sum => format!("COALESCE(sum({column}), 0)"),
        Function::Avg => format!("CAST(avg({column}) AS DOUBLE PRECISION)"),
        Function::Min => format!("min({column})"),
        Function::Max => format!("max({column})"),
    }
}

fn groups(entity: &Entity<'_>, group_by: ValueRef<'_>) -> NodeResult<Vec<String>> {
    let names: Option<Vec<&str>> = match group_by.kind() {
        Kind::Null => Some(Vec::new()),
        Kind::Str => group_by.as_str().map(|text| {
            let names = text.split(',').map(str::trim);
            names.filter(|name| !name.is_empty()).collect()
        }),
        Kind::List => {
            let list = group_by.as_list();
            list.iter()
                .flat_map(ListRef::iter)
                .map(|item| item.as_str())
                .collect()
        }
        _ => None,
    };
    let names = names.ok_or_else(|| {
        NodeError::invalid(
            GROUP_BY,
            format_args!(
                "must be a column or a list of columns, but is {}",
                shown(group_by)
            ),
        )
    })?;
    let mut groups: Vec<String> = Vec::new();
    for name in names {
        let column = &entity.column(name, GROUP_BY)?.name;
        if !groups.contains(column) {
            groups.push(column.clone());
        }
    }
    Ok(groups)
}

type Asked = (String, Function, Option<String>);

/// Reads `{"total": "sum(likes)"}`, `{"total": {"$sum": "likes"}}` and
/// `[{"function": "sum", "field": "likes", "as": "total"}]`; without any, rows are counted.
fn aggregates(entity: &Entity<'_>, aggregates: ValueRef<'_>) -> NodeResult<Vec<Asked>> {
    let wrong = || {
        NodeError::invalid(
            AGGREGATES,
            format_args!(
                "must be like {{\"total\": \"sum(likes)\", \"all\": \"count(*)\"}}, but is {}",
                shown(aggregates)
            ),
        )
    };
    let mut asked = Vec::new();
    match aggregates.kind() {
        Kind::Null => {}
        Kind::Map => {
            for (name, value) in aggregates.as_map().iter().flat_map(MapRef::iter) {
                let (function, column) = match value.kind() {
                    Kind::Str => call(value.as_str().unwrap_or_default()),
                    Kind::Map => {
                        let entry = value.as_map().and_then(|map| map.iter().next());
                        let (function, column) = entry.ok_or_else(wrong)?;
                        (function.trim_start_matches('$'), column.as_str().unwrap_or("*"))
                    }
                    _ => return Err(wrong()),
                };
                asked.push(aggregate(entity, name, function, column)?);
            }
        }
        Kind::List => {
            for item in aggregates.as_list().iter().flat_map(ListRef::iter) {
                let text = |name: &str| item.get(name).and_then(|value| value.as_str());
                let function = text("function").or_else(|| text("fn")).ok_or_else(wrong)?;
                let column = text("field").or_else(|| text("column")).unwrap_or("*");
                let name = text("as").or_else(|| text("alias")).map_or_else(
                    || format!("{function}_{}", if column == "*" { "all" } else { column }),
                    str::to_owned,
                );
                asked.push(aggregate(entity, &name, function, column)?);
            }
        }
        _ => return Err(wrong()),
    }
    if asked.is_empty() {
        asked.push(("count".to_owned(), Function::Count, None));
    }
    Ok(asked)
}

/// `sum(likes)` as its parts; `count` alone counts rows.
fn call(text: &str) -> (&str, &str) {
    let text = text.trim();
    match text.split_once('(') {
        Some((function, rest)) => (function.trim(), rest.trim_end_matches(')').trim()),
        None => (text, "*"),
    }
}

fn aggregate(entity: &Entity<'_>, name: &str, function: &str, column: &str) -> NodeResult<Asked> {
    let lower = column.to_ascii_lowercase();
    let (is_distinct, column) = match lower.strip_prefix("distinct ") {
        Some(_) => (true, column.get("distinct ".len()..).unwrap_or_default().trim()),
        None => (false, column),
    };
    let function = match (function.trim().to_ascii_lowercase().as_str(), is_distinct) {
        ("count", false) => Function::Count,
        ("count", true) | ("countdistinct" | "count_distinct", false) => Function::CountDistinct,
        ("sum", false) => Function::Sum,
        ("avg" | "average" | "mean", false) => Function::Avg,
        ("min", false) => Function::Min,
        ("max", false) => Function::Max,
        (other, _) => {
            return Err(NodeError::invalid(
                AGGREGATES,
                format_args!(
                    "`{other}` of `{name}` is not known; known are count, count(distinct x), sum, avg, min and max"
                ),
            ));
        }
    };
    if name.is_empty() {
        return Err(NodeError::invalid(AGGREGATES, "an aggregate has no name"));
    }
    let column = match (column, function) {
        ("*" | "", Function::Count) => None,
        ("*" | "", _) => {
            return Err(NodeError::invalid(
                AGGREGATES,
                format_args!("`{name}` says no column"),
            ));
        }
        (column, _) => Some(entity.column(column, AGGREGATES)?.name.clone()),
    };
    Ok((name.to_owned(), function, column))
}
