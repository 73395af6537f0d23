//! Filters of lists and maps.

use plugin_api::prelude::*;
use plugin_api::reading::canonical;

use crate::budget::{Budget, Trouble};
use crate::datum::Datum;
use crate::filter::{input, text, whole};
use crate::operator::Operator;

type Made<'v> = Result<Datum<'v>, Trouble>;

/// The items of the list before `|`; nothing has none.
fn listed<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Result<Vec<Datum<'v>>, Trouble> {
    let value = input(values);
    if value.is_nothing() {
        return Ok(Vec::new());
    }
    match value.items(budget)? {
        Some(items) => Ok(items),
        None => Trouble::wrong(format!("expected a list, found {}", value.kind())),
    }
}

/// The map before `|`.
fn mapped<'v>(values: &[Datum<'v>]) -> Result<Vec<(&'v str, ValueRef<'v>)>, Trouble> {
    match input(values) {
        Datum::Undefined(_) | Datum::Null => Ok(Vec::new()),
        Datum::Data(value) if value.as_map().is_some() => Ok(value.as_map().into_iter().flatten().collect()),
        other => Trouble::wrong(format!("expected a map, found {}", other.kind())),
    }
}

/// A field of an item: `name`, or `owner.name`.
fn field<'v>(item: &Datum<'v>, path: &str) -> Datum<'v> {
    let Datum::Data(value) = item else {
        return Datum::Null;
    };
    let mut value = *value;
    for name in path.split('.') {
        match value.get(name) {
            Some(found) => value = found,
            None => return Datum::Null,
        }
    }
    Datum::of(value)
}

pub(crate) fn first<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    end(values, budget, false)
}

pub(crate) fn last<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    end(values, budget, true)
}

/// The item or character at an end; null where there is none.
fn end<'v>(values: &[Datum<'v>], budget: &Budget<'_>, last: bool) -> Made<'v> {
    let value = input(values);
    if let Some(text) = value.as_text() {
        let mut characters = text.chars();
        let found = if last {
            characters.next_back()
        } else {
            characters.next()
        };
        return found.map_or(Ok(Datum::Null), |found| {
            Datum::made(found.encode_utf8(&mut [0; 4]), budget)
        });
    }
    let found = match value {
        Datum::List(list) if last => list.items.last().cloned(),
        Datum::List(list) => list.items.first().cloned(),
        Datum::Data(data) => match data.as_list() {
            Some(list) => {
                let position = if last { list.len().checked_sub(1) } else { Some(0) };
                position.and_then(|position| list.get(position)).map(Datum::of)
            }
            None => return Trouble::wrong(format!("expected a list or a text, found {}", value.kind())),
        },
        Datum::Undefined(_) | Datum::Null => None,
        _ => return Trouble::wrong(format!("expected a list or a text, found {}", value.kind())),
    };
    Ok(found.unwrap_or(Datum::Null))
}

pub(crate) fn keys<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let keys = mapped(values)?.into_iter().map(|(key, _)| Datum::lent(key));
    Datum::list(keys.collect(), budget)
}

pub(crate) fn values<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let values = mapped(values)?.into_iter().map(|(_, value)| Datum::of(value));
    Datum::list(values.collect(), budget)
}

/// Lists of a key and its value.
pub(crate) fn items<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let pairs = mapped(values)?.into_iter();
    let pairs = pairs.map(|(key, value)| Datum::list(vec![Datum::lent(key), Datum::of(value)], budget));
    Datum::list(pairs.collect::<Result<_, _>>()?, budget)
}

/// All items as one text, with another text between them; of maps, a field of each.
pub(crate) fn join<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let between = text(values, 1)?.unwrap_or_default();
    let by = text(values, 2)?;
    let mut out = String::new();
    for (position, item) in listed(values, budget)?.iter().enumerate() {
        let item = by.map_or_else(|| item.clone(), |by| field(item, by));
        budget.read(item.size())?;
        let item = item.written();
        budget.made(item.len() + between.len())?;
        if position > 0 {
            out.push_str(between);
        }
        out.push_str(&item);
    }
    Datum::made(&out, budget)
}

pub(crate) fn reverse<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let value = input(values);
    if let Some(text) = value.as_text() {
        budget.read(text.len())?;
        let reversed: String = text.chars().rev().collect();
        return Datum::made(&reversed, budget);
    }
    let mut items = listed(values, budget)?;
    items.reverse();
    Datum::list(items, budget)
}

