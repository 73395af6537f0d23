//! Invariant: a list or map is borrowed, not copied; null and missing are the empty one.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::shown;
use crate::value::{Kind, ValueRef};

/// A list; null and missing are the empty one.
#[derive(Clone, Copy, Debug)]
pub struct List<'a>(ValueRef<'a>);

schema!(List<'_>, { "type": ["array", "null"] });

impl<'a> List<'a> {
    /// A value that may be anything; what is no list has no items.
    #[must_use]
    pub const fn lenient(value: ValueRef<'a>) -> Self {
        Self(value)
    }

    /// The value that was given: a list, or null.
    #[must_use]
    pub const fn value(self) -> ValueRef<'a> {
        self.0
    }

    /// The number of items.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.as_list().map_or(0, |list| list.len())
    }

    /// Whether there is no item.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The item at a position.
    #[must_use]
    pub fn get(self, index: usize) -> Option<ValueRef<'a>> {
        self.0.at(index)
    }

    /// The items, in order.
    pub fn iter(self) -> impl Iterator<Item = ValueRef<'a>> {
        self.0.as_list().into_iter().flatten()
    }
}

impl Default for List<'_> {
    fn default() -> Self {
        Self(ValueRef::NULL)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for List<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        of_kind(deserializer, Kind::List, "a list").map(Self)
    }
}

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A map; null and missing are the empty one.
#[derive(Clone, Copy, Debug)]
pub struct Dict<'a>(ValueRef<'a>);

schema!(Dict<'_>, { "type": ["object", "null"] });

impl<'a> Dict<'a> {
    /// A value that may be anything; what is no map has no entries.
    #[must_use]
    pub const fn lenient(value: ValueRef<'a>) -> Self {
        Self(value)
    }

    /// The value that was given: a map, or null.
    #[must_use]
    pub const fn value(self) -> ValueRef<'a> {
        self.0
    }

    /// The number of entries.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.as_map().map_or(0, |map| map.len())
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value under a key.
    #[must_use]
    pub fn get(self, key: &str) -> Option<ValueRef<'a>> {
        self.0.get(key)
    }

    /// The keys and values, in order.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> {
        self.0.as_map().into_iter().flatten()
    }
}

impl Default for Dict<'_> {
    fn default() -> Self {
        Self(ValueRef::NULL)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Dict<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        of_kind(deserializer, Kind::Map, "a map").map(Self)
    }
}

impl Serialize for Dict<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

fn of_kind<'de, D: Deserializer<'de>>(
    deserializer: D,
    wanted: Kind,
    name: &str,
) -> Result<ValueRef<'de>, D::Error> {
    let value = ValueRef::deserialize(deserializer)?;
    if value.is_null() || value.kind() == wanted {
        return Ok(value);
    }
    Err(D::Error::custom(format_args!(
        "expected {name}, found {}",
        shown(value)
    )))
}
