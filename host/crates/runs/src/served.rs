//! The workflows that a host serves, as they are shown.
//!
//! Invariant: what keeps a document from running, or one of its triggers from starting it, is among its findings.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use patchbay_vocab::{TenantId, UnixMillis, WorkflowId};
use patchbay_wire as wire;
use patchbay_workflow::{Plan, TriggerKind};

use crate::error::RunsError;
use crate::runs::Runs;
use crate::shelf::Document;

/// For each path and method of a webhook the workflow that gets its requests.
type Hooks = HashMap<String, BTreeMap<String, WorkflowId>>;

/// The webhooks of a plan that start it: path, methods, node.
fn webhooks(plan: &Plan) -> impl Iterator<Item = (&str, &[String], u32)> {
    plan.triggers.iter().filter_map(|trigger| match &trigger.kind {
        TriggerKind::Webhook { path, methods } if trigger.enabled => {
            Some((path.trim_matches('/'), methods.as_slice(), trigger.node))
        }
        _ => None,
    })
}

/// Webhooks of an active workflow whose requests another one gets.
fn doubled(plan: &Plan, hooks: &Hooks) -> Vec<wire::WorkflowFindingView> {
    let mut found = Vec::new();
    for (path, methods, node) in webhooks(plan).filter(|_| plan.active) {
        let Some(takes) = hooks.get(path) else { continue };
        for method in methods {
            let Some(other) = takes.get(method).filter(|other| **other != plan.id) else {
                continue;
            };
            found.push(wire::WorkflowFindingView {
                code: "DUPLICATE_WEBHOOK".to_owned(),
                level: "warning".to_owned(),
                path: String::new(),
                message: format!(
                    "requests {method} /{path} start the workflow `{other}`, which has the same webhook"
                ),
                hint: "give one of the two another path, or make it inactive".to_owned(),
                node: plan.nodes.get(node as usize).map(|node| node.id.to_string()),
            });
        }
    }
    found
}

impl Runs {
    /// The workflows that the host serves.
    #[must_use]
    pub fn workflows(&self) -> Vec<wire::WorkflowView> {
        let documents: Vec<_> = {
            let documents = self.shelf.documents.read();
            documents
                .by_id
                .values()
                .chain(&documents.nameless)
                .cloned()
                .collect()
        };
        let hooks = self.hooks();
        documents
            .iter()
            .filter_map(|document| self.workflow_view(document, &hooks))
            .collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// When there is none.
    pub fn workflow(&self, id: &WorkflowId) -> Result<wire::WorkflowView, RunsError> {
        let document = self.shelf.documents.read().by_id.get(id).cloned();
        let view = document.and_then(|document| self.workflow_view(&document, &self.hooks()));
        view.ok_or_else(|| RunsError::UnknownWorkflow(id.clone()))
    }

    /// The text of a served document that a tenant may run.
    pub(crate) fn text_of(&self, id: &WorkflowId, tenant: &TenantId) -> Option<Arc<str>> {
        let document = self.shelf.documents.read().by_id.get(id).cloned()?;
        let of = document.plan()?.tenant.clone();
        of.is_none_or(|of| of == *tenant)
            .then(|| Arc::clone(&document.text))
    }

    /// The text of a served document.
    ///
    /// # Errors
    /// When there is none.
    pub fn served_text(&self, id: &WorkflowId) -> Result<Arc<str>, RunsError> {
        let document = self.shelf.documents.read().by_id.get(id).cloned();
        let text = document.map(|document| Arc::clone(&document.text));
        text.ok_or_else(|| RunsError::UnknownWorkflow(id.clone()))
    }

    /// Who gets the requests to which path: the first workflow that takes the method.
    fn hooks(&self) -> Hooks {
        let mut hooks = Hooks::new();
        for document in self.shelf.documents.read().by_id.values() {
            let Some(plan) = document.plan().filter(|plan| plan.active) else {
                continue;
            };
            for (path, methods, _) in webhooks(plan) {
                let takes = hooks.entry(path.to_owned()).or_default();
                for method in methods {
                    takes.entry(method.clone()).or_insert_with(|| plan.id.clone());
                }
            }
        }
        hooks
    }

    fn workflow_view(&self, document: &Document, hooks: &Hooks) -> Option<wire::WorkflowView> {
        let file = document.file.file_name()?.to_string_lossy().into_owned();
        let mut said = self.validate(&document.text, None);
        let Some(plan) = document.plan() else {
            return Some(wire::WorkflowView {
                workflow_id: said.workflow_id.or_else(|| file.parse().ok())?,
                name: said.workflow,
                tenant: None,
                file,
                active: false,
                valid: false,
                nodes: said.nodes,
                triggers: Vec::new(),
                findings: said.findings,
            });
        };
        said.findings.extend(doubled(plan, hooks));
        let next = document.next.lock().clone();
        let triggers = plan.triggers.iter().enumerate().filter_map(|(place, trigger)| {
            let (kind, detail) = match &trigger.kind {
                TriggerKind::Manual => ("manual", String::new()),
                TriggerKind::Schedule { cron, timezone } => ("schedule", format!("{cron} {timezone}")),
                TriggerKind::Webhook { path, methods } => {
                    ("webhook", format!("{} {path}", methods.join(",")))
                }
                TriggerKind::Other(kind) => (kind.as_str(), String::new()),
            };
            Some(wire::TriggerView {
                kind: kind.to_owned(),
                node: plan.nodes.get(trigger.node as usize)?.id.clone(),
                enabled: trigger.enabled,
                detail,
                next_at: next
                    .get(&place)
                    .and_then(|at| u64::try_from(*at).ok())
                    .map(UnixMillis),
            })
        });
        Some(wire::WorkflowView {
            workflow_id: plan.id.clone(),
            name: plan.name.clone(),
            tenant: plan.tenant.clone(),
            file,
            active: plan.active,
            valid: said.valid,
            nodes: plan.nodes.len() as u64,
            triggers: triggers.collect(),
            findings: said.findings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiled::{Reading, compile};

    #[test]
    fn who_does_not_get_the_requests_to_its_webhook_is_told() {
        let plan = |id: &str, path: &str, active: bool| {
            let text = serde_json::json!({
                "id": id, "name": id, "active": active,
                "nodes": [{"id": "hook", "type": "webhook", "parameters": {"path": path, "httpMethod": "POST"}}],
                "triggers": [{"type": "webhook", "nodeId": "hook", "config": {"path": path, "method": "POST"}}],
            });
            let Reading::Fit(compiled) = compile(&text.to_string()) else {
                panic!("it is sound");
            };
            Arc::clone(&compiled.plan)
        };
        let first = plan("a", "orders", true);
        let mut hooks = Hooks::new();
        for (path, methods, _) in webhooks(&first) {
            let takes = hooks.entry(path.to_owned()).or_default();
            takes.extend(methods.iter().map(|method| (method.clone(), first.id.clone())));
        }
        assert!(!hooks.is_empty());
        assert!(doubled(&first, &hooks).is_empty());
        assert!(doubled(&plan("b", "others", true), &hooks).is_empty());
        assert!(doubled(&plan("b", "orders", false), &hooks).is_empty());
        let told = doubled(&plan("b", "/orders/", true), &hooks);
        assert!(!told.is_empty() && told.iter().all(|told| told.code == "DUPLICATE_WEBHOOK"));
        assert!(told[0].message.contains("`a`"), "{}", told[0].message);
    }
}
