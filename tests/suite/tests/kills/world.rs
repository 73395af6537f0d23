//! What is to be true of one plugin, and what an order makes of that.
//!
//! Invariant: an order that [`World::choose`] gives is one that the host has to carry out.

use std::collections::{BTreeMap, BTreeSet};

use patchbay_tests_support::Chance;

/// A version, by its middle number.
pub(crate) type Minor = u64;

/// How new versions go live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Immediate,
    Manual,
    Canary,
}

/// A rollout under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rolling {
    pub(crate) to: Minor,
    pub(crate) stage: Stage,
    pub(crate) is_paused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It answers copies of calls.
    Shadow,
    Step,
    Baking,
}

/// What can be seen of it from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) known: BTreeSet<Minor>,
    pub(crate) live: Option<Minor>,
    pub(crate) way: Option<Way>,
    pub(crate) pins: BTreeMap<Option<&'static str>, Minor>,
    pub(crate) quarantined: BTreeSet<Minor>,
    pub(crate) rolling: Option<Rolling>,
}

/// What is to be seen, and what it depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) seen: Seen,
    /// What was live, the latest first, what is live included.
    pub(crate) order: Vec<Minor>,
    /// What was live when the rollout began.
    pub(crate) from: Option<Minor>,
}

/// What somebody orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Deploy(Minor),
    Promote { to: Minor, is_forced: bool },
    RollBack(Option<Minor>),
    Quarantine(Option<Minor>),
    Pin(Option<&'static str>, Minor),
    Unpin(Option<&'static str>),
    Policy(Way),
    Begin(Minor),
    Shadow(Minor),
    Next,
    Abort,
    Pause,
    Resume,
    Collect,
    Run,
}

/// How many versions there are.
pub(crate) const VERSIONS: Minor = 20;
const TENANTS: [Option<&str>; 3] = [Some("acme"), Some("globex"), None];

impl World {
    /// Before anything was deployed.
    pub(crate) fn begun() -> Self {
        let mut world = Self::default();
        world.seen.way = Some(Way::Immediate);
        world
    }

    /// A collection has left these, or it has removed too much.
    pub(crate) fn adopt(&mut self, left: &BTreeSet<Minor>) -> Result<(), String> {
        let seen = &mut self.seen;
        let rolling = seen.rolling.map(|rolling| rolling.to);
        let mut needed = seen
            .pins
            .values()
            .chain(&seen.live)
            .chain(seen.known.last())
            .chain(&rolling);
        if !left.is_subset(&seen.known) || needed.any(|minor| !left.contains(minor)) {
            return Err(format!("has {left:?} left of {seen:?}"));
        }
        seen.quarantined.retain(|minor| left.contains(minor));
        self.order.retain(|minor| left.contains(minor));
        seen.known.clone_from(left);
        Ok(())
    }

    /// What the host is sent to by a rollback.
    fn before(&self) -> Option<Minor> {
        let mut before = self.order.iter().copied();
        before.find(|minor| Some(*minor) != self.seen.live && !self.seen.quarantined.contains(minor))
    }

    fn go_live(&mut self, to: Minor) {
        self.seen.live = Some(to);
        self.order.retain(|known| *known != to);
        self.order.insert(0, to);
    }

    /// What an order makes of it; of a collection it is seen afterwards.
    pub(crate) fn after(&self, order: Order) -> Self {
        let mut next = self.clone();
        let seen = &mut next.seen;
        match order {
            Order::Deploy(minor) => {
                seen.known.insert(minor);
                let way = seen.way.unwrap_or(Way::Immediate);
                seen.way = Some(way);
                match (way, seen.live) {
                    (Way::Manual, _) => {}
                    (Way::Immediate, _) | (Way::Canary, None) => next.go_live(minor),
                    (Way::Canary, Some(live)) => next.begin(live, minor, Stage::Step),
                }
            }
            Order::Promote { to, .. } => {
                seen.quarantined.remove(&to);
                next.go_live(to);
            }
            // Whoever goes back while a candidate has a share of the calls means the candidate.
            Order::RollBack(_) if self.is_at(Stage::Step) => seen.rolling = None,
            Order::RollBack(to) => {
                let to = to.or(self.before()).expect("there is one");
                next.go_live(to);
            }
            Order::Quarantine(which) => {
                let which = which.or(seen.live).expect("something is live");
                seen.quarantined.insert(which);
                if seen.live == Some(which) {
                    let to = self.before().expect("something takes over");
                    next.go_live(to);
                }
                if next.seen.rolling.is_some_and(|rolling| rolling.to == which) {
                    next.seen.rolling = None;
                }
            }
            Order::Pin(tenant, to) => {
                seen.pins.insert(tenant, to);
            }
            Order::Unpin(tenant) => {
                seen.pins.remove(&tenant);
            }
            Order::Policy(way) => seen.way = Some(way),
            Order::Begin(to) => {
                let live = seen.live.expect("something is live");
                next.begin(live, to, Stage::Step);
            }
            Order::Shadow(to) => {
                let live = seen.live.expect("something is live");
                next.begin(live, to, Stage::Shadow);
            }
            Order::Next => {
                let rolling = seen.rolling.expect("one is under way");
                match rolling.stage {
                    Stage::Step => {
                        seen.rolling = Some(Rolling {
                            stage: Stage::Baking,
                            ..rolling
                        });
                        next.go_live(rolling.to);
                    }
                    Stage::Shadow => {
                        seen.rolling = None;
                        next.go_live(rolling.to);
                    }
                    Stage::Baking => seen.rolling = None,
                }
            }
            Order::Abort => {
                let rolling = seen.rolling.take().expect("one is under way");
                if rolling.stage == Stage::Baking {
                    let from = self.from.expect("something was live");
                    next.go_live(from);
                    // It did not do: nobody falls back to it while there is another one.
                    next.order.retain(|known| *known != rolling.to);
                    next.order.push(rolling.to);
                }
            }
            Order::Pause => next.pause(true),
            Order::Resume => next.pause(false),
            Order::Collect | Order::Run => {}
        }
        next
    }

    fn begin(&mut self, from: Minor, to: Minor, stage: Stage) {
        self.from = Some(from);
        self.seen.rolling = Some(Rolling {
            to,
            stage,
            is_paused: false,
        });
    }

    fn pause(&mut self, is_paused: bool) {
        if let Some(rolling) = &mut self.seen.rolling {
            rolling.is_paused = is_paused;
        }
    }

    fn is_at(&self, stage: Stage) -> bool {
        self.seen.rolling.is_some_and(|rolling| rolling.stage == stage)
    }

    /// What answers a tenant's calls: one of these.
    pub(crate) fn answers(&self, tenant: &'static str) -> BTreeSet<Minor> {
        let seen = &self.seen;
        let fit = |minor: &&Minor| !seen.quarantined.contains(*minor);
        let pinned = seen.pins.get(&Some(tenant)).filter(fit);
        if let Some(pinned) = pinned.or_else(|| seen.pins.get(&None).filter(fit)) {
            return BTreeSet::from([*pinned]);
        }
        let candidate = seen.rolling.filter(|rolling| rolling.stage == Stage::Step);
        seen.live
            .into_iter()
            .chain(candidate.map(|rolling| rolling.to))
            .collect()
    }

    /// Every order that the host has to carry out now.
    fn possible(&self) -> Vec<Order> {
        let seen = &self.seen;
        let next = seen.known.last().map_or(0, |last| last + 1);
        let Some(live) = seen.live else {
            return vec![Order::Deploy(next)];
        };
        let mut all = vec![Order::Run];
        let sound = |minor: &Minor| !seen.quarantined.contains(minor);
        for minor in seen.known.iter().copied() {
            let can_pin = sound(&minor);
            let pins = TENANTS
                .into_iter()
                .filter(|tenant| can_pin && seen.pins.get(tenant) != Some(&minor));
            all.extend(pins.map(|tenant| Order::Pin(tenant, minor)));
        }
        all.extend(seen.pins.keys().map(|tenant| Order::Unpin(*tenant)));
        for way in [Way::Immediate, Way::Manual, Way::Canary] {
            if seen.way != Some(way) {
                all.push(Order::Policy(way));
            }
        }
        match seen.rolling {
            Some(rolling) => {
                all.push(Order::Abort);
                match rolling.is_paused {
                    true => all.push(Order::Resume),
                    false => all.extend([Order::Next, Order::Pause]),
                }
                match rolling.stage {
                    Stage::Shadow => all.push(Order::Quarantine(Some(rolling.to))),
                    Stage::Step => {
                        all.extend([Order::RollBack(None), Order::Quarantine(Some(rolling.to))]);
                    }
                    Stage::Baking => {}
                }
            }
            None => {
                if next < VERSIONS {
                    all.push(Order::Deploy(next));
                }
                for minor in seen.known.iter().copied().filter(|minor| *minor != live) {
                    match sound(&minor) {
                        true => all.extend([
                            Order::Promote {
                                to: minor,
                                is_forced: false,
                            },
                            Order::RollBack(Some(minor)),
                            Order::Begin(minor),
                            Order::Shadow(minor),
                            Order::Quarantine(Some(minor)),
                        ]),
                        false => all.push(Order::Promote {
                            to: minor,
                            is_forced: true,
                        }),
                    }
                }
                if self.before().is_some() {
                    all.extend([Order::RollBack(None), Order::Quarantine(None)]);
                }
                all.push(Order::Collect);
            }
        }
        all
    }

    /// An order that the host has to carry out now; of the kinds that come to `point`, if there are any.
    pub(crate) fn choose(&self, chance: &mut Chance, point: Option<&str>) -> Order {
        let all = self.possible();
        let wanted: Vec<_> = all
            .iter()
            .copied()
            .filter(|order| point.is_some_and(|point| comes_to(*order, point)))
            .collect();
        if !wanted.is_empty() && chance.one_in(2) {
            return *chance.of(&wanted);
        }
        // Each kind is as likely as another one, however many there are of it.
        let kinds: BTreeSet<_> = all.iter().map(|order| order.kind()).collect();
        let kinds: Vec<_> = kinds.into_iter().collect();
        let kind = *chance.of(&kinds);
        let of_kind: Vec<_> = all.into_iter().filter(|order| order.kind() == kind).collect();
        *chance.of(&of_kind)
    }
}

impl Order {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Deploy(_) => "deploy",
            Self::Promote { .. } => "promote",
            Self::RollBack(_) => "rollback",
            Self::Quarantine(_) => "quarantine",
            Self::Pin(..) => "pin",
            Self::Unpin(_) => "unpin",
            Self::Policy(_) => "policy",
            Self::Begin(_) => "begin",
            Self::Shadow(_) => "shadow",
            Self::Next => "next",
            Self::Abort => "abort",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Collect => "collect",
            Self::Run => "run",
        }
    }
}

/// Whether an order leads by a point at which the host may be killed.
fn comes_to(order: Order, point: &str) -> bool {
    let kind = order.kind();
    match point.split_once('.').map_or(point, |(area, _)| area) {
        "artifact" | "verdict" | "admit" => kind == "deploy",
        "swap" => matches!(kind, "promote" | "rollback" | "next"),
        "pin" => kind == "pin",
        "policy" => kind == "policy",
        "quarantine" => kind == "quarantine",
        "rollout" => matches!(kind, "begin" | "shadow" | "next" | "abort" | "pause" | "resume"),
        "retention" => matches!(kind, "collect" | "deploy"),
        "journal" => kind == "run",
        _ => false,
    }
}
