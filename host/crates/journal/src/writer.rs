//! The one thread that writes.
//!
//! What it was told stays in its backlog until the transaction that has it is committed. When the disk is full or the
//! database is broken or held by somebody else, it tries again, more and more seldom, and opens the file anew.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use patchbay_vocab::{Clock, Explain, RunId};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use crate::database::{self, Identity};
use crate::insert::{Documents, Insert};
use crate::record::{RunRecord, RunStart, RunStatus};
use crate::stats::Gauges;
use crate::{JournalError, Retention, pruning};

/// How much goes into one transaction.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 16 << 20;
/// The first wait after a failure, and the longest.
const FIRST_DELAY: Duration = Duration::from_millis(20);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// How often writing is tried when the journal is closed.
const LAST_ATTEMPTS: u32 = 3;
/// How long after a write the first look at what is to be forgotten comes, and how often one comes when all is quiet.
const PRUNE_SOON: Duration = Duration::from_secs(1);
const PRUNE_SELDOM: Duration = Duration::from_secs(60);

/// What the writer is told.
#[derive(Debug)]
pub(crate) enum Event {
    Begin(Box<RunStart>),
    Finish(Box<RunRecord>),
    Forget(RunId),
    /// Answered when everything before it is on the disk.
    Sync(Sender<()>),
    /// Answered with the number of runs that were forgotten, when no more are to be.
    Prune(Sender<u64>),
    Close,
}

/// An event and the bytes that it counts in the queue.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) event: Event,
    pub(crate) bytes: usize,
}

pub(crate) struct Writer {
    path: PathBuf,
    keep: Retention,
    value_bytes: usize,
    clock: Arc<dyn Clock>,
    gauges: Arc<Gauges>,
    events: Receiver<Queued>,
    backlog: VecDeque<Queued>,
    open: Option<Open>,
    documents: Documents,
    /// While it is not zero, records go one by one: one of them is refused.
    singly: usize,
    failure: Option<Failure>,
    prune_at: Instant,
    pruning: Vec<Sender<u64>>,
    pruned: u64,
    closing: bool,
}

/// The database as it is open.
struct Open {
    connection: Connection,
    identity: Option<Identity>,
    /// How many runs there are.
    runs: u64,
}

/// Writing fails at the moment.
struct Failure {
    attempts: u32,
    again_at: Instant,
}

impl Open {
    fn new(connection: Connection, identity: Option<Identity>) -> rusqlite::Result<Self> {
        let runs: i64 = connection.query_row("SELECT count(*) FROM runs", [], |row| row.get(0))?;
        Ok(Self {
            connection,
            identity,
            runs: u64::try_from(runs).unwrap_or(0),
        })
    }
}

impl Writer {
    /// Opens the database; runs that the last process left running were interrupted.
    pub(crate) fn open(
        path: PathBuf,
        config: &crate::JournalConfig,
        clock: Arc<dyn Clock>,
        gauges: Arc<Gauges>,
        events: Receiver<Queued>,
    ) -> Result<Self, JournalError> {
        let connection = database::open(&path)?;
        let identity = database::identity(&path);
        let refused = |error| JournalError::open(&path, error);
        interrupt(&connection).map_err(refused)?;
        let open = Open::new(connection, identity).map_err(refused)?;
        Ok(Self {
            keep: config.keep,
            value_bytes: config.value_bytes,
            clock,
            gauges,
            events,
            backlog: VecDeque::new(),
            open: Some(open),
            documents: HashMap::new(),
            singly: 0,
            failure: None,
            prune_at: Instant::now(),
            pruning: Vec::new(),
            pruned: 0,
            closing: false,
            path,
        })
    }

    pub(crate) fn run(mut self) {
        loop {
            self.receive();
            let now = Instant::now();
            let may_try = self
                .failure
                .as_ref()
                .is_none_or(|failure| failure.again_at <= now || self.closing);
            if may_try && !self.backlog.is_empty() {
                self.write();
            } else if may_try && (self.prune_at <= now || !self.pruning.is_empty()) && !self.closing {
                self.prune();
            }
            if self.closing && self.is_done() {
                break;
            }
        }
    }

    /// Takes in what was sent; waits for it when there is nothing to do.
    fn receive(&mut self) {
        let until = match &self.failure {
            _ if self.closing => None,
            Some(failure) => Some(failure.again_at),
            None if !self.backlog.is_empty() || !self.pruning.is_empty() => None,
            None => Some(self.prune_at),
        };
        if let Some(until) = until {
            match self.events.recv_deadline(until) {
                Ok(queued) => self.take(queued),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.closing = true,
            }
        }
        while let Ok(queued) = self.events.try_recv() {
            self.take(queued);
        }
    }

    fn take(&mut self, queued: Queued) {
        match queued.event {
            Event::Close => self.closing = true,
            Event::Prune(answer) => self.pruning.push(answer),
            _ => self.backlog.push_back(queued),
        }
    }

    /// Whether the thread may end; what cannot be written after some attempts is lost with the process.
    fn is_done(&self) -> bool {
        let attempts = self.failure.as_ref().map_or(0, |failure| failure.attempts);
        let given_up = !self.backlog.is_empty() && attempts >= LAST_ATTEMPTS;
        if given_up {
            tracing::error!(
                records = self.gauges.queued(),
                "the journal ends with records that were not written"
            );
        }
        given_up || self.backlog.is_empty()
    }

