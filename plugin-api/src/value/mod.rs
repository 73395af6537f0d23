//! Invariant: one value has exactly one encoding, and a [`ValueRef`] only ever views a well-formed one.
//!
//! A value is JSON-like (null, bool, i64, f64, string, bytes, list, map). Its encoding is flat, little-endian,
//! relocatable and self-contained, so the same bytes serve as call input, as call output, in shared memory, on
//! disk and on the network, and the encoding of an inner value can be copied as it is into another value.
//! `docs/value-format.md` describes it for C authors.
//!
//! ```text
//! bytes --parse--> ValueRef --decode--> T          (checked once, then borrowed; nothing is copied)
//! T --encode--> Output,  Writer --> Output          (written straight into the target buffer)
//! JSON text --Value::from_json--> Value --to_json--> JSON text
//! ```
//!
//! Equality is equality of the encoding: `1` and `1.0` differ (they are different kinds), so do `0.0` and `-0.0`,
//! and so do maps with the same entries in another order.

mod error;
mod layout;
mod short;

mod check;
mod collections;
mod view;

mod emit;
mod output;
mod writer;

mod decode;
mod decode_access;
mod decode_key;
mod encode;
mod encode_compound;
mod encode_key;

mod bridge;
mod json;
mod owned;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_serde;

pub use collections::{ListIter, ListRef, MapIter, MapRef};
pub use decode::decode;
pub use encode::encode;
pub use error::{Full, ValueError, ValueErrorKind};
pub use layout::{MAX_DEPTH, TABLE_FROM};
pub use output::Output;
pub use owned::Value;
pub use view::{Kind, ValueRef};
pub use writer::{ListWriter, MapWriter, Writer};
