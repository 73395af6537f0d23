//! One window, judged.
//!
//! Invariant: a limit is broken only when the sample shows it beyond its own noise: what is held against the limit is the
//! bound that [`statistics`](crate::statistics) gives, not what was seen. Panics are counted as they are. What comes out
//! has all the numbers it was decided by, since it is stored as evidence.

#[cfg(test)]
mod simulation;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::analysis::{Analysis, LatencyLimit};
use crate::measured::Window;
use crate::statistics::{least_increase, quantile_bounds, share};

/// What a window says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// No limit is broken.
    Pass,
    /// One is.
    Fail,
    /// There were too few calls.
    NoData,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Metric {
    /// The share of the candidate's calls that failed.
    ErrorRate,
    /// By how much it is larger than the stable version's.
    ErrorRateIncrease,
    /// How long calls take at this quantile, in nanoseconds; the limit and the bound are ratios.
    Latency(f64),
    /// How many calls panicked.
    Panics,
}

/// What became of one limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What was looked at.
    pub metric: Metric,
    /// What the stable version showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<f64>,
    /// What the candidate showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<f64>,
    /// What is so at least, beyond noise; this is held against the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// The limit.
    pub limit: f64,
    /// What follows.
    pub verdict: Verdict,
}

/// A judged window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What follows from all findings.
    pub verdict: Verdict,
    /// How many calls the stable version had.
    pub stable_calls: u64,
    /// How many the candidate had.
    pub candidate_calls: u64,
    /// How long the window was, in milliseconds.
    pub span_ms: u64,
    /// Each limit.
    pub findings: Vec<Finding>,
}

/// Judges a window.
///
/// A limit on error rates needs [`Analysis::min_calls`] on each side it looks at. Latency needs as many samples as its
/// quantile asks for (30 at the median, 105 at 0.95, 538 at 0.99); where they are missing, the other limits decide
/// alone, if there are any. A panic too many fails with however few calls.
#[must_use]
pub fn judge(analysis: &Analysis, window: &Window) -> Check {
    let enough = |calls: u64| calls >= analysis.min_calls.max(1);
    let (stable, candidate) = (&window.stable, &window.candidate);
    let mut findings = Vec::new();
    if let Some(limit) = analysis.max_panics {
        findings.push(panics(window, limit));
    }
    if let Some(limit) = analysis.max_error_rate {
        let seen = share(candidate.failures(), candidate.calls);
        let bound = enough(candidate.calls).then_some(seen.low);
        findings.push(Finding {
            metric: Metric::ErrorRate,
            stable: stable.error_rate(),
            candidate: candidate.error_rate(),
            bound,
            limit,
            verdict: held(bound, limit),
        });
    }
    if let Some(limit) = analysis.max_error_rate_increase {
        let (new, old) = (
            share(candidate.failures(), candidate.calls),
            share(stable.failures(), stable.calls),
        );
        let bound = (enough(candidate.calls) && enough(stable.calls)).then(|| least_increase(new, old));
        findings.push(Finding {
            metric: Metric::ErrorRateIncrease,
            stable: stable.error_rate(),
            candidate: candidate.error_rate(),
            bound,
            limit,
            verdict: held(bound, limit),
        });
    }
    findings.extend(analysis.latency.iter().map(|limit| latency(window, *limit)));
    Check {
        verdict: summed(&findings, enough(candidate.calls)),
        stable_calls: stable.calls,
        candidate_calls: candidate.calls,
        span_ms: u64::try_from(window.span.as_millis()).unwrap_or(u64::MAX),
        findings,
    }
}

/// A bound against its limit.
fn held(bound: Option<f64>, limit: f64) -> Verdict {
    match bound {
        Some(bound) if bound > limit => Verdict::Fail,
        Some(_) => Verdict::Pass,
        None => Verdict::NoData,
    }
}

fn panics(window: &Window, limit: u64) -> Finding {
    let seen = window.candidate.panicked;
    Finding {
        metric: Metric::Panics,
        stable: Some(window.stable.panicked as f64),
        candidate: Some(seen as f64),
        bound: Some(seen as f64),
        limit: limit as f64,
        verdict: if seen > limit {
            Verdict::Fail
        } else {
            Verdict::Pass
        },
    }
}

fn latency(window: &Window, limit: LatencyLimit) -> Finding {
    let (stable, candidate) = (&window.stable.latency, &window.candidate.latency);
    let bounds = quantile_bounds(candidate, limit.quantile).zip(quantile_bounds(stable, limit.quantile));
    let bound = bounds.map(|(new, old)| new.low as f64 / old.high.max(1) as f64);
    Finding {
        metric: Metric::Latency(limit.quantile),
        stable: stable.quantile(limit.quantile).map(|nanos| nanos as f64),
        candidate: candidate.quantile(limit.quantile).map(|nanos| nanos as f64),
        bound,
        limit: limit.max_ratio,
        verdict: held(bound, limit.max_ratio),
    }
}

/// What follows from all findings: a failed one fails; missing error rates leave it open; missing latency does so only
/// where there is nothing else to go by.
fn summed(findings: &[Finding], candidate_has_calls: bool) -> Verdict {
    if findings.iter().any(|finding| finding.verdict == Verdict::Fail) {
        return Verdict::Fail;
    }
    let of = |wanted: fn(&Metric) -> bool| findings.iter().filter(move |finding| wanted(&finding.metric));
    let mut rates = of(|metric| matches!(metric, Metric::ErrorRate | Metric::ErrorRateIncrease)).peekable();
    let mut latencies = of(|metric| matches!(metric, Metric::Latency(_))).peekable();
    let known = |finding: &Finding| finding.verdict != Verdict::NoData;
    let decided = if rates.peek().is_some() {
        rates.all(known)
    } else if latencies.peek().is_some() {
        latencies.any(known)
    } else {
        true
    };
    if candidate_has_calls && decided {
        Verdict::Pass
    } else {
        Verdict::NoData
    }
}

impl Check {
    /// Its limits that are broken, as a sentence.
    #[must_use]
    pub fn reason(&self) -> String {
        let mut broken = self
            .findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Fail)
            .peekable();
        if broken.peek().is_none() {
            return format!(
                "{} call(s) of the candidate and {} of the stable version in {} ms",
                self.candidate_calls, self.stable_calls, self.span_ms
            );
        }
        broken.map(Finding::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = |value: Option<f64>, scale: f64| match value {
            Some(value) => format!("{:.2}", value * scale),
            None => "unknown".to_owned(),
        };
        let bound = self.bound.unwrap_or_default();
        match self.metric {
            Metric::ErrorRate => write!(
                f,
                "{} % of its calls fail (surely more than {:.2} %), {:.2} % may",
                seen(self.candidate, 100.0),
                bound * 100.0,
                self.limit * 100.0
            ),
            Metric::ErrorRateIncrease => write!(
                f,
                "{} % of its calls fail and {} % of the stable version's (surely {:.2} % more), {:.2} % more may",
                seen(self.candidate, 100.0),
                seen(self.stable, 100.0),
                bound * 100.0,
                self.limit * 100.0
            ),
            Metric::Latency(quantile) => write!(
                f,
                "its calls take {} us at the quantile {quantile} and the stable version's {} us (surely {bound:.2} times as long), \
                 {} times may be",
                seen(self.candidate, 1e-3),
                seen(self.stable, 1e-3),
                self.limit
            ),
            Metric::Panics => write!(
                f,
                "{} of its calls panicked, {} may",
                self.candidate.unwrap_or_default(),
                self.limit
            ),
        }
    }
}

#[cfg(test)]
mod tests;
