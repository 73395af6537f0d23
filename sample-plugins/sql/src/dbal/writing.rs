//! Rows of an entity made, changed and deleted.
//!
//! Invariant: what is said of one row touches at most one; who means several says so. Rows of nobody but the tenant are
//! touched.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::shown;
use plugin_api::value::MapRef;

use super::reading::condition;
use super::{Entity, Part, filter};
use crate::cell::{Limits, Rows};
use crate::policy::Policy;
use crate::postgres::uuid_text;
use crate::schema::{Column, ColumnKind, quoted};
use crate::session::{Purpose, Ran, Session};

/// Rows that are made by one call.
const MOST_MADE: usize = 1_000;

const DATA: &str = "data";

/// What happens to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A row is made.
    Create,
    /// Rows are made, all or none.
    CreateMany,
    /// A row is changed.
    Update,
    /// All rows that meet the filter are changed.
    UpdateMany,
    /// A row is changed, or made when there is none.
    Upsert,
    /// A row is deleted.
    Delete,
    /// All rows that meet the filter are deleted.
    DeleteMany,
}

/// Which rows of which entity, and what happens to them.
#[derive(Clone, Debug)]
pub(crate) struct Writing {
    pub(crate) entity: String,
    pub(crate) operation: Operation,
    pub(crate) data: Value,
    pub(crate) filter: Value,
    pub(crate) id: Value,
    /// Whether a change of many may go without a filter.
    pub(crate) all_rows: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written {
    /// The rows as they are now, or as they were before they were deleted; none of many.
    pub(crate) rows: Rows,
    pub(crate) affected: u64,
    /// Whether a row was made.
    pub(crate) created: bool,
}

/// Writes, in one transaction.
pub(crate) async fn write<S: Session>(
    session: &mut S,
    policy: &Policy,
    writing: Writing,
) -> NodeResult<Written> {
    session.begin(Purpose::Writing).await?;
    let entity = Entity::find(session, policy, &writing.entity).await?;
    let written = written(session, &entity, &writing).await?;
    session.commit().await?;
    Ok(written)
}

async fn written<S: Session>(session: &mut S, entity: &Entity<'_>, writing: &Writing) -> NodeResult<Written> {
    let data = writing.data.as_ref();
    match writing.operation {
        Operation::Create => create(session, entity, map_of(data)?).await,
        Operation::CreateMany => create_many(session, entity, data).await,
        Operation::Update => {
            let part = updating(entity, writing, map_of(data)?, " RETURNING *")?;
            one(session, entity, part, "updateMany").await
        }
        Operation::UpdateMany => {
            let part = updating(entity, writing, map_of(data)?, "")?;
            many(session, entity, part).await
        }
        Operation::Delete => {
            let part = deleting(entity, writing, " RETURNING *")?;
            one(session, entity, part, "deleteMany").await
        }
        Operation::DeleteMany => {
            let part = deleting(entity, writing, "")?;
            many(session, entity, part).await
        }
        Operation::Upsert => upsert(session, entity, writing).await,
    }
}

fn map_of(data: ValueRef<'_>) -> NodeResult<MapRef<'_>> {
    data.as_map().ok_or_else(|| {
        NodeError::invalid(
            DATA,
            format_args!("must be a map of columns to values, but is {}", shown(data)),
        )
    })
}

async fn run<S: Session>(session: &mut S, entity: &Entity<'_>, part: Part, rows: usize) -> NodeResult<Ran> {
    let statement = entity.confine(part)?;
    session.run(&statement, &mut Limits::of_rows(rows)).await
}

/// The columns and values of a row. The tenant's own is left out: it is added to every row.
fn values<'e>(entity: &'e Entity<'_>, data: MapRef<'_>) -> NodeResult<Vec<(&'e Column, Value)>> {
    let mut values: Vec<(&Column, Value)> = Vec::with_capacity(data.len());
    for (name, value) in data.iter() {
        let column = entity.column(name, DATA)?;
        if entity.is_tenant_column(column) {
            entity.own_tenant(column, value, DATA)?;
            continue;
        }
        if column.generated {
            return Err(NodeError::invalid(
                DATA,
                format_args!("`{}` is computed by the database", column.name),
            ));
        }
        if values.iter().any(|(other, _)| other.name == column.name) {
            return Err(NodeError::invalid(
                DATA,
                format_args!("`{}` is there twice", column.name),
            ));
        }
        values.push((column, entity.fitting(column, value, DATA)?));
    }
    Ok(values)
}

/// An id for a row that has none, where the database makes none: a random UUID, for a key that is text or a UUID.
fn made_id<'e>(
    entity: &'e Entity<'_>,
    values: &[(&Column, Value)],
) -> NodeResult<Option<(&'e Column, Value)>> {
    let Some(key) = entity.table.only_key() else {
        return Ok(None);
    };
    let is_given = values.iter().any(|(column, _)| column.name == key.name);
    let is_made_here = matches!(key.kind, ColumnKind::Text | ColumnKind::Uuid) && key.default.is_none();
    if is_given || !is_made_here || entity.is_tenant_column(key) {
        return Ok(None);
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|_| NodeError::new("there is no source of chance for an id; give one"))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(Some((key, Value::from(uuid_text(bytes).as_str()))))
}

