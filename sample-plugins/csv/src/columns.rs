//! The names of columns. Invariant: no name is there twice.

use std::borrow::Cow;
use std::collections::HashSet;

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, kind_name, shown};
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};

/// The most columns, which is what spreadsheets have.
pub(crate) const MAX_COLUMNS: usize = 16_384;

/// What a parameter says of the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Headers<'a> {
    /// Whether the first row has them.
    Row(bool),
    /// The names.
    Names(Vec<&'a str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Headers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        if let Some(Flag(flag)) = Flag::read(value) {
            return Ok(Self::Row(flag));
        }
        let Some(list) = value.as_list() else {
            let found = shown(value);
            return Err(D::Error::custom(format_args!(
                "expected true, false or a list of names, found {found}"
            )));
        };
        let name = |item: ValueRef<'a>| {
            let wrong = || D::Error::custom(format_args!("expected a name, found {}", kind_name(item)));
            item.as_str().ok_or_else(wrong)
        };
        list.iter().map(name).collect::<Result<_, _>>().map(Self::Names)
    }
}

impl JsonSchema for Headers<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Headers".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["boolean", "string", "array"], "items": { "type": "string" } })
    }
}

/// Refuses names that cannot be those of columns.
pub(crate) fn check<'n>(parameter: &str, names: impl Iterator<Item = &'n str>) -> NodeResult<()> {
    let mut seen = HashSet::new();
    for (position, name) in names.enumerate() {
        if position >= MAX_COLUMNS {
            let why = format_args!("has more than {MAX_COLUMNS} columns");
            return Err(NodeError::invalid(parameter, why));
        }
        if !seen.insert(name) {
            let name: String = name.chars().take(40).collect();
            let why = format_args!(
                "the column {name:?} is there twice, again as number {}",
                position + 1
            );
            return Err(NodeError::invalid(parameter, why));
        }
    }
    Ok(())
}
