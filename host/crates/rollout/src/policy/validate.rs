//! What a policy may say.

use std::fmt;
use std::ops::RangeInclusive;

use serde_json::Value;

use crate::analysis::{Analysis, LatencyLimit};
use crate::error::PolicyError;
use crate::path::IgnorePath;
use crate::weight::Weight;

use super::{Canary, Pause, Pauses, Policy, Replay, Shadow, Then};

/// The longest text of a policy.
const LONGEST: usize = 64 << 10;
const MOST_STEPS: usize = 20;
const MOST_PATHS: usize = 100;
const MOST_LATENCIES: usize = 8;
const SECOND: u64 = 1_000;
const DAY: u64 = 86_400 * SECOND;
/// The longest pause and the longest bake.
const LONGEST_PAUSE: u64 = 30 * DAY;
/// What is shorter than this is no time between two looks.
const SHORTEST: u64 = 10;
const MOST_CALLS: u64 = 10_000_000;

impl Policy {
    /// From its JSON text, valid.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        if text.len() > LONGEST {
            return Err(PolicyError::TooLong {
                bytes: text.len(),
                limit: LONGEST,
            });
        }
        let policy: Self = serde_json::from_str(text).map_err(|source| PolicyError::Unreadable { source })?;
        policy.validate()?;
        Ok(policy)
    }

    /// From JSON that has been read, valid.
    pub fn from_value(value: Value) -> Result<Self, PolicyError> {
        let policy: Self =
            serde_json::from_value(value).map_err(|source| PolicyError::Unreadable { source })?;
        policy.validate()?;
        Ok(policy)
    }

    /// Says what is wrong with it first, if anything is.
    pub fn validate(&self) -> Result<(), PolicyError> {
        match self {
            Self::Immediate | Self::Manual => Ok(()),
            Self::Canary(canary) => canary_fits(canary, "canary"),
            Self::Shadow(shadow) => shadow_fits(shadow),
            Self::Replay(replay) => replay_fits(replay),
        }
    }
}

fn wrong(field: String, found: impl fmt::Display, allowed: impl fmt::Display) -> PolicyError {
    PolicyError::OutOfRange {
        field,
        found: found.to_string(),
        allowed: allowed.to_string(),
    }
}

fn whole(field: impl Fn() -> String, found: u64, allowed: RangeInclusive<u64>) -> Result<(), PolicyError> {
    if allowed.contains(&found) {
        return Ok(());
    }
    let text = format!("a whole number from {} to {}", allowed.start(), allowed.end());
    Err(wrong(field(), found, text))
}

fn real(field: impl Fn() -> String, found: f64, allowed: RangeInclusive<f64>) -> Result<(), PolicyError> {
    // What is no number is in no range.
    if allowed.contains(&found) {
        return Ok(());
    }
    let text = format!("a number from {} to {}", allowed.start(), allowed.end());
    Err(wrong(field(), found, text))
}

fn canary_fits(canary: &Canary, at: &str) -> Result<(), PolicyError> {
    let field = |name: &str| format!("{at}.{name}");
    steps_fit(&canary.steps, &field("steps"))?;
    let steps = canary.stages().len();
    let mut longest = ("bakeMs", canary.bake_ms);
    let mut pause_fits = |name: &dyn Fn() -> String, pause: &Pause| {
        let Pause::AfterMs(millis) = *pause else {
            return Ok(());
        };
        if millis > longest.1 {
            longest = ("pause", millis);
        }
        whole(name, millis, 0..=LONGEST_PAUSE)
    };
    match &canary.pause {
        Pauses::Same(pause) => pause_fits(&|| field("pause.afterMs"), pause)?,
        Pauses::Each(each) if each.len() != steps => {
            return Err(PolicyError::Pauses {
                field: field("pause"),
                pauses: each.len(),
                steps,
            });
        }
        Pauses::Each(each) => {
            for (step, pause) in each.iter().enumerate() {
                pause_fits(&|| field(&format!("pause[{step}].afterMs")), pause)?;
            }
        }
    }
    whole(|| field("bakeMs"), canary.bake_ms, 0..=LONGEST_PAUSE)?;
    if !canary.sticky.fits() {
        let found: String = canary
            .sticky
            .to_string()
            .chars()
            .take(80)
            .flat_map(char::escape_debug)
            .collect();
        return Err(wrong(field("sticky"), found, super::form::STICKY));
    }
    if let Some(analysis) = &canary.analysis {
        analysis_fits(analysis, &field("analysis"))?;
        if analysis.interval_ms > longest.1 {
            longest = ("analysis.intervalMs", analysis.interval_ms);
        }
    }
    let (name, millis) = longest;
    if canary.deadline_ms <= millis || canary.deadline_ms > 2 * LONGEST_PAUSE {
        let allowed = format!(
            "a whole number larger than {} ({millis}), and {} at most",
            field(name),
            2 * LONGEST_PAUSE
        );
        return Err(wrong(field("deadlineMs"), canary.deadline_ms, allowed));
    }
    Ok(())
}

