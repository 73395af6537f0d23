//! What a sample allows to be said of what it was taken from.
//!
//! Invariant: a bound is wrong in about one case of a hundred, or fewer, for calls that do not depend on each other; how
//! often it is was measured (`judge/simulation.rs`).
//!
//! * A share: the score interval of E. B. Wilson, "Probable inference, the law of succession, and statistical
//!   inference", Journal of the American Statistical Association 22 (1927), pages 209 to 212, with the correction for
//!   continuity as R. G. Newcombe, "Two-sided confidence intervals for the single proportion: comparison of seven
//!   methods", Statistics in Medicine 17 (1998), pages 857 to 872, has it (method 4). Without the correction, the lower bound
//!   of a small share of few calls is wrong more than twice as often as it says.
//! * A difference of two shares: method 11 of R. G. Newcombe, "Interval estimation for the difference between
//!   independent proportions: comparison of eleven methods", Statistics in Medicine 17 (1998), pages 873 to 890.
//! * A quantile: order statistics, whatever the distribution; W. J. Conover, "Practical Nonparametric Statistics",
//!   third edition (1999), section 3.2.

use crate::histogram::{Histogram, bounds, bucket_of_rank};

/// The standard normal distribution's quantile 0.99: bounds are of one side.
pub(crate) const Z: f64 = 2.326_347_874_040_841;

/// With fewer samples than this nothing is said of how long calls take.
const FEWEST_SAMPLES: u64 = 30;

/// `some` of `all`, with what the share is at least and at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) estimate: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// A share; nothing is known without calls.
pub(crate) fn share(some: u64, all: u64) -> Share {
    if all == 0 {
        return Share {
            estimate: 0.0,
            low: 0.0,
            high: 1.0,
        };
    }
    let n = all as f64;
    let p = some.min(all) as f64 / n;
    let z2 = Z * Z;
    let below = (z2 - 2.0 - 1.0 / n + 4.0 * p * (n * (1.0 - p) + 1.0)).max(0.0);
    let above = (z2 + 2.0 - 1.0 / n + 4.0 * p * (n * (1.0 - p) - 1.0)).max(0.0);
    let (centre, scale) = (2.0 * n * p + z2, 2.0 * (n + z2));
    Share {
        estimate: p,
        low: ((centre - 1.0 - Z * below.sqrt()) / scale).clamp(0.0, p),
        high: ((centre + 1.0 + Z * above.sqrt()) / scale).clamp(p, 1.0),
    }
}

/// What the first share is larger than the second by, at least.
pub(crate) fn least_increase(first: Share, second: Share) -> f64 {
    let below = first.estimate - first.low;
    let above = second.high - second.estimate;
    (first.estimate - second.estimate) - below.hypot(above)
}

/// How many samples a quantile needs for both of its bounds to be among them.
pub(crate) fn samples_needed(q: f64) -> u64 {
    let odds = (q / (1.0 - q)).max((1.0 - q) / q);
    // Two more: ranks are whole.
    FEWEST_SAMPLES.max(((Z * Z * odds).ceil() as u64).saturating_add(2))
}

/// What a quantile is at least and at most, in nanoseconds. The width of the buckets is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuantileBounds {
    pub(crate) low: u64,
    pub(crate) high: u64,
}

/// The bounds of a quantile; none with too few samples.
pub(crate) fn quantile_bounds(histogram: &Histogram, q: f64) -> Option<QuantileBounds> {
    let total = histogram.total();
    if total < samples_needed(q) {
        return None;
    }
    let n = total as f64;
    let spread = Z * (n * q * (1.0 - q)).sqrt();
    let low = (n * q - spread).floor().max(1.0) as u64;
    let high = ((n * q + spread).ceil() as u64 + 1).min(total);
    Some(QuantileBounds {
        low: bounds(bucket_of_rank(histogram.counts(), low)?).low,
        high: bounds(bucket_of_rank(histogram.counts(), high)?).high,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_shares_are_those_of_the_papers() {
        // 56 of 70 and 48 of 80, the first example of the second paper, there for both sides at 95 %; here for one side
        // at 99 %.
        let (first, second) = (share(56, 70), share(48, 80));
        assert!((first.low - 0.661_260).abs() < 5e-6, "{first:?}");
        assert!((second.high - 0.722_687).abs() < 5e-6, "{second:?}");
        let least = least_increase(first, second);
        assert!((least - 0.014_796).abs() < 5e-6, "{least}");
        let none = share(0, 50);
        assert!(
            none.low.abs() < f64::EPSILON && (none.high - 0.114_928).abs() < 5e-6,
            "{none:?}"
        );
        let all = share(50, 50);
        assert!(
            (all.low - (1.0 - 0.114_928)).abs() < 5e-6 && (all.high - 1.0).abs() < f64::EPSILON,
            "{all:?}"
        );
    }

    #[test]
    fn a_quantile_near_the_end_needs_more_samples() {
        assert_eq!(samples_needed(0.5), 30);
        assert_eq!(samples_needed(0.95), 105);
        assert_eq!(samples_needed(0.99), 538);
    }
}
