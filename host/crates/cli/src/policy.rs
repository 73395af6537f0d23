//! The policy of a rollout, put together from arguments.
//!
//! Invariant: what is sent has the shape that a host reads; whether its numbers are sensible is for the host to say.

use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::{Map, Number, Value as Json, json};

use crate::args::PolicyFlags;
use crate::error::CliError;
use crate::input;

/// A part of all calls, in percent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Share(Number);

impl Share {
    fn percent(&self) -> f64 {
        self.0.as_f64().unwrap_or_default()
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim().trim_end_matches('%').trim_end();
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let whole = digits.parse().ok().map(|whole: u64| Number::from(whole));
        let number = whole.or_else(|| digits.parse().ok().and_then(Number::from_f64));
        number
            .filter(|number| plain && number.as_f64().is_some_and(|percent| percent <= 100.0))
            .map(Self)
            .ok_or_else(|| {
                format!("`{text}` is no percentage: give a number from 0 to 100, such as 5 or 2.5")
            })
    }
}

/// The steps of a canary.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Steps(Vec<Share>);

impl FromStr for Steps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let steps: Vec<Share> = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let rising = steps
            .iter()
            .zip(steps.iter().skip(1))
            .all(|(one, next)| one.percent() < next.percent());
        match rising {
            true => Ok(Self(steps)),
            false => Err("each step has to be larger than the one before, such as 5,25,50".into()),
        }
    }
}

/// What ends a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    After(Duration),
    Promote,
}

/// What ends each step: one for all, or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pauses(Vec<Pause>);

impl FromStr for Pauses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pause = |part: &str| match part.trim() {
            "promote" => Ok(Pause::Promote),
            part => input::lapse(part).map(Pause::After).map_err(|_| {
                "give a duration such as 60s or 5m, the word promote, or a list of these".to_owned()
            }),
        };
        text.split(',').map(pause).collect::<Result<_, _>>().map(Self)
    }
}

/// What stays on one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sticky(String);

impl FromStr for Sticky {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "run" | "tenant" => Ok(Self(text.to_owned())),
            _ if text
                .strip_prefix("variable:")
                .is_some_and(|name| !name.is_empty()) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err("give run, tenant, or variable:NAME".into()),
        }
    }
}

/// The policy that the arguments ask for; nothing when they name none.
pub(crate) fn asked(flags: &PolicyFlags) -> Result<Option<Json>, CliError> {
    if let Some(text) = &flags.policy {
        return written(text).map(Some);
    }
    if flags.immediate {
        return Ok(Some(json!("immediate")));
    }
    let canary = flags.canary.as_ref().map(|steps| canary(steps, flags));
    Ok(match (&flags.shadow, flags.replay) {
        (Some(sample), _) => {
            let mut shadow = Map::new();
            shadow.insert("sample".into(), Json::Number(sample.0.clone()));
            put(&mut shadow, "calls", flags.calls);
            Some(json!({ "shadow": tried(shadow, flags, canary) }))
        }
        (None, Some(last)) => {
            let mut replay = Map::new();
            replay.insert("last".into(), json!(last));
            Some(json!({ "replay": tried(replay, flags, canary) }))
        }
        (None, None) => canary.map(|canary| json!({ "canary": canary })),
    })
}

/// A policy as somebody wrote it; the two that are words need no quotes.
pub(crate) fn written(text: &str) -> Result<Json, CliError> {
    match text.trim() {
        word @ ("immediate" | "manual") => Ok(json!(word)),
        _ => match input::read(Some(text))? {
            policy @ (Json::Object(_) | Json::String(_)) => Ok(policy),
            _ => Err(CliError::BadJson(serde::de::Error::custom(
                "a policy is an object, such as {\"canary\": {}}, or the text \"immediate\" or \"manual\"",
            ))),
        },
    }
}

fn canary(steps: &Steps, flags: &PolicyFlags) -> Json {
    let mut canary = Map::new();
    let shares = steps.0.iter().map(|share| Json::Number(share.0.clone()));
    canary.insert("steps".into(), shares.collect());
    if let Some(Pauses(pauses)) = &flags.pause {
        let mut each: Vec<Json> = pauses
            .iter()
            .map(|pause| match pause {
                Pause::After(time) => json!({ "afterMs": millis(*time) }),
                Pause::Promote => json!("promote"),
            })
            .collect();
        let pause = match each.len() {
            1 => each.pop().unwrap_or_default(),
            _ => Json::Array(each),
        };
        canary.insert("pause".into(), pause);
    }
    put(&mut canary, "bakeMs", flags.bake.map(millis));
    put(
        &mut canary,
        "sticky",
        flags.sticky.as_ref().map(|sticky| sticky.0.clone()),
    );
    put(&mut canary, "deadlineMs", flags.deadline.map(millis));
    let name = flags.on_deadline.and_then(|what| what.to_possible_value());
    put(
        &mut canary,
        "onDeadline",
        name.map(|name| name.get_name().to_owned()),
    );
    let mut analysis = Map::new();
    put(&mut analysis, "minCalls", flags.min_calls);
    let increase = flags.max_error_rate_increase.as_ref();
    put(
        &mut analysis,
        "maxErrorRateIncrease",
        increase.map(|share| share.percent() / 100.0),
    );
    if !analysis.is_empty() {
        canary.insert("analysis".into(), Json::Object(analysis));
    }
    Json::Object(canary)
}

