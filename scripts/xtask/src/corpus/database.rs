//! A database with the tables that a document works on, and a few rows of two tenants.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value as Json, json};

use super::document::Needs;
use super::path::{Hint, reads};
use super::value::{id_of, named, shaped};

/// What every table has, whether or not a document speaks of it.
const ALWAYS: [&str; 4] = ["id", "tenantId", "createdAt", "updatedAt"];
/// The tenant whose rows nobody but itself may see.
const OTHER: &str = "another-tenant";
/// What bcrypt makes of the password that inputs have.
const HASH: &str = "$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.";
/// Rows that refer to rows that refer to rows.
const PASSES: usize = 3;

type Row = Map<String, Json>;

/// Makes the database of a document. What runs see of the world, the input and the user, is what rows are found by.
pub(super) fn seed(path: &Path, needs: &Needs, input: &Json, user: &Json, tenant: &str) -> Result<()> {
    let rows = rows(needs, input, user, tenant);
    let base = Connection::open(path).with_context(|| format!("cannot make {}", path.display()))?;
    for (name, row) in &rows {
        let columns: Vec<String> = row
            .iter()
            .map(|(column, value)| match column.as_str() {
                "id" => "\"id\" TEXT PRIMARY KEY".to_owned(),
                column => format!("\"{column}\" {}", kind(value)),
            })
            .collect();
        let table = name.replace('"', "");
        base.execute(
            &format!("CREATE TABLE IF NOT EXISTS \"{table}\" ({})", columns.join(", ")),
            (),
        )?;
        let marks = vec!["?"; row.len()].join(", ");
        let names: Vec<String> = row.keys().map(|column| format!("\"{column}\"")).collect();
        let insert = format!(
            "INSERT OR IGNORE INTO \"{table}\" ({}) VALUES ({marks})",
            names.join(", ")
        );
        let mut second = row.clone();
        second.insert("id".into(), json!(id_of(&format!("{name} second"))));
        // A document that looks for one row finds one.
        for (column, compared) in &needs.entities[name].filters {
            let made = compared
                .as_str()
                .is_some_and(|text| text.contains("{{") && !text.contains("tenantId"));
            if made && column != "id" && second.get(column).is_some_and(Json::is_string) {
                second.insert(column.clone(), json!(id_of(&format!("{name} {column}"))));
            }
        }
        let mut foreign = row.clone();
        foreign.insert("id".into(), json!(id_of(&format!("{name} foreign"))));
        foreign.insert("tenantId".into(), json!(OTHER));
        for row in [row, &second, &foreign] {
            base.execute(&insert, rusqlite::params_from_iter(row.values().map(cell)))?;
        }
    }
    Ok(())
}

/// The first row of each table.
fn rows(needs: &Needs, input: &Json, user: &Json, tenant: &str) -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for (name, entity) in &needs.entities {
        let mut row = Row::new();
        for column in ALWAYS
            .iter()
            .copied()
            .chain(entity.columns.iter().map(String::as_str))
        {
            row.insert(column.to_owned(), plausible(name, column));
        }
        // What is read of a row says more than its name.
        if let Json::Object(read) = shaped(&entity.reads) {
            for (column, value) in read {
                let like = entity.reads.iter().any(|read| {
                    read.path.first() == Some(&column) && (read.hint != Hint::Nothing || read.path.len() > 1)
                });
                if like {
                    row.insert(column, value);
                }
            }
        }
        for column in &entity.unique {
            row.insert(column.clone(), json!(format!("taken-{}", id_of(column))));
        }
        row.insert("tenantId".into(), json!(tenant));
        rows.insert(name.clone(), row);
    }
    for _ in 0..PASSES {
        let known = rows.clone();
        for (name, entity) in &needs.entities {
            let Some(row) = rows.get_mut(name) else { continue };
            for (column, compared) in &entity.filters {
                if let Some(value) = meaning(compared, input, user, tenant, &known).filter(fits) {
                    row.insert(column.clone(), value);
                }
            }
            row.insert("tenantId".into(), json!(tenant));
        }
    }
    rows
}

fn fits(value: &Json) -> bool {
    !value.is_null() && !value.is_object() && !value.is_array()
}

fn plausible(entity: &str, column: &str) -> Json {
    match column {
        "id" => json!(id_of(entity)),
        column if column.to_lowercase().contains("passwordhash") => json!(HASH),
        column => named(column),
    }
}

/// What a filter compares with.
fn meaning(
    compared: &Json,
    input: &Json,
    user: &Json,
    tenant: &str,
    rows: &BTreeMap<String, Row>,
) -> Option<Json> {
    let Some(text) = compared.as_str() else {
        return Some(compared.clone());
    };
    if !text.contains("{{") {
        return Some(compared.clone());
    }
    let walked = |value: &Json, path: &[String]| {
        let found = path
            .iter()
            .try_fold(value, |value, step| value.get(step.as_str()));
        found.cloned()
    };
    if let [read, ..] = &reads(text, "$json")[..] {
        return walked(input, &read.path);
    }
    match &reads(text, "$context")[..] {
        [read, ..] if read.path.first().is_some_and(|first| first == "user") => {
            return walked(user, &read.path[1..]);
        }
        [read, ..] if read.path == ["tenantId"] => return Some(json!(tenant)),
        _ => {}
    }
    // A field of a row that an earlier step found: the column says of which table, when only one has it.
    let reads = reads(text, "$steps");
    let column = reads.first()?.path.last()?;
    let step = reads.first()?.path.first()?.to_lowercase().replace('_', "");
    let near = rows.iter().filter(|(name, _)| {
        let name = name.to_lowercase();
        name.ends_with(step.trim_start_matches("fetch").trim_start_matches("get"))
    });
    near.filter_map(|(_, row)| row.get(column)).next().cloned()
}

/// How a column is declared.
const fn kind(value: &Json) -> &'static str {
    match value {
        Json::Bool(_) => "BOOLEAN",
        Json::Number(_) => "NUMERIC",
        Json::Array(_) | Json::Object(_) => "JSON",
        Json::String(_) | Json::Null => "TEXT",
    }
}

fn cell(value: &Json) -> Cell {
    match value {
        Json::Null => Cell::Null,
        Json::Bool(flag) => Cell::Integer((*flag).into()),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Cell::Integer(whole),
            None => Cell::Real(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Cell::Text(text.clone()),
        Json::Array(_) | Json::Object(_) => Cell::Text(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::document::Entity;

    fn entity(columns: &[&str], filters: &[(&str, Json)]) -> Entity {
        Entity {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            filters: filters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            ..Entity::default()
        }
    }

    #[test]
    fn rows_are_found_by_what_a_document_looks_for() {
        let mut needs = Needs::default();
        let channel = entity(
            &["mode"],
            &[("id", json!("{{ $json.channelId }}")), ("isLive", json!(true))],
        );
        let message = entity(
            &[],
            &[("channelId", json!("{{ $steps.fetch_channel.output.id }}"))],
        );
        needs.entities.insert("Channel".into(), channel);
        needs.entities.insert("Message".into(), message);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        seed(&path, &needs, &json!({"channelId": "c-1"}), &json!({}), "acme").unwrap();
        let base = Connection::open(&path).unwrap();
        let count = |query: &str| base.query_row(query, (), |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(
            count("SELECT count(*) FROM Channel WHERE id = 'c-1' AND isLive AND tenantId = 'acme'"),
            1
        );
        assert_eq!(count("SELECT count(*) FROM Message WHERE channelId = 'c-1'"), 2);
        assert_eq!(
            count("SELECT count(*) FROM Message WHERE tenantId = 'another-tenant'"),
            1
        );
    }
}
