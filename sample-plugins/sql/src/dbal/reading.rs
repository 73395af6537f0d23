//! Rows of an entity, one of them, or what there is to say of them.

use plugin_api::error::code;
use plugin_api::prelude::*;

use super::aggregate::{self, Aggregation};
use super::order::{fields, order_by};
use super::{Entity, Part, filter};
use crate::cell::{Cell, Limits, MOST_BYTES, Rows};
use crate::policy::Policy;
use crate::session::{Purpose, Session};

/// Rows of a page unless it says otherwise.
pub(crate) const PAGE: i64 = 100;
/// Rows of a page at most.
pub(crate) const LONGEST_PAGE: i64 = 10_000;

/// Which rows of which entity, and what of them.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) entity: String,
    pub(crate) filter: Value,
    /// The value of the primary key, beside the filter.
    pub(crate) id: Value,
    pub(crate) sort: Value,
    pub(crate) fields: Value,
    pub(crate) limit: i64,
    pub(crate) offset: i64,
    pub(crate) what: What,
}

/// What is wanted of the rows.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A page of them.
    List,
    /// The first.
    One,
    /// How many there are.
    Count,
    /// Whether there is one.
    Exists,
    /// Sums and the like.
    Aggregate(Aggregation),
}

impl What {
    /// Of sums and the like.
    pub(crate) const fn aggregate(aggregates: Value, group_by: Value) -> Self {
        Self::Aggregate(Aggregation { aggregates, group_by })
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Page {
    /// Rows, and whether there are more behind them.
    Rows { rows: Rows, has_more: bool },
    /// One row, or none.
    Row(Rows),
    /// A number.
    Count(i64),
    /// Whether there is one.
    Exists(bool),
    /// A row for each group.
    Groups(Rows),
}

/// The condition of a filter and an id.
pub(super) fn condition(
    entity: &Entity<'_>,
    filter: ValueRef<'_>,
    id: ValueRef<'_>,
) -> NodeResult<Option<Part>> {
    let condition = filter::condition(entity, filter)?;
    if id.is_null() {
        return Ok(condition);
    }
    let key = match entity.table.only_key() {
        Some(key) => key,
        None => entity.column("id", "id")?,
    };
    if id.as_list().is_some() || id.as_map().is_some() {
        return Err(NodeError::invalid(
            "id",
            "must be one value; for several, use `filter` with `$in`",
        ));
    }
    let mut part = Part::new(format!("{} = ", Entity::written(key)));
    part.bind(entity.fitting(key, id, "id")?);
    if let Some(condition) = condition {
        part.push(" AND (");
        part.append(condition);
        part.push(")");
    }
    Ok(Some(part))
}

/// Reads, in one transaction.
pub(crate) async fn read<S: Session>(session: &mut S, policy: &Policy, reading: Reading) -> NodeResult<Page> {
    session.begin(Purpose::Reading).await?;
    let entity = Entity::find(session, policy, &reading.entity).await?;
    let page = page(session, &entity, &reading).await?;
    session.commit().await?;
    Ok(page)
}

async fn page<S: Session>(session: &mut S, entity: &Entity<'_>, reading: &Reading) -> NodeResult<Page> {
    let (filter, id) = (reading.filter.as_ref(), reading.id.as_ref());
    let table = entity.table.quoted();
    let from = |selected: &str| -> NodeResult<Part> {
        let mut part = Part::new(format!("SELECT {selected} FROM {table} AS t"));
        if let Some(condition) = condition(entity, filter, id)? {
            part.push(" WHERE ");
            part.append(condition);
        }
        Ok(part)
    };
    match &reading.what {
        What::List => {
            let mut part = from(&fields(entity, reading.fields.as_ref())?)?;
            part.push(&order_by(entity, reading.sort.as_ref())?);
            // One more than is wanted says whether there are more.
            part.push(&format!(" LIMIT {} OFFSET {}", reading.limit + 1, reading.offset));
            let mut rows = run(session, entity, part).await?;
            let wanted = usize::try_from(reading.limit).unwrap_or(usize::MAX);
            let has_more = rows.len() > wanted;
            rows.truncate(wanted);
            Ok(Page::Rows { rows, has_more })
        }
        What::One => {
            let mut part = from(&fields(entity, reading.fields.as_ref())?)?;
            part.push(&order_by(entity, reading.sort.as_ref())?);
            part.push(&format!(" LIMIT 1 OFFSET {}", reading.offset));
            Ok(Page::Row(run(session, entity, part).await?))
        }
        What::Count => {
            let rows = run(session, entity, from("count(*)")?).await?;
            let count = rows.only().and_then(Cell::as_integer);
            Ok(Page::Count(count.unwrap_or_default()))
        }
        What::Exists => {
            let mut part = from("1")?;
            part.push(" LIMIT 1");
            Ok(Page::Exists(run(session, entity, part).await?.len() > 0))
        }
        What::Aggregate(asked) => {
            if !id.is_null() {
                return Err(NodeError::invalid(
                    "id",
                    "is of no use to an aggregate; use `filter`",
                ));
            }
            let limits = format!(" LIMIT {} OFFSET {}", reading.limit + 1, reading.offset);
            let sort = reading.sort.as_ref();
            let (part, is_grouped) = aggregate::statement(entity, asked, filter, sort, &limits)?;
            let rows = run(session, entity, part).await?;
            if !is_grouped {
                return Ok(Page::Row(rows));
            }
            if i64::try_from(rows.len()).is_ok_and(|rows| rows > reading.limit) {
                return Err(NodeError::with_code(
                    code::LIMIT_EXCEEDED,
                    format!(
                        "there are more than {} groups; narrow the filter, or raise `limit` (up to {LONGEST_PAGE})",
                        reading.limit
                    ),
                ));
            }
            Ok(Page::Groups(rows))
        }
    }
}

async fn run<S: Session>(session: &mut S, entity: &Entity<'_>, part: Part) -> NodeResult<Rows> {
    let statement = entity.confine(part)?;
    let mut limits = Limits {
        rows: usize::MAX,
        bytes: MOST_BYTES,
    };
    Ok(session.run(&statement, &mut limits).await?.rows)
}