fn inserting(entity: &Entity<'_>, data: MapRef<'_>) -> NodeResult<Part> {
    let mut values = values(entity, data)?;
    values.extend(made_id(entity, &values)?);
    let mut part = Part::new(format!("INSERT INTO {}", entity.table.quoted()));
    if values.is_empty() {
        part.push(" DEFAULT VALUES RETURNING *");
        return Ok(part);
    }
    let names: Vec<String> = values.iter().map(|(column, _)| quoted(&column.name)).collect();
    part.push(&format!(" ({}) VALUES (", names.join(", ")));
    for (index, (_, value)) in values.into_iter().enumerate() {
        part.push(if index > 0 { ", " } else { "" });
        part.bind(value);
    }
    part.push(") RETURNING *");
    Ok(part)
}

async fn create<S: Session>(session: &mut S, entity: &Entity<'_>, data: MapRef<'_>) -> NodeResult<Written> {
    let ran = run(session, entity, inserting(entity, data)?, 1).await?;
    Ok(Written {
        created: ran.affected > 0,
        affected: ran.affected,
        rows: ran.rows,
    })
}

async fn create_many<S: Session>(
    session: &mut S,
    entity: &Entity<'_>,
    data: ValueRef<'_>,
) -> NodeResult<Written> {
    let Some(list) = data.as_list() else {
        return Err(NodeError::invalid(
            DATA,
            format_args!("must be a list of rows, but is {}", shown(data)),
        ));
    };
    if list.len() > MOST_MADE {
        return Err(NodeError::with_code(
            code::LIMIT_EXCEEDED,
            format!(
                "`data` has {} rows; at most {MOST_MADE} are made at once",
                list.len()
            ),
        ));
    }
    let mut all = Written {
        rows: Rows::default(),
        affected: 0,
        created: !list.is_empty(),
    };
    for row in list.iter() {
        let made = create(session, entity, map_of(row)?).await?;
        all.affected += made.affected;
        all.rows.append(made.rows);
    }
    Ok(all)
}

/// Without a filter it would be all rows, which nobody should mean by forgetting something.
fn meant(entity: &Entity<'_>, writing: &Writing) -> NodeResult<Option<Part>> {
    let condition = condition(entity, writing.filter.as_ref(), writing.id.as_ref())?;
    let takes_all =
        matches!(writing.operation, Operation::UpdateMany | Operation::DeleteMany) && writing.all_rows;
    // `{"$and": [{}]}` is as empty as `{}`.
    let filter = writing.filter.as_ref().as_map();
    let says_nothing =
        writing.id.as_ref().is_null() && filter.is_none_or(|filter| filter::always(filter) == Some(true));
    if (condition.is_none() || says_nothing) && !takes_all {
        return Err(NodeError::invalid(
            "filter",
            "is empty, so it means every row; say which rows, or, for updateMany and deleteMany, `allRows: true`",
        ));
    }
    Ok(condition)
}

