//! How often a check fails a candidate that is no worse, and one that is.
//!
//! The seed is fixed, so that the figures in `rollouts.md` are those of this test: `cargo test -p patchbay-rollout
//! simulation -- --nocapture` prints them.

use std::time::Duration;

use crate::analysis::{Analysis, LatencyLimit};
use crate::judge::{Verdict, judge};
use crate::measured::{Measured, Window};

const ROUNDS: u32 = 4_000;

/// Whether it matters how long calls take.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Timed {
    Yes,
    No,
}

/// Calls of a version that fails at a rate, and takes some microseconds, seldom much longer.
fn calls(random: &mut fastrand::Rng, count: u64, rate: f64, scale: f64, timed: Timed) -> Measured {
    let mut measured = Measured {
        calls: count,
        ..Measured::default()
    };
    for _ in 0..count {
        measured.failed += u64::from(random.f64() < rate);
        if timed == Timed::No {
            continue;
        }
        // Log-normal, by Box and Muller: the shape that latencies have.
        let normal = (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos();
        measured
            .latency
            .add((20_000.0 * scale * (0.6 * normal).exp()) as u64);
    }
    measured
}

/// In what share of windows a check fails.
fn failing(analysis: &Analysis, stable: (u64, f64), candidate: (u64, f64), slower: f64) -> f64 {
    let mut random = fastrand::Rng::with_seed(7);
    let timed = if analysis.latency.is_empty() {
        Timed::No
    } else {
        Timed::Yes
    };
    let mut failed = 0;
    for _ in 0..ROUNDS {
        let window = Window {
            stable: calls(&mut random, stable.0, stable.1, 1.0, timed),
            candidate: calls(&mut random, candidate.0, candidate.1, slower, timed),
            span: Duration::from_secs(60),
        };
        failed += u32::from(judge(analysis, &window).verdict == Verdict::Fail);
    }
    f64::from(failed) / f64::from(ROUNDS)
}

fn errors_alone(limit: f64) -> Analysis {
    Analysis {
        latency: Vec::new(),
        max_error_rate_increase: Some(limit),
        ..Analysis::default()
    }
}

fn latency_alone(max_ratio: f64) -> Analysis {
    Analysis {
        max_error_rate_increase: None,
        latency: vec![LatencyLimit {
            quantile: 0.95,
            max_ratio,
        }],
        ..Analysis::default()
    }
}

#[test]
fn a_candidate_that_is_no_worse_is_seldom_failed() {
    // As bad as may be, which is where mistakes are most frequent: one in a hundred is promised for error rates.
    for (stable, candidate) in [
        ((950, 0.02), (50, 0.03)),
        ((950, 0.10), (50, 0.11)),
        ((500, 0.02), (500, 0.03)),
        ((5_000, 0.001), (5_000, 0.011)),
    ] {
        let share = failing(&errors_alone(0.01), stable, candidate, 1.0);
        println!(
            "errors {stable:?} {candidate:?}: {:.2} % fail at the limit",
            share * 100.0
        );
        assert!(share <= 0.02, "{share}");
    }
    for (stable, candidate) in [((2_000, 0.0), (150, 0.0)), ((500, 0.0), (500, 0.0))] {
        let share = failing(&latency_alone(1.5), stable, candidate, 1.5);
        println!(
            "latency {} {}: {:.2} % fail at the limit",
            stable.0,
            candidate.0,
            share * 100.0
        );
        assert!(share <= 0.01, "{share}");
    }
    // Equally good, by the standard limits together.
    for (stable, candidate) in [
        ((950, 0.02), (50, 0.02)),
        ((950, 0.0), (50, 0.0)),
        ((500, 0.05), (500, 0.05)),
    ] {
        let share = failing(&Analysis::default(), stable, candidate, 1.0);
        println!(
            "standard {stable:?} {candidate:?}: {:.2} % fail when equal",
            share * 100.0
        );
        assert!(share <= 0.01, "{share}");
    }
}

#[test]
fn a_candidate_that_is_worse_is_found() {
    for (stable, candidate, slower, at_least) in [
        ((950, 0.01), (50, 0.30), 1.0, 0.95),
        ((5_000, 0.01), (500, 0.05), 1.0, 0.60),
        ((1_000, 0.01), (1_000, 0.06), 1.0, 0.85),
        ((1_000, 0.0), (500, 0.0), 2.5, 0.80),
        ((1_000, 0.0), (500, 0.0), 3.0, 0.99),
    ] {
        let share = failing(&Analysis::default(), stable, candidate, slower);
        println!(
            "standard {stable:?} {candidate:?} x{slower}: {:.1} % found",
            share * 100.0
        );
        assert!(share >= at_least, "{share}");
    }
}
