//! Rollouts and policies, as the API and the command line order them.

use patchbay_delivery::{DeliveryError, LeftOut, Ordered, RolloutStatus, StartOrder};
use patchbay_registry::Selector;
use patchbay_rollout::{OrderKind, Policy, Reach};
use patchbay_state::Entry;
use patchbay_vocab::{PluginName, RevisionNumber, Version};
use patchbay_wire as wire;
use serde_json::Value as Json;

use crate::once::{Once, order_of};
use crate::patchbay::Order;
use crate::{ControlError, Patchbay};

/// Rollouts of a listing.
const LISTED: u32 = 200;
/// What is shown of the evidence of one rollout.
const EVIDENCE: u32 = 500;

/// Which rollouts are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutScope {
    /// Those under way.
    Running,
    /// Those that have ended, too.
    All,
}

/// How far an order to promote goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromoteHow {
    /// To the next step.
    NextStep,
    /// To the end: the candidate goes live now.
    Full,
}

impl Patchbay {
    /// Begins a rollout: brings a revision live by a policy, the plugin's own when none is given. The same one once more
    /// is the one that is under way.
    ///
    /// # Errors
    /// When it cannot begin, or another one of the plugin is under way.
    pub fn rollout_start(
        &self,
        plugin: &PluginName,
        to: &Selector,
        policy: Option<Json>,
        order: Order,
    ) -> Result<wire::RolloutView, ControlError> {
        let start = StartOrder {
            to: to.clone(),
            policy: policy.map(read_policy).transpose()?,
            force: order.force,
        };
        let by = Ordered {
            what: Some("start"),
            ..order.into_ordered()
        };
        let _under_way = match self.once(&by, "start", plugin, is_order("start"))? {
            Once::New(under_way) => under_way,
            Once::Done(done) => return self.rollout_before(plugin, &done),
        };
        let status = self.inner.delivery.start_rollout(plugin, start, &by)?;
        self.unchanged(&by, "start", plugin, Some(status.stored.to))?;
        Ok(self.rollout_view(status, 0))
    }

