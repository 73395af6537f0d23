//! What a newer JSON Schema of parameters changes for those who call by the older one.
//!
//! Invariant: a change that may refuse, or pass over, what worked before is called breaking; where that cannot be told, it
//! is. The work is bounded, however the schemas refer to themselves.

mod alternatives;
mod limits;
mod shape;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use shape::{Shape, Types};

/// More changes are not looked for.
pub const MOST_CHANGES: usize = 200;
/// More pairs of schemas are not looked at.
const MOST_PAIRS: usize = 10_000;
/// More keywords, properties, values and forms are not looked at, counted as often as they are met.
const MOST_WORK: usize = 1_000_000;
/// What lies deeper is not looked at.
const DEEPEST: usize = 24;
/// The longest name of a property in a path, in letters.
const LONGEST_NAME: usize = 64;

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// It is looked at no longer.
    PropertyRemoved,
    /// It may be given now.
    PropertyAdded,
    /// It must be given now.
    BecameRequired,
    /// It may be left out now.
    BecameOptional,
    /// A type of value is refused now.
    TypeNarrowed,
    /// A type of value is taken now.
    TypeWidened,
    /// A value of a list is refused now.
    EnumNarrowed,
    /// A value of a list is taken now.
    EnumWidened,
    /// Numbers, texts or lists are refused that were in bounds.
    BoundTightened,
    /// Numbers, texts or lists are taken that were out of bounds.
    BoundLoosened,
    /// Properties that are not named are refused now.
    Closed,
    /// Properties that are not named are taken now.
    Opened,
    /// What is taken when nothing is given.
    DefaultChanged,
    /// One of several forms is refused now.
    AlternativeRemoved,
    /// One more form is taken now.
    AlternativeAdded,
    /// A rule changed that this comparison does not understand.
    RuleChanged,
}

