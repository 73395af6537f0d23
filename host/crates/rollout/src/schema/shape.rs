//! A schema with its references followed.
//!
//! Invariant: following ends, and what it finds is what the schema demands together: references, `allOf`, and an `anyOf`
//! that only adds null are seen through.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

/// More layers of one schema are not followed.
const MOST_LAYERS: usize = 32;

/// A set of types. A number is a fraction or a whole one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Types(u8);

const NAMES: [(&str, &str, u8); 8] = [
    ("null", "null", 1),
    ("boolean", "booleans", 2),
    ("integer", "whole numbers", 4),
    ("number", "", 4 | 8),
    ("", "fractions", 8),
    ("string", "texts", 16),
    ("array", "lists", 32),
    ("object", "maps", 64),
];

impl Types {
    pub(super) const NULL: Self = Self(1);
    const ALL: Self = Self(0x7f);
    const NONE: Self = Self(0);

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn named(name: &str) -> Self {
        let row = NAMES
            .iter()
            .find(|(keyword, ..)| *keyword == name && !keyword.is_empty());
        row.map_or(Self::NONE, |(.., bits)| Self(*bits))
    }

    fn of_keyword(keyword: &Value) -> Self {
        match keyword {
            Value::String(name) => Self::named(name),
            Value::Array(names) => names
                .iter()
                .filter_map(Value::as_str)
                .fold(Self::NONE, |sum, name| Self(sum.0 | Self::named(name).0)),
            _ => Self::ALL,
        }
    }
}

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut first = true;
        for (_, plural, bits) in NAMES {
            if !plural.is_empty() && rest & bits == bits {
                rest &= !bits;
                f.write_str(if first { "" } else { ", " })?;
                f.write_str(plural)?;
                first = false;
            }
        }
        Ok(())
    }
}

/// A schema, seen through its references.
pub(super) struct Shape<'a> {
    /// What all holds, the innermost last.
    layers: Vec<&'a Map<String, Value>>,
    /// The forms of which one holds, if there are several.
    alternatives: Option<&'a [Value]>,
    nullable: bool,
    /// `false`: nothing is taken.
    impossible: bool,
    /// A reference that leads nowhere.
    unresolved: Option<&'a Value>,
    root: &'a Value,
}

impl<'a> Shape<'a> {
    pub(super) fn of(schema: &'a Value, root: &'a Value) -> Self {
        let mut shape = Self {
            layers: Vec::new(),
            alternatives: None,
            nullable: false,
            impossible: false,
            unresolved: None,
            root,
        };
        let mut waiting = vec![schema];
        while let Some(schema) = waiting.pop() {
            let map = match schema {
                Value::Object(map) => map,
                Value::Bool(false) => {
                    shape.impossible = true;
                    continue;
                }
                _ => continue,
            };
            if shape.layers.len() >= MOST_LAYERS {
                shape.unresolved = map.get("$ref").or(Some(schema));
                break;
            }
            shape.layers.push(map);
            if let Some(reference) = map.get("$ref") {
                match target(reference, root) {
                    Some(target) => waiting.push(target),
                    None => shape.unresolved = Some(reference),
                }
            }
            if let Some(Value::Array(all)) = map.get("allOf") {
                waiting.extend(all.iter().rev().take(MOST_LAYERS));
            }
            for keyword in ["anyOf", "oneOf"] {
                if let Some(Value::Array(forms)) = map.get(keyword) {
                    shape.forms(forms, &mut waiting);
                }
            }
        }
        shape
    }

    /// Several forms: an optional one is seen through.
    fn forms(&mut self, forms: &'a [Value], waiting: &mut Vec<&'a Value>) {
        let is_null = |form: &&Value| form.get("type").and_then(Value::as_str) == Some("null");
        let mut others = forms.iter().filter(|form| !is_null(form));
        match (others.next(), others.next()) {
            (Some(only), None) => {
                self.nullable |= forms.len() > 1;
                waiting.push(only);
            }
            _ => self.alternatives = Some(forms),
        }
    }

