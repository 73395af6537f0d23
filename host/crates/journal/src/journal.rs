//! The handle: what the rest of the host tells and asks.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded, unbounded};
use parking_lot::Mutex;
use patchbay_database::{self as database, Lock};
use patchbay_vocab::{Clock, PluginName, RunId, TenantId, UnixMillis};

use crate::reading;
use crate::record::{RunRecord, RunStart};
use crate::session::Session;
use crate::stats::Gauges;
use crate::stored::{RunFilter, RunSummary, StoredRun};
use crate::usage::{self, InputFilter, StoredInputs};
use crate::writer::{Event, Queued, Writer};
use crate::{JournalConfig, JournalError, JournalStats};

/// What a deletion counts in the queue.
const FORGET_BYTES: usize = 128;

/// The journal of one host. Dropping it writes what is queued; when that fails it tries a few times more.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    queue_bytes: usize,
    events: Sender<Queued>,
    gauges: Arc<Gauges>,
    /// The thread that writes, and the lock, which is given back after the thread has ended; `None` once closed.
    open: Mutex<Option<(JoinHandle<()>, Lock)>>,
}

impl Journal {
    /// Opens the journal, or begins one. Runs that a process left running when it was killed become interrupted.
    pub fn open(config: &JournalConfig, clock: Arc<dyn Clock>) -> Result<Self, JournalError> {
        let path = database::resolve(&config.path)?;
        let lock = database::lock(&path)?;
        database::vet(&path)?;
        let gauges = Arc::new(Gauges::default());
        let (events, received) = unbounded();
        let session = Session::begin(path.clone(), config.value_bytes)?;
        let writer = Writer::new(session, config.keep, clock, Arc::clone(&gauges), received);
        let thread = std::thread::Builder::new()
            .name("patchbay-journal".to_owned())
            .spawn(move || writer.run())
            .map_err(JournalError::Thread)?;
        Ok(Self {
            path,
            queue_bytes: config.queue_bytes,
            events,
            gauges,
            open: Mutex::new(Some((thread, lock))),
        })
    }

    /// Records that a run began. Never waits.
    pub fn begin(&self, start: RunStart) {
        let bytes = start.queue_bytes();
        self.tell(Event::Begin(Box::new(start)), bytes);
    }

    /// Records how a run ended, whether or not its beginning was recorded; the last record of a run counts. Never waits.
    ///
    /// When twice the bytes of the queue wait already, somebody admits runs although the journal is behind: the values
    /// of the record are then replaced as values that are too long are.
    pub fn finish(&self, mut record: RunRecord) {
        if self.gauges.queued_bytes() >= self.queue_bytes.saturating_mul(2) {
            record.drop_contents();
        }
        let bytes = record.queue_bytes();
        self.tell(Event::Finish(Box::new(record)), bytes);
    }

    /// Deletes a run, in order with what was recorded before. Never waits. A run that ends later is recorded again.
    pub fn forget(&self, run: &RunId) {
        self.tell(Event::Forget(run.clone()), FORGET_BYTES);
    }

    /// Waits until everything that was recorded before is on the disk, and would be there after a power failure.
    pub fn sync(&self, within: Duration) -> Result<(), JournalError> {
        self.ask(Event::Sync, within)
    }

    /// Forgets now what is beyond the retention, and says how many runs that were.
    pub fn prune(&self, within: Duration) -> Result<u64, JournalError> {
        self.ask(Event::Prune, within)
    }

    /// Whether more waits to be written than the queue is meant for. Admit no new runs while it is so.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.gauges.queued_bytes() >= self.queue_bytes
    }

    /// Runs, the newest first. Reads the database: what is still queued is not in it.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, JournalError> {
        reading::runs(&self.path, filter)
    }

    /// One run with its nodes and its document.
    pub fn run(&self, run: &RunId) -> Result<Option<StoredRun>, JournalError> {
        reading::run(&self.path, run)
    }

    /// What nodes of a plugin were given, and what they answered: the newest first.
    pub fn inputs(&self, filter: &InputFilter) -> Result<StoredInputs, JournalError> {
        usage::inputs(&self.path, filter)
    }

    /// Whose runs that began at this time or later used a plugin; also those that were forgotten since.
    pub fn tenants_of(&self, plugin: &PluginName, since: UnixMillis) -> Result<Vec<TenantId>, JournalError> {
        usage::tenants(&self.path, plugin, since)
    }

    /// What the journal counts of itself.
    #[must_use]
    pub fn stats(&self) -> JournalStats {
        self.gauges
            .read(length(&self.path) + length(&database::beside(&self.path, "-wal")))
    }

    /// Writes what is queued and gives the file up: another one may open it. What is told later is lost; what was written
    /// can still be read.
    pub fn close(&self) {
        let mut open = self.open.lock();
        let Some((thread, lock)) = open.take() else { return };
        let _ = self.events.send(Queued {
            event: Event::Close,
            bytes: 0,
        });
        if thread.join().is_err() {
            tracing::error!("the journal's thread panicked");
        }
        drop(lock);
    }

    fn tell(&self, event: Event, bytes: usize) {
        self.gauges.enqueued(bytes);
        if self.events.send(Queued { event, bytes }).is_err() {
            tracing::error!("a run is not recorded: the journal is closed");
        }
    }

    fn ask<T>(&self, event: fn(Sender<T>) -> Event, within: Duration) -> Result<T, JournalError> {
        let (answer, answered) = bounded(1);
        // Whether it was sent shows in the answer.
        let _ = self.events.send(Queued {
            event: event(answer),
            bytes: 0,
        });
        answered.recv_timeout(within).map_err(|_| JournalError::NotYet {
            queued: self.gauges.queued(),
            why: self.gauges.failing(),
        })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}
