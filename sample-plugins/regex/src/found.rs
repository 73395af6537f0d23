//! What was found. Invariant: positions count code points, and all that is found in a text is bounded.

use std::borrow::Cow;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::MAX_TEXT;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::ser::{Serialize, SerializeMap, Serializer};
use regex::Captures;

use crate::compiled::Compiled;

/// The most groups of all matches together.
const MAX_GROUPS: usize = 1 << 20;

/// One match.
#[output]
#[derive(Debug)]
pub(crate) struct Found {
    /// The text that matches.
    #[serde(rename = "match")]
    text: String,
    /// Where it begins.
    start: usize,
    /// Where it ends: the position behind its last character.
    end: usize,
    /// What the groups matched, in their order, without the whole; null for one that took no part.
    groups: Vec<Option<String>>,
    /// What the groups that have names matched.
    named: Named,
}

/// Texts by name, in the order of the groups.
#[derive(Debug)]
pub(crate) struct Named(Vec<(String, Option<String>)>);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, text) in &self.0 {
            map.serialize_entry(name, text)?;
        }
        map.end()
    }
}

impl JsonSchema for Named {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Named".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": { "type": ["string", "null"] } })
    }
}

/// Writes down matches, one behind the other.
pub(crate) struct Finder<'t> {
    text: &'t str,
    /// How far the text has been counted: bytes, and code points.
    counted: (usize, usize),
    groups: usize,
    bytes: usize,
}

impl<'t> Finder<'t> {
    pub(crate) const fn new(text: &'t str) -> Self {
        Self {
            text,
            counted: (0, 0),
            groups: 0,
            bytes: 0,
        }
    }

    /// The match after those that came before.
    pub(crate) fn found(&mut self, compiled: &Compiled, captures: &Captures<'_>) -> NodeResult<Found> {
        self.groups = self.groups.saturating_add(captures.len());
        let copied = captures.iter().flatten().map(|group| group.len()).sum::<usize>();
        self.bytes = self.bytes.saturating_add(copied.saturating_mul(2));
        if self.groups > MAX_GROUPS || self.bytes > MAX_TEXT {
            let message =
                "parameter `value`: there is more to be found in it than a result may hold; set `limit`";
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message));
        }
        let text = |group: usize| captures.get(group).map(|group| group.as_str().to_owned());
        let whole = captures.get_match();
        let named = compiled.names.iter().enumerate();
        let named = named.filter_map(|(group, name)| Some((name.clone()?, text(group))));
        Ok(Found {
            text: whole.as_str().to_owned(),
            start: self.position(whole.start()),
            end: self.position(whole.end()),
            groups: (1..captures.len()).map(text).collect(),
            named: Named(named.collect()),
        })
    }

    /// The position of a byte that lies behind those asked for before.
    fn position(&mut self, byte: usize) -> usize {
        let (bytes, points) = self.counted;
        let between = self.text.get(bytes..byte).unwrap_or_default();
        self.counted = (byte, points + between.chars().count());
        self.counted.1
    }
}
