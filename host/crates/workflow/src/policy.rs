//! What happens when a node fails: resolved from the node, the workflow and the defaults.
//!
//! Invariant: equal policies of one document are one allocation.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use plugin_api::value::{Kind, ValueRef};

use crate::field::{Object, number, whole, wrong};
use crate::graph::{Graph, NodeDraft};
use crate::notes::{Notes, Place, Shown};
use crate::types::TypeTable;
use crate::{Backoff, OnError, Policy, Recovery, Retry, code};

/// More tries than this are refused.
const MOST_TRIES: u64 = 1_000;

const DEFAULT_CODES: [&str; 2] = ["TIMEOUT", "TEMPORARY_FAILURE"];
const DEFAULT_STATUSES: [u16; 6] = [408, 429, 500, 502, 503, 504];

const RETRY_FIELDS: [&str; 8] = [
    "enabled",
    "maxAttempts",
    "backoffType",
    "initialDelay",
    "maxDelay",
    "retryableErrors",
    "retryableStatusCodes",
    "jitter",
];

/// What a `retryPolicy` says.
#[derive(Default)]
struct RetryDraft {
    enabled: Option<bool>,
    attempts: Option<u32>,
    backoff: Option<Backoff>,
    initial: Option<Duration>,
    most: Option<Duration>,
    codes: Option<Box<[Box<str>]>>,
    statuses: Option<Box<[u16]>>,
    jitter: Option<f64>,
}

/// What a workflow says of all its nodes.
pub(crate) struct Defaults {
    retry: RetryDraft,
    recovery: Option<Recovery>,
    on_error: Option<OnError>,
    overrides: HashMap<String, OnError>,
    /// Policies by how they print: they hold floats, which have no hash.
    shared: HashMap<String, Arc<Policy>>,
}

/// Reads what the workflow says.
pub(crate) fn defaults(
    workflow: &Object<'_, '_>,
    graph: &Graph<'_>,
    types: &mut TypeTable,
    notes: &mut Notes<'_>,
) -> Defaults {
    let handling = workflow.object("errorHandling", notes);
    handling.unknown(
        &[&[
            "default",
            "nodeOverrides",
            "errorLogger",
            "errorNotification",
            "notifyChannels",
        ]],
        notes,
    );
    handling.unsupported(&["errorLogger", "errorNotification", "notifyChannels"], notes);
    let mut overrides = HashMap::new();
    let listed = handling.object("nodeOverrides", notes);
    for (name, value) in listed.map.into_iter().flatten() {
        let place = listed.place.key(name, value);
        let Some(node) = graph.find(name).and_then(|node| graph.nodes.get(node as usize)) else {
            let hint = graph.suggestion(name, notes);
            notes.warning(
                code::UNKNOWN_REFERENCE,
                &place,
                format_args!("no node is called `{}`", Shown(name)),
                &hint,
            );
            continue;
        };
        if let Some(on_error) = on_error(value, &place, notes) {
            overrides.insert(node.id.to_string(), on_error);
        }
    }
    Defaults {
        retry: retry(&workflow.object("retryPolicy", notes), notes),
        recovery: recovery(&workflow.object("errorRecovery", notes), types, notes),
        on_error: handling
            .get("default")
            .and_then(|value| on_error(value, &handling.place.key("default", value), notes)),
        overrides,
        shared: HashMap::new(),
    }
}

/// What a node's policy is.
pub(crate) fn resolve(
    node: &NodeDraft<'_>,
    object: &Object<'_, '_>,
    defaults: &mut Defaults,
    types: &mut TypeTable,
    notes: &mut Notes<'_>,
) -> Arc<Policy> {
    let own = retry(&object.object("retryPolicy", notes), notes);
    let on_fail = object.flag("retryOnFail", notes);
    let max_tries = object
        .whole("maxTries", 1, MOST_TRIES, notes)
        .and_then(|tries| u32::try_from(tries).ok());
    let fixed = object.time("waitBetweenTries", 1.0, 0.0, notes);
    let continues = [
        object.flag("continueOnError", notes),
        object.flag("continueOnFail", notes),
    ];
    let written = object
        .get("onError")
        .and_then(|value| on_error(value, &object.place.key("onError", value), notes));
    let on_error = written
        .or_else(|| {
            continues
                .contains(&Some(true))
                .then_some(OnError::ContinueRegular)
        })
        .or_else(|| defaults.overrides.get(&*node.id).copied())
        .or(defaults.on_error)
        .unwrap_or(OnError::Stop);
    let recovery = recovery(&object.object("errorRecoveryStrategy", notes), types, notes)
        .or_else(|| defaults.recovery.clone());
    let policy = Policy {
        retry: merge(own, &defaults.retry, max_tries, on_fail, fixed),
        recovery,
        on_error,
        timeout: timeout(object, notes),
    };
    let shared = defaults
        .shared
        .entry(format!("{policy:?}"))
        .or_insert_with(|| Arc::new(policy));
    Arc::clone(shared)
}