    /// Rollouts, those of one plugin when it is named; of each the last piece of evidence.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn rollouts(
        &self,
        plugin: Option<&PluginName>,
        scope: RolloutScope,
    ) -> Result<Vec<wire::RolloutView>, ControlError> {
        let statuses = match scope {
            RolloutScope::Running => self.inner.delivery.running(),
            RolloutScope::All => self.inner.delivery.remembered(plugin, LISTED)?,
        };
        let of_plugin = |status: &RolloutStatus| plugin.is_none_or(|plugin| status.stored.plugin == *plugin);
        let views = statuses.into_iter().filter(of_plugin);
        Ok(views.map(|status| self.rollout_view(status, 1)).collect())
    }

    /// One rollout with its evidence: by its id, or by its plugin's name the latest one of that.
    ///
    /// # Errors
    /// When there is none.
    pub fn rollout(&self, named: &str) -> Result<wire::RolloutView, ControlError> {
        let status = self.inner.delivery.rollout(named)?;
        Ok(self.rollout_view(status, EVIDENCE))
    }

    /// Has a rollout wait.
    ///
    /// # Errors
    /// When none of the plugin is under way.
    pub fn rollout_pause(
        &self,
        plugin: &PluginName,
        order: Order,
    ) -> Result<wire::RolloutView, ControlError> {
        self.rollout_order(plugin, OrderKind::Pause, order)
    }

    /// Has a rollout go on.
    ///
    /// # Errors
    /// When none of the plugin is under way.
    pub fn rollout_resume(
        &self,
        plugin: &PluginName,
        order: Order,
    ) -> Result<wire::RolloutView, ControlError> {
        self.rollout_order(plugin, OrderKind::Resume, order)
    }

    /// Has a rollout go forward now, whatever its policy waits for.
    ///
    /// # Errors
    /// When none of the plugin is under way.
    pub fn rollout_promote(
        &self,
        plugin: &PluginName,
        how: PromoteHow,
        order: Order,
    ) -> Result<wire::RolloutView, ControlError> {
        let reach = match how {
            PromoteHow::NextStep => Reach::Next,
            PromoteHow::Full => Reach::Full,
        };
        self.rollout_order(plugin, OrderKind::Promote(reach), order)
    }

    /// Ends a rollout: the stable version has all calls again.
    ///
    /// # Errors
    /// When none of the plugin is under way.
    pub fn rollout_abort(
        &self,
        plugin: &PluginName,
        order: Order,
    ) -> Result<wire::RolloutView, ControlError> {
        self.rollout_order(plugin, OrderKind::Abort, order)
    }

    fn rollout_order(
        &self,
        plugin: &PluginName,
        kind: OrderKind,
        order: Order,
    ) -> Result<wire::RolloutView, ControlError> {
        let what = match kind {
            OrderKind::Promote(Reach::Full) => "promote --full",
            other => other.as_str(),
        };
        let by = Ordered {
            what: Some(what),
            ..order.into_ordered()
        };
        let _under_way = match self.once(&by, what, plugin, is_order(what))? {
            Once::New(under_way) => under_way,
            Once::Done(done) => return self.rollout_before(plugin, &done),
        };
        let status = self.inner.delivery.order(plugin, kind, &by)?;
        self.unchanged(&by, what, plugin, Some(status.stored.to))?;
        Ok(self.rollout_view(status, 1))
    }

    /// The rollout that an order was about which was carried out before: by now there may be a later one.
    fn rollout_before(
        &self,
        plugin: &PluginName,
        done: &patchbay_state::AuditRecord,
    ) -> Result<wire::RolloutView, ControlError> {
        let entry = &done.entry;
        let detail: Json = serde_json::from_str(&entry.detail).unwrap_or_default();
        let id = detail.get("rollout").and_then(Json::as_str);
        self.rollout(id.unwrap_or(plugin.as_str()))
    }

    /// How versions of a plugin go live.
    ///
    /// # Errors
    /// When there is no such plugin.
    pub fn policy(&self, plugin: &PluginName) -> Result<wire::PolicyView, ControlError> {
        self.inner.registry.plugin(plugin)?;
        let (policy, source) = self.inner.delivery.policies().of(plugin);
        Ok(policy_view(plugin, &policy, source.as_str()))
    }

    /// Sets how versions of a plugin go live; with no policy, it is the configuration's again.
    ///
    /// # Errors
    /// When the policy cannot be carried out.
    pub fn set_policy(
        &self,
        plugin: &PluginName,
        policy: Option<Json>,
        order: Order,
    ) -> Result<wire::PolicyView, ControlError> {
        let policy = policy.map(read_policy).transpose()?;
        let by = order.into_ordered();
        let is_it = |entry: &Entry, _: &Json| entry.action == "policy.set";
        let _under_way = match self.once(&by, "policy", plugin, is_it)? {
            Once::New(under_way) => under_way,
            Once::Done(_) => return self.policy(plugin),
        };
        let (policy, source) = self.inner.delivery.set_policy(plugin, policy, &by)?;
        self.unchanged(&by, "policy", plugin, None)?;
        Ok(policy_view(plugin, &policy, source.as_str()))
    }

    pub(crate) fn revision_ref(&self, plugin: &PluginName, revision: RevisionNumber) -> wire::RevisionRef {
        let version = self.inner.registry.version(plugin, revision);
        wire::RevisionRef {
            revision,
            // A revision that was collected since has left its number alone.
            version: version.unwrap_or_else(|| Version::new(0, 0, 0)),
        }
    }

    fn rollout_view(&self, status: RolloutStatus, evidence: u32) -> wire::RolloutView {
        let stored = &status.stored;
        let progress = status.rollout.as_ref().map(patchbay_rollout::Rollout::progress);
        let found = match evidence {
            0 => Vec::new(),
            limit => self.inner.state.evidence(&stored.id, limit).unwrap_or_default(),
        };
        let evidence = found.into_iter().map(|one| wire::EvidenceView {
            at: one.at,
            kind: one.kind,
            body: serde_json::from_str(&one.body).unwrap_or_default(),
        });
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        wire::RolloutView {
            id: stored.id.clone(),
            plugin: stored.plugin.clone(),
            from: stored.from.map(|from| self.revision_ref(&stored.plugin, from)),
            to: self.revision_ref(&stored.plugin, stored.to),
            policy: serde_json::from_str(&stored.policy).unwrap_or_default(),
            phase: stored.phase.clone(),
            finished: stored.finished,
            message: status.message,
            step: progress
                .as_ref()
                .map(|progress| number(progress.step))
                .filter(|step| *step > 0),
            steps: progress.as_ref().map_or(0, |progress| number(progress.steps)),
            weight: progress
                .as_ref()
                .map_or(0.0, |progress| progress.weight.percent()),
            left_out: left_out(status.left_out),
            started_at: stored.started_at,
            changed_at: stored.changed_at,
            next_at: status.next_at,
            actor: stored.actor.clone(),
            reason: stored.reason.clone(),
            evidence: evidence.collect(),
            changed: status.changed,
        }
    }
}

/// Whether a record is of an order about a rollout.
fn is_order(what: &'static str) -> impl Fn(&Entry, &Json) -> bool {
    move |entry, detail| entry.action.starts_with("rollout.") && order_of(detail) == Some(what)
}

pub(crate) fn read_policy(policy: Json) -> Result<Policy, ControlError> {
    Ok(Policy::from_value(policy).map_err(DeliveryError::from)?)
}

pub(crate) fn left_out(nodes: Vec<LeftOut>) -> Vec<wire::LeftOutView> {
    let view = |node: LeftOut| wire::LeftOutView {
        node_type: node.node_type,
        why: node.why.to_owned(),
    };
    nodes.into_iter().map(view).collect()
}

fn policy_view(plugin: &PluginName, policy: &Policy, source: &str) -> wire::PolicyView {
    wire::PolicyView {
        plugin: plugin.clone(),
        policy: serde_json::to_value(policy).unwrap_or_default(),
        source: source.to_owned(),
    }
}
