//! Reading a file.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use plugin_api::prelude::*;
use plugin_api::reading::Whole;

use crate::folder::{LARGEST_CONTENT, read, within};
use crate::path::Below;

/// Bytes of a file that are read, if the workflow does not say: 10 MiB.
const USUAL_BYTES: i64 = 10 << 20;

/// How bytes are written in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Base64,
}

impl Encoding {
    /// Reads `utf8` or `base64`.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn read(word: Option<&str>) -> NodeResult<Self> {
        match word.unwrap_or("utf8") {
            "utf8" | "utf-8" | "text" | "UTF-8" => Ok(Self::Utf8),
            "base64" | "bytes" | "binary" => Ok(Self::Base64),
            _ => Err(NodeError::invalid("encoding", "must be `utf8` or `base64`")),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf8",
            Self::Base64 => "base64",
        }
    }
}

/// Reads how many bytes may be read.
///
/// # Errors
/// When it is out of range.
pub(crate) fn most_bytes(given: Option<Whole>) -> NodeResult<u64> {
    let largest = i64::try_from(LARGEST_CONTENT).unwrap_or(i64::MAX);
    let most = given
        .unwrap_or(Whole(USUAL_BYTES))
        .within("maxBytes", 0..=largest)?;
    Ok(most.unsigned_abs())
}

#[parameters]
pub(crate) struct Read<'a> {
    /// The file, relative to the tenant's folder. It must be given.
    #[serde(default, alias = "file", alias = "filename", alias = "filePath")]
    #[schemars(length(max = 1_024))]
    path: Option<&'a str>,
    /// What its bytes are given as: `utf8` or `base64`.
    #[serde(default)]
    #[schemars(extend("default" = "utf8"), length(max = 10))]
    encoding: Option<&'a str>,
    /// How many bytes are read; a larger file is an error.
    #[serde(default, alias = "max_bytes")]
    #[schemars(extend("default" = 10_485_760), range(min = 0, max = 67_108_864))]
    max_bytes: Option<Whole>,
}

/// A file that was read.
#[output]
pub(crate) struct Content {
    /// What is in it.
    content: String,
    /// How it is written: `utf8` or `base64`.
    encoding: &'static str,
    /// Bytes of the file.
    size: usize,
    /// The file.
    path: String,
}

/// Reads a file of the tenant's folder as a text, or as bytes in base64.
#[node(
    id = "file.read",
    aliases = ["tools.read_file", "tools.readFile"],
    category = "files",
    effect = "idempotent",
    capabilities = ["fs"],
    tags = ["file"],
    example(
        title = "a text",
        input = r#"{"path": "notes/today.txt"}"#,
        output = r#"{"content": "Buy milk.\n", "encoding": "utf8", "size": 10, "path": "notes/today.txt"}"#
    ),
    example(
        title = "bytes",
        input = r#"{"path": "./logo.png", "encoding": "base64"}"#,
        output = r#"{"content": "iVBORw==", "encoding": "base64", "size": 4, "path": "logo.png"}"#
    )
)]
pub(crate) async fn file_read(input: Read<'_>, ctx: Ctx<'_>) -> NodeResult<Content> {
    let path = Below::read_named(input.path, "path")?;
    let (encoding, most) = (Encoding::read(input.encoding)?, most_bytes(input.max_bytes)?);
    within(ctx, move |folder, stop| {
        let bytes = read(folder, path.as_str(), most, stop)?;
        let size = bytes.len();
        let content = match encoding {
            Encoding::Base64 => BASE64_STANDARD.encode(&bytes),
            Encoding::Utf8 => String::from_utf8(bytes).map_err(|error| {
                let at = error.utf8_error().valid_up_to();
                let path = path.as_str();
                let message = format!(
                    "cannot read `{path}`: it is no text in UTF-8 from byte {at} on; with `encoding` `base64` it can be read"
                );
                NodeError::new(message).retryable(false)
            })?,
        };
        Ok(Content {
            content,
            encoding: encoding.name(),
            size,
            path: path.as_str().to_owned(),
        })
    })
    .await
}
