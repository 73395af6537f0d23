//! What was counted of calls.
//!
//! Invariant: `failed` counts every call that gave no answer, `panicked` and `timed_out` those of them that did so in
//! these ways; `latency` may be of a sample of the calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;

/// What was counted of the calls of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Measured {
    /// Calls that have ended.
    pub calls: u64,
    /// Those that gave no answer: the node said so, it panicked, or it was too slow.
    pub failed: u64,
    /// Those that panicked; they are among the failed ones.
    pub panicked: u64,
    /// Those that were too slow; they are among the failed ones.
    pub timed_out: u64,
    /// How long calls took; of a sample, it may be.
    pub latency: Histogram,
}

impl Measured {
    /// Both together.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            failed: self.failed.saturating_add(other.failed),
            panicked: self.panicked.saturating_add(other.panicked),
            timed_out: self.timed_out.saturating_add(other.timed_out),
            latency: self.latency.merge(&other.latency),
        }
    }

    /// What came since `then`, which was counted earlier from the same counters.
    #[must_use]
    pub fn minus(&self, then: &Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(then.calls),
            failed: self.failed.saturating_sub(then.failed),
            panicked: self.panicked.saturating_sub(then.panicked),
            timed_out: self.timed_out.saturating_sub(then.timed_out),
            latency: self.latency.minus(&then.latency),
        }
    }

    /// The failed ones, never more than there are: counters are read one after the other while calls end.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed.min(self.calls)
    }

    /// The share of calls that failed; none without calls.
    #[must_use]
    pub fn error_rate(&self) -> Option<f64> {
        (self.calls > 0).then(|| self.failures() as f64 / self.calls as f64)
    }
}

/// What was counted of both versions over the same time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Of the stable version.
    pub stable: Measured,
    /// Of the candidate.
    pub candidate: Measured,
    /// How long.
    pub span: Duration,
}
