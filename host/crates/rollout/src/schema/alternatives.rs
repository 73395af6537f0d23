//! Forms of which one holds.
//!
//! Forms have no names. Those that are maps are told apart by a property with one fixed value, as tagged enums have it;
//! others by being equal; what is left, by its place.

use serde_json::Value;

use super::shape::Shape;
use super::{Kind, Walk};

/// More forms of one schema are not told apart.
const MOST_FORMS: usize = 100;

pub(super) fn compare<'a>(walk: &mut Walk<'a>, was: &Shape<'a>, is: &Shape<'a>, path: &str, depth: usize) {
    let (old, new) = (was.alternatives(), is.alternatives());
    match (old.is_empty(), new.is_empty()) {
        (true, true) => return,
        // From one form to several, or back: what each of them takes is not known.
        (true, false) | (false, true) => {
            let text = if old.is_empty() {
                "takes one of several forms now"
            } else {
                "no longer takes one of several forms"
            };
            walk.say(path, Kind::RuleChanged, text.to_owned());
            return;
        }
        (false, false) if old.len().max(new.len()) > MOST_FORMS => {
            if old != new {
                let text = "takes one of too many forms to be compared".to_owned();
                walk.say(path, Kind::RuleChanged, text);
            }
            return;
        }
        (false, false) => {}
    }
    let mut rest_old: Vec<&'a Value> = Vec::new();
    let mut rest_new: Vec<&'a Value> = new.iter().collect();
    let mut pairs = Vec::new();
    for form in old {
        let tag = tag(form, was.root());
        let same = |other: &&Value| match &tag {
            Some(tag) => self::tag(other, is.root()).as_ref() == Some(tag),
            None => *other == form,
        };
        match rest_new.iter().position(same) {
            Some(place) => pairs.push((form, rest_new.remove(place), tag.unwrap_or_default())),
            None => rest_old.push(form),
        }
    }
    if rest_old.len() == rest_new.len() && rest_old.iter().all(|form| tag(form, was.root()).is_none()) {
        pairs.extend(
            rest_old
                .drain(..)
                .zip(rest_new.drain(..))
                .map(|(old, new)| (old, new, String::new())),
        );
    }
    for (old, new, tag) in pairs {
        let path = if tag.is_empty() {
            path.to_owned()
        } else {
            format!("{path}({tag})")
        };
        walk.pair(old, new, &path, depth + 1);
    }
    for form in rest_old {
        let text = format!("no longer takes the form {}", name(form, was.root()));
        walk.say(path, Kind::AlternativeRemoved, text);
    }
    for form in rest_new {
        let text = format!("takes the form {} now", name(form, is.root()));
        walk.say(path, Kind::AlternativeAdded, text);
    }
}

/// The property with one fixed value that a form must have.
fn tag(form: &Value, root: &Value) -> Option<String> {
    let shape = Shape::of(form, root);
    let required = shape.required();
    let fixed = shape
        .properties()
        .into_iter()
        .filter(|(name, _)| required.contains(name));
    let fixed = fixed.filter_map(|(name, schema)| {
        let only = schema
            .get("const")
            .or_else(|| match schema.get("enum")?.as_array()?.as_slice() {
                [only] => Some(only),
                _ => None,
            })?;
        Some(format!("{}={}", super::below("", name), super::shown(only)))
    });
    fixed.min()
}

fn name(form: &Value, root: &Value) -> String {
    tag(form, root).unwrap_or_else(|| super::shown(form))
}
