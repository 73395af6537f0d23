//! What is asked of a candidate, in numbers.
//!
//! Invariant: what is not named is as [`Analysis::default`] says; a limit that is written `"off"` is not looked at.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// How candidate and stable are compared; see [`judge`](crate::judge).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Analysis {
    /// How much time is between two checks, in milliseconds. Standard: one minute.
    #[serde(alias = "interval_ms")]
    pub interval_ms: u64,
    /// How many calls each side needs for a check to say anything of error rates. Standard: 50.
    #[serde(alias = "min_calls")]
    pub min_calls: u64,
    /// What happens when there are fewer. Standard: wait.
    #[serde(alias = "no_data")]
    pub no_data: NoData,
    /// How many failed checks fail the rollout. Standard: two in a row.
    #[serde(alias = "failed_checks")]
    pub failed_checks: FailedChecks,
    /// The largest share of the candidate's calls that may fail, from 0 to 1. Standard: off.
    #[serde(alias = "max_error_rate", with = "crate::off")]
    pub max_error_rate: Option<f64>,
    /// By how much the share of failing calls may be larger than the stable version's, from 0 to 1. Standard: 0.01.
    #[serde(alias = "max_error_rate_increase", with = "crate::off")]
    pub max_error_rate_increase: Option<f64>,
    /// How many times longer than the stable version's calls the candidate's may take. Standard: 1.5 at the quantile
    /// 0.95.
    pub latency: Vec<LatencyLimit>,
    /// How many calls of one window may panic. Standard: 0.
    #[serde(alias = "max_panics", with = "crate::off")]
    pub max_panics: Option<u64>,
}

/// A limit on how long calls take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LatencyLimit {
    /// Which quantile: 0.5 is the median.
    pub quantile: f64,
    /// The candidate's over the stable version's, at most.
    #[serde(alias = "max_ratio")]
    pub max_ratio: f64,
}

/// What a check does when there were too few calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoData {
    /// The window grows until there are enough; a step does not end before.
    #[default]
    Wait,
    /// The check has passed.
    Pass,
    /// The check has failed.
    Fail,
}

/// How many failed checks are too many; a number alone means as many in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedChecks {
    /// In a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive: Option<u32>,
    /// In the whole rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
}

impl Default for FailedChecks {
    fn default() -> Self {
        Self {
            consecutive: Some(2),
            total: None,
        }
    }
}

impl Default for Analysis {
    fn default() -> Self {
        Self {
            interval_ms: 60_000,
            min_calls: 50,
            no_data: NoData::Wait,
            failed_checks: FailedChecks::default(),
            max_error_rate: None,
            max_error_rate_increase: Some(0.01),
            latency: vec![LatencyLimit {
                quantile: 0.95,
                max_ratio: 1.5,
            }],
            max_panics: Some(0),
        }
    }
}

impl<'de> Deserialize<'de> for FailedChecks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            consecutive: Option<u32>,
            total: Option<u32>,
        }

        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = FailedChecks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or {\"consecutive\": N, \"total\": N}")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<FailedChecks, E> {
                let wrong = || E::invalid_value(serde::de::Unexpected::Unsigned(number), &self);
                let consecutive = Some(u32::try_from(number).map_err(|_| wrong())?);
                Ok(FailedChecks {
                    consecutive,
                    total: None,
                })
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<FailedChecks, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(serde::de::Unexpected::Signed(number), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FailedChecks, A::Error> {
                let Fields { consecutive, total } = Fields::deserialize(MapAccessDeserializer::new(map))?;
                Ok(FailedChecks { consecutive, total })
            }
        }

        deserializer.deserialize_any(Either)
    }
}
