//! What a document says of its runs as a whole.
//!
//! Invariant: a setting that is written is enforced, or there is a finding that says it is not.

use std::time::Duration;

use plugin_api::value::{Value, Writer};

use crate::field::{Object, wrong};
use crate::notes::Notes;
use crate::{Limits, RateLimit, SavePolicy, WhenLimited, code};

/// Fields of a workflow that are read here or elsewhere, or that are for people alone.
const FIELDS: [&str; 36] = [
    "$schema",
    "id",
    "name",
    "version",
    "versionId",
    "tenantId",
    "nodes",
    "connections",
    "triggers",
    "variables",
    "settings",
    "errorHandling",
    "errorRecovery",
    "retryPolicy",
    "rateLimiting",
    "credentials",
    "executionLimits",
    "executionTimeout",
    "multiTenancy",
    "metadata",
    "active",
    "locked",
    "meta",
    "description",
    "tags",
    "category",
    "createdBy",
    "createdAt",
    "updatedAt",
    "versionHistory",
    "staticData",
    "pinData",
    "startNode",
    "inputs",
    "outputs",
    "packageId",
];

const SETTINGS: [&str; 19] = [
    "timezone",
    "executionTimeout",
    "maxConcurrentExecutions",
    "maxConcurrentNodes",
    "saveExecutionData",
    "saveDataErrorExecution",
    "saveDataSuccessExecution",
    "saveExecutionProgress",
    "saveManualExecutions",
    "executionOrder",
    "debugMode",
    "enableNotifications",
    "notificationChannels",
    "errorWorkflow",
    "callerPolicy",
    "callerIds",
    "availableInMCP",
    "timeSavedPerExecution",
    "templateCredsSetupCompleted",
];

/// Fields that say nothing of a run where a workflow is inside of another.
const UNSUPPORTED: [&str; 4] = ["locked", "staticData", "pinData", "startNode"];

/// Notes what is unknown or not enforced of a workflow's own fields.
pub(crate) fn fields(workflow: &Object<'_, '_>, notes: &mut Notes<'_>) {
    workflow.unknown(&[&FIELDS], notes);
    workflow.unsupported(&UNSUPPORTED, notes);
    let settings = workflow.object("settings", notes);
    settings.unknown(&[&SETTINGS], notes);
    settings.unsupported(
        &[
            "debugMode",
            "enableNotifications",
            "notificationChannels",
            "errorWorkflow",
            "callerPolicy",
            "callerIds",
            "availableInMCP",
        ],
        notes,
    );
    let tenancy = workflow.object("multiTenancy", notes);
    tenancy.unknown(
        &[&[
            "enforced",
            "tenantIdField",
            "restrictNodeTypes",
            "allowCrossTenantAccess",
            "auditLogging",
        ]],
        notes,
    );
    tenancy.unsupported(&["allowCrossTenantAccess", "auditLogging"], notes);
    if tenancy
        .text("tenantIdField", notes)
        .is_some_and(|field| field != "tenantId")
    {
        tenancy.unsupported(&["tenantIdField"], notes);
    }
}

/// Node types that the document itself forbids.
pub(crate) fn restricted<'a>(workflow: &Object<'a, '_>, notes: &mut Notes<'_>) -> Vec<&'a str> {
    let tenancy = workflow.object("multiTenancy", notes);
    let types = tenancy.texts("restrictNodeTypes", notes).unwrap_or_default();
    match tenancy.flag("enforced", notes) {
        Some(true) => types,
        _ => {
            if !types.is_empty() {
                notes.warning(
                    code::UNSUPPORTED_SETTING,
                    &tenancy
                        .place
                        .field("restrictNodeTypes", tenancy.get("restrictNodeTypes")),
                    format_args!("`restrictNodeTypes` counts only where `enforced` is true"),
                    "write `enforced: true`, or remove the list",
                );
            }
            Vec::new()
        }
    }
}

/// What a run may take.
pub(crate) fn limits(workflow: &Object<'_, '_>, notes: &mut Notes<'_>) -> Limits {
    const MEBI: f64 = 1_048_576.0;
    let settings = workflow.object("settings", notes);
    let limits = workflow.object("executionLimits", notes);
    limits.unknown(
        &[&[
            "maxExecutionTime",
            "maxNodeExecutions",
            "maxDataSizeMb",
            "maxArrayItems",
            "maxMemoryMb",
        ]],
        notes,
    );
    limits.unsupported(&["maxMemoryMb"], notes);
    // -1 is how some files write that there is no limit.
    let endless = |object: &Object<'_, '_>, key: &str| object.get(key).and_then(|v| v.as_i64()) == Some(-1);
    let seconds = |object: &Object<'_, '_>, key: &str, notes: &mut Notes<'_>| {
        if endless(object, key) {
            return None;
        }
        object
            .time(key, 1_000.0, 0.0, notes)
            .filter(|time| !time.is_zero())
    };
    let times = [
        seconds(workflow, "executionTimeout", notes),
        seconds(&settings, "executionTimeout", notes),
        seconds(&limits, "maxExecutionTime", notes),
    ];
    let megabytes = limits.get("maxDataSizeMb").and_then(|value| {
        let megabytes = crate::field::number(value).filter(|size| *size > 0.0 && *size <= 1_048_576.0);
        if megabytes.is_none() {
            wrong(
                notes,
                &limits.place.key("maxDataSizeMb", value),
                value,
                "a number of megabytes greater than 0",
            );
        }
        megabytes
    });
    let concurrent = |key: &str, notes: &mut Notes<'_>| {
        settings
            .whole(key, 1, 1_000_000, notes)
            .and_then(|number| u32::try_from(number).ok())
    };
    Limits {
        time: times.into_iter().flatten().min(),
        executions: limits.whole("maxNodeExecutions", 1, u64::MAX >> 11, notes),
        output_bytes: None,
        total_bytes: megabytes.map(|size| (size * MEBI) as u64),
        array_items: limits.whole("maxArrayItems", 0, u64::MAX >> 11, notes),
        concurrent_runs: concurrent("maxConcurrentExecutions", notes),
        concurrent_nodes: concurrent("maxConcurrentNodes", notes),
    }
}

