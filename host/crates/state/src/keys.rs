//! Which keys orders had, as far as that can be said without a disk.
//!
//! Invariant: a key that the audit has, or that was told, is never taken for a fresh one. A fresh one may be taken for one
//! that is known, and then the disk says what is so: with a million keys that happens to two fresh ones in a hundred, with
//! ten thousand to one in a billion. Memory is the same however many keys there are.
//!
//! The set is a filter after B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", Communications of the
//! ACM 13 (1970), pages 422 to 426. It is filled from the audit by the thread that writes, before its first write; until
//! then every key may be known.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rusqlite::Connection;

/// One MiB.
const BITS: u64 = 1 << 23;
/// Bits of one key.
const HASHES: u64 = 4;

pub(crate) struct Keys {
    bits: Box<[AtomicU64]>,
    /// By chance, so that nobody can choose keys that meet.
    hashing: RandomState,
    /// Whether all keys of the audit are in it.
    is_whole: AtomicBool,
}

impl Default for Keys {
    fn default() -> Self {
        let words = usize::try_from(BITS / 64).unwrap_or(0);
        Self {
            bits: std::iter::repeat_with(AtomicU64::default).take(words).collect(),
            hashing: RandomState::new(),
            is_whole: AtomicBool::new(false),
        }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("is_whole", &self.is_whole)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// A key was told.
    pub(crate) fn add(&self, key: &str) {
        for place in self.places(key) {
            if let Some(word) = self.word(place) {
                word.fetch_or(1 << (place % 64), Ordering::Relaxed);
            }
        }
    }

    /// Whether a key may be known; `false` is certain.
    pub(crate) fn may_have(&self, key: &str) -> bool {
        // Acquire, for what was put in before it was whole. What is told later is known to whoever was answered.
        if !self.is_whole.load(Ordering::Acquire) {
            return true;
        }
        let has = |place| {
            let word = self
                .word(place)
                .map_or(u64::MAX, |word| word.load(Ordering::Relaxed));
            word & (1 << (place % 64)) != 0
        };
        self.places(key).all(has)
    }

    /// Puts in every key of the audit.
    pub(crate) fn fill(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare("SELECT key FROM audit WHERE key IS NOT NULL")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            // Whatever is no text is the key of no order.
            if let Ok(key) = row.get_ref(0)?.as_str() {
                self.add(key);
            }
        }
        self.is_whole.store(true, Ordering::Release);
        Ok(())
    }

    /// The bits of a key: two hashes give as many as are wanted.
    fn places(&self, key: &str) -> impl Iterator<Item = u64> + use<> {
        let hash = self.hashing.hash_one(key);
        let (first, step) = (hash >> 32, (hash & 0xffff_ffff) | 1);
        (0..HASHES).map(move |turn| first.wrapping_add(turn.wrapping_mul(step)) % BITS)
    }

    fn word(&self, place: u64) -> Option<&AtomicU64> {
        self.bits.get(usize::try_from(place / 64).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit(keys: &[Option<&str>]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE audit (key TEXT)").unwrap();
        for key in keys {
            connection
                .execute("INSERT INTO audit (key) VALUES (?1)", [key])
                .unwrap();
        }
        connection
    }

    #[test]
    fn a_key_that_is_known_is_never_taken_for_a_fresh_one() {
        let keys = Keys::default();
        assert!(keys.may_have("anything"), "nobody knows yet");
        keys.add("told before");
        keys.fill(&audit(&[Some("a"), None, Some("")])).unwrap();
        keys.add("told after");
        for known in ["told before", "told after", "a", ""] {
            assert!(keys.may_have(known), "{known}");
        }
    }

    #[test]
    fn of_fresh_keys_hardly_one_is_taken_for_known() {
        let keys = Keys::default();
        keys.fill(&audit(&[])).unwrap();
        for n in 0..10_000 {
            keys.add(&format!("order-{n}"));
        }
        let taken = (0..10_000).filter(|n| keys.may_have(&format!("fresh-{n}")));
        assert!(taken.count() < 10);
    }

    #[test]
    fn without_the_audit_every_key_may_be_known() {
        let keys = Keys::default();
        assert!(keys.fill(&Connection::open_in_memory().unwrap()).is_err());
        assert!(keys.may_have("anything"));
    }
}
