//! Where answers may differ.
//!
//! Invariant: a path has between one and 32 parts, and says no more than "below here": what it names is passed over with
//! everything in it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::PathError;

/// The longest path, in bytes.
const LONGEST: usize = 512;
/// The most parts.
const MOST_PARTS: usize = 32;

/// A path that is passed over: `/meta/at` (a JSON pointer), or `$.items[*].id`. `*` stands for any key or index; a key that
/// is a star itself is written `$['*']`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnorePath {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Any,
    Key(String),
    Index(usize),
}

/// One step down into a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl IgnorePath {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many parts it has.
    pub(crate) const fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether its part at that place admits the step.
    pub(crate) fn admits(&self, place: usize, step: Step<'_>) -> bool {
        match (self.parts.get(place), step) {
            (Some(Part::Any), _) => true,
            (Some(Part::Key(key)), Step::Key(step)) => key == step,
            // A pointer does not tell keys from indices.
            (Some(Part::Key(key)), Step::Index(step)) => {
                key.parse() == Ok(step) && (key == "0" || !key.starts_with(['0', '+']))
            }
            (Some(Part::Index(index)), Step::Index(step)) => *index == step,
            (Some(Part::Index(_)), Step::Key(_)) | (None, _) => false,
        }
    }
}

impl FromStr for IgnorePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let refuse = |(at, reason)| PathError {
            path: text.chars().take(80).flat_map(char::escape_debug).collect(),
            reason,
            at,
        };
        if text.len() > LONGEST {
            return Err(refuse((LONGEST, "it has more than 512 bytes")));
        }
        let parts = match text.as_bytes().first() {
            Some(b'/') => pointer(text),
            Some(b'$') => Reader { text, at: 1 }.parts(),
            None => Err((0, "an empty path would pass over everything")),
            Some(_) => Err((0, "it begins with neither `/` nor `$`")),
        }
        .map_err(refuse)?;
        if parts.is_empty() {
            return Err(refuse((0, "`$` alone would pass over everything")));
        }
        if parts.len() > MOST_PARTS {
            return Err(refuse((text.len(), "it has more than 32 parts")));
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }
}

type Refusal = (usize, &'static str);

/// RFC 6901, with a star for any part.
fn pointer(text: &str) -> Result<Vec<Part>, Refusal> {
    let mut parts = Vec::new();
    let mut at = 1;
    for raw in text.split('/').skip(1) {
        if raw == "*" {
            parts.push(Part::Any);
        } else {
            let mut key = String::with_capacity(raw.len());
            let mut letters = raw.char_indices();
            while let Some((place, letter)) = letters.next() {
                match (letter, if letter == '~' { letters.next() } else { None }) {
                    ('~', Some((_, '0'))) => key.push('~'),
                    ('~', Some((_, '1'))) => key.push('/'),
                    ('~', _) => return Err((at + place, "`~` is followed by neither 0 nor 1")),
                    _ => key.push(letter),
                }
            }
            parts.push(Part::Key(key));
        }
        at += raw.len() + 1;
    }
    Ok(parts)
}

/// Reads what follows a `$`.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn parts(mut self) -> Result<Vec<Part>, Refusal> {
        let mut parts = Vec::new();
        while let Some(first) = self.rest().chars().next() {
            match first {
                '.' => parts.push(self.name()?),
                '[' => parts.push(self.bracket()?),
                _ => return Err((self.at, "a part begins with neither `.` nor `[`")),
            }
        }
        Ok(parts)
    }

    fn name(&mut self) -> Result<Part, Refusal> {
        self.at += 1;
        let rest = self.rest();
        let name = rest.split(['.', '[']).next().unwrap_or_default();
        if name.is_empty() {
            return Err((self.at, "a name is missing after `.`"));
        }
        if let Some(place) = name.find([']', '\'', '"', ' ']) {
            return Err((self.at + place, "such a key is written in brackets and quotes"));
        }
        self.at += name.len();
        Ok(if name == "*" {
            Part::Any
        } else {
            Part::Key(name.to_owned())
        })
    }

    fn bracket(&mut self) -> Result<Part, Refusal> {
        self.at += 1;
        let part = match self.rest().chars().next() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote)?,
            _ => {
                let inner = self.rest().split(']').next().unwrap_or_default();
                let part = if inner == "*" {
                    Part::Any
                } else if !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit()) {
                    Part::Index(inner.parse().map_err(|_| (self.at, "the index is too large"))?)
                } else {
                    return Err((self.at, "in brackets stands an index, a `*`, or a quoted key"));
                };
                self.at += inner.len();
                part
            }
        };
        if !self.rest().starts_with(']') {
            return Err((self.at, "`]` is missing"));
        }
        self.at += 1;
        Ok(part)
    }

    fn quoted(&mut self, quote: char) -> Result<Part, Refusal> {
        let begin = self.at;
        let mut key = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((place, letter)) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some((_, escaped)) if escaped == quote || escaped == '\\' => key.push(escaped),
                    _ => return Err((begin + place, "`\\` is followed by neither the quote nor `\\`")),
                },
                _ if letter == quote => {
                    self.at = begin + place + 1;
                    return Ok(Part::Key(key));
                }
                _ => key.push(letter),
            }
        }
        Err((begin, "the quote does not end"))
    }
}

impl fmt::Display for IgnorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for IgnorePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for IgnorePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
