//! Invariant: at most `capacity` buckets exist, and none that has something spent is dropped to make room: whoever
//! floods the table with names cannot wash his own limit clean.

use std::collections::HashMap;

use plugin_api::error::code;
use plugin_api::prelude::*;

use crate::bucket::{Bucket, Grant, Rate};

/// The version of the saved form; a later one that cannot be read by this code has another number.
const FORMAT: u32 = 1;

/// The buckets of an instance.
#[derive(Debug)]
pub(crate) struct Table {
    capacity: usize,
    buckets: HashMap<String, Bucket>,
    /// No bucket is full again before this time, so looking for one is vain until then.
    none_full_before: u64,
}

/// The buckets as one version hands them to the next.
#[state]
struct Saved {
    format: u32,
    /// Microseconds since 1970.
    saved_at: u64,
    buckets: Vec<SavedBucket>,
}

#[state]
struct SavedBucket {
    key: String,
    limit: u64,
    window: u64,
    credits: u64,
}

impl Table {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            buckets: HashMap::new(),
            none_full_before: u64::MAX,
        }
    }

    pub(crate) fn take(&mut self, key: String, rate: Rate, tokens: u64, now: u64) -> NodeResult<Grant> {
        if let Some(bucket) = self.buckets.get_mut(&key) {
            if bucket.rate() != rate {
                bucket.change_rate(rate, now);
            }
            let grant = bucket.take(tokens, now);
            self.none_full_before = self.none_full_before.min(bucket.full_at());
            return Ok(grant);
        }
        let mut bucket = Bucket::new(rate, now);
        let grant = bucket.take(tokens, now);
        // A full bucket says no more than none at all.
        if tokens > 0 {
            self.make_room(now)?;
            self.none_full_before = self.none_full_before.min(bucket.full_at());
            self.buckets.insert(key, bucket);
        }
        Ok(grant)
    }

    fn make_room(&mut self, now: u64) -> NodeResult<()> {
        if self.buckets.len() >= self.capacity && self.none_full_before <= now {
            self.buckets.retain(|_, bucket| bucket.full_at() > now);
            self.none_full_before = self
                .buckets
                .values()
                .map(Bucket::full_at)
                .min()
                .unwrap_or(u64::MAX);
        }
        if self.buckets.len() < self.capacity {
            return Ok(());
        }
        let message = format!(
            "parameter `accountId`: {} accounts are being limited already",
            self.capacity
        );
        Err(NodeError::with_code(code::LIMIT_EXCEEDED, message)
            .status(429)
            .retryable(true))
    }

    /// `None` when there is nothing worth saving.
    pub(crate) fn save(&self, now: u64) -> NodeResult<Option<Value>> {
        let spent = self.buckets.iter().filter(|(_, bucket)| bucket.full_at() > now);
        let mut buckets: Vec<SavedBucket> = spent
            .map(|(key, bucket)| SavedBucket {
                key: key.clone(),
                limit: bucket.rate().limit(),
                window: bucket.rate().window(),
                credits: bucket.credits_at(now),
            })
            .collect();
        if buckets.is_empty() {
            return Ok(None);
        }
        // Equal tables are saved as equal bytes.
        buckets.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(Some(Value::from_serialize(&Saved {
            format: FORMAT,
            saved_at: now,
            buckets,
        })?))
    }

    /// Takes over a saved table; the time since then refills the buckets. Changes nothing when it fails.
    pub(crate) fn load(&mut self, state: ValueRef<'_>, now: u64) -> NodeResult<()> {
        let saved: Saved = plugin_api::value::decode(state)?;
        if saved.format != FORMAT {
            return Err(NodeError::new(format!(
                "the saved buckets have format {}, not {FORMAT}",
                saved.format
            )));
        }
        if saved.buckets.len() > self.capacity {
            return Err(NodeError::new(format!(
                "{} buckets are more than {}",
                saved.buckets.len(),
                self.capacity
            )));
        }
        // A time of day that was set back must not stop the buckets from refilling.
        let at = saved.saved_at.min(now);
        let mut buckets = HashMap::with_capacity(saved.buckets.len());
        for SavedBucket {
            key,
            limit,
            window,
            credits,
        } in saved.buckets
        {
            let bucket = Rate::new(limit, window).and_then(|rate| Bucket::restored(rate, credits, at));
            let Some(bucket) = bucket else {
                return Err(NodeError::new(format!(
                    "the saved bucket {key:?} is out of range"
                )));
            };
            buckets.insert(key, bucket);
        }
        self.none_full_before = buckets.values().map(Bucket::full_at).min().unwrap_or(u64::MAX);
        self.buckets = buckets;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn rate() -> Rate {
        Rate::new(10, 10 * SECOND).unwrap()
    }

    fn take(table: &mut Table, key: &str, tokens: u64, now: u64) -> NodeResult<Grant> {
        table.take(key.to_owned(), rate(), tokens, now)
    }

    #[test]
    fn each_key_has_a_bucket_of_its_own() {
        let mut table = Table::new(10);
        assert!(take(&mut table, "a", 10, 0).unwrap().allowed);
        assert!(!take(&mut table, "a", 1, 0).unwrap().allowed);
        assert!(take(&mut table, "b", 10, 0).unwrap().allowed);
    }

    #[test]
    fn a_full_table_drops_refilled_buckets_and_no_others() {
        let mut table = Table::new(2);
        take(&mut table, "a", 10, 0).unwrap();
        take(&mut table, "b", 2, 0).unwrap();
        let refused = take(&mut table, "c", 1, SECOND).unwrap_err();
        assert_eq!(
            (refused.code.as_ref(), refused.status_code),
            (code::LIMIT_EXCEEDED, Some(429))
        );
        // Now `b` is full again, and makes room.
        assert!(take(&mut table, "c", 1, 2 * SECOND).unwrap().allowed);
        assert!(!take(&mut table, "a", 3, 2 * SECOND).unwrap().allowed);
        assert!(take(&mut table, "d", 1, 2 * SECOND).is_err());
    }

    #[test]
    fn looking_at_unknown_keys_takes_no_room() {
        let mut table = Table::new(1);
        for key in ["a", "b", "c"] {
            assert_eq!(take(&mut table, key, 0, 0).unwrap().remaining, 10);
        }
        assert!(take(&mut table, "d", 1, 0).is_ok());
    }

    #[test]
    fn a_saved_table_goes_on_where_it_stopped_and_the_time_between_refills_it() {
        let mut old = Table::new(10);
        take(&mut old, "a", 10, 0).unwrap();
        take(&mut old, "b", 1, 0).unwrap();
        let state = old.save(2 * SECOND).unwrap().unwrap();

        let mut new = Table::new(10);
        new.load(state.as_ref(), 5 * SECOND).unwrap();
        assert_eq!(new.buckets.len(), 1, "a refilled bucket is not saved");
        assert_eq!(take(&mut new, "a", 0, 5 * SECOND).unwrap().remaining, 5);
    }

    #[test]
    fn a_clock_that_was_set_back_between_versions_gives_nothing_and_takes_nothing() {
        let mut old = Table::new(10);
        take(&mut old, "a", 10, 100 * SECOND).unwrap();
        let state = old.save(100 * SECOND).unwrap().unwrap();

        let mut new = Table::new(10);
        new.load(state.as_ref(), 50 * SECOND).unwrap();
        assert_eq!(take(&mut new, "a", 0, 50 * SECOND).unwrap().remaining, 0);
        assert_eq!(take(&mut new, "a", 0, 51 * SECOND).unwrap().remaining, 1);
    }

    #[test]
    fn state_that_is_not_understood_is_refused_and_changes_nothing() {
        let good = r#"{"key": "a", "limit": 10, "window": 1000, "credits": 0}"#;
        let bad = [
            "null".to_owned(),
            format!(r#"{{"format": 2, "savedAt": 0, "buckets": [{good}]}}"#),
            format!(r#"{{"format": 1, "savedAt": -1, "buckets": [{good}]}}"#),
            format!(r#"{{"format": 1, "savedAt": 0, "buckets": [{good}, {good}, {good}]}}"#),
            r#"{"format": 1, "savedAt": 0, "buckets": [{"key": "a", "limit": 0, "window": 1, "credits": 0}]}"#.into(),
            r#"{"format": 1, "savedAt": 0, "buckets": [{"key": "a", "limit": 1, "window": 1, "credits": 2}]}"#.into(),
        ];
        for text in bad {
            let mut table = Table::new(2);
            take(&mut table, "kept", 10, 0).unwrap();
            assert!(
                table.load(Value::from_json(&text).unwrap().as_ref(), 0).is_err(),
                "{text}"
            );
            assert!(!take(&mut table, "kept", 1, 0).unwrap().allowed, "{text}");
        }
    }
}
