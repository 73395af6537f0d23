//! Between the types of the host and those of SQLite.

use std::str::FromStr;

use patchbay_vocab::{RevisionNumber, UnixMillis};
use rusqlite::types::Type;
use rusqlite::{Row, RowIndex};

/// SQLite's integers are signed.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A row that holds what no host writes.
pub(crate) fn bad(column: usize, found: impl std::fmt::Display) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, found.to_string().into())
}

pub(crate) fn parsed<T: FromStr<Err: std::fmt::Display>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| bad(column, error))
}

/// A text that is NULL, or empty, for none.
pub(crate) fn maybe_parsed<T: FromStr<Err: std::fmt::Display>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|error| bad(column, error)))
        .transpose()
}

pub(crate) fn number<I: RowIndex>(row: &Row<'_>, column: I) -> rusqlite::Result<u64> {
    let found: i64 = row.get(column)?;
    u64::try_from(found).map_err(|_| bad(0, format!("{found} is negative")))
}

pub(crate) fn revision(row: &Row<'_>, column: usize) -> rusqlite::Result<RevisionNumber> {
    number(row, column).map(RevisionNumber)
}

pub(crate) fn maybe_revision(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<RevisionNumber>> {
    let found: Option<i64> = row.get(column)?;
    found
        .map(|found| u64::try_from(found).map_err(|_| bad(column, format!("{found} is negative"))))
        .transpose()
        .map(|found| found.map(RevisionNumber))
}

pub(crate) fn millis(row: &Row<'_>, column: usize) -> rusqlite::Result<UnixMillis> {
    number(row, column).map(UnixMillis)
}

pub(crate) fn maybe_millis(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<UnixMillis>> {
    maybe_revision(row, column).map(|found| found.map(|number| UnixMillis(number.0)))
}

pub(crate) fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| bad(column, error))
}
