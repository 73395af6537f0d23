//! Recorded calls and stored workflows, as delivery asks for them.

use std::sync::{Arc, Weak};

use patchbay_delivery::{Recorded, Recordings};
use patchbay_dispatch::{Mount, Served};
use patchbay_runs::Runs;
use patchbay_vocab::{Clock, Explain, NodeType, PluginName, RevisionNumber, TenantId, UnixMillis};
use patchbay_wire as wire;

/// How far back tenants are looked for that used a plugin.
const LATELY_MILLIS: u64 = 7 * 24 * 60 * 60 * 1000;

/// The journal of runs.
pub(crate) struct Journaled(pub(crate) Weak<Runs>);

impl Recordings for Journaled {
    fn recorded(&self, plugin: &PluginName, nodes: &[NodeType], last: u32) -> Result<Vec<Recorded>, String> {
        let runs = self.0.upgrade().ok_or("the host is closing")?;
        let found = runs
            .recorded(plugin, nodes, last)
            .map_err(|error| error.chain())?;
        if found.skipped > 0 {
            tracing::info!(%plugin, skipped = found.skipped, "recorded inputs that were not kept whole are left out");
        }
        let recorded = found.inputs.into_iter().map(|input| Recorded {
            node_type: input.node_type,
            tenant: input.tenant,
            input: input.input,
        });
        Ok(recorded.collect())
    }
}

/// Revisions that stored workflows need beside what is live.
pub(crate) fn reach(runs: &Arc<Runs>) -> Box<dyn Fn() -> Vec<(PluginName, RevisionNumber)> + Send + Sync> {
    let runs = Arc::downgrade(runs);
    Box::new(move || runs.upgrade().map(|runs| runs.reach()).unwrap_or_default())
}

/// Stored workflows that use a plugin, and what would be wrong with them on the candidate.
pub(crate) fn touched(
    runs: &Arc<Runs>,
    plugin: &PluginName,
    candidate: &Arc<Mount<Served>>,
) -> Vec<wire::TouchedWorkflowView> {
    runs.touched(plugin, candidate)
}

/// The tenants of those workflows, and of runs of the last days that used the plugin.
pub(crate) fn tenants(runs: &Arc<Runs>, plugin: &PluginName, clock: &dyn Clock) -> Vec<TenantId> {
    let since = UnixMillis(clock.wall().0.saturating_sub(LATELY_MILLIS));
    runs.tenants_of(plugin, since).unwrap_or_else(|error| {
        tracing::warn!(%plugin, error = %error.chain(), "whom a rollout concerns is not known: the journal cannot be read");
        Vec::new()
    })
}
