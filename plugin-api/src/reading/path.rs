//! Invariant: a key that has dots in it comes before a path; a path that leads nowhere gives nothing.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error};

use super::shown;
use crate::value::ValueRef;

/// The name of a field that every item has: a key, a dotted path such as `user.tags.0`, or a position where the items
/// are lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a>(pub Cow<'a, str>);

schema!(Field<'_>, { "type": ["string", "integer"] });

impl Field<'_> {
    /// The field of an item, if it has one.
    #[must_use]
    pub fn of<'v>(&self, item: ValueRef<'v>) -> Option<ValueRef<'v>> {
        field(item, &self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let number = || value.as_i64().map(|number| Cow::Owned(number.to_string()));
        let name = value.as_str().map(Cow::Borrowed).or_else(number);
        let wrong = || {
            let found = shown(value);
            D::Error::custom(format_args!("expected the name of a field, found {found}"))
        };
        name.map(Self).ok_or_else(wrong)
    }
}

/// The value under one key of a map, or at one position of a list.
#[must_use]
pub fn step<'v>(value: ValueRef<'v>, key: &str) -> Option<ValueRef<'v>> {
    match value.as_map() {
        Some(map) => map.get(key),
        None => value.at(key.parse().ok()?),
    }
}

/// The value at a path of keys and positions with dots between them, if it leads anywhere.
#[must_use]
pub fn field<'v>(value: ValueRef<'v>, path: &str) -> Option<ValueRef<'v>> {
    step(value, path).or_else(|| {
        let mut path = path.contains('.').then(|| path.split('.'))?;
        path.try_fold(value, step)
    })
}