/// Items or characters from a position on, up to another one; negative ones count from the end.
pub(crate) fn slice<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let (start, end) = (whole(values, 1)?.unwrap_or(0), whole(values, 2)?);
    let range = |length: usize| {
        let position = |number: i64| {
            let back = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
            let position = if number < 0 {
                length.saturating_sub(back)
            } else {
                back
            };
            position.min(length)
        };
        let (start, end) = (position(start), end.map_or(length, position));
        start..end.max(start)
    };
    if let Some(text) = input(values).as_text() {
        budget.read(text.len().saturating_mul(2))?;
        let range = range(text.chars().count());
        let part: String = text.chars().skip(range.start).take(range.len()).collect();
        return Datum::made(&part, budget);
    }
    let mut items = listed(values, budget)?;
    let range = range(items.len());
    items.truncate(range.end);
    Datum::list(items.split_off(range.start), budget)
}

/// A field of each item.
pub(crate) fn map<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let by = text(values, 1)?.unwrap_or_default();
    let items = listed(values, budget)?.into_iter().map(|item| {
        budget.step()?;
        Ok(field(&item, by))
    });
    Datum::list(items.collect::<Result<_, Trouble>>()?, budget)
}

pub(crate) fn select<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    chosen(values, budget, true)
}

pub(crate) fn reject<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    chosen(values, budget, false)
}

/// The items with a field that is true, or is a certain value; or the others.
fn chosen<'v>(values: &[Datum<'v>], budget: &Budget<'_>, wanted: bool) -> Made<'v> {
    let by = text(values, 1)?.unwrap_or_default();
    let mut chosen = Vec::new();
    for item in listed(values, budget)? {
        budget.step()?;
        let found = field(&item, by);
        let fits = match values.get(2) {
            Some(value) => {
                budget.read(value.size().min(found.size()))?;
                found.same(value)
            }
            None => found.is_true(),
        };
        if fits == wanted {
            chosen.push(item);
        }
    }
    Datum::list(chosen, budget)
}

/// In their order, texts by their code points; of maps, by a field.
pub(crate) fn sort<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let by = text(values, 1)?;
    let items = listed(values, budget)?;
    let mut keyed: Vec<(Datum<'v>, Datum<'v>)> = Vec::with_capacity(items.len());
    for item in items {
        budget.step()?;
        keyed.push((by.map_or_else(|| item.clone(), |by| field(&item, by)), item));
    }
    // What cannot be compared is found before anything is moved.
    if let Some(((first, _), others)) = keyed.split_first()
        && let Some((other, _)) = others.iter().find(|(other, _)| first.compare(other).is_none())
    {
        return Trouble::wrong(format!("{} and {} have no order", first.kind(), other.kind()));
    }
    // Merging looks at each key about once in each of its rounds.
    let rounds = keyed.len().max(2).ilog2() as usize + 1;
    let size = keyed.iter().map(|(key, _)| key.size() + 64).sum::<usize>();
    budget.read(size.saturating_mul(rounds))?;
    keyed.sort_by(|(left, _), (right, _)| left.compare(right).unwrap_or(std::cmp::Ordering::Equal));
    Datum::list(keyed.into_iter().map(|(_, item)| item).collect(), budget)
}

/// Each item once, at its first place.
pub(crate) fn unique<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let mut seen = std::collections::HashSet::new();
    let mut kept = Vec::new();
    for item in listed(values, budget)? {
        budget.read(item.size().saturating_mul(2))?;
        let name = match &item {
            Datum::Data(value) => canonical(*value),
            _ => canonical(Value::from_json(&item.json()).unwrap_or_default().as_ref()),
        };
        budget.made(name.len())?;
        if seen.insert(name) {
            kept.push(item);
        }
    }
    Datum::list(kept, budget)
}

pub(crate) fn min<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    extreme(values, budget, Operator::Less)
}

pub(crate) fn max<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    extreme(values, budget, Operator::More)
}

/// The item that is before, or behind, all others; null where there is none.
fn extreme<'v>(values: &[Datum<'v>], budget: &Budget<'_>, better: Operator) -> Made<'v> {
    let mut items = listed(values, budget)?.into_iter();
    let Some(mut best) = items.next() else {
        return Ok(Datum::Null);
    };
    for item in items {
        budget.step()?;
        if matches!(better.apply(&item, &best, budget)?, Datum::Flag(true)) {
            best = item;
        }
    }
    Ok(best)
}

/// Of numbers; of maps, of a field.
pub(crate) fn sum<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let by = text(values, 1)?;
    let mut sum = Datum::Whole(0);
    for item in listed(values, budget)? {
        budget.step()?;
        let item = by.map_or_else(|| item.clone(), |by| field(&item, by));
        sum = Operator::Add.apply(&sum, &item, budget)?;
    }
    Ok(sum)
}
