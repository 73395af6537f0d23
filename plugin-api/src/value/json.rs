//! Invariant: JSON text becomes an encoding in one pass, without a tree in between, and with bounded recursion.
//!
//! Of a key that appears twice the last value wins, at the place of the first, as in JavaScript. Integers outside
//! of the 64-bit range become floats.

use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::emit::{self, OpenList, OpenMap};
use super::error::{ValueError, ValueErrorKind};
use super::layout::{HEADER, split_key, split_value};
use super::view::ValueRef;

pub(super) fn from_text(text: &[u8]) -> Result<Vec<u8>, ValueError> {
    // The encoding of typical JSON is about as long as its text.
    let mut out = Vec::with_capacity(text.len() + text.len() / 4 + 16);
    let mut failure = None;
    let mut json = serde_json::Deserializer::from_slice(text);
    ReadInto {
        out: &mut out,
        depth: 0,
        failure: &mut failure,
    }
    .deserialize(&mut json)
    .and_then(|()| json.end())
    .map_err(|error| failure.take().unwrap_or_else(|| ValueError::json(&error)))?;
    Ok(out)
}

pub(super) fn to_text(value: ValueRef<'_>) -> String {
    // Writing to memory fails for no valid value.
    serde_json::to_string(&value).unwrap_or_default()
}

pub(super) fn to_pretty_text(value: ValueRef<'_>) -> String {
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

/// Shows bytes in the standard base64 alphabet, padded.
pub(super) struct Base64<'a>(pub(super) &'a [u8]);

impl fmt::Display for Base64<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for group in self.0.chunks(3) {
            let bits = group
                .iter()
                .fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte))
                << (8 * (3 - group.len()));
            for digit in 0..4 {
                let letter = ALPHABET
                    .get((bits >> (18 - 6 * digit) & 63) as usize)
                    .copied()
                    .unwrap_or(b'=');
                fmt::Write::write_char(f, if digit <= group.len() { letter.into() } else { '=' })?;
            }
        }
        Ok(())
    }
}

/// Reads one value of any self-describing format into `out`.
pub(super) struct ReadInto<'o> {
    pub(super) out: &'o mut Vec<u8>,
    pub(super) depth: usize,
    /// Our own error, which would lose its kind in the format's.
    pub(super) failure: &'o mut Option<ValueError>,
}

impl ReadInto<'_> {
    fn check<T, E: de::Error>(&mut self, done: Result<T, ValueError>) -> Result<T, E> {
        done.map_err(|error| {
            let told = E::custom(&error);
            *self.failure = Some(error);
            told
        })
    }

    fn inner(&mut self) -> ReadInto<'_> {
        ReadInto {
            out: &mut *self.out,
            depth: self.depth + 1,
            failure: &mut *self.failure,
        }
    }
}

impl<'de> DeserializeSeed<'de> for ReadInto<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadInto<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: de::Error>(mut self) -> Result<(), E> {
        let done = emit::null(self.out);
        self.check(done)
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(mut self, value: bool) -> Result<(), E> {
        let done = emit::bool(self.out, value);
        self.check(done)
    }

    fn visit_i64<E: de::Error>(mut self, value: i64) -> Result<(), E> {
        let done = emit::i64(self.out, value);
        self.check(done)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: de::Error>(mut self, value: f64) -> Result<(), E> {
        let done = emit::f64(self.out, value);
        self.check(done)
    }

    fn visit_str<E: de::Error>(mut self, text: &str) -> Result<(), E> {
        let done = emit::str(self.out, text);
        self.check(done)
    }

    fn visit_bytes<E: de::Error>(mut self, bytes: &[u8]) -> Result<(), E> {
        let done = emit::bytes(self.out, bytes);
        self.check(done)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let open = OpenList::begin(self.out, self.depth, 0);
        let mut open = self.check(open)?;
        while items.next_element_seed(self.inner())?.is_some() {
            open.count += 1;
        }
        let done = open.end(self.out);
        self.check(done)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let open = OpenMap::begin(self.out, self.depth, 0);
        let mut open = self.check(open)?;
        loop {
            let at = self.out.len();
            if entries.next_key_seed(ReadKey(self.inner()))?.is_none() {
                break;
            }
            open.key_at(self.out, at);
            entries.next_value_seed(self.inner())?;
        }
        let mut done = open.end(self.out);
        if done
            .as_ref()
            .is_err_and(|error| error.kind() == ValueErrorKind::DuplicateKey)
        {
            done = keep_last(self.out, &mut open).and_then(|()| open.end(self.out));
        }
        self.check(done)
    }
}

/// Rewrites the entries of the map at the end of `out` so that each key keeps its last value only.
fn keep_last(out: &mut Vec<u8>, open: &mut OpenMap) -> Result<(), ValueError> {
    let body = out.get(open.start + HEADER..).unwrap_or_default().to_vec();
    let mut entries = Vec::with_capacity(open.count);
    let mut rest = body.as_slice();
    while !rest.is_empty() {
        let (key, after) = split_key(rest).ok_or_else(ValueError::truncated)?;
        let (value, next) = split_value(after).ok_or_else(ValueError::truncated)?;
        entries.push((rest.get(..4 + key.len()).unwrap_or_default(), value));
        rest = next;
    }
    let mut last: HashMap<&[u8], &[u8]> = entries.iter().copied().collect();
    out.truncate(open.start + HEADER);
    open.count = 0;
    for (key, _) in entries {
        if let Some(value) = last.remove(key) {
            out.extend_from_slice(key);
            out.extend_from_slice(value);
            open.count += 1;
        }
    }
    Ok(())
}

/// Writes a key as text, whatever simple type the format has for it.
struct ReadKey<'o>(ReadInto<'o>);

impl ReadKey<'_> {
    fn display<E: de::Error>(mut self, text: &dyn fmt::Display) -> Result<(), E> {
        let done = emit::display(self.0.out, None, text);
        self.0.check(done)
    }
}

impl<'de> DeserializeSeed<'de> for ReadKey<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for ReadKey<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string key")
    }

    fn visit_str<E: de::Error>(mut self, text: &str) -> Result<(), E> {
        let done = emit::key(self.0.out, text);
        self.0.check(done)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.display(&value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.display(&value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.display(&value)
    }
}
