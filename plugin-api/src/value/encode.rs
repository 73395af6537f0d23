//! Invariant: what serde writes is what [`Writer`](super::Writer) would: canonical, or an error and no output.
//!
//! Structs are maps, options are null or the value, enums are externally tagged, as in `serde_json`.

use std::fmt::Display;

use serde::ser::{Impossible, Serialize, Serializer};

use super::bridge::TOKEN;
use super::emit::{self, OpenList, OpenMap};
use super::encode_compound::{EncodeList, EncodeMap};
use super::error::ValueError;
use super::layout;
use super::output::Output;

/// Writes `value` at the end of `out`; when it fails, `out` is as it was.
#[inline]
pub fn encode<T: Serialize + ?Sized, O: Output>(value: &T, out: &mut O) -> Result<(), ValueError> {
    let start = out.len();
    let done = value.serialize(Encoder {
        out: &mut *out,
        depth: 0,
    });
    if done.is_err() {
        out.truncate(start);
    }
    done
}

/// Writes one value that is `depth` levels deep.
pub(super) struct Encoder<'o, O: Output> {
    pub(super) out: &'o mut O,
    pub(super) depth: usize,
}

impl<'o, O: Output> Encoder<'o, O> {
    /// Opens the map with the one entry that a variant with content is written as.
    fn variant(&mut self, variant: &str) -> Result<OpenMap, ValueError> {
        let mut outer = OpenMap::begin(self.out, self.depth, 1)?;
        outer.key(self.out, variant)?;
        self.depth += 1;
        Ok(outer)
    }

    #[inline]
    fn list(
        self,
        len: usize,
        variant: Option<(OpenMap, &'static str)>,
    ) -> Result<EncodeList<'o, O>, ValueError> {
        let open = OpenList::begin(self.out, self.depth, len)?;
        Ok(EncodeList {
            out: self.out,
            depth: self.depth + 1,
            open,
            variant,
        })
    }

    #[inline]
    fn map(
        self,
        len: usize,
        variant: Option<(OpenMap, &'static str)>,
    ) -> Result<EncodeMap<'o, O>, ValueError> {
        let open = OpenMap::begin(self.out, self.depth, len)?;
        Ok(EncodeMap {
            out: self.out,
            depth: self.depth + 1,
            open,
            variant,
            key_at: 0,
        })
    }
}

impl<'o, O: Output> Serializer for Encoder<'o, O> {
    type Ok = ();
    type Error = ValueError;
    type SerializeSeq = EncodeList<'o, O>;
    type SerializeTuple = EncodeList<'o, O>;
    type SerializeTupleStruct = EncodeList<'o, O>;
    type SerializeTupleVariant = EncodeList<'o, O>;
    type SerializeMap = EncodeMap<'o, O>;
    type SerializeStruct = EncodeMap<'o, O>;
    type SerializeStructVariant = EncodeMap<'o, O>;

    #[inline]
    fn serialize_bool(self, v: bool) -> Result<(), ValueError> {
        emit::bool(self.out, v)
    }

    #[inline]
    fn serialize_i8(self, v: i8) -> Result<(), ValueError> {
        emit::i64(self.out, v.into())
    }

    #[inline]
    fn serialize_i16(self, v: i16) -> Result<(), ValueError> {
        emit::i64(self.out, v.into())
    }

    #[inline]
    fn serialize_i32(self, v: i32) -> Result<(), ValueError> {
        emit::i64(self.out, v.into())
    }

    #[inline]
    fn serialize_i64(self, v: i64) -> Result<(), ValueError> {
        emit::i64(self.out, v)
    }

    fn serialize_i128(self, v: i128) -> Result<(), ValueError> {
        emit::i64(self.out, i64::try_from(v).map_err(|_| ValueError::range(v))?)
    }

    #[inline]
    fn serialize_u8(self, v: u8) -> Result<(), ValueError> {
        emit::i64(self.out, v.into())
    }

    #[inline]
    fn serialize_u16(self, v: u16) -> Result<(), ValueError> {
        emit::i64(self.out, v.into())
    }

