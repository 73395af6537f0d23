//! What is asked for when a run is to begin.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use patchbay_dispatch::Variables;
use patchbay_executor::Given;
use patchbay_journal::{Replay, TriggerKind};
use patchbay_vocab::{PluginName, RunId, TenantId};
use plugin_api::value::{Value, ValueRef, Writer};

use crate::compiled::Compiled;
use crate::error::RunsError;

/// The tenant of runs that name none.
const DEFAULT_TENANT: &str = "default";

/// A run to begin.
#[derive(Clone, Debug)]
pub struct Order {
    /// The document's text.
    pub text: Arc<str>,
    /// `$json`.
    pub trigger: Value,
    /// Variables over the document's defaults: a map.
    pub variables: Option<Value>,
    /// Whose data it may see; the document's tenant when `None`.
    pub tenant: Option<TenantId>,
    /// `$context.user`.
    pub user: Option<Value>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Versions to run on instead of what is live.
    pub versions: BTreeMap<PluginName, String>,
    /// What starts it.
    pub kind: TriggerKind,
    /// Where it begins: the node's id; where the document says, when `None`.
    pub from: Option<String>,
    /// What it repeats.
    pub(crate) again: Option<Again>,
}

/// What a replay takes over.
#[derive(Clone, Debug)]
pub(crate) struct Again {
    pub(crate) replay: Replay,
    pub(crate) given: Vec<Given>,
}

impl Order {
    /// A run of a document, triggered by an empty map.
    #[must_use]
    pub fn of(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            trigger: empty_map(),
            variables: None,
            tenant: None,
            user: None,
            timeout: None,
            versions: BTreeMap::new(),
            kind: TriggerKind::Manual,
            from: None,
            again: None,
        }
    }
}

pub(crate) fn empty_map() -> Value {
    Value::from_json("{}").unwrap_or_default()
}

pub(crate) fn tenant_of(order: &Order, compiled: &Compiled) -> Result<TenantId, RunsError> {
    match (&order.tenant, &compiled.plan.tenant) {
        (Some(asked), Some(document)) if asked != document => Err(RunsError::OtherTenant {
            document: document.clone(),
            asked: asked.clone(),
        }),
        (Some(tenant), _) | (None, Some(tenant)) => Ok(tenant.clone()),
        (None, None) => DEFAULT_TENANT
            .parse()
            .map_err(|error: patchbay_vocab::BadId| RunsError::Input {
                what: "tenant",
                why: error.to_string(),
            }),
    }
}

pub(crate) fn variables_of(order: &Order, plan: &patchbay_workflow::Plan) -> Result<Variables, RunsError> {
    let bad = |why: &str| RunsError::Input {
        what: "variables",
        why: why.to_owned(),
    };
    let over = |_| bad("there are too many, or one is too large");
    let variables = Variables::from_value(plan.variables.as_ref()).map_err(over)?;
    if let Some(given) = &order.variables {
        let given = given.as_ref().as_map().ok_or_else(|| bad("they are no object"))?;
        for (name, value) in given.iter() {
            variables.set(name, value).map_err(over)?;
        }
    }
    match plan
        .required_variables
        .iter()
        .find(|name| variables.get(name).is_none())
    {
        Some(missing) => Err(RunsError::VariableMissing(missing.to_string())),
        None => Ok(variables),
    }
}

/// `$context` without its variables.
pub(crate) fn context_of(tenant: &TenantId, user: Option<&Value>, run: &RunId) -> Value {
    let mut out = Vec::new();
    let id = user
        .and_then(|user| user.as_ref().get("id"))
        .unwrap_or(ValueRef::NULL);
    let written = Writer::new(&mut out).map(|map| {
        map.entry("tenantId", |writer| writer.str(tenant.as_str()))?;
        map.entry("userId", |writer| writer.value(id))?;
        map.entry("user", |writer| {
            writer.value(user.map_or(ValueRef::NULL, Value::as_ref))
        })?;
        map.entry("executionId", |writer| writer.str(run.as_str()))
    });
    written.map_or_else(|_| empty_map(), |()| ValueRef::assume_valid(&out).to_value())
}
