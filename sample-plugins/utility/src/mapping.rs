//! A value made of other values, by the templates in it.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Given, Outcome, excerpt, field, label};
use plugin_api::value::Kind;

use crate::shape::{csv, flattened, grouped, lines};

#[parameters]
pub(crate) struct Transform<'a> {
    /// The result, with its templates filled in by the host.
    #[serde(default, alias = "output")]
    mapping: Given<'a>,
    /// True puts the items of lists in a list into their places; a number does it that many levels deep.
    #[serde(default)]
    #[schemars(extend("type" = ["boolean", "integer", "null"]))]
    flatten: Any<'a>,
    /// A field by which the items of a list are put into groups.
    #[serde(default, alias = "group_by")]
    #[schemars(length(max = 1_000))]
    group_by: Option<&'a str>,
    /// What the result is: `value` as it is, or a text: `json`, `json-pretty`, `csv` of a list of maps, or `text`, a line
    /// for each item.
    #[serde(default)]
    #[schemars(extend("default" = "value"), length(max = 20))]
    format: Option<&'a str>,
}

/// Gives the value that its mapping describes, in the shape that is asked for: flattened, then grouped, then formatted.
#[node(
    id = "transform",
    aliases = ["utility.transform"],
    category = "utility",
    effect = "pure",
    tags = ["template", "map", "list"],
    example(
        title = "a map",
        input = r#"{"mapping": {"name": "Ada", "n": 7, "deep": {"x": [1, null]}}}"#,
        output = r#"{"name": "Ada", "n": 7, "deep": {"x": [1, null]}}"#
    ),
    example(title = "a text", input = r#"{"mapping": "Hi Ada, 2 + 1"}"#, output = r#""Hi Ada, 2 + 1""#),
    example(
        title = "groups of a flat list",
        input = r#"{"mapping": [[{"k": "a"}], [{"k": "b"}, {"k": "a"}]], "flatten": true, "groupBy": "k"}"#,
        output = r#"{"a": [{"k": "a"}, {"k": "a"}], "b": [{"k": "b"}]}"#
    ),
    example(
        title = "a table",
        input = r#"{"mapping": [{"a": 1, "b": "x,y"}, {"a": 2}], "format": "csv"}"#,
        output = r#""a,b\r\n1,\"x,y\"\r\n2,\r\n""#
    )
)]
pub(crate) fn transform(input: Transform<'_>) -> NodeResult<Outcome<'_>> {
    let mut result = Outcome::Lent(input.mapping.of("mapping")?);
    if let Some(depth) = depth(input.flatten.0)? {
        result = Outcome::Made(flattened(result.as_ref(), depth)?);
    }
    if let Some(by) = input.group_by {
        let value = result.as_ref();
        let wrong = || NodeError::invalid("groupBy", format_args!("needs a list, found {}", excerpt(value)));
        let items = value.as_list().ok_or_else(wrong)?.iter();
        let named = items
            .map(|item| {
                (
                    label(field(item, by).unwrap_or(ValueRef::NULL)).into_owned(),
                    item,
                )
            })
            .collect();
        result = Outcome::Made(grouped(named)?.0);
    }
    let text = match input.format.unwrap_or("value") {
        "value" | "object" => return Ok(result),
        "json" => result.as_ref().to_json(),
        "json-pretty" => result.as_ref().to_json_pretty(),
        "csv" => csv(result.as_ref())?,
        "text" => lines(result.as_ref())?,
        _ => {
            return Err(NodeError::invalid(
                "format",
                "must be `value`, `json`, `json-pretty`, `csv` or `text`",
            ));
        }
    };
    Ok(Outcome::Made(Value::from_serialize(&text)?))
}

/// How deep to flatten; `None` for not at all.
fn depth(flatten: ValueRef<'_>) -> NodeResult<Option<usize>> {
    let depth = match flatten.kind() {
        Kind::Null => Some(0),
        Kind::Bool => flatten.as_bool().map(usize::from),
        _ => plugin_api::value::decode(flatten).ok(),
    };
    let wrong = || {
        let why = format_args!(
            "must be true, false or a number from 0, but is {}",
            excerpt(flatten)
        );
        NodeError::invalid("flatten", why)
    };
    Ok(Some(depth.ok_or_else(wrong)?).filter(|depth| *depth > 0))
}
