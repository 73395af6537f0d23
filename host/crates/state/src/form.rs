//! The formats of the state, each made from the one before.

use std::collections::BTreeSet;

use patchbay_database::{Form, Synchronous};
use rusqlite::Connection;

/// A migration that was released is never changed: a new one is put behind it.
pub(crate) const FORM: Form = Form {
    // "PBst".
    application_id: 0x5042_7374,
    migrations: &[
        include_str!("migrations/0001-state.sql"),
        include_str!("migrations/0002-arrivals.sql"),
    ],
    synchronous: Synchronous::Full,
};

/// What of the tables, indexes and views of this program's format is not in the database as it should be; `None` when all
/// is. What somebody else has put beside them does not matter.
pub(crate) fn missing(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let pattern = Connection::open_in_memory()?;
    for sql in FORM.migrations {
        pattern.execute_batch(sql)?;
    }
    let found = objects(connection)?;
    let missing = objects(&pattern)?
        .into_iter()
        .find(|wanted| !found.contains(wanted));
    Ok(missing.map(|(kind, name, _, _)| format!("{kind} {name}")))
}

/// Kind, name, table and definition of a table, an index or a view.
type Object = (String, String, String, Option<String>);

/// Everything in a database. What cannot be read is not what is wanted.
fn objects(connection: &Connection) -> rusqlite::Result<BTreeSet<Object>> {
    let mut statement = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let mut rows = statement.query([])?;
    let mut found = BTreeSet::new();
    while let Some(row) = rows.next()? {
        if let (Ok(kind), Ok(name), Ok(table), Ok(sql)) = (row.get(0), row.get(1), row.get(2), row.get(3)) {
            found.insert((kind, name, table, sql));
        }
    }
    Ok(found)
}
