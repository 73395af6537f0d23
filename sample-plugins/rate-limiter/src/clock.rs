//! Invariant: within one instance time never goes backwards; between instances it is the time of day.
//!
//! A bucket handed to the next version must know how long ago it was saved. An `Instant` says nothing outside the
//! instance that took it, so the clock starts at the time of day and runs on steadily from there.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    time_of_day: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let time_of_day = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            start: Instant::now(),
            time_of_day: u64::try_from(time_of_day.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// Microseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        let elapsed = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.time_of_day.saturating_add(elapsed)
    }
}
