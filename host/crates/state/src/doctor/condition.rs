//! What condition a database file is in, found without changing it.

use std::fs;
use std::path::Path;

use patchbay_database::{self as database, DatabaseError, one_line};
use rusqlite::Connection;

use crate::form::{self, FORM};

/// What condition a database file is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// There is none, or nothing in it.
    Absent,
    /// It can be read from end to end.
    Sound,
    /// It was one once.
    Damaged(String),
    /// It has another program's mark.
    Foreign { application_id: i64 },
    /// A later program wrote it.
    Newer { format: i64 },
    /// The system does not let us look.
    Unreadable(String),
}

/// Looks at the whole file. `format` is the latest that is known; `None` when whoever asks does not know the formats.
pub(super) fn look(path: &Path, application_id: i64, format: Option<i64>) -> Condition {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() && found.len() == 0 => return Condition::Absent,
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Condition::Absent,
        Err(error) => return Condition::Unreadable(error.to_string()),
    }
    match database::vet(path) {
        Ok(()) => {}
        Err(DatabaseError::Foreign { found, .. }) => return Condition::Damaged(found),
        Err(error) => return Condition::Unreadable(error.to_string()),
    }
    match database::open_to_read(path).and_then(|connection| read(&connection, application_id, format)) {
        Ok(condition) => condition,
        Err(error) => match database::refusal(path, error) {
            DatabaseError::Damaged { found, .. } | DatabaseError::Foreign { found, .. } => {
                Condition::Damaged(found)
            }
            DatabaseError::Open { cause, .. } => Condition::Damaged(one_line(&cause.to_string())),
            error => Condition::Unreadable(error.to_string()),
        },
    }
}

fn read(connection: &Connection, wanted: i64, format: Option<i64>) -> rusqlite::Result<Condition> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application_id = number("application_id")?;
    let found = number("user_version")?;
    if application_id == 0 && found == 0 {
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 {
            return Ok(Condition::Absent);
        }
    }
    if application_id != wanted && wanted == FORM.application_id && form::missing(connection)?.is_none() {
        return Ok(Condition::Damaged(
            "it has all that is ours but its mark".to_owned(),
        ));
    }
    if application_id != wanted {
        return Ok(Condition::Foreign { application_id });
    }
    if format.is_some_and(|format| found > format) {
        return Ok(Condition::Newer { format: found });
    }
    let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if said != "ok" {
        return Ok(Condition::Damaged(one_line(&said)));
    }
    if wanted == FORM.application_id
        && let Some(missing) = form::missing(connection)?
    {
        return Ok(Condition::Damaged(format!("{missing} is not as it should be")));
    }
    Ok(Condition::Sound)
}