fn steps_fit(steps: &[Weight], field: &str) -> Result<(), PolicyError> {
    let refuse = |reason: String| {
        Err(PolicyError::Steps {
            field: field.to_owned(),
            reason,
        })
    };
    if steps.is_empty() {
        return refuse("there are none".to_owned());
    }
    if steps.len() > MOST_STEPS {
        return refuse(format!("there are {}, {MOST_STEPS} at most", steps.len()));
    }
    if steps.first() == Some(&Weight::NONE) {
        return refuse("a step of 0 % takes nobody along".to_owned());
    }
    for (before, after) in steps.iter().zip(steps.iter().skip(1)) {
        if after <= before {
            return refuse(format!("{after} follows {before}, and is not larger"));
        }
    }
    Ok(())
}

fn analysis_fits(analysis: &Analysis, at: &str) -> Result<(), PolicyError> {
    let field = |name: &str| format!("{at}.{name}");
    whole(|| field("intervalMs"), analysis.interval_ms, SHORTEST..=DAY)?;
    whole(|| field("minCalls"), analysis.min_calls, 1..=MOST_CALLS)?;
    let failed = analysis.failed_checks;
    for (name, limit) in [("consecutive", failed.consecutive), ("total", failed.total)] {
        if let Some(limit) = limit {
            whole(|| field(&format!("failedChecks.{name}")), limit.into(), 1..=1_000)?;
        }
    }
    if failed.consecutive.is_none() && failed.total.is_none() {
        return Err(wrong(
            field("failedChecks"),
            "without a limit",
            "a number, or a table with `consecutive`, `total` or both",
        ));
    }
    for (name, limit) in [
        ("maxErrorRate", analysis.max_error_rate),
        ("maxErrorRateIncrease", analysis.max_error_rate_increase),
    ] {
        if let Some(limit) = limit
            && !(0.0..=1.0).contains(&limit)
        {
            return Err(wrong(
                field(name),
                limit,
                "a share from 0 to 1 (0.05 is 5 %), or \"off\"",
            ));
        }
    }
    if analysis.latency.len() > MOST_LATENCIES {
        let found = format!("a list of {}", analysis.latency.len());
        return Err(wrong(
            field("latency"),
            found,
            format_args!("a list of {MOST_LATENCIES} at most"),
        ));
    }
    for (index, LatencyLimit { quantile, max_ratio }) in analysis.latency.iter().enumerate() {
        real(
            || field(&format!("latency[{index}].quantile")),
            *quantile,
            0.01..=0.999,
        )?;
        real(
            || field(&format!("latency[{index}].maxRatio")),
            *max_ratio,
            1.0..=1_000.0,
        )?;
    }
    if let Some(limit) = analysis.max_panics {
        whole(|| field("maxPanics"), limit, 0..=MOST_CALLS)?;
    }
    Ok(())
}

fn shadow_fits(shadow: &Shadow) -> Result<(), PolicyError> {
    let field = |name: &str| format!("shadow.{name}");
    if shadow.sample == Weight::NONE {
        return Err(wrong(
            field("sample"),
            shadow.sample,
            "a percentage above 0, 100 at most",
        ));
    }
    whole(|| field("calls"), shadow.calls, 1..=MOST_CALLS)?;
    trial_fits(
        "shadow",
        &shadow.ignore,
        shadow.max_differences,
        shadow.deadline_ms,
        &shadow.then,
    )
}

fn replay_fits(replay: &Replay) -> Result<(), PolicyError> {
    let field = |name: &str| format!("replay.{name}");
    whole(|| field("last"), replay.last.into(), 1..=100_000)?;
    if replay.at_least > replay.last {
        let allowed = format!("a whole number from 0 to `last` ({})", replay.last);
        return Err(wrong(field("atLeast"), replay.at_least, allowed));
    }
    trial_fits(
        "replay",
        &replay.ignore,
        replay.max_differences,
        replay.deadline_ms,
        &replay.then,
    )
}

fn trial_fits(
    at: &str,
    ignore: &[IgnorePath],
    max_differences: u64,
    deadline_ms: u64,
    then: &Then,
) -> Result<(), PolicyError> {
    let field = |name: &str| format!("{at}.{name}");
    if ignore.len() > MOST_PATHS {
        let found = format!("a list of {}", ignore.len());
        return Err(wrong(
            field("ignore"),
            found,
            format_args!("a list of {MOST_PATHS} at most"),
        ));
    }
    whole(|| field("maxDifferences"), max_differences, 0..=MOST_CALLS)?;
    whole(|| field("deadlineMs"), deadline_ms, SHORTEST..=2 * LONGEST_PAUSE)?;
    match then {
        Then::Promote | Then::Manual => Ok(()),
        Then::Canary(canary) => canary_fits(canary, &field("then.canary")),
    }
}
