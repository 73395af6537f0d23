//! Invariant: a call that is compiled gives what JavaScript gives for the operands it takes; others are the engine's.

use std::borrow::Cow;

use crate::fault::Fault;
use crate::json::write_json;
use crate::lexer::is_space;
use crate::number::{parse_float, parse_int, round};
use crate::operand::{Operand, View, list, same, units, write_joined};
use crate::toolbox::Tool;

/// A function that is called by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Min,
    Max,
    Floor,
    Ceil,
    Round,
    Abs,
    Stringify,
    IsArray,
    Keys,
    Values,
    Now,
    ParseInt,
    ParseFloat,
    Number,
    String,
    Boolean,
    Tool(Tool),
}

impl Function {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Math.min" => Self::Min,
            "Math.max" => Self::Max,
            "Math.floor" => Self::Floor,
            "Math.ceil" => Self::Ceil,
            "Math.round" => Self::Round,
            "Math.abs" => Self::Abs,
            "JSON.stringify" => Self::Stringify,
            "Array.isArray" => Self::IsArray,
            "Object.keys" => Self::Keys,
            "Object.values" => Self::Values,
            "Date.now" => Self::Now,
            "parseInt" | "Number.parseInt" => Self::ParseInt,
            "parseFloat" | "Number.parseFloat" => Self::ParseFloat,
            "Number" => Self::Number,
            "String" => Self::String,
            "Boolean" => Self::Boolean,
            _ => return None,
        })
    }

    /// Whether it is compiled with that many arguments.
    pub(crate) fn takes(self, count: usize) -> bool {
        match self {
            Self::Min | Self::Max | Self::Tool(_) => true,
            Self::Now => count == 0,
            Self::ParseInt => count == 1 || count == 2,
            Self::Number | Self::String | Self::Boolean => count <= 1,
            _ => count == 1,
        }
    }

    pub(crate) fn call<'a>(self, arguments: &[Operand<'a>], now: i64, at: u32) -> Result<Operand<'a>, Fault> {
        let first = arguments.first().map_or(View::Undefined, Operand::view);
        let math = |function: fn(f64) -> f64| Operand::number(function(first.to_number()));
        Ok(match self {
            Self::Min => extreme(arguments, f64::INFINITY, |a, b| a < b),
            Self::Max => extreme(arguments, f64::NEG_INFINITY, |a, b| a > b),
            Self::Floor => math(f64::floor),
            Self::Ceil => math(f64::ceil),
            Self::Round => math(round),
            Self::Abs => math(f64::abs),
            Self::Stringify if matches!(first, View::Undefined) => Operand::Undefined,
            Self::Stringify => {
                let mut out = String::new();
                write_json(first, &mut out);
                Operand::Text(Cow::Owned(out))
            }
            Self::IsArray => Operand::Bool(matches!(first, View::List(_))),
            Self::Keys | Self::Values => return contents(self, first, at),
            Self::Now => Operand::Int(now),
            Self::ParseInt => {
                let radix = arguments.get(1).map_or(0.0, |radix| radix.view().to_number());
                Operand::number(parse_int(&first.to_text(), radix))
            }
            Self::ParseFloat => Operand::number(parse_float(&first.to_text())),
            Self::Number if arguments.is_empty() => Operand::Int(0),
            Self::Number => Operand::number(first.to_number()),
            Self::String if arguments.is_empty() => Operand::Text(Cow::Borrowed("")),
            Self::String => Operand::Text(Cow::Owned(first.to_text())),
            Self::Boolean => Operand::Bool(first.truthy()),
            Self::Tool(tool) => return tool.call(arguments, now, at),
        })
    }
}

fn extreme<'a>(arguments: &[Operand<'a>], start: f64, better: fn(f64, f64) -> bool) -> Operand<'a> {
    let mut best = start;
    for argument in arguments {
        let number = argument.view().to_number();
        if number.is_nan() {
            return Operand::Float(f64::NAN);
        }
        // Minus zero is below zero.
        let zeros = number == 0.0 && best == 0.0 && better(f64::from(number.is_sign_positive()), 0.5);
        if better(number, best) || zeros {
            best = number;
        }
    }
    Operand::number(best)
}

/// `Object.keys` and `Object.values`.
fn contents<'a>(function: Function, of: View<'_>, at: u32) -> Result<Operand<'a>, Fault> {
    let keys = function == Function::Keys;
    let made = match of {
        View::Undefined | View::Null => {
            return Err(Fault::failed(at, format!("{} has no keys", of.noun())));
        }
        View::Map(map) if keys => list(|l| map.keys().try_for_each(|key| l.str(key))),
        View::Map(map) => list(|l| map.values().try_for_each(|value| l.value(value))),
        View::List(items) if keys => {
            list(|l| (0..items.len()).try_for_each(|index| l.str(&index.to_string())))
        }
        View::List(items) => list(|l| items.iter().try_for_each(|item| l.value(item))),
        View::Text(text) if keys => {
            list(|l| (0..units(text)).try_for_each(|index| l.str(&index.to_string())))
        }
        View::Text(text) => {
            let wide: Vec<u16> = text.encode_utf16().collect();
            list(|l| {
                wide.iter()
                    .try_for_each(|unit| l.str(&String::from_utf16_lossy(&[*unit])))
            })
        }
        View::Node(node) => {
            let mut out = Vec::new();
            crate::operand::write_node(node, plugin_api::value::Writer::new(&mut out))
                .map_err(|error| Fault::failed(at, error.to_string()))?;
            let node = plugin_api::value::ValueRef::assume_valid(&out);
            return contents(function, node.into(), at);
        }
        _ => list(|_| Ok(())),
    };
    made.map(Operand::Owned)
        .map_err(|error| Fault::failed(at, error.to_string()))
}

