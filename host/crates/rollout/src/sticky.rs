//! Who is taken along.
//!
//! Invariant: somebody's number never depends on the weight, so who was taken along at a smaller weight is at a larger
//! one, too.
//!
//! A key's number is its hash. A run that is tied to nothing takes a [`Tickets`] number instead: the multiples of the
//! golden ratio, which fill the range evenly however many of them are taken (H. Weyl, "Über die Gleichverteilung von
//! Zahlen mod. Eins", Mathematische Annalen 77 (1916), pages 313 to 352; D. E. Knuth, "The Art of Computer Programming",
//! volume 3, second edition, section 6.4, theorem S). A random number would be off by some percent now and then.

use std::sync::atomic::{AtomicU64, Ordering};

use rapidhash::v3::{RapidSecrets, rapidhash_v3_nano_inline};

/// How many numbers there are.
pub const BUCKET_COUNT: u16 = 10_000;

/// 2^64 divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The number of a key, below [`BUCKET_COUNT`]. The same for ever, on every machine, for the same salt; with another salt
/// others are taken along first.
#[must_use]
#[inline]
pub fn bucket(key: &[u8], salt: u64) -> u16 {
    scaled(rapidhash_v3_nano_inline::<true, false>(
        key,
        &RapidSecrets::seed_cpp(salt),
    ))
}

const fn scaled(number: u64) -> u16 {
    ((number as u128 * BUCKET_COUNT as u128) >> 64) as u16
}

/// Numbers for runs that are tied to nothing. Threads share one; each number is taken by one of them.
#[derive(Debug, Default)]
pub struct Tickets(AtomicU64);

impl Tickets {
    /// The first number is that of `start`, which may be anything.
    #[must_use]
    pub const fn starting_at(start: u64) -> Self {
        Self(AtomicU64::new(start))
    }

    /// The next number, below [`BUCKET_COUNT`].
    #[must_use]
    #[inline]
    pub fn take(&self) -> u16 {
        // Relaxed: each number is taken once, and says nothing of anything else.
        scaled(self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(GOLDEN))
    }
}

#[cfg(test)]
mod tests;
