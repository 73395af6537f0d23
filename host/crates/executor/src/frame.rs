//! One graph that is being run: a workflow, or one round of a loop.
//!
//! Invariant: a slot is written once, by whoever ends the node. Slots are read without a lock: a node is made ready
//! under the lock after the slots of the nodes before it were written.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use patchbay_workflow::Work;
use plugin_api::value::{Value, ValueRef, Writer};

use crate::attempt::Attempt;
use crate::event::{Event, EventKind};
use crate::graph::{Away, Ending, Fired, Graph, Item};
use crate::pool::Desk;
use crate::port::{Hold, Nature};
use crate::prepared::Prepared;
use crate::record::{Done, Finished, NodeResult, RunStatus, Status};
use crate::run::Given;
use crate::run::Run;
use crate::step::{self, Step, Wait};
use crate::timers::Due;
use crate::{Failure, ServedBy};

/// Nodes that a thread runs before it looks whether other frames wait.
const SLICE: u64 = 512;
/// A pure node that takes no longer than this, in nanoseconds, is not worth waking a thread for.
const CHEAP: u32 = 20_000;

/// Whose graph it is.
pub(crate) enum Owner {
    /// The run's own.
    Run,
    /// A round of a loop.
    Round {
        /// Where the loop is.
        parent: Arc<Frame>,
        /// Which node.
        node: u32,
    },
}

/// The results of a graph's nodes, each written once.
pub(crate) type Slots = Arc<[OnceLock<Done>]>;

pub(crate) struct Frame {
    pub(crate) run: Arc<Run>,
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) slots: Slots,
    fired: Fired,
    pub(crate) graph: Mutex<Graph>,
    pub(crate) owner: Owner,
    pub(crate) bindings: Option<Value>,
}

impl Frame {
    pub(crate) fn new(
        run: Arc<Run>,
        prepared: Arc<Prepared>,
        starts: &[u32],
        owner: Owner,
        bindings: Option<Value>,
    ) -> Arc<Self> {
        let plan = prepared.plan();
        let slots = (0..plan.nodes.len()).map(|_| OnceLock::new()).collect();
        let fired = Fired::new(plan.edges.len());
        let graph = Mutex::new(Graph::new(&prepared, starts));
        Arc::new(Self {
            run,
            prepared,
            slots,
            fired,
            graph,
            owner,
            bindings,
        })
    }

    /// Takes over what is known from an earlier run, as if it had happened in this one.
    pub(crate) fn preset(&self, given: &[Given]) {
        let plan = self.prepared.plan();
        for known in given {
            let Some(node) = plan.nodes.get(known.node as usize) else {
                continue;
            };
            let mut done = Done::skipped(0);
            done.status = known.status;
            if let Some(output) = &known.output {
                done.output = output.as_bytes().into();
            }
            if let Some(failure) = &known.failure {
                done.more().failure = Some(failure.clone());
            }
            for edge in known.fired.iter().filter(|edge| node.edges.contains(edge)) {
                self.fire(*edge);
            }
            self.put(known.node, done);
        }
    }

    /// The result of a node that is done.
    pub(crate) fn done(&self, node: u32) -> Option<&Done> {
        self.slots.get(node as usize)?.get()
    }

    /// Writes a node's result; false when it has one.
    pub(crate) fn put(&self, node: u32, done: Done) -> bool {
        self.slots
            .get(node as usize)
            .is_some_and(|slot| slot.set(done).is_ok())
    }

    pub(crate) fn fire(&self, edge: u32) {
        self.fired.set(edge);
    }

    /// A node whose every edge died.
    pub(crate) fn skip(&self, node: u32) {
        self.put(node, Done::skipped(self.run.since_start()));
        self.tell(node, EventKind::Skipped);
    }

