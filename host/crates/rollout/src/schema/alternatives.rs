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
    let (Some(old), Some(new)) = (Form::all(walk, old, was.root()), Form::all(walk, new, is.root())) else {
        let text = "takes one of several forms that are too large to be compared".to_owned();
        walk.say(path, Kind::RuleChanged, text);
        return;
    };
    let mut rest_old: Vec<Form<'a>> = Vec::new();
    let mut rest_new = new;
    let mut pairs = Vec::new();
    for form in old {
        match rest_new
            .iter()
            .position(|other| form.name == other.name && form.is_tagged == other.is_tagged)
        {
            Some(place) => pairs.push((form, rest_new.remove(place))),
            None => rest_old.push(form),
        }
    }
    if rest_old.len() == rest_new.len() && rest_old.iter().all(|form| !form.is_tagged) {
        pairs.extend(rest_old.drain(..).zip(rest_new.drain(..)));
    }
    for (old, new) in pairs {
        let path = if old.is_tagged {
            format!("{path}({})", old.name)
        } else {
            path.to_owned()
        };
        walk.pair(old.schema, new.schema, &path, depth + 1);
    }
    for form in rest_old {
        let text = format!("no longer takes the form {}", cut(&form.name));
        walk.say(path, Kind::AlternativeRemoved, text);
    }
    for form in rest_new {
        let text = format!("takes the form {} now", cut(&form.name));
        walk.say(path, Kind::AlternativeAdded, text);
    }
}

/// A form, and what tells it apart: its tag, or all of it.
struct Form<'a> {
    schema: &'a Value,
    name: String,
    is_tagged: bool,
}

impl<'a> Form<'a> {
    /// All of a list; none when that is more than may be looked at.
    fn all(walk: &mut Walk<'a>, forms: &'a [Value], root: &'a Value) -> Option<Vec<Self>> {
        let mut all = Vec::with_capacity(forms.len());
        for schema in forms {
            let shape = Shape::of(schema, root);
            if !walk.may_spend(shape.size()) {
                return None;
            }
            let tag = tag(&shape);
            let is_tagged = tag.is_some();
            let name = tag.unwrap_or_else(|| schema.to_string());
            if !walk.may_spend(name.len()) {
                return None;
            }
            all.push(Self {
                schema,
                name,
                is_tagged,
            });
        }
        Some(all)
    }
}

/// The property with one fixed value that a form must have.
fn tag(shape: &Shape<'_>) -> Option<String> {
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

fn cut(name: &str) -> String {
    let mut letters = name.chars();
    let start: String = letters.by_ref().take(2 * super::LONGEST_NAME).collect();
    if letters.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}
