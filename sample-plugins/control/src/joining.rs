//! Many ways into one: what arrived at the inputs becomes one value.

use std::collections::HashMap;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Given, Whole, canonical, excerpt};
use plugin_api::value::Kind;

/// Inputs that are looked at.
const MOST_INPUTS: u32 = 64;

/// How to make one value of several.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Mode {
    /// One list after the other; a value that is no list is one item.
    #[default]
    Append,
    /// Items that belong together become one map: those with the same value under `key`, or, without a key, those at the
    /// same place. An item that nothing belongs to stays as it is.
    #[serde(alias = "mergeByKey", alias = "mergeByPosition")]
    Combine,
    /// The value of one input.
    #[serde(alias = "chooseBranch")]
    Pick,
    /// One map with all entries; of entries with the same key the last one stays.
    #[serde(alias = "merge")]
    Object,
}

#[parameters]
pub(crate) struct Merge<'a> {
    /// How.
    #[serde(default)]
    mode: Mode,
    /// The field by which `combine` finds what belongs together.
    #[serde(default, alias = "field")]
    #[schemars(length(max = 1_000))]
    key: Option<&'a str>,
    /// Which input `pick` takes, from 0; the first at which something arrived, if missing.
    #[serde(default, alias = "input")]
    #[schemars(range(min = 0))]
    index: Option<Whole>,
    /// The field of an arrived map that is meant instead of the map, where it has one; the empty text for none.
    #[serde(default)]
    #[schemars(extend("default" = "result"), length(max = 1_000))]
    take: Option<&'a str>,
    /// The values to merge, one for each input, instead of what arrived.
    #[serde(default)]
    #[schemars(extend("type" = ["array", "null"]))]
    inputs: Given<'a>,
}

