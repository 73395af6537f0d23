//! Invariant: whatever goes wrong in an element carries the key or index of that element outwards.

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

use super::collections::{ListIter, MapIter};
use super::decode::Decoder;
use super::decode_key::KeyDecoder;
use super::error::ValueError;
use super::short;
use super::view::ValueRef;

/// Shows the items of a list.
pub(super) struct Items<'de> {
    pub(super) items: ListIter<'de>,
    pub(super) index: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = ValueError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ValueError> {
        let Some(item) = self.items.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Decoder(item))
            .map(Some)
            .map_err(|e| e.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// Shows the entries of a map.
pub(super) struct Entries<'de> {
    pub(super) entries: MapIter<'de>,
    pub(super) current: Option<(&'de [u8], ValueRef<'de>)>,
    /// The names the target struct knows, and the index of the one to try first: entries tend to come in order.
    pub(super) fields: &'static [&'static str],
    pub(super) guess: usize,
}

impl<'de> Entries<'de> {
    /// The key as text; a known field's own name needs no UTF-8 check.
    #[inline]
    fn text(&mut self, key: &'de [u8]) -> &'de str {
        if let Some(name) = self.fields.get(self.guess)
            && short::same(name.as_bytes(), key)
        {
            self.guess += 1;
            return name;
        }
        if let Some(index) = self
            .fields
            .iter()
            .position(|name| short::same(name.as_bytes(), key))
        {
            self.guess = index + 1;
            return self.fields.get(index).copied().unwrap_or_default();
        }
        std::str::from_utf8(key).unwrap_or_default()
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = ValueError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ValueError> {
        self.current = self.entries.next_raw();
        let Some((key, _)) = self.current else {
            return Ok(None);
        };
        let text = self.text(key);
        seed.deserialize(KeyDecoder(text))
            .map(Some)
            .map_err(|e| e.at_key(key))
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ValueError> {
        let Some((key, value)) = self.current.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(Decoder(value)).map_err(|e| e.at_key(key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// Shows an externally tagged enum.
pub(super) struct Variant<'de> {
    pub(super) name: &'de str,
    pub(super) content: Option<ValueRef<'de>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = ValueError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), ValueError> {
        let variant = seed.deserialize(KeyDecoder(self.name))?;
        Ok((variant, self))
    }
}

impl<'de> Variant<'de> {
    fn content<T>(
        &self,
        expected: &'static str,
        read: impl FnOnce(Decoder<'de>) -> Result<T, ValueError>,
    ) -> Result<T, ValueError> {
        match self.content {
            Some(content) => read(Decoder(content)).map_err(|e| e.at_key(self.name.as_bytes())),
            None => Err(de::Error::invalid_type(Unexpected::UnitVariant, &expected)),
        }
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        self.content.map_or(Ok(()), |content| {
            <()>::deserialize(Decoder(content)).map_err(|e| e.at_key(self.name.as_bytes()))
        })
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ValueError> {
        self.content("a variant with a value", |content| seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, ValueError> {
        self.content("a variant with a list", |content| {
            content.deserialize_seq(visitor)
        })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.content("a variant with a map", |content| {
            content.deserialize_struct("", fields, visitor)
        })
    }
}
