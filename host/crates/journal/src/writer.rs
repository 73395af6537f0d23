//! The one thread that writes.
//!
//! What it was told stays in its backlog until the transaction that has it is committed. When the disk is full or the
//! database is broken or held by somebody else, it tries again, more and more seldom, and opens the file anew.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use patchbay_vocab::{Clock, Explain, RunId};
use rusqlite::ErrorCode;

use crate::pruning::Budget;
use crate::record::{RunRecord, RunStart};
use crate::session::Session;
use crate::stats::Gauges;
use crate::{JournalError, Retention};

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
    session: Session,
    keep: Retention,
    clock: Arc<dyn Clock>,
    gauges: Arc<Gauges>,
    events: Receiver<Queued>,
    backlog: VecDeque<Queued>,
    /// While it is not zero, records go one by one: one of them is refused.
    singly: usize,
    failure: Option<Failure>,
    prune_at: Instant,
    pruning: Vec<Sender<u64>>,
    pruned: u64,
    /// What was written since the last look at what is to be forgotten.
    since_pruned: Budget,
    closing: bool,
}

/// Writing fails at the moment.
struct Failure {
    attempts: u32,
    again_at: Instant,
}

impl Writer {
    pub(crate) fn new(
        session: Session,
        keep: Retention,
        clock: Arc<dyn Clock>,
        gauges: Arc<Gauges>,
        events: Receiver<Queued>,
    ) -> Self {
        Self {
            session,
            keep,
            clock,
            gauges,
            events,
            backlog: VecDeque::new(),
            singly: 0,
            failure: None,
            prune_at: Instant::now(),
            pruning: Vec::new(),
            pruned: 0,
            since_pruned: Budget::default(),
            closing: false,
        }
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
            }
            let is_due = self.prune_at <= now || !self.pruning.is_empty();
            let is_idle = may_try && self.backlog.is_empty();
            if is_due && (self.failure.is_none() || is_idle) && !self.closing {
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
        let batch = self.backlog.iter().take(count).map(|queued| &queued.event);
        match self.session.write(batch) {
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

    fn written(&mut self, count: usize, took: Duration) {
        self.recovered();
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
            match queued.event {
                Event::Sync(answer) => {
                    // Nobody waits any longer when this fails.
                    let _ = answer.send(());
                }
                Event::Finish(record) => {
                    self.since_pruned.runs += 1;
                    self.since_pruned.nodes += record.nodes.len() as u64;
                }
                Event::Begin(_) | Event::Forget(_) | Event::Prune(_) | Event::Close => {}
            }
        }
        self.prune_at = self.prune_at.min(Instant::now() + PRUNE_SOON);
    }

    /// One of the records is refused for what it is: it must not hold up the others.
    fn isolate(&mut self, count: usize, error: rusqlite::Error) {
        if count > 1 {
            self.singly = count;
            return;
        }
        self.recovered();
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
            self.session.close();
        }
        let failure = JournalError::Write(error);
        self.gauges.failed(failure.chain());
        if attempts == 0 {
            tracing::error!(code = %failure.code(), hint = failure.help(), "{}", failure.chain());
        }
    }

    fn prune(&mut self) {
        let budget = Budget::beyond(std::mem::take(&mut self.since_pruned));
        match self.session.prune(&self.keep, self.clock.wall(), budget) {
            Ok(0) => {
                self.recovered();
                self.prune_at = Instant::now() + PRUNE_SELDOM;
                for answer in self.pruning.drain(..) {
                    // Nobody waits any longer when this fails.
                    let _ = answer.send(self.pruned);
                }
                self.pruned = 0;
            }
            Ok(removed) => {
                self.recovered();
                self.pruned += removed;
                self.prune_at = Instant::now();
            }
            Err(error) => self.failed(error),
        }
    }

    fn recovered(&mut self) {
        if self.failure.take().is_some() {
            self.gauges.recovered();
            tracing::info!("the journal is written again");
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
