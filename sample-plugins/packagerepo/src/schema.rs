//! Values against JSON Schemas, of the keywords that say something about one value at a time.
//!
//! Invariant: a keyword that is not understood is an error, never passed over; and the work is bounded by the value and
//! the schema, neither of which refers to anything.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{kind_name, same, shown};
use plugin_api::value::{Kind, MapRef};

use crate::other::result_of;
use crate::reference::cut;

/// Violations that are told.
const MAX_TOLD: usize = 100;
/// Bytes of the place of one: names in it are as long as whoever sent the value made them.
const MAX_PLACE: usize = 1_024;
/// Levels of a schema.
const MAX_DEPTH: usize = 32;
/// The longest pattern.
const MAX_PATTERN: usize = 1_000;
/// The node that knows patterns.
const MATCHER: &str = "regex.test";

/// Keywords that say something to people.
const WORDS: [&str; 9] = [
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "format",
];

/// One thing that is wrong.
#[output]
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Violation {
    /// Where, as a JSON pointer; its first 1,024 bytes.
    pub(crate) path: String,
    /// For people.
    pub(crate) message: String,
}

/// What is wrong with a value; empty when it fits.
pub(crate) fn check(schema: ValueRef<'_>, value: ValueRef<'_>, ctx: &Ctx<'_>) -> NodeResult<Vec<Violation>> {
    let mut judge = Judge {
        ctx,
        path: String::new(),
        violations: Vec::new(),
    };
    judge.value(schema, value, 0)?;
    Ok(judge.violations)
}

struct Judge<'c> {
    ctx: &'c Ctx<'c>,
    path: String,
    violations: Vec<Violation>,
}

fn bad(why: std::fmt::Arguments<'_>) -> NodeError {
    NodeError::invalid("schema", why)
}

impl Judge<'_> {
    fn wrong(&mut self, why: std::fmt::Arguments<'_>) {
        if self.violations.len() < MAX_TOLD {
            let place = if self.path.is_empty() {
                "the value"
            } else {
                &self.path
            };
            self.violations.push(Violation {
                path: self.place().to_owned(),
                message: format!("{} {why}", cut(place)),
            });
        }
    }

    fn place(&self) -> &str {
        let end = self.path.floor_char_boundary(MAX_PLACE);
        self.path.get(..end).unwrap_or_default()
    }

    fn value(&mut self, schema: ValueRef<'_>, value: ValueRef<'_>, depth: usize) -> NodeResult<()> {
        self.ctx.check()?;
        match schema.as_bool() {
            Some(true) => return Ok(()),
            Some(false) => {
                self.wrong(format_args!("is not allowed"));
                return Ok(());
            }
            None => {}
        }
        let Some(keywords) = schema.as_map() else {
            return Err(bad(format_args!(
                "a schema is a map, true or false, but one is {}",
                shown(schema)
            )));
        };
        if depth >= MAX_DEPTH {
            return Err(bad(format_args!("has more than {MAX_DEPTH} levels")));
        }
        for (keyword, demand) in keywords {
            self.keyword(keyword, demand, keywords, value, depth)?;
        }
        Ok(())
    }

    fn keyword(
        &mut self,
        keyword: &str,
        demand: ValueRef<'_>,
        all: MapRef<'_>,
        value: ValueRef<'_>,
        depth: usize,
    ) -> NodeResult<()> {
        match keyword {
            "type" => {
                if !is_of(value, demand)? {
                    self.wrong(format_args!(
                        "must be of the type {}, but is {}",
                        shown_types(demand),
                        kind_name(value)
                    ));
                }
            }
            "enum" => {
                let list = demand
                    .as_list()
                    .ok_or_else(|| bad(format_args!("`enum` is a list")))?;
                if !list.iter().any(|one| same(one, value)) {
                    self.wrong(format_args!("must be one of the values of `enum`"));
                }
            }
            "const" if !same(demand, value) => self.wrong(format_args!("must be {}", shown(demand))),
            "const" => {}
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                let limit = number(keyword, demand)?;
                if let Some(found) = value.as_f64() {
                    let fits = match keyword {
                        "minimum" => found >= limit,
                        "maximum" => found <= limit,
                        "exclusiveMinimum" => found > limit,
                        _ => found < limit,
                    };
                    if !fits {
                        self.wrong(format_args!("breaks `{keyword}` {limit}"));
                    }
                }
            }
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
                let limit = number(keyword, demand)?;
                if let Some(size) = size(value, keyword) {
                    let fits = if keyword.starts_with("min") {
                        size >= limit
                    } else {
                        size <= limit
                    };
                    if !fits {
                        self.wrong(format_args!("breaks `{keyword}` {limit}"));
                    }
                }
            }
            "pattern" => {
                if let Some(text) = value.as_str()
                    && !fits_pattern(text, demand, self.ctx)?
                {
                    self.wrong(format_args!("does not fit the pattern {}", shown(demand)));
                }
            }
            "required" => {
                let list = demand
                    .as_list()
                    .ok_or_else(|| bad(format_args!("`required` is a list")))?;
                for name in list {
                    let name = name
                        .as_str()
                        .ok_or_else(|| bad(format_args!("`required` is a list of texts")))?;
                    if value.as_map().is_some_and(|map| map.get(name).is_none()) {
                        self.wrong(format_args!("lacks `{}`", cut(name)));
                    }
                }
            }
            "properties" => {
                let properties = demand
                    .as_map()
                    .ok_or_else(|| bad(format_args!("`properties` is a map")))?;
                for (name, schema) in properties {
                    if let Some(inner) = value.get(name) {
                        self.below(name, |judge| judge.value(schema, inner, depth + 1))?;
                    }
                }
            }
            "additionalProperties" => {
                let known = all.get("properties").and_then(|properties| properties.as_map());
                for (name, inner) in value.as_map().into_iter().flatten() {
                    if known.is_none_or(|known| known.get(name).is_none()) {
                        self.below(name, |judge| judge.value(demand, inner, depth + 1))?;
                    }
                }
            }
            "items" => {
                for (place, item) in value.as_list().into_iter().flatten().enumerate() {
                    self.below(&place.to_string(), |judge| judge.value(demand, item, depth + 1))?;
                }
            }
            keyword if WORDS.contains(&keyword) => {}
            keyword => {
                return Err(bad(format_args!(
                    "the keyword `{}` is not understood here; leave it out",
                    cut(keyword)
                )));
            }
        }
        Ok(())
    }

    fn below(&mut self, step: &str, work: impl FnOnce(&mut Self) -> NodeResult<()>) -> NodeResult<()> {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(&step.replace('~', "~0").replace('/', "~1"));
        let done = work(self);
        self.path.truncate(length);
        done
    }
}

