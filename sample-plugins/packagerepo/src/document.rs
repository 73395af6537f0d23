//! JSON texts.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Outcome, kind_name};
use plugin_api::value::Kind;

use crate::reference::{Names, Raw};

/// The longest text that is read.
const MAX_TEXT: usize = 16 << 20;

#[parameters]
pub(crate) struct ParseJson<'a> {
    /// The text, or bytes of one; a map or list, which has been read already, is given on.
    #[serde(default, alias = "text", alias = "value", alias = "data")]
    input: Raw<'a>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Reads a JSON text, such as the body of a request. One that is none is an error with the status 400.
#[node(
    id = "packagerepo.parseJson",
    aliases = ["packagerepo.parse_json"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["json", "parse"],
    example(title = "a map", input = r#"{"input": "{\"username\": \"ada\"}"}"#, output = r#"{"result": {"username": "ada"}}"#),
    example(title = "read already", input = r#"{"input": {"username": "ada"}}"#, output = r#"{"result": {"username": "ada"}}"#)
)]
pub(crate) fn parse_json(input: ParseJson<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let given = names.needed(input.input, "input")?;
    let bytes = match given.as_ref().kind() {
        Kind::Map | Kind::List => None,
        Kind::Str => given.as_ref().as_str().map(str::as_bytes),
        Kind::Bytes => given.as_ref().as_bytes(),
        _ => {
            let why = format_args!("expected a text, found {}", kind_name(given.as_ref()));
            return Err(NodeError::invalid("input", why));
        }
    };
    let result = match bytes {
        None => given,
        Some(bytes) if bytes.len() > MAX_TEXT => {
            let message = format!("parameter `input`: a text has at most {MAX_TEXT} bytes");
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message));
        }
        Some(bytes) => Value::from_json_slice(bytes).map_err(|error| {
            NodeError::invalid("input", format_args!("is no JSON: {error}"))
                .status(400)
                .retryable(false)
        })?,
    };
    names.set(input.out, result.as_ref())?;
    Ok(answer(Outcome::Made(result)))
}
