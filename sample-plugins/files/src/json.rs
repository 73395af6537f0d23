//! Files of JSON.

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Given, Outcome, Whole};

use crate::folder::{LARGEST_CONTENT, read, within};
use crate::path::Below;
use crate::reading::most_bytes;
use crate::writing::{Overwrite, Written, replace};

#[parameters]
pub(crate) struct ReadJson<'a> {
    /// The file, relative to the tenant's folder. It must be given.
    #[serde(default, alias = "file", alias = "filename", alias = "filePath")]
    #[schemars(length(max = 1_024))]
    path: Option<&'a str>,
    /// How many bytes are read; a larger file is an error.
    #[serde(default, alias = "max_bytes")]
    #[schemars(extend("default" = 10_485_760), range(min = 0, max = 67_108_864))]
    max_bytes: Option<Whole>,
}

/// Reads a file of the tenant's folder that is JSON, and gives its value.
#[node(
    id = "file.readJson",
    aliases = ["file.read_json", "web.read_json", "web.readJson"],
    category = "files",
    effect = "idempotent",
    capabilities = ["fs"],
    tags = ["file", "json"],
    example(
        title = "a configuration",
        input = r#"{"path": "config.json"}"#,
        output = r#"{"result": {"level": 3, "names": ["a", "b"]}}"#
    ),
    example(
        title = "one of few bytes",
        input = r#"{"path": "config.json", "maxBytes": 1000}"#,
        output = r#"{"result": {"level": 3, "names": ["a", "b"]}}"#
    )
)]
pub(crate) async fn file_read_json(
    input: ReadJson<'_>,
    ctx: Ctx<'_>,
) -> NodeResult<Answer<Outcome<'static>>> {
    let path = Below::read_named(input.path, "path")?;
    let most = most_bytes(input.max_bytes)?;
    within(ctx, move |folder, stop| {
        let bytes = read(folder, path.as_str(), most, stop)?;
        // What other systems write before a text says nothing in UTF-8.
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let value = Value::from_json_slice(text).map_err(|error| {
            let message = format!("cannot read `{}`: it is no JSON: {error}", path.as_str());
            NodeError::new(message).retryable(false)
        })?;
        Ok(answer(Outcome::Made(value)))
    })
    .await
}

#[parameters]
pub(crate) struct WriteJson<'a> {
    /// The file, relative to the tenant's folder. It must be given. Folders that are not there are made.
    #[serde(default, alias = "file", alias = "filename", alias = "filePath")]
    #[schemars(length(max = 1_024))]
    path: Option<&'a str>,
    /// The value.
    #[serde(default, alias = "data", alias = "content")]
    value: Given<'a>,
    /// Whether it is indented.
    #[serde(default)]
    pretty: Option<Flag>,
    /// Whether a file that is there is replaced; it is an error otherwise.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    overwrite: Option<Flag>,
}

/// Writes a value to a file of the tenant's folder as JSON, whole or not at all.
#[node(
    id = "file.writeJson",
    aliases = ["file.write_json"],
    category = "files",
    effect = "effectful",
    capabilities = ["fs"],
    tags = ["file", "json"],
    example(
        title = "a map",
        input = r#"{"path": "state.json", "value": {"a": [1, 2]}}"#,
        output = r#"{"path": "state.json", "bytes": 12, "created": true}"#
    ),
    example(
        title = "for people",
        input = r#"{"path": "config.json", "value": [1], "pretty": true}"#,
        output = r#"{"path": "config.json", "bytes": 8, "created": false}"#
    )
)]
pub(crate) async fn file_write_json(input: WriteJson<'_>, ctx: Ctx<'_>) -> NodeResult<Written> {
    let path = Below::read_named(input.path, "path")?;
    let value = input.value.of("value")?;
    let mut text = match input.pretty {
        Some(Flag(true)) => value.to_json_pretty(),
        _ => value.to_json(),
    };
    text.push('\n');
    if text.len() as u64 > LARGEST_CONTENT {
        return Err(NodeError::invalid(
            "value",
            format_args!("must not have more than {LARGEST_CONTENT} bytes as JSON"),
        ));
    }
    let overwrite = Overwrite::of(input.overwrite != Some(Flag(false)));
    within(ctx, move |folder, stop| {
        replace(folder, &path, text.as_bytes(), overwrite, stop)
    })
    .await
}
