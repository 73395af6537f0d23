//! Invariant: what is read as text loses nothing, and what is built of texts has an upper size.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::reading::{Growing, Text, shown, text_of};
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::Kind;

/// The texts to put together: a list, or one text alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts<'a>(ValueRef<'a>);

impl Default for Texts<'_> {
    fn default() -> Self {
        Self(ValueRef::NULL)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        match value.kind() {
            Kind::Map | Kind::Bytes => Err(D::Error::custom(format_args!(
                "expected a list of texts, found {}",
                shown(value)
            ))),
            _ => Ok(Self(value)),
        }
    }
}

impl JsonSchema for Texts<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["array", "string", "number", "boolean", "null"],
            "items": { "type": ["string", "number", "boolean", "null"] },
        })
    }
}

impl Texts<'_> {
    pub(crate) fn joined(&self, separator: &str) -> NodeResult<String> {
        let mut out = Growing::default();
        let Some(list) = self.0.as_list() else {
            return Ok(text_of(self.0).unwrap_or_default().into_owned());
        };
        for (index, item) in list.iter().enumerate() {
            let Some(text) = text_of(item) else {
                let why = format_args!("expected a text, found {}", shown(item));
                return Err(NodeError::invalid(&format!("values[{index}]"), why));
            };
            if index > 0 {
                out.push(separator, "values")?;
            }
            out.push(&text, "values")?;
        }
        Ok(out.finish())
    }
}

/// Applies `cut`, which gives a part of what it gets, without copying borrowed text.
pub(crate) fn part_of(text: Text<'_>, cut: impl for<'t> FnOnce(&'t str) -> &'t str) -> Cow<'_, str> {
    match text.0 {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text)),
        Cow::Owned(text) => Cow::Owned(cut(&text).to_owned()),
    }
}
