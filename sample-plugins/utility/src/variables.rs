//! Setting variables of the run under names that expressions can say.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use plugin_api::prelude::*;
use plugin_api::reading::{Any, excerpt, text_of};
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::ser::{Serialize, Serializer};
use plugin_api::value::{Kind, MapRef};

/// The code of variables that cannot be set.
const SET_VARIABLE_ERROR: &str = "SET_VARIABLE_ERROR";

/// The longest name, in bytes.
const MAX_NAME: usize = 256;

/// What becomes of variables that are not named.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Mode {
    /// They stay.
    #[default]
    Merge,
    /// They are removed, once the new ones are set.
    Replace,
}

#[parameters]
pub(crate) struct SetVariable<'a> {
    /// The values by the names of their variables. A name has letters, digits and `_`, and begins with no digit.
    #[serde(default)]
    #[schemars(extend("type" = ["object", "null"]))]
    variables: Any<'a>,
    /// What becomes of the other variables: `merge` or `replace`.
    #[serde(default)]
    mode: Mode,
}

/// A map of texts, in the order in which they were written.
pub(crate) struct Texts(Value);

impl Texts {
    fn of(variables: MapRef<'_>) -> NodeResult<Self> {
        let texts: Vec<(&str, Value)> = variables
            .iter()
            .map(|(name, value)| (name, Value::from(written(value).as_str())))
            .collect();
        let texts = texts.iter().map(|(name, text)| (*name, text.as_ref()));
        Ok(Self(Value::from_pairs(texts)?))
    }
}

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl JsonSchema for Texts {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": { "type": "string" } })
    }
}

/// As JavaScript's `String` writes a value, which is what workflows have been excerpt so far.
fn written(value: ValueRef<'_>) -> String {
    match (value.kind(), value.as_list()) {
        (Kind::Null, _) => "null".to_owned(),
        (Kind::Map, _) => "[object Object]".to_owned(),
        (_, Some(items)) => {
            let item = |item: ValueRef<'_>| {
                if item.is_null() {
                    String::new()
                } else {
                    written(item)
                }
            };
            items.iter().map(item).collect::<Vec<_>>().join(",")
        }
        _ => text_of(value).map_or_else(|| value.to_json(), Cow::into_owned),
    }
}

/// Variables that were set.
#[output]
pub(crate) struct Set {
    /// What was set, by the names of the variables: as texts, for whoever reads the record. The variables themselves have
    /// the values as they were given.
    variables_set: Texts,
    /// How many there are.
    count: usize,
    /// When, in milliseconds since 1970; 0 if the host has no clock.
    timestamp: u64,
}

/// Sets variables for the nodes that follow; none of them when a name will not do.
#[node(
    id = "set-variable",
    aliases = ["utility.set-variable", "setVariable"],
    category = "utility",
    effect = "idempotent",
    tags = ["variable"],
    example(
        title = "two",
        input = r#"{"variables": {"who": "Ada", "n": 3}}"#,
        output = r#"{"variablesSet": {"who": "Ada", "n": "3"}, "count": 2, "timestamp": 0}"#
    ),
    example(
        title = "these and no others",
        input = r#"{"variables": {"z": 3}, "mode": "replace"}"#,
        output = r#"{"variablesSet": {"z": "3"}, "count": 1, "timestamp": 0}"#
    )
)]
pub(crate) fn set_variable(input: SetVariable<'_>, ctx: &Ctx<'_>) -> NodeResult<Set> {
    let variables = named(input.variables.0)?;
    for (name, value) in variables {
        ctx.set_variable(name, &value)?;
    }
    if input.mode == Mode::Replace {
        // After the new ones are there, so that nobody finds an empty store.
        let all = ctx.variables()?;
        let names = all.as_ref().as_map().into_iter().flat_map(|all| all.keys());
        for name in names.filter(|name| variables.get(name).is_none()) {
            ctx.remove_variable(name)?;
        }
    }
    let now = ctx
        .wall_clock()
        .and_then(|now: SystemTime| now.duration_since(UNIX_EPOCH).ok());
    let timestamp = now
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or(0);
    Ok(Set {
        variables_set: Texts::of(variables)?,
        count: variables.len(),
        timestamp,
    })
}

fn named(given: ValueRef<'_>) -> NodeResult<MapRef<'_>> {
    let refused = |why: String| {
        Err(NodeError::with_code(
            SET_VARIABLE_ERROR,
            format!("parameter `variables`: {why}"),
        ))
    };
    let Some(variables) = given.as_map() else {
        return refused(format!(
            "expected a map of names and values, found {}",
            excerpt(given)
        ));
    };
    match variables.keys().find(|name| !is_name(name)) {
        None => Ok(variables),
        Some(name) => {
            let name = excerpt(Value::from(name).as_ref());
            refused(format!(
                "{name} is no name; one has letters, digits and `_`, and begins with no digit"
            ))
        }
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
