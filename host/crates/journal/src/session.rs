//! The writer's connection: opened anew when it has to be, one transaction for many events.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use patchbay_database::{self as database, Identity};
use patchbay_vocab::{Explain, UnixMillis, kill_point};
use rusqlite::{Connection, TransactionBehavior};

use crate::insert::{Documents, Insert};
use crate::migration::FORM;
use crate::pruning::{self, Budget};
use crate::record::RunStatus;
use crate::writer::Event;
use crate::{JournalError, Retention};

/// How long it is remembered that somebody used a plugin: longer than anybody asks.
const USES_KEPT_MILLIS: i64 = 60 * 24 * 60 * 60 * 1000;

/// The writer's side of one database file.
pub(crate) struct Session {
    path: PathBuf,
    value_bytes: usize,
    open: Option<Open>,
    /// Keys that a transaction has committed, or is about to.
    documents: Documents,
}

/// The database as it is open.
struct Open {
    connection: Connection,
    identity: Option<Identity>,
    /// How many runs there are.
    runs: u64,
}

impl Open {
    fn new(path: &Path, connection: Connection) -> rusqlite::Result<Self> {
        let runs: i64 = connection.query_row("SELECT count(*) FROM runs", [], |row| row.get(0))?;
        Ok(Self {
            connection,
            identity: database::identity(path),
            runs: u64::try_from(runs).unwrap_or(0),
        })
    }
}

impl Session {
    /// Opens the database. Runs that the last process left running were interrupted.
    pub(crate) fn begin(path: PathBuf, value_bytes: usize) -> Result<Self, JournalError> {
        let connection = database::open(&path, &FORM)?;
        let open = interrupt(&connection).and_then(|()| Open::new(&path, connection));
        let open = open.map_err(|error| database::refusal(&path, error))?;
        Ok(Self {
            path,
            value_bytes,
            open: Some(open),
            documents: HashMap::new(),
        })
    }

    /// Writes what the events tell in one transaction. With a [`Event::Sync`] among them, it is on the disk afterwards.
    pub(crate) fn write<'e>(
        &mut self,
        events: impl Iterator<Item = &'e Event> + Clone,
    ) -> rusqlite::Result<()> {
        let written = self.attempt(events);
        if written.is_err() {
            // Some of the keys may have been rolled back, or somebody has deleted a document.
            self.documents.clear();
        }
        written
    }

    fn attempt<'e>(&mut self, events: impl Iterator<Item = &'e Event> + Clone) -> rusqlite::Result<()> {
        let durable = events.clone().any(|event| matches!(event, Event::Sync(_)));
        self.reopen()?;
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        // In the full mode a commit waits for the disk, and for the commits before it.
        open.connection
            .pragma_update(None, "synchronous", if durable { "FULL" } else { "NORMAL" })?;
        let transaction = open
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        kill_point("journal.begun");
        let mut insert = Insert {
            connection: &transaction,
            value_bytes: self.value_bytes,
            documents: &mut self.documents,
            added: 0,
        };
        let mut removed = 0;
        for event in events {
            match event {
                Event::Begin(start) => insert.begin(start)?,
                Event::Finish(record) => insert.finish(record)?,
                Event::Forget(run) => {
                    removed += u64::from(pruning::forget(&transaction, run.as_str())?);
                    insert.documents.clear();
                }
                Event::Sync(_) | Event::Prune(_) | Event::Close => {}
            }
        }
        let added = insert.added;
        if durable {
            // A transaction that changes nothing would not wait for the disk.
            transaction
                .prepare_cached(
                    "INSERT INTO counters (name, value) VALUES ('syncs', 1)
                     ON CONFLICT (name) DO UPDATE SET value = value + 1",
                )?
                .execute([])?;
        }
        kill_point("journal.written");
        transaction.commit()?;
        kill_point("journal.committed");
        open.runs = (open.runs + added).saturating_sub(removed);
        Ok(())
    }

    /// Forgets some of the runs that are beyond `keep`, and says how many.
    pub(crate) fn prune(
        &mut self,
        keep: &Retention,
        now: UnixMillis,
        budget: Budget,
    ) -> rusqlite::Result<u64> {
        self.reopen()?;
        let Some(open) = &mut self.open else {
            return Ok(0);
        };
        let removed = pruning::step(&mut open.connection, keep, now, open.runs, budget)?;
        open.runs = open.runs.saturating_sub(removed);
        if removed > 0 {
            self.documents.clear();
        }
        Ok(removed)
    }

    /// Gives the file up; the next use opens it anew.
    pub(crate) fn close(&mut self) {
        self.open = None;
    }

    /// Opens the file when it is not open, or when another one is in its place.
    fn reopen(&mut self) -> rusqlite::Result<()> {
        let there = database::identity(&self.path);
        if self.open.as_ref().is_some_and(|open| open.identity == there) {
            return Ok(());
        }
        // The old one is closed first: both would have the same names for their logs.
        self.open = None;
        self.documents.clear();
        let connection = database::open(&self.path, &FORM).map_err(|error| {
            let error = JournalError::from(error);
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
            rusqlite::Error::SqliteFailure(code, Some(error.chain()))
        })?;
        self.open = Some(Open::new(&self.path, connection)?);
        tracing::warn!(path = %self.path.display(), "the journal's file was opened anew");
        Ok(())
    }
}

fn interrupt(connection: &Connection) -> rusqlite::Result<()> {
    // What nobody asks for any more; anew with each start, since it takes a look at all of them.
    connection.execute(
        "DELETE FROM uses WHERE last_at < (SELECT max(started_at) FROM runs) - ?1",
        [USES_KEPT_MILLIS],
    )?;
    connection.execute(
        "UPDATE runs SET status = ?1, error_code = 'INTERRUPTED', error_message = 'the host ended while it ran'
         WHERE status = ?2 AND status <> 'success'",
        [RunStatus::Interrupted.as_str(), RunStatus::Running.as_str()],
    )?;
    Ok(())
}