/// A shadow or a replay, and what comes after it.
fn tried(mut kind: Map<String, Json>, flags: &PolicyFlags, then: Option<Json>) -> Json {
    if !flags.ignore.is_empty() {
        kind.insert("ignore".into(), json!(flags.ignore));
    }
    put(&mut kind, "deadlineMs", flags.deadline.map(millis));
    if let Some(canary) = then {
        kind.insert("then".into(), json!({ "canary": canary }));
    }
    Json::Object(kind)
}

fn put(map: &mut Map<String, Json>, name: &str, value: Option<impl Into<Json>>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: PolicyFlags,
    }

    fn policy(arguments: &[&str]) -> Option<Json> {
        let line =
            Line::try_parse_from([&["x"], arguments].concat()).unwrap_or_else(|error| panic!("{error}"));
        asked(&line.flags).unwrap()
    }

    #[test]
    fn without_arguments_the_plugin_has_its_own_way() {
        assert_eq!(policy(&[]), None);
    }

    #[test]
    fn arguments_become_the_policy_that_a_host_reads() {
        assert_eq!(policy(&["--immediate"]), Some(json!("immediate")));
        assert_eq!(
            policy(&["--canary", "5,25"]),
            Some(json!({"canary": {"steps": [5, 25]}}))
        );
        let all = policy(&[
            "--canary",
            "2.5,25%,100",
            "--pause",
            "60s",
            "--bake",
            "5m",
            "--sticky",
            "variable:region",
            "--min-calls",
            "20",
            "--max-error-rate-increase",
            "2",
            "--deadline",
            "10m",
            "--on-deadline",
            "pause",
        ]);
        assert_eq!(
            all,
            Some(json!({"canary": {
                "steps": [2.5, 25, 100], "pause": {"afterMs": 60_000}, "bakeMs": 300_000, "sticky": "variable:region",
                "analysis": {"minCalls": 20, "maxErrorRateIncrease": 0.02}, "deadlineMs": 600_000, "onDeadline": "pause"
            }}))
        );
        assert_eq!(
            policy(&["--canary", "5,50", "--pause", "30s,promote"]),
            Some(json!({"canary": {"steps": [5, 50], "pause": [{"afterMs": 30_000}, "promote"]}}))
        );
        assert_eq!(
            policy(&[
                "--shadow",
                "10",
                "--calls",
                "500",
                "--ignore",
                "/meta/at",
                "--ignore",
                "$.items[*].id"
            ]),
            Some(json!({"shadow": {"sample": 10, "calls": 500, "ignore": ["/meta/at", "$.items[*].id"]}}))
        );
        assert_eq!(
            policy(&[
                "--replay",
                "50",
                "--deadline",
                "1h",
                "--canary",
                "50",
                "--pause",
                "promote"
            ]),
            Some(
                json!({"replay": {"last": 50, "deadlineMs": 3_600_000, "then": {"canary": {
                    "steps": [50], "pause": "promote", "deadlineMs": 3_600_000
                }}}})
            )
        );
    }

    #[test]
    fn a_policy_in_json_is_sent_as_it_is_and_words_need_no_quotes() {
        assert_eq!(policy(&["--policy", "manual"]), Some(json!("manual")));
        assert_eq!(policy(&["--policy", "\"immediate\""]), Some(json!("immediate")));
        assert_eq!(
            policy(&["--policy", r#"{"canary": {"steps": [1]}}"#]),
            Some(json!({"canary": {"steps": [1]}}))
        );
        for bad in ["[1]", "7", "null", "{", "slowly"] {
            assert!(written(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn arguments_that_contradict_each_other_are_refused() {
        for bad in [
            &["--immediate", "--canary", "5"][..],
            &["--immediate", "--policy", "manual"],
            &["--policy", "manual", "--canary", "5"],
            &["--policy", "manual", "--shadow", "5"],
            &["--shadow", "5", "--replay", "5"],
            &["--bake", "5m"],
            &["--bake", "5m", "--immediate"],
            &["--sticky", "run", "--policy", "manual"],
            &["--ignore", "/a", "--policy", "manual"],
            &["--immediate", "--shadow", "5"],
            &["--pause", "60s", "--shadow", "5"],
            &["--deadline", "5m"],
            &["--deadline", "5m", "--immediate"],
            &["--ignore", "/a", "--canary", "5"],
            &["--calls", "5", "--replay", "5"],
            &["--canary", "50,25"],
            &["--canary", "5,5"],
            &["--canary", "101"],
            &["--canary", "-5"],
            &["--canary", ""],
            &["--canary", "5,,25"],
            &["--canary", "NaN"],
            &["--canary", "1e1"],
            &["--canary", "5", "--pause", "soon"],
            &["--canary", "5", "--sticky", "variable:"],
            &["--canary", "5", "--on-deadline", "explode"],
            &["--replay", "0"],
            &["--shadow", "inf"],
        ] {
            assert!(Line::try_parse_from([&["x"], bad].concat()).is_err(), "{bad:?}");
        }
    }
}
