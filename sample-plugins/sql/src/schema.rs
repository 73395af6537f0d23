//! What is known of a database's tables.
//!
//! Invariant: a [`Table`] was read from the database itself, within the transaction that uses it; names in it are as the
//! database spells them.

use std::collections::HashMap;

use crate::dialect::Dialect;

/// A table as a statement names it, the way the database would look it up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TableName {
    /// The schema, if the statement says one.
    pub(crate) schema: Option<String>,
    /// The table.
    pub(crate) name: String,
}

impl TableName {
    /// A name without a schema.
    pub(crate) fn bare(name: &str) -> Self {
        Self {
            schema: None,
            name: name.to_owned(),
        }
    }
}

/// Whether a table is told from others that differ in the case of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// As the database does it.
    Exact,
    /// The same letters in other cases will do, when there is no exact match.
    Loose,
}

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableKind {
    /// Rows of its own.
    Table,
    /// What a query gives.
    View,
}

impl TableKind {
    /// As nodes write it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
        }
    }
}

/// What kind of values a column has, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Text of any sort.
    Text,
    /// Whole numbers.
    Integer,
    /// Other numbers.
    Number,
    /// True or false.
    Bool,
    /// JSON.
    Json,
    /// Byte strings.
    Bytes,
    /// A point in time, or a day.
    Time,
    /// A UUID.
    Uuid,
    /// An array of PostgreSQL.
    Array,
    /// Something else.
    Other,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type as the database writes it.
    pub(crate) type_name: String,
    pub(crate) kind: ColumnKind,
    pub(crate) nullable: bool,
    /// The default as the database writes it; something for an identity column, too.
    pub(crate) default: Option<String>,
    /// Its place in the primary key, from 1; 0 when it is no part of it.
    pub(crate) key: u32,
    /// Computed by the database: it cannot be written.
    pub(crate) generated: bool,
}

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) kind: TableKind,
    pub(crate) columns: Vec<Column>,
}

impl Table {
    /// The column of this name: exactly, else the only one with the same letters.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        let exact = self.columns.iter().find(|column| column.name == name);
        exact.or_else(|| {
            let mut alike = self
                .columns
                .iter()
                .filter(|column| column.name.eq_ignore_ascii_case(name));
            let found = alike.next()?;
            alike.next().is_none().then_some(found)
        })
    }

    /// The primary key, when it is one column.
    pub(crate) fn only_key(&self) -> Option<&Column> {
        let mut keys = self.columns.iter().filter(|column| column.key > 0);
        let key = keys.next()?;
        keys.next().is_none().then_some(key)
    }

    /// Schema and name, quoted.
    pub(crate) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

/// A name in double quotes, which both databases take for a name and nothing else.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The tables that a statement names, as far as they exist.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts(HashMap<TableName, Table>);

impl Facts {
    pub(crate) fn insert(&mut self, name: TableName, table: Table) {
        self.0.insert(name, table);
    }

    pub(crate) fn get(&self, name: &TableName) -> Option<&Table> {
        self.0.get(name)
    }
}

/// What a column's type, as the database writes it, says of its values.
pub(crate) fn kind_of(dialect: Dialect, type_name: &str) -> ColumnKind {
    let name = type_name.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if dialect == Dialect::Postgres && name.ends_with("[]") {
        ColumnKind::Array
    } else if has(&["json"]) {
        ColumnKind::Json
    } else if has(&["bool"]) {
        ColumnKind::Bool
    } else if has(&["uuid"]) {
        ColumnKind::Uuid
    } else if has(&["timestamp", "date", "time"]) {
        ColumnKind::Time
    } else if has(&["interval", "range", "point", "serial"]) && dialect == Dialect::Postgres {
        ColumnKind::Other
    } else if has(&["int"]) {
        ColumnKind::Integer
    } else if has(&["char", "text", "clob", "name"]) {
        ColumnKind::Text
    } else if has(&["blob", "bytea", "binary"]) {
        ColumnKind::Bytes
    } else if has(&["real", "floa", "doub", "numeric", "decimal"]) {
        ColumnKind::Number
    } else {
        ColumnKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_column_follows_from_its_type() {
        for (dialect, name, kind) in [
            (Dialect::Postgres, "character varying(20)", ColumnKind::Text),
            (Dialect::Postgres, "timestamp without time zone", ColumnKind::Time),
            (Dialect::Postgres, "jsonb", ColumnKind::Json),
            (Dialect::Postgres, "integer[]", ColumnKind::Array),
            (Dialect::Postgres, "interval", ColumnKind::Other),
            (Dialect::Postgres, "numeric(10,2)", ColumnKind::Number),
            (Dialect::Postgres, "bytea", ColumnKind::Bytes),
            (Dialect::Sqlite, "BOOLEAN", ColumnKind::Bool),
            (Dialect::Sqlite, "BIGINT", ColumnKind::Integer),
            (Dialect::Sqlite, "JSON", ColumnKind::Json),
            (Dialect::Sqlite, "", ColumnKind::Other),
        ] {
            assert_eq!(kind_of(dialect, name), kind, "{name}");
        }
    }

    #[test]
    fn a_column_is_found_by_its_letters_only_when_that_is_unambiguous() {
        let column = |name: &str| Column {
            name: name.to_owned(),
            type_name: "text".to_owned(),
            kind: ColumnKind::Text,
            nullable: true,
            default: None,
            key: 0,
            generated: false,
        };
        let table = Table {
            schema: "public".into(),
            name: "t".into(),
            kind: TableKind::Table,
            columns: vec![column("userId"), column("a"), column("A")],
        };
        assert_eq!(table.column("USERID").unwrap().name, "userId");
        assert_eq!(table.column("A").unwrap().name, "A");
        assert_eq!(table.column("b"), None);
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
