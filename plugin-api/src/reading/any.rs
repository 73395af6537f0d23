//! Invariant: a parameter that may be anything says so in its schema.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::value::{Value, ValueRef};
use crate::{NodeError, NodeResult};

/// Any value; what is missing is null.
#[derive(Clone, Copy, Debug)]
pub struct Any<'a>(pub ValueRef<'a>);

schema!(Any<'_>, { "type": ["array", "boolean", "null", "number", "object", "string"] });

impl Default for Any<'_> {
    fn default() -> Self {
        Self(ValueRef::NULL)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Any<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueRef::deserialize(deserializer).map(Self)
    }
}

impl Serialize for Any<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Any value, null included; `None` where it is missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a>(pub Option<ValueRef<'a>>);

schema!(Given<'_>, { "type": ["array", "boolean", "null", "number", "object", "string"] });

impl<'a> Given<'a> {
    /// The value; null if it is missing.
    #[must_use]
    pub fn value(self) -> ValueRef<'a> {
        self.0.unwrap_or(ValueRef::NULL)
    }

    /// The value of a parameter that cannot be missing, null included. For parameters that have several names: no schema
    /// requires one of them, so the node does.
    ///
    /// # Errors
    /// When it is missing.
    pub fn of(self, parameter: &str) -> NodeResult<ValueRef<'a>> {
        self.0.ok_or_else(|| NodeError::invalid(parameter, "is missing"))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Given<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueRef::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

/// A result of any kind: a part of the parameters, or something new.
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// As it was given.
    Lent(ValueRef<'a>),
    /// Made by the node.
    Made(Value),
}

schema!(Outcome<'_>, { "type": ["array", "boolean", "null", "number", "object", "string"] });

impl Outcome<'_> {
    /// The result.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Lent(value) => *value,
            Self::Made(value) => value.as_ref(),
        }
    }
}

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}