fn merge(
    own: RetryDraft,
    workflow: &RetryDraft,
    max_tries: Option<u32>,
    on_fail: Option<bool>,
    fixed: Option<Duration>,
) -> Retry {
    // A node that says how often it is tried is not silenced by what the workflow says of all nodes.
    let said = max_tries.or(own.attempts);
    let tries = match (own.enabled, on_fail) {
        (Some(false), _) | (_, Some(false)) => 1,
        (own_enabled, on_fail) => said
            .or_else(|| {
                let enabled = own_enabled.or(workflow.enabled).unwrap_or(true);
                workflow.attempts.filter(|_| enabled)
            })
            // What the switch alone means where it comes from.
            .unwrap_or(if on_fail == Some(true) { 3 } else { 1 }),
    };
    Retry {
        tries,
        backoff: own.backoff.or(workflow.backoff).unwrap_or(Backoff::Exponential),
        initial: own.initial.or(workflow.initial).unwrap_or(Duration::from_secs(1)),
        most: own.most.or(workflow.most).unwrap_or(Duration::from_secs(60)),
        fixed,
        jitter: own.jitter.or(workflow.jitter).unwrap_or(0.0),
        codes: own
            .codes
            .or_else(|| workflow.codes.clone())
            .unwrap_or_else(|| DEFAULT_CODES.map(Into::into).into()),
        statuses: own
            .statuses
            .or_else(|| workflow.statuses.clone())
            .unwrap_or_else(|| DEFAULT_STATUSES.into()),
    }
}

fn retry(object: &Object<'_, '_>, notes: &mut Notes<'_>) -> RetryDraft {
    object.unknown(&[&RETRY_FIELDS], notes);
    let backoff = object.text("backoffType", notes).and_then(|text| {
        let known = match text {
            "linear" => Some(Backoff::Linear),
            "exponential" => Some(Backoff::Exponential),
            "fibonacci" => Some(Backoff::Fibonacci),
            _ => None,
        };
        if known.is_none()
            && let Some(value) = object.get("backoffType")
        {
            wrong(
                notes,
                &object.place.key("backoffType", value),
                value,
                "`linear`, `exponential` or `fibonacci`",
            );
        }
        known
    });
    RetryDraft {
        enabled: object.flag("enabled", notes),
        attempts: object
            .whole("maxAttempts", 1, MOST_TRIES, notes)
            .and_then(|attempts| u32::try_from(attempts).ok()),
        backoff,
        initial: object.time("initialDelay", 1.0, 0.0, notes),
        most: object.time("maxDelay", 1.0, 0.0, notes),
        codes: object
            .texts("retryableErrors", notes)
            .map(|codes| codes.into_iter().map(Into::into).collect()),
        statuses: statuses(object, notes),
        jitter: jitter(object, notes),
    }
}

fn statuses(object: &Object<'_, '_>, notes: &mut Notes<'_>) -> Option<Box<[u16]>> {
    let value = object.get("retryableStatusCodes")?;
    let statuses = value.as_list().and_then(|list| {
        list.iter()
            .map(|item| whole(item).and_then(|status| u16::try_from(status).ok()))
            .collect()
    });
    if statuses.is_none() {
        wrong(
            notes,
            &object.place.key("retryableStatusCodes", value),
            value,
            "a list of status codes",
        );
    }
    statuses
}

