//! Invariant: the functions of `$utils` are the same in compiled expressions and in scripts, change nothing, and say
//! which argument does not fit.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use plugin_api::value::{ListRef, MapRef, Value, ValueError, ValueRef, Writer};

use crate::fault::Fault;
use crate::lexer::is_space;
use crate::moment::iso;
use crate::operand::{Operand, View, list, order, order_texts, owned, same, units, write_joined};

macro_rules! tools {
    ($($tool:ident $name:literal,)*) => {
        /// A function of `$utils`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Tool {
            $($tool,)*
        }

        impl Tool {
            pub(crate) const ALL: &[Self] = &[$(Self::$tool,)*];

            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$tool => $name,)*
                }
            }
        }
    };
}

tools! {
    Flatten "flatten",
    Pick "pick",
    Omit "omit",
    Merge "merge",
    Keys "keys",
    Values "values",
    Entries "entries",
    Length "length",
    First "first",
    Last "last",
    Reverse "reverse",
    Sort "sort",
    Unique "unique",
    Join "join",
    Split "split",
    Uppercase "uppercase",
    Lowercase "lowercase",
    Trim "trim",
    Replace "replace",
    Includes "includes",
    StartsWith "startsWith",
    EndsWith "endsWith",
    Now "now",
    Timestamp "timestamp",
    GroupBy "groupBy",
    GenerateSecurePassword "generateSecurePassword",
}

type Made<T> = Result<T, Fault>;

/// The arguments of a call.
struct Arguments<'v, 'a> {
    tool: Tool,
    all: &'v [Operand<'a>],
    at: u32,
}

impl<'v> Arguments<'v, '_> {
    fn get(&self, index: usize) -> View<'v> {
        self.all.get(index).map_or(View::Undefined, Operand::view)
    }

    fn wrong<T>(&self, index: usize, wanted: &str) -> Made<T> {
        let message = format!(
            "argument {} of `$utils.{}` must be {wanted}, it is {}",
            index + 1,
            self.tool.name(),
            self.get(index).noun()
        );
        Err(Fault::failed(self.at, message))
    }

    fn text(&self, index: usize) -> Made<Cow<'v, str>> {
        match self.get(index) {
            View::Text(text) => Ok(Cow::Borrowed(text)),
            other @ (View::Bool(_) | View::Int(_) | View::Float(_)) => Ok(Cow::Owned(other.to_text())),
            _ => self.wrong(index, "a text"),
        }
    }

    fn list(&self, index: usize) -> Made<ListRef<'v>> {
        match self.get(index) {
            View::List(list) => Ok(list),
            _ => self.wrong(index, "a list"),
        }
    }

    fn map(&self, index: usize) -> Made<MapRef<'v>> {
        match self.get(index) {
            View::Map(map) => Ok(map),
            View::Node(node) => node
                .output
                .as_map()
                .map_or_else(|| self.wrong(index, "a map"), Ok),
            _ => self.wrong(index, "a map"),
        }
    }

    /// Keys: every argument from the second on, or the texts of a list there.
    fn keys(&self) -> Made<HashSet<Cow<'v, str>>> {
        let mut keys = HashSet::new();
        for index in 1..self.all.len() {
            if let View::List(list) = self.get(index) {
                keys.extend(list.iter().map(|key| Cow::Owned(View::from(key).to_text())));
            } else {
                keys.insert(self.text(index)?);
            }
        }
        Ok(keys)
    }

    fn made<'a>(&self, made: Result<Value, ValueError>) -> Made<Operand<'a>> {
        made.map(Operand::Owned)
            .map_err(|error| Fault::failed(self.at, format!("`$utils.{}`: {error}", self.tool.name())))
    }
}

