//! Bytes by their digest, or by a key.
//!
//! Invariant: bytes under a digest have that digest: it is computed before they are written, and one that is given with
//! them must be the same.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Outcome, kind_name};
use plugin_api::value::Writer;
use sha2::{Digest, Sha256};

use crate::reference::{Names, Raw, cut};
use crate::store::{MAX_KEY, too_large};

/// The most bytes of one blob: the tenant's store takes values of 16 MiB.
const MAX_BLOB: usize = (16 << 20) - 1_024;

/// What a text stands for.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Itself.
    #[default]
    #[serde(rename = "utf-8", alias = "utf8", alias = "text")]
    Utf8,
    /// Bytes in Base64.
    #[serde(rename = "base64")]
    Base64,
    /// Bytes in hexadecimal digits.
    #[serde(rename = "hex")]
    Hex,
}

/// Where a blob is.
fn place(digest: Option<String>, key: Option<String>) -> NodeResult<String> {
    match (digest, key) {
        (Some(digest), None) => Ok(format!("packagerepo/blob/sha256/{digest}")),
        (None, Some(key)) => Ok(format!("packagerepo/blob/key/{key}")),
        (Some(_), Some(_)) => Err(NodeError::invalid("key", "give `digest` or `key`, not both")),
        (None, None) => Err(NodeError::invalid(
            "digest",
            "is missing, and so is `key`; give one of them",
        )),
    }
}

/// The digits of a digest, however it is written: `sha256:...`, `sha-256=...`, or the digits alone.
fn digits(names: &Names<'_>, raw: Raw<'_>) -> NodeResult<Option<String>> {
    if names.read(raw, "digest")?.is_none() {
        return Ok(None);
    }
    let written = names.text(raw, "digest", 80)?;
    let bare = ["sha256:", "sha-256=", "sha256-"]
        .iter()
        .find_map(|prefix| written.strip_prefix(prefix));
    let bare = bare.unwrap_or(&written).to_ascii_lowercase();
    if bare.len() != 64 || !bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let why = format_args!(
            "expected the 64 hexadecimal digits of a SHA-256 digest, found `{}`",
            cut(&written)
        );
        return Err(NodeError::invalid("digest", why));
    }
    Ok(Some(bare))
}

fn key(names: &Names<'_>, raw: Raw<'_>) -> NodeResult<Option<String>> {
    match names.read(raw, "key")? {
        None => Ok(None),
        Some(_) => names.text(raw, "key", MAX_KEY).map(Some),
    }
}

/// The digest of bytes, in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok();
    pairs.iter().map(byte).collect()
}

/// The bytes that a parameter stands for.
fn bytes(data: ValueRef<'_>, encoding: Encoding) -> NodeResult<Vec<u8>> {
    if let Some(bytes) = data.as_bytes() {
        return Ok(bytes.to_vec());
    }
    let Some(text) = data.as_str() else {
        let why = format_args!("expected bytes or a text, found {}", kind_name(data));
        return Err(NodeError::invalid("data", why));
    };
    match encoding {
        Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
        Encoding::Base64 => STANDARD
            .decode(text)
            .map_err(|_| NodeError::invalid("data", "is no Base64")),
        Encoding::Hex => {
            hex(text).ok_or_else(|| NodeError::invalid("data", "has other than pairs of hexadecimal digits"))
        }
    }
}

/// Bytes as a value.
fn value(bytes: &[u8]) -> NodeResult<Value> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    Writer::new(&mut out).bytes(bytes)?;
    Ok(Value::from_encoded(out)?)
}

#[parameters]
pub(crate) struct Put<'a> {
    /// The SHA-256 digest of the bytes, which is checked; it is computed if it is missing. A name such as `$digest` that
    /// means nothing yet is set to it.
    #[serde(default)]
    digest: Raw<'a>,
    /// The bytes: bytes, or a text.
    #[serde(default)]
    data: Raw<'a>,
    /// What a text stands for: itself, or bytes in Base64 or hexadecimal digits.
    #[serde(default)]
    encoding: Encoding,
    /// A name for the bytes, instead of their digest.
    #[serde(default)]
    key: Raw<'a>,
    /// The variable that the digest is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Where bytes were written.
#[output]
pub(crate) struct Stored {
    /// The SHA-256 digest of the bytes.
    result: String,
    /// The name that they were given; null for none.
    key: Option<String>,
    /// How many they are.
    size: usize,
}

