//! Which versions a run has in place of live ones: chosen once, when it begins.
//!
//! Invariant: of each plugin a run has one version: the one that it was ordered with; else the one that it is pinned to;
//! else one that is in all ranges of its document, the live one before others; else the candidate, when it was drawn to
//! it; else the live one. However often a run tries to begin, it takes one ticket of a share.

use std::collections::BTreeSet;
use std::sync::Arc;

use patchbay_dispatch::{Mount, Routes, Served, Variables};
use patchbay_lifecycle::LifecycleError;
use patchbay_registry::{Caller, Detours, Draw, Selector, Split};
use patchbay_vocab::{PluginName, RevisionNumber, RevisionState, RunId, TenantId, Version, WorkflowId};
use patchbay_workflow::{Finding, Findings, no_version};

use crate::compiled::{Compiled, Want};
use crate::error::RunsError;
use crate::runs::Runs;

type Load = Arc<Mount<Served>>;

/// Who chooses, and from what.
#[derive(Clone, Copy)]
pub(crate) struct Chooser<'c> {
    /// What the document asks for.
    pub(crate) wants: &'c [Want],
    pub(crate) whose: Whose<'c>,
    /// What the run was ordered with.
    pub(crate) asked: &'c [Load],
}

/// For whom it is chosen, as far as pins hold him.
#[derive(Clone, Copy)]
pub(crate) enum Whose<'c> {
    /// A workflow's run for a tenant.
    Run(&'c TenantId, &'c WorkflowId),
    /// Nobody in particular: no pin is looked at.
    Anybody,
}

/// A run that begins, as far as shares of calls are dealt by it.
pub(crate) struct Drawer<'d> {
    pub(crate) tenant: &'d TenantId,
    pub(crate) run: &'d RunId,
    pub(crate) variables: &'d Variables,
    /// What was drawn when it tried before.
    pub(crate) drawn: &'d mut Vec<Drawn>,
}

/// What a run drew of one share.
pub(crate) struct Drawn {
    plugin: PluginName,
    split: Split,
    to_candidate: bool,
}

/// The versions of a run that are not live, and what is to be said of them.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) mounts: Vec<Load>,
    pub(crate) findings: Findings,
}

impl Chosen {
    /// Has one more version in place of the live one; nothing changes for one that is live.
    fn take(&mut self, live: &Routes, mount: &Load) {
        let is_live = |now: &Load| Arc::ptr_eq(now, mount);
        if !live.plugin(mount.plugin().as_str()).is_some_and(is_live) {
            self.mounts.push(Arc::clone(mount));
        }
    }

    /// The findings of a document, and what is to be said of the versions.
    pub(crate) fn told(&self, of: Findings) -> Findings {
        match self.findings.0.is_empty() {
            true => of,
            false => of.merged(self.findings.clone()),
        }
    }

    fn say(&mut self, finding: Finding) {
        self.findings.0.push(finding);
    }

    /// Whether the run cannot have what its document asks for.
    pub(crate) fn is_impossible(&self) -> bool {
        self.findings.errors().next().is_some()
    }
}

/// Whether two splits deal the same tickets to the same candidate at the same weight.
fn is_same(one: &Split, other: &Split) -> bool {
    one.to == other.to
        && one.weight == other.weight
        && one.salt == other.salt
        && one.by == other.by
        && Arc::ptr_eq(&one.tickets, &other.tickets)
}

impl Drawer<'_> {
    /// Whether the run goes to the candidate. It was not pinned.
    fn draws<H>(&mut self, plugin: &PluginName, detours: &Detours<H>) -> bool {
        let Some(split) = detours.split() else {
            return false;
        };
        self.drawn
            .retain(|drawn| drawn.plugin != *plugin || is_same(&drawn.split, split));
        if let Some(drawn) = self.drawn.iter().find(|drawn| drawn.plugin == *plugin) {
            return drawn.to_candidate;
        }
        let value = detours.variable().and_then(|name| self.variables.get(name));
        let key = value.as_ref().map(Variables::key);
        let caller = Caller {
            tenant: self.tenant.as_str(),
            run: self.run.as_str(),
            workflow: None,
            key: key.as_deref(),
        };
        let to_candidate = matches!(detours.choose(&caller, Draw::Ticket), Ok(Some(_)));
        self.drawn.push(Drawn {
            plugin: plugin.clone(),
            split: split.clone(),
            to_candidate,
        });
        to_candidate
    }
}

/// The candidate, when the run is drawn to it and it will do.
fn drawn_to<'m>(
    drawer: &mut Option<Drawer<'_>>,
    detours: &'m Detours<Served>,
    plugin: &PluginName,
    will_do: impl FnOnce(&Load) -> bool,
) -> Option<&'m Load> {
    // One that is not loaded, or will not do, takes no ticket: nobody could use it.
    let candidate = detours.candidate().filter(|candidate| will_do(candidate))?;
    drawer.as_mut()?.draws(plugin, detours).then_some(candidate)
}

