//! Whom another version of a plugin would concern: the workflows that are served, and the tenants.
//!
//! Invariant: nothing is routed otherwise, and nothing is kept of it: the other version is looked at in an overlay.

use std::collections::BTreeSet;
use std::sync::Arc;

use patchbay_dispatch::{Mount, Served};
use patchbay_vocab::{NodeType, PluginName, TenantId, UnixMillis};
use patchbay_wire as wire;
use patchbay_workflow::{Findings, Plan, PlanNode, Recovery, Work};

use crate::compiled::Compiled;
use crate::error::RunsError;
use crate::record;
use crate::runs::Runs;

/// Ids of nodes by which a plan calls one of these node types, those within loops and inner workflows too.
fn users(plan: &Plan, is_used: &dyn Fn(&str) -> bool, into: &mut Vec<String>) {
    let named = |at: u32| plan.node_types.get(at as usize).is_some_and(|name| is_used(name));
    let calls = |node: &PlanNode| {
        let falls_back = match &node.policy.recovery {
            Some(Recovery::Fallback(Some(fallback))) => named(fallback.0),
            _ => false,
        };
        falls_back || matches!(&node.work, Work::Call(at) if named(at.0))
    };
    for node in &plan.nodes {
        if calls(node) {
            into.push(node.id.as_str().to_owned());
        }
        match &node.work {
            Work::Loop(spec) => users(&spec.body, is_used, into),
            Work::SubWorkflow(spec) => {
                if let Some(inline) = &spec.inline {
                    users(inline, is_used, into);
                }
            }
            Work::Call(_) | Work::Trigger => {}
        }
    }
}

/// What is said on the new version alone.
fn added(before: &Findings, after: Findings) -> Findings {
    let new = after.0.into_iter().filter(|finding| !before.0.contains(finding));
    new.collect()
}

impl Runs {
    /// The served workflows that use a node type of a plugin's live version, or of a candidate, and what would be wrong
    /// with them on the candidate that is not wrong now. A workflow that runs another one by its id is not concerned by
    /// what the other one uses.
    #[must_use]
    pub fn touched(
        &self,
        plugin: &PluginName,
        candidate: &Arc<Mount<Served>>,
    ) -> Vec<wire::TouchedWorkflowView> {
        let live = self.registry.snapshot();
        let now = live.plugin(plugin.as_str());
        let types: BTreeSet<&str> = now
            .into_iter()
            .chain([candidate])
            .flat_map(|mount| mount.nodes())
            .map(NodeType::as_str)
            .collect();
        let then = Arc::new(live.overlaid(std::slice::from_ref(candidate)));
        self.using(&|name| types.contains(name))
            .into_iter()
            .map(|(compiled, nodes)| {
                let plan = &compiled.plan;
                let tenant = plan.tenant.as_ref();
                let before = compiled.checked(&self.view(&live, tenant));
                let after = compiled.checked(&self.view(&then, tenant));
                wire::TouchedWorkflowView {
                    workflow_id: plan.id.clone(),
                    name: plan.name.clone(),
                    tenant: plan.tenant.clone(),
                    nodes,
                    new_findings: record::findings(&added(&before, after)),
                }
            })
            .collect()
    }

    /// Whom a plugin serves: the tenants of served workflows that use a node type of any of its versions, and those whose
    /// runs used it since then.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn tenants_of(&self, plugin: &PluginName, since: UnixMillis) -> Result<Vec<TenantId>, RunsError> {
        let mut tenants: BTreeSet<TenantId> = self.journal.tenants_of(plugin, since)?.into_iter().collect();
        if let Ok(status) = self.registry.plugin(plugin) {
            let revisions = status.revisions.iter();
            let types: BTreeSet<&str> = revisions
                .flat_map(|revision| revision.nodes.iter())
                .map(NodeType::as_str)
                .collect();
            let workflows = self.using(&|name| types.contains(name)).into_iter();
            tenants.extend(workflows.filter_map(|(compiled, _)| compiled.plan.tenant.clone()));
        }
        Ok(tenants.into_iter().collect())
    }

    /// The served workflows that call one of these node types, with the nodes that do.
    fn using(&self, is_used: &dyn Fn(&str) -> bool) -> Vec<(Arc<Compiled>, Vec<String>)> {
        let compiled = self.shelf.compiled().into_iter();
        compiled
            .filter_map(|compiled| {
                // The table has every type of the plan: most workflows need no walk.
                let any = compiled.plan.node_types.iter().any(|name| is_used(name));
                let mut nodes = Vec::new();
                if any {
                    users(&compiled.plan, is_used, &mut nodes);
                }
                (!nodes.is_empty()).then_some((compiled, nodes))
            })
            .collect()
    }
}
