//! What is due at a time: tries that wait, calls and runs that take too long.
//!
//! Invariant: an entry fires at most once, and not before its time on the executor's clock. One thread waits for the
//! earliest.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use patchbay_vocab::{Clock, Monotonic};

use crate::ends::Overdue;
use crate::frame::Frame;

/// What an entry is about.
pub(crate) enum Due {
    /// A node's next try.
    Wake(Arc<Frame>, u32),
    /// A call that should have returned.
    Call(Arc<Frame>, Overdue),
    /// A run that should have ended.
    Run(Arc<Frame>),
    /// A run that was told to end and has not.
    Grace(Arc<Frame>),
    /// Something short.
    Do(Box<dyn FnOnce() + Send>),
}

/// An entry, to take it back.
pub(crate) type Ticket = (Monotonic, u64);

pub(crate) struct Timers {
    entries: Mutex<Entries>,
    earlier: Condvar,
    next: AtomicU64,
    clock: Arc<dyn Clock>,
}

struct Entries {
    due: BTreeMap<Ticket, Due>,
    open: bool,
}

impl Timers {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            entries: Mutex::new(Entries {
                due: BTreeMap::new(),
                open: true,
            }),
            earlier: Condvar::new(),
            next: AtomicU64::new(0),
            clock,
        }
    }

    /// Enters something that is due `after` from now.
    pub(crate) fn add(&self, after: Duration, due: Due) -> Ticket {
        let at = Monotonic(self.clock.now().0.saturating_add(after));
        let ticket = (at, self.next.fetch_add(1, Ordering::Relaxed));
        let mut entries = self.entries.lock();
        let first = entries
            .due
            .first_key_value()
            .is_none_or(|(known, _)| ticket < *known);
        entries.due.insert(ticket, due);
        drop(entries);
        if first {
            self.earlier.notify_one();
        }
        ticket
    }

    /// Takes an entry back; false when it has fired.
    pub(crate) fn remove(&self, ticket: Ticket) -> bool {
        // Dropped outside the lock: it may be the last hold on a run.
        let entry = self.entries.lock().due.remove(&ticket);
        entry.is_some()
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.lock().due.len()
    }

    /// Looks at the clock again; for clocks that are moved by hand.
    pub(crate) fn look(&self) {
        self.earlier.notify_all();
    }

    pub(crate) fn close(&self) {
        let mut entries = self.entries.lock();
        entries.open = false;
        let left = std::mem::take(&mut entries.due);
        drop(entries);
        drop(left);
        self.earlier.notify_all();
    }

    /// Waits for the next entry that is due; `None` when the timers were closed.
    pub(crate) fn wait(&self) -> Option<Due> {
        let mut entries = self.entries.lock();
        loop {
            if !entries.open {
                return None;
            }
            let now = self.clock.now();
            match entries.due.first_key_value() {
                Some(((at, _), _)) if *at <= now => return entries.due.pop_first().map(|(_, due)| due),
                Some(((at, _), _)) => {
                    let left = at.since(now);
                    self.earlier.wait_for(&mut entries, left);
                }
                None => self.earlier.wait(&mut entries),
            }
        }
    }
}
