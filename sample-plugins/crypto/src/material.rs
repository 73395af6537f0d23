//! Invariant: what comes in may be secret, so no message shows any of it.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use plugin_api::prelude::*;
use plugin_api::reading::kind_name;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::Writer;

/// How bytes are written as text.
#[parameters]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Hex,
    Base64,
    Base64url,
}

/// What the text of a parameter stands for.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Its own bytes, in UTF-8.
    #[default]
    Text,
    /// Bytes that it writes in hexadecimal digits.
    Hex,
    /// Bytes that it writes in Base64.
    Base64,
    /// Bytes that it writes in the Base64 of URLs.
    Base64url,
}

/// How a node writes bytes.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Writing {
    /// In hexadecimal digits.
    #[default]
    Hex,
    /// In Base64.
    Base64,
    /// In the Base64 of URLs, without padding.
    Base64url,
    /// As bytes.
    Bytes,
}

impl Writing {
    pub(crate) fn write(self, bytes: &[u8]) -> NodeResult<Value> {
        let encoding = match self {
            Self::Hex => Encoding::Hex,
            Self::Base64 => Encoding::Base64,
            Self::Base64url => Encoding::Base64url,
            Self::Bytes => {
                let mut out = Vec::new();
                Writer::new(&mut out).bytes(bytes)?;
                return Ok(Value::from_encoded(out)?);
            }
        };
        Ok(encoding.encode(bytes).as_str().into())
    }
}

impl Encoding {
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64url => URL_SAFE_NO_PAD.encode(bytes),
        }
    }

    /// `None` for a text that this encoding writes for no bytes, but for padding, which may be missing, and the case of
    /// hexadecimal digits.
    pub(crate) fn decode(self, text: &[u8]) -> Option<Vec<u8>> {
        let bare = || {
            text.strip_suffix(b"==")
                .or(text.strip_suffix(b"="))
                .unwrap_or(text)
        };
        match self {
            Self::Hex => unhex(text),
            Self::Base64 if text.ends_with(b"=") => STANDARD.decode(text).ok(),
            Self::Base64 => STANDARD_NO_PAD.decode(text).ok(),
            Self::Base64url => URL_SAFE_NO_PAD.decode(bare()).ok(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Hex => "hexadecimal",
            Self::Base64 => "Base64",
            Self::Base64url => "Base64 of the alphabet for URLs",
        }
    }
}

/// In lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        u8::try_from(high? << 4 | low?).ok()
    };
    let bytes = pairs.iter().map(byte).collect();
    if rest.is_empty() { bytes } else { None }
}

/// A text or bytes. A whole number is taken as its digits.
#[derive(Clone)]
pub(crate) struct Material<'a> {
    bytes: Cow<'a, [u8]>,
    is_text: bool,
}

impl<'a> Material<'a> {
    /// The bytes that are meant. Those of bytes are meant as they are.
    pub(crate) fn read(self, parameter: &str, reading: Reading) -> NodeResult<Cow<'a, [u8]>> {
        let encoding = match reading {
            Reading::Text => return Ok(self.bytes),
            Reading::Hex => Encoding::Hex,
            Reading::Base64 => Encoding::Base64,
            Reading::Base64url => Encoding::Base64url,
        };
        if !self.is_text {
            return Ok(self.bytes);
        }
        // Files end in a line break, and long texts are folded.
        let text: Vec<u8> = self
            .bytes
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        let wrong = || NodeError::invalid(parameter, format_args!("is no {} text", encoding.name()));
        encoding.decode(&text).map(Cow::Owned).ok_or_else(wrong)
    }

    /// A text from elsewhere than the parameters.
    pub(crate) const fn text(text: &'a str) -> Self {
        let bytes = Cow::Borrowed(text.as_bytes());
        Self { bytes, is_text: true }
    }

    pub(crate) const fn is_text(&self) -> bool {
        self.is_text
    }

    /// The bytes, whatever they are.
    pub(crate) fn plain(&self) -> &[u8] {
        &self.bytes
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Material<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let text = value.as_str().map(|text| Cow::Borrowed(text.as_bytes()));
        let digits = || {
            value
                .as_i64()
                .map(|number| Cow::Owned(number.to_string().into_bytes()))
        };
        if let Some(bytes) = text.or_else(digits) {
            return Ok(Self { bytes, is_text: true });
        }
        let Some(bytes) = value.as_bytes() else {
            let found = kind_name(value);
            return Err(D::Error::custom(format_args!(
                "expected a text or bytes, found {found}"
            )));
        };
        let bytes = Cow::Borrowed(bytes);
        Ok(Self {
            bytes,
            is_text: false,
        })
    }
}

impl JsonSchema for Material<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Material".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"] })
    }
}

/// What a parameter must say.
pub(crate) fn given<T>(parameter: &str, value: Option<T>) -> NodeResult<T> {
    value.ok_or_else(|| NodeError::invalid(parameter, "is missing: give a text or bytes"))
}
