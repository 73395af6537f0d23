//! Invariant: decoding borrows from the encoding and allocates only what the target type itself does.
//!
//! Numbers bend as JSON producers need it: an integer is accepted for a float, and a float with an exact integer
//! value (up to 2^53 in size) is accepted for an integer, since JavaScript writes `3.0` and `3` alike.

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};

use super::bridge::{Sealed, TOKEN};
use super::decode_access::{Entries, Items, Variant};
use super::error::ValueError;
use super::layout::{BYTES, F64, FALSE, I64, LIST, MAP, STR, TRUE};
use super::view::ValueRef;

/// Floats up to this size stand for every integer exactly once.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads `value` as a `T`, which may borrow strings and byte strings from it.
#[inline]
pub fn decode<'de, T: Deserialize<'de>>(value: ValueRef<'de>) -> Result<T, ValueError> {
    T::deserialize(Decoder(value))
}

#[derive(Clone, Copy)]
pub(super) struct Decoder<'de>(pub(super) ValueRef<'de>);

impl<'de> Decoder<'de> {
    #[cold]
    fn mismatch<T>(self, expected: &dyn de::Expected) -> Result<T, ValueError> {
        let found = match self.0.tag() {
            FALSE => Unexpected::Bool(false),
            TRUE => Unexpected::Bool(true),
            I64 => Unexpected::Signed(self.0.as_i64().unwrap_or_default()),
            F64 => Unexpected::Float(self.0.as_f64().unwrap_or_default()),
            STR => Unexpected::Other("a string"),
            BYTES => Unexpected::Other("bytes"),
            LIST => Unexpected::Other("a list"),
            MAP => Unexpected::Other("a map"),
            _ => Unexpected::Unit,
        };
        Err(de::Error::invalid_type(found, expected))
    }

    #[inline]
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match (self.0.tag(), self.0.as_f64()) {
            (I64, _) => visitor.visit_i64(self.0.as_i64().unwrap_or_default()),
            (F64, Some(float)) if float.abs() <= EXACT && float.fract() == 0.0 => {
                visitor.visit_i64(float as i64)
            }
            _ => self.mismatch(&visitor),
        }
    }

    #[inline]
    fn float<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0.tag() {
            F64 => visitor.visit_f64(self.0.as_f64().unwrap_or_default()),
            I64 => visitor.visit_f64(self.0.as_i64().unwrap_or_default() as f64),
            _ => self.mismatch(&visitor),
        }
    }

    #[inline]
    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0.as_str() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => self.mismatch(&visitor),
        }
    }

    #[inline]
    fn list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let Some(list) = self.0.as_list() else {
            return self.mismatch(&visitor);
        };
        let mut items = Items {
            items: list.iter(),
            index: 0,
        };
        let value = visitor.visit_seq(&mut items)?;
        match items.items.len() {
            0 => Ok(value),
            _ => Err(de::Error::invalid_length(list.len(), &"fewer")),
        }
    }

    #[inline]
    fn map<V: Visitor<'de>>(
        self,
        visitor: V,
        fields: &'static [&'static str],
    ) -> Result<V::Value, ValueError> {
        let Some(map) = self.0.as_map() else {
            return self.mismatch(&visitor);
        };
        let mut entries = Entries {
            entries: map.iter(),
            current: None,
            fields,
            guess: 0,
        };
        let value = visitor.visit_map(&mut entries)?;
        match entries.entries.len() {
            0 => Ok(value),
            _ => Err(de::Error::invalid_length(map.len(), &"fewer")),
        }
    }
}

impl<'de> Deserializer<'de> for Decoder<'de> {
    type Error = ValueError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0.tag() {
            FALSE => visitor.visit_bool(false),
            TRUE => visitor.visit_bool(true),
            I64 => visitor.visit_i64(self.0.as_i64().unwrap_or_default()),
            F64 => visitor.visit_f64(self.0.as_f64().unwrap_or_default()),
            STR => self.text(visitor),
            BYTES => visitor.visit_borrowed_bytes(self.0.as_bytes().unwrap_or_default()),
            LIST => self.list(visitor),
            MAP => self.map(visitor, &[]),
            _ => visitor.visit_unit(),
        }
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0.as_bool() {
            Some(value) => visitor.visit_bool(value),
            None => self.mismatch(&visitor),
        }
    }

    #[inline]
    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.integer(visitor)
    }

    #[inline]
    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.integer(visitor)
    }

    #[inline]
    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.integer(visitor)
    }

    #[inline]
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.integer(visitor)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.integer(visitor)
    }

    #[inline]
    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.integer(visitor)
    }

    #[inline]
    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.integer(visitor)
    }

    #[inline]
    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.integer(visitor)
    }

    #[inline]
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.integer(visitor)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.integer(visitor)
    }

    #[inline]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.float(visitor)
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.float(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.text(visitor)
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.text(visitor)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.text(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0.tag() {
            BYTES => visitor.visit_borrowed_bytes(self.0.as_bytes().unwrap_or_default()),
            STR => self.text(visitor),
            LIST => self.list(visitor),
            _ => self.mismatch(&visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        if self.0.is_null() {
            visitor.visit_unit()
        } else {
            self.mismatch(&visitor)
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        if name == TOKEN {
            visitor.visit_enum(Sealed(self.0))
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0.as_bytes() {
            // A `Vec<u8>` asks for a sequence, and bytes are one.
            Some(bytes) => visitor.visit_seq(de::value::SeqDeserializer::new(bytes.iter().copied())),
            None => self.list(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.map(visitor, &[])
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        if self.0.tag() == LIST {
            self.list(visitor)
        } else {
            self.map(visitor, fields)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        if let Some(variant) = self.0.as_str() {
            return visitor.visit_enum(Variant {
                name: variant,
                content: None,
            });
        }
        match self.0.as_map() {
            Some(map) if map.len() == 1 => match map.iter().next() {
                Some((name, content)) => visitor.visit_enum(Variant {
                    name,
                    content: Some(content),
                }),
                None => self.mismatch(&visitor),
            },
            Some(map) => Err(de::Error::invalid_length(
                map.len(),
                &"a map with one entry, the variant",
            )),
            None => self.mismatch(&visitor),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_any(visitor)
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }
}
