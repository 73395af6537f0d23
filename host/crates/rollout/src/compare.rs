//! Where two answers differ.
//!
//! Invariant: what comes out is bounded, whatever goes in: so many differences, so deep, so many bytes of each. Numbers are
//! compared by value: 1 is 1.0. The order of keys means nothing, that of a list does.

use std::fmt::Write as _;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::path::{IgnorePath, Step};

/// More differences are not looked for.
pub const MOST_DIFFERENCES: usize = 50;
/// What lies deeper counts as different.
const DEEPEST: usize = 128;
/// The longest excerpt and the longest path, in bytes.
const LONGEST: usize = 256;

/// A place where two answers differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Where: a JSON pointer; cut with `…` when it is long.
    pub path: String,
    /// What the stable version says, as JSON, cut in the same way; none when it says nothing there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<String>,
    /// What the candidate says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
}

/// Where two answers differ, but for the places that are ignored; [`MOST_DIFFERENCES`] at most.
#[must_use]
pub fn compare(stable: &Value, candidate: &Value, ignore: &[IgnorePath]) -> Vec<Difference> {
    let mut walk = Walk {
        ignore,
        path: Vec::new(),
        found: Vec::new(),
    };
    let active: Vec<Active> = (0..ignore.len()).map(|path| Active { path, place: 0 }).collect();
    walk.pair(Some(stable), Some(candidate), &active);
    walk.found
}

/// An ignored path that leads here, and how much of it has been gone.
#[derive(Clone, Copy)]
struct Active {
    path: usize,
    place: usize,
}

struct Walk<'a> {
    ignore: &'a [IgnorePath],
    path: Vec<Step<'a>>,
    found: Vec<Difference>,
}

impl<'a> Walk<'a> {
    fn is_full(&self) -> bool {
        self.found.len() >= MOST_DIFFERENCES
    }

    fn pair(&mut self, stable: Option<&'a Value>, candidate: Option<&'a Value>, active: &[Active]) {
        match (stable, candidate) {
            (Some(Value::Object(old)), Some(Value::Object(new))) if self.path.len() < DEEPEST => {
                self.maps(old, new, active);
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) if self.path.len() < DEEPEST => {
                self.lists(old, new, active);
            }
            (Some(Value::Object(_) | Value::Array(_)), Some(Value::Object(_) | Value::Array(_))) => {
                self.differ(stable, candidate);
            }
            (Some(Value::Number(old)), Some(Value::Number(new))) if same_number(old, new) => {}
            _ if stable == candidate => {}
            _ => self.differ(stable, candidate),
        }
    }

    fn maps(&mut self, old: &'a Map<String, Value>, new: &'a Map<String, Value>, active: &[Active]) {
        let added = new.keys().filter(|key| !old.contains_key(*key));
        for key in old.keys().chain(added) {
            if self.is_full() {
                return;
            }
            self.down(Step::Key(key), old.get(key), new.get(key), active);
        }
    }

    fn lists(&mut self, old: &'a [Value], new: &'a [Value], active: &[Active]) {
        for index in 0..old.len().max(new.len()) {
            if self.is_full() {
                return;
            }
            self.down(Step::Index(index), old.get(index), new.get(index), active);
        }
    }

    fn down(
        &mut self,
        step: Step<'a>,
        stable: Option<&'a Value>,
        candidate: Option<&'a Value>,
        active: &[Active],
    ) {
        let mut below = Vec::new();
        for &Active { path, place } in active {
            let Some(ignored) = self
                .ignore
                .get(path)
                .filter(|ignored| ignored.admits(place, step))
            else {
                continue;
            };
            if place + 1 == ignored.len() {
                return;
            }
            below.push(Active {
                path,
                place: place + 1,
            });
        }
        self.path.push(step);
        self.pair(stable, candidate, &below);
        self.path.pop();
    }

    fn differ(&mut self, stable: Option<&Value>, candidate: Option<&Value>) {
        self.found.push(Difference {
            path: shown(&self.path),
            stable: stable.map(excerpt),
            candidate: candidate.map(excerpt),
        });
    }
}

/// Whether two numbers are the same one. A float is compared as the integer that it is, and not the other way round,
/// which would lose digits.
fn same_number(one: &Number, other: &Number) -> bool {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one.as_f64() == other.as_f64(),
        _ => false,
    }
}

fn whole(number: &Number) -> Option<i128> {
    if let Some(whole) = number.as_i128() {
        return Some(whole);
    }
    let float = number
        .as_f64()
        .filter(|float| float.fract() == 0.0 && float.abs() < 1e30)?;
    Some(float as i128)
}

fn shown(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            // Writing to a string does not fail.
            Step::Index(index) => _ = write!(text, "/{index}"),
            Step::Key(key) => {
                text.push('/');
                for letter in key.chars().take(LONGEST) {
                    match letter {
                        '~' => text.push_str("~0"),
                        '/' => text.push_str("~1"),
                        _ => text.push(letter),
                    }
                }
            }
        }
        if text.len() > LONGEST {
            break;
        }
    }
    cut(text)
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}

/// The beginning of a value's JSON; the rest of a large one is not even written.
fn excerpt(value: &Value) -> String {
    let mut sink = Sink(Vec::new());
    // It fails when it is full, and is cut then.
    _ = serde_json::to_writer(&mut sink, value);
    cut(String::from_utf8_lossy(&sink.0).into_owned())
}

struct Sink(Vec<u8>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() > LONGEST {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let taken = bytes.len().min(LONGEST + 4);
        self.0.extend(bytes.iter().take(taken));
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(crate) use tests::arbitrary_json;

#[cfg(test)]
mod tests;
