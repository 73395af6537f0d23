//! Fields of known types, read from documents that may hold anything there.
//!
//! Invariant: a field that is absent or null is `None` and no finding; one of a wrong type is `None` and an
//! `INVALID_FIELD`.

use std::time::Duration;

use plugin_api::value::{Kind, MapRef, ValueRef};

use crate::code;
use crate::notes::{Notes, Place, Shown};

/// An object of a document, with its place.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a, 'p> {
    pub(crate) map: Option<MapRef<'a>>,
    pub(crate) place: Place<'p>,
}

pub(crate) fn kind_name(value: ValueRef<'_>) -> &'static str {
    match value.kind() {
        Kind::Null => "null",
        Kind::Bool => "a boolean",
        Kind::I64 | Kind::F64 => "a number",
        Kind::Str => "a text",
        Kind::Bytes => "bytes",
        Kind::List => "a list",
        Kind::Map => "an object",
    }
}

impl<'a, 'p> Object<'a, 'p> {
    /// `value` as an object; a finding when it is something else.
    pub(crate) fn of(value: Option<ValueRef<'a>>, place: Place<'p>, notes: &mut Notes<'_>) -> Self {
        let map = value.filter(|value| !value.is_null()).and_then(|value| {
            let map = value.as_map();
            if map.is_none() {
                wrong(notes, &place, value, "an object");
            }
            map
        });
        Self { map, place }
    }

    /// The value under a key, unless it is null.
    pub(crate) fn get(&self, key: &str) -> Option<ValueRef<'a>> {
        self.map?.get(key).filter(|value| !value.is_null())
    }

    /// The object under a key.
    pub(crate) fn object<'q>(&'q self, key: &'q str, notes: &mut Notes<'_>) -> Object<'a, 'q> {
        let value = self.get(key);
        Object::of(value, self.place.field(key, value), notes)
    }

    fn read<T>(
        &self,
        key: &str,
        notes: &mut Notes<'_>,
        expected: &str,
        read: impl FnOnce(ValueRef<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let found = read(value);
        if found.is_none() {
            wrong(notes, &self.place.key(key, value), value, expected);
        }
        found
    }

    /// A text.
    pub(crate) fn text(&self, key: &str, notes: &mut Notes<'_>) -> Option<&'a str> {
        self.read(key, notes, "a text", |value| value.as_str())
    }

    /// A boolean.
    pub(crate) fn flag(&self, key: &str, notes: &mut Notes<'_>) -> Option<bool> {
        self.read(key, notes, "true or false", |value| value.as_bool())
    }

    /// A whole number of a range.
    pub(crate) fn whole(&self, key: &str, least: u64, most: u64, notes: &mut Notes<'_>) -> Option<u64> {
        let expected = format!("a whole number from {least} to {most}");
        self.read(key, notes, &expected, |value| {
            whole(value).filter(|number| (least..=most).contains(number))
        })
    }

    /// A number that is not negative, in milliseconds times `unit`.
    pub(crate) fn time(&self, key: &str, unit: f64, least: f64, notes: &mut Notes<'_>) -> Option<Duration> {
        // A year: longer times are mistakes, and far from every overflow.
        const MOST_MILLIS: f64 = 366.0 * 24.0 * 3_600_000.0;
        let expected = format!("a number from {least} that is no more than a year");
        self.read(key, notes, &expected, |value| {
            let number = number(value)?;
            let millis = number * unit;
            (number >= least && millis <= MOST_MILLIS).then(|| Duration::from_secs_f64(millis / 1_000.0))
        })
    }

    /// A list of texts.
    pub(crate) fn texts(&self, key: &str, notes: &mut Notes<'_>) -> Option<Vec<&'a str>> {
        self.read(key, notes, "a list of texts", |value| {
            value.as_list()?.iter().map(|item| item.as_str()).collect()
        })
    }

    /// Names the fields that are in none of the lists.
    pub(crate) fn unknown(&self, known: &[&[&str]], notes: &mut Notes<'_>) {
        let Some(map) = self.map else { return };
        for (key, value) in map {
            if !known.iter().any(|keys| keys.contains(&key)) {
                notes.warning(
                    code::UNKNOWN_FIELD,
                    &self.place.key(key, value),
                    format_args!("`{}` is no known field, and is ignored", Shown(key)),
                    "correct its spelling, or remove it",
                );
            }
        }
    }

    /// Names the fields that are written, say something, and are not enforced.
    pub(crate) fn unsupported(&self, keys: &[&str], notes: &mut Notes<'_>) {
        for key in keys {
            if let Some(value) = self.get(key).filter(|value| !is_idle(*value)) {
                notes.warning(
                    code::UNSUPPORTED_SETTING,
                    &self.place.key(key, value),
                    format_args!("`{key}` is understood, and not enforced"),
                    "remove it, or do without what it promises",
                );
            }
        }
    }
}

/// Whether a value asks for nothing: false, 0, and what is empty.
fn is_idle(value: ValueRef<'_>) -> bool {
    value.as_bool() == Some(false)
        || value.as_i64() == Some(0)
        || value.as_str() == Some("")
        || value.as_list().is_some_and(|list| list.is_empty())
        || value.as_map().is_some_and(|map| map.is_empty())
}

/// A whole number that is not negative, however it is written.
pub(crate) fn whole(value: ValueRef<'_>) -> Option<u64> {
    if let Some(number) = value.as_i64() {
        return u64::try_from(number).ok();
    }
    let number = value.as_f64()?;
    // Whole numbers up to this are exact, so that the cast loses nothing.
    (number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
}

pub(crate) fn number(value: ValueRef<'_>) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_i64().map(|number| number as f64))
}

/// Notes that a value is not what it should be.
pub(crate) fn wrong(notes: &mut Notes<'_>, place: &Place<'_>, value: ValueRef<'_>, expected: &str) {
    let hint = format!("write {expected}");
    match value.as_str() {
        Some(text) => notes.error(
            code::INVALID_FIELD,
            place,
            format_args!("the text `{}` is not {expected}", Shown(text)),
            &hint,
        ),
        None => notes.error(
            code::INVALID_FIELD,
            place,
            format_args!("{} is not {expected}", kind_name(value)),
            &hint,
        ),
    }
}
