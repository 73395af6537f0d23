//! What a later contract of the same major may differ in: more, at the end.

use std::collections::BTreeMap;

use super::{Contract, Field, Type};

/// What a difference means for plugins that were built for the older contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// They keep loading.
    Growth,
    /// They cannot be loaded.
    Break,
}

/// One difference between two contracts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: Kind,
    pub(crate) what: String,
}

fn growth(what: String) -> Change {
    Change {
        kind: Kind::Growth,
        what,
    }
}

fn broken(what: String) -> Change {
    Change {
        kind: Kind::Break,
        what,
    }
}

/// How `newer` differs from `older`.
pub(crate) fn compare(older: &Contract, newer: &Contract) -> Vec<Change> {
    let mut changes = named("type alias", &older.aliases, &newer.aliases);
    changes.extend(named("constant", &older.constants, &newer.constants));
    for old in &older.types {
        match newer.types.iter().find(|new| new.name == old.name) {
            None => changes.push(broken(format!("`{}` is gone", old.name))),
            Some(new) if old.is_table != new.is_table => {
                changes.push(broken(format!("`{}` is another kind of type", old.name)));
            }
            Some(new) => changes.extend(fields(old, new)),
        }
    }
    let known = |name: &str| older.types.iter().any(|old| old.name == name);
    for new in newer.types.iter().filter(|new| !known(&new.name)) {
        changes.push(growth(format!("the type `{}` is new", new.name)));
    }
    changes
}

fn named(what: &str, older: &BTreeMap<String, String>, newer: &BTreeMap<String, String>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, old) in older {
        match newer.get(name) {
            None => changes.push(broken(format!("the {what} `{name}` is gone"))),
            Some(new) if new != old => {
                changes.push(broken(format!("the {what} `{name}` was `{old}` and is `{new}`")));
            }
            Some(_) => {}
        }
    }
    for name in newer.keys().filter(|name| !older.contains_key(*name)) {
        changes.push(growth(format!("the {what} `{name}` is new")));
    }
    changes
}

fn fields(old: &Type, new: &Type) -> Vec<Change> {
    let mut changes = Vec::new();
    for (at, field) in old.fields.iter().enumerate() {
        let name = format!("`{}.{}`", old.name, field.name);
        let now = new.fields.iter().position(|other| other.name == field.name);
        match now.map(|place| (place, &new.fields[place])) {
            None => changes.push(broken(format!("{name} is gone"))),
            Some((_, now)) if now.ty != field.ty => {
                changes.push(broken(format!("{name} was `{}` and is `{}`", field.ty, now.ty)));
            }
            Some((place, now)) if place != at || now.offset != field.offset || now.size != field.size => {
                let (was, is) = (field.offset, now.offset);
                changes.push(broken(format!("{name} was at offset {was} and is at {is}")));
            }
            Some(_) => {}
        }
    }
    let is_new = |field: &&Field| old.fields.iter().all(|known| known.name != field.name);
    for (at, field) in new.fields.iter().enumerate().filter(|(_, field)| is_new(field)) {
        let name = format!("`{}.{}`", new.name, field.name);
        changes.push(if !old.is_table {
            broken(format!("{name} is new, and shapes never change"))
        } else if at < old.fields.len() {
            broken(format!("{name} is new and not at the tail"))
        } else {
            growth(format!("{name} is new, at the tail"))
        });
    }
    changes
}
