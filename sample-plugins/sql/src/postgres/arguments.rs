//! Values into PostgreSQL.
//!
//! Invariant: a value reaches the server as text of the type that the server itself found for its placeholder, and what
//! the server cannot read as that type without loss it refuses.

use std::error::Error;
use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, BytesMut};
use plugin_api::prelude::*;
use plugin_api::value::{Kind, ListRef};
use tokio_postgres::types::{Format, IsNull, Kind as TypeKind, ToSql, Type};

use super::moments;

/// One argument.
#[derive(Debug)]
pub(super) struct Argument<'v>(pub(super) &'v Value);

/// Why an argument cannot be written.
#[derive(Debug)]
pub(super) struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Refused {}

fn refused(what: &str, ty: &Type) -> Refused {
    Refused(format!("{what} cannot be a `{}`", ty.name()))
}

impl ToSql for Argument<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match text(self.0.as_ref(), ty)? {
            Some(text) => {
                out.put_slice(text.as_bytes());
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }
}

/// A domain is what it is made of.
fn base(ty: &Type) -> &Type {
    match ty.kind() {
        TypeKind::Domain(inner) => base(inner),
        _ => ty,
    }
}

/// The value as text of a type; `None` for null.
fn text(value: ValueRef<'_>, ty: &Type) -> Result<Option<String>, Refused> {
    let ty = base(ty);
    let is_json = *ty == Type::JSON || *ty == Type::JSONB;
    let text = match value.kind() {
        Kind::Null => return Ok(None),
        _ if is_json => json(value),
        Kind::Bool => (if value.as_bool() == Some(true) {
            "true"
        } else {
            "false"
        })
        .to_owned(),
        Kind::I64 => {
            let number = value.as_i64().unwrap_or_default();
            if *ty == Type::TIMESTAMP || *ty == Type::TIMESTAMPTZ || *ty == Type::DATE {
                // Milliseconds since 1970, as `Date.now()` gives them.
                moments::of_milliseconds(number).ok_or_else(|| refused("so large a number", ty))?
            } else {
                number.to_string()
            }
        }
        Kind::F64 => value.as_f64().unwrap_or_default().to_string(),
        Kind::Str => {
            let text = value.as_str().unwrap_or_default();
            if text.contains('\0') {
                return Err(refused("a text with a zero character", ty));
            }
            if *ty == Type::BYTEA {
                let bytes = STANDARD.decode(text);
                hex(&bytes.map_err(|_| refused("a text that is no base64", ty))?)
            } else {
                text.to_owned()
            }
        }
        Kind::Bytes if *ty == Type::BYTEA => hex(value.as_bytes().unwrap_or_default()),
        Kind::Bytes => return Err(refused("a byte string", ty)),
        Kind::List => match ty.kind() {
            TypeKind::Array(inner) => array(value, inner)?,
            _ if is_text(ty) => value.to_json(),
            _ => return Err(refused("a list", ty)),
        },
        Kind::Map if is_text(ty) => value.to_json(),
        Kind::Map => return Err(refused("a map", ty)),
    };
    Ok(Some(text))
}

fn is_text(ty: &Type) -> bool {
    [Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::UNKNOWN].contains(ty)
}

/// A text that holds a JSON object or array is one, as `JSON.stringify` wrote it; any other text is a JSON string.
fn json(value: ValueRef<'_>) -> String {
    let held = value
        .as_str()
        .filter(|text| text.trim_start().starts_with(['{', '[']) && Value::from_json(text).is_ok());
    held.map_or_else(|| value.to_json(), str::to_owned)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("\\x");
    for byte in bytes {
        // Writing to a string fails for nothing.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn array(value: ValueRef<'_>, inner: &Type) -> Result<String, Refused> {
    let mut out = String::from("{");
    for (index, item) in value.as_list().iter().flat_map(ListRef::iter).enumerate() {
        if index > 0 {
            out.push(',');
        }
        if item.kind() == Kind::List && base(inner) != &Type::JSON && base(inner) != &Type::JSONB {
            out.push_str(&array(item, inner)?);
            continue;
        }
        match text(item, inner)? {
            None => out.push_str("NULL"),
            Some(text) => {
                out.push('"');
                for c in text.chars() {
                    if matches!(c, '"' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
                out.push('"');
            }
        }
    }
    out.push('}');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: &str, ty: &Type) -> Result<Option<String>, String> {
        text(Value::from_json(json).unwrap().as_ref(), ty).map_err(|refused| refused.to_string())
    }

    #[test]
    fn values_are_written_as_the_type_wants_them() {
        for (json, ty, expected) in [
            ("true", Type::BOOL, "true"),
            ("7", Type::INT8, "7"),
            ("2.0", Type::INT4, "2"),
            ("1e21", Type::FLOAT8, "1000000000000000000000"),
            ("\"x\"", Type::TEXT, "x"),
            ("\"AQI=\"", Type::BYTEA, "\\x0102"),
            ("{\"a\": [1]}", Type::JSONB, "{\"a\":[1]}"),
            ("\"a\"", Type::JSONB, "\"a\""),
            ("\"{\\\"a\\\":1}\"", Type::JSON, "{\"a\":1}"),
            ("[1]", Type::TEXT, "[1]"),
            ("[1, null, 3]", Type::INT4_ARRAY, "{\"1\",NULL,\"3\"}"),
            (
                "[[\"a\\\"\\\\\"], [\"b\"]]",
                Type::TEXT_ARRAY,
                "{{\"a\\\"\\\\\"},{\"b\"}}",
            ),
            ("1700000000123", Type::TIMESTAMPTZ, "2023-11-14T22:13:20.123Z"),
        ] {
            assert_eq!(written(json, &ty), Ok(Some(expected.to_owned())), "{json} {ty}");
        }
        assert_eq!(written("null", &Type::INT4), Ok(None));
        for (json, ty, part) in [
            ("[1]", Type::INT4, "a list cannot be a `int4`"),
            ("{}", Type::BOOL, "a map cannot be"),
            ("\"a b\"", Type::BYTEA, "no base64"),
            ("\"a\\u0000\"", Type::TEXT, "zero character"),
            ("9223372036854775807", Type::TIMESTAMP, "so large"),
        ] {
            assert!(written(json, &ty).unwrap_err().contains(part), "{json} {ty}");
        }
        let bytes = Value::from_encoded(vec![5, 1, 0, 0, 0, 255]);
        if let Ok(bytes) = bytes {
            assert!(text(bytes.as_ref(), &Type::TEXT).is_err());
        }
    }
}
