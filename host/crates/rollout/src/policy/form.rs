//! How the parts of a policy are written.

use std::fmt;
use std::str::FromStr;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::PolicyError;

/// The longest name of a variable.
const LONGEST_NAME: usize = 128;

/// What ends a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pause {
    /// So many milliseconds, and a passed check where there is an analysis.
    #[serde(alias = "after_ms")]
    AfterMs(u64),
    /// An order to promote.
    Promote,
}

/// What ends each of the steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Pauses {
    /// The same for all.
    Same(Pause),
    /// One for each step below 100 %.
    Each(Vec<Pause>),
}

impl Pauses {
    /// What ends that step.
    #[must_use]
    pub fn at(&self, step: usize) -> Option<Pause> {
        match self {
            Self::Same(pause) => Some(*pause),
            Self::Each(each) => each.get(step).copied(),
        }
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Self::Same(Pause::AfterMs(300_000))
    }
}

impl<'de> Deserialize<'de> for Pauses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Pauses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{\"afterMs\": N}, \"promote\", or a list of these")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Pauses, E> {
                Pause::deserialize(StrDeserializer::new(text)).map(Pauses::Same)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pauses, A::Error> {
                // A variant with a value takes exactly one field, but would leave others unread.
                let fields = OneField::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Pauses::Same(Pause::AfterMs(fields.after_ms)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Pauses, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Pauses::Each)
            }
        }

        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct OneField {
            #[serde(alias = "after_ms")]
            after_ms: u64,
        }

        deserializer.deserialize_any(Either)
    }
}

/// What stays on one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sticky {
    /// Each run by itself.
    #[default]
    Run,
    /// All runs of a tenant.
    Tenant,
    /// All runs in which this variable has the same value.
    Variable(String),
}

pub(super) const STICKY: &str =
    "run, tenant, or variable:NAME with a name of at most 128 bytes without control characters";

impl Sticky {
    /// Whether the name of a variable is one that can be written.
    pub(super) fn fits(&self) -> bool {
        match self {
            Self::Run | Self::Tenant => true,
            Self::Variable(name) => {
                !name.is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(char::is_control)
            }
        }
    }
}

impl FromStr for Sticky {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text {
            "run" => Ok(Self::Run),
            "tenant" => Ok(Self::Tenant),
            _ => text
                .strip_prefix("variable:")
                .map(|name| Self::Variable(name.to_owned()))
                .filter(Self::fits)
                .ok_or_else(|| PolicyError::piece("sticky", text, STICKY)),
        }
    }
}

impl fmt::Display for Sticky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run => f.write_str("run"),
            Self::Tenant => f.write_str("tenant"),
            Self::Variable(name) => write!(f, "variable:{name}"),
        }
    }
}

impl Serialize for Sticky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sticky {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
