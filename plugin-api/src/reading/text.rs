//! Invariant: what is read as text loses nothing, and a number is written in one way, JavaScript's, which is what
//! templates write.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::shown;
use crate::value::{Kind, ValueRef};

/// A parameter that is wanted as text: a number or boolean is written as one, null and missing are the empty text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

schema!(Text<'_>, { "type": ["string", "number", "boolean", "null"] });

impl Text<'_> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format_args!("expected a text, found {}", shown(value)));
        text_of(value).map(Self).ok_or_else(wrong)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The value as text, if that loses nothing; null is the empty text. Bytes, lists and maps are none.
#[must_use]
pub fn text_of(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value.kind() {
        Kind::Str => value.as_str().map(Cow::Borrowed),
        Kind::Null => Some(Cow::Borrowed("")),
        Kind::Bool => value
            .as_bool()
            .map(|flag| Cow::Borrowed(if flag { "true" } else { "false" })),
        Kind::I64 => value.as_i64().map(|number| Cow::Owned(number.to_string())),
        Kind::F64 => value.as_f64().map(|number| Cow::Owned(float_text(number))),
        Kind::Bytes | Kind::List | Kind::Map => None,
    }
}

/// As [`text_of`], where bytes, lists and maps are their JSON.
#[must_use]
pub fn text_or_json(value: ValueRef<'_>) -> Cow<'_, str> {
    text_of(value).unwrap_or_else(|| Cow::Owned(value.to_json()))
}

/// What a value is called among others, for instance as the name of its group: as [`text_or_json`], where null is
/// `null`. Equal numbers have the same name.
#[must_use]
pub fn label(value: ValueRef<'_>) -> Cow<'_, str> {
    if value.is_null() {
        return Cow::Borrowed("null");
    }
    text_or_json(value)
}

/// A float as JavaScript writes it: `3`, `0.1`, `1e+21`, `1e-7`.
#[must_use]
pub fn float_text(number: f64) -> String {
    ryu_js::Buffer::new().format(number).to_owned()
}

/// A key of a map: a text, or what is written as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key<'a>(pub Cow<'a, str>);

schema!(Key<'_>, { "type": ["string", "number", "boolean"] });

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format_args!("expected a key, found {}", shown(value)));
        key_of(value).map(Self).ok_or_else(wrong)
    }
}

/// The key that a value is: a text, a number or a boolean. `1.0` and `1` are the same.
#[must_use]
pub fn key_of(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    text_of(value).filter(|_| !value.is_null())
}