fn jitter(object: &Object<'_, '_>, notes: &mut Notes<'_>) -> Option<f64> {
    let value = object.get("jitter")?;
    if let Some(flag) = value.as_bool() {
        return Some(if flag { 0.1 } else { 0.0 });
    }
    let share = number(value).filter(|share| (0.0..=1.0).contains(share));
    if share.is_none() {
        wrong(
            notes,
            &object.place.key("jitter", value),
            value,
            "true, false or a number from 0 to 1",
        );
    }
    share
}

fn on_error(value: ValueRef<'_>, place: &Place<'_>, notes: &mut Notes<'_>) -> Option<OnError> {
    let known = match value.as_str() {
        Some("stopWorkflow" | "stop") => Some(OnError::Stop),
        Some("continueRegularOutput" | "continue") => Some(OnError::ContinueRegular),
        Some("continueErrorOutput") => Some(OnError::ContinueError),
        Some("skip") => Some(OnError::Skip),
        _ => None,
    };
    if known.is_none() {
        wrong(
            notes,
            place,
            value,
            "`stopWorkflow`, `continueRegularOutput`, `continueErrorOutput` or `skip`",
        );
    }
    known
}

fn recovery(object: &Object<'_, '_>, types: &mut TypeTable, notes: &mut Notes<'_>) -> Option<Recovery> {
    object.unknown(
        &[&[
            "strategy",
            "fallbackNodeType",
            "allowPartialOutput",
            "maxRetries",
            "retryDelay",
        ]],
        notes,
    );
    let fallback = object.text("fallbackNodeType", notes);
    let partial_output = object.flag("allowPartialOutput", notes).unwrap_or(false);
    let tries = object.whole("maxRetries", 0, MOST_TRIES, notes);
    let delay = object.time("retryDelay", 1.0, 0.0, notes);
    let map = object.map?;
    let strategy = map.get("strategy").filter(|value| !value.is_null());
    match strategy.and_then(|strategy| strategy.as_str()) {
        Some("fallback") => {
            if fallback == Some("previousVersion") {
                return Some(Recovery::PreviousVersion);
            }
            if fallback.is_none() {
                notes.warning(
                    code::UNKNOWN_FALLBACK,
                    &object.place.absent("fallbackNodeType"),
                    format_args!("the fallback names no node type"),
                    "write `fallbackNodeType`",
                );
            }
            Some(Recovery::Fallback(fallback.map(|name| types.index(name))))
        }
        Some("previousVersion") => Some(Recovery::PreviousVersion),
        Some("skip") => Some(Recovery::Skip { partial_output }),
        Some("retry") => Some(Recovery::Retry {
            tries: tries.and_then(|tries| u32::try_from(tries).ok()).unwrap_or(1),
            delay: delay.unwrap_or(Duration::from_secs(1)),
        }),
        Some("fail") => Some(Recovery::Fail),
        _ => {
            let place = object.place.field("strategy", strategy);
            let expected = "`fallback`, `previousVersion`, `skip`, `retry` or `fail`";
            match strategy {
                Some(value) => wrong(notes, &place, value, expected),
                None => notes.error(
                    code::INVALID_FIELD,
                    &place,
                    format_args!("the recovery has no strategy"),
                    &format!("write {expected}"),
                ),
            }
            None
        }
    }
}

fn timeout(object: &Object<'_, '_>, notes: &mut Notes<'_>) -> Option<Duration> {
    let value = object.get("timeout")?;
    let place = object.place.key("timeout", value);
    let Some(millis) = number(value).filter(|millis| value.kind() != Kind::Str && *millis > 0.0) else {
        wrong(notes, &place, value, "a number of milliseconds greater than 0");
        return None;
    };
    let time = object.time("timeout", 1.0, 0.0, notes)?;
    if millis < 1_000.0 {
        notes.warning(
            code::TIMEOUT_TOO_SHORT,
            &place,
            format_args!("the timeout is less than a second: it is in milliseconds"),
            "write 30000 for 30 seconds",
        );
    } else if millis > 3_600_000.0 {
        notes.warning(
            code::TIMEOUT_TOO_LONG,
            &place,
            format_args!("the timeout is more than an hour: it is in milliseconds"),
            "write a shorter one",
        );
    }
    Some(time)
}