impl Tool {
    pub(crate) fn call<'a>(self, all: &[Operand<'a>], now: i64, at: u32) -> Made<Operand<'a>> {
        let arguments = Arguments { tool: self, all, at };
        match self {
            Self::Now => Ok(text(iso(now))),
            Self::Timestamp => Ok(Operand::Int(now)),
            Self::GenerateSecurePassword => password(&arguments).map(text),
            Self::Length | Self::First | Self::Last | Self::Includes => inspect(self, &arguments),
            Self::Uppercase
            | Self::Lowercase
            | Self::Trim
            | Self::Replace
            | Self::StartsWith
            | Self::EndsWith
            | Self::Split
            | Self::Join => on_text(self, &arguments),
            Self::Flatten | Self::Reverse | Self::Sort | Self::Unique | Self::GroupBy => {
                on_list(self, &arguments)
            }
            Self::Pick | Self::Omit | Self::Merge | Self::Keys | Self::Values | Self::Entries => {
                on_map(self, &arguments)
            }
        }
    }
}

fn text<'a>(text: impl Into<String>) -> Operand<'a> {
    Operand::Text(Cow::Owned(text.into()))
}

fn copied<'a>(value: Option<ValueRef<'_>>) -> Operand<'a> {
    value.map_or(Operand::Null, |value| Operand::Owned(value.to_value()))
}

/// The kinds of characters of a password, without those that are easily taken for others.
const KINDS: [&[u8]; 4] = [
    b"abcdefghijkmnopqrstuvwxyz",
    b"ABCDEFGHJKLMNPQRSTUVWXYZ",
    b"23456789",
    b"!#%+-=?@_",
];

/// A password of 20 characters, or as many as the argument says, with one of each kind; from the system's random numbers.
fn password(arguments: &Arguments<'_, '_>) -> Made<String> {
    let length = match arguments.get(0) {
        View::Undefined => 20,
        View::Int(length @ 8..=128) => length.unsigned_abs(),
        _ => return arguments.wrong(0, "a whole number from 8 to 128"),
    };
    let all = KINDS.concat();
    let mut characters: Vec<u8> = Vec::new();
    for index in 0..length {
        let kind = usize::try_from(index)
            .ok()
            .and_then(|index| KINDS.get(index).copied());
        let among = kind.unwrap_or(&all);
        let at = random_below(among.len(), arguments.at)?;
        characters.extend(among.get(at));
    }
    // One of each kind came first: mix them in (Fisher and Yates).
    for last in (1..characters.len()).rev() {
        let other = random_below(last + 1, arguments.at)?;
        characters.swap(last, other);
    }
    Ok(characters.into_iter().map(char::from).collect())
}

/// A random number below `bound`, each as likely as any other.
fn random_below(bound: usize, at: u32) -> Made<usize> {
    let bound = bound.max(1) as u64;
    // What is left of the range beyond a multiple of `bound` would make its first numbers likelier.
    let fair = u64::MAX - u64::MAX % bound;
    loop {
        let number = getrandom::u64()
            .map_err(|error| Fault::failed(at, format!("the system gives no random numbers: {error}")))?;
        if number < fair {
            return Ok(usize::try_from(number % bound).unwrap_or_default());
        }
    }
}

fn inspect<'a>(tool: Tool, arguments: &Arguments<'_, '_>) -> Made<Operand<'a>> {
    let count = |count: usize| Operand::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let character = |found: Option<char>| found.map_or(Operand::Null, text);
    Ok(match (tool, arguments.get(0)) {
        (Tool::Length, View::Undefined | View::Null) => Operand::Int(0),
        (Tool::Length, View::List(items)) => count(items.len()),
        (Tool::Length, View::Map(map)) => count(map.len()),
        (Tool::Length, View::Text(text)) => Operand::Int(units(text)),
        (Tool::First | Tool::Last, View::Undefined | View::Null) => Operand::Null,
        (Tool::First, View::List(items)) => copied(items.get(0)),
        (Tool::Last, View::List(items)) => {
            copied(items.len().checked_sub(1).and_then(|last| items.get(last)))
        }
        (Tool::First, View::Text(text)) => character(text.chars().next()),
        (Tool::Last, View::Text(text)) => character(text.chars().next_back()),
        (Tool::Includes, View::List(items)) => {
            let wanted = arguments.get(1);
            Operand::Bool(items.iter().any(|item| same(item.into(), wanted)))
        }
        (Tool::Includes, View::Text(text)) => Operand::Bool(text.contains(&*arguments.text(1)?)),
        _ => return arguments.wrong(0, "a list or a text"),
    })
}