/// How often the workflow may run.
pub(crate) fn rate(workflow: &Object<'_, '_>, notes: &mut Notes<'_>) -> Option<RateLimit> {
    let rate = workflow.object("rateLimiting", notes);
    rate.unknown(
        &[&[
            "enabled",
            "requestsPerWindow",
            "windowSeconds",
            "windowMs",
            "key",
            "keyTemplate",
            "onLimitExceeded",
        ]],
        notes,
    );
    rate.map?;
    let enabled = rate.flag("enabled", notes).unwrap_or(true);
    let requests = rate
        .whole("requestsPerWindow", 1, 1_000_000_000, notes)
        .and_then(|number| u32::try_from(number).ok());
    let window = rate
        .time("windowMs", 1.0, 1.0, notes)
        .or_else(|| rate.time("windowSeconds", 1_000.0, 0.001, notes))
        .unwrap_or(Duration::from_secs(60));
    let key = rate
        .text("keyTemplate", notes)
        .or_else(|| rate.text("key", notes))
        .unwrap_or("tenant");
    let when_limited = match rate.text("onLimitExceeded", notes) {
        None | Some("reject") => Some(WhenLimited::Reject),
        Some("queue") => Some(WhenLimited::Queue),
        Some(_) => None,
    };
    if when_limited.is_none()
        && let Some(value) = rate.get("onLimitExceeded")
    {
        wrong(
            notes,
            &rate.place.key("onLimitExceeded", value),
            value,
            "`queue` or `reject`",
        );
    }
    if !enabled {
        return None;
    }
    if requests.is_none() && rate.get("requestsPerWindow").is_none() {
        notes.error(
            code::INVALID_FIELD,
            &rate.place.absent("requestsPerWindow"),
            format_args!("the rate limit has no number of runs"),
            "write `requestsPerWindow`, or `enabled: false`",
        );
    }
    Some(RateLimit {
        requests: requests?,
        window,
        key: key.to_owned(),
        when_limited: when_limited?,
    })
}

/// Which runs are kept.
pub(crate) fn save(workflow: &Object<'_, '_>, notes: &mut Notes<'_>) -> SavePolicy {
    let settings = workflow.object("settings", notes);
    let mut kept = |key: &str| {
        let text = settings.get(key)?;
        match (text.as_str(), text.as_bool()) {
            (Some("all" | "always" | "DEFAULT"), _) | (_, Some(true)) => Some(true),
            (Some("none" | "never"), _) | (_, Some(false)) => Some(false),
            _ => {
                wrong(notes, &settings.place.key(key, text), text, "`all` or `none`");
                None
            }
        }
    };
    let contents = kept("saveExecutionData").unwrap_or(true);
    let policy = SavePolicy {
        success: kept("saveDataSuccessExecution").unwrap_or(true),
        failure: kept("saveDataErrorExecution").unwrap_or(true),
        contents,
    };
    if kept("saveExecutionProgress") == Some(false) {
        not_off(&settings, "saveExecutionProgress", notes);
    }
    if settings.get("saveManualExecutions").and_then(|v| v.as_bool()) == Some(false) {
        not_off(&settings, "saveManualExecutions", notes);
    }
    policy
}

fn not_off(settings: &Object<'_, '_>, key: &str, notes: &mut Notes<'_>) {
    notes.warning(
        code::UNSUPPORTED_SETTING,
        &settings.place.field(key, settings.get(key)),
        format_args!("`{key}` cannot be switched off by itself"),
        "write `saveExecutionData: \"none\"` to keep no inputs and outputs",
    );
}

/// `$workflow` without its variables.
pub(crate) fn about(id: &str, name: &str, active: bool) -> Value {
    let mut out = Vec::new();
    let written = Writer::new(&mut out).map(|map| {
        map.entry("id", |w| w.str(id))?;
        map.entry("name", |w| w.str(name))?;
        map.entry("active", |w| w.bool(active))
    });
    written
        .and_then(|()| Value::from_encoded(out))
        .unwrap_or_default()
}

/// A map without entries.
pub(crate) fn empty_map() -> Value {
    Value::from_json("{}").unwrap_or_default()
}

/// Whether the document asks for strict separation of tenants.
pub(crate) fn is_enforced(workflow: &Object<'_, '_>) -> bool {
    let enforced = workflow
        .get("multiTenancy")
        .and_then(|tenancy| tenancy.get("enforced"));
    enforced.and_then(|enforced| enforced.as_bool()) == Some(true)
}
