//! Invariant: every conversion of a value here gives what JavaScript gives, except that bytes are seen as base64 text.
//!
//! Missing things are `Undefined` while an expression is evaluated, so that `x !== undefined` works, and null in its
//! result.

use std::borrow::Cow;

use plugin_api::value::{
    Full, Kind, ListRef, ListWriter, MapRef, Output, Value, ValueError, ValueRef, Writer,
};

use crate::NodeView;
use crate::number::{as_integer, read_number, write_number};

/// A value on its way through an expression.
#[derive(Clone, Debug)]
pub(crate) enum Operand<'a> {
    Undefined,
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Ref(ValueRef<'a>),
    Owned(Value),
    Node(NodeView<'a>),
}

/// What an operand is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum View<'v> {
    Undefined,
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'v str),
    List(ListRef<'v>),
    Map(MapRef<'v>),
    /// Bytes.
    Bytes(ValueRef<'v>),
    Node(NodeView<'v>),
}

impl<'v> From<ValueRef<'v>> for View<'v> {
    fn from(value: ValueRef<'v>) -> Self {
        match value.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(value.as_bool().unwrap_or_default()),
            Kind::I64 => Self::Int(value.as_i64().unwrap_or_default()),
            Kind::F64 => Self::Float(value.as_f64().unwrap_or_default()),
            Kind::Str => Self::Text(value.as_str().unwrap_or_default()),
            Kind::Bytes => Self::Bytes(value),
            Kind::List => value.as_list().map_or(Self::Null, Self::List),
            Kind::Map => value.as_map().map_or(Self::Null, Self::Map),
        }
    }
}

impl Operand<'_> {
    #[inline]
    pub(crate) fn view(&self) -> View<'_> {
        match self {
            Self::Undefined => View::Undefined,
            Self::Null => View::Null,
            Self::Bool(value) => View::Bool(*value),
            Self::Int(value) => View::Int(*value),
            Self::Float(value) => View::Float(*value),
            Self::Text(text) => View::Text(text),
            Self::Ref(value) => View::from(*value),
            Self::Owned(value) => View::from(value.as_ref()),
            Self::Node(node) => View::Node(*node),
        }
    }

    pub(crate) fn number(number: f64) -> Self {
        // Minus zero stays a float, since dividing by it tells it from zero.
        match as_integer(number) {
            Some(0) if number.is_sign_negative() => Self::Float(number),
            Some(integer) => Self::Int(integer),
            None => Self::Float(number),
        }
    }

    /// How many bytes the written value takes, about.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len() + 5,
            Self::Ref(value) => value.raw().len(),
            Self::Owned(value) => value.as_bytes().len(),
            Self::Node(node) => node.output.raw().len() + 100,
            _ => 9,
        }
    }

    /// Writes the value; numbers that are not finite are refused.
    pub(crate) fn write<O: Output>(&self, writer: Writer<'_, O>) -> Result<(), ValueError> {
        match self {
            Self::Undefined | Self::Null => writer.null(),
            Self::Bool(value) => writer.bool(*value),
            Self::Int(value) => writer.i64(*value),
            Self::Float(value) => match as_integer(*value) {
                Some(integer) => writer.i64(integer),
                None => writer.f64(*value),
            },
            Self::Text(text) => writer.str(text),
            Self::Ref(value) => writer.value(*value),
            Self::Owned(value) => writer.value(value.as_ref()),
            Self::Node(node) => write_node(*node, writer),
        }
    }
}

/// A node as a value.
pub(crate) fn write_node<O: Output>(node: NodeView<'_>, writer: Writer<'_, O>) -> Result<(), ValueError> {
    writer.map(|map| {
        map.entry("status", |w| w.str(node.status))?;
        map.entry("success", |w| w.bool(node.status == "success"))?;
        map.entry("output", |w| w.value(node.output))?;
        let Some((code, message)) = node.error else {
            return Ok(());
        };
        map.entry("error", |w| w.str(message))?;
        map.entry("errorCode", |w| w.str(code))
    })
}

