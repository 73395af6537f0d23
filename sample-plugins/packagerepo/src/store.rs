//! Values under keys.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::Outcome;

use crate::reference::{Names, Raw};

/// The longest key.
pub(crate) const MAX_KEY: usize = 512;

/// Where a value of `kvPut` is.
fn place(key: &str) -> String {
    format!("packagerepo/kv/{key}")
}

#[parameters]
pub(crate) struct Get<'a> {
    /// The key: up to 512 bytes.
    #[serde(default)]
    key: Raw<'a>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Gives the value that `packagerepo.kvPut` wrote under a key; null when there is none.
#[node(
    id = "packagerepo.kvGet",
    aliases = ["packagerepo.kv_get"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["store"],
    example(title = "nothing there", input = r#"{"key": "artifact/acme/lib/1.0.0/any"}"#, output = r#"{"result": null}"#),
    example(
        title = "into a variable",
        input = r#"{"key": "artifact/acme/lib/2.0.0/any", "out": "metadata"}"#,
        output = r#"{"result": null}"#
    )
)]
pub(crate) fn kv_get(input: Get<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let key = names.text(input.key, "key", MAX_KEY)?;
    let found = value_of(&key, ctx)?.unwrap_or_default();
    names.set(input.out, found.as_ref())?;
    Ok(answer(Outcome::Made(found)))
}

/// The value under a key.
pub(crate) fn value_of(key: &str, ctx: &Ctx<'_>) -> NodeResult<Option<Value>> {
    ctx.kv_get(&place(key))
}

#[parameters]
pub(crate) struct Put<'a> {
    /// The key: up to 512 bytes.
    #[serde(default)]
    key: Raw<'a>,
    /// The value; null is one.
    #[serde(default)]
    value: Raw<'a>,
    /// Writes only where nothing is yet: two that do so at once cannot both succeed.
    #[serde(default, alias = "if_absent")]
    if_absent: bool,
}

/// What was written.
#[output]
pub(crate) struct Written {
    /// Whether the value was written; false only with `ifAbsent`.
    result: bool,
    /// The key.
    key: String,
}

/// Writes a value under a key of the tenant's store, where `packagerepo.kvGet` finds it.
#[node(
    id = "packagerepo.kvPut",
    aliases = ["packagerepo.kv_put"],
    category = "packagerepo",
    effect = "effectful",
    tags = ["store"],
    example(
        title = "about an artifact",
        input = r#"{"key": "artifact/acme/lib/1.0.0/any", "value": {"digest": "ab12", "size": 7}}"#,
        output = r#"{"result": true, "key": "artifact/acme/lib/1.0.0/any"}"#
    ),
    example(
        title = "only the first time",
        input = r#"{"key": "lock/lib", "value": "mine", "ifAbsent": true}"#,
        output = r#"{"result": true, "key": "lock/lib"}"#
    )
)]
pub(crate) fn kv_put(input: Put<'_>, ctx: &Ctx<'_>) -> NodeResult<Written> {
    let names = Names::new(ctx)?;
    let key = names.text(input.key, "key", MAX_KEY)?;
    if input.value.0.is_none() {
        return Err(NodeError::invalid("value", "is missing"));
    }
    let value = names.read(input.value, "value")?.unwrap_or_default();
    let result = if input.if_absent {
        ctx.kv_replace(&place(&key), None, Some(value.as_ref()))
    } else {
        ctx.kv_put(&place(&key), &value).map(|()| true)
    };
    let result = result.map_err(|error| too_large(error, "value"))?;
    Ok(Written { result, key })
}

/// A refusal of the host, told with the parameter that it is about.
pub(crate) fn too_large(mut error: NodeError, parameter: &str) -> NodeError {
    if error.code == code::LIMIT_EXCEEDED {
        error.message = format!(
            "parameter `{parameter}`: the tenant's store takes no more, or no value of this size; write less, or \
             remove what is old"
        )
        .into();
    }
    error
}
