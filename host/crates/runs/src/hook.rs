//! Webhooks: what a request is to a run, and what a run answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_journal::TriggerKind as Kind;
use patchbay_vocab::RunId;
use patchbay_wire as wire;
use patchbay_workflow::TriggerKind;
use plugin_api::value::{Value, ValueRef, Writer};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::begun::Begun;
use crate::config::Triggers;
use crate::error::RunsError;
use crate::order::Order;
use crate::runs::Runs;

/// A request to a webhook.
#[derive(Clone, Debug, Default)]
pub struct Hook {
    /// Upper case.
    pub method: String,
    /// Below `/api/v1/hooks`, with a leading slash.
    pub path: String,
    /// Names and values of the query.
    pub query: Vec<(String, String)>,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: HookBody,
}

/// The body of a request to a webhook.
#[derive(Clone, Debug, Default)]
pub enum HookBody {
    /// There is none.
    #[default]
    None,
    /// It says that it is JSON.
    Json(String),
    /// It is any other text.
    Text(String),
}

impl HookBody {
    fn value(&self) -> Result<Option<Value>, RunsError> {
        match self {
            Self::None => Ok(None),
            Self::Text(text) => Ok(Some(Value::from(text.as_str()))),
            Self::Json(text) => Value::from_json(text)
                .map(Some)
                .map_err(|error| RunsError::Input {
                    what: "the body",
                    why: error.to_string(),
                }),
        }
    }
}

/// What a webhook answers.
#[derive(Clone, Debug)]
pub struct HookReply {
    /// The HTTP status.
    pub status: u16,
    /// Headers that the workflow set.
    pub headers: Vec<(String, String)>,
    /// The body, JSON.
    pub body: String,
}

impl Runs {
    /// Begins the run that a webhook starts; [`HookReply::of`] says what to answer when it has ended.
    ///
    /// # Errors
    /// When webhooks start nothing, no active workflow has that webhook, or its run could not begin.
    pub fn begin_hook(self: &Arc<Self>, hook: &Hook) -> Result<Begun, RunsError> {
        if self.config.triggers == Triggers::Off {
            return Err(RunsError::TriggersOff);
        }
        let wanted = hook.path.trim_matches('/');
        let found = self.shelf.find_active(|plan| {
            let trigger = plan.triggers.iter().find(|trigger| match &trigger.kind {
                TriggerKind::Webhook { path, methods } => {
                    trigger.enabled && path.trim_matches('/') == wanted && methods.contains(&hook.method)
                }
                _ => false,
            })?;
            Some(plan.nodes.get(trigger.node as usize)?.id.clone())
        });
        let Some((text, node)) = found else {
            return Err(RunsError::NoHook {
                method: hook.method.chars().take(16).collect(),
                path: hook.path.chars().take(200).collect(),
            });
        };
        let order = Order {
            kind: Kind::Webhook,
            from: Some(node.as_str().to_owned()),
            trigger: request(hook, hook.body.value()?.as_ref()),
            ..Order::of(text)
        };
        self.begin(order)
    }
}

/// `$json` of a run that a request starts: the fields of its body, and the rest of it under `$request`. A body that is no
/// object is in the field `body`.
fn request(hook: &Hook, body: Option<&Value>) -> Value {
    let mut out = Vec::new();
    let pairs = |pairs: &[(String, String)]| {
        // Of a name that comes twice the last value counts.
        let map: BTreeMap<String, String> = pairs.iter().cloned().collect();
        map
    };
    let written = Writer::new(&mut out).map(|map| {
        match body.map(|body| (body, body.as_ref().as_map())) {
            Some((_, Some(fields))) => {
                for (key, value) in fields.iter().filter(|(key, _)| *key != "$request") {
                    map.entry(key, |writer| writer.value(value))?;
                }
            }
            Some((body, None)) => map.entry("body", |writer| writer.value(body.as_ref()))?,
            None => {}
        }
        map.entry("$request", |writer| {
            writer.map(|request| {
                request.entry("method", |writer| writer.str(&hook.method))?;
                request.entry("path", |writer| writer.str(&hook.path))?;
                for (name, of) in [("query", pairs(&hook.query)), ("headers", pairs(&hook.headers))] {
                    request.entry(name, |writer| {
                        writer.map(|fields| {
                            for (key, value) in &of {
                                fields.entry(key, |writer| writer.str(value))?;
                            }
                            Ok(())
                        })
                    })?;
                }
                Ok(())
            })
        })
    });
    written.map_or_else(|_| Value::null(), |()| ValueRef::assume_valid(&out).to_value())
}

impl HookReply {
    /// What a run that a request started answers: what its `webhook-response` node says, or another that answers requests,
    /// else its result.
    #[must_use]
    pub fn of(view: &wire::RunView) -> Self {
        reply(view)
    }
}

/// Whether a node of this type says what the request that started its workflow is answered: `statusCode`, `headers` and
/// `body`.
fn may_answer(node_type: &str) -> bool {
    matches!(node_type, "webhook-response" | "n8n-nodes-base.respondToWebhook")
        || node_type.starts_with("packagerepo.respond")
        || also_does_else(node_type)
}

/// Whether a node of this type answers only when its output has a status.
fn also_does_else(node_type: &str) -> bool {
    matches!(node_type, "action" | "metabuilder.action")
}

fn reply(view: &wire::RunView) -> HookReply {
    let mut outputs = view.state.values().filter_map(|node| {
        let may = node.status == "success" && may_answer(&node.node_type);
        let output = Value::from_json(node.output.as_deref().filter(|_| may)?.get()).ok()?;
        (!also_does_else(&node.node_type) || output.as_ref().get("statusCode").is_some()).then_some(output)
    });
    if let Some(output) = outputs.next() {
        let output = output.as_ref();
        let status = output.get("statusCode").and_then(|status| status.as_i64());
        let headers = output.get("headers").and_then(|headers| headers.as_map());
        let headers = headers
            .iter()
            .flat_map(plugin_api::value::MapRef::iter)
            .filter_map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned())));
        return HookReply {
            status: status
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| (200..600).contains(status))
                .unwrap_or(200),
            headers: headers.collect(),
            body: output.get("body").unwrap_or(ValueRef::NULL).to_json(),
        };
    }
    let body = Unanswered {
        run_id: &view.run_id,
        status: &view.status,
        result: &view.result,
        error: view.error.as_ref(),
    };
    HookReply {
        status: if view.status == "success" { 200 } else { 500 },
        headers: Vec::new(),
        body: serde_json::to_string(&body).unwrap_or_default(),
    }
}

/// What a request gets when no node answers it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Unanswered<'a> {
    run_id: &'a RunId,
    status: &'a str,
    result: &'a RawValue,
    error: Option<&'a wire::RunErrorView>,
}
