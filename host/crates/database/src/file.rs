//! The file before SQLite sees it: its path, its lock, its kind, its first bytes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::DatabaseError;

/// How a database begins.
const MAGIC: &[u8] = b"SQLite format 3\0";
const HEADER_BYTES: u64 = 100;

/// The right to write one database: no other process has it.
#[derive(Debug)]
pub struct Lock {
    /// Held, not read: the system gives it back when the process ends, however it ends.
    _file: File,
}

/// Which file a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(u64, u64);

/// The path with its folder's links resolved: SQLite is told to follow none.
///
/// # Errors
/// When it names no file, or its folder is not there.
pub fn resolve(path: &Path) -> Result<PathBuf, DatabaseError> {
    let name = path.file_name().ok_or(DatabaseError::NotAFile {
        path: path.to_owned(),
        found: "a folder's name",
    })?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = folder
        .canonicalize()
        .map_err(|error| DatabaseError::open(path, error))?;
    Ok(folder.join(name))
}

/// Takes the right to write the database at `path`.
///
/// # Errors
/// When another process has it, or its file cannot be made.
pub fn lock(path: &Path) -> Result<Lock, DatabaseError> {
    let beside = beside(path, ".lock");
    refuse_other_kinds(&beside)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&beside)
        .map_err(|error| DatabaseError::open(path, error))?;
    match try_lock(&file) {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(DatabaseError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(DatabaseError::open(path, error)),
    }
}

/// Locks a file, and waits a moment when it is locked: a process that this one is starting just now has all files that
/// are open here until its program begins, the one that was given up a moment ago among them.
///
/// # Errors
/// When somebody else has it, or the system refuses.
pub fn try_lock(file: &File) -> Result<(), TryLockError> {
    const TRIES: u32 = 50;
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            other => return other,
        }
    }
    file.try_lock()
}

/// The file whose name is the database's and `end`.
#[must_use]
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Which file is at `path` now.
#[must_use]
pub fn identity(path: &Path) -> Option<Identity> {
    let found = fs::symlink_metadata(path).ok()?;
    Some(Identity(found.dev(), found.ino()))
}

/// Refuses what is there and is no file: opening a pipe would wait for ever, and a link leads out of the data directory.
///
/// # Errors
/// When it is no file, or cannot be looked at.
pub fn refuse_other_kinds(path: &Path) -> Result<(), DatabaseError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(DatabaseError::open(path, error)),
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
    Err(DatabaseError::NotAFile {
        path: path.to_owned(),
        found,
    })
}

/// Looks at a file before SQLite does, which takes some short files and files of zeros for empty databases, and writes
/// over them. Not to be called while this process has the database open: closing a file gives back all its locks.
///
/// # Errors
/// When it is no file, cannot be read, or does not begin as a database does.
pub fn vet(path: &Path) -> Result<(), DatabaseError> {
    for end in ["", "-wal", "-shm"] {
        refuse_other_kinds(&beside(path, end))?;
    }
    let mut header = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(HEADER_BYTES).read_to_end(&mut header),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => Err(error),
    }
    .map_err(|error| DatabaseError::open(path, error))?;
    let is_header = header.len() as u64 == HEADER_BYTES && header.starts_with(MAGIC);
    if header.is_empty() || is_header {
        return Ok(());
    }
    Err(DatabaseError::Foreign {
        path: path.to_owned(),
        found: "it is no SQLite database".to_owned(),
    })
}

/// What is in it is for the host's user alone. SQLite gives its other files the same mode.
pub(crate) fn create(path: &Path) -> io::Result<()> {
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
