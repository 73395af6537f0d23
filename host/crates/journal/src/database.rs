//! The database file: checked as hostile bytes, locked, opened, brought to this program's format.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::JournalError;
use crate::migration::{self, APPLICATION_ID, FORMAT};

/// A database up to this size is checked from end to end when it is opened; a longer one page by page as it is read.
const CHECKED_BYTES: u64 = 16 << 20;
/// How long a connection waits for another process that has the database.
const PATIENCE: Duration = Duration::from_millis(500);
/// A write-ahead log that grew longer is cut to this when it is used anew.
const LOG_BYTES: i64 = 64 << 20;

/// How a database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
const HEADER_BYTES: u64 = 100;

/// The right to write one journal: no other process has it.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Held, not read: the system gives it back when the process ends, however it ends.
    _file: File,
}

/// Which file a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity(u64, u64);

/// The path with its folder's links resolved: SQLite is told to follow none.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, JournalError> {
    let name = path.file_name().ok_or(JournalError::NotAFile {
        path: path.to_owned(),
        found: "a folder's name",
    })?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = folder
        .canonicalize()
        .map_err(|error| JournalError::open(path, error))?;
    Ok(folder.join(name))
}

/// Takes the right to write the journal at `path`.
pub(crate) fn lock(path: &Path) -> Result<Lock, JournalError> {
    let beside = beside(path, ".lock");
    refuse_other_kinds(&beside)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&beside)
        .map_err(|error| JournalError::open(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(JournalError::open(path, error)),
    }
}

/// The file whose name is the database's and `end`.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Which file is at `path` now.
pub(crate) fn identity(path: &Path) -> Option<Identity> {
    let found = fs::symlink_metadata(path).ok()?;
    Some(Identity(found.dev(), found.ino()))
}

/// Opens the database for its writer; makes it when there is none.
pub(crate) fn open(path: &Path) -> Result<Connection, JournalError> {
    refuse_other_kinds(path)?;
    create(path).map_err(|error| JournalError::open(path, error))?;
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let refused = |error| refusal(path, error);
    let mut connection = Connection::open_with_flags(path, flags).map_err(refused)?;
    harden(&connection).map_err(refused)?;
    let format = format(path, &connection)?;
    prepare(&connection, format).map_err(refused)?;
    migration::migrate(&mut connection, format).map_err(|(format, cause)| {
        if is_broken(&cause) {
            return refusal(path, cause);
        }
        JournalError::Migrate {
            path: path.to_owned(),
            format,
            cause,
        }
    })?;
    check(path, &connection)?;
    Ok(connection)
}

/// Opens the database for reading; the writer has it open.
pub(crate) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    harden(&connection)?;
    Ok(connection)
}

/// Opening a pipe would wait for ever, and a link leads out of the data directory.
fn refuse_other_kinds(path: &Path) -> Result<(), JournalError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(JournalError::open(path, error)),
    };
    let found = if found.is_file() {
        return Ok(());
    } else if found.is_dir() {
        "a directory"
    } else if found.is_symlink() {
        "a symbolic link"
    } else {
        "a pipe, socket or device"
    };
    Err(JournalError::NotAFile {
        path: path.to_owned(),
        found,
    })
}

/// Looks at a file before SQLite does, which takes some short files and files of zeros for empty databases, and writes
/// over them. Not to be called while this process has the database open: closing a file gives back all its locks.
pub(crate) fn vet(path: &Path) -> Result<(), JournalError> {
    for end in ["", "-wal", "-shm"] {
        refuse_other_kinds(&beside(path, end))?;
    }
    let mut header = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(HEADER_BYTES).read_to_end(&mut header),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => Err(error),
    }
    .map_err(|error| JournalError::open(path, error))?;
    let is_header = header.len() as u64 == HEADER_BYTES && header.starts_with(MAGIC);
    if header.is_empty() || is_header {
        return Ok(());
    }
    Err(JournalError::NotAJournal {
        path: path.to_owned(),
        found: "it is no SQLite database".to_owned(),
    })
}

/// What runs took and gave is for the host's user alone. SQLite gives its other files the same mode.
fn create(path: &Path) -> io::Result<()> {
    let made = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
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
fn format(path: &Path, connection: &Connection) -> Result<i64, JournalError> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let read = || {
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((number("application_id")?, number("user_version")?, tables))
    };
    match read().map_err(|error| refusal(path, error))? {
        (0, 0, 0) => Ok(0),
        (APPLICATION_ID, found, _) if found > FORMAT => Err(JournalError::Newer {
            path: path.to_owned(),
            found,
            known: FORMAT,
        }),
        (APPLICATION_ID, found, _) if found > 0 => Ok(found),
        _ => Err(JournalError::NotAJournal {
            path: path.to_owned(),
            found: "it is the SQLite database of another program".to_owned(),
        }),
    }
}

fn prepare(connection: &Connection, format: i64) -> rusqlite::Result<()> {
    if format == 0 {
        // Can be chosen before the first table alone: pages of forgotten runs can go back to the system.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    // SQLite opens a write-protected file for reading, and says so here at the latest.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

fn check(path: &Path, connection: &Connection) -> Result<(), JournalError> {
    let mode: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .map_err(|error| refusal(path, error))?;
    if mode != "wal" {
        return Err(JournalError::open(
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
    Err(JournalError::Damaged {
        path: path.to_owned(),
        found: one_line(&found),
    })
}

fn is_broken(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// What SQLite's refusal means for the file.
pub(crate) fn refusal(path: &Path, error: rusqlite::Error) -> JournalError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => JournalError::NotAJournal {
            path,
            found: "it is no SQLite database".to_owned(),
        },
        Some(ErrorCode::DatabaseCorrupt) => JournalError::Damaged {
            path,
            found: one_line(&error.to_string()),
        },
        _ => JournalError::Open {
            path,
            cause: error.into(),
        },
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .take(200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
