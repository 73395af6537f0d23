//! Identifiers as RFC 9562 lays them out.

use std::time::UNIX_EPOCH;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::shown;
use plugin_api::reading::{Text, Whole};
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use sha1::Sha1;

use crate::algorithm::digest;
use crate::chance::fill;
use crate::material::hex;

/// Which identifier is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Version {
    #[default]
    Random,
    Named,
    Timed,
    Nil,
    Max,
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let number = Whole::read(value).map(|number| number.0);
        match (value.as_str(), number) {
            (Some("v4"), _) | (_, Some(4)) => Ok(Self::Random),
            (Some("v5"), _) | (_, Some(5)) => Ok(Self::Named),
            (Some("v7"), _) | (_, Some(7)) => Ok(Self::Timed),
            (Some("nil"), _) => Ok(Self::Nil),
            (Some("max"), _) => Ok(Self::Max),
            _ => Err(D::Error::custom(format_args!(
                "expected 4, 5, 7, nil or max, found {}",
                shown(value)
            ))),
        }
    }
}

impl JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [4, 5, 7, "4", "5", "7", "v4", "v5", "v7", "nil", "max"] })
    }
}

#[parameters]
pub(crate) struct Uuid<'a> {
    /// 4 for a random one, 7 for one that begins with the time and so sorts by it, 5 for one made of a name; `nil` and
    /// `max` for the two that stand for none.
    #[serde(default)]
    #[schemars(extend("default" = 4))]
    version: Option<Version>,
    /// For version 5: whose name it is. `dns`, `url`, `oid`, `x500`, or an identifier.
    #[serde(default)]
    namespace: Option<Text<'a>>,
    /// For version 5: the name.
    #[serde(default)]
    name: Option<Text<'a>>,
}