impl Runs {
    /// Chooses. Without a drawer nobody is dealt a share yet: what comes of it is whether the run can begin at all.
    pub(crate) fn choose(
        &self,
        live: &Routes,
        chooser: Chooser<'_>,
        mut drawer: Option<Drawer<'_>>,
    ) -> Result<Chosen, RunsError> {
        let Chooser { wants, whose, asked } = chooser;
        let mut chosen = Chosen::default();
        for mount in asked {
            chosen.take(live, mount);
        }
        let pinned = |plugin: &PluginName, detours: &Detours<Served>| -> Result<Option<Load>, RunsError> {
            let Whose::Run(tenant, workflow) = whose else {
                return Ok(None);
            };
            let caller = Caller {
                tenant: tenant.as_str(),
                run: "",
                workflow: Some(workflow.as_str()),
                key: None,
            };
            let mount = detours.pinned_to(&caller);
            let mount = mount.map_err(|_| RunsError::pinned_away(plugin))?;
            Ok(mount.cloned())
        };
        let ordered = |plugin: &PluginName| asked.iter().find(|mount| mount.plugin() == plugin);
        for want in wants {
            let plugin = &want.plugin;
            if let Some(mount) = ordered(plugin) {
                for range in want.ranges.iter().filter(|range| !range.admits(mount.version())) {
                    chosen.say(range.overruled(mount.version()));
                }
                continue;
            }
            let detours = live
                .detours()
                .find(|(of, _)| *of == plugin)
                .map(|(_, ways)| &**ways);
            let held = detours.map_or(Ok(None), |ways| pinned(plugin, ways))?;
            if let Some(mount) = held {
                if !want.admits(mount.version()) {
                    return Err(RunsError::PinnedOutside {
                        plugin: plugin.clone(),
                        version: mount.version().clone(),
                        ranges: want.shown(),
                    });
                }
                chosen.take(live, &mount);
                continue;
            }
            if live
                .plugin(plugin.as_str())
                .is_some_and(|now| want.admits(now.version()))
            {
                continue;
            }
            let will_do = |mount: &Load| want.admits(mount.version());
            let candidate = detours.and_then(|ways| drawn_to(&mut drawer, ways, plugin, will_do));
            match candidate {
                Some(candidate) => chosen.take(live, candidate),
                None => match self.in_range(want)? {
                    Ok(mount) => chosen.take(live, &mount),
                    Err(finding) => chosen.findings.0.extend(finding),
                },
            }
        }
        for (plugin, detours) in live.detours() {
            if ordered(plugin).is_some() || wants.iter().any(|want| want.plugin == *plugin) {
                continue;
            }
            if let Some(mount) = pinned(plugin, detours)? {
                chosen.take(live, &mount);
            } else if let Some(mount) = drawn_to(&mut drawer, detours, plugin, |_| true) {
                chosen.take(live, mount);
            }
        }
        Ok(chosen)
    }

    /// The highest version that is in all ranges of a plugin, mapped; or what is to be said when there is none.
    fn in_range(&self, want: &Want) -> Result<Result<Load, Option<Finding>>, RunsError> {
        let plugin = &want.plugin;
        let best = match self.best(want) {
            Ok(best) => best,
            Err(finding) => return Ok(Err(finding)),
        };
        let mount = self
            .ground
            .lifecycle
            .warm(plugin, Some(&Selector::Revision(best.number)));
        let refused = |cause| RunsError::Version {
            plugin: plugin.to_string(),
            version: best.version.to_string(),
            cause: Box::new(cause),
        };
        let mount = mount.map_err(refused)?;
        // A state has one owner: two versions would have two.
        let loads = [self.registry.live(plugin), Some(Arc::clone(&mount))];
        match loads
            .into_iter()
            .flatten()
            .find(|load| load.handle().keeps_state())
        {
            Some(keeper) => Err(refused(LifecycleError::KeepsState {
                plugin: plugin.clone(),
                version: keeper.version().clone(),
            })),
            None => Ok(Ok(mount)),
        }
    }

    /// The highest revision that is in all ranges of a plugin and not out of service.
    fn best(&self, want: &Want) -> Result<Best, Option<Finding>> {
        let Ok(status) = self.registry.plugin(&want.plugin) else {
            let known = self.registry.plugins();
            let names = known.iter().map(|known| known.plugin.as_str());
            return Err(want.ranges.first().map(|range| range.unknown_plugin(names)));
        };
        let serving = status
            .revisions
            .iter()
            .filter(|revision| revision.state != RevisionState::Quarantined);
        let fitting = serving.clone().filter(|revision| want.admits(&revision.version));
        let best = fitting.max_by(|one, other| {
            let order = one.version.cmp_precedence(&other.version);
            order.then(one.number.cmp(&other.number))
        });
        match best {
            Some(best) => Ok(Best {
                number: best.number,
                version: best.version.clone(),
            }),
            None => {
                let there: Vec<Version> = serving.map(|revision| revision.version.clone()).collect();
                let ranges: Vec<_> = want.ranges.iter().collect();
                Err(no_version(&ranges, &there))
            }
        }
    }

    /// Revisions that runs of the served workflows have because of their ranges, beside what is live.
    #[must_use]
    pub fn reach(&self) -> Vec<(PluginName, RevisionNumber)> {
        let live = self.registry.snapshot();
        let mut reached = BTreeSet::new();
        for compiled in self.shelf.compiled() {
            for want in &compiled.wants {
                let now = live.plugin(want.plugin.as_str());
                if now.is_some_and(|now| want.admits(now.version())) {
                    continue;
                }
                if let Ok(best) = self.best(want) {
                    reached.insert((want.plugin.clone(), best.number));
                }
            }
        }
        reached.into_iter().collect()
    }
}

/// A revision that could serve.
struct Best {
    number: RevisionNumber,
    version: Version,
}

/// What a workflow within a run asks for that its run does not have: a plugin, the version that it has, the ranges.
pub(crate) fn outside(compiled: &Compiled, routes: &Routes) -> Option<String> {
    compiled.wants.iter().find_map(|want| {
        let has = routes.plugin(want.plugin.as_str()).map(|mount| mount.version());
        match has {
            Some(version) if want.admits(version) => None,
            Some(version) => Some(format!(
                "it asks for {} {}, and its run has {version}",
                want.plugin,
                want.shown()
            )),
            None => Some(format!(
                "it asks for {} {}, and its run has none",
                want.plugin,
                want.shown()
            )),
        }
    })
}

#[cfg(test)]
mod tests;
