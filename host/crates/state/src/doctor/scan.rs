//! Reading a damaged table row by row.
//!
//! Invariant: every row that SQLite can still reach from either end, or from a number in between, is given once, in the
//! order of the numbers.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};

/// How many numbers between two readable parts are tried.
const PROBES: i64 = 2_048;

/// What became of the rows of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scanned {
    /// Rows that were read and taken.
    pub(super) saved: u64,
    /// Rows that were read, and are none that a host writes.
    pub(super) refused: u64,
    /// Whether there may have been rows that cannot be read.
    pub(super) is_torn: bool,
}

/// Reads `columns` of `table` into `read`, and gives what could be read to `take`, in order.
pub(super) fn scan<T>(
    connection: &Connection,
    table: &str,
    columns: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    mut take: impl FnMut(T) -> rusqlite::Result<()>,
) -> rusqlite::Result<Scanned> {
    let mut scanned = Scanned::default();
    let mut failed = None;
    let mut last = None;
    let forward = format!("SELECT {columns}, rowid AS place FROM {table} NOT INDEXED ORDER BY rowid");
    let reached = walk(connection, &forward, &[], |row, place| {
        last = Some(place);
        match read(row) {
            Ok(found) => match take(found) {
                Ok(()) => scanned.saved += 1,
                Err(error) => failed = Some(error),
            },
            Err(_) => scanned.refused += 1,
        }
        failed.is_none()
    });
    if let Some(error) = failed {
        return Err(error);
    }
    if reached {
        return Ok(scanned);
    }
    scanned.is_torn = true;
    let mut rest = BTreeMap::new();
    beyond(connection, table, columns, last, &read, &mut rest);
    for found in rest.into_values() {
        match found {
            Some(found) => {
                take(found)?;
                scanned.saved += 1;
            }
            None => scanned.refused += 1,
        }
    }
    Ok(scanned)
}

/// What can be read behind `last` from the other end, and from numbers in between.
fn beyond<T>(
    connection: &Connection,
    table: &str,
    columns: &str,
    last: Option<i64>,
    read: &impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    rest: &mut BTreeMap<i64, Option<T>>,
) {
    let low = last.unwrap_or(0);
    let backward = format!(
        "SELECT {columns}, rowid AS place FROM {table} NOT INDEXED WHERE rowid > ?1 ORDER BY rowid DESC"
    );
    walk(connection, &backward, &[low], |row, place| {
        rest.insert(place, read(row).ok());
        true
    });
    // Without another end to go by, some numbers behind the last one are tried.
    let high = rest.keys().next().copied().unwrap_or(low.saturating_add(PROBES));
    let step = (high.saturating_sub(low) / PROBES).max(1);
    let between = format!(
        "SELECT {columns}, rowid AS place FROM {table} NOT INDEXED WHERE rowid >= ?1 AND rowid < ?2 ORDER BY rowid"
    );
    let mut at = low.saturating_add(1);
    while at < high {
        let mut came_to = at;
        walk(connection, &between, &[at, high], |row, place| {
            came_to = place;
            rest.insert(place, read(row).ok());
            true
        });
        at = came_to.max(at).saturating_add(step);
    }
}

/// Goes along the rows of a question until `each` has enough or the table cannot be read; says whether it came to the
/// end.
fn walk(
    connection: &Connection,
    sql: &str,
    values: &[i64],
    mut each: impl FnMut(&Row<'_>, i64) -> bool,
) -> bool {
    let Ok(mut statement) = connection.prepare(sql) else {
        return false;
    };
    let Ok(mut rows) = statement.query(rusqlite::params_from_iter(values)) else {
        return false;
    };
    loop {
        match rows.next() {
            Ok(None) => return true,
            Ok(Some(row)) => {
                let Ok(place) = row.get("place") else { return false };
                if !each(row, place) {
                    return false;
                }
            }
            Err(_) => return false,
        }
    }
}
