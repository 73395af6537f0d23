//! Events that workflows emit: told to the log, and the last ones kept.
//!
//! Invariant: what is kept of a tenant's events is bounded, by their number and by their bytes, and two that are emitted
//! at the same time are both kept, in one order.

use std::time::{SystemTime, UNIX_EPOCH};

use plugin_api::prelude::*;
use plugin_api::reading::{Given, shown};

use crate::given::{cut, map, some, text, whole};

/// The key of the tenant's store under which the last events are: `{"next": N, "events": [...]}`, the oldest first.
pub(crate) const KEY: &str = "metabuilder.events";
/// Events that are kept.
pub(crate) const KEPT: usize = 100;
/// Bytes that they may take together; the oldest go first.
const KEPT_BYTES: usize = 256 << 10;
/// Bytes that the data of one of them may take; what is larger is left out, and its size told.
const DATA_BYTES: usize = 16 << 10;
/// The longest name of an event or a channel.
const MAX_NAME: usize = 256;

/// Emits an event.
pub(crate) fn emit(
    event: Given<'_>,
    channel: Given<'_>,
    data: Given<'_>,
    ctx: &Ctx<'_>,
) -> NodeResult<Value> {
    let event = named(text(event.0, "event")?, "event")?;
    let channel = match some(channel) {
        Some(channel) => Some(named(text(Some(channel), "channel")?, "channel")?),
        None => None,
    };
    let data = data.value();
    let at = ctx
        .wall_clock()
        .map_or_else(Value::null, |now| Value::from(millis(now)));
    let channel = channel.map_or_else(Value::null, Value::from);
    let common = [("event", Value::from(event)), ("channel", channel), ("at", at)];
    let mut told = common.to_vec();
    let bytes = data.raw().len();
    let fits = bytes <= DATA_BYTES;
    told.push(("data", if fits { data.to_value() } else { Value::null() }));
    if !fits {
        told.push(("dataBytes", Value::from(i64::try_from(bytes).unwrap_or(i64::MAX))));
    }
    told.push(("run", Value::from(ctx.run())));
    told.push(("node", Value::from(ctx.node())));
    let sequence = keep(&told, ctx)?;
    ctx.log_with(Level::Info, &format!("event {event}"), &map(&told)?);
    let mut result = vec![("emitted", Value::from(true))];
    result.extend(common);
    result.push(("sequence", Value::from(sequence)));
    map(&result)
}

fn named<'a>(name: &'a str, parameter: &str) -> NodeResult<&'a str> {
    if name.len() <= MAX_NAME && !name.chars().any(char::is_control) {
        return Ok(name);
    }
    Err(NodeError::invalid(
        parameter,
        format_args!(
            "must have at most {MAX_NAME} bytes and no control characters, found `{}`",
            cut(name)
        ),
    ))
}

fn millis(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Puts an event behind those that are kept; gives its number.
fn keep(told: &[(&str, Value)], ctx: &Ctx<'_>) -> NodeResult<i64> {
    let mut number = 0;
    ctx.kv_update(KEY, |kept| {
        let kept = kept.unwrap_or(ValueRef::NULL);
        // Somebody may have written something else under the key: numbers then begin anew.
        number = kept.get("next").and_then(|next| next.as_i64()).unwrap_or(1);
        let mut entries = vec![("sequence", Value::from(number))];
        entries.extend(told.iter().cloned());
        let own = map(&entries)?;
        let before: Vec<ValueRef<'_>> = kept
            .get("events")
            .and_then(|events| events.as_list())
            .into_iter()
            .flatten()
            .collect();
        let mut bytes = own.as_bytes().len();
        let newest_first = before.iter().rev().take(KEPT - 1).take_while(|event| {
            bytes += event.raw().len();
            bytes <= KEPT_BYTES
        });
        let stay = newest_first.count();
        let stay = before.iter().skip(before.len() - stay).copied();
        let events = Value::from_items(stay.chain([own.as_ref()]))?;
        Ok(Some(map(&[
            ("next", Value::from(number.saturating_add(1))),
            ("events", events),
        ])?))
    })?;
    Ok(number)
}

#[parameters]
pub(crate) struct Events<'a> {
    /// Only events of this channel.
    #[serde(default)]
    channel: Given<'a>,
    /// Only events of this name.
    #[serde(default)]
    event: Given<'a>,
    /// Only events with a higher number.
    #[serde(default)]
    #[schemars(extend("type" = ["integer", "null"]))]
    after: Given<'a>,
    /// How many to give at most, the last ones; 100 if missing.
    #[serde(default)]
    #[schemars(extend("type" = ["integer", "null"], "minimum" = 1, "maximum" = 100))]
    limit: Given<'a>,
}

/// Gives the tenant's last events, the oldest first: those that `metabuilder.action` emitted with `emit_event`. At most
/// 100 are kept, under the key `metabuilder.events` of the tenant's store.
#[node(
    id = "metabuilder.events",
    category = "metabuilder",
    effect = "idempotent",
    tags = ["event", "log"],
    example(title = "none yet", input = "{}", output = r#"{"result": []}"#),
    example(title = "of a channel", input = r#"{"channel": "forum:1", "limit": 10}"#, output = r#"{"result": []}"#)
)]
pub(crate) fn events(input: Events<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Vec<Value>>> {
    let filters = [("channel", input.channel), ("event", input.event)];
    for (name, filter) in filters {
        if let Some(filter) = some(filter).filter(|filter| filter.as_str().is_none()) {
            return Err(NodeError::invalid(
                name,
                format_args!("expected a text, found {}", shown(filter)),
            ));
        }
    }
    let after = some(input.after)
        .map(|after| whole(after, "after", 0, i64::MAX))
        .transpose()?;
    let limit = some(input.limit)
        .map(|limit| whole(limit, "limit", 1, KEPT as i64))
        .transpose()?;
    let kept: Option<Value> = ctx.kv_get(KEY)?;
    let kept = kept.unwrap_or_default();
    let all = kept.as_ref().get("events").and_then(|events| events.as_list());
    let wanted = |event: &ValueRef<'_>| {
        let number = event.get("sequence").and_then(|number| number.as_i64());
        after.is_none_or(|after| number.is_some_and(|number| number > after))
            && filters
                .iter()
                .all(|(name, filter)| some(*filter).is_none_or(|filter| event.get(name) == Some(filter)))
    };
    let found: Vec<ValueRef<'_>> = all.into_iter().flatten().filter(wanted).collect();
    let skipped = limit.map_or(0, |limit| {
        found.len().saturating_sub(usize::try_from(limit).unwrap_or(KEPT))
    });
    Ok(answer(
        found.iter().skip(skipped).map(ValueRef::to_value).collect(),
    ))
}
