//! Values into SQLite and out of it.

use plugin_api::prelude::*;
use plugin_api::value::Kind;
use rusqlite::types::{Value as Stored, ValueRef as StoredRef};

use crate::cell::Cell;
use crate::dialect::Dialect;
use crate::schema::{ColumnKind, kind_of};

/// What SQLite is given for a value: numbers, texts and bytes as they are, true and false as 1 and 0, lists and maps as
/// JSON.
pub(super) fn stored(value: ValueRef<'_>) -> Stored {
    match value.kind() {
        Kind::Null => Stored::Null,
        Kind::Bool => Stored::Integer(i64::from(value.as_bool() == Some(true))),
        Kind::I64 => Stored::Integer(value.as_i64().unwrap_or_default()),
        Kind::F64 => Stored::Real(value.as_f64().unwrap_or_default()),
        Kind::Str => Stored::Text(value.as_str().unwrap_or_default().to_owned()),
        Kind::Bytes => Stored::Blob(value.as_bytes().unwrap_or_default().to_vec()),
        Kind::List | Kind::Map => Stored::Text(value.to_json()),
    }
}

/// What a column's declared type says of its values; SQLite itself takes any value everywhere.
pub(super) fn declared(type_name: Option<&str>) -> ColumnKind {
    type_name.map_or(ColumnKind::Other, |name| kind_of(Dialect::Sqlite, name))
}

/// What SQLite gives, seen through the column's type: 1 and 0 of a `BOOLEAN` are true and false, text of a `JSON` column is
/// what it says.
pub(super) fn cell(stored: StoredRef<'_>, kind: ColumnKind, column: &str) -> NodeResult<Cell> {
    match stored {
        StoredRef::Null => Ok(Cell::Null),
        StoredRef::Integer(number) => Ok(match (kind, number) {
            (ColumnKind::Bool, 0) => Cell::Bool(false),
            (ColumnKind::Bool, 1) => Cell::Bool(true),
            _ => Cell::Integer(number),
        }),
        StoredRef::Real(number) if number.is_finite() => Ok(Cell::Float(number)),
        StoredRef::Real(_) => Err(NodeError::new(format!(
            "the column `{column}` has an infinite number; select it as text"
        ))),
        StoredRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| {
                NodeError::new(format!(
                    "the column `{column}` has a text that is not UTF-8; select `hex({column})`"
                ))
            })?;
            if kind == ColumnKind::Json
                && let Ok(value) = Value::from_json(text)
            {
                return Ok(Cell::Json(value));
            }
            Ok(Cell::Text(text.to_owned()))
        }
        StoredRef::Blob(bytes) => Ok(Cell::Bytes(bytes.to_vec())),
    }
}