/// Writes a list of operands with a closure for each; a convenience for results that are made here.
pub(crate) fn list(
    items: impl FnOnce(&mut ListWriter<'_, Vec<u8>>) -> Result<(), ValueError>,
) -> Result<Value, ValueError> {
    let mut out = Vec::new();
    Writer::new(&mut out).list(items)?;
    owned(out)
}

/// Bytes that a writer wrote, as a value.
pub(crate) fn owned(out: Vec<u8>) -> Result<Value, ValueError> {
    // Writers write canonical values; viewing instead of checking would save a walk and cost a copy.
    Value::from_encoded(out)
}

/// An error for closures whose real error is kept elsewhere.
pub(crate) fn stopped() -> ValueError {
    Full.into()
}

impl View<'_> {
    pub(crate) fn is_nullish(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    pub(crate) fn truthy(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0 && !value.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::List(_) | Self::Map(_) | Self::Bytes(_) | Self::Node(_) => true,
        }
    }

    /// Whether it is a list, map or node.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_) | Self::Node(_))
    }

    pub(crate) fn to_number(self) -> f64 {
        match self {
            Self::Undefined | Self::Map(_) | Self::Node(_) => f64::NAN,
            Self::Null => 0.0,
            Self::Bool(value) => f64::from(u8::from(value)),
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
            Self::Text(text) => read_number(text),
            Self::List(_) | Self::Bytes(_) => read_number(&self.to_text()),
        }
    }

    /// `String(value)`.
    pub(crate) fn to_text(self) -> String {
        let mut out = String::new();
        self.write_text(&mut out);
        out
    }

    /// Appends `String(value)`.
    pub(crate) fn write_text(self, out: &mut String) {
        match self {
            Self::Undefined => out.push_str("undefined"),
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Self::Int(value) => {
                let mut buffer = String::new();
                write_int(value, &mut buffer);
                out.push_str(&buffer);
            }
            Self::Float(value) => write_number(value, out),
            Self::Text(text) => out.push_str(text),
            Self::Bytes(bytes) => out.push_str(bytes.to_json().trim_matches('"')),
            Self::List(list) => write_joined(list, ",", out),
            Self::Map(_) | Self::Node(_) => out.push_str("[object Object]"),
        }
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Bool(_) => "boolean",
            Self::Int(_) | Self::Float(_) => "number",
            Self::Text(_) | Self::Bytes(_) => "string",
            Self::Null | Self::List(_) | Self::Map(_) | Self::Node(_) => "object",
        }
    }

    /// What it is, in a message.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Undefined => "nothing",
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Node(_) => "a node",
        }
    }
}

/// Integers beyond what JavaScript's numbers can hold keep their digits.
pub(crate) fn write_int(value: i64, out: &mut String) {
    use std::fmt::Write as _;
    let _ = write!(out, "{value}");
}

/// `list.join(separator)`.
pub(crate) fn write_joined(list: ListRef<'_>, separator: &str, out: &mut String) {
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        let view = View::from(item);
        if !view.is_nullish() {
            view.write_text(out);
        }
    }
}

/// Whether two values are the same: `===`, and equality of contents for lists and maps.
pub(crate) fn same(a: View<'_>, b: View<'_>) -> bool {
    match (a, b) {
        (View::Undefined, View::Undefined) | (View::Null, View::Null) => true,
        (View::Bool(a), View::Bool(b)) => a == b,
        (View::Int(a), View::Int(b)) => a == b,
        (View::Int(_) | View::Float(_), View::Int(_) | View::Float(_)) => a.to_number() == b.to_number(),
        (View::Text(a), View::Text(b)) => a == b,
        (View::Bytes(a), View::Bytes(b)) => a == b,
        (View::List(a), View::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a.into(), b.into()))
        }
        (View::Map(a), View::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a.into(), b.into())))
        }
        (View::Node(a), View::Node(b)) => a.status == b.status && a.output == b.output && a.error == b.error,
        _ => false,
    }
}

/// `==`.
pub(crate) fn equal(a: View<'_>, b: View<'_>) -> bool {
    match (a, b) {
        _ if a.is_nullish() || b.is_nullish() => a.is_nullish() && b.is_nullish(),
        (View::Bytes(_), View::Text(text)) => a.to_text() == text,
        (View::Text(text), View::Bytes(_)) => b.to_text() == text,
        _ if a.is_object() && b.is_object() => same(a, b),
        _ if a.is_object() && matches!(b, View::Text(_)) => a.to_text() == b.to_text(),
        _ if b.is_object() && matches!(a, View::Text(_)) => a.to_text() == b.to_text(),
        _ if a.type_name() == b.type_name() => same(a, b),
        _ => a.to_number() == b.to_number(),
    }
}

/// How `<` orders two values; `None` when NaN is among them.
pub(crate) fn order(a: View<'_>, b: View<'_>) -> Option<std::cmp::Ordering> {
    let is_text = |view: View<'_>| matches!(view, View::Text(_) | View::Bytes(_)) || view.is_object();
    match (a, b) {
        (View::Text(a), View::Text(b)) => Some(order_texts(a, b)),
        (View::Int(a), View::Int(b)) => Some(a.cmp(&b)),
        _ if is_text(a) && is_text(b) => Some(order_texts(&a.to_text(), &b.to_text())),
        // A map is a text when it is compared, and that text is no number.
        _ => a.to_number().partial_cmp(&b.to_number()),
    }
}

/// JavaScript orders texts by their UTF-16 units.
pub(crate) fn order_texts(a: &str, b: &str) -> std::cmp::Ordering {
    if a.is_ascii() && b.is_ascii() {
        a.cmp(b)
    } else {
        a.encode_utf16().cmp(b.encode_utf16())
    }
}

/// How many UTF-16 units a text has: its length in JavaScript.
pub(crate) fn units(text: &str) -> i64 {
    let count = if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    };
    i64::try_from(count).unwrap_or(i64::MAX)
}
