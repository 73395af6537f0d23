//! Calls that do not go to what is live: somebody is pinned to a revision, or a candidate gets its share.
//!
//! Invariant: of two callers with the same key and the same detours both go the same way, and a candidate whose share
//! grows keeps whoever it had. A pin goes before a share.

use std::fmt;
use std::sync::Arc;

use patchbay_rollout::{BUCKET_COUNT, Sticky, Tickets, Weight, bucket};
use patchbay_vocab::{RevisionNumber, TenantId, WorkflowId};

use crate::snapshot::{Mount, Route};

/// Whom a pin holds; everybody when it names nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinScope {
    /// Runs of this workflow alone.
    pub workflow: Option<WorkflowId>,
    /// Calls and runs of this tenant alone.
    pub tenant: Option<TenantId>,
}

/// A share of the calls that a candidate receives.
#[derive(Clone, Debug)]
pub struct Split {
    /// The candidate.
    pub to: RevisionNumber,
    /// Its share.
    pub weight: Weight,
    /// What decides who goes there.
    pub by: Sticky,
    /// Mixed into every key, so that two rollouts do not meet the same callers first.
    pub salt: u64,
    /// Deals runs out exactly; shared by all weights of one rollout.
    pub tickets: Arc<Tickets>,
}

/// Who calls, as far as that decides the way.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'c> {
    /// The tenant.
    pub tenant: &'c str,
    /// The run.
    pub run: &'c str,
    /// The workflow; none for a call outside of one.
    pub workflow: Option<&'c str>,
    /// The value of the variable that a split asks for; see [`Detours::variable`].
    pub key: Option<&'c str>,
}

/// How a caller is dealt to a share that goes by runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// By the hash of its run: every call of the run gets the same answer.
    Hash,
    /// By the next ticket: exact, for whoever asks once and keeps the answer.
    Ticket,
}

/// The ways of one plugin's calls beside the one to what is live.
pub struct Detours<H> {
    /// What the ways lead to; `None` for a revision that is not loaded.
    pub(crate) targets: Box<[Option<Arc<Mount<H>>>]>,
    pub(crate) everyone: Option<usize>,
    pub(crate) by_tenant: Tenants,
    /// In the order of the workflows, then of the tenants.
    pub(crate) by_workflow: Box<[(WorkflowId, Option<TenantId>, usize)]>,
    pub(crate) split: Option<(Split, usize)>,
}

/// Tenants that are held, found by a hash: the walk through a thousand names would cost a call more than the rest of its
/// way.
pub(crate) struct Tenants {
    /// In the order of their slots.
    held: Box<[(TenantId, usize)]>,
    /// Where each slot begins; one more than there are slots.
    begins: Box<[usize]>,
}

