//! Types for parameters: what a workflow writes, read in one way by all nodes.
//!
//! Invariant: reading loses nothing. A value is taken for another type only where nothing of it gets lost (the text `5`
//! for the number 5, since a template inside a text gives texts); anything else is an error that says what was expected
//! and what was found. Nothing is copied that can be borrowed from the parameters.
//!
//! | a parameter that is | has the type |
//! |---|---|
//! | anything, where missing is null | [`Any`] |
//! | anything, where missing is not null | [`Given`] |
//! | a list, a map; null and missing are empty | [`List`], [`Dict`] |
//! | a text; numbers and booleans are written as one | [`Text`] |
//! | a key of a map, a field of items | [`Key`], [`Field`] |
//! | a number, a whole number; texts of them will do | [`Number`], [`Whole`] |
//! | a number, where true and false are 1 and 0 | [`Numeric`] |
//! | true or false; texts of them will do | [`Flag`] |
//! | an expression or a template, for each item | [`Any`] or [`Given`], through a [`Callback`] |
//!
//! ```
//! use plugin_api::prelude::*;
//! use plugin_api::reading::{Given, List, Whole, same};
//!
//! #[parameters]
//! struct Search<'a> {
//!     /// The list.
//!     #[serde(default, alias = "list")]
//!     array: List<'a>,
//!     /// What to look for.
//!     #[serde(default)]
//!     value: Given<'a>,
//!     /// Where to begin.
//!     #[serde(default)]
//!     from: Option<Whole>,
//! }
//!
//! /// Counts the items that are equal to a value.
//! #[node(
//!     id = "demo.count",
//!     effect = "pure",
//!     example(title = "two", input = r#"{"array": [1, "x", 1.0], "value": 1}"#, output = r#"{"result": 2}"#)
//! )]
//! fn count(input: Search<'_>) -> NodeResult<Answer<usize>> {
//!     let value = input.value.of("value")?;
//!     let from = input.from.unwrap_or(Whole(0)).count("from")?;
//!     Ok(answer(input.array.iter().skip(from).filter(|item| same(*item, value)).count()))
//! }
//! # fn main() {}
//! ```

/// Makes a type of parameter known to schemas, as a schema that stands in its place.
macro_rules! schema {
    ($name:ident $(<$life:lifetime>)?, $schema:tt) => {
        impl schemars::JsonSchema for $name $(<$life>)? {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

mod any;
mod callback;
mod collection;
mod equality;
mod growing;
mod number;
mod order;
mod path;
mod shape;
mod shown;
mod text;
mod whole;

pub use any::{Any, Given, Outcome};
pub use callback::{Callback, Place};
pub use collection::{Dict, List};
pub use equality::{canonical, same, same_by};
pub use growing::{Growing, MAX_TEXT};
pub use number::{Number, Numeric};
pub use order::compare;
pub use path::{Field, field, step};
pub use shape::{Misfit, Shape};
pub use shown::{excerpt, kind_name, shown};
pub use text::{Key, Text, float_text, key_of, label, text_of, text_or_json};
pub use whole::{Flag, Whole};

use crate::value::{Kind, ValueRef};

/// Whether JavaScript takes the value for true: null, false, 0 and the empty text are false, and nothing else is.
#[must_use]
pub fn truthy(value: ValueRef<'_>) -> bool {
    match value.kind() {
        Kind::Null => false,
        Kind::Bool => value.as_bool() == Some(true),
        Kind::I64 | Kind::F64 => value.as_f64() != Some(0.0),
        Kind::Str => value.as_str() != Some(""),
        Kind::Bytes | Kind::List | Kind::Map => true,
    }
}

#[cfg(test)]
mod tests;
