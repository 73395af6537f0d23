//! A share of the calls.
//!
//! Invariant: a weight is between nothing and everything, in hundredths of a percent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::PolicyError;

/// A share of the calls, in basis points: 10,000 are all of them. JSON and TOML have it as a percentage, such as `5` or
/// `2.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u16);

impl Weight {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// Everybody.
    pub const ALL: Self = Self(10_000);

    /// A weight of that many hundredths of a percent, if it is one.
    #[must_use]
    pub const fn from_basis_points(points: u16) -> Option<Self> {
        if points <= Self::ALL.0 {
            Some(Self(points))
        } else {
            None
        }
    }

    /// In hundredths of a percent.
    #[must_use]
    pub const fn basis_points(self) -> u16 {
        self.0
    }

    /// Whether somebody with this number (of [`bucket`](crate::bucket) or [`Tickets`](crate::Tickets)) is among the
    /// share. Who is among a share is among every larger one.
    #[must_use]
    pub const fn admits(self, bucket: u16) -> bool {
        bucket < self.0
    }

    /// In percent.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    fn from_percent(percent: f64) -> Option<Self> {
        let points = percent * 100.0;
        let whole = points.round();
        // 2.3 is not a binary fraction: times 100 it is a little beside 230.
        if !(0.0..=10_000.0).contains(&whole) || (points - whole).abs() > 1e-6 {
            return None;
        }
        Some(Self(whole as u16))
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent())
    }
}

impl FromStr for Weight {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let number = text.trim().trim_end_matches('%').trim_end();
        number
            .parse()
            .ok()
            .and_then(Self::from_percent)
            .ok_or_else(|| PolicyError::piece("percentage", text, PERCENTAGE))
    }
}

const PERCENTAGE: &str = "a number from 0 to 100 with at most two decimals, such as 5 or 2.5";

impl Serialize for Weight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(100) {
            serializer.serialize_u16(self.0 / 100)
        } else {
            serializer.serialize_f64(self.percent())
        }
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = f64::deserialize(deserializer)?;
        Self::from_percent(percent)
            .ok_or_else(|| serde::de::Error::custom(format_args!("{percent} is no percentage: {PERCENTAGE}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_takes_exactly_as_many_numbers_as_it_says() {
        for points in [0, 1, 250, 9_999, 10_000] {
            let weight = Weight::from_basis_points(points).expect("a weight");
            assert_eq!(
                (0..10_000).filter(|number| weight.admits(*number)).count(),
                usize::from(points)
            );
        }
    }

    #[test]
    fn a_percentage_has_two_decimals_and_is_exact() {
        for points in 0..=10_000_u16 {
            let weight = Weight::from_basis_points(points).expect("a weight");
            let text = serde_json::to_string(&weight).expect("JSON");
            assert_eq!(serde_json::from_str::<Weight>(&text).expect("a weight"), weight);
            assert_eq!(
                format!("{}%", weight.percent())
                    .parse::<Weight>()
                    .expect("a weight"),
                weight
            );
        }
        for wrong in ["101", "-1", "1.234", "1e400", "", "%", "NaN", "inf", "5 %%x"] {
            assert!(wrong.parse::<Weight>().is_err(), "{wrong}");
        }
        for wrong in ["100.01", "-0.01", "0.001", "\"5\""] {
            assert!(serde_json::from_str::<Weight>(wrong).is_err(), "{wrong}");
        }
        assert!(Weight::from_basis_points(10_001).is_none());
    }
}