impl Tenants {
    pub(crate) fn new(mut held: Vec<(TenantId, usize)>) -> Self {
        let slots = held.len().next_power_of_two();
        held.sort_by_cached_key(|(tenant, _)| slot(tenant.as_str(), slots));
        let mut begins = vec![0; slots + 1];
        for (tenant, _) in &held {
            if let Some(count) = begins.get_mut(slot(tenant.as_str(), slots) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        Self {
            held: held.into(),
            begins: begins.into(),
        }
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn get(&self, tenant: &str) -> Option<usize> {
        let slot = slot(tenant, self.begins.len() - 1);
        let within = *self.begins.get(slot)?..*self.begins.get(slot + 1)?;
        let mut held = self.held.get(within)?.iter();
        let (_, place) = held.find(|(known, _)| known.as_str() == tenant)?;
        Some(*place)
    }
}

fn slot(tenant: &str, slots: usize) -> usize {
    usize::from(bucket(tenant.as_bytes(), 0)) * slots / usize::from(BUCKET_COUNT)
}

impl<H> Detours<H> {
    /// The variable whose value decides about a share, if one does.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match &self.split.as_ref()?.0.by {
            Sticky::Variable(name) => Some(name),
            Sticky::Run | Sticky::Tenant => None,
        }
    }

    /// The share of a candidate, if there is one.
    #[must_use]
    pub fn split(&self) -> Option<&Split> {
        Some(&self.split.as_ref()?.0)
    }

    /// Where a pin holds a caller; `Ok(None)` when none does.
    ///
    /// # Errors
    /// When it is pinned to a revision that is not loaded.
    pub fn pinned_to(&self, caller: &Caller<'_>) -> Result<Option<&Arc<Mount<H>>>, NotLoaded> {
        match self.pinned(caller).map(|place| self.targets.get(place)) {
            None => Ok(None),
            Some(Some(Some(mount))) => Ok(Some(mount)),
            Some(_) => Err(NotLoaded),
        }
    }

    /// The load that a share of the calls goes to, when it is loaded.
    #[must_use]
    pub fn candidate(&self) -> Option<&Arc<Mount<H>>> {
        let (_, place) = self.split.as_ref()?;
        self.targets.get(*place)?.as_ref()
    }

    /// Where a caller goes; `Ok(None)` for what is live.
    ///
    /// # Errors
    /// When it is pinned to a revision that is not loaded.
    #[inline]
    pub fn choose(&self, caller: &Caller<'_>, draw: Draw) -> Result<Option<&Arc<Mount<H>>>, NotLoaded> {
        match self.place(caller, draw) {
            None => Ok(None),
            Some(place) => match self.targets.get(place) {
                Some(Some(mount)) => Ok(Some(mount)),
                _ => Err(NotLoaded),
            },
        }
    }

    #[inline]
    fn place(&self, caller: &Caller<'_>, draw: Draw) -> Option<usize> {
        self.pinned(caller).or_else(|| self.dealt(caller, draw))
    }

    /// The candidate's place, when a share takes the caller along.
    #[inline]
    fn dealt(&self, caller: &Caller<'_>, draw: Draw) -> Option<usize> {
        let (split, place) = self.split.as_ref()?;
        let hit = match &split.by {
            Sticky::Run => match draw {
                Draw::Hash => split.weight.admits(bucket(caller.run.as_bytes(), split.salt)),
                Draw::Ticket => split.weight.admits(split.tickets.take()),
            },
            Sticky::Tenant => split.weight.admits(bucket(caller.tenant.as_bytes(), split.salt)),
            Sticky::Variable(_) => {
                let key = caller.key.unwrap_or(caller.tenant);
                split.weight.admits(bucket(key.as_bytes(), split.salt))
            }
        };
        hit.then_some(*place)
    }

    #[inline]
    fn pinned(&self, caller: &Caller<'_>) -> Option<usize> {
        if let Some(workflow) = caller.workflow
            && !self.by_workflow.is_empty()
        {
            let find = |tenant: Option<&str>| {
                let key = (workflow, tenant);
                let found = self.by_workflow.binary_search_by(|(workflow, tenant, _)| {
                    (workflow.as_str(), tenant.as_ref().map(TenantId::as_str)).cmp(&key)
                });
                Some(self.by_workflow.get(found.ok()?)?.2)
            };
            if let Some(place) = find(Some(caller.tenant)).or_else(|| find(None)) {
                return Some(place);
            }
        }
        if !self.by_tenant.is_empty()
            && let Some(place) = self.by_tenant.get(caller.tenant)
        {
            return Some(place);
        }
        self.everyone
    }
}

impl<H> fmt::Debug for Detours<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detours")
            .field("targets", &self.targets)
            .field("split", &self.split)
            .finish_non_exhaustive()
    }
}

/// Somebody is pinned to a revision that is not loaded, or that has no such node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pinned revision is not loaded, or has no such node")]
pub struct NotLoaded;

/// The detours of one node type: for each target its place there.
pub(crate) struct Detour<H> {
    pub(crate) of: Arc<Detours<H>>,
    nodes: Box<[Option<u32>]>,
    /// A share by itself, at hand: what calls pass by most, a canary without pins, costs them no walk.
    alone: Option<Alone<H>>,
}

