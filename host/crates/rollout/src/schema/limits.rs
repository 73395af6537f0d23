//! Bounds of numbers, texts and lists.

use serde_json::Value;

use super::shape::Shape;
use super::{Kind, Walk};

/// A bound: the number, and whether the number itself is out.
#[derive(Clone, Copy, PartialEq)]
struct Bound {
    at: f64,
    is_out: bool,
}

/// Which side of it is out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Least,
    Most,
}

impl Bound {
    /// Whether it refuses more than the other.
    fn is_tighter(self, other: Self, side: Side) -> bool {
        let beyond = match side {
            Side::Least => self.at > other.at,
            Side::Most => self.at < other.at,
        };
        beyond || (self.at == other.at && self.is_out && !other.is_out)
    }
}

const ROWS: [(Side, &str, Option<&str>, &str); 8] = [
    (Side::Least, "minimum", Some("exclusiveMinimum"), "numbers"),
    (Side::Most, "maximum", Some("exclusiveMaximum"), "numbers"),
    (Side::Least, "minLength", None, "texts"),
    (Side::Most, "maxLength", None, "texts"),
    (Side::Least, "minItems", None, "lists"),
    (Side::Most, "maxItems", None, "lists"),
    (Side::Least, "minProperties", None, "maps"),
    (Side::Most, "maxProperties", None, "maps"),
];

pub(super) fn compare(walk: &mut Walk<'_>, was: &Shape<'_>, is: &Shape<'_>, path: &str) {
    for (side, keyword, without, of) in ROWS {
        let bound = |shape| tightest(shape, side, keyword, without);
        let (old, new) = (bound(was), bound(is));
        let word = if side == Side::Least { "least" } else { "most" };
        let tighter = |one: Option<Bound>, other: Option<Bound>| match (one, other) {
            (Some(one), Some(other)) => one.is_tighter(other, side),
            (Some(_), None) => true,
            (None, _) => false,
        };
        if tighter(new, old) {
            let text = format!(
                "takes {of} of {} at {word} now, and took {}",
                shown(new),
                shown(old)
            );
            walk.say(path, Kind::BoundTightened, text);
        } else if tighter(old, new) {
            let text = format!(
                "takes {of} of {} at {word} now, and took {}",
                shown(new),
                shown(old)
            );
            walk.say(path, Kind::BoundLoosened, text);
        }
    }
    let multiple = |shape: &Shape<'_>| {
        shape
            .get("multipleOf")
            .and_then(Value::as_f64)
            .filter(|step| *step > 0.0)
    };
    match (multiple(was), multiple(is)) {
        (old, Some(new)) if old.is_none_or(|old| (old / new).fract() != 0.0) => {
            walk.say(
                path,
                Kind::BoundTightened,
                format!("takes nothing but multiples of {new} now"),
            );
        }
        (Some(old), new) if new != Some(old) => {
            walk.say(
                path,
                Kind::BoundLoosened,
                format!("takes more than multiples of {old} now"),
            );
        }
        _ => {}
    }
    let unique = |shape: &Shape<'_>| shape.get("uniqueItems") == Some(&Value::Bool(true));
    match (unique(was), unique(is)) {
        (false, true) => {
            let text = "refuses lists with equal elements now".to_owned();
            walk.say(path, Kind::BoundTightened, text);
        }
        (true, false) => {
            let text = "takes lists with equal elements now".to_owned();
            walk.say(path, Kind::BoundLoosened, text);
        }
        _ => {}
    }
}

fn tightest(shape: &Shape<'_>, side: Side, keyword: &str, without: Option<&str>) -> Option<Bound> {
    let with = shape.all(keyword).map(|at| (at, false));
    let beyond = without
        .into_iter()
        .flat_map(|keyword| shape.all(keyword))
        .map(|at| (at, true));
    let bounds = with.chain(beyond).filter_map(|(at, is_out)| {
        Some(Bound {
            at: at.as_f64()?,
            is_out,
        })
    });
    // A length of 0 at least bounds nothing.
    bounds
        .filter(|bound| without.is_some() || side == Side::Most || bound.at > 0.0)
        .reduce(|one, other| if other.is_tighter(one, side) { other } else { one })
}

fn shown(bound: Option<Bound>) -> String {
    match bound {
        None => "any".to_owned(),
        Some(Bound { at, is_out: false }) => at.to_string(),
        Some(Bound { at, is_out: true }) => format!("{at} (without {at} itself)"),
    }
}
