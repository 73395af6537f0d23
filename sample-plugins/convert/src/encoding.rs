//! Base64 and the percent encoding of URLs.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use plugin_api::prelude::*;
use plugin_api::reading::{Any, Flag, shown, text_of};
use plugin_api::value::{Kind, Writer};

use crate::text::{Convert, as_text};

/// Writes padding, and reads texts without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What JavaScript's `encodeURIComponent` leaves as it is, besides letters and digits.
const UNRESERVED: &[u8] = b"-_.!~*'()";

/// What has a meaning in a URL, and what `encodeURI` leaves as it is too.
const RESERVED: &[u8] = b";/?:@&=+$,#";

/// Writes a text or bytes in Base64; any other value as its JSON text in Base64.
#[node(
    id = "convert.base64Encode",
    aliases = ["convert.base64_encode"],
    effect = "pure",
    tags = ["encoding", "base64"],
    example(title = "a text", input = r#"{"value": "héllo"}"#, output = r#"{"result": "aMOpbGxv"}"#),
    example(title = "a map", input = r#"{"value": {"a": 1}}"#, output = r#"{"result": "eyJhIjoxfQ=="}"#)
)]
pub(crate) fn base64_encode(input: Convert<'_>) -> NodeResult<Answer<String>> {
    let value = input.value();
    Ok(answer(match value.as_bytes() {
        Some(bytes) => BASE64.encode(bytes),
        None => BASE64.encode(as_text("value", value)?.as_bytes()),
    }))
}

/// Reads Base64, also without padding or of the alphabet for URLs; gives a text, or bytes where they are no UTF-8.
#[node(
    id = "convert.base64Decode",
    aliases = ["convert.base64_decode"],
    effect = "pure",
    tags = ["encoding", "base64"],
    example(title = "a text", input = r#"{"value": "aMOpbGxv"}"#, output = r#"{"result": "héllo"}"#),
    example(title = "without padding", input = r#"{"value": "YQ"}"#, output = r#"{"result": "a"}"#)
)]
pub(crate) fn base64_decode(input: Convert<'_>) -> NodeResult<Answer<Value>> {
    let plain = |byte: u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let text = wanted_text(input.value())?;
    let text = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let bytes = BASE64
        .decode(text.map(plain).collect::<Vec<_>>())
        .map_err(|error| NodeError::invalid("value", format_args!("is no Base64: {error}")))?;
    if let Ok(text) = std::str::from_utf8(&bytes) {
        return Ok(answer(text.into()));
    }
    let mut out = Vec::new();
    Writer::new(&mut out).bytes(&bytes)?;
    Ok(answer(Value::from_encoded(out)?))
}

#[parameters]
pub(crate) struct Url<'a> {
    /// The text to convert.
    #[serde(default)]
    value: Any<'a>,
    /// Whether it is a part of a URL. In a whole one, what has a meaning there stays as it is.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    component: Option<Flag>,
}

impl<'a> Url<'a> {
    fn text(&self) -> NodeResult<std::borrow::Cow<'a, str>> {
        wanted_text(self.value.0)
    }

    /// The bytes that stay as they are on account of their meaning.
    fn kept(&self) -> &'static [u8] {
        if self.component == Some(Flag(false)) {
            RESERVED
        } else {
            &[]
        }
    }
}

/// Writes a text so that it can stand in a URL.
#[node(
    id = "convert.urlEncode",
    aliases = ["convert.url_encode"],
    effect = "pure",
    tags = ["encoding", "url"],
    example(title = "a part", input = r#"{"value": "a b&c=é/"}"#, output = r#"{"result": "a%20b%26c%3D%C3%A9%2F"}"#),
    example(
        title = "a whole URL",
        input = r#"{"value": "http://x/a b?q=é", "component": false}"#,
        output = r#"{"result": "http://x/a%20b?q=%C3%A9"}"#
    )
)]
pub(crate) fn url_encode(input: Url<'_>) -> NodeResult<Answer<String>> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let (text, kept) = (input.text()?, input.kept());
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || UNRESERVED.contains(&byte) || kept.contains(&byte) {
            out.push(byte.into());
        } else {
            let digits = [byte >> 4, byte & 15].map(|digit| HEX.get(usize::from(digit)));
            out.push('%');
            out.extend(digits.into_iter().flatten().map(|digit| char::from(*digit)));
        }
    }
    Ok(answer(out))
}

/// Reads a text as it stands in a URL. A `+` stays one.
#[node(
    id = "convert.urlDecode",
    aliases = ["convert.url_decode"],
    effect = "pure",
    tags = ["encoding", "url"],
    example(title = "a part", input = r#"{"value": "a%20b%26"}"#, output = r#"{"result": "a b&"}"#),
    example(
        title = "a whole URL",
        input = r#"{"value": "a%20b%26", "component": false}"#,
        output = r#"{"result": "a b%26"}"#
    )
)]
pub(crate) fn url_decode(input: Url<'_>) -> NodeResult<Answer<String>> {
    let (text, kept) = (input.text()?, input.kept());
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let at = text.len() - after.len() - 1;
        let Some((decoded, behind)) = escape(after) else {
            let why = format_args!("`%` at byte {at} is not followed by two hexadecimal digits");
            return Err(NodeError::invalid("value", why));
        };
        if kept.contains(&decoded) {
            out.push(byte);
        } else {
            out.push(decoded);
            rest = behind;
        }
    }
    let text = String::from_utf8(out);
    text.map(answer)
        .map_err(|_| NodeError::invalid("value", "what is decoded is no UTF-8 text"))
}

/// The byte that two hexadecimal digits say, and what is behind them.
fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, behind) = text.split_first_chunk::<2>()?;
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    let byte = u8::try_from(high? << 4 | low?).ok()?;
    Some((byte, behind))
}

/// A text, or what is written as one; lists and maps are not meant here.
fn wanted_text(value: ValueRef<'_>) -> NodeResult<std::borrow::Cow<'_, str>> {
    match value.kind() {
        Kind::Bytes => as_text("value", value),
        _ => text_of(value).ok_or_else(|| {
            NodeError::invalid("value", format_args!("expected a text, found {}", shown(value)))
        }),
    }
}
