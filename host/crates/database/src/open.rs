//! The connections: the writer's, which brings the file to its format, and the readers'.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{is_broken, one_line, refusal};
use crate::file::{create, refuse_other_kinds};
use crate::{DatabaseError, Form};

/// A database up to this size is checked from end to end when it is opened; a longer one page by page as it is read.
const CHECKED_BYTES: u64 = 16 << 20;
/// How long a connection waits for another process that has the database.
const PATIENCE: Duration = Duration::from_millis(500);
/// A write-ahead log that grew longer is cut to this when it is used anew.
const LOG_BYTES: i64 = 64 << 20;

/// Opens the database for its writer; makes it when there is none.
///
/// # Errors
/// When it is not of this form, damaged, of a newer format, or cannot be opened or brought to the format.
pub fn open(path: &Path, form: &Form) -> Result<Connection, DatabaseError> {
    refuse_other_kinds(path)?;
    create(path).map_err(|error| DatabaseError::open(path, error))?;
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let refused = |error| refusal(path, error);
    let mut connection = Connection::open_with_flags(path, flags).map_err(refused)?;
    harden(&connection).map_err(refused)?;
    let format = format(path, &connection, form)?;
    prepare(&connection, form, format).map_err(refused)?;
    form.migrate(&mut connection, format).map_err(|(format, cause)| {
        if is_broken(&cause) {
            return refusal(path, cause);
        }
        DatabaseError::Migrate {
            path: path.to_owned(),
            format,
            cause,
        }
    })?;
    check(path, &connection)?;
    Ok(connection)
}

/// Opens the database for reading; the writer has it open.
///
/// # Errors
/// When SQLite refuses the file.
pub fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    harden(&connection)?;
    Ok(connection)
}

/// A file that somebody else prepared makes us run none of its own code.
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// Reads the format, which is 0 for a file without content.
fn format(path: &Path, connection: &Connection, form: &Form) -> Result<i64, DatabaseError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let read = || {
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((number("application_id")?, number("user_version")?, tables))
    };
    match read().map_err(|error| refusal(path, error))? {
        (0, 0, 0) => Ok(0),
        (id, found, _) if id == form.application_id && found > form.format() => Err(DatabaseError::Newer {
            path: path.to_owned(),
            found,
            known: form.format(),
        }),
        (id, found, _) if id == form.application_id && found > 0 => Ok(found),
        _ => Err(DatabaseError::Foreign {
            path: path.to_owned(),
            found: "it is the SQLite database of another program".to_owned(),
        }),
    }
}

fn prepare(connection: &Connection, form: &Form, format: i64) -> rusqlite::Result<()> {
    if format == 0 {
        // Can be chosen before the first table alone: pages of what is forgotten can go back to the system.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    // SQLite opens a write-protected file for reading, and says so here at the latest.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", form.synchronous.as_str())?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

fn check(path: &Path, connection: &Connection) -> Result<(), DatabaseError> {
    let mode: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .map_err(|error| refusal(path, error))?;
    if mode != "wal" {
        return Err(DatabaseError::open(
            path,
            "its file system has no shared memory, which a write-ahead log needs",
        ));
    }
    if fs::metadata(path).is_ok_and(|found| found.len() > CHECKED_BYTES) {
        return Ok(());
    }
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| refusal(path, error))?;
    if found == "ok" {
        return Ok(());
    }
    Err(DatabaseError::Damaged {
        path: path.to_owned(),
        found: one_line(&found),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Synchronous, vet};

    const OURS: Form = Form {
        application_id: 0x5042_7461,
        migrations: &["CREATE TABLE one (a)"],
        synchronous: Synchronous::Full,
    };
    const THEIRS: Form = Form {
        application_id: 0x5042_7462,
        migrations: &["CREATE TABLE one (a)", "CREATE TABLE two (a)"],
        synchronous: Synchronous::Normal,
    };

    #[test]
    fn a_file_is_opened_in_its_own_form_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ours.db");
        open(&path, &OURS).unwrap();
        vet(&path).unwrap();
        let refused = open(&path, &THEIRS).unwrap_err();
        assert!(matches!(refused, DatabaseError::Foreign { .. }), "{refused}");
        open(&path, &OURS).unwrap();
    }

    #[test]
    fn a_commit_waits_for_the_disk_as_the_form_says() {
        let folder = tempfile::tempdir().unwrap();
        for (form, wanted) in [(&OURS, 2), (&THEIRS, 1)] {
            let path = folder.path().join(wanted.to_string());
            let connection = open(&path, form).unwrap();
            let found: i64 = connection
                .pragma_query_value(None, "synchronous", |row| row.get(0))
                .unwrap();
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn a_form_that_has_grown_takes_a_file_of_the_format_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grown.db");
        let before = Form {
            migrations: &["CREATE TABLE one (a)"],
            ..THEIRS
        };
        open(&path, &before).unwrap();
        open(&path, &THEIRS)
            .unwrap()
            .execute("INSERT INTO two (a) VALUES (1)", [])
            .unwrap();
        let refused = open(&path, &before).unwrap_err();
        assert!(
            matches!(
                refused,
                DatabaseError::Newer {
                    found: 2,
                    known: 1,
                    ..
                }
            ),
            "{refused}"
        );
    }
}