    pub(super) fn root(&self) -> &'a Value {
        self.root
    }

    /// How much there is to look at in it.
    pub(super) fn size(&self) -> usize {
        let length = |value: &Value| match value {
            Value::Object(map) => map.len(),
            Value::Array(list) => list.len(),
            _ => 1,
        };
        let layers = self.layers.iter();
        let own: usize = layers
            .map(|layer| layer.len() + layer.values().map(length).sum::<usize>())
            .sum();
        1 + own + self.alternatives.map_or(0, <[Value]>::len)
    }

    /// The forms of which one holds.
    pub(super) fn alternatives(&self) -> &'a [Value] {
        // A list of values in another dress is none of forms.
        match self.alternatives {
            Some(forms) if forms_as_values(forms).is_none() => forms,
            _ => &[],
        }
    }

    pub(super) const fn is_unresolved(&self) -> bool {
        self.unresolved.is_some()
    }

    pub(super) const fn reference(&self) -> Option<&'a Value> {
        self.unresolved
    }

    /// What a keyword says; the outermost speaks first.
    pub(super) fn get(&self, keyword: &str) -> Option<&'a Value> {
        self.layers.iter().find_map(|layer| layer.get(keyword))
    }

    /// What a keyword says in each layer.
    pub(super) fn all(&self, keyword: &str) -> impl Iterator<Item = &'a Value> {
        self.layers.iter().filter_map(move |layer| layer.get(keyword))
    }

    pub(super) fn types(&self) -> Types {
        if self.impossible {
            return Types::NONE;
        }
        let mut types = self
            .layers
            .iter()
            .filter_map(|layer| layer.get("type").map(Types::of_keyword))
            .fold(Types::ALL, |both, one| Types(both.0 & one.0));
        if let Some(forms) = self.alternatives {
            let any = forms.iter().fold(Types::NONE, |sum, form| {
                // One level down is enough for what schemas of parameters look like; deeper, anything goes.
                let one = match form {
                    Value::Object(map) if !map.contains_key("$ref") => {
                        map.get("type").map_or(Types::ALL, Types::of_keyword)
                    }
                    Value::Bool(false) => Types::NONE,
                    _ => target_of(form, self.root)
                        .and_then(|target| target.get("type"))
                        .map_or(Types::ALL, Types::of_keyword),
                };
                Types(sum.0 | one.0)
            });
            types = Types(types.0 & any.0);
        }
        if self.nullable {
            types = Types(types.0 | Types::NULL.0);
        }
        types
    }

    /// The list of values that are taken, each as JSON.
    pub(super) fn values(&self) -> Option<BTreeSet<String>> {
        let of_layer = self.layers.iter().find_map(|layer| listed_values(layer));
        let values = of_layer.or_else(|| self.alternatives.and_then(forms_as_values));
        values.map(|mut values| {
            if self.nullable {
                values.insert(Value::Null.to_string());
            }
            values
        })
    }

    pub(super) fn properties(&self) -> BTreeMap<&'a str, &'a Value> {
        let maps = self.all("properties").filter_map(Value::as_object);
        maps.flatten()
            .map(|(name, schema)| (name.as_str(), schema))
            .collect()
    }

    pub(super) fn required(&self) -> BTreeSet<&'a str> {
        let lists = self.all("required").filter_map(Value::as_array);
        lists.flatten().filter_map(Value::as_str).collect()
    }
}

fn listed_values(map: &Map<String, Value>) -> Option<BTreeSet<String>> {
    if let Some(only) = map.get("const") {
        return Some(BTreeSet::from([only.to_string()]));
    }
    let list = map.get("enum")?.as_array()?;
    Some(list.iter().map(Value::to_string).collect())
}

/// Forms that each are values and nothing else, as enums with described values are.
fn forms_as_values(forms: &[Value]) -> Option<BTreeSet<String>> {
    let mut values = BTreeSet::new();
    for form in forms {
        values.extend(listed_values(form.as_object()?)?);
    }
    Some(values)
}

fn target_of<'a>(form: &'a Value, root: &'a Value) -> Option<&'a Value> {
    target(form.get("$ref")?, root)
}

/// Where a reference within the document leads.
fn target<'a>(reference: &Value, root: &'a Value) -> Option<&'a Value> {
    let pointer = reference.as_str()?.strip_prefix('#')?;
    root.pointer(pointer)
}
