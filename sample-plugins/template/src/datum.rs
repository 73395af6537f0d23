//! Values while a template runs.
//!
//! Invariant: a list that was made is no deeper than [`MAX_DEPTH`] and, with all that is in it, no larger than a text may
//! be, however often it holds the same. So whoever goes through it, be it to drop it, goes neither deep nor far.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use plugin_api::prelude::*;
use plugin_api::reading::{MAX_TEXT, float_text, same};
use plugin_api::value::Kind;

use crate::budget::{Budget, Trouble};

/// How deep lists that a template makes may lie in one another.
pub(crate) const MAX_DEPTH: u32 = 16;

/// What a datum takes in a list.
const SLOT: usize = size_of::<Datum<'_>>();

/// A text: of the template or the data, or made by the template.
#[derive(Clone, Debug)]
pub(crate) enum Words<'v> {
    Lent(&'v str),
    Made(Rc<str>),
}

impl Words<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Lent(text) => text,
            Self::Made(text) => text,
        }
    }
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Datum<'v> {
    /// Nothing was found under what the template says here, as it stands there.
    Undefined(&'v str),
    Null,
    Flag(bool),
    Whole(i64),
    Float(f64),
    /// A text that is escaped when it is written, where the template escapes.
    Text(Words<'v>),
    /// A text that is written as it is.
    Safe(Words<'v>),
    /// A list, a map or bytes of the data.
    Data(ValueRef<'v>),
    /// A list that was made.
    List(Rc<List<'v>>),
}

/// A list that was made.
#[derive(Debug)]
pub(crate) struct List<'v> {
    pub(crate) items: Vec<Datum<'v>>,
    depth: u32,
    /// With all that is in it, in bytes.
    size: usize,
}

impl<'v> Datum<'v> {
    pub(crate) fn of(value: ValueRef<'v>) -> Self {
        match value.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Flag(value.as_bool() == Some(true)),
            Kind::I64 => Self::Whole(value.as_i64().unwrap_or_default()),
            Kind::F64 => Self::Float(value.as_f64().unwrap_or_default()),
            Kind::Str => Self::lent(value.as_str().unwrap_or_default()),
            Kind::Bytes | Kind::List | Kind::Map => Self::Data(value),
        }
    }

    pub(crate) const fn lent(text: &'v str) -> Self {
        Self::Text(Words::Lent(text))
    }

    /// A text that was made.
    pub(crate) fn made(text: &str, budget: &Budget<'_>) -> Result<Self, Trouble> {
        budget.made(text.len())?;
        Ok(Self::Text(Words::Made(text.into())))
    }

    /// A list that was made.
    pub(crate) fn list(items: Vec<Self>, budget: &Budget<'_>) -> Result<Self, Trouble> {
        budget.made(items.len().saturating_mul(SLOT))?;
        let deepest = items.iter().map(|item| match item {
            Self::List(list) => list.depth,
            _ => 0,
        });
        let depth = deepest.max().unwrap_or_default() + 1;
        if depth > MAX_DEPTH {
            return Trouble::wrong(format!("lists may lie in one another up to {MAX_DEPTH} times"));
        }
        let size = items
            .iter()
            .fold(0_usize, |size, item| size.saturating_add(item.size() + SLOT));
        if size > MAX_TEXT {
            return Trouble::wrong("the list would be too large");
        }
        Ok(Self::List(Rc::new(List { items, depth, size })))
    }

    /// A number that a float can be; the others are none.
    pub(crate) fn float(number: f64) -> Result<Self, Trouble> {
        if number.is_finite() {
            return Ok(Self::Float(number));
        }
        Trouble::wrong("the result is no number")
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "nothing",
            Self::Null => "null",
            Self::Flag(_) => "a boolean",
            Self::Whole(_) | Self::Float(_) => "a number",
            Self::Text(_) | Self::Safe(_) => "a text",
            Self::List(_) => "a list",
            Self::Data(value) => match value.kind() {
                Kind::Map => "a map",
                Kind::List => "a list",
                _ => "bytes",
            },
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Undefined(_) | Self::Null)
    }

    /// Whether a condition takes it for true: what is empty, zero or nothing is not.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Undefined(_) | Self::Null => false,
            Self::Flag(flag) => *flag,
            Self::Whole(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) | Self::Safe(text) => !text.as_str().is_empty(),
            Self::Data(_) | Self::List(_) => self.length() != Some(0),
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Safe(text) => Some(text.as_str()),
            _ => None,
        }
    }

    pub(crate) const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The number of characters, items or entries.
    pub(crate) fn length(&self) -> Option<usize> {
        match self {
            Self::Text(text) | Self::Safe(text) => Some(text.as_str().chars().count()),
            Self::List(list) => Some(list.items.len()),
            Self::Data(value) => match value.kind() {
                Kind::Map => value.as_map().map(|map| map.len()),
                Kind::List => value.as_list().map(|list| list.len()),
                _ => value.as_bytes().map(<[u8]>::len),
            },
            _ => None,
        }
    }

    /// The items of a list; `None` for anything else.
    pub(crate) fn items(&self, budget: &Budget<'_>) -> Result<Option<Vec<Self>>, Trouble> {
        let items: Vec<Self> = match self {
            Self::List(list) => list.items.clone(),
            Self::Data(value) => match value.as_list() {
                Some(list) => {
                    budget.made(list.len().saturating_mul(SLOT))?;
                    list.iter().map(Self::of).collect()
                }
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        budget.read(items.len().saturating_mul(SLOT))?;
        Ok(Some(items))
    }

    /// How much there is to look at in it, in bytes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Safe(text) => text.as_str().len(),
            Self::Data(value) => value.raw().len(),
            Self::List(list) => list.size,
            _ => 0,
        }
    }

    /// As it is written: nothing for nothing, lists and maps as their JSON.
    pub(crate) fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Undefined(_) | Self::Null => Cow::Borrowed(""),
            Self::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Self::Whole(number) => Cow::Owned(number.to_string()),
            Self::Float(number) => Cow::Owned(float_text(*number)),
            Self::Text(text) | Self::Safe(text) => Cow::Borrowed(text.as_str()),
            Self::Data(value) => Cow::Owned(value.to_json()),
            Self::List(_) => Cow::Owned(self.json()),
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> String {
        match self {
            Self::Undefined(_) | Self::Null => "null".to_owned(),
            Self::Text(text) | Self::Safe(text) => Value::from(text.as_str()).to_json(),
            Self::List(list) => {
                let items: Vec<String> = list.items.iter().map(Self::json).collect();
                format!("[{}]", items.join(","))
            }
            _ => self.written().into_owned(),
        }
    }

    /// The entry of a map, or the item of a list: a negative number counts from the end.
    pub(crate) fn entry(&self, key: &Self) -> Option<Self> {
        if let Self::Data(value) = self
            && let Some(key) = key.as_text()
        {
            return value.get(key).map(Self::of);
        }
        let Self::Whole(position) = key else {
            return None;
        };
        let back = usize::try_from(position.unsigned_abs()).ok()?;
        let from_start = |length: usize| {
            if *position < 0 {
                length.checked_sub(back)
            } else {
                Some(back)
            }
        };
        match self {
            Self::Data(value) => {
                let list = value.as_list()?;
                list.get(from_start(list.len())?).map(Self::of)
            }
            Self::List(list) => list.items.get(from_start(list.items.len())?).cloned(),
            _ => None,
        }
    }

    /// Whether both are the same, however deep. Numbers are by their value; nothing is null.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Flag(left), Self::Flag(right)) => left == right,
            (Self::Whole(left), Self::Whole(right)) => left == right,
            (Self::Data(left), Self::Data(right)) => same(*left, *right),
            (Self::List(left), Self::List(right)) => {
                let mut pairs = left.items.iter().zip(&right.items);
                left.items.len() == right.items.len() && pairs.all(|(left, right)| left.same(right))
            }
            (Self::List(list), Self::Data(value)) | (Self::Data(value), Self::List(list)) => {
                value.as_list().is_some_and(|right| {
                    let mut pairs = list.items.iter().zip(right.iter().map(Self::of));
                    list.items.len() == right.len() && pairs.all(|(left, right)| left.same(&right))
                })
            }
            _ if self.is_nothing() || other.is_nothing() => self.is_nothing() && other.is_nothing(),
            _ => match (self.as_text(), other.as_text()) {
                (Some(left), Some(right)) => left == right,
                _ => {
                    matches!((self.as_number(), other.as_number()), (Some(left), Some(right)) if left == right)
                }
            },
        }
    }

    /// Which of two numbers or texts comes first; `None` for anything else.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => Some(left.cmp(right)),
            _ => match (self.as_text(), other.as_text()) {
                (Some(left), Some(right)) => Some(left.cmp(right)),
                _ => self.as_number()?.partial_cmp(&other.as_number()?),
            },
        }
    }
}
