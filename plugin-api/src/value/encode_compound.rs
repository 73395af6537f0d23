//! Invariant: elements go straight into the output; errors name the element they came from.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::emit::{OpenList, OpenMap};
use super::encode::Encoder;
use super::encode_key::EncodeKey;
use super::error::ValueError;
use super::layout::split_key;
use super::output::Output;

/// Writes the elements of sequences and tuples.
pub(super) struct EncodeList<'o, O: Output> {
    pub(super) out: &'o mut O,
    pub(super) depth: usize,
    pub(super) open: OpenList,
    pub(super) variant: Option<(OpenMap, &'static str)>,
}

/// Writes the entries of maps and structs.
pub(super) struct EncodeMap<'o, O: Output> {
    pub(super) out: &'o mut O,
    pub(super) depth: usize,
    pub(super) open: OpenMap,
    pub(super) variant: Option<(OpenMap, &'static str)>,
    /// Where the key of the entry at hand is, for its error's path.
    pub(super) key_at: usize,
}

impl<O: Output> EncodeList<'_, O> {
    #[inline]
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let item = value.serialize(Encoder {
            out: &mut *self.out,
            depth: self.depth,
        });
        if let Err(error) = item {
            return Err(within(error.at_index(self.open.count), self.variant.as_ref()));
        }
        self.open.count += 1;
        Ok(())
    }

    #[inline]
    fn finish(self) -> Result<(), ValueError> {
        self.open.end(self.out)?;
        self.variant.map_or(Ok(()), |(outer, _)| outer.end(self.out))
    }
}

#[cold]
fn within(error: ValueError, variant: Option<&(OpenMap, &'static str)>) -> ValueError {
    match variant {
        Some((_, name)) => error.at_key(name.as_bytes()),
        None => error,
    }
}

impl<O: Output> EncodeMap<'_, O> {
    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), ValueError> {
        self.open.key(self.out, key)?;
        value
            .serialize(Encoder {
                out: &mut *self.out,
                depth: self.depth,
            })
            .map_err(|e| self.at(e, key.as_bytes()))
    }

    #[cold]
    fn at(&self, error: ValueError, key: &[u8]) -> ValueError {
        within(error.at_key(key), self.variant.as_ref())
    }

    #[inline]
    fn finish(self) -> Result<(), ValueError> {
        self.open.end(self.out)?;
        self.variant.map_or(Ok(()), |(outer, _)| outer.end(self.out))
    }
}

impl<O: Output> SerializeSeq for EncodeList<'_, O> {
    type Ok = ();
    type Error = ValueError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    #[inline]
    fn end(self) -> Result<(), ValueError> {
        self.finish()
    }
}

impl<O: Output> SerializeTuple for EncodeList<'_, O> {
    type Ok = ();
    type Error = ValueError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    #[inline]
    fn end(self) -> Result<(), ValueError> {
        self.finish()
    }
}

impl<O: Output> SerializeTupleStruct for EncodeList<'_, O> {
    type Ok = ();
    type Error = ValueError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    #[inline]
    fn end(self) -> Result<(), ValueError> {
        self.finish()
    }
}

impl<O: Output> SerializeTupleVariant for EncodeList<'_, O> {
    type Ok = ();
    type Error = ValueError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.push(value)
    }

    #[inline]
    fn end(self) -> Result<(), ValueError> {
        self.finish()
    }
}

impl<O: Output> SerializeMap for EncodeMap<'_, O> {
    type Ok = ();
    type Error = ValueError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        self.key_at = self.out.len();
        key.serialize(EncodeKey { out: &mut *self.out })?;
        self.open.key_at(self.out, self.key_at);
        Ok(())
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        value
            .serialize(Encoder {
                out: &mut *self.out,
                depth: self.depth,
            })
            .map_err(|error| {
                let key = self
                    .out
                    .written()
                    .get(self.key_at..)
                    .and_then(split_key)
                    .unwrap_or_default()
                    .0;
                self.at(error, key)
            })
    }

    #[inline]
    fn end(self) -> Result<(), ValueError> {
        self.finish()
    }
}

impl<O: Output> SerializeStruct for EncodeMap<'_, O> {
    type Ok = ();
    type Error = ValueError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), ValueError> {
        self.field(key, value)
    }

    #[inline]
    fn end(self) -> Result<(), ValueError> {
        self.finish()
    }
}

impl<O: Output> SerializeStructVariant for EncodeMap<'_, O> {
    type Ok = ();
    type Error = ValueError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), ValueError> {
        self.field(key, value)
    }

    #[inline]
    fn end(self) -> Result<(), ValueError> {
        self.finish()
    }
}
