//! Invariant: the bytes behind a [`ValueRef`] passed `check`, or are a part of bytes that did.
//!
//! Even so, every accessor is total: should the memory behind a view change, it answers nonsense, and never panics.

use std::fmt;

use super::check::check;
use super::collections::{ListRef, MapRef};
use super::error::ValueError;
use super::json;
use super::layout::{self, BYTES, F64, FALSE, I64, LIST, MAP, NULL, STR, TRUE, split_u32};
use super::owned::Value;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing.
    Null,
    /// True or false.
    Bool,
    /// A signed 64-bit integer.
    I64,
    /// A finite 64-bit float.
    F64,
    /// UTF-8 text.
    Str,
    /// A byte string.
    Bytes,
    /// Values in order.
    List,
    /// Values under distinct keys, in the order they were written.
    Map,
}

/// A checked value, borrowed from its encoding.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ValueRef<'a> {
    raw: &'a [u8],
}

impl<'a> ValueRef<'a> {
    /// The null value.
    pub const NULL: ValueRef<'static> = ValueRef { raw: &[NULL] };

    /// Checks that `bytes` are exactly one canonical value, and views it.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ValueError> {
        // Nodes without a result are common, and need no walk.
        if bytes != [NULL] {
            check(bytes)?;
        }
        Ok(Self { raw: bytes })
    }

    /// Views bytes that the other side of the contract has already checked.
    ///
    /// Bytes that are no value do no harm to memory: reads of them give nothing or something wrong.
    #[inline]
    #[must_use]
    pub const fn assume_valid(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// Views bytes that were cut out of a checked value, or written by this module.
    #[inline]
    pub(super) fn trusted(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// The encoding: self-contained, so it may be stored, sent, or copied into an output.
    #[inline]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    #[inline]
    pub(super) fn tag(&self) -> u8 {
        self.raw.first().copied().unwrap_or(NULL)
    }

    #[inline]
    fn word(&self) -> [u8; 8] {
        self.raw
            .get(1..)
            .and_then(|b| b.first_chunk())
            .copied()
            .unwrap_or_default()
    }

    #[inline]
    fn payload(&self) -> &'a [u8] {
        layout::payload(self.raw).unwrap_or_default()
    }

    /// What this value is.
    pub fn kind(&self) -> Kind {
        match self.tag() {
            FALSE | TRUE => Kind::Bool,
            I64 => Kind::I64,
            F64 => Kind::F64,
            STR => Kind::Str,
            BYTES => Kind::Bytes,
            LIST => Kind::List,
            MAP => Kind::Map,
            _ => Kind::Null,
        }
    }

    /// Whether this is null.
    #[inline]
    pub fn is_null(&self) -> bool {
        self.tag() == NULL
    }

    /// The boolean, if it is one.
    #[inline]
    pub fn as_bool(&self) -> Option<bool> {
        match self.tag() {
            FALSE => Some(false),
            TRUE => Some(true),
            _ => None,
        }
    }

    /// The integer, if it is one.
    #[inline]
    pub fn as_i64(&self) -> Option<i64> {
        (self.tag() == I64).then(|| i64::from_le_bytes(self.word()))
    }

    /// The float, or the integer if a float can hold it exactly.
    #[inline]
    pub fn as_f64(&self) -> Option<f64> {
        match self.tag() {
            F64 => Some(f64::from_le_bytes(self.word())),
            I64 => {
                let exact = i64::from_le_bytes(self.word());
                let float = exact as f64;
                (float as i128 == i128::from(exact)).then_some(float)
            }
            _ => None,
        }
    }

    /// The text, if it is a string.
    #[inline]
    pub fn as_str(&self) -> Option<&'a str> {
        if self.tag() == STR {
            std::str::from_utf8(self.payload()).ok()
        } else {
            None
        }
    }

    /// The bytes, if it is a byte string.
    #[inline]
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        (self.tag() == BYTES).then(|| self.payload())
    }

    /// The list, if it is one.
    #[inline]
    pub fn as_list(&self) -> Option<ListRef<'a>> {
        (self.tag() == LIST).then(|| ListRef::new(self.raw, self.count()))
    }

    /// The map, if it is one.
    #[inline]
    pub fn as_map(&self) -> Option<MapRef<'a>> {
        (self.tag() == MAP).then(|| MapRef::new(self.raw, self.count()))
    }

    #[inline]
    fn count(&self) -> usize {
        split_u32(self.payload()).map_or(0, |(count, _)| count)
    }

    /// The value under `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<ValueRef<'a>> {
        self.as_map()?.get(key)
    }

    /// The item at `index`, if this is a list that has it.
    pub fn at(&self, index: usize) -> Option<ValueRef<'a>> {
        self.as_list()?.get(index)
    }

    /// The value that a JSON pointer (RFC 6901, like `/items/0/name`) leads to.
    pub fn pointer(&self, pointer: &str) -> Option<ValueRef<'a>> {
        if pointer.is_empty() {
            return Some(*self);
        }
        let mut value = *self;
        for token in pointer.strip_prefix('/')?.split('/') {
            value = match value.tag() {
                MAP if token.contains('~') => value.get(&token.replace("~1", "/").replace("~0", "~"))?,
                MAP => value.get(token)?,
                LIST => value.at(list_index(token)?)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// Whether lists and maps are nested no deeper than this; a value of at most [`MAX_DEPTH`](super::MAX_DEPTH) less one
    /// fits into a list or a map.
    pub fn fits_depth(&self, levels: usize) -> bool {
        layout::fits_depth(self.raw, levels)
    }

    /// Copies the encoding into an owned value.
    pub fn to_value(&self) -> Value {
        Value::trusted(self.raw.to_vec())
    }

    /// JSON text, without spaces. Byte strings become base64 strings.
    pub fn to_json(&self) -> String {
        json::to_text(*self)
    }

    /// JSON text, indented. Byte strings become base64 strings.
    pub fn to_json_pretty(&self) -> String {
        json::to_pretty_text(*self)
    }
}

/// RFC 6901 knows no signs and no leading zeros.
fn list_index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with(['0', '+']);
    if canonical { token.parse().ok() } else { None }
}

impl fmt::Display for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&if f.alternate() {
            self.to_json_pretty()
        } else {
            self.to_json()
        })
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueRef({})", self.to_json())
    }
}