/// A method of a text or a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Includes,
    ToLowerCase,
    ToUpperCase,
    Trim,
    ToString,
    StartsWith,
    EndsWith,
    Join,
    Slice,
}

impl Method {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "includes" => Self::Includes,
            "toLowerCase" => Self::ToLowerCase,
            "toUpperCase" => Self::ToUpperCase,
            "trim" => Self::Trim,
            "toString" => Self::ToString,
            "startsWith" => Self::StartsWith,
            "endsWith" => Self::EndsWith,
            "join" => Self::Join,
            "slice" => Self::Slice,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Includes => "includes",
            Self::ToLowerCase => "toLowerCase",
            Self::ToUpperCase => "toUpperCase",
            Self::Trim => "trim",
            Self::ToString => "toString",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Join => "join",
            Self::Slice => "slice",
        }
    }

    /// Whether it is compiled with that many arguments.
    pub(crate) fn takes(self, count: usize) -> bool {
        match self {
            Self::Includes | Self::StartsWith | Self::EndsWith => count == 1,
            Self::ToLowerCase | Self::ToUpperCase | Self::Trim | Self::ToString => count == 0,
            Self::Join => count <= 1,
            Self::Slice => count <= 2,
        }
    }

    pub(crate) fn call<'a>(
        self,
        receiver: View<'_>,
        arguments: &[Operand<'_>],
        at: u32,
    ) -> Result<Operand<'a>, Fault> {
        let first = arguments.first().map_or(View::Undefined, Operand::view);
        let text = |text: String| Operand::Text(Cow::Owned(text));
        Ok(match (self, receiver) {
            (Self::ToString, _) if !receiver.is_nullish() => text(receiver.to_text()),
            (Self::Includes, View::Text(all)) => Operand::Bool(all.contains(&first.to_text())),
            (Self::Includes, View::List(items)) => {
                Operand::Bool(items.iter().any(|item| same(item.into(), first)))
            }
            (Self::ToLowerCase, View::Text(all)) => text(all.to_lowercase()),
            (Self::ToUpperCase, View::Text(all)) => text(all.to_uppercase()),
            (Self::Trim, View::Text(all)) => text(all.trim_matches(is_space).to_owned()),
            (Self::StartsWith, View::Text(all)) => Operand::Bool(all.starts_with(&first.to_text())),
            (Self::EndsWith, View::Text(all)) => Operand::Bool(all.ends_with(&first.to_text())),
            (Self::Join, View::List(items)) => {
                let separator = match first {
                    View::Undefined => ",".to_owned(),
                    other => other.to_text(),
                };
                let mut out = String::new();
                write_joined(items, &separator, &mut out);
                text(out)
            }
            (Self::Slice, View::Text(all)) => {
                let (from, to) = range(arguments, usize::try_from(units(all)).unwrap_or_default());
                text(slice(all, from, to))
            }
            (Self::Slice, View::List(items)) => {
                let (from, to) = range(arguments, items.len());
                let wanted = items.iter().skip(from).take(to.saturating_sub(from));
                list(|l| wanted.clone().try_for_each(|item| l.value(item)))
                    .map(Operand::Owned)
                    .map_err(|error| Fault::failed(at, error.to_string()))?
            }
            _ => {
                let message = format!("`{}` cannot be called on {}", self.name(), receiver.noun());
                return Err(Fault::failed(at, message));
            }
        })
    }
}

/// What the arguments of `slice` choose of so many items.
fn range(arguments: &[Operand<'_>], len: usize) -> (usize, usize) {
    let place = |index: usize, missing: usize| match arguments.get(index).map(Operand::view) {
        None | Some(View::Undefined) => missing,
        Some(view) => {
            let number = view.to_number();
            let whole = if number.is_nan() { 0.0 } else { number.trunc() };
            let from = if whole < 0.0 {
                (len as f64 + whole).max(0.0)
            } else {
                whole.min(len as f64)
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is 0 to len"
            )]
            let place = from as usize;
            place
        }
    };
    (place(0, 0), place(1, len))
}

fn slice(text: &str, from: usize, to: usize) -> String {
    if text.is_ascii() {
        return text.get(from..to.max(from)).unwrap_or_default().to_owned();
    }
    let units: Vec<u16> = text
        .encode_utf16()
        .skip(from)
        .take(to.saturating_sub(from))
        .collect();
    String::from_utf16_lossy(&units)
}
