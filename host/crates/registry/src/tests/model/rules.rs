//! The rules, told once more in the plainest way.

use std::collections::BTreeSet;

use patchbay_rollout::bucket;
use patchbay_vocab::{TenantId, WorkflowId};

use super::*;

pub(super) const SALT: u64 = 11;

pub(super) fn of<'l>(listed: &'l [PluginStatus], plugin: &PluginName) -> Option<&'l PluginStatus> {
    listed.iter().find(|status| status.plugin == *plugin)
}

fn revision_of<'l>(
    listed: &'l [PluginStatus],
    plugin: &PluginName,
    number: RevisionNumber,
) -> Option<&'l RevisionStatus> {
    let mut revisions = of(listed, plugin)?.revisions.iter();
    revisions.find(|known| known.number == number)
}

/// Whether somebody may be sent to a revision that is not what is live.
pub(super) fn may_be_sent_to(listed: &[PluginStatus], plugin: &PluginName, number: RevisionNumber) -> bool {
    let something_is_live = of(listed, plugin).is_some_and(|status| status.live.is_some());
    revision_of(listed, plugin, number)
        .is_some_and(|known| something_is_live && known.mounted && known.state != RevisionState::Quarantined)
}

/// Whether a revision may be forgotten, as far as a listing says so.
pub(super) fn may_be_forgotten(listed: &[PluginStatus], plugin: &PluginName, number: RevisionNumber) -> bool {
    let (Some(status), Some(known)) = (of(listed, plugin), revision_of(listed, plugin, number)) else {
        return false;
    };
    let is_newest = status.revisions.iter().all(|other| other.number <= number);
    let is_pinned = status.pins.iter().any(|(_, to)| *to == number);
    !is_newest && !is_pinned && !known.mounted && !known.draining && status.live != Some(number)
}

/// The revision that answers a caller; `None` when he is pinned to one that cannot.
pub(super) fn goes_to(status: &PluginStatus, node: &NodeType, caller: &Caller<'_>) -> Option<RevisionNumber> {
    let number_of = |number: RevisionNumber| status.revisions.iter().find(|known| known.number == number);
    let pin = |workflow: Option<&str>, tenant: Option<&str>| {
        let found = status.pins.iter().find(|(scope, _)| {
            scope.workflow.as_ref().map(WorkflowId::as_str) == workflow
                && scope.tenant.as_ref().map(TenantId::as_str) == tenant
        });
        let to = found?.1;
        number_of(to).filter(|known| known.state != RevisionState::Quarantined)
    };
    let workflow = caller.workflow;
    let of_workflow =
        workflow.and_then(|_| pin(workflow, Some(caller.tenant)).or_else(|| pin(workflow, None)));
    let pinned = of_workflow
        .or_else(|| pin(None, Some(caller.tenant)))
        .or_else(|| pin(None, None));
    let has_it = |known: &RevisionStatus| known.nodes.contains(node);
    if let Some(pinned) = pinned {
        return (pinned.mounted && has_it(pinned)).then_some(pinned.number);
    }
    let taken_along = status.split.filter(|(to, weight)| {
        weight.admits(bucket(caller.tenant.as_bytes(), SALT)) && number_of(*to).is_some_and(has_it)
    });
    taken_along.map(|(to, _)| to).or(status.live)
}

/// Whether a revision may go live.
pub(super) fn may_go_live(
    listed: &[PluginStatus],
    plugin: &PluginName,
    number: RevisionNumber,
    force: bool,
) -> bool {
    let live = |wanted: &PluginName| {
        let status = listed.iter().find(|status| status.plugin == *wanted)?;
        status
            .revisions
            .iter()
            .find(|revision| Some(revision.number) == status.live)
    };
    let Some(status) = listed.iter().find(|status| status.plugin == *plugin) else {
        return false;
    };
    let Some(revision) = status.revisions.iter().find(|revision| revision.number == number) else {
        return false;
    };
    if revision.state == RevisionState::Live {
        return true;
    }
    let quarantined = revision.state == RevisionState::Quarantined;
    let others = || {
        listed
            .iter()
            .map(|status| &status.plugin)
            .filter(|other| *other != plugin)
    };
    let claimed = others()
        .filter_map(live)
        .any(|other| other.nodes.iter().any(|n| revision.nodes.contains(n)));
    let satisfied = revision
        .dependencies
        .iter()
        .all(|need| live(&need.plugin).is_some_and(|live| need.range.matches(&live.version)));
    let breaks = others().filter_map(live).any(|other| {
        let mut needs = other.dependencies.iter().filter(|need| need.plugin == *plugin);
        needs.any(|need| !need.range.matches(&revision.version))
    });
    // With three plugins, whatever is reached at all is reached in three steps.
    let mut reached: BTreeSet<PluginName> = revision.dependencies.iter().map(|n| n.plugin.clone()).collect();
    for _ in 0..3 {
        let further = reached.iter().filter(|name| *name != plugin).filter_map(live);
        let further: Vec<_> = further
            .flat_map(|r| r.dependencies.iter().map(|n| n.plugin.clone()))
            .collect();
        reached.extend(further);
    }
    let circular = reached.contains(plugin);
    revision.mounted && !claimed && satisfied && !circular && (force || !(quarantined || breaks))
}
