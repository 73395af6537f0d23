//! Invariant: what is not there is `Undefined`, whatever the value; reading never fails.

use std::borrow::Cow;

use plugin_api::value::{Kind, ValueRef};

use crate::NodeView;
use crate::operand::{Operand, units};

/// A property of a value.
#[inline]
pub(crate) fn property<'a>(value: Operand<'a>, key: &str) -> Operand<'a> {
    match value {
        Operand::Ref(value) => value_property(value, key),
        Operand::Node(node) => node_property(node, key),
        Operand::Owned(value) => detached(&value_property(value.as_ref(), key)),
        Operand::Text(text) => text_property(&text, key),
        _ => Operand::Undefined,
    }
}

/// An item of a list, a character of a text, or the entry of a map whose key is a number.
#[inline]
pub(crate) fn index<'a>(value: Operand<'a>, place: usize) -> Operand<'a> {
    match value {
        Operand::Ref(value) => value_index(value, place),
        Operand::Node(node) => value_index(node.output, place),
        Operand::Owned(value) => detached(&value_index(value.as_ref(), place)),
        Operand::Text(text) => unit(&text, place),
        _ => Operand::Undefined,
    }
}

fn found(value: Option<ValueRef<'_>>) -> Operand<'_> {
    value.map_or(Operand::Undefined, Operand::Ref)
}

fn value_property<'a>(value: ValueRef<'a>, key: &str) -> Operand<'a> {
    match value.kind() {
        Kind::Map => found(value.get(key)),
        Kind::List => match place(key) {
            Some(place) => found(value.at(place)),
            None if key == "length" => count(value.as_list().map_or(0, |list| list.len())),
            None => Operand::Undefined,
        },
        Kind::Str => text_property(value.as_str().unwrap_or_default(), key),
        _ => Operand::Undefined,
    }
}

fn value_index(value: ValueRef<'_>, place: usize) -> Operand<'_> {
    match value.kind() {
        Kind::List => found(value.at(place)),
        Kind::Map => found(value.get(&place.to_string())),
        Kind::Str => unit(value.as_str().unwrap_or_default(), place),
        _ => Operand::Undefined,
    }
}

/// What a node shows; everything else is looked for in its output.
fn node_property<'a>(node: NodeView<'a>, key: &str) -> Operand<'a> {
    let text = |text: Option<&'a str>| text.map_or(Operand::Null, |text| Operand::Text(Cow::Borrowed(text)));
    match key {
        "output" | "json" | "data" => Operand::Ref(node.output),
        "status" => text(Some(node.status)),
        "success" => Operand::Bool(node.status == "success"),
        "error" => text(node.error.map(|(_, message)| message)),
        "errorCode" => text(node.error.map(|(code, _)| code)),
        _ => value_property(node.output, key),
    }
}

pub(crate) fn text_property<'a>(text: &str, key: &str) -> Operand<'a> {
    match place(key) {
        Some(place) => unit(text, place),
        None if key == "length" => Operand::Int(units(text)),
        None => Operand::Undefined,
    }
}

/// One UTF-16 unit of a text.
fn unit<'a>(text: &str, place: usize) -> Operand<'a> {
    match text.encode_utf16().nth(place) {
        Some(unit) => Operand::Text(Cow::Owned(String::from_utf16_lossy(&[unit]))),
        None => Operand::Undefined,
    }
}

/// The index that a key is the canonical text of.
pub(crate) fn place(key: &str) -> Option<usize> {
    let canonical = key == "0" || key.starts_with(|c: char| ('1'..='9').contains(&c));
    if canonical { key.parse().ok() } else { None }
}

fn count<'a>(count: usize) -> Operand<'a> {
    Operand::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The same value, on its own.
fn detached<'a>(value: &Operand<'_>) -> Operand<'a> {
    match value {
        Operand::Undefined | Operand::Node(_) => Operand::Undefined,
        Operand::Null => Operand::Null,
        Operand::Bool(value) => Operand::Bool(*value),
        Operand::Int(value) => Operand::Int(*value),
        Operand::Float(value) => Operand::Float(*value),
        Operand::Text(text) => Operand::Text(Cow::Owned(text.clone().into_owned())),
        Operand::Ref(value) => Operand::Owned(value.to_value()),
        Operand::Owned(value) => Operand::Owned(value.clone()),
    }
}