fn on_text<'a>(tool: Tool, arguments: &Arguments<'_, '_>) -> Made<Operand<'a>> {
    if tool == Tool::Join {
        let separator = match arguments.get(1) {
            View::Undefined => Cow::Borrowed(","),
            _ => arguments.text(1)?,
        };
        let mut out = String::new();
        write_joined(arguments.list(0)?, &separator, &mut out);
        return Ok(text(out));
    }
    let subject = arguments.text(0)?;
    Ok(match tool {
        Tool::Uppercase => text(subject.to_uppercase()),
        Tool::Lowercase => text(subject.to_lowercase()),
        Tool::Trim => text(subject.trim_matches(is_space)),
        Tool::Replace => {
            let (from, to) = (arguments.text(1)?, arguments.text(2)?);
            // An empty text is found between all characters; nobody means that.
            if from.is_empty() {
                text(subject)
            } else {
                text(subject.replace(&*from, &to))
            }
        }
        Tool::StartsWith => Operand::Bool(subject.starts_with(&*arguments.text(1)?)),
        Tool::EndsWith => Operand::Bool(subject.ends_with(&*arguments.text(1)?)),
        _ => {
            let separator = arguments.text(1)?;
            let split = if separator.is_empty() {
                list(|l| {
                    subject
                        .chars()
                        .try_for_each(|c| l.str(c.encode_utf8(&mut [0; 4])))
                })
            } else {
                list(|l| subject.split(&*separator).try_for_each(|part| l.str(part)))
            };
            arguments.made(split)?
        }
    })
}

fn on_list<'a>(tool: Tool, arguments: &Arguments<'_, '_>) -> Made<Operand<'a>> {
    if let (Tool::Reverse, View::Text(all)) = (tool, arguments.get(0)) {
        return Ok(text(all.chars().rev().collect::<String>()));
    }
    let mut items: Vec<ValueRef<'_>> = arguments.list(0)?.iter().collect();
    match tool {
        Tool::Flatten => {
            let levels = match arguments.get(1) {
                View::Undefined => 1.0,
                levels => levels.to_number(),
            };
            let mut flat = Vec::new();
            flatten(&items, levels, &mut flat);
            items = flat;
        }
        Tool::Reverse => items.reverse(),
        Tool::Sort => {
            let key = sort_key(arguments, 1)?;
            items.sort_by(|a, b| compare(keyed(*a, key.as_deref()), keyed(*b, key.as_deref())));
        }
        Tool::Unique => {
            let mut seen = HashSet::new();
            items.retain(|item| seen.insert(identity(*item)));
        }
        _ => return group(&items, arguments),
    }
    arguments.made(list(|l| items.iter().try_for_each(|item| l.value(*item))))
}

fn sort_key<'v>(arguments: &Arguments<'v, '_>, index: usize) -> Made<Option<Cow<'v, str>>> {
    match arguments.get(index) {
        View::Undefined | View::Null => Ok(None),
        _ => arguments.text(index).map(Some),
    }
}

fn keyed<'v>(item: ValueRef<'v>, key: Option<&str>) -> View<'v> {
    match key {
        Some(key) => item.get(key).map_or(View::Undefined, View::from),
        None => item.into(),
    }
}

