//! A recording of a host's events that can be waited on.

use std::fmt::Write;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use patchbay::{EventView, Patchbay};
use tokio::sync::broadcast::error::RecvError;

/// How long anything may take before a test gives it up. Nothing takes this long on a machine that works.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Every event since it was started, or since [`Tape::forget`].
#[derive(Clone, Debug)]
pub struct Tape {
    shared: Arc<(Mutex<Kept>, Condvar)>,
}

#[derive(Debug, Default)]
struct Kept {
    forgotten: usize,
    events: Vec<EventView>,
}

impl Tape {
    /// Starts to record; the recording ends with the host.
    #[must_use]
    pub fn start(host: &Patchbay) -> Self {
        let shared = Arc::new((Mutex::new(Kept::default()), Condvar::new()));
        let tape = Self {
            shared: Arc::clone(&shared),
        };
        let mut events = host.subscribe();
        let record = move || {
            loop {
                match events.blocking_recv() {
                    Ok(event) => {
                        shared.0.lock().unwrap().events.push(event);
                        shared.1.notify_all();
                    }
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        };
        std::thread::Builder::new()
            .name("test-tape".into())
            .spawn(record)
            .unwrap();
        tape
    }

    /// Where the recording is now.
    #[must_use]
    pub fn position(&self) -> usize {
        let kept = self.shared.0.lock().unwrap();
        kept.forgotten + kept.events.len()
    }

    /// The position behind an event of the recording.
    #[must_use]
    pub fn position_after(&self, event: &EventView) -> usize {
        let kept = self.shared.0.lock().unwrap();
        let at = kept
            .events
            .iter()
            .position(|known| known.sequence == event.sequence);
        at.map_or(kept.forgotten, |at| kept.forgotten + at + 1)
    }

    /// Lets go of what was recorded, for tests that look at the memory of the process; positions stay right.
    pub fn forget(&self) {
        let mut kept = self.shared.0.lock().unwrap();
        kept.forgotten += kept.events.len();
        kept.events.clear();
    }

    /// All events so far that are `wanted`.
    #[must_use]
    pub fn all(&self, wanted: impl Fn(&EventView) -> bool) -> Vec<EventView> {
        let kept = self.shared.0.lock().unwrap();
        kept.events
            .iter()
            .filter(|event| wanted(event))
            .cloned()
            .collect()
    }

    /// Waits for an event at or after `from`; `None` when [`DEADLINE`] passes first.
    #[must_use]
    pub fn find_after(&self, from: usize, wanted: impl Fn(&EventView) -> bool) -> Option<EventView> {
        let until = Instant::now() + DEADLINE;
        let mut seen = self.shared.0.lock().unwrap();
        let mut at = from;
        loop {
            while let Some(event) = seen.events.get(at.saturating_sub(seen.forgotten)) {
                at += 1;
                if wanted(event) {
                    return Some(event.clone());
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            seen = self.shared.1.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// The recording as text, for a test that gives up.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for event in &self.shared.0.lock().unwrap().events {
            let plugin = event.plugin.as_ref().map(ToString::to_string).unwrap_or_default();
            let version = event
                .version
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let code = event.code.as_deref().unwrap_or_default();
            writeln!(
                text,
                "{} {} {plugin} {version} {code} {}",
                event.sequence, event.kind, event.message
            )
            .unwrap();
        }
        text
    }
}
