//! Making a new state of what can be read of a damaged one.
//!
//! Invariant: the damaged file and its log are kept beside the new one; the new one takes their place when it is complete
//! and on the disk. What is worked on meanwhile is a copy.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};

use patchbay_database as database;
use patchbay_vocab::{UnixMillis, kill_point};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::condition::{self, Condition};
use super::mend::note;
use super::repair::RepairError;
use super::scan::Scanned;
use super::{STATE, artifacts};
use crate::artifact::sync_one;
use crate::audit;
use crate::form::{self, FORM};

mod fill;

/// How the folder is called in which a new state is made.
pub(super) const WORKSHOP: &str = "doctor-";

const PAGE_BYTES: u64 = 4096;
const HEADER_BYTES: usize = 100;
/// Where the header has the number of pages.
const PAGES_AT: usize = 28;

/// A state that took the place of a damaged one.
pub(super) struct Salvaged {
    /// Where the damaged one is.
    pub(super) aside: PathBuf,
    pub(super) tables: Vec<(&'static str, Scanned)>,
}

/// Puts a new state in the place of the one there is, with every row of it that can be read.
pub(super) fn salvage(data: &Path, at: UnixMillis) -> Result<Salvaged, RepairError> {
    let state = data.join(STATE);
    let aside = unused(&state, at);
    let workshop = data.join(format!("{WORKSHOP}{}", at.0));
    if workshop.exists() {
        fs::remove_dir_all(&workshop)?;
    }
    DirBuilder::new().mode(0o700).create(&workshop)?;
    let fresh = workshop.join("fresh.db");
    // Closed, so that what it has is in the file: it is the pattern for what may be broken in the old one.
    drop(database::open(&fresh, &FORM)?);
    let source = source(&state, &workshop, &fresh)?;
    let tables = made(&fresh, source.as_ref(), &aside, at)?;
    drop(source);
    if condition::look(&fresh, FORM.application_id, Some(FORM.format())) != Condition::Sound {
        return Err(RepairError::Unsound);
    }
    sync_one(&fresh)?;
    kill_point("state.remade");
    replace(&state, &fresh, &aside)?;
    sync_one(data)?;
    kill_point("state.replaced");
    fs::remove_dir_all(&workshop)?;
    Ok(Salvaged { aside, tables })
}

/// A name for a file that is moved aside, which nothing has.
pub(super) fn unused(path: &Path, at: UnixMillis) -> PathBuf {
    let name = |n: u64| database::beside(path, &format!(".damaged-{}", at.0.saturating_add(n)));
    (0..)
        .map(name)
        .find(|path| !path.exists())
        .unwrap_or_else(|| name(0))
}

/// How much of a file is replaced by what every state has there.
#[derive(Clone, Copy)]
enum Patch {
    Nothing,
    Header,
    /// The pages that say which tables there are. They were the first that were written, the same in every state.
    Schema,
}

/// The damaged state as a copy that can be asked; `None` when nothing helps.
fn source(state: &Path, workshop: &Path, fresh: &Path) -> Result<Option<Connection>, RepairError> {
    let copy = workshop.join("old.db");
    // The tables as they should be are looked for first, whatever that takes; then some that can be asked at all.
    let all = [Wanted::Intact, Wanted::Some].map(|wanted| [true, false].map(|with_log| (wanted, with_log)));
    for (wanted, with_log) in all.into_iter().flatten() {
        for patch in [Patch::Nothing, Patch::Header, Patch::Schema] {
            for end in ["", "-wal", "-shm"] {
                absent(&database::beside(&copy, end))?;
            }
            fs::copy(state, &copy)?;
            let log = database::beside(state, "-wal");
            if with_log && log.exists() {
                fs::copy(log, database::beside(&copy, "-wal"))?;
            }
            apply(patch, &copy, fresh)?;
            if let Ok(connection) = open(&copy, wanted) {
                return Ok(Some(connection));
            }
        }
    }
    Ok(None)
}

fn absent(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn apply(patch: Patch, copy: &Path, fresh: &Path) -> Result<(), RepairError> {
    let bytes = match patch {
        Patch::Nothing => return Ok(()),
        Patch::Header => HEADER_BYTES,
        Patch::Schema => PAGE_BYTES as usize,
    };
    let pattern = fs::read(fresh)?;
    let file = OpenOptions::new().write(true).open(copy)?;
    let pages = file.metadata()?.len().div_ceil(PAGE_BYTES).max(1);
    let mut first = pattern.get(..bytes).unwrap_or(&pattern).to_vec();
    let number = u32::try_from(pages).unwrap_or(u32::MAX).to_be_bytes();
    for (byte, wanted) in first.iter_mut().skip(PAGES_AT).zip(number) {
        *byte = wanted;
    }
    file.write_all_at(&first, 0)?;
    if matches!(patch, Patch::Schema) {
        let roots = roots(fresh)?;
        for (page, number) in pattern.chunks(PAGE_BYTES as usize).zip(1_u64..).skip(1) {
            if !roots.contains(&number) {
                file.write_all_at(page, (number - 1) * PAGE_BYTES)?;
            }
        }
    }
    Ok(())
}

/// The pages at which the tables and indexes of a state begin.
fn roots(fresh: &Path) -> Result<BTreeSet<u64>, RepairError> {
    let connection = database::open_to_read(fresh)?;
    let mut statement = connection.prepare("SELECT rootpage FROM sqlite_schema WHERE rootpage > 0")?;
    let found = statement.query_map([], |row| row.get::<_, i64>(0))?;
    let roots: rusqlite::Result<Vec<i64>> = found.collect();
    Ok(roots?
        .into_iter()
        .filter_map(|page| u64::try_from(page).ok())
        .collect())
}

/// Which tables make a copy worth asking.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// All, as they were made.
    Intact,
    /// The most important ones, by their names.
    Some,
}

/// Opens a copy however broken it is; none of its own code is run.
fn open(copy: &Path, wanted: Wanted) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(copy, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    // A file that is shorter than it says is read as far as it goes.
    connection.pragma_update(None, "writable_schema", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    let tables: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('plugins', 'revisions', 'audit')",
        [],
        |row| row.get(0),
    )?;
    let is_fit = tables == 3 && (wanted == Wanted::Some || form::missing(&connection)?.is_none());
    if is_fit {
        Ok(connection)
    } else {
        Err(rusqlite::Error::QueryReturnedNoRows)
    }
}

/// Fills the new state. Its audit begins with a record that says why there is a new one.
fn made(
    fresh: &Path,
    source: Option<&Connection>,
    aside: &Path,
    at: UnixMillis,
) -> Result<Vec<(&'static str, Scanned)>, RepairError> {
    let mut connection = database::open(fresh, &FORM)?;
    let transaction = connection.transaction()?;
    let old = source.and_then(|source| match audit::head(source) {
        Ok(Some(head)) => Some(head),
        _ => audit::last(source).ok(),
    });
    let file = aside.file_name().unwrap_or_default().display().to_string();
    let head = old.map(|head| serde_json::json!({"seq": head.seq, "hash": head.hash}));
    let detail = serde_json::json!({"old_head": head, "file": file});
    note(
        &transaction,
        at,
        "audit.restarted",
        "the records behind this one were saved from a damaged state, and are numbered anew",
        &detail,
    )?;
    let mut tables = Vec::new();
    if let Some(source) = source {
        tables = fill::fill(source, &transaction)?;
    }
    let saved: serde_json::Map<_, _> = tables
        .iter()
        .map(|(table, scanned)| {
            let counts = serde_json::json!({
                "saved": scanned.saved, "refused": scanned.refused, "torn": scanned.is_torn,
            });
            ((*table).to_owned(), counts)
        })
        .collect();
    note(
        &transaction,
        at,
        "state.salvaged",
        "a damaged state was moved aside, and a new one made of what could be read",
        &saved.into(),
    )?;
    transaction.commit()?;
    Ok(tables)
}

fn replace(state: &Path, fresh: &Path, aside: &Path) -> io::Result<()> {
    keep(state, aside)?;
    let log = database::beside(state, "-wal");
    if log.exists() {
        keep(&log, &database::beside(aside, "-wal"))?;
    }
    sync_one(aside.parent().unwrap_or(Path::new("/")))?;
    kill_point("state.kept");
    // The log of the old file must not be taken for one of the new file.
    for end in ["-wal", "-shm"] {
        absent(&database::beside(state, end))?;
    }
    kill_point("state.parted");
    fs::rename(fresh, state)
}

/// Gives a file another name as well.
fn keep(path: &Path, aside: &Path) -> io::Result<()> {
    if fs::hard_link(path, aside).is_ok() {
        return Ok(());
    }
    // Not every file system gives a file two names.
    fs::copy(path, aside)?;
    sync_one(aside)
}

/// Moves a database and its log aside.
pub(super) fn move_aside(path: &Path, at: UnixMillis) -> io::Result<PathBuf> {
    let aside = unused(path, at);
    let log = database::beside(path, "-wal");
    if log.exists() {
        fs::rename(&log, database::beside(&aside, "-wal"))?;
    }
    absent(&database::beside(path, "-shm"))?;
    if path.exists() {
        fs::rename(path, &aside)?;
    }
    sync_one(path.parent().unwrap_or(Path::new("/")))?;
    Ok(aside)
}

/// Moves an artifact and its signature into a folder beside it.
pub(super) fn move_artifact(path: &Path, folder: &str, at: UnixMillis) -> io::Result<PathBuf> {
    let home = path.parent().unwrap_or(Path::new("/"));
    let folder = home.join(folder);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let mut to = folder.join(path.file_name().unwrap_or_default());
    if to.exists() {
        to = unused(&to, at);
    }
    let signature = path.with_added_extension(crate::artifact::SIGNATURE);
    if signature.exists() {
        fs::rename(&signature, to.with_added_extension(crate::artifact::SIGNATURE))?;
    }
    fs::rename(path, &to)?;
    sync_one(&folder)?;
    sync_one(home)?;
    Ok(to)
}

/// Whether an artifact can be loaded as it is.
pub(super) fn is_sound(folder: &Path, digest: patchbay_vocab::Digest) -> bool {
    artifacts::look(folder, digest) == artifacts::Artifact::Sound
}
