//! The handle: what the rest of the host tells and asks.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use parking_lot::Mutex;
use patchbay_database::{self as database, Lock};
use patchbay_vocab::{Clock, PluginName, RevisionNumber, kill_point};

use crate::keys::Keys;
use crate::loading::{Loading, Marker};
use crate::record::{GoodSet, Remembered, Write};
use crate::session::Session;
use crate::stats::Gauges;
use crate::writer::{Event, Writer};
use crate::{StateConfig, StateError, StateStats, remember};

/// The state of one host. Dropping it writes what is queued; when that fails it tries a few times more.
#[derive(Debug)]
pub struct State {
    pub(crate) path: PathBuf,
    events: Sender<Event>,
    gauges: Arc<Gauges>,
    pub(crate) keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    boot: u64,
    loading: Marker,
    /// The thread that writes, and the lock, which is given back after the thread has ended; `None` once closed.
    open: Mutex<Option<(JoinHandle<()>, Lock)>>,
}

impl State {
    /// Opens the state, or begins one, notes the boot, and tells what the last host left.
    ///
    /// # Errors
    /// When the file is not a state, damaged, of a newer host, in use, or cannot be read or written.
    pub fn open(config: &StateConfig, clock: Arc<dyn Clock>) -> Result<(Self, Remembered), StateError> {
        let path = database::resolve(&config.path)?;
        let lock = database::lock(&path)?;
        database::vet(&path)?;
        let (marker, loading) = Marker::open(&path)?;
        let session = Session::begin(path.clone(), config)?;
        kill_point("state.opened");
        let mut remembered = match session.connection() {
            Some(connection) => remember::all(connection)?,
            None => Remembered::default(),
        };
        remembered.loading = loading;
        let boot = session
            .boot(clock.wall(), &config.version)
            .map_err(|error| StateError::from(database::refusal(&path, error)))?;
        kill_point("state.booted");
        marker.clear();
        let gauges = Arc::new(Gauges::default());
        let keys = Arc::new(Keys::default());
        let (events, received) = unbounded();
        let writer = Writer::new(session, Arc::clone(&gauges), received);
        let known = Arc::clone(&keys);
        let thread = std::thread::Builder::new()
            .name("patchbay-state".to_owned())
            .spawn(move || {
                writer.fill(&known);
                writer.run();
            })
            .map_err(StateError::Thread)?;
        let state = Self {
            path,
            events,
            gauges,
            keys,
            clock,
            boot,
            loading: marker,
            open: Mutex::new(Some((thread, lock))),
        };
        Ok((state, remembered))
    }

    /// Queues changes that are made together or not at all, behind everything that was told before. Never waits.
    pub fn tell(&self, writes: Vec<Write>) {
        self.send(writes, None);
        kill_point("state.queued");
    }

    /// Tells, and waits until it is on the disk.
    ///
    /// # Errors
    /// When it is refused, or not on the disk in time: it is then still queued, and written when that can be done.
    pub fn record(&self, writes: Vec<Write>, within: Duration) -> Result<(), StateError> {
        let (answer, answered) = bounded(1);
        self.send(writes, Some(answer));
        kill_point("state.queued");
        self.wait(&answered, within)
    }

    /// Waits until everything that was told before is on the disk, and would be there after a power failure.
    ///
    /// # Errors
    /// When it is not in time, or when something told before was refused and nobody was told so yet.
    pub fn settle(&self, within: Duration) -> Result<(), StateError> {
        let (answer, answered) = bounded(1);
        // Whether it was sent shows in the answer.
        let _ = self.events.send(Event::Settle {
            answer,
            refused: None,
        });
        self.wait(&answered, within)
    }

    /// Why writing fails at the moment; `None` when it does not.
    #[must_use]
    pub fn is_failing(&self) -> Option<String> {
        self.gauges.failing()
    }

    /// What the state counts of itself.
    #[must_use]
    pub fn stats(&self) -> StateStats {
        self.gauges
            .read(length(&self.path) + length(&database::beside(&self.path, "-wal")))
    }

    /// The number of this boot.
    #[must_use]
    pub const fn boot(&self) -> u64 {
        self.boot
    }

    /// Queues that the host is well with what is live.
    pub fn boot_stable(&self, live: impl IntoIterator<Item = (PluginName, RevisionNumber)>) {
        let at = self.clock.wall();
        let good = GoodSet {
            at,
            live: live.into_iter().collect(),
        };
        self.tell(vec![Write::Good(good), Write::BootStable { boot: self.boot, at }]);
    }

    /// Notes that the host ends by order, after everything that was told before.
    ///
    /// # Errors
    /// As [`State::record`].
    pub fn end_clean(&self, within: Duration) -> Result<(), StateError> {
        let at = self.clock.wall();
        self.record(vec![Write::BootEnded { boot: self.boot, at }], within)
    }

    /// Marks that a revision is being loaded for service, until the mark is dropped: a host that dies meanwhile has it
    /// among its [`Remembered::loading`] when it starts again. Waits for no disk.
    #[must_use = "the mark goes when it is dropped"]
    pub fn about_to_load(&self, plugin: &PluginName, number: RevisionNumber) -> Loading {
        self.loading.mark(plugin, number)
    }

    /// Writes what is queued and gives the file up: another host may open it. What is told later is lost; what was
    /// written can still be read.
    pub fn close(&self) {
        let mut open = self.open.lock();
        let Some((thread, lock)) = open.take() else { return };
        let _ = self.events.send(Event::Close);
        if thread.join().is_err() {
            tracing::error!("the state's thread panicked");
        }
        drop(lock);
    }

    fn send(&self, writes: Vec<Write>, answer: Option<crate::writer::Answer>) {
        if writes.is_empty() && answer.is_none() {
            return;
        }
        for write in &writes {
            if let Write::Audit(entry) = write {
                entry.key.iter().for_each(|key| self.keys.add(key));
            }
        }
        let bytes = writes.iter().map(Write::bytes).fold(0, usize::saturating_add);
        if !writes.is_empty() {
            self.gauges.enqueued(bytes);
        }
        if self
            .events
            .send(Event::Tell {
                writes,
                bytes,
                answer,
            })
            .is_err()
        {
            tracing::error!("a change is not recorded: the state is closed");
        }
    }

    fn wait(&self, answered: &Receiver<Result<(), String>>, within: Duration) -> Result<(), StateError> {
        match answered.recv_timeout(within) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(StateError::Refused { why }),
            Err(RecvTimeoutError::Disconnected) => Err(StateError::NotYet {
                queued: self.gauges.queued(),
                why: Some("the state is closed".to_owned()),
            }),
            Err(RecvTimeoutError::Timeout) => Err(StateError::NotYet {
                queued: self.gauges.queued(),
                why: self.gauges.failing(),
            }),
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.close();
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}
