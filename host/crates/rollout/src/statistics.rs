//! What a sample allows to be said of what it was taken from.
//!
//! Invariant: each bound is wrong in one case of a hundred at most, for calls that do not depend on each other.
//!
//! * A share: the score interval of E. B. Wilson, "Probable inference, the law of succession, and statistical
//!   inference", Journal of the American Statistical Association 22 (1927), pages 209 to 212.
//! * A difference of two shares: method 10 of R. G. Newcombe, "Interval estimation for the difference between
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
    let centre = p + z2 / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Share {
        estimate: p,
        low: ((centre - half) / scale).clamp(0.0, p),
        high: ((centre + half) / scale).clamp(p, 1.0),
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
    FEWEST_SAMPLES.max((Z * Z * odds).ceil() as u64 + 2)
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
        // Example (a) of the second paper, 56 of 70 and 48 of 80, there for both sides at 95 % (0.0524); here for one side at
        // 99 %.
        let (first, second) = (share(56, 70), share(48, 80));
        assert!((first.low - 0.669_17).abs() < 5e-6, "{first:?}");
        assert!((second.high - 0.717_14).abs() < 5e-6, "{second:?}");
        assert!(
            (least_increase(first, second) - 0.024_39).abs() < 5e-6,
            "{}",
            least_increase(first, second)
        );
        let none = share(0, 50);
        assert!(
            none.low.abs() < f64::EPSILON && (none.high - 0.097_67).abs() < 5e-6,
            "{none:?}"
        );
    }

    #[test]
    fn a_quantile_near_the_end_needs_more_samples() {
        assert_eq!(samples_needed(0.5), 30);
        assert_eq!(samples_needed(0.95), 105);
        assert_eq!(samples_needed(0.99), 538);
    }
}
