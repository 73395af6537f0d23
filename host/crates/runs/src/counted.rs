//! Caches that count.
//!
//! Invariant: a cache is bounded by the weight of what it keeps, and every look-up is a hit or a miss.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, Weighter};

/// Numbers of one cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheNumbers {
    /// What it keeps.
    pub entries: u64,
    /// How heavy that is, in bytes.
    pub bytes: u64,
    /// Look-ups that found something.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// What was let go for want of room.
    pub evictions: u64,
}

/// What an entry weighs, in bytes.
pub(crate) trait Weighs {
    fn bytes(&self) -> usize;
}

#[derive(Clone, Copy, Debug)]
struct ByBytes;

impl<K, V: Weighs> Weighter<K, V> for ByBytes {
    fn weight(&self, _: &K, value: &V) -> u64 {
        value.bytes() as u64 + 64
    }
}

#[derive(Clone, Debug, Default)]
struct CountEvictions(Arc<AtomicU64>);

impl<K, V> Lifecycle<K, V> for CountEvictions {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: K, _: V) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A cache that is bounded by bytes and counts.
pub(crate) struct Counted<K, V> {
    cache: Cache<K, V, ByBytes, DefaultHashBuilder, CountEvictions>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: Arc<AtomicU64>,
}

impl<K: Eq + Hash + Clone, V: Weighs + Clone> Counted<K, V> {
    /// A cache of so many bytes, made for so many entries.
    pub(crate) fn new(bytes: u64, entries: usize) -> Self {
        let evictions = CountEvictions::default();
        Self {
            evictions: Arc::clone(&evictions.0),
            cache: Cache::with(entries, bytes, ByBytes, DefaultHashBuilder::default(), evictions),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + quick_cache::Equivalent<K> + ?Sized,
    {
        let found = self.cache.get(key);
        let count = if found.is_some() { &self.hits } else { &self.misses };
        count.fetch_add(1, Ordering::Relaxed);
        found
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        self.cache.insert(key, value);
    }

    pub(crate) fn numbers(&self) -> CacheNumbers {
        CacheNumbers {
            entries: self.cache.len() as u64,
            bytes: self.cache.weight(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }
}

impl<K, V> std::fmt::Debug for Counted<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counted").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weighs for Arc<str> {
        fn bytes(&self) -> usize {
            self.len()
        }
    }

    #[test]
    fn what_is_found_what_is_not_and_what_had_to_go_is_counted() {
        let cache: Counted<u32, Arc<str>> = Counted::new(100_000, 100);
        assert!(cache.get(&1).is_none());
        cache.insert(1, "one".into());
        assert_eq!(cache.get(&1).as_deref(), Some("one"));
        let numbers = cache.numbers();
        assert_eq!((numbers.hits, numbers.misses, numbers.entries), (1, 1, 1));
        for key in 0..1000 {
            cache.insert(key, "x".repeat(1000).into());
        }
        let numbers = cache.numbers();
        assert!(numbers.bytes <= 100_000 && numbers.evictions > 800, "{numbers:?}");
    }
}
