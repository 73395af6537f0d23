//! The one thread that writes.
//!
//! What it was told stays in its backlog until the transaction that has it is on the disk. When the disk is full or the
//! database is broken or held by somebody else, it tries again, more and more seldom.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use patchbay_vocab::Explain;

use crate::StateError;
use crate::keys::Keys;
use crate::record::Write;
use crate::session::{Session, Trouble, told};
use crate::stats::Gauges;

/// How much goes into one transaction.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 16 << 20;
/// What is told together may be this large.
pub(crate) const LARGEST_BYTES: usize = 16 << 20;
/// The first wait after a failure, and the longest.
const FIRST_DELAY: Duration = Duration::from_millis(20);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// How often writing is tried when the state is closed.
const LAST_ATTEMPTS: u32 = 3;

/// Where an answer goes: nothing, or why a change was refused.
pub(crate) type Answer = Sender<Result<(), String>>;

/// What the writer is told.
#[derive(Debug)]
pub(crate) enum Event {
    /// Changes that are made together or not at all.
    Tell {
        writes: Vec<Write>,
        bytes: usize,
        answer: Option<Answer>,
    },
    /// Answered when everything before it is on the disk, or refused.
    Settle {
        answer: Answer,
        refused: Option<String>,
    },
    Close,
}

impl Event {
    fn bytes(&self) -> usize {
        match self {
            Self::Tell { bytes, .. } => *bytes,
            Self::Settle { .. } | Self::Close => 0,
        }
    }

    fn writes(&self) -> &[Write] {
        match self {
            Self::Tell { writes, .. } => writes,
            Self::Settle { .. } | Self::Close => &[],
        }
    }
}

pub(crate) struct Writer {
    session: Session,
    gauges: Arc<Gauges>,
    events: Receiver<Event>,
    backlog: VecDeque<Event>,
    /// While it is not zero, changes go one by one: one of them is refused.
    singly: usize,
    /// Why a change was refused that nobody has asked about yet.
    unheard: Option<String>,
    failure: Option<Failure>,
    closing: bool,
}

/// Writing fails at the moment.
struct Failure {
    attempts: u32,
    again_at: Instant,
}

impl Writer {
    pub(crate) fn new(session: Session, gauges: Arc<Gauges>, events: Receiver<Event>) -> Self {
        Self {
            session,
            gauges,
            events,
            backlog: VecDeque::new(),
            singly: 0,
            unheard: None,
            failure: None,
            closing: false,
        }
    }

    /// Puts every key of the audit into `keys`. When that cannot be read, every order's key is looked up in the database.
    pub(crate) fn fill(&self, keys: &Keys) {
        let filled = self
            .session
            .connection()
            .map_or(Ok(()), |connection| keys.fill(connection));
        if let Err(error) = filled {
            tracing::warn!(%error, "the keys of orders could not be read");
        }
    }

    pub(crate) fn run(mut self) {
        loop {
            self.receive();
            let may_try = self
                .failure
                .as_ref()
                .is_none_or(|failure| failure.again_at <= Instant::now() || self.closing);
            if may_try && !self.backlog.is_empty() {
                self.write();
            }
            if self.closing && self.is_done() {
                break;
            }
        }
    }

    /// Takes in what was sent; waits for it when there is nothing to do.
    fn receive(&mut self) {
        let first = match &self.failure {
            _ if self.closing => None,
            Some(failure) => self.events.recv_deadline(failure.again_at).ok(),
            None if !self.backlog.is_empty() => None,
            None => self.events.recv().ok().or(Some(Event::Close)),
        };
        if let Some(event) = first {
            self.take(event);
        }
        while let Ok(event) = self.events.try_recv() {
            self.take(event);
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Close => self.closing = true,
            Event::Settle { answer, .. } => {
                let refused = self.unheard.take();
                self.backlog.push_back(Event::Settle { answer, refused });
            }
            Event::Tell { .. } => self.backlog.push_back(event),
        }
    }

    /// Whether the thread may end; what cannot be written after some attempts is lost with the process.
    fn is_done(&self) -> bool {
        let attempts = self.failure.as_ref().map_or(0, |failure| failure.attempts);
        let given_up = !self.backlog.is_empty() && attempts >= LAST_ATTEMPTS;
        if given_up {
            tracing::error!(
                changes = self.gauges.queued(),
                "the state ends with changes that were not written"
            );
        }
        given_up || self.backlog.is_empty()
    }

