//! Invariant: the bytes of a [`Value`] are one canonical encoding.

use std::fmt;

use serde::Serialize;

use super::check::check;
use super::encode::encode;
use super::error::ValueError;
use super::json;
use super::layout::{FALSE, NULL, TRUE};
use super::view::ValueRef;
use super::writer::Writer;
use super::{emit, layout};

/// A value that owns its encoding.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Value(Vec<u8>);

impl Value {
    /// Null.
    pub fn null() -> Self {
        Self(vec![NULL])
    }

    pub(super) fn trusted(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The view with all the accessors.
    #[inline]
    pub fn as_ref(&self) -> ValueRef<'_> {
        ValueRef::trusted(&self.0)
    }

    /// A map of these entries, copied as they are. Fails for a key that is there twice.
    pub fn from_pairs<'v, K: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, ValueRef<'v>)>,
    ) -> Result<Self, ValueError> {
        Self::written(|out| {
            Writer::new(out).map(|map| {
                pairs
                    .into_iter()
                    .try_for_each(|(key, value)| map.entry(key.as_ref(), |entry| entry.value(value)))
            })
        })
    }

    /// A list of these items, copied as they are.
    pub fn from_items<'v>(items: impl IntoIterator<Item = ValueRef<'v>>) -> Result<Self, ValueError> {
        Self::written(|out| {
            Writer::new(out).list(|list| items.into_iter().try_for_each(|item| list.value(item)))
        })
    }

    /// A map without entries.
    pub fn empty_map() -> Self {
        let mut bytes = vec![0; layout::HEADER];
        (bytes[0], bytes[1]) = (layout::MAP, (layout::HEADER - layout::PREFIX) as u8);
        Self(bytes)
    }

    /// Reads JSON text. Of a key that appears twice the last value wins; integers beyond 64 bits become floats.
    pub fn from_json(text: &str) -> Result<Self, ValueError> {
        Self::from_json_slice(text.as_bytes())
    }

    /// Reads JSON text as [`from_json`](Self::from_json) does.
    pub fn from_json_slice(text: &[u8]) -> Result<Self, ValueError> {
        json::from_text(text).map(Self)
    }

    /// Encodes any serialisable value.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, ValueError> {
        let mut out = Vec::new();
        encode(value, &mut out)?;
        Ok(Self(out))
    }

    /// Takes bytes that should be an encoding, and checks them.
    pub fn from_encoded(bytes: Vec<u8>) -> Result<Self, ValueError> {
        check(&bytes)?;
        Ok(Self(bytes))
    }

    /// The encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the encoding away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// JSON text, without spaces. Byte strings become base64 strings.
    pub fn to_json(&self) -> String {
        self.as_ref().to_json()
    }

    /// JSON text, indented. Byte strings become base64 strings.
    pub fn to_json_pretty(&self) -> String {
        self.as_ref().to_json_pretty()
    }

    fn written(write: impl FnOnce(&mut Vec<u8>) -> Result<(), ValueError>) -> Result<Self, ValueError> {
        let mut out = Vec::with_capacity(layout::HEADER);
        write(&mut out)?;
        Ok(Self(out))
    }
}

impl Default for Value {
    fn default() -> Self {
        Self::null()
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self(vec![if value { TRUE } else { FALSE }])
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::written(|out| emit::i64(out, value)).unwrap_or_default()
    }
}

impl TryFrom<f64> for Value {
    type Error = ValueError;

    fn try_from(value: f64) -> Result<Self, ValueError> {
        Self::written(|out| emit::f64(out, value))
    }
}

/// Text beyond the size limit of 4 GiB, which no value can hold, becomes null.
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::written(|out| emit::str(out, text)).unwrap_or_default()
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        value.to_value()
    }
}

impl PartialEq<ValueRef<'_>> for Value {
    fn eq(&self, other: &ValueRef<'_>) -> bool {
        self.as_ref() == *other
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({})", self.to_json())
    }
}
