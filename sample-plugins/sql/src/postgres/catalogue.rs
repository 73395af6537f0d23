//! What PostgreSQL says of its tables.
//!
//! Every name in these statements has its schema, so that nothing in a database can come before what is meant.

use plugin_api::prelude::*;
use tokio_postgres::Row;

use super::failure::failure;
use super::pool::Lease;
use crate::dialect::Dialect;
use crate::schema::{Column, Facts, Lookup, Table, TableKind, TableName, kind_of};

/// Rows of columns that are listed at most.
const MOST_COLUMNS: i64 = 50_000;

macro_rules! columns {
    ($found:literal) => {
        concat!(
            "WITH found AS (", $found, ") \
             SELECT f.n, f.nspname::text, f.relname::text, f.relkind::text, a.attname::text, \
             pg_catalog.format_type(a.atttypid, a.atttypmod)::text, NOT a.attnotnull, \
             CASE WHEN a.attidentity <> '' THEN 'identity' ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid) END::text, \
             a.attgenerated <> '', \
             COALESCE((SELECT k.place FROM pg_catalog.pg_index i, \
             LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(att, place) \
             WHERE i.indrelid = f.oid AND i.indisprimary AND k.att = a.attnum), 0) \
             FROM found f \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = f.oid AND a.attnum > 0 AND NOT a.attisdropped \
             LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
             ORDER BY f.n, f.nspname, f.relname, a.attnum LIMIT $1::int8"
        )
    };
}

/// The tables of some names, each the first along the search path.
const FIND: &str = columns!(
    "SELECT w.n, t.* FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) WITH ORDINALITY AS w(nsp, rel, n) \
     CROSS JOIN LATERAL (SELECT c.oid, s.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c \
     JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND s.nspname !~ '^pg_' AND s.nspname <> 'information_schema' \
     AND (c.relname = w.rel OR $4::bool AND pg_catalog.lower(c.relname) = pg_catalog.lower(w.rel)) \
     AND CASE WHEN w.nsp = '' THEN s.nspname = ANY (pg_catalog.current_schemas(false)) ELSE s.nspname = w.nsp END \
     ORDER BY c.relname <> w.rel, pg_catalog.array_position(pg_catalog.current_schemas(false), s.nspname), c.relname \
     LIMIT 1) t"
);

const ALL: &str = columns!(
    "SELECT 0::int8 AS n, c.oid, s.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c \
     JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND s.nspname !~ '^pg_' AND s.nspname <> 'information_schema'"
);

/// What there is to know of some tables.
pub(super) async fn find(lease: &Lease, names: &[TableName], lookup: Lookup) -> NodeResult<Facts> {
    let schemas: Vec<String> = names
        .iter()
        .map(|name| name.schema.clone().unwrap_or_default())
        .collect();
    let tables: Vec<String> = names.iter().map(|name| name.name.clone()).collect();
    let is_loose = lookup == Lookup::Loose;
    let statement = lease.prepared(FIND).await?;
    let rows = lease
        .client()?
        .query(&statement, &[&MOST_COLUMNS, &schemas, &tables, &is_loose])
        .await;
    let rows = rows.map_err(|error| failure(&error, FIND))?;
    let mut facts = Facts::default();
    for (place, table) in tables_of(&rows)? {
        let name = usize::try_from(place - 1).ok().and_then(|index| names.get(index));
        if let Some(name) = name {
            facts.insert(name.clone(), table);
        }
    }
    Ok(facts)
}

/// All tables and views.
pub(super) async fn all(lease: &Lease) -> NodeResult<Vec<Table>> {
    let statement = lease.prepared(ALL).await?;
    let rows = lease.client()?.query(&statement, &[&MOST_COLUMNS]).await;
    let rows = rows.map_err(|error| failure(&error, ALL))?;
    Ok(tables_of(&rows)?.into_iter().map(|(_, table)| table).collect())
}

fn tables_of(rows: &[Row]) -> NodeResult<Vec<(i64, Table)>> {
    let mut tables: Vec<(i64, Table)> = Vec::new();
    for row in rows {
        let (place, schema, name): (i64, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let is_next = tables
            .last()
            .is_none_or(|(last, table)| (*last, &table.schema, &table.name) != (place, &schema, &name));
        if is_next {
            let kind: String = row.try_get(3)?;
            let kind = match kind.as_str() {
                "v" | "m" => TableKind::View,
                _ => TableKind::Table,
            };
            tables.push((
                place,
                Table {
                    schema,
                    name,
                    kind,
                    columns: Vec::new(),
                },
            ));
        }
        let type_name: String = row.try_get(5)?;
        let key: i64 = row.try_get(9)?;
        let column = Column {
            name: row.try_get(4)?,
            kind: kind_of(Dialect::Postgres, &type_name),
            type_name,
            nullable: row.try_get(6)?,
            default: row.try_get(7)?,
            generated: row.try_get(8)?,
            key: u32::try_from(key).unwrap_or_default(),
        };
        if let Some((_, table)) = tables.last_mut() {
            table.columns.push(column);
        }
    }
    Ok(tables)
}