/// Writes bytes into the tenant's store, under their SHA-256 digest or under a key: up to 16 MiB, less 1 KiB. A digest that
/// is given and is not theirs is an error, and nothing is written.
#[node(
    id = "packagerepo.blobPut",
    aliases = ["packagerepo.blob_put"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["blob", "bytes", "digest"],
    example(
        title = "a text",
        input = r#"{"data": "abc"}"#,
        output = r#"{"result": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "key": null, "size": 3}"#
    ),
    example(
        title = "bytes under a key",
        input = r#"{"key": "logo.png", "data": "iVBORw==", "encoding": "base64"}"#,
        output = r#"{"result": "0f4636c78f65d3639ece5a064b5ae753e3408614a14fb18ab4d7540d2c248543", "key": "logo.png", "size": 4}"#
    )
)]
pub(crate) fn blob_put(input: Put<'_>, ctx: &Ctx<'_>) -> NodeResult<Stored> {
    let names = Names::new(ctx)?;
    let given = digits(&names, input.digest)?;
    let key = key(&names, input.key)?;
    let data = names.needed(input.data, "data")?;
    let bytes = bytes(data.as_ref(), input.encoding)?;
    if bytes.len() > MAX_BLOB {
        let message = format!(
            "parameter `data`: a blob has at most {MAX_BLOB} bytes, but this has {}",
            bytes.len()
        );
        return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message));
    }
    ctx.check()?;
    let digest = sha256(&bytes);
    let unknown = given.is_none();
    if given.is_some_and(|given| given != digest) {
        let why = format_args!("is not that of the data, whose digest is {digest}");
        return Err(NodeError::invalid("digest", why));
    }
    let by_digest = key.is_none().then(|| digest.clone());
    let place = place(by_digest, key.clone())?;
    ctx.kv_put(&place, &value(&bytes)?)
        .map_err(|error| too_large(error, "data"))?;
    // A digest that is written as a name which means nothing yet is asked for by it.
    let asked = input.digest.0.and_then(|written| written.as_str());
    let asked = asked.filter(|name| unknown && name.starts_with('$') && !name.contains('.'));
    for name in [asked, input.out] {
        names.set(name, Value::from(digest.as_str()).as_ref())?;
    }
    Ok(Stored {
        result: digest,
        key,
        size: bytes.len(),
    })
}

/// How bytes are given.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// As bytes, which are Base64 where they are shown as JSON.
    #[default]
    Bytes,
    /// As a text, which they have to be.
    #[serde(alias = "utf-8", alias = "utf8")]
    Text,
    /// As a text in Base64.
    Base64,
}

#[parameters]
pub(crate) struct Get<'a> {
    /// The SHA-256 digest.
    #[serde(default)]
    digest: Raw<'a>,
    /// The name, where they have one instead.
    #[serde(default)]
    key: Raw<'a>,
    /// As what to give them: `bytes`, `text` or `base64`.
    #[serde(default, rename = "as", alias = "encoding")]
    form: Form,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Gives the bytes that `packagerepo.blobPut` wrote; null when there are none.
#[node(
    id = "packagerepo.blobGet",
    aliases = ["packagerepo.blob_get"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["blob", "bytes", "digest"],
    example(
        title = "none with that digest",
        input = r#"{"digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"#,
        output = r#"{"result": null}"#
    ),
    example(title = "none with that name", input = r#"{"key": "logo.png", "as": "base64"}"#, output = r#"{"result": null}"#)
)]
pub(crate) fn blob_get(input: Get<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let place = place(digits(&names, input.digest)?, key(&names, input.key)?)?;
    let kept: Option<Value> = ctx.kv_get(&place)?;
    let result = match (kept, input.form) {
        (None, _) => Value::null(),
        (Some(kept), Form::Bytes) => kept,
        (Some(kept), Form::Base64) => Value::from(STANDARD.encode(of(&kept)).as_str()),
        (Some(kept), Form::Text) => {
            let text = std::str::from_utf8(of(&kept));
            Value::from(
                text.map_err(|_| NodeError::invalid("as", "the bytes are no text in UTF-8; take `base64`"))?,
            )
        }
    };
    names.set(input.out, result.as_ref())?;
    Ok(answer(Outcome::Made(result)))
}

fn of(kept: &Value) -> &[u8] {
    kept.as_ref().as_bytes().unwrap_or_default()
}