/// A share that nothing but the run or the tenant decides.
struct Alone<H> {
    by_run: bool,
    weight: Weight,
    salt: u64,
    mount: Arc<Mount<H>>,
    node: u32,
}

impl<H> Alone<H> {
    fn of(detours: &Detours<H>, node_type: &str) -> Option<Self> {
        let (split, place) = detours.split.as_ref()?;
        let by_run = match split.by {
            Sticky::Run => true,
            Sticky::Tenant => false,
            Sticky::Variable(_) => return None,
        };
        let has_pins =
            detours.everyone.is_some() || !detours.by_tenant.is_empty() || !detours.by_workflow.is_empty();
        let mount = detours.targets.get(*place)?.as_ref().filter(|_| !has_pins)?;
        Some(Self {
            by_run,
            weight: split.weight,
            salt: split.salt,
            node: mount.node_of(node_type)?,
            mount: Arc::clone(mount),
        })
    }
}

impl<H> Detour<H> {
    pub(crate) fn new(of: &Arc<Detours<H>>, node_type: &str) -> Self {
        let place = |mount: &Option<Arc<Mount<H>>>| mount.as_ref()?.node_of(node_type);
        Self {
            nodes: of.targets.iter().map(place).collect(),
            alone: Alone::of(of, node_type),
            of: Arc::clone(of),
        }
    }
}

/// Where one call goes.
pub struct Leg<'r, H> {
    /// The load that answers.
    pub mount: &'r Arc<Mount<H>>,
    /// The index in its node list.
    pub node: u32,
}

impl<H> Clone for Leg<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for Leg<'_, H> {}

impl<H> fmt::Debug for Leg<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}#{}", self.mount, self.node)
    }
}

impl<H> Route<H> {
    /// Whether calls may go elsewhere than to what is live.
    #[inline]
    #[must_use]
    pub fn detours(&self) -> Option<&Arc<Detours<H>>> {
        Some(&self.detour.as_ref()?.of)
    }

    /// Where what is live answers.
    #[inline]
    #[must_use]
    pub fn live(&self) -> Leg<'_, H> {
        Leg {
            mount: self.mount(),
            node: self.node(),
        }
    }

    /// Where a call goes that a share alone decides about, by its tenant or its run; `None` when there is more to it, which
    /// [`leg`](Self::leg) knows.
    #[inline]
    #[must_use]
    pub fn dealt(&self, tenant: &str, run: &str) -> Option<Leg<'_, H>> {
        let alone = self.detour.as_ref()?.alone.as_ref()?;
        let key = if alone.by_run { run } else { tenant };
        if !alone.weight.admits(bucket(key.as_bytes(), alone.salt)) {
            return Some(self.live());
        }
        Some(Leg {
            mount: &alone.mount,
            node: alone.node,
        })
    }

    /// Where a caller's call goes. A candidate that has no such node leaves the call to what is live.
    ///
    /// # Errors
    /// When the caller is pinned to a revision that is not loaded, or has no such node.
    #[inline]
    pub fn leg(&self, caller: &Caller<'_>) -> Result<Leg<'_, H>, NotLoaded> {
        let Some(detour) = &self.detour else {
            return Ok(self.live());
        };
        let pinned = detour.of.pinned(caller);
        let Some(place) = pinned.or_else(|| detour.of.dealt(caller, Draw::Hash)) else {
            return Ok(self.live());
        };
        let mount = detour.of.targets.get(place).and_then(Option::as_ref);
        let node = detour.nodes.get(place).copied().flatten();
        match (mount, node) {
            (Some(mount), Some(node)) => Ok(Leg { mount, node }),
            // Not by the place: somebody may be pinned to the candidate.
            _ if pinned.is_none() => Ok(self.live()),
            _ => Err(NotLoaded),
        }
    }
}