    /// Whether anybody looks at the run right now.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.run
            .observer
            .as_ref()
            .is_some_and(|observer| observer.is_watching())
    }

    pub(crate) fn tell(&self, node: u32, kind: EventKind) {
        if let Some(observer) = &self.run.observer
            && observer.is_watching()
        {
            let node = self.path_of(node);
            observer.event(&Event { node, kind });
        }
    }

    /// The node's id, after those of the loops it is in.
    pub(crate) fn path_of(&self, node: u32) -> String {
        let id = self.prepared.plan().nodes.get(node as usize);
        let id = id.map(|node| node.id.as_str()).unwrap_or_default();
        match &self.owner {
            Owner::Run => id.to_owned(),
            Owner::Round { parent, node } => format!("{}/{id}", parent.path_of(*node)),
        }
    }

    /// What arrived at an input of a node, in the order of the edges.
    pub(crate) fn inputs(&self, node: u32, input: u32) -> Option<Value> {
        let mut out = Vec::new();
        let written = Writer::new(&mut out).list(|list| {
            for value in self.arrivals(node, input) {
                list.value(value)?;
            }
            Ok(())
        });
        written.ok()?;
        Some(ValueRef::assume_valid(&out).to_value())
    }

    fn arrivals(&self, node: u32, input: u32) -> impl Iterator<Item = ValueRef<'_>> {
        let edges = &self.prepared.plan().edges;
        let incoming = self.prepared.incoming(node).iter();
        let fired = incoming.filter(move |(_, at)| {
            let edge = edges.get(*at as usize);
            self.fired.has(*at) && edge.is_some_and(|edge| u32::from(edge.input) == input)
        });
        fired.filter_map(|(from, _)| Some(self.done(*from)?.output()))
    }

    /// What `$input` is: the first value that arrived, else what the run, or the round, began with.
    pub(crate) fn arrived(&self, node: u32) -> Value {
        if let Some(first) = self.arrivals(node, 0).next() {
            return first.to_value();
        }
        let item = self
            .bindings
            .as_ref()
            .and_then(|bindings| bindings.as_ref().get("item"));
        item.map_or_else(|| self.run.trigger.clone(), |item| item.to_value())
    }

    /// What the graph gives: the output of its one last node, or a map of the last nodes' outputs by id.
    pub(crate) fn result(&self) -> Value {
        let plan = self.prepared.plan();
        let last = || {
            (0_u32..).zip(&plan.nodes).filter_map(|(index, node)| {
                let done = self.done(index)?;
                let ends = node.edges.is_empty() && done.status == Status::Success;
                ends.then_some((node, done))
            })
        };
        let mut those = last();
        match (those.next(), those.next()) {
            (None, _) => Value::null(),
            (Some((_, done)), None) => done.output().to_value(),
            (Some(_), Some(_)) => {
                let mut out = Vec::new();
                let written = Writer::new(&mut out).map(|map| {
                    for (node, done) in last() {
                        map.entry(node.id.as_str(), |writer| writer.value(done.output()))?;
                    }
                    Ok(())
                });
                written.map_or_else(|_| Value::null(), |()| ValueRef::assume_valid(&out).to_value())
            }
        }
    }

    /// Runs nodes until none is ready, or others wait for the thread.
    pub(crate) fn work(self: &Arc<Self>, desk: &mut Desk) {
        let run = &self.run;
        let Some(hold) = run.hold() else { return };
        let pool = &run.shop.pool;
        let most = self.prepared.plan().limits.concurrent_nodes;
        desk.now = run.shop.nanos();
        let mut graph = self.graph.lock();
        graph.asked = false;
        for done in 0_u64.. {
            if graph.closed {
                return;
            }
            if run.is_cancelled() && !graph.cut {
                self.wind_up(&mut graph, run.cancelled_as());
            }
            if most.is_some_and(|most| graph.running as usize + graph.away.len() >= most as usize)
                && graph.ready.front().is_some_and(|item| item.resume.is_none())
            {
                break;
            }
            let Some(item) = graph.ready.pop_front() else {
                break;
            };
            let node = item.node;
            graph.running += 1;
            if step::tries(self, &item) {
                graph.order.push(node);
            }
            // Whoever is idle now, or will be while this node runs, takes the others.
            if !graph.ready.is_empty() && !graph.asked && self.is_slow(&*hold, node) {
                graph.asked = true;
                pool.submit(Arc::clone(self));
            }
            drop(graph);
            let step = step::run(self, &*hold, item, desk);
            graph = self.graph.lock();
            if graph.forced {
                // The run has gone on without this thread, and another one has its place.
                desk.replaced = true;
            }
            if desk.replaced || graph.closed {
                return;
            }
            graph.running -= 1;
            self.take(&mut graph, node, step);
            if done >= SLICE && !graph.ready.is_empty() && pool.has_waiting() {
                pool.submit(Arc::clone(self));
                return;
            }
        }
        if !graph.is_over() {
            return;
        }
        graph.closed = true;
        let ending = graph.ending.take();
        let order = std::mem::take(&mut graph.order);
        drop(graph);
        drop(hold);
        self.over(ending, order, desk);
    }

    /// Takes over the step of a node that was counted as settling.
    pub(crate) fn apply(self: &Arc<Self>, node: u32, step: Step) {
        let mut graph = self.graph.lock();
        if graph.closed {
            return;
        }
        graph.settling -= 1;
        self.take(&mut graph, node, step);
        drop(graph);
        self.run.shop.pool.submit(Arc::clone(self));
    }

    fn take(self: &Arc<Self>, graph: &mut Graph, node: u32, step: Step) {
        match step {
            Step::Left(status, leave) => graph.settle(self, node, status, &leave),
            Step::Failed(leave, ending) => {
                graph.settle(self, node, Status::Error, &leave);
                self.wind_up(graph, ending);
            }
            Step::Away(attempt, wait) => self.put_away(graph, node, attempt, wait),
            Step::Rounds(rounds) => {
                let next = rounds.frame();
                graph.away.insert(node, Away::Loop(rounds));
                self.run.shop.pool.submit(next);
            }
            Step::Lost => {}
        }
    }

    fn is_slow(&self, hold: &dyn Hold, node: u32) -> bool {
        let Some(of) = self.prepared.plan().nodes.get(node as usize) else {
            return false;
        };
        match &of.work {
            Work::Call(node_type) if hold.nature(*node_type) == Nature::Pure => {
                let cost = self.prepared.cost(node);
                cost == 0 || cost > CHEAP
            }
            Work::Call(_) => true,
            _ => false,
        }
    }

    /// Keeps a node that was begun and holds no thread, and begins what it waits for.
    fn put_away(self: &Arc<Self>, graph: &mut Graph, node: u32, mut attempt: Box<Attempt>, wait: Wait) {
        if let Some(ending) = &graph.ending {
            // Nothing new starts.
            attempt.give_up = true;
            if ending.status != RunStatus::Error || attempt.failure.is_none() {
                attempt.failure = Some(self.run.ended_failure(ending.status));
            }
            let resume = Some(attempt);
            graph.ready.push_back(Item { node, resume });
            return;
        }
        match wait {
            Wait::For(delay) => {
                let due = Due::Wake(Arc::clone(self), node);
                let ticket = self.run.shop.pool.timers.add(delay, due);
                graph.away.insert(node, Away::Sleeping(attempt, ticket));
            }
            Wait::Answer(begin) => {
                graph.away.insert(node, Away::Task(attempt, None));
                // The answer may be there at once; it waits for the lock.
                let stop = begin();
                if let Some(Away::Task(_, place)) = graph.away.get_mut(&node) {
                    *place = stop;
                }
            }
        }
    }

    /// Lets nothing new start; what waits is told so. What runs is taken to its end, unless the run was cut short.
    pub(crate) fn wind_up(self: &Arc<Self>, graph: &mut Graph, ending: Ending) {
        let cut = ending.status != RunStatus::Error;
        let why = self.run.ended_failure(ending.status);
        graph.end(ending);
        graph.cut |= cut;
        let nodes: Vec<u32> = graph.away.keys().copied().collect();
        for node in nodes {
            let goes = match graph.away.get_mut(&node) {
                Some(Away::Sleeping(..)) => true,
                Some(Away::Task(_, stop)) if cut => {
                    if let Some(stop) = stop.take() {
                        stop();
                    }
                    true
                }
                Some(Away::Loop(rounds)) if cut => {
                    self.run.shop.pool.submit(rounds.frame());
                    false
                }
                _ => false,
            };
            let away = if goes { graph.away.remove(&node) } else { None };
            let attempt = match away {
                Some(Away::Sleeping(mut attempt, ticket)) => {
                    self.run.shop.pool.timers.remove(ticket);
                    if cut {
                        attempt.failure = Some(why.clone());
                    }
                    attempt
                }
                Some(Away::Task(mut attempt, _)) => {
                    attempt.answer = Some(Err(why.clone()));
                    attempt
                }
                _ => continue,
            };
            let mut attempt = attempt;
            attempt.give_up = true;
            let resume = Some(attempt);
            graph.ready.push_back(Item { node, resume });
        }
    }

    /// A node's next try is due.
    pub(crate) fn wake(self: &Arc<Self>, node: u32) {
        let mut graph = self.graph.lock();
        if !matches!(graph.away.get(&node), Some(Away::Sleeping(..))) {
            return;
        }
        if let Some(Away::Sleeping(attempt, _)) = graph.away.remove(&node) {
            let resume = Some(attempt);
            graph.ready.push_back(Item { node, resume });
        }
        drop(graph);
        self.run.shop.pool.submit(Arc::clone(self));
    }

    /// An async try has its answer.
    pub(crate) fn answer(self: &Arc<Self>, node: u32, answer: Result<Value, Failure>) {
        let mut graph = self.graph.lock();
        if !matches!(graph.away.get(&node), Some(Away::Task(..))) {
            return;
        }
        if let Some(Away::Task(mut attempt, _)) = graph.away.remove(&node) {
            attempt.answer = Some(answer);
            let resume = Some(attempt);
            graph.ready.push_back(Item { node, resume });
        }
        drop(graph);
        self.run.shop.pool.submit(Arc::clone(self));
    }

    fn over(self: &Arc<Self>, ending: Option<Ending>, order: Vec<u32>, desk: &mut Desk) {
        match &self.owner {
            Owner::Run => self.run.end(self, ending, order),
            Owner::Round { parent, node } => crate::rounds::round_over(parent, *node, self, ending, desk),
        }
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame")
            .field("run", &self.run.id)
            .finish_non_exhaustive()
    }
}

