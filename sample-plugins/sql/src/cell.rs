//! What comes out of a database.
//!
//! Invariant: a cell is what the database has, or an error; nothing is rounded, cut off or turned into null.

use std::collections::HashSet;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Float(f64),
    /// Text, and whatever is written as one.
    Text(String),
    /// A byte string.
    Bytes(Vec<u8>),
    /// JSON.
    Json(Value),
    /// An array of PostgreSQL.
    List(Vec<Cell>),
}

impl Cell {
    /// About how much it takes in a result.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 1,
            Self::Integer(_) | Self::Float(_) => 9,
            Self::Text(text) => text.len() + 5,
            Self::Bytes(bytes) => bytes.len() + 5,
            Self::Json(value) => value.as_bytes().len(),
            Self::List(cells) => 9 + cells.iter().map(Self::bytes).sum::<usize>(),
        }
    }

    /// The whole number that it is.
    pub(crate) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Json(value) => value.serialize(serializer),
            Self::List(cells) => serializer.collect_seq(cells),
        }
    }
}

/// The rows that a statement gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Rows {
    /// No rows yet. Of columns with one name, the second is called `name_2`, and so on: a row is a map.
    pub(crate) fn new(names: impl IntoIterator<Item = String>) -> Self {
        let mut taken = HashSet::new();
        let columns = names
            .into_iter()
            .map(|name| {
                let mut unique = name.clone();
                let mut number = 2;
                while !taken.insert(unique.clone()) {
                    unique = format!("{name}_{number}");
                    number += 1;
                }
                unique
            })
            .collect();
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row, which has a cell for each column.
    pub(crate) fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds the rows of another statement of the same columns.
    pub(crate) fn append(&mut self, other: Self) {
        if self.columns.is_empty() {
            self.columns = other.columns;
        }
        self.rows.extend(other.rows);
    }

    /// Leaves the first `most` rows.
    pub(crate) fn truncate(&mut self, most: usize) {
        self.rows.truncate(most);
    }

    /// The cell of the last row under a name.
    pub(crate) fn last(&self, column: &str) -> Option<&Cell> {
        let index = self.columns.iter().position(|name| name == column)?;
        self.rows.last()?.get(index)
    }

    /// The only cell of the only row.
    pub(crate) fn only(&self) -> Option<&Cell> {
        match self.rows.as_slice() {
            [row] => match row.as_slice() {
                [cell] => Some(cell),
                _ => None,
            },
            _ => None,
        }
    }

    /// The first row, as a map.
    pub(crate) fn first(&self) -> Option<Row<'_>> {
        self.rows.first().map(|cells| Row {
            columns: &self.columns,
            cells,
        })
    }
}

/// A row as a map of its columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'r> {
    columns: &'r [String],
    cells: &'r [Cell],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, cell) in self.columns.iter().zip(self.cells) {
            map.serialize_entry(column, cell)?;
        }
        map.end()
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.rows.len()))?;
        for cells in &self.rows {
            list.serialize_element(&Row {
                columns: &self.columns,
                cells,
            })?;
        }
        list.end()
    }
}

impl JsonSchema for Rows {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rows".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "object" } })
    }
}

/// How much a call may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

/// Rows that a statement gives at most unless it says otherwise, and at most at all.
pub(crate) const ROWS: usize = 10_000;
/// See [`ROWS`].
pub(crate) const MOST_ROWS: usize = 100_000;
/// Bytes that a call gives at most.
pub(crate) const MOST_BYTES: usize = 32 << 20;

impl Limits {
    /// So many rows.
    pub(crate) const fn of_rows(rows: usize) -> Self {
        Self {
            rows,
            bytes: MOST_BYTES,
        }
    }

    /// Counts a row that is about to be added to `rows`.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` when it is one too many.
    pub(crate) fn count(&mut self, rows: usize, row: &[Cell], names: usize) -> NodeResult<()> {
        if rows >= self.rows {
            return Err(NodeError::with_code(
                code::LIMIT_EXCEEDED,
                format!(
                    "the statement gives more than {} rows; narrow it, add a LIMIT, or raise `maxRows` (up to {MOST_ROWS})",
                    self.rows
                ),
            ));
        }
        let bytes = row.iter().map(Cell::bytes).sum::<usize>() + names;
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => Err(NodeError::with_code(
                code::LIMIT_EXCEEDED,
                format!(
                    "the rows have more than {} MiB; select fewer columns or rows",
                    MOST_BYTES >> 20
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_one_name_are_told_apart() {
        let names = ["id", "id", "id_2", "id", "x"].map(str::to_owned);
        assert_eq!(Rows::new(names).columns(), ["id", "id_2", "id_2_2", "id_3", "x"]);
    }

    #[test]
    fn rows_are_maps_in_the_order_of_the_columns() {
        let mut rows = Rows::new(["b".to_owned(), "a".to_owned()]);
        rows.push(vec![
            Cell::Integer(1),
            Cell::List(vec![Cell::Null, Cell::Bool(true)]),
        ]);
        rows.push(vec![Cell::Json(Value::empty_map()), Cell::Bytes(vec![1, 2])]);
        let value = Value::from_serialize(&rows).unwrap();
        assert_eq!(
            value.to_json(),
            r#"[{"b":1,"a":[null,true]},{"b":{},"a":"AQI="}]"#
        );
        let bytes = value.as_ref().at(1).unwrap().get("a").unwrap();
        assert_eq!(bytes.as_bytes(), Some(&[1, 2][..]));
    }

    #[test]
    fn limits_are_exact() {
        let mut limits = Limits { rows: 2, bytes: 30 };
        let row = [Cell::Integer(1)];
        limits.count(0, &row, 2).unwrap();
        limits.count(1, &row, 2).unwrap();
        assert_eq!(limits.count(2, &row, 2).unwrap_err().code, code::LIMIT_EXCEEDED);
        let big = [Cell::Text("x".repeat(9))];
        assert_eq!(limits.count(1, &big, 0).unwrap_err().code, code::LIMIT_EXCEEDED);
    }
}
