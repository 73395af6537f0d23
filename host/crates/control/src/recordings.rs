//! Recorded calls and stored workflows, as delivery asks for them.

use std::sync::{Arc, Weak};

use patchbay_delivery::{Recorded, Recordings};
use patchbay_dispatch::{Mount, Served};
use patchbay_runs::Runs;
use patchbay_vocab::{NodeType, PluginName, RevisionNumber, TenantId};
use patchbay_wire as wire;

/// The journal of runs.
pub(crate) struct Journaled(pub(crate) Weak<Runs>);

impl Recordings for Journaled {
    fn recorded(&self, plugin: &PluginName, nodes: &[NodeType], last: u32) -> Result<Vec<Recorded>, String> {
        let _ = (plugin, nodes, last);
        let _runs = self.0.upgrade().ok_or("the host is closing")?;
        Ok(Vec::new())
    }
}

/// Revisions that stored workflows need beside what is live.
pub(crate) fn reach(runs: &Arc<Runs>) -> Box<dyn Fn() -> Vec<(PluginName, RevisionNumber)> + Send + Sync> {
    let runs = Arc::downgrade(runs);
    Box::new(move || {
        let _ = runs.upgrade();
        Vec::new()
    })
}

/// Stored workflows that use a plugin, and what would be wrong with them on the candidate.
pub(crate) fn touched(
    runs: &Arc<Runs>,
    plugin: &PluginName,
    candidate: &Arc<Mount<Served>>,
) -> Vec<wire::TouchedWorkflowView> {
    let _ = (runs, plugin, candidate);
    Vec::new()
}

/// The tenants of those workflows, and of runs of the last days that used the plugin.
pub(crate) fn tenants(
    runs: &Arc<Runs>,
    plugin: &PluginName,
    workflows: &[wire::TouchedWorkflowView],
) -> Vec<TenantId> {
    let _ = (runs, plugin);
    let mut tenants: Vec<_> = workflows
        .iter()
        .filter_map(|workflow| workflow.tenant.clone())
        .collect();
    tenants.sort();
    tenants.dedup();
    tenants
}