impl Finished {
    /// Whether a node of the workflow itself failed or not, by its place.
    #[must_use]
    pub fn node_status(&self, node: u32) -> Option<Status> {
        Some(self.frame.done(node)?.status)
    }
}

/// The nodes that are done, with `prefix` before their ids.
pub(crate) fn results<'r>(
    prepared: &'r Prepared,
    slots: &'r [OnceLock<Done>],
    prefix: &str,
    served: &'r [Option<ServedBy>],
    into: &mut Vec<NodeResult<'r>>,
) {
    for (slot, node) in slots.iter().zip(&prepared.plan().nodes) {
        let Some(done) = slot.get() else { continue };
        let more = done.more.as_deref();
        let called = done.attempts > 0;
        let input = match &done.input {
            Some(rendered) => Some(ValueRef::assume_valid(rendered)),
            None if called => node.input.fixed(),
            None => None,
        };
        let no_output = done.status == Status::Error || more.is_some_and(|more| more.no_output);
        let id = format!("{prefix}{}", node.id);
        let rounds = more.and_then(|more| more.rounds.as_ref());
        let inner = format!("{id}/");
        into.push(NodeResult {
            id,
            node_type: &node.node_type,
            status: done.status,
            output: (!no_output && (called || !done.output.is_empty())).then(|| done.output()),
            input,
            failure: done.failure(),
            recovery: more.and_then(|more| more.recovery.as_ref()),
            served_by: more
                .and_then(|more| more.served_by.as_ref())
                .or_else(|| served.get(done.served as usize)?.as_ref()),
            attempts: done.attempts,
            delays: more.map(|more| &*more.delays).unwrap_or_default(),
            validation: more.map(|more| &*more.validation).unwrap_or_default(),
            started: std::time::Duration::from_nanos(done.started),
            took: std::time::Duration::from_nanos(done.took),
        });
        if let Some((body, slots)) = rounds {
            results(body, slots, &inner, served, into);
        }
    }
}