/// Gives a universally unique identifier (RFC 9562). Those of version 7 sort by the host's clock, in steps of a quarter of
/// a microsecond.
#[node(
    id = "crypto.uuid",
    aliases = ["crypto.uuid4", "crypto.randomUUID"],
    effect = "idempotent",
    tags = ["uuid", "id", "random"],
    example(
        title = "of a name",
        input = r#"{"version": 5, "namespace": "dns", "name": "www.example.com"}"#,
        output = r#"{"result": "2ed6657d-e927-568b-95e1-2665a8aea6a2"}"#
    ),
    example(
        title = "for none",
        input = r#"{"version": "nil"}"#,
        output = r#"{"result": "00000000-0000-0000-0000-000000000000"}"#
    )
)]
pub(crate) fn uuid(input: Uuid<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<String>> {
    let version = input.version.unwrap_or_default();
    let bytes = match version {
        Version::Random => marked(drawn()?, 4),
        Version::Timed => timed(nanos(ctx)?, drawn()?),
        Version::Nil => [0; 16],
        Version::Max => [0xff; 16],
        Version::Named => {
            let namespace = needed("namespace", input.namespace.as_ref())?;
            let name = needed("name", input.name.as_ref())?;
            named(namespace_of(namespace)?, name, ctx)?
        }
    };
    Ok(answer(written(bytes)))
}

fn needed<'t>(parameter: &str, text: Option<&'t Text<'_>>) -> NodeResult<&'t str> {
    let why = "is missing, and version 5 needs it";
    text.map(Text::as_str)
        .ok_or_else(|| NodeError::invalid(parameter, why))
}

fn drawn() -> NodeResult<[u8; 16]> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn nanos(ctx: &Ctx<'_>) -> NodeResult<u128> {
    let since = ctx
        .wall_clock()
        .and_then(|now| now.duration_since(UNIX_EPOCH).ok());
    let since = since.ok_or_else(|| NodeError::with_code(code::UNSUPPORTED, "the host lends no clock"))?;
    Ok(since.as_nanos())
}

/// Sets version and variant (RFC 9562, sections 4.1 and 4.2).
const fn marked(mut bytes: [u8; 16], version: u8) -> [u8; 16] {
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

/// The milliseconds, then what is left of the time in 12 bits (RFC 9562, sections 5.7 and 6.2, method 3), then chance.
fn timed(nanos: u128, mut bytes: [u8; 16]) -> [u8; 16] {
    let millis = (nanos / 1_000_000) as u64;
    let rest = ((nanos % 1_000_000) * 4096 / 1_000_000) as u16;
    let [_, _, time @ ..] = millis.to_be_bytes();
    bytes[..6].copy_from_slice(&time);
    bytes[6..8].copy_from_slice(&rest.to_be_bytes());
    marked(bytes, 7)
}

/// The beginning of the SHA-1 digest of both (RFC 9562, section 5.5), which is no use of it that has to be safe.
fn named(namespace: [u8; 16], name: &str, ctx: &Ctx<'_>) -> NodeResult<[u8; 16]> {
    let digest = digest::<Sha1>(&[&namespace, name.as_bytes()].concat(), ctx)?;
    let start = digest.first_chunk::<16>().copied().unwrap_or_default();
    Ok(marked(start, 5))
}

/// The namespaces of RFC 9562, section 6.6, or an identifier.
fn namespace_of(text: &str) -> NodeResult<[u8; 16]> {
    let well_known = |last: u8| {
        let mut bytes = [
            0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
        ];
        bytes[3] = last;
        bytes
    };
    match text {
        "dns" => Ok(well_known(0x10)),
        "url" => Ok(well_known(0x11)),
        "oid" => Ok(well_known(0x12)),
        "x500" => Ok(well_known(0x14)),
        _ => read(text)
            .ok_or_else(|| NodeError::invalid("namespace", "expected dns, url, oid, x500 or an identifier")),
    }
}

/// With its hyphens.
fn written(bytes: [u8; 16]) -> String {
    let digits = hex(&bytes);
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

/// `None` for what [`written`] writes for no identifier, but for the case of its digits.
fn read(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.split('-').collect();
    let bytes = u128::from_str_radix(&digits, 16).ok()?.to_be_bytes();
    written(bytes).eq_ignore_ascii_case(text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> [u8; 16] {
        read(text).unwrap()
    }

    #[test]
    fn a_random_identifier_is_laid_out_as_in_rfc_9562_appendix_a3() {
        let random = 0x9191_08f7_52d1_3320_5bac_f847_db41_48a8_u128.to_be_bytes();
        assert_eq!(written(marked(random, 4)), "919108f7-52d1-4320-9bac-f847db4148a8");
    }

    #[test]
    fn a_timed_identifier_is_laid_out_as_in_rfc_9562_appendix_a6() {
        let mut random = [0; 16];
        random[8..].copy_from_slice(&0x18c4_dc0c_0c07_398f_u64.to_be_bytes());
        // 0xcc3 of 4096 parts of a millisecond, after 2022-02-22 19:22:22 UTC.
        let nanos = 0x017f_22e2_79b0_u128 * 1_000_000 + 0xcc3 * 1_000_000 / 4096 + 1;
        assert_eq!(
            written(timed(nanos, random)),
            "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
        );
    }

    #[test]
    fn namespaces_are_those_of_rfc_9562_section_6_6() {
        let known = [
            ("dns", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
            ("url", "6ba7b811-9dad-11d1-80b4-00c04fd430c8"),
            ("oid", "6ba7b812-9dad-11d1-80b4-00c04fd430c8"),
            ("x500", "6ba7b814-9dad-11d1-80b4-00c04fd430c8"),
        ];
        for (name, identifier) in known {
            assert_eq!(namespace_of(name).unwrap(), bytes(identifier));
            assert_eq!(
                namespace_of(&identifier.to_uppercase()).unwrap(),
                bytes(identifier)
            );
        }
    }

    #[test]
    fn what_is_no_identifier_is_not_read_as_one() {
        for text in [
            "",
            "6ba7b810",
            "6ba7b8109dad11d180b400c04fd430c8",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c",
            "+ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8-",
            "6ba7b81-09dad-11d1-80b4-00c04fd430c8",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