fn updating(entity: &Entity<'_>, writing: &Writing, data: MapRef<'_>, end: &str) -> NodeResult<Part> {
    let values = values(entity, data)?;
    if values.is_empty() {
        return Err(NodeError::invalid(DATA, "has nothing to change"));
    }
    let mut part = Part::new(format!("UPDATE {} AS t SET ", entity.table.quoted()));
    for (index, (column, value)) in values.into_iter().enumerate() {
        part.push(if index > 0 { ", " } else { "" });
        part.push(&format!("{} = ", quoted(&column.name)));
        part.bind(value);
    }
    ending(entity, writing, part, end)
}

fn deleting(entity: &Entity<'_>, writing: &Writing, end: &str) -> NodeResult<Part> {
    let part = Part::new(format!("DELETE FROM {} AS t", entity.table.quoted()));
    ending(entity, writing, part, end)
}

fn ending(entity: &Entity<'_>, writing: &Writing, mut part: Part, end: &str) -> NodeResult<Part> {
    if let Some(condition) = meant(entity, writing)? {
        part.push(" WHERE ");
        part.append(condition);
    }
    part.push(end);
    Ok(part)
}

/// Runs a change of one row; one of several is undone, with the transaction.
async fn one<S: Session>(
    session: &mut S,
    entity: &Entity<'_>,
    part: Part,
    many: &str,
) -> NodeResult<Written> {
    let several = || {
        NodeError::invalid(
            "filter",
            format_args!(
                "more than one row meets it, so nothing was changed; use `{many}` when all of them are meant"
            ),
        )
    };
    let ran = match run(session, entity, part, 1).await {
        Err(error) if error.code == code::LIMIT_EXCEEDED => return Err(several()),
        other => other?,
    };
    if ran.affected > 1 {
        return Err(several());
    }
    Ok(Written {
        rows: ran.rows,
        affected: ran.affected,
        created: false,
    })
}

async fn many<S: Session>(session: &mut S, entity: &Entity<'_>, part: Part) -> NodeResult<Written> {
    let ran = run(session, entity, part, 0).await?;
    Ok(Written {
        rows: Rows::default(),
        affected: ran.affected,
        created: false,
    })
}

/// Changes the row that meets the filter; when there is none, makes one of filter and data. Somebody else may make it in
/// between: then it is changed after all.
async fn upsert<S: Session>(session: &mut S, entity: &Entity<'_>, writing: &Writing) -> NodeResult<Written> {
    let data = map_of(writing.data.as_ref())?;
    let mut row = filter::equalities(writing.filter.as_ref())?;
    if !writing.id.as_ref().is_null() {
        let key = entity.table.only_key().map_or("id", |key| &key.name);
        row.push((key.to_owned(), writing.id.clone()));
    }
    row.retain(|(name, _)| data.get(name).is_none());
    let entries = row.iter().map(|(name, value)| (name.as_str(), value.as_ref()));
    let row = Value::from_pairs(entries.chain(data.iter()))?;
    let row = map_of(row.as_ref())?;

    let changing = || updating(entity, writing, data, " RETURNING *");
    let changed = one(session, entity, changing()?, "updateMany").await?;
    if changed.affected > 0 {
        return Ok(changed);
    }
    session.mark().await?;
    match create(session, entity, row).await {
        Err(error) if error.code == "CONFLICT" => {
            session.back_to_mark().await?;
            let changed = one(session, entity, changing()?, "updateMany").await?;
            if changed.affected > 0 {
                Ok(changed)
            } else {
                Err(error)
            }
        }
        other => other,
    }
}
