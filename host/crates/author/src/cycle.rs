//! When to build.
//!
//! Invariant: at most one build runs; a change that comes while one runs makes its result out of date, and is followed by
//! another build; changes that come close together cause one build.
//!
//! ```text
//! idle --changed--> waiting --quiet for a moment--> building --ended, no change meanwhile--> idle (fresh)
//!                      ^                               \-----ended, changed meanwhile--> waiting (stale)
//! ```

use std::time::Duration;

use patchbay_vocab::Monotonic;

/// An editor writes several files, or one in several steps; this long without another change is the end of a save.
const QUIET: Duration = Duration::from_millis(20);

/// Whether what was built is what the sources say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing changed since the build began.
    Fresh,
    /// Something did: another build follows.
    Stale,
}

/// The machine; it is told the time.
#[derive(Debug)]
pub struct Cycle {
    building: bool,
    changed: Option<Monotonic>,
}

impl Cycle {
    /// A machine that wants its first build at once.
    #[must_use]
    pub const fn starting() -> Self {
        Self {
            building: false,
            changed: Some(Monotonic(Duration::ZERO)),
        }
    }

    /// A source changed.
    pub const fn changed(&mut self, now: Monotonic) {
        self.changed = Some(now);
    }

    /// A lock file changed: builds write it themselves, so one that changes during a build is no news.
    pub const fn lock_changed(&mut self, now: Monotonic) {
        if !self.building {
            self.changed(now);
        }
    }

    /// When to ask again whether to build; `None` for not before something happens.
    #[must_use]
    pub fn due(&self) -> Option<Monotonic> {
        let changed = self.changed.filter(|_| !self.building)?;
        Some(Monotonic(changed.0 + QUIET))
    }

    /// Whether a build is to be started now; the machine takes it for started.
    pub fn starts(&mut self, now: Monotonic) -> bool {
        let starts = self.due().is_some_and(|due| due <= now);
        if starts {
            (self.building, self.changed) = (true, None);
        }
        starts
    }

    /// The build has ended.
    pub const fn ended(&mut self) -> Freshness {
        self.building = false;
        match self.changed {
            None => Freshness::Fresh,
            Some(_) => Freshness::Stale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Monotonic {
        Monotonic(Duration::from_millis(1_000 + millis))
    }

    fn idle() -> Cycle {
        let mut cycle = Cycle::starting();
        assert!(cycle.starts(at(0)));
        assert_eq!(cycle.ended(), Freshness::Fresh);
        cycle
    }

    #[test]
    fn the_first_build_starts_by_itself_and_the_next_one_with_a_change() {
        let mut cycle = idle();
        assert_eq!(cycle.due(), None);
        assert!(!cycle.starts(at(5_000)));
        cycle.changed(at(6_000));
        assert!(cycle.starts(at(6_020)));
    }

    #[test]
    fn changes_that_come_close_together_cause_one_build() {
        let mut cycle = idle();
        for millis in [0, 10, 25] {
            cycle.changed(at(millis));
            assert!(!cycle.starts(at(millis + 1)));
        }
        assert_eq!(cycle.due(), Some(at(45)));
        assert!(!cycle.starts(at(44)));
        assert!(cycle.starts(at(45)));
        assert_eq!(cycle.ended(), Freshness::Fresh);
        assert!(!cycle.starts(at(1_000)));
    }

    #[test]
    fn a_change_during_a_build_waits_for_its_end_and_makes_it_stale() {
        let mut cycle = idle();
        cycle.changed(at(0));
        assert!(cycle.starts(at(20)));
        cycle.changed(at(30));
        assert!(!cycle.starts(at(9_000)), "two builds at a time");
        assert_eq!(cycle.ended(), Freshness::Stale);
        assert!(cycle.starts(at(9_000)));
        assert_eq!(cycle.ended(), Freshness::Fresh);
    }

    #[test]
    fn a_lock_file_that_the_build_wrote_causes_no_other_build() {
        let mut cycle = idle();
        cycle.changed(at(0));
        assert!(cycle.starts(at(20)));
        cycle.lock_changed(at(30));
        assert_eq!(cycle.ended(), Freshness::Fresh);
        cycle.lock_changed(at(40));
        assert!(cycle.starts(at(60)));
    }
}