    #[inline]
    fn serialize_u32(self, v: u32) -> Result<(), ValueError> {
        emit::i64(self.out, v.into())
    }

    #[inline]
    fn serialize_u64(self, v: u64) -> Result<(), ValueError> {
        emit::i64(self.out, i64::try_from(v).map_err(|_| ValueError::range(v))?)
    }

    fn serialize_u128(self, v: u128) -> Result<(), ValueError> {
        emit::i64(self.out, i64::try_from(v).map_err(|_| ValueError::range(v))?)
    }

    #[inline]
    fn serialize_f32(self, v: f32) -> Result<(), ValueError> {
        emit::f64(self.out, v.into())
    }

    #[inline]
    fn serialize_f64(self, v: f64) -> Result<(), ValueError> {
        emit::f64(self.out, v)
    }

    fn serialize_char(self, v: char) -> Result<(), ValueError> {
        emit::str(self.out, v.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, v: &str) -> Result<(), ValueError> {
        emit::str(self.out, v)
    }

    #[inline]
    fn serialize_bytes(self, v: &[u8]) -> Result<(), ValueError> {
        emit::bytes(self.out, v)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), ValueError> {
        emit::null(self.out)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), ValueError> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), ValueError> {
        emit::null(self.out)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), ValueError> {
        emit::null(self.out)
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), ValueError> {
        emit::str(self.out, variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), ValueError> {
        if name == TOKEN {
            value.serialize(CopyRaw(self))
        } else {
            value.serialize(self)
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), ValueError> {
        let outer = self.variant(variant)?;
        let inner = Encoder {
            out: &mut *self.out,
            depth: self.depth,
        };
        value.serialize(inner).map_err(|e| e.at_key(variant.as_bytes()))?;
        outer.end(self.out)
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<EncodeList<'o, O>, ValueError> {
        self.list(len.unwrap_or(0), None)
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<EncodeList<'o, O>, ValueError> {
        self.list(len, None)
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<EncodeList<'o, O>, ValueError> {
        self.list(len, None)
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<EncodeList<'o, O>, ValueError> {
        let outer = self.variant(variant)?;
        self.list(len, Some((outer, variant)))
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<EncodeMap<'o, O>, ValueError> {
        self.map(len.unwrap_or(0), None)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, len: usize) -> Result<EncodeMap<'o, O>, ValueError> {
        self.map(len, None)
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<EncodeMap<'o, O>, ValueError> {
        let outer = self.variant(variant)?;
        self.map(len, Some((outer, variant)))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), ValueError> {
        emit::display(self.out, Some(layout::STR), value)
    }
}

/// Takes the encoding of a [`ValueRef`](super::ValueRef), which offers it to any format that is not for humans.
struct CopyRaw<'o, O: Output>(Encoder<'o, O>);

#[cold]
fn not_a_value<T>() -> Result<T, ValueError> {
    Err(ValueError::malformed("the name of the value type is reserved"))
}

/// Everything but bytes is refused: only a type that borrowed the reserved name could get there.
macro_rules! refuse {
    ($($method:ident($($arg:ty),*) -> $out:ty;)*) => {
        $(fn $method(self, $(_: $arg),*) -> Result<$out, ValueError> { not_a_value() })*
    };
}

impl<O: Output> Serializer for CopyRaw<'_, O> {
    type Ok = ();
    type Error = ValueError;
    type SerializeSeq = Impossible<(), ValueError>;
    type SerializeTuple = Impossible<(), ValueError>;
    type SerializeTupleStruct = Impossible<(), ValueError>;
    type SerializeTupleVariant = Impossible<(), ValueError>;
    type SerializeMap = Impossible<(), ValueError>;
    type SerializeStruct = Impossible<(), ValueError>;
    type SerializeStructVariant = Impossible<(), ValueError>;

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn serialize_bytes(self, raw: &[u8]) -> Result<(), ValueError> {
        emit::raw(self.0.out, raw, self.0.depth)
    }

    refuse! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), ValueError> {
        not_a_value()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<(), ValueError> {
        not_a_value()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), ValueError> {
        not_a_value()
    }
}
