//! Which database is spoken to.
//!
//! Invariant: names that the database takes for the same fold to the same text.

use sqlparser::dialect::{Dialect as Grammar, PostgreSqlDialect, SQLiteDialect};

/// A database's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// As nodes write it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    pub(crate) fn grammar(self) -> &'static dyn Grammar {
        match self {
            Self::Sqlite => &SQLiteDialect {},
            Self::Postgres => &PostgreSqlDialect {},
        }
    }

    /// The placeholder of a parameter, counted from 1.
    pub(crate) fn placeholder(self, number: usize) -> String {
        match self {
            Self::Sqlite => format!("?{number}"),
            Self::Postgres => format!("${number}"),
        }
    }

    /// A name the way the database compares it.
    pub(crate) fn folded(self, name: &str, is_quoted: bool) -> String {
        match self {
            Self::Postgres if is_quoted => name.to_owned(),
            Self::Postgres | Self::Sqlite => name.to_ascii_lowercase(),
        }
    }
}
