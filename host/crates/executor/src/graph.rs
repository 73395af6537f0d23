//! Which nodes may run: the part of a frame that its workers share under a lock.
//!
//! Invariant: a node is made ready at most once. It is, when every edge that can lead to it has fired or died and at
//! least one has fired; when all have died, it is skipped, and so on behind it. What is done for a settled node is in
//! proportion to its edges.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use patchbay_workflow::Port;

use crate::Failure;
use crate::attempt::Attempt;
use crate::frame::Frame;
use crate::port::Stop;
use crate::prepared::{DEAD, Prepared};
use crate::record::{RunStatus, Status};
use crate::rounds::Rounds;
use crate::timers::Ticket;

/// A node to be run, or to be gone on with.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) node: u32,
    pub(crate) resume: Option<Box<Attempt>>,
}

/// A node that was begun and holds no thread.
pub(crate) enum Away {
    /// Waits for its next try.
    Sleeping(Box<Attempt>, Ticket),
    /// Is polled.
    Task(Box<Attempt>, Option<Stop>),
    /// Runs the rounds of a loop.
    Loop(Box<Rounds>),
}

#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    left: u32,
    begun: bool,
    fired: bool,
    failed: bool,
}

/// How a node left: which of its edges fire.
#[derive(Debug)]
pub(crate) struct Leave {
    /// Edges of this port; none when `None`.
    pub(crate) port: Option<Port>,
    /// Bits of the outputs that fire; 0 for all.
    pub(crate) outputs: u64,
    /// For each edge, whether its condition holds; empty when none has one.
    pub(crate) conditions: Vec<bool>,
}

impl Leave {
    pub(crate) const fn by(port: Port) -> Self {
        Self {
            port: Some(port),
            outputs: 0,
            conditions: Vec::new(),
        }
    }

    pub(crate) const fn nowhere() -> Self {
        Self {
            port: None,
            outputs: 0,
            conditions: Vec::new(),
        }
    }
}

/// Why nothing new starts.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) status: RunStatus,
    pub(crate) error: Option<(String, Failure)>,
}

/// The state of one graph that is being run.
pub(crate) struct Graph {
    waits: Box<[Wait]>,
    pub(crate) ready: VecDeque<Item>,
    /// Nodes as they were begun, once for each try.
    pub(crate) order: Vec<u32>,
    /// Nodes on threads.
    pub(crate) running: u32,
    /// Nodes whose step is known and not applied.
    pub(crate) settling: u32,
    /// What waits was told that the run was cut short.
    pub(crate) cut: bool,
    /// Nodes that were begun and hold no thread.
    pub(crate) away: HashMap<u32, Away>,
    /// Set when nothing new starts any more.
    pub(crate) ending: Option<Ending>,
    /// Nothing changes any more.
    pub(crate) closed: bool,
    /// It was closed while nodes were on threads, which are not waited for.
    pub(crate) forced: bool,
    /// Another thread was asked to look at the ready nodes, and has not yet.
    pub(crate) asked: bool,
    dead: VecDeque<u32>,
}

impl Graph {
    pub(crate) fn new(prepared: &Prepared, starts: &[u32]) -> Self {
        let waits = prepared.waits(starts);
        let mut waits: Box<[Wait]> = waits
            .iter()
            .map(|&left| Wait {
                left,
                ..Wait::default()
            })
            .collect();
        let mut ready = VecDeque::with_capacity(starts.len().max(16));
        for &node in starts {
            if let Some(wait) = waits.get_mut(node as usize)
                && !wait.begun
            {
                wait.begun = true;
                ready.push_back(Item { node, resume: None });
            }
        }
        Self {
            order: Vec::with_capacity(waits.len()),
            waits,
            ready,
            running: 0,
            settling: 0,
            cut: false,
            away: HashMap::new(),
            ending: None,
            closed: false,
            forced: false,
            asked: false,
            dead: VecDeque::new(),
        }
    }

    /// Whether nothing is left to be done.
    pub(crate) fn is_over(&self) -> bool {
        self.running == 0 && self.settling == 0 && self.ready.is_empty() && self.away.is_empty()
    }

    /// Lets nothing new start.
    pub(crate) fn end(&mut self, ending: Ending) {
        if self.ending.is_none() {
            self.ending = Some(ending);
        }
        // What is to be gone on with is taken to its end; what has not begun never does.
        self.ready.retain(|item| item.resume.is_some());
        for attempt in self.ready.iter_mut().filter_map(|item| item.resume.as_mut()) {
            attempt.give_up |= attempt.answer.is_none();
        }
    }

    /// A node has left: its edges fire or die, and what waited for them becomes ready or is skipped.
    pub(crate) fn settle(&mut self, frame: &Frame, node: u32, status: Status, leave: &Leave) {
        let plan = frame.prepared.plan();
        let Some(of) = plan.nodes.get(node as usize) else {
            return;
        };
        let edges = plan
            .edges
            .get(of.edges.start as usize..of.edges.end as usize)
            .unwrap_or_default();
        for (place, edge) in edges.iter().enumerate() {
            let fires = leave.port == Some(edge.port)
                && (leave.outputs == 0 || (leave.outputs >> edge.output.min(63)) & 1 == 1)
                && leave.conditions.get(place).copied().unwrap_or(true);
            if fires {
                frame.fire(of.edges.start + place as u32);
            }
            self.arrive(frame, edge.to, fires, status == Status::Error);
        }
        while let Some(node) = self.dead.pop_front() {
            frame.skip(node);
            let Some(of) = plan.nodes.get(node as usize) else {
                continue;
            };
            for edge in plan
                .edges
                .get(of.edges.start as usize..of.edges.end as usize)
                .unwrap_or_default()
            {
                self.arrive(frame, edge.to, false, false);
            }
        }
    }

    fn arrive(&mut self, frame: &Frame, node: u32, fired: bool, failed: bool) {
        let Some(wait) = self.waits.get_mut(node as usize) else {
            return;
        };
        if wait.begun || wait.left == DEAD {
            return;
        }
        wait.left = wait.left.saturating_sub(1);
        wait.fired |= fired;
        wait.failed |= failed;
        if wait.left > 0 {
            return;
        }
        wait.begun = true;
        let skips = wait.failed
            && frame
                .prepared
                .plan()
                .nodes
                .get(node as usize)
                .is_some_and(|node| node.skip_on_fail);
        if !wait.fired || skips {
            self.dead.push_back(node);
        } else if self.ending.is_none() {
            self.ready.push_back(Item { node, resume: None });
        }
    }
}

/// Which edges have fired: one bit for each.
pub(crate) struct Fired(Box<[AtomicU64]>);

impl Fired {
    pub(crate) fn new(edges: usize) -> Self {
        Self((0..edges.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    /// Only with the graph locked.
    #[inline]
    pub(crate) fn set(&self, edge: u32) {
        if let Some(word) = self.0.get(edge as usize / 64) {
            let bits = word.load(Ordering::Relaxed) | 1 << (edge % 64);
            word.store(bits, Ordering::Relaxed);
        }
    }

    /// Right for edges of nodes that were done before the asking one was made ready.
    pub(crate) fn has(&self, edge: u32) -> bool {
        let word = self.0.get(edge as usize / 64);
        word.is_some_and(|word| word.load(Ordering::Relaxed) >> (edge % 64) & 1 == 1)
    }
}
