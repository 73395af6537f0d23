//! What SQLite says of its tables.

use plugin_api::prelude::*;
use plugin_io::Stop;
use rusqlite::{Connection, OptionalExtension, params};

use super::failure::failure;
use crate::dialect::Dialect;
use crate::schema::{Column, Table, TableKind, TableName, kind_of};

/// Tables that are listed at most.
const MOST_TABLES: u32 = 5_000;

/// The only schema: nothing can be attached, and temporary tables cannot be made.
pub(super) const MAIN: &str = "main";

const COLUMNS: &str = "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1, 'main') \
                       ORDER BY cid";

/// Names of tables are told apart by their letters alone, whatever the case.
const FIND: &str = "SELECT name, type FROM main.sqlite_schema WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE \
                    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

const ALL: &str = "SELECT name, type FROM main.sqlite_schema WHERE type IN ('table', 'view') \
                   AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name LIMIT ?1";

/// The table of a name, if there is one.
pub(super) fn find(connection: &Connection, name: &TableName, stop: &Stop) -> NodeResult<Option<Table>> {
    let schema = name.schema.as_deref().unwrap_or(MAIN);
    if !schema.eq_ignore_ascii_case(MAIN) {
        return Ok(None);
    }
    found(connection, &name.name).map_err(|error| failure(error, stop))
}

fn found(connection: &Connection, name: &str) -> rusqlite::Result<Option<Table>> {
    let entry = connection
        .prepare_cached(FIND)?
        .query_row(params![name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    entry
        .map(|(name, kind): (String, String)| described(connection, name, &kind))
        .transpose()
}

fn described(connection: &Connection, name: String, kind: &str) -> rusqlite::Result<Table> {
    let mut statement = connection.prepare_cached(COLUMNS)?;
    let columns = statement.query_map(params![name], |row| {
        let type_name: String = row.get(1)?;
        let key: u32 = row.get(4)?;
        let is_rowid = key == 1 && type_name.eq_ignore_ascii_case("INTEGER");
        let default: Option<String> = row.get(3)?;
        Ok(Column {
            name: row.get(0)?,
            kind: kind_of(Dialect::Sqlite, &type_name),
            type_name,
            nullable: !row.get::<_, bool>(2)? && !is_rowid,
            default: default.or_else(|| is_rowid.then(|| "rowid".to_owned())),
            key,
            generated: row.get::<_, u32>(5)? != 0,
        })
    })?;
    Ok(Table {
        schema: MAIN.to_owned(),
        columns: columns.collect::<rusqlite::Result<_>>()?,
        kind: if kind == "view" {
            TableKind::View
        } else {
            TableKind::Table
        },
        name,
    })
}

/// All tables and views.
pub(super) fn all(connection: &Connection, stop: &Stop) -> NodeResult<Vec<Table>> {
    let listed = || -> rusqlite::Result<Vec<Table>> {
        let mut statement = connection.prepare_cached(ALL)?;
        let entries = statement.query_map(params![MOST_TABLES], |row| Ok((row.get(0)?, row.get(1)?)))?;
        entries
            .map(|entry| {
                let (name, kind): (String, String) = entry?;
                described(connection, name, &kind)
            })
            .collect()
    };
    listed().map_err(|error| failure(error, stop))
}
