//! The right to a data directory, and to its databases.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;

use patchbay_database::{self as database, DatabaseError, Lock};

use super::{Defect, Finding, JOURNAL, STATE};

/// No host has the directory while this is there.
pub(super) struct Held {
    /// Held, not read: they are given back when they are dropped.
    _directory: Option<File>,
    _databases: Vec<Lock>,
}

/// Takes the directory, or says who is in the way.
pub(super) fn take(data: &Path) -> Result<Held, Box<Finding>> {
    if !fs::metadata(data).is_ok_and(|found| found.is_dir()) {
        return Err(Box::new(Defect::NoDirectory.found(
            format!("`{}` is not a directory", data.display()),
            data.to_owned(),
        )));
    }
    let running = |path: &Path| {
        Box::new(Defect::HostRuns.found(
            format!("a host has the data directory `{}`", data.display()),
            path.to_owned(),
        ))
    };
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        Box::new(Defect::Unreadable.found(
            format!("`{}` cannot be taken: {error}", path.display()),
            path.to_owned(),
        ))
    };
    let path = data.join("lock");
    let directory = match OpenOptions::new().write(true).open(&path) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Some(file),
            Err(TryLockError::WouldBlock) => return Err(running(&path)),
            Err(TryLockError::Error(error)) => return Err(unreadable(&path, &error)),
        },
        // No host was here yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(unreadable(&path, &error)),
    };
    let mut databases = Vec::new();
    for name in [STATE, JOURNAL] {
        let path = data.join(name);
        if !path.exists() {
            continue;
        }
        match database::lock(&path) {
            Ok(lock) => databases.push(lock),
            Err(DatabaseError::InUse { .. }) => return Err(running(&path)),
            Err(error) => return Err(unreadable(&path, &error)),
        }
    }
    Ok(Held {
        _directory: directory,
        _databases: databases,
    })
}