    fn write(&mut self) {
        let began = Instant::now();
        let count = if self.singly > 0 { 1 } else { self.batch() };
        match self.attempt(count) {
            Ok(()) => self.written(count, began.elapsed()),
            Err(error) if is_of_the_record(&error) => self.isolate(count, error),
            Err(error) => self.failed(error),
        }
    }

    fn batch(&self) -> usize {
        let mut bytes = 0_usize;
        let fits = |queued: &&Queued| {
            let first = bytes == 0;
            bytes = bytes.saturating_add(queued.bytes.max(1));
            first || bytes <= BATCH_BYTES
        };
        self.backlog.iter().take(BATCH).take_while(fits).count()
    }

    /// Writes the first `count` of the backlog in one transaction.
    fn attempt(&mut self, count: usize) -> rusqlite::Result<()> {
        self.reopen()?;
        let Some(open) = &mut self.open else { return Ok(()) };
        let batch = || self.backlog.iter().take(count).map(|queued| &queued.event);
        let durable = batch().any(|event| matches!(event, Event::Sync(_)));
        // In this mode a commit waits for the disk, with it all commits before.
        open.connection
            .pragma_update(None, "synchronous", if durable { "FULL" } else { "NORMAL" })?;
        let transaction = open
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut insert = Insert {
            connection: &transaction,
            value_bytes: self.value_bytes,
            documents: &mut self.documents,
            added: 0,
        };
        let mut removed = 0;
        for event in batch() {
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
        transaction.commit()?;
        open.runs = (open.runs + added).saturating_sub(removed);
        Ok(())
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
        let connection = database::open(&self.path).map_err(|error| {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
            rusqlite::Error::SqliteFailure(code, Some(error.chain()))
        })?;
        self.open = Some(Open::new(connection, database::identity(&self.path))?);
        tracing::warn!(path = %self.path.display(), "the journal's file was opened anew");
        Ok(())
    }

    fn written(&mut self, count: usize, took: Duration) {
        if self.failure.take().is_some() {
            self.gauges.recovered();
            tracing::info!("the journal is written again");
        }
        self.singly = self.singly.saturating_sub(count);
        let written: Vec<Queued> = self.backlog.drain(..count.min(self.backlog.len())).collect();
        let records = written.iter().filter(|queued| queued.bytes > 0);
        let (records, bytes) = records.fold((0, 0), |(records, bytes), queued| {
            (records + 1, bytes + queued.bytes)
        });
        self.gauges
            .written(records, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        self.gauges.left(records, bytes);
        for queued in written {
            if let Event::Sync(answer) = queued.event {
                // Nobody waits any longer when this fails.
                let _ = answer.send(());
            }
        }
        self.prune_at = self.prune_at.min(Instant::now() + PRUNE_SOON);
    }

    /// One of the records is refused for what it is: it must not hold up the others.
    fn isolate(&mut self, count: usize, error: rusqlite::Error) {
        self.documents.clear();
        if count > 1 {
            self.singly = count;
            return;
        }
        self.singly = self.singly.saturating_sub(1);
        let Some(queued) = self.backlog.pop_front() else {
            return;
        };
        let run = match queued.event {
            Event::Begin(start) => start.id,
            Event::Finish(record) => record.start.id,
            Event::Forget(run) => run,
            Event::Sync(_) | Event::Prune(_) | Event::Close => return,
        };
        self.gauges.left(1, queued.bytes);
        self.gauges.refused();
        let refused = JournalError::Refused { run, cause: error };
        tracing::error!(code = %refused.code(), hint = refused.help(), "{}", refused.chain());
    }

    fn failed(&mut self, error: rusqlite::Error) {
        // Keys of documents that were rolled back.
        self.documents.clear();
        let attempts = self.failure.as_ref().map_or(0, |failure| failure.attempts);
        let delay = FIRST_DELAY
            .saturating_mul(1 << attempts.min(16))
            .min(LONGEST_DELAY);
        self.failure = Some(Failure {
            attempts: attempts + 1,
            again_at: Instant::now() + delay,
        });
        if !matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        ) {
            self.open = None;
        }
        let failure = JournalError::Write(error);
        self.gauges.failed(failure.chain());
        if attempts == 0 {
            tracing::error!(code = %failure.code(), hint = failure.help(), "{}", failure.chain());
        }
    }

    fn prune(&mut self) {
        let step = self.reopen().and_then(|()| match &mut self.open {
            Some(open) => {
                let removed = pruning::step(&mut open.connection, &self.keep, self.clock.wall(), open.runs)?;
                open.runs = open.runs.saturating_sub(removed);
                Ok(removed)
            }
            None => Ok(0),
        });
        match step {
            Ok(0) => {
                self.prune_at = Instant::now() + PRUNE_SELDOM;
                for answer in self.pruning.drain(..) {
                    let _ = answer.send(self.pruned);
                }
                self.pruned = 0;
            }
            Ok(removed) => {
                self.documents.clear();
                self.pruned += removed;
                self.prune_at = Instant::now();
            }
            Err(error) => self.failed(error),
        }
    }
}

/// Whether the database refuses this record, rather than any.
fn is_of_the_record(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig
        ),
        None => true,
    }
}

fn interrupt(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE runs SET status = ?1, error_message = 'the host ended while it ran' WHERE status = ?2 AND status <> 'success'",
        [RunStatus::Interrupted.as_str(), RunStatus::Running.as_str()],
    )?;
    Ok(())
}
