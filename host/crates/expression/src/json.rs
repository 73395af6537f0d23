//! Invariant: the text is what `JSON.stringify` gives, except that maps keep their order and large integers their
//! digits.

use std::fmt::Write as _;

use crate::number::write_number;
use crate::operand::{View, write_int, write_node};
use plugin_api::value::{ValueRef, Writer};

/// Appends the JSON text of a value; nothing is null.
pub(crate) fn write_json(value: View<'_>, out: &mut String) {
    match value {
        View::Undefined | View::Null => out.push_str("null"),
        View::Int(integer) => write_int(integer, out),
        View::Float(number) if number.is_finite() => write_number(number, out),
        View::Float(_) => out.push_str("null"),
        View::Text(text) => write_quoted(text, out),
        View::Bool(_) => value.write_text(out),
        View::Bytes(bytes) => out.push_str(&bytes.to_json()),
        View::List(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(item.into(), out);
            }
            out.push(']');
        }
        View::Map(map) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_quoted(key, out);
                out.push(':');
                write_json(value.into(), out);
            }
            out.push('}');
        }
        View::Node(node) => {
            let mut encoded = Vec::new();
            // A node whose output is nested as deep as values may be has no room around it.
            match write_node(node, Writer::new(&mut encoded)) {
                Ok(()) => write_json(ValueRef::assume_valid(&encoded).into(), out),
                Err(_) => out.push_str("null"),
            }
        }
    }
}

fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
