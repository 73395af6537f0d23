//! A policy from the pieces of a command line.

use std::str::FromStr;

use crate::analysis::Analysis;
use crate::error::PolicyError;
use crate::path::IgnorePath;
use crate::time::millis;
use crate::weight::Weight;

use super::{Canary, Comparing, OnDeadline, Pause, Pauses, Policy, Replay, Shadow, Then};

/// The pieces; what is left out is standard. Times are written like `90s`, `5m`, `1h`, `500ms`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    /// `immediate`, `manual`, `canary`, `shadow`, `replay`.
    pub kind: String,
    /// Percentages: `5,25,50`.
    pub steps: Option<String>,
    /// What ends the steps: `5m`, `promote`, or one for each step, such as `5m,promote`.
    pub pause: Option<String>,
    /// A time.
    pub bake: Option<String>,
    /// `run`, `tenant`, `variable:NAME`.
    pub sticky: Option<String>,
    /// `off`, or the JSON of an analysis.
    pub analysis: Option<String>,
    /// A time.
    pub deadline: Option<String>,
    /// `rollback`, `pause`, `promote`.
    pub on_deadline: Option<String>,
    /// A percentage.
    pub sample: Option<String>,
    /// `yes`, `no`.
    pub compare: Option<String>,
    /// A number.
    pub calls: Option<String>,
    /// A number.
    pub last: Option<String>,
    /// A number.
    pub at_least: Option<String>,
    /// Paths.
    pub ignore: Vec<String>,
    /// A number.
    pub max_differences: Option<String>,
    /// `promote`, `manual`, `canary`.
    pub then: Option<String>,
}

impl Pieces {
    /// The policy, valid. A piece that means nothing for its kind is refused.
    pub fn policy(&self) -> Result<Policy, PolicyError> {
        let policy = match self.kind.as_str() {
            "immediate" => {
                self.without(Canaries::Refused, "immediate", &TRIAL)?;
                Policy::Immediate
            }
            "manual" => {
                self.without(Canaries::Refused, "manual", &TRIAL)?;
                Policy::Manual
            }
            "canary" => {
                self.without(Canaries::Taken, "canary", &TRIAL)?;
                let mut canary = self.canary()?;
                if let Some(text) = &self.deadline {
                    canary.deadline_ms = millis(text)?;
                }
                Policy::Canary(canary)
            }
            "shadow" => {
                let then = self.then()?;
                self.without(canaries(&then), "shadow", &["last", "at-least"])?;
                Policy::Shadow(self.shadow(then)?)
            }
            "replay" => {
                let then = self.then()?;
                self.without(canaries(&then), "replay", &["sample", "compare", "calls"])?;
                Policy::Replay(self.replay(then)?)
            }
            other => {
                return Err(PolicyError::piece(
                    "policy",
                    other,
                    "immediate, manual, canary, shadow, replay",
                ));
            }
        };
        policy.validate()?;
        Ok(policy)
    }

    fn shadow(&self, then: Then) -> Result<Shadow, PolicyError> {
        let mut shadow = Shadow {
            ignore: self.paths()?,
            then,
            ..Shadow::default()
        };
        set(&mut shadow.sample, self.sample.as_ref(), str::parse)?;
        set(&mut shadow.compare, self.compare.as_ref(), |text| match text {
            "yes" => Ok(Comparing::Yes),
            "no" => Ok(Comparing::No),
            _ => Err(PolicyError::piece("compare", text, "yes, no")),
        })?;
        set(&mut shadow.calls, self.calls.as_ref(), number)?;
        set(&mut shadow.max_differences, self.max_differences.as_ref(), number)?;
        set(&mut shadow.deadline_ms, self.deadline.as_ref(), millis)?;
        Ok(shadow)
    }

    fn replay(&self, then: Then) -> Result<Replay, PolicyError> {
        let mut replay = Replay {
            ignore: self.paths()?,
            then,
            ..Replay::default()
        };
        set(&mut replay.last, self.last.as_ref(), number)?;
        set(&mut replay.at_least, self.at_least.as_ref(), number)?;
        set(&mut replay.max_differences, self.max_differences.as_ref(), number)?;
        set(&mut replay.deadline_ms, self.deadline.as_ref(), millis)?;
        Ok(replay)
    }

