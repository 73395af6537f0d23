//! Compiled patterns, kept for the next call.
//!
//! Invariant: what is kept is bounded in number and in weight, and nothing of it is left when the plugin has ended. Nobody
//! waits for a pattern to be compiled but who asked for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugin_api::prelude::*;

use crate::compiled::Compiled;
use crate::dialect::Flags;

/// The most patterns.
const MOST: usize = 64;

/// The most that they weigh together, in states: each takes a hundred bytes or so.
const HEAVIEST: u64 = 200_000;

static KEPT: Mutex<Kept> = Mutex::new(Kept::new());

/// The pattern, compiled now or before.
pub(crate) fn compiled(pattern: &str, flags: Flags) -> NodeResult<Arc<Compiled>> {
    if let Some(found) = locked().find(pattern, flags) {
        return Ok(found);
    }
    let compiled = Arc::new(Compiled::of(pattern, flags)?);
    locked().keep(pattern, flags, &compiled);
    Ok(compiled)
}

/// Gives up everything; the plugin's last word.
pub(crate) fn give_up() {
    *locked() = Kept::new();
}

fn locked() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Entry {
    pattern: Box<str>,
    flags: Flags,
    compiled: Arc<Compiled>,
    /// When it was last asked for.
    asked: u64,
}

struct Kept {
    entries: Vec<Entry>,
    weight: u64,
    /// Counts the questions.
    clock: u64,
}

impl Kept {
    const fn new() -> Self {
        Self {
            entries: Vec::new(),
            weight: 0,
            clock: 0,
        }
    }

    fn find(&mut self, pattern: &str, flags: Flags) -> Option<Arc<Compiled>> {
        self.clock += 1;
        let same = |entry: &&mut Entry| entry.flags == flags && *entry.pattern == *pattern;
        let entry = self.entries.iter_mut().find(same)?;
        entry.asked = self.clock;
        Some(Arc::clone(&entry.compiled))
    }

    fn keep(&mut self, pattern: &str, flags: Flags, compiled: &Arc<Compiled>) {
        // Somebody else may have compiled it meanwhile.
        if compiled.weight() > HEAVIEST || self.find(pattern, flags).is_some() {
            return;
        }
        while self.entries.len() >= MOST || self.weight + compiled.weight() > HEAVIEST {
            let oldest = self
                .entries
                .iter()
                .enumerate()
                .min_by_key(|(_, entry)| entry.asked);
            let Some((at, _)) = oldest else { break };
            let gone = self.entries.swap_remove(at);
            self.weight -= gone.compiled.weight();
        }
        self.weight += compiled.weight();
        self.entries.push(Entry {
            pattern: pattern.into(),
            flags,
            compiled: Arc::clone(compiled),
            asked: self.clock,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(pattern: &str) -> Arc<Compiled> {
        Arc::new(Compiled::of(pattern, Flags::default()).unwrap())
    }

    #[test]
    fn what_is_asked_for_stays_and_what_is_not_goes_first() {
        let mut kept = Kept::new();
        let flags = Flags::default();
        for number in 0..MOST {
            let pattern = format!("a{number}");
            kept.keep(&pattern, flags, &compiled(&pattern));
        }
        assert!(kept.find("a0", flags).is_some());
        kept.keep("b", flags, &compiled("b"));
        assert_eq!(kept.entries.len(), MOST);
        assert!(kept.find("a0", flags).is_some());
        assert!(kept.find("b", flags).is_some());
        assert!(kept.find("a1", flags).is_none());
    }

    #[test]
    fn a_pattern_with_other_flags_is_another_one() {
        let mut kept = Kept::new();
        kept.keep("a", Flags::default(), &compiled("a"));
        let ignore_case = Flags {
            ignore_case: true,
            ..Flags::default()
        };
        assert!(kept.find("a", ignore_case).is_none());
        assert!(kept.find("A", Flags::default()).is_none());
        assert!(kept.find("a", Flags::default()).is_some());
    }

    #[test]
    fn what_is_kept_has_a_weight() {
        let mut kept = Kept::new();
        let flags = Flags::default();
        for number in 0..8 {
            let pattern = format!("{number}[a-z]{{1,30000}}");
            kept.keep(&pattern, flags, &compiled(&pattern));
        }
        assert!(kept.weight <= HEAVIEST, "{}", kept.weight);
        let weights = kept.entries.iter().map(|entry| entry.compiled.weight());
        assert_eq!(kept.weight, weights.sum::<u64>());
        assert!((1..8).contains(&kept.entries.len()), "{}", kept.entries.len());
        assert!(kept.find("7[a-z]{1,30000}", flags).is_some());
    }

    #[test]
    fn nothing_is_left_when_the_plugin_ends() {
        let one = super::compiled("never kept elsewhere", Flags::default()).unwrap();
        assert_eq!(Arc::strong_count(&one), 2);
        give_up();
        assert_eq!(Arc::strong_count(&one), 1);
        assert!(locked().entries.is_empty());
    }
}
