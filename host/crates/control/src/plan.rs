//! What a rollout would change, and for whom, before it does.

use std::sync::Arc;

use patchbay_delivery::StartOrder;
use patchbay_dispatch::{Mount, Served};
use patchbay_registry::{Force, Selector};
use patchbay_rollout::nodes::{self, Effect, Node};
use patchbay_vocab::{Explain, PluginName};
use patchbay_wire as wire;
use plugin_api::meta;

use crate::rollouts::{left_out, read_policy};
use crate::{ControlError, Patchbay};

impl Patchbay {
    /// What a rollout would do, and to whom. Nothing is changed but that the revision may be loaded.
    ///
    /// # Errors
    /// When there is no such revision, or the policy cannot be carried out.
    pub fn rollout_plan(
        &self,
        plugin: &PluginName,
        request: &wire::RolloutRequest,
    ) -> Result<wire::RolloutPlanView, ControlError> {
        let to: Selector = request
            .to
            .parse()
            .map_err(|error: patchbay_registry::BadSelector| ControlError::Input(error.to_string()))?;
        let policy = request.policy.clone().map(read_policy).transpose()?;
        let number = self.inner.registry.rollback_target(plugin, Some(&to))?;
        let force = match request.force {
            true => Force::Yes,
            false => Force::No,
        };
        let order = StartOrder {
            to,
            policy: policy.clone(),
            force,
        };
        let checked = self.inner.delivery.check_rollout(plugin, &order);
        let policy = policy.unwrap_or_else(|| self.inner.delivery.policies().of(plugin).0);
        let status = self.inner.registry.plugin(plugin)?;
        let live = self.inner.registry.live(plugin);
        let candidate = self
            .inner
            .lifecycle
            .warm(plugin, Some(&Selector::Revision(number)))?;
        let dependents = self.inner.registry.dependents(plugin, candidate.version());
        let (refusal, left) = match checked {
            Ok((_, _, left)) => (None, left),
            Err(error) => (Some(wire::ProblemView::from(error.explained())), Vec::new()),
        };
        let workflows = crate::recordings::touched(&self.inner.runs, plugin, &candidate);
        Ok(wire::RolloutPlanView {
            plugin: plugin.clone(),
            from: status.live.map(|live| self.revision_ref(plugin, live)),
            to: self.revision_ref(plugin, number),
            steps: policy.words(),
            policy: serde_json::to_value(&policy).unwrap_or_default(),
            allowed: refusal.is_none(),
            refusal,
            tenants: crate::recordings::tenants(&self.inner.runs, plugin, &*self.inner.clock),
            workflows,
            dependents: dependents
                .into_iter()
                .map(|(plugin, range, breaks)| wire::DependentView {
                    plugin,
                    range: range.to_string(),
                    breaks,
                })
                .collect(),
            pins: self.pins(Some(plugin))?,
            changes: live.map_or_else(Vec::new, |live| changes(&live, &candidate)),
            left_out: left_out(left),
        })
    }
}

/// How the node types of two versions differ.
fn changes(live: &Arc<Mount<Served>>, candidate: &Arc<Mount<Served>>) -> Vec<wire::SchemaChangeView> {
    let found = nodes::changes(&described(live), &described(candidate));
    let view = |change: nodes::NodeChange| wire::SchemaChangeView {
        node_type: change.node.to_string(),
        path: change.path,
        kind: change.kind.as_str().to_owned(),
        breaking: change.breaking,
        message: change.text,
    };
    found.into_iter().map(view).collect()
}

fn described(mount: &Arc<Mount<Served>>) -> Vec<Node<'_>> {
    let nodes = mount.handle().plugin().description().nodes.iter();
    let described = nodes.map(|node| Node {
        node_type: &node.node_type,
        aliases: &node.aliases,
        effect: match node.meta.effect {
            meta::Effect::Pure => Effect::Pure,
            meta::Effect::Idempotent => Effect::Idempotent,
            meta::Effect::Effectful => Effect::Effectful,
        },
        parameters: &node.meta.parameters,
        config: &node.meta.config,
    });
    described.collect()
}