    fn write(&mut self) {
        let began = Instant::now();
        let count = if self.singly > 0 { 1 } else { self.batch() };
        let batch = self.backlog.iter().take(count);
        if let Some(bytes) = batch
            .clone()
            .map(Event::bytes)
            .find(|bytes| *bytes > LARGEST_BYTES)
        {
            self.isolate(count, format!("it has {bytes} bytes"));
            return;
        }
        let writes = batch.flat_map(Event::writes);
        // What is on the disk already needs no transaction to be settled.
        let done = match writes.clone().next() {
            Some(_) => self.session.write(writes),
            None => Ok(()),
        };
        match done {
            Ok(()) => self.written(count, began.elapsed()),
            Err(trouble) if trouble.is_of_the_change() => {
                let (_, why) = told(trouble);
                self.isolate(count, why);
            }
            Err(trouble) => self.failed(trouble),
        }
    }

    fn batch(&self) -> usize {
        let mut bytes = 0_usize;
        let fits = |event: &&Event| {
            let first = bytes == 0;
            bytes = bytes.saturating_add(event.bytes().max(1));
            first || bytes <= BATCH_BYTES
        };
        self.backlog.iter().take(BATCH).take_while(fits).count()
    }

    fn written(&mut self, count: usize, took: Duration) {
        self.recovered();
        self.singly = self.singly.saturating_sub(count);
        let written: Vec<Event> = self.backlog.drain(..count.min(self.backlog.len())).collect();
        let told = written.iter().filter(|event| !event.writes().is_empty());
        let (changes, bytes) = told.fold((0, 0), |(changes, bytes), event| {
            (changes + 1, bytes + event.bytes())
        });
        if changes > 0 {
            self.gauges
                .written(changes, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            self.gauges.left(changes, bytes);
        }
        for event in written {
            let (answer, outcome) = match event {
                Event::Tell {
                    answer: Some(answer), ..
                } => (answer, Ok(())),
                Event::Settle { answer, refused } => (answer, refused.map_or(Ok(()), Err)),
                Event::Tell { answer: None, .. } | Event::Close => continue,
            };
            // Nobody waits any longer when this fails.
            let _ = answer.send(outcome);
        }
    }

    /// One of the changes is refused for what it is: it must not hold up the others.
    fn isolate(&mut self, count: usize, why: String) {
        if count > 1 {
            self.singly = count;
            return;
        }
        self.recovered();
        self.singly = self.singly.saturating_sub(1);
        let Some(event) = self.backlog.pop_front() else {
            return;
        };
        let Event::Tell { bytes, answer, .. } = event else {
            return;
        };
        self.gauges.left(1, bytes);
        self.gauges.refused();
        let refused = StateError::Refused { why: why.clone() };
        tracing::error!(code = %refused.code(), hint = refused.help(), "{}", refused.chain());
        if let Some(answer) = answer {
            // Nobody waits any longer when this fails.
            let _ = answer.send(Err(why));
            return;
        }
        let mut is_heard = false;
        for event in &mut self.backlog {
            if let Event::Settle { refused, .. } = event {
                refused.get_or_insert_with(|| why.clone());
                is_heard = true;
            }
        }
        if !is_heard {
            self.unheard.get_or_insert(why);
        }
    }

    fn failed(&mut self, trouble: Trouble) {
        let attempts = self.failure.as_ref().map_or(0, |failure| failure.attempts);
        let delay = FIRST_DELAY
            .saturating_mul(1 << attempts.min(16))
            .min(LONGEST_DELAY);
        self.failure = Some(Failure {
            attempts: attempts + 1,
            again_at: Instant::now() + delay,
        });
        if !trouble.spares_the_connection() {
            self.session.close();
        }
        let (failure, why) = told(trouble);
        self.gauges.failed(why);
        if attempts == 0 {
            tracing::error!(code = %failure.code(), hint = failure.help(), "{}", failure.chain());
        }
    }

    fn recovered(&mut self) {
        if self.failure.take().is_some() {
            self.gauges.recovered();
            tracing::info!("the state is written again");
        }
    }
}
