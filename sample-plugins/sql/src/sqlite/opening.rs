//! Connections to SQLite.
//!
//! Invariant: a connection can reach one database and no file but that one's.
//!
//! The journal mode is left as the file has it; a new file has SQLite's standard, a rollback journal. A write-ahead log
//! would win nothing here: it is for readers beside a writer, among connections that are open together, and a connection
//! is open for one call. The last one that closes moves the log into the file, which would make each call as dear as a
//! checkpoint. A file that another program has put into that mode works as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_io::Stop;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::failure::failure;
use crate::address::{File, Mode};

/// How long SQLite itself waits for a lock of another process, before we look whether anybody still wants the result.
const BUSY: Duration = Duration::from_millis(50);

/// The largest text or blob.
const LONGEST: i32 = 16 << 20;

/// Memory that all connections of this copy of SQLite may take together.
const HEAP: i64 = 256 << 20;

/// The path of a database's file without links in it, so that one file has one name.
pub(super) fn real_path(file: &File, secret: &str) -> NodeResult<PathBuf> {
    let missing = || {
        NodeError::new(format!(
            "the file that the secret `{secret}` names is not there; with `?mode=rwc` at its end it is made"
        ))
    };
    match (fs::canonicalize(&file.path), file.mode) {
        (Ok(path), _) => Ok(path),
        (Err(_), Mode::Create) => {
            let name = file.path.file_name().ok_or_else(missing)?;
            let folder = file.path.parent().filter(|path| !path.as_os_str().is_empty());
            let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).map_err(|_| {
                NodeError::new(format!(
                    "the folder of the file that the secret `{secret}` names is not there"
                ))
            })?;
            Ok(folder.join(name))
        }
        (Err(_), Mode::ReadOnly | Mode::ReadWrite) => Err(missing()),
    }
}

/// Opens a file.
pub(super) fn open_file(path: &Path, mode: Mode, stop: &Stop) -> NodeResult<Connection> {
    let access = match mode {
        Mode::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Mode::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Mode::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    };
    let opened = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let connection = opened.map_err(|error| failure(error, stop))?;
    prepare(&connection).map_err(|error| failure(error, stop))?;
    Ok(connection)
}

/// Makes a database in memory.
pub(super) fn open_memory(stop: &Stop) -> NodeResult<Connection> {
    let connection = Connection::open_in_memory().map_err(|error| failure(error, stop))?;
    prepare(&connection)
        .and_then(|()| connection.pragma_update(None, "max_page_count", 16_384))
        .map_err(|error| failure(error, stop))?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
        // A text in double quotes is a name, and never a text by mistake.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        connection.set_db_config(config, on)?;
    }
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LENGTH, LONGEST),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, most)?;
    }
    // Sorting and the like stays in memory, and memory is bounded: no other files are written.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.query_row(&format!("PRAGMA hard_heap_limit = {HEAP}"), [], |_| Ok(()))
}

/// What is said when there are too many databases in memory.
pub(super) fn too_many(most: usize) -> NodeError {
    NodeError::with_code(
        code::LIMIT_EXCEEDED,
        format!("there are {most} databases in memory already; use a file"),
    )
}