    fn canary(&self) -> Result<Canary, PolicyError> {
        let mut canary = Canary::default();
        set(&mut canary.steps, self.steps.as_ref(), |text| {
            text.split(',').map(str::parse::<Weight>).collect()
        })?;
        set(&mut canary.pause, self.pause.as_ref(), |text| {
            let mut each = text.split(',').map(pause).collect::<Result<Vec<_>, _>>()?;
            Ok(match (each.pop(), each.is_empty()) {
                (Some(only), true) => Pauses::Same(only),
                (last, _) => Pauses::Each(each.into_iter().chain(last).collect()),
            })
        })?;
        set(&mut canary.bake_ms, self.bake.as_ref(), millis)?;
        set(&mut canary.sticky, self.sticky.as_ref(), str::parse)?;
        set(&mut canary.analysis, self.analysis.as_ref(), |text| match text {
            "off" => Ok(None),
            _ => serde_json::from_str::<Analysis>(text)
                .map(Some)
                .map_err(|source| PolicyError::Unreadable { source }),
        })?;
        set(
            &mut canary.on_deadline,
            self.on_deadline.as_ref(),
            |text| match text {
                "rollback" => Ok(OnDeadline::Rollback),
                "pause" => Ok(OnDeadline::Pause),
                "promote" => Ok(OnDeadline::Promote),
                _ => Err(PolicyError::piece(
                    "end of a deadline",
                    text,
                    "rollback, pause, promote",
                )),
            },
        )?;
        Ok(canary)
    }

    fn then(&self) -> Result<Then, PolicyError> {
        match self.then.as_deref() {
            None | Some("promote") => Ok(Then::Promote),
            Some("manual") => Ok(Then::Manual),
            Some("canary") => self.canary().map(Box::new).map(Then::Canary),
            Some(text) => Err(PolicyError::piece("then", text, "promote, manual, canary")),
        }
    }

    fn paths(&self) -> Result<Vec<IgnorePath>, PolicyError> {
        let parse = |text: &String| text.parse().map_err(|source| PolicyError::Path { source });
        self.ignore.iter().map(parse).collect()
    }

    fn without(&self, canary: Canaries, policy: &'static str, refused: &[&str]) -> Result<(), PolicyError> {
        let given = [
            ("steps", self.steps.is_some()),
            ("pause", self.pause.is_some()),
            ("bake", self.bake.is_some()),
            ("sticky", self.sticky.is_some()),
            ("analysis", self.analysis.is_some()),
            ("on-deadline", self.on_deadline.is_some()),
            (
                "deadline",
                self.deadline.is_some() && matches!(policy, "immediate" | "manual"),
            ),
            ("sample", self.sample.is_some()),
            ("compare", self.compare.is_some()),
            ("calls", self.calls.is_some()),
            ("last", self.last.is_some()),
            ("at-least", self.at_least.is_some()),
            ("ignore", !self.ignore.is_empty()),
            ("max-differences", self.max_differences.is_some()),
            ("then", self.then.is_some()),
        ];
        let of_steps = ["steps", "pause", "bake", "sticky", "analysis", "on-deadline"];
        let foreign = given.into_iter().find(|(name, given)| {
            let unwanted = refused.contains(name)
                || *name == "deadline"
                || (canary == Canaries::Refused && of_steps.contains(name));
            *given && unwanted
        });
        match foreign {
            Some((piece, _)) => Err(PolicyError::Foreign { piece, policy }),
            None => Ok(()),
        }
    }
}

/// What only shadows and replays have.
const TRIAL: [&str; 8] = [
    "sample",
    "compare",
    "calls",
    "last",
    "at-least",
    "ignore",
    "max-differences",
    "then",
];

/// Whether there are steps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Canaries {
    Taken,
    Refused,
}

fn canaries(then: &Then) -> Canaries {
    match then {
        Then::Canary(_) => Canaries::Taken,
        Then::Promote | Then::Manual => Canaries::Refused,
    }
}

fn set<T>(
    field: &mut T,
    text: Option<&String>,
    read: impl Fn(&str) -> Result<T, PolicyError>,
) -> Result<(), PolicyError> {
    if let Some(text) = text {
        *field = read(text.trim())?;
    }
    Ok(())
}

fn number<T: FromStr>(text: &str) -> Result<T, PolicyError> {
    text.parse()
        .map_err(|_| PolicyError::piece("number", text, "a whole number of 0 or more"))
}

fn pause(text: &str) -> Result<Pause, PolicyError> {
    match text.trim() {
        "promote" => Ok(Pause::Promote),
        time => millis(time).map(Pause::AfterMs),
    }
}
