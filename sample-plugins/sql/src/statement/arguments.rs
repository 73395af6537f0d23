//! The values that a statement's placeholders stand for.
//!
//! Invariant: placeholder number n is bound to the n-th argument; a name or number that appears twice is one argument, so
//! that the database sees the same expression both times.

use std::collections::HashMap;

use plugin_api::prelude::*;
use plugin_api::value::{Kind, ListRef, MapRef};
use sqlparser::tokenizer::Token;

use crate::dialect::Dialect;

/// What a node was given as `params`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Given {
    /// Values in order, for `?`, `?1` and `$1`.
    List(Vec<Value>),
    /// Values under names, for `:name`.
    Map(HashMap<String, Value>),
}

/// More arguments than this no statement has; PostgreSQL knows 65,535, SQLite 32,766.
const MOST_ARGUMENTS: usize = 30_000;

impl Given {
    /// Reads the parameter `params`: a list, a map, or nothing.
    ///
    /// # Errors
    /// When it is something else.
    pub(crate) fn read(params: ValueRef<'_>) -> NodeResult<Self> {
        match params.kind() {
            Kind::Null => Ok(Self::List(Vec::new())),
            Kind::List => {
                let list = params.as_list();
                let values = list.iter().flat_map(ListRef::iter);
                Ok(Self::List(values.map(|value| value.to_value()).collect()))
            }
            Kind::Map => {
                let map = params.as_map();
                let entries = map.iter().flat_map(MapRef::iter);
                let bare = |name: &str| name.trim_start_matches([':', '$', '@']).to_owned();
                Ok(Self::Map(
                    entries
                        .map(|(name, value)| (bare(name), value.to_value()))
                        .collect(),
                ))
            }
            _ => Err(NodeError::invalid(
                "params",
                "must be a list of values, for `?` or `$1`, or a map of names to values, for `:name`",
            )),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Index(usize),
    Name(String),
}

/// Gives placeholders their numbers.
pub(super) struct Arguments<'g> {
    given: &'g Given,
    dialect: Dialect,
    numbers: HashMap<Key, usize>,
    values: Vec<Value>,
    next: usize,
}

impl<'g> Arguments<'g> {
    pub(super) fn new(given: &'g Given, dialect: Dialect) -> Self {
        Self {
            given,
            dialect,
            numbers: HashMap::new(),
            values: Vec::new(),
            next: 0,
        }
    }

    /// The next argument of the list: `?`.
    pub(super) fn next(&mut self) -> NodeResult<Token> {
        self.next += 1;
        self.indexed(self.next)
    }

    /// `?`, `?2`, `$2` or `$name`.
    pub(super) fn placeholder(&mut self, text: &str) -> NodeResult<Token> {
        let name = text.trim_start_matches(['?', '$']);
        if name.is_empty() {
            return self.next();
        }
        match name.parse() {
            Ok(index) => self.indexed(index),
            Err(_) => self.named(name),
        }
    }

    fn indexed(&mut self, index: usize) -> NodeResult<Token> {
        let Given::List(list) = self.given else {
            return Err(NodeError::invalid(
                "params",
                "is a map, but the statement has placeholders without names; write `:name`, or give a list",
            ));
        };
        let Some(value) = index.checked_sub(1).and_then(|at| list.get(at)) else {
            let why = format_args!(
                "the statement uses the placeholder {index}, and {} values are given",
                list.len()
            );
            return Err(NodeError::invalid("params", why));
        };
        Ok(self.bound(Key::Index(index), value))
    }

    /// `:name`.
    pub(super) fn named(&mut self, name: &str) -> NodeResult<Token> {
        let Given::Map(map) = self.given else {
            let why =
                format_args!("the statement uses `:{name}`, so `params` has to be a map with that name");
            return Err(NodeError::invalid("params", why));
        };
        let Some(value) = map.get(name) else {
            let why = format_args!("the statement uses `:{name}`, and the map has no such name");
            return Err(NodeError::invalid("params", why));
        };
        Ok(self.bound(Key::Name(name.to_owned()), value))
    }

    /// A text of the statement itself, bound instead of written.
    pub(super) fn literal(&mut self, text: &str) -> Token {
        self.values.push(Value::from(text));
        Token::Placeholder(self.dialect.placeholder(self.values.len()))
    }

    fn bound(&mut self, key: Key, value: &Value) -> Token {
        let values = &mut self.values;
        let number = *self.numbers.entry(key).or_insert_with(|| {
            values.push(value.clone());
            values.len()
        });
        Token::Placeholder(self.dialect.placeholder(number))
    }

    /// All arguments, in order.
    pub(super) fn finish(self) -> NodeResult<Vec<Value>> {
        if let Given::List(list) = self.given {
            let used = |index: &usize| self.numbers.contains_key(&Key::Index(*index));
            if let Some(unused) = (1..=list.len()).find(|index| !used(index)) {
                let why = format_args!(
                    "value {unused} of {} is used by no placeholder of the statement",
                    list.len()
                );
                return Err(NodeError::invalid("params", why));
            }
        }
        if self.values.len() > MOST_ARGUMENTS {
            let why = format_args!("at most {MOST_ARGUMENTS} values can be bound");
            return Err(NodeError::invalid("params", why));
        }
        Ok(self.values)
    }
}
