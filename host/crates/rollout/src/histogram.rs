//! How long calls took, in buckets.
//!
//! Invariant: a bucket is narrower than an eighth of what it holds, from 32 ns to 68 s; below that it is 4 ns wide, and
//! what is longer counts as 68 s. So a quantile is off by 6.25 % of the true one at most (by 2 ns below 32 ns): its
//! bucket is found exactly, and the middle of the bucket is said.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many buckets there are.
pub const BUCKETS: usize = 256;

/// Buckets are of units of 4 ns.
const UNIT_BITS: u32 = 2;
/// Each power of two has 8 buckets.
const SPLIT_BITS: u32 = 3;
/// The largest number of units that has a bucket of its own.
const MOST_UNITS: u64 = (1 << (BUCKETS as u32 / (1 << SPLIT_BITS) + SPLIT_BITS - 1)) - 1;

/// The bucket of a duration in nanoseconds.
#[must_use]
#[inline]
pub const fn index(nanos: u64) -> usize {
    let units = nanos >> UNIT_BITS;
    let units = if units > MOST_UNITS { MOST_UNITS } else { units };
    // The power of two, the smallest being that of the first 8 and the second 8 buckets, which are equally wide.
    let power = u64::BITS - 1 - (units | (1 << SPLIT_BITS)).leading_zeros();
    let shift = power - SPLIT_BITS;
    ((shift as usize) << SPLIT_BITS) + (units >> shift) as usize
}

/// What a bucket holds: from `low`, up to but without `high`, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub low: u64,
    /// More than the most.
    pub high: u64,
}

impl Bounds {
    /// The middle.
    #[must_use]
    pub const fn middle(self) -> u64 {
        self.low + (self.high - self.low) / 2
    }
}

/// What a bucket holds; the last one holds everything longer, too.
#[must_use]
pub const fn bounds(bucket: usize) -> Bounds {
    let bucket = if bucket < BUCKETS { bucket } else { BUCKETS - 1 };
    let row = bucket >> SPLIT_BITS;
    let place = (bucket & ((1 << SPLIT_BITS) - 1)) as u64;
    let (first, shift) = if row == 0 {
        (place, 0)
    } else {
        (place + (1 << SPLIT_BITS), row - 1)
    };
    Bounds {
        low: (first << shift) << UNIT_BITS,
        high: ((first + 1) << shift) << UNIT_BITS,
    }
}

/// The bucket in which the value of that rank lies, ranks counted from 1; none if there are not as many.
pub(crate) fn bucket_of_rank(counts: &[u64; BUCKETS], rank: u64) -> Option<usize> {
    let mut seen = 0_u64;
    counts.iter().position(|count| {
        seen = seen.saturating_add(*count);
        seen >= rank && rank > 0
    })
}

/// The quantile `q` (from 0 to 1) of what was counted, in nanoseconds; none if nothing was.
#[must_use]
pub fn quantile(counts: &[u64; BUCKETS], q: f64) -> Option<u64> {
    let total = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    let rank = ((total as f64 * q.clamp(0.0, 1.0)).ceil() as u64).clamp(1, total.max(1));
    bucket_of_rank(counts, rank).map(|bucket| bounds(bucket).middle())
}

/// How often each bucket was met.
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram(Box<[u64; BUCKETS]>);

impl Default for Histogram {
    fn default() -> Self {
        Self(Box::new([0; BUCKETS]))
    }
}

impl std::fmt::Debug for Histogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.met()).finish()
    }
}

impl Histogram {
    /// From counts that were kept elsewhere, by [`index`].
    #[must_use]
    pub fn from_counts(counts: [u64; BUCKETS]) -> Self {
        Self(Box::new(counts))
    }

    /// The bucket of a duration in nanoseconds; as [`index`].
    #[must_use]
    #[inline]
    pub const fn index(nanos: u64) -> usize {
        index(nanos)
    }

    /// The counts.
    #[must_use]
    pub const fn counts(&self) -> &[u64; BUCKETS] {
        &self.0
    }

    /// Counts one more.
    pub fn add(&mut self, nanos: u64) {
        if let Some(count) = self.0.get_mut(index(nanos)) {
            *count = count.saturating_add(1);
        }
    }

    /// How many were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The quantile `q` (from 0 to 1), in nanoseconds; none if nothing was counted.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<u64> {
        quantile(&self.0, q)
    }

    /// Both together.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    /// What came since `then`, which was counted earlier into the same buckets.
    #[must_use]
    pub fn minus(&self, then: &Self) -> Self {
        self.with(then, u64::saturating_sub)
    }

    fn with(&self, other: &Self, of: impl Fn(u64, u64) -> u64) -> Self {
        let mut result = self.clone();
        for (mine, theirs) in result.0.iter_mut().zip(other.0.iter()) {
            *mine = of(*mine, *theirs);
        }
        result
    }

    fn met(&self) -> impl Iterator<Item = (usize, u64)> {
        self.0.iter().copied().enumerate().filter(|(_, count)| *count > 0)
    }
}

/// Pairs of bucket and count, without those that are 0.
impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.met())
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = <Vec<(usize, u64)>>::deserialize(deserializer)?;
        let mut result = Self::default();
        for (bucket, count) in pairs {
            let place = result.0.get_mut(bucket);
            *place.ok_or_else(|| serde::de::Error::custom("a histogram has no such bucket"))? = count;
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests;
