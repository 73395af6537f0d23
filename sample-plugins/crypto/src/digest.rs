//! Digests of texts and bytes.

use plugin_api::prelude::*;
use plugin_api::reading::Flag;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use crate::algorithm::{blake3, digest, md5};
use crate::material::{Material, Reading, Writing, given, hex};

/// An algorithm of digests.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Algorithm {
    #[default]
    Sha256,
    Sha384,
    Sha512,
    Blake3,
    Sha1,
    Md5,
}

/// Refuses what is broken unless it was asked for as such.
pub(crate) fn not_legacy(allowed: Option<Flag>, name: &str) -> NodeResult<()> {
    if allowed == Some(Flag(true)) {
        return Ok(());
    }
    let why = format_args!("{name} is broken, take sha256; for old systems alone, set `allowLegacy`");
    Err(NodeError::invalid("algorithm", why))
}

#[parameters]
pub(crate) struct Hash<'a> {
    /// The text or bytes.
    #[serde(default, alias = "input", alias = "data", alias = "text")]
    value: Option<Material<'a>>,
    /// The algorithm. `sha1` and `md5` are there for old systems and need `allowLegacy`.
    #[serde(default)]
    #[schemars(extend("default" = "sha256"))]
    algorithm: Option<Algorithm>,
    /// What a text stands for: its own bytes, or bytes that it writes in some encoding.
    #[serde(default)]
    #[schemars(extend("default" = "text"))]
    input_encoding: Option<Reading>,
    /// How the digest is written.
    #[serde(default, alias = "outputEncoding")]
    #[schemars(extend("default" = "hex"))]
    encoding: Option<Writing>,
    /// Whether algorithms may be used that are no longer safe.
    #[serde(default, alias = "allow_legacy")]
    #[schemars(extend("default" = false))]
    allow_legacy: Option<Flag>,
}

/// Gives the digest of a text or of bytes. It is no way to keep passwords: those need `crypto.bcryptHash`.
#[node(
    id = "crypto.hash",
    effect = "pure",
    tags = ["hash", "digest", "sha256", "sha512", "blake3"],
    example(
        title = "SHA-256 in hexadecimal",
        input = r#"{"value": "abc"}"#,
        output = r#"{"result": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"#
    ),
    example(
        title = "BLAKE3 of bytes, in Base64",
        input = r#"{"value": "YWJj", "inputEncoding": "base64", "algorithm": "blake3", "encoding": "base64"}"#,
        output = r#"{"result": "ZDezrDhGUTP/tjt1JzqNtUjFWEZdedsD/TWcbNW9nYU="}"#
    ),
    example(
        title = "MD5, for an old system",
        input = r#"{"value": "abc", "algorithm": "md5", "allowLegacy": true}"#,
        output = r#"{"result": "900150983cd24fb0d6963f7d28e17f72"}"#
    )
)]
pub(crate) fn hash(input: Hash<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Value>> {
    let message = given("value", input.value)?.read("value", input.input_encoding.unwrap_or_default())?;
    let digest = match input.algorithm.unwrap_or_default() {
        Algorithm::Sha256 => digest::<Sha256>(&message, ctx)?,
        Algorithm::Sha384 => digest::<Sha384>(&message, ctx)?,
        Algorithm::Sha512 => digest::<Sha512>(&message, ctx)?,
        Algorithm::Blake3 => blake3(&message, ctx)?,
        Algorithm::Sha1 => {
            not_legacy(input.allow_legacy, "sha1")?;
            digest::<Sha1>(&message, ctx)?
        }
        Algorithm::Md5 => {
            not_legacy(input.allow_legacy, "md5")?;
            md5(&message, ctx)?
        }
    };
    Ok(answer(input.encoding.unwrap_or_default().write(&digest)?))
}

#[parameters]
pub(crate) struct Sha256Of<'a> {
    /// The text or bytes.
    #[serde(default, alias = "value", alias = "text", alias = "data")]
    input: Option<Material<'a>>,
    /// Whether the result begins with `sha256:`, as digests of packages and images do.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    prefix: Option<Flag>,
}

/// Gives the SHA-256 digest of a text or of bytes in hexadecimal digits.
#[node(
    id = "crypto.sha256",
    aliases = ["string.sha256"],
    effect = "pure",
    tags = ["hash", "digest", "sha256"],
    example(
        title = "a text",
        input = r#"{"input": "abc"}"#,
        output = r#"{"result": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"#
    ),
    example(
        title = "with its name before it",
        input = r#"{"input": "", "prefix": true}"#,
        output = r#"{"result": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#
    )
)]
pub(crate) fn sha256(input: Sha256Of<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<String>> {
    let message = given("input", input.input)?.read("input", Reading::Text)?;
    let digest = hex(&digest::<Sha256>(&message, ctx)?);
    Ok(answer(if input.prefix == Some(Flag(true)) {
        format!("sha256:{digest}")
    } else {
        digest
    }))
}