impl Kind {
    /// Its word, as JSON has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PropertyRemoved => "propertyRemoved",
            Self::PropertyAdded => "propertyAdded",
            Self::BecameRequired => "becameRequired",
            Self::BecameOptional => "becameOptional",
            Self::TypeNarrowed => "typeNarrowed",
            Self::TypeWidened => "typeWidened",
            Self::EnumNarrowed => "enumNarrowed",
            Self::EnumWidened => "enumWidened",
            Self::BoundTightened => "boundTightened",
            Self::BoundLoosened => "boundLoosened",
            Self::Closed => "closed",
            Self::Opened => "opened",
            Self::DefaultChanged => "defaultChanged",
            Self::AlternativeRemoved => "alternativeRemoved",
            Self::AlternativeAdded => "alternativeAdded",
            Self::RuleChanged => "ruleChanged",
        }
    }

    /// Whether what worked before may fail because of it.
    #[must_use]
    pub const fn is_breaking(self) -> bool {
        match self {
            Self::PropertyRemoved
            | Self::BecameRequired
            | Self::TypeNarrowed
            | Self::EnumNarrowed
            | Self::BoundTightened
            | Self::Closed
            | Self::AlternativeRemoved
            | Self::RuleChanged => true,
            Self::PropertyAdded
            | Self::BecameOptional
            | Self::TypeWidened
            | Self::EnumWidened
            | Self::BoundLoosened
            | Self::Opened
            | Self::DefaultChanged
            | Self::AlternativeAdded => false,
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaChange {
    /// Where: `separator`, `user.name`, `items[*].id`; empty for the whole.
    pub path: String,
    /// What kind of change.
    pub kind: Kind,
    /// Whether what worked before may fail because of it.
    pub breaking: bool,
    /// In words.
    pub text: String,
}

/// What changes from the older schema to the newer one; [`MOST_CHANGES`] at most.
#[must_use]
pub fn changes(old: &Value, new: &Value) -> Vec<SchemaChange> {
    let mut walk = Walk {
        old_root: old,
        new_root: new,
        seen: HashSet::new(),
        work: 0,
        found: Vec::new(),
    };
    walk.pair(old, new, "", 0);
    walk.found
}

pub(crate) struct Walk<'a> {
    old_root: &'a Value,
    new_root: &'a Value,
    /// Pairs that were looked at, by their addresses: a schema that refers to itself would be walked without an end, and
    /// one that refers to the next twice, and so on, nearly so.
    seen: HashSet<(usize, usize)>,
    /// How much was looked at.
    work: usize,
    found: Vec<SchemaChange>,
}

impl<'a> Walk<'a> {
    fn pair(&mut self, old: &'a Value, new: &'a Value, path: &str, depth: usize) {
        let addresses = (std::ptr::from_ref(old).addr(), std::ptr::from_ref(new).addr());
        if self.found.len() >= MOST_CHANGES || !self.seen.insert(addresses) {
            return;
        }
        if depth > DEEPEST || self.seen.len() > MOST_PAIRS {
            self.say(
                path,
                Kind::RuleChanged,
                "is too deep or too large to be compared".to_owned(),
            );
            return;
        }
        let (was, is) = (Shape::of(old, self.old_root), Shape::of(new, self.new_root));
        if !self.may_spend(was.size().saturating_add(is.size())) {
            self.say(path, Kind::RuleChanged, "is too large to be compared".to_owned());
            return;
        }
        self.types(&was, &is, path);
        self.values(&was, &is, path);
        limits::compare(self, &was, &is, path);
        self.properties(&was, &is, path, depth);
        self.unnamed(&was, &is, path, depth);
        if let (Some(old), Some(new)) = (was.get("items"), is.get("items")) {
            self.pair(old, new, &format!("{path}[*]"), depth + 1);
        } else if let (None, Some(new)) = (was.get("items"), is.get("items")) {
            self.pair(&Value::Bool(true), new, &format!("{path}[*]"), depth + 1);
        }
        alternatives::compare(self, &was, &is, path, depth);
        self.rules(&was, &is, path);
        if was.get("default") != is.get("default") {
            let text = match (was.get("default"), is.get("default")) {
                (Some(old), Some(new)) => format!("is {} by default, and was {}", shown(new), shown(old)),
                (None, Some(new)) => format!("is {} by default, and had no default", shown(new)),
                (Some(old), None) => format!("has no default, and was {}", shown(old)),
                (None, None) => return,
            };
            self.say(path, Kind::DefaultChanged, text);
        }
    }

    fn types(&mut self, was: &Shape<'_>, is: &Shape<'_>, path: &str) {
        let (old, new) = (was.types(), is.types());
        let (lost, gained) = (old.without(new), new.without(old));
        if !lost.is_empty() {
            self.say(path, Kind::TypeNarrowed, format!("no longer takes {lost}"));
        }
        if !gained.is_empty() {
            self.say(path, Kind::TypeWidened, format!("takes {gained} now"));
        }
    }

    fn values(&mut self, was: &Shape<'_>, is: &Shape<'_>, path: &str) {
        match (was.values(), is.values()) {
            (None, None) => {}
            (None, Some(new)) => {
                // Of a single type with few values, such as null, a list may say nothing new.
                if was.types() != Types::NULL {
                    let text = format!("takes nothing but {} now", listed(new.iter()));
                    self.say(path, Kind::EnumNarrowed, text);
                }
            }
            (Some(old), None) => {
                let text = format!("takes more than {} now", listed(old.iter()));
                self.say(path, Kind::EnumWidened, text);
            }
            (Some(old), Some(new)) => {
                let lost: BTreeSet<_> = old.difference(&new).collect();
                let gained: BTreeSet<_> = new.difference(&old).collect();
                if !lost.is_empty() {
                    let text = format!("no longer takes {}", listed(lost.into_iter()));
                    self.say(path, Kind::EnumNarrowed, text);
                }
                if !gained.is_empty() {
                    let text = format!("takes {} now", listed(gained.into_iter()));
                    self.say(path, Kind::EnumWidened, text);
                }
            }
        }
    }

    fn properties(&mut self, was: &Shape<'a>, is: &Shape<'a>, path: &str, depth: usize) {
        let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) = (was.properties(), is.properties());
        let (needed, needs) = (was.required(), is.required());
        for (name, schema) in &old {
            match new.get(name) {
                Some(newer) => self.pair(schema, newer, &below(path, name), depth + 1),
                None => self.say(
                    &below(path, name),
                    Kind::PropertyRemoved,
                    "is looked at no longer".to_owned(),
                ),
            }
        }
        for name in needs.difference(&needed) {
            let text = "must be given now".to_owned();
            self.say(&below(path, name), Kind::BecameRequired, text);
        }
        for name in needed.difference(&needs).filter(|name| new.contains_key(*name)) {
            let text = "may be left out now".to_owned();
            self.say(&below(path, name), Kind::BecameOptional, text);
        }
        for name in new
            .keys()
            .filter(|name| !old.contains_key(*name) && !needs.contains(*name))
        {
            let text = "may be given now".to_owned();
            self.say(&below(path, name), Kind::PropertyAdded, text);
        }
    }

    /// Properties that have no name in the schema.
    fn unnamed(&mut self, was: &Shape<'a>, is: &Shape<'a>, path: &str, depth: usize) {
        const OPEN: &Value = &Value::Bool(true);
        let rule = |shape: &Shape<'a>| shape.get("additionalProperties").unwrap_or(OPEN);
        let (old, new) = (rule(was), rule(is));
        match (old == &Value::Bool(false), new == &Value::Bool(false)) {
            (false, true) => {
                self.say(
                    path,
                    Kind::Closed,
                    "refuses properties it does not name now".to_owned(),
                );
            }
            (true, false) => {
                self.say(
                    path,
                    Kind::Opened,
                    "takes properties it does not name now".to_owned(),
                );
            }
            (true, true) => {}
            (false, false) if old == OPEN && new == OPEN => {}
            (false, false) => self.pair(old, new, &below(path, "*"), depth + 1),
        }
    }

    /// Keywords that are not understood: when they differ, what follows is not known.
    fn rules(&mut self, was: &Shape<'_>, is: &Shape<'_>, path: &str) {
        const RULES: [&str; 14] = [
            "pattern",
            "patternProperties",
            "propertyNames",
            "dependentRequired",
            "dependentSchemas",
            "unevaluatedProperties",
            "unevaluatedItems",
            "prefixItems",
            "contains",
            "not",
            "if",
            "then",
            "else",
            "$dynamicRef",
        ];
        for rule in RULES {
            let (old, new) = (was.get(rule), is.get(rule));
            if old == new {
                continue;
            }
            let loosened = new.is_none() && rule == "pattern";
            let kind = if loosened {
                Kind::BoundLoosened
            } else {
                Kind::RuleChanged
            };
            let text = match (old, new) {
                (None, Some(new)) => format!("has a rule `{rule}` now: {}", shown(new)),
                (Some(_), None) => format!("has no rule `{rule}` any more"),
                (_, new) => format!(
                    "has another rule `{rule}`: {}",
                    new.map(shown).unwrap_or_default()
                ),
            };
            self.say(path, kind, text);
        }
        if was.is_unresolved() != is.is_unresolved()
            || (was.is_unresolved() && was.reference() != is.reference())
        {
            let text = "refers to a schema that cannot be found".to_owned();
            self.say(path, Kind::RuleChanged, text);
        }
    }

    /// Whether there is so much work left to be done.
    fn may_spend(&mut self, work: usize) -> bool {
        self.work = self.work.saturating_add(work);
        self.work <= MOST_WORK
    }

    fn say(&mut self, path: &str, kind: Kind, text: String) {
        if self.found.len() < MOST_CHANGES {
            self.found.push(SchemaChange {
                path: path.to_owned(),
                kind,
                breaking: kind.is_breaking(),
                text,
            });
        }
    }
}

fn below(path: &str, name: &str) -> String {
    let name: String = name
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_NAME)
        .collect();
    if path.is_empty() {
        name
    } else {
        format!("{path}.{name}")
    }
}

/// A value, in part.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    let mut letters = text.chars();
    let mut start: String = letters.by_ref().take(LONGEST_NAME).collect();
    if letters.next().is_some() {
        start.push('…');
    }
    start
}

/// Some values, the first few of them.
fn listed<'s>(values: impl ExactSizeIterator<Item = &'s String>) -> String {
    let count = values.len();
    let few: Vec<String> = values
        .take(5)
        .map(|text| text.chars().take(LONGEST_NAME).collect())
        .collect();
    let rest = if count > 5 {
        format!(" and {} more", count - 5)
    } else {
        String::new()
    };
    format!("{}{rest}", few.join(", "))
}

#[cfg(test)]
mod tests;
