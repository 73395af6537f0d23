//! Whole numbers and switches.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer, Error};

use super::shown;
use crate::value::{ValueRef, decode};
use crate::{NodeError, NodeResult};

/// A whole number; `2.0` is one, and a text of one will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whole(pub i64);

schema!(Whole, { "type": ["integer", "string"] });

impl Whole {
    /// The number that a value is, or that its text says.
    #[must_use]
    pub fn read(value: ValueRef<'_>) -> Option<Self> {
        let found = match value.as_str() {
            Some(text) => text.trim().parse().ok(),
            None => decode::<i64>(value).ok(),
        };
        found.map(Self)
    }

    /// As a count, which has no sign.
    ///
    /// # Errors
    /// When it is negative.
    pub fn count(self, parameter: &str) -> NodeResult<usize> {
        let wrong = || NodeError::invalid(parameter, format_args!("must not be negative, but is {}", self.0));
        usize::try_from(self.0).map_err(|_| wrong())
    }

    /// The number, if it is in a range.
    ///
    /// # Errors
    /// When it is not.
    pub fn within(self, parameter: &str, range: RangeInclusive<i64>) -> NodeResult<i64> {
        if range.contains(&self.0) {
            return Ok(self.0);
        }
        Err(out_of(parameter, &range, self.0))
    }

    /// The position that this is in a list of `length` items, where negative numbers count from the end. It may lie
    /// behind the end; `None` is before the beginning.
    #[must_use]
    pub fn index_in(self, length: usize) -> Option<usize> {
        let back = usize::try_from(self.0.unsigned_abs()).unwrap_or(usize::MAX);
        if self.0 < 0 {
            length.checked_sub(back)
        } else {
            Some(back)
        }
    }
}

fn out_of(parameter: &str, range: &RangeInclusive<i64>, found: impl Display) -> NodeError {
    let why = match (range.start(), range.end()) {
        (start, &i64::MAX) => format!("must be at least {start}, but is {found}"),
        (start, end) => format!("must be from {start} to {end}, but is {found}"),
    };
    NodeError::invalid(parameter, why)
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format_args!("expected a whole number, found {}", shown(value)));
        Self::read(value).ok_or_else(wrong)
    }
}

/// True or false; the texts `true` and `false` will do, in any case, since Python writes `True`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

schema!(Flag, { "type": ["boolean", "string"] });

impl Flag {
    /// What a value is, or its text says.
    #[must_use]
    pub fn read(value: ValueRef<'_>) -> Option<Self> {
        let Some(text) = value.as_str() else {
            return value.as_bool().map(Self);
        };
        let text = text.trim();
        let words = [("true", true), ("false", false)];
        let word = words.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
        word.map(|(_, flag)| Self(*flag))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format_args!("expected true or false, found {}", shown(value)));
        Self::read(value).ok_or_else(wrong)
    }
}