fn number(keyword: &str, demand: ValueRef<'_>) -> NodeResult<f64> {
    demand
        .as_f64()
        .ok_or_else(|| bad(format_args!("`{keyword}` is a number")))
}

fn size(value: ValueRef<'_>, keyword: &str) -> Option<f64> {
    let count = match value.kind() {
        Kind::Str if keyword.ends_with("Length") => value.as_str()?.chars().count(),
        Kind::List if keyword.ends_with("Items") => value.as_list()?.len(),
        Kind::Map if keyword.ends_with("Properties") => value.as_map()?.len(),
        _ => return None,
    };
    Some(count as f64)
}

/// Whether a text fits a pattern, as the plugin for patterns has it.
fn fits_pattern(text: &str, demand: ValueRef<'_>, ctx: &Ctx<'_>) -> NodeResult<bool> {
    let pattern = demand.as_str().filter(|pattern| pattern.len() <= MAX_PATTERN);
    let pattern =
        pattern.ok_or_else(|| bad(format_args!("`pattern` is a text of at most {MAX_PATTERN} bytes")))?;
    let (value, asked) = (Value::from(text), Value::from(pattern));
    let asked = Value::from_pairs([("value", value.as_ref()), ("pattern", asked.as_ref())])?;
    let found = result_of(MATCHER, &asked, ctx).map_err(|error| match &*error.code {
        code::VALIDATION_FAILED => bad(format_args!("the pattern `{}`: {}", cut(pattern), error.message)),
        _ => error,
    })?;
    Ok(found.as_ref().as_bool() == Some(true))
}

/// Whether a value is of a type, or of one of several.
fn is_of(value: ValueRef<'_>, types: ValueRef<'_>) -> NodeResult<bool> {
    if let Some(list) = types.as_list() {
        let mut any = false;
        for one in list {
            any |= is_of(value, one)?;
        }
        return Ok(any);
    }
    Ok(match types.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.kind() == Kind::Bool,
        Some("integer") => {
            value.kind() == Kind::I64 || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        Some("number") => matches!(value.kind(), Kind::I64 | Kind::F64),
        Some("string") => value.kind() == Kind::Str,
        Some("array") => value.kind() == Kind::List,
        Some("object") => value.kind() == Kind::Map,
        _ => return Err(bad(format_args!("{} is no type", shown(types)))),
    })
}

fn shown_types(types: ValueRef<'_>) -> String {
    match types.as_list() {
        Some(list) => {
            let names = list.iter().map(|one| one.as_str().unwrap_or_default());
            names.collect::<Vec<_>>().join(" or ")
        }
        None => types.as_str().unwrap_or_default().to_owned(),
    }
}