/// Numbers before texts before everything else, so that the order is total; nothing comes last.
fn compare(a: View<'_>, b: View<'_>) -> std::cmp::Ordering {
    let rank = |view: View<'_>| match view {
        View::Bool(_) => 0,
        View::Int(_) | View::Float(_) => 1,
        View::Text(_) | View::Bytes(_) => 2,
        View::List(_) | View::Map(_) | View::Node(_) => 3,
        View::Undefined | View::Null => 4,
    };
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (View::Text(a), View::Text(b)) => order_texts(a, b),
        _ if rank(a) == 1 || rank(a) == 0 => order(a, b).unwrap_or(std::cmp::Ordering::Equal),
        _ => std::cmp::Ordering::Equal,
    })
}

/// Numbers that are equal are the same, however they are encoded.
fn identity(item: ValueRef<'_>) -> Cow<'_, [u8]> {
    match item.as_f64().and_then(crate::number::as_integer) {
        Some(integer) => Cow::Owned(Value::from(integer).into_bytes()),
        None => Cow::Borrowed(item.raw()),
    }
}

fn flatten<'v>(items: &[ValueRef<'v>], levels: f64, out: &mut Vec<ValueRef<'v>>) {
    for item in items {
        match item.as_list() {
            Some(inner) if levels >= 1.0 => {
                let inner: Vec<_> = inner.iter().collect();
                flatten(&inner, levels - 1.0, out);
            }
            _ => out.push(*item),
        }
    }
}

fn group<'a>(items: &[ValueRef<'_>], arguments: &Arguments<'_, '_>) -> Made<Operand<'a>> {
    let key = arguments.text(1)?;
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(String, Vec<ValueRef<'_>>)> = Vec::new();
    for item in items {
        let name = keyed(*item, Some(&key)).to_text();
        let place = *places.entry(name.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, members)) => members.push(*item),
            None => groups.push((name, vec![*item])),
        }
    }
    let mut out = Vec::new();
    let written = Writer::new(&mut out).map(|map| {
        groups.iter().try_for_each(|(name, members)| {
            map.entry(name, |w| {
                w.list(|l| members.iter().try_for_each(|member| l.value(*member)))
            })
        })
    });
    arguments.made(written.and_then(|()| owned(out)))
}

fn on_map<'a>(tool: Tool, arguments: &Arguments<'_, '_>) -> Made<Operand<'a>> {
    let mut out = Vec::new();
    let written = match tool {
        Tool::Merge => {
            let mut places: HashMap<&str, usize> = HashMap::new();
            let mut entries: Vec<(&str, ValueRef<'_>)> = Vec::new();
            for index in 0..arguments.all.len() {
                if arguments.get(index).is_nullish() {
                    continue;
                }
                for (key, value) in arguments.map(index)? {
                    let place = *places.entry(key).or_insert(entries.len());
                    match entries.get_mut(place) {
                        Some(entry) => entry.1 = value,
                        None => entries.push((key, value)),
                    }
                }
            }
            write_entries(&mut out, entries.into_iter())
        }
        Tool::Pick | Tool::Omit => {
            let keys = arguments.keys()?;
            let wanted = tool == Tool::Pick;
            let entries = arguments.map(0)?.iter();
            write_entries(&mut out, entries.filter(|(key, _)| keys.contains(*key) == wanted))
        }
        Tool::Keys => {
            let map = arguments.map(0)?;
            Writer::new(&mut out).list(|l| map.keys().try_for_each(|key| l.str(key)))
        }
        Tool::Values => {
            let map = arguments.map(0)?;
            Writer::new(&mut out).list(|l| map.values().try_for_each(|value| l.value(value)))
        }
        _ => {
            let map = arguments.map(0)?;
            Writer::new(&mut out).list(|l| {
                map.iter().try_for_each(|(key, value)| {
                    l.list(|pair| {
                        pair.str(key)?;
                        pair.value(value)
                    })
                })
            })
        }
    };
    arguments.made(written.and_then(|()| owned(out)))
}

fn write_entries<'v>(
    out: &mut Vec<u8>,
    mut entries: impl Iterator<Item = (&'v str, ValueRef<'v>)>,
) -> Result<(), ValueError> {
    Writer::new(out).map(|map| entries.try_for_each(|(key, value)| map.entry(key, |w| w.value(value))))
}
