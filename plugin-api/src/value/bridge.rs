//! Invariant: between our own encoder and decoder a value passes as its bytes; any other format sees plain data.
//!
//! Formats for humans (JSON, TOML) see lists, maps and base64 strings; binary formats, which often cannot describe
//! themselves, see the encoding as one byte string.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::BorrowedBytesDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, Unexpected, VariantAccess, Visitor,
};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::error::ValueError;
use super::json::{self, ReadInto};
use super::owned::Value;
use super::view::{Kind, ValueRef};

/// The name by which our encoder and decoder know the value types.
pub(super) const TOKEN: &str = "$patchbay::Value";

/// Only its address matters: a visitor that is shown this very memory is being called by our own decoder, so that
/// it need not check the bytes that follow a second time.
static SEAL: [u8; 16] = *b"$patchbay::seal.";

impl Serialize for ValueRef<'_> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(TOKEN, &Plain(*self))
    }
}

impl Serialize for Value {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}

struct Plain<'a>(ValueRef<'a>);

impl Serialize for Plain<'_> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            tree(self.0, serializer)
        } else {
            serializer.serialize_bytes(self.0.raw())
        }
    }
}

fn tree<S: Serializer>(value: ValueRef<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    match value.kind() {
        Kind::Null => serializer.serialize_unit(),
        Kind::Bool => serializer.serialize_bool(value.as_bool().unwrap_or_default()),
        Kind::I64 => serializer.serialize_i64(value.as_i64().unwrap_or_default()),
        Kind::F64 => serializer.serialize_f64(value.as_f64().unwrap_or_default()),
        Kind::Str => serializer.serialize_str(value.as_str().unwrap_or_default()),
        Kind::Bytes => serializer.collect_str(&json::Base64(value.as_bytes().unwrap_or_default())),
        Kind::List => match value.as_list() {
            Some(list) => serializer.collect_seq(list),
            None => serializer.serialize_unit(),
        },
        Kind::Map => {
            let Some(entries) = value.as_map() else {
                return serializer.serialize_unit();
            };
            let mut map = serializer.serialize_map(Some(entries.len()))?;
            for (key, value) in entries {
                map.serialize_entry(key, &value)?;
            }
            map.end()
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ValueRef<'a> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(TOKEN, BorrowVisitor)
    }
}

impl<'de> Deserialize<'de> for Value {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(TOKEN, OwnVisitor)
    }
}

struct BorrowVisitor;

impl<'de> Visitor<'de> for BorrowVisitor {
    type Value = ValueRef<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an encoded value to borrow from")
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<ValueRef<'de>, A::Error> {
        unseal(access)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<ValueRef<'de>, D::Error> {
        if deserializer.is_human_readable() {
            return Err(de::Error::custom(
                "a borrowed value can only be read from an encoded value; use `Value`",
            ));
        }
        deserializer.deserialize_bytes(self)
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<ValueRef<'de>, E> {
        ValueRef::parse(bytes).map_err(E::custom)
    }
}

struct OwnVisitor;

impl<'de> Visitor<'de> for OwnVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        Ok(unseal(access)?.to_value())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if !deserializer.is_human_readable() {
            return deserializer.deserialize_byte_buf(self);
        }
        let mut out = Vec::new();
        let mut failure = None;
        ReadInto {
            out: &mut out,
            depth: 0,
            failure: &mut failure,
        }
        .deserialize(deserializer)?;
        Ok(Value::trusted(out))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Value, E> {
        self.visit_byte_buf(bytes.to_vec())
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Value, E> {
        Value::from_encoded(bytes).map_err(E::custom)
    }
}

#[inline]
fn unseal<'de, A: EnumAccess<'de>>(access: A) -> Result<ValueRef<'de>, A::Error> {
    let (seal, variant) = access.variant_seed(BytesSeed)?;
    if !std::ptr::eq(seal.as_ptr(), SEAL.as_ptr()) {
        return Err(de::Error::invalid_type(Unexpected::Enum, &"a value"));
    }
    variant.newtype_variant_seed(BytesSeed).map(ValueRef::trusted)
}

struct BytesSeed;

impl<'de> DeserializeSeed<'de> for BytesSeed {
    type Value = &'de [u8];

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'de [u8], D::Error> {
        <&'de [u8]>::deserialize(deserializer)
    }
}

/// What our decoder shows to the value types: the seal, then the bytes.
pub(super) struct Sealed<'de>(pub(super) ValueRef<'de>);

impl<'de> EnumAccess<'de> for Sealed<'de> {
    type Error = ValueError;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), ValueError> {
        Ok((
            seed.deserialize(BorrowedBytesDeserializer::<ValueError>::new(&SEAL))?,
            self,
        ))
    }
}

impl<'de> VariantAccess<'de> for Sealed<'de> {
    type Error = ValueError;

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ValueError> {
        seed.deserialize(BorrowedBytesDeserializer::new(self.0.raw()))
    }

    fn unit_variant(self) -> Result<(), ValueError> {
        Err(de::Error::invalid_type(
            Unexpected::NewtypeVariant,
            &"the unit variant",
        ))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, ValueError> {
        Err(de::Error::invalid_type(Unexpected::NewtypeVariant, &visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        Err(de::Error::invalid_type(Unexpected::NewtypeVariant, &visitor))
    }
}

impl JsonSchema for Value {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AnyValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}

impl JsonSchema for ValueRef<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AnyValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}