/// Makes one value of those that arrived at the inputs, in the order of the inputs and, at each, of the edges.
#[node(
    id = "merge",
    aliases = ["control.merge"],
    category = "control",
    effect = "idempotent",
    tags = ["join", "list", "map"],
    example(
        title = "lists",
        input = r#"{"inputs": [[1, 2], {"result": [3]}, 4]}"#,
        output = r#"{"result": [1, 2, 3, 4]}"#
    ),
    example(
        title = "by key",
        input = r#"{"mode": "combine", "key": "id", "inputs": [[{"id": 1, "a": 2}], [{"id": 1, "b": 3}, {"id": 4}]]}"#,
        output = r#"{"result": [{"id": 1, "a": 2, "b": 3}, {"id": 4}]}"#
    ),
    example(
        title = "maps",
        input = r#"{"mode": "object", "inputs": [{"a": 1, "b": 1}, {"b": 2}]}"#,
        output = r#"{"result": {"a": 1, "b": 2}}"#
    )
)]
pub(crate) fn merge(input: Merge<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Value>> {
    let arrived = match input.inputs.0.filter(|inputs| !inputs.is_null()) {
        None => arrived(ctx)?,
        Some(inputs) => {
            let wrong = || {
                NodeError::invalid(
                    "inputs",
                    format_args!("expected a list, found {}", excerpt(inputs)),
                )
            };
            let values = inputs.as_list().ok_or_else(wrong)?;
            (0..)
                .zip(values)
                .map(|(index, value)| (index, value.to_value()))
                .collect()
        }
    };
    let field = input.take.unwrap_or("result");
    let meant = arrived.iter().map(|(index, value)| {
        let value = value.as_ref();
        (*index, value.get(field).unwrap_or(value))
    });
    let meant: Vec<(u32, ValueRef<'_>)> = meant.collect();
    let result = match input.mode {
        Mode::Append => Value::from_items(meant.iter().flat_map(|(_, value)| Items::of(*value)))?,
        Mode::Combine => combine(&meant, input.key.filter(|key| !key.is_empty()))?,
        Mode::Pick => pick(&meant, input.index)?,
        Mode::Object => object(&meant)?,
    };
    Ok(answer(result))
}

/// Outside a workflow nothing arrives, so that `parameter` is missing.
pub(crate) fn unarrived(error: NodeError, parameter: &str) -> NodeError {
    if error.code != code::UNSUPPORTED {
        return error;
    }
    NodeError::invalid(parameter, "is missing, and nothing arrives outside a workflow")
}

fn arrived(ctx: &Ctx<'_>) -> NodeResult<Vec<(u32, Value)>> {
    let mut arrived = Vec::new();
    for index in 0..MOST_INPUTS {
        let values = ctx.inputs(index).map_err(|error| unarrived(error, "inputs"))?;
        arrived.extend(values.into_iter().map(|value| (index, value)));
    }
    Ok(arrived)
}

/// The items of a list, or the value alone.
enum Items<'a> {
    Many(plugin_api::value::ListIter<'a>),
    One(Option<ValueRef<'a>>),
}

impl<'a> Items<'a> {
    fn of(value: ValueRef<'a>) -> Self {
        value
            .as_list()
            .map_or(Self::One(Some(value)), |list| Self::Many(list.iter()))
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = ValueRef<'a>;

    fn next(&mut self) -> Option<ValueRef<'a>> {
        match self {
            Self::Many(items) => items.next(),
            Self::One(value) => value.take(),
        }
    }
}

fn combine(arrived: &[(u32, ValueRef<'_>)], key: Option<&str>) -> NodeResult<Value> {
    let mut groups: Vec<Vec<ValueRef<'_>>> = Vec::new();
    let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
    for (index, value) in arrived {
        // What came with the same list does not belong together, whatever its key.
        let (before, mut new) = (groups.len(), Vec::new());
        for (place, item) in Items::of(*value).enumerate() {
            if item.as_map().is_none() {
                let why = format_args!(
                    "`combine` needs maps, but item {place} of input {index} is {}",
                    excerpt(item)
                );
                return Err(NodeError::invalid("mode", why));
            }
            let name = key.and_then(|key| item.get(key)).map(canonical);
            let group = match (key, &name) {
                (None, _) => Some(place).filter(|place| *place < before),
                (Some(_), name) => name.as_ref().and_then(|name| known.get(name).copied()),
            };
            match group.and_then(|group| groups.get_mut(group)) {
                Some(group) => group.push(item),
                None => {
                    new.extend(name.map(|name| (name, groups.len())));
                    groups.push(vec![item]);
                }
            }
        }
        for (name, group) in new {
            known.entry(name).or_insert(group);
        }
    }
    let merged = groups
        .iter()
        .map(|group| united(group))
        .collect::<NodeResult<Vec<_>>>()?;
    Ok(Value::from_items(merged.iter().map(Value::as_ref))?)
}

/// One map of the entries of all; of those with the same key the last value, at the place of the first.
fn united(maps: &[ValueRef<'_>]) -> NodeResult<Value> {
    let mut entries: Vec<(&str, ValueRef<'_>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (key, value) in maps.iter().filter_map(ValueRef::as_map).flatten() {
        let place = *places.entry(key).or_insert(entries.len());
        match entries.get_mut(place) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }
    Ok(Value::from_pairs(entries)?)
}

fn pick(arrived: &[(u32, ValueRef<'_>)], index: Option<Whole>) -> NodeResult<Value> {
    let mut candidates = arrived.iter();
    let picked = match index {
        None => candidates.next(),
        Some(index) => candidates.find(|(arrived, _)| i64::from(*arrived) == index.0),
    };
    match (picked, index) {
        (Some((_, value)), _) => Ok(value.to_value()),
        (None, Some(index)) => Err(NodeError::invalid(
            "index",
            format_args!("nothing arrived at input {}", index.0),
        )),
        (None, None) => Ok(Value::null()),
    }
}

fn object(arrived: &[(u32, ValueRef<'_>)]) -> NodeResult<Value> {
    let mut maps = Vec::new();
    for (index, value) in arrived {
        match value.kind() {
            Kind::Map => maps.push(*value),
            Kind::Null => {}
            _ => {
                let why = format_args!("`object` needs maps, but input {index} has {}", excerpt(*value));
                return Err(NodeError::invalid("mode", why));
            }
        }
    }
    united(&maps)
}
