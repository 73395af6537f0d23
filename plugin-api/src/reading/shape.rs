//! Types as workflows name them.

use std::fmt;

use super::kind_name;
use crate::value::{Kind, ValueRef};

/// The longest name of a type, in bytes: no list of lists of lists needs more.
const LONGEST_NAME: usize = 64;

/// A type of values, as a workflow names it: `string`, `number`, `integer`, `boolean`, `null`, `bytes`, `list`, `map` or
/// `any`, other languages' words for them, and a list of one of them, as `string_list`, `string[]` or `list<string>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Whatever it is.
    Any,
    /// Null.
    Null,
    /// True or false.
    Boolean,
    /// A whole number; `2.0` is one.
    Integer,
    /// A number.
    Number,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
    /// A list of values of one type.
    List(Box<Shape>),
    /// A map.
    Map,
}

impl Shape {
    /// The type of that name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name.len() > LONGEST_NAME {
            return None;
        }
        Self::read(&name.trim().to_ascii_lowercase())
    }

    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "any" | "unknown" => Self::Any,
            "null" | "none" | "nil" => Self::Null,
            "boolean" | "bool" => Self::Boolean,
            "integer" | "int" => Self::Integer,
            "number" | "float" | "double" => Self::Number,
            "string" | "str" | "text" => Self::Text,
            "bytes" | "binary" => Self::Bytes,
            "list" | "array" => Self::List(Box::new(Self::Any)),
            "map" | "object" | "dict" => Self::Map,
            _ => {
                let around = [("list<", ">"), ("array<", ">"), ("list[", "]")];
                let within = around
                    .iter()
                    .find_map(|(start, end)| name.strip_prefix(start)?.strip_suffix(end));
                let behind = || {
                    ["_list", "_array", "[]"]
                        .iter()
                        .find_map(|end| name.strip_suffix(end))
                };
                Self::List(Box::new(Self::read(within.or_else(behind)?.trim())?))
            }
        })
    }

    /// Why a value is not of this type; `None` if it is.
    #[must_use]
    pub fn misfit(&self, value: ValueRef<'_>) -> Option<Misfit<'_>> {
        let fits = match self {
            Self::Any => true,
            Self::Null => value.is_null(),
            Self::Boolean => value.kind() == Kind::Bool,
            Self::Integer => {
                value.as_i64().is_some() || value.as_f64().is_some_and(|float| float.fract() == 0.0)
            }
            Self::Number => matches!(value.kind(), Kind::I64 | Kind::F64),
            Self::Text => value.kind() == Kind::Str,
            Self::Bytes => value.kind() == Kind::Bytes,
            Self::Map => value.kind() == Kind::Map,
            Self::List(items) => {
                if let Some(list) = value.as_list() {
                    return list.iter().enumerate().find_map(|(index, item)| {
                        let mut misfit = items.misfit(item)?;
                        misfit.path.insert_str(0, &format!("[{index}]"));
                        Some(misfit)
                    });
                }
                false
            }
        };
        (!fits).then(|| Misfit {
            path: String::new(),
            expected: self,
            found: kind_name(value),
        })
    }
}

/// Why a value is not of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit<'s> {
    /// Where: positions in lists, such as `[2]`; empty for the value as a whole.
    pub path: String,
    /// What should be there.
    pub expected: &'s Shape,
    /// What is.
    pub found: &'static str,
}

impl fmt::Display for Misfit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any value",
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Bytes => "bytes",
            Self::Map => "a map",
            Self::List(items) => {
                return match &**items {
                    Self::Any => f.write_str("a list"),
                    Self::Null => f.write_str("a list of nulls"),
                    Self::Boolean => f.write_str("a list of booleans"),
                    Self::Integer => f.write_str("a list of whole numbers"),
                    Self::Number => f.write_str("a list of numbers"),
                    Self::Text => f.write_str("a list of texts"),
                    Self::Bytes => f.write_str("a list of bytes"),
                    Self::Map => f.write_str("a list of maps"),
                    Self::List(_) => f.write_str("a list of lists"),
                };
            }
        })
    }
}
