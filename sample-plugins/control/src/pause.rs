//! Nodes that do nothing, for a while or at once.

use std::borrow::Cow;
use std::time::Duration;

use plugin_api::prelude::*;
use plugin_api::reading::excerpt;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::serde::ser::{Serialize, Serializer};

/// The longest wait: a day.
const MAX_SECONDS: f64 = 86_400.0;

/// A number that is not below zero; a text of one will do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amount(f64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let number = match value.as_str() {
            Some(text) => text.trim().parse().ok(),
            None => value.as_f64(),
        };
        match number {
            Some(number) if number.is_finite() && number >= 0.0 => Ok(Self(number)),
            Some(_) => Err(D::Error::custom(format_args!(
                "must not be negative, but is {}",
                excerpt(value)
            ))),
            None => Err(D::Error::custom(format_args!(
                "expected a number, found {}",
                excerpt(value)
            ))),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0 <= MAX_SECONDS * 1_000.0 {
            return serializer.serialize_i64(self.0 as i64);
        }
        serializer.serialize_f64(self.0)
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        if generator.contract().is_serialize() {
            json_schema!({ "type": "number", "minimum": 0 })
        } else {
            json_schema!({ "type": ["number", "string"], "minimum": 0 })
        }
    }
}

#[parameters]
pub(crate) struct Wait<'a> {
    /// How long, in `unit`; a day at the most.
    #[serde(default, alias = "amount")]
    duration: Option<Amount>,
    /// `ms`, `s`, `m` or `h`, or the same as a word: `milliseconds`, `seconds`, `minutes`, `hours`.
    #[serde(default)]
    #[schemars(extend("default" = "ms"), length(max = 20))]
    unit: Option<&'a str>,
}

/// What was waited for.
#[output]
pub(crate) struct Waited<'a> {
    /// True.
    waited: bool,
    /// How long, as it was given.
    duration: Amount,
    /// The unit, as it was given.
    unit: &'a str,
}

/// Waits without holding a thread. A run that is cancelled does not wait on.
#[node(
    id = "wait",
    aliases = ["control.wait"],
    category = "control",
    effect = "idempotent",
    timeout_ms = 86_460_000,
    tags = ["time"],
    example(
        title = "a millisecond",
        input = r#"{"duration": 1, "unit": "ms"}"#,
        output = r#"{"waited": true, "duration": 1, "unit": "ms"}"#
    ),
    example(
        title = "a moment",
        input = r#"{"duration": 0.001, "unit": "seconds"}"#,
        output = r#"{"waited": true, "duration": 0.001, "unit": "seconds"}"#
    )
)]
pub(crate) async fn wait<'a>(input: Wait<'a>, ctx: Ctx<'_>) -> NodeResult<Waited<'a>> {
    let unit = input.unit.unwrap_or("ms");
    let missing = || NodeError::invalid("duration", "is missing");
    let duration = input.duration.ok_or_else(missing)?;
    ctx.sleep(length(duration, unit)?).await?;
    Ok(Waited {
        waited: true,
        duration,
        unit,
    })
}

fn length(duration: Amount, unit: &str) -> NodeResult<Duration> {
    let seconds = match unit {
        "ms" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3_600.0,
        _ => {
            return Err(NodeError::invalid(
                "unit",
                "must be `ms`, `s`, `m` or `h`, or the same as a word",
            ));
        }
    };
    let seconds = duration.0 * seconds;
    if seconds > MAX_SECONDS {
        return Err(NodeError::invalid("duration", "must not be longer than 24 hours"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Does nothing: what arrived at its first input is its result, and null where nothing arrives.
#[node(
    id = "noop",
    aliases = ["control.noop"],
    category = "control",
    effect = "idempotent",
    tags = ["nothing"],
    example(title = "nothing arrived", input = "{}", output = "null"),
    example(title = "whatever it is given", input = r#"{"a": 1}"#, output = "null")
)]
pub(crate) fn noop(ctx: &Ctx<'_>) -> NodeResult<Passed> {
    match ctx.input(0) {
        Ok(arrived) => Ok(Passed(arrived.unwrap_or_default())),
        Err(error) if error.code == plugin_api::error::code::UNSUPPORTED => Ok(Passed(Value::null())),
        Err(error) => Err(error),
    }
}

/// What arrived.
pub(crate) struct Passed(Value);

impl Serialize for Passed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for Passed {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Passed".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        plugin_api::reading::Any::json_schema(generator)
    }
}
