//! One step of one node: parameters, call, and what becomes of a failure.
//!
//! ```text
//! parameters -> try -> success -> conditions of its edges -> left
//!                |
//!             failure -> retry? -> recovery? -> onError -> left, or the run ends
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use patchbay_workflow::{PlanNode, Port, TypeIndex, Work};
use plugin_api::value::ValueRef;

use crate::attempt::{Attempt, Target};
use crate::ends::Overdue;
use crate::event::EventKind;
use crate::failure::Class;
use crate::frame::Frame;
use crate::graph::{Ending, Item, Leave};
use crate::pool::Desk;
use crate::port::{Hold, Nature, NodeCall, Stop};
use crate::record::{Bytes, Done, Recovered, RunStatus, Status};
use crate::rounds::{self, Rounds};
use crate::scope::{Asking, AskingLater, NodeScope, threw};
use crate::timers::Due;
use crate::{Failure, limits, mend, sub};

/// The empty map, encoded.
pub(crate) const EMPTY_MAP: &[u8] = &[8, 4, 0, 0, 0, 0, 0, 0, 0];
/// How long after its deadline a call is given up.
const OVERDUE: Duration = Duration::from_millis(250);

/// Nanoseconds from which on the host is told how long a call took.
const LONG: u64 = 10_000;

/// What a step led to.
pub(crate) enum Step {
    /// The node is done.
    Left(Status, Leave),
    /// The node failed, and the run ends for it.
    Failed(Leave, Ending),
    /// It goes on later.
    Away(Box<Attempt>, Wait),
    /// It runs rounds.
    Rounds(Box<Rounds>),
    /// Somebody else has ended the node.
    Lost,
}

/// What a node waits for.
pub(crate) enum Wait {
    /// A time.
    For(Duration),
    /// An answer, once this has begun it.
    Answer(Box<dyn FnOnce() -> Option<Stop>>),
}

/// Whether running this item is a try, which the record's order shows.
pub(crate) fn tries(frame: &Frame, item: &Item) -> bool {
    match &item.resume {
        Some(attempt) => attempt.answer.is_none() && !attempt.give_up,
        None => {
            let node = frame.prepared.plan().nodes.get(item.node as usize);
            node.is_some_and(|node| !node.disabled) && frame.prepared.refused(item.node).is_none()
        }
    }
}

pub(crate) fn run(frame: &Arc<Frame>, hold: &dyn Hold, item: Item, desk: &mut Desk) -> Step {
    let Some(node) = frame.prepared.plan().nodes.get(item.node as usize) else {
        return Step::Lost;
    };
    let at = At {
        frame,
        hold,
        node,
        index: item.node,
    };
    match item.resume {
        None => at.begin(desk),
        Some(attempt) => at.go_on(attempt, desk),
    }
}

/// A node that is being run.
pub(crate) struct At<'s> {
    pub(crate) frame: &'s Arc<Frame>,
    pub(crate) hold: &'s dyn Hold,
    pub(crate) node: &'s PlanNode,
    pub(crate) index: u32,
}

impl At<'_> {
    fn begin(&self, desk: &mut Desk) -> Step {
        let run = &self.frame.run;
        let started = run.since(desk.now);
        if self.node.disabled {
            return self.pass_through(started);
        }
        if let Some(problems) = self.frame.prepared.refused(self.index) {
            return self.refuse(problems.to_vec(), started);
        }
        if let Err(failure) = limits::count_execution(self.frame) {
            return self.end_run(Attempt::first(started, None), failure);
        }
        if self.frame.is_watched() {
            self.frame.tell(self.index, EventKind::Started(1));
        }
        match &self.node.work {
            Work::Call(node_type) => self.first_try(*node_type, started, desk),
            Work::Trigger => self.succeed(run.trigger.as_ref(), Parts::begun(started), desk.now),
            Work::Loop(spec) => rounds::begin(self, spec, started, desk),
            Work::SubWorkflow(spec) => sub::begin(self, spec, started, desk),
        }
    }

    /// A node that is switched off: what arrived goes on.
    fn pass_through(&self, started: u64) -> Step {
        let mut done = Done::skipped(started);
        done.output = self.frame.arrived(self.index).as_bytes().into();
        let leave = mend::first_output(self.frame, self.node, self.index, &done);
        if !self.frame.put(self.index, done) {
            return Step::Lost;
        }
        self.frame.tell(self.index, EventKind::Skipped);
        Step::Left(Status::Skipped, leave)
    }

    /// A node that must not be called.
    fn refuse(&self, problems: Vec<String>, started: u64) -> Step {
        let failure = Failure::new(Class::ValidationFailed, problems.join("; "));
        let mut done = Done::skipped(started);
        done.status = Status::Error;
        done.more().validation = problems;
        done.more().failure = Some(failure.clone());
        self.leave_failed(done, &failure)
    }

    /// The parameters, rendered into the desk where the plan does not have them.
    pub(crate) fn parameters<'d>(&'d self, desk: &'d mut Vec<u8>) -> Result<ValueRef<'d>, Failure> {
        if let Some(fixed) = self.node.input.fixed() {
            return Ok(fixed);
        }
        desk.clear();
        let scope = NodeScope::new(self.frame, self.index);
        let limits = &self.frame.run.shop.config.expressions;
        let kept = self.frame.prepared.judged(self.index).map(|judged| &*judged.kept);
        self.node
            .input
            .render_keeping(kept.unwrap_or_default(), &scope, limits, desk)
            .map_err(|error| threw(&error))?;
        Ok(ValueRef::assume_valid(desk))
    }

    /// The path that nearly every node takes: rendered, called, done, with nothing made that is kept between tries.
    fn first_try(&self, node_type: TypeIndex, started: u64, desk: &mut Desk) -> Step {
        let mut rendered = std::mem::take(&mut desk.rendered);
        let step = match self.parameters(&mut rendered) {
            Err(failure) => self.fail(Attempt::first(started, None), failure, desk),
            Ok(input) => match self.hold.nature(node_type) {
                Nature::Async => {
                    let own = self.node.input.fixed().is_none().then(|| input.raw().into());
                    let attempt = Attempt::first(started, own);
                    self.try_async(attempt, node_type)
                }
                _ => self.try_here(None, node_type, input, started, desk),
            },
        };
        if rendered.capacity() <= 1 << 20 {
            desk.rendered = rendered;
        }
        step
    }

    pub(crate) fn call(&self) -> NodeCall<'_> {
        let run = &self.frame.run;
        NodeCall {
            tenant: &run.tenant,
            run: &run.id,
            node: &self.node.id,
            timeout: self.node.policy.timeout,
            cancel: &run.cancel,
        }
    }

    /// Calls a node on this thread.
    fn try_here(
        &self,
        attempt: Option<Box<Attempt>>,
        node_type: TypeIndex,
        input: ValueRef<'_>,
        started: u64,
        desk: &mut Desk,
    ) -> Step {
        let run = &self.frame.run;
        let asking = Asking {
            frame: self.frame,
            node: self.index,
            selected: AtomicU64::new(0),
        };
        let call = self.call();
        let began = desk.now;
        let ticket = call.timeout.map(|timeout| {
            let call = Overdue {
                node: self.index,
                started,
                tries: attempt.as_ref().map_or(0, |attempt| attempt.tries) + 1,
                served: node_type.0,
            };
            let due = Due::Call(Arc::clone(self.frame), call);
            run.shop.pool.timers.add(timeout.saturating_add(OVERDUE), due)
        });
        let answer = self.hold.call(node_type, input, &call, &asking, &mut desk.out);
        desk.now = run.shop.nanos();
        if ticket.is_some_and(|ticket| !run.shop.pool.timers.remove(ticket)) {
            // The run has gone on without this call, and another thread has this one's place.
            desk.replaced = true;
            return Step::Lost;
        }
        let took = desk.now.saturating_sub(began);
        // One long call may be the machine's doing, or the first of an instance.
        let twice = took.min(self.frame.prepared.learn(self.index, took));
        if twice >= LONG {
            self.hold.took(node_type, Duration::from_nanos(twice));
        }
        match answer {
            Ok(output) => {
                let parts = Parts {
                    started,
                    served: node_type.0,
                    selected: asking.selected.load(Ordering::Relaxed),
                    input: attempt
                        .is_none()
                        .then(|| self.node.input.fixed().is_none().then(|| input.raw().into()))
                        .flatten(),
                    attempt,
                };
                self.succeed(output, parts, desk.now)
            }
            Err(failure) => {
                let attempt = attempt.unwrap_or_else(|| {
                    let own = self.node.input.fixed().is_none().then(|| input.raw().into());
                    Attempt::first(started, own)
                });
                self.fail(attempt, failure, desk)
            }
        }
    }

    /// Has a node polled.
    fn try_async(&self, attempt: Box<Attempt>, node_type: TypeIndex) -> Step {
        let callbacks = AskingLater {
            frame: Arc::clone(self.frame),
            node: self.index,
            selected: Arc::clone(&attempt.selected),
        };
        attempt.selected.store(0, Ordering::Relaxed);
        let input = attempt.input(self.node.input.fixed()).to_value();
        let mut call = self.call();
        // A polled node ends with its run.
        call.timeout = [call.timeout, self.frame.run.left()].into_iter().flatten().min();
        let task = self.hold.begin(node_type, input, &call, Arc::new(callbacks));
        let (frame, index) = (Arc::clone(self.frame), self.index);
        Step::Away(
            attempt,
            Wait::Answer(Box::new(move || {
                let host = Arc::clone(&frame.run.shop.host);
                Some(host.spawn(Box::pin(async move {
                    let answer = task.await;
                    frame.answer(index, answer);
                })))
            })),
        )
    }

    /// Goes on with a node that was away.
    fn go_on(&self, mut attempt: Box<Attempt>, desk: &mut Desk) -> Step {
        match attempt.answer.take() {
            Some(Ok(output)) => {
                let parts = Parts {
                    started: attempt.started,
                    served: self.type_of(&attempt).map_or(u32::MAX, |node_type| node_type.0),
                    selected: attempt.selected.load(Ordering::Relaxed),
                    input: None,
                    attempt: Some(attempt),
                };
                return self.succeed(output.as_ref(), parts, self.frame.run.shop.nanos());
            }
            Some(Err(failure)) => {
                // A polled node's time ends with the run's: whichever clock was looked at first, the run is out of time.
                let run = &self.frame.run;
                if failure.class == Class::Timeout && run.left().is_some_and(|left| left.is_zero()) {
                    run.cancel(RunStatus::Timeout);
                }
                return self.fail(attempt, failure, desk);
            }
            None => {}
        }
        if attempt.give_up {
            let failure = attempt.failure.take();
            let failure = failure.unwrap_or_else(|| self.frame.run.ended_failure(RunStatus::Cancelled));
            return self.finish_failed(attempt, &failure);
        }
        if let Err(failure) = limits::count_execution(self.frame) {
            return self.end_run(attempt, failure);
        }
        self.frame
            .tell(self.index, EventKind::Started(attempt.tries.saturating_add(1)));
        let Some(node_type) = self.type_of(&attempt) else {
            // Only calls are tried again.
            let failure = attempt.failure.take();
            let failure = failure.unwrap_or_else(|| self.frame.run.ended_failure(RunStatus::Cancelled));
            return self.finish_failed(attempt, &failure);
        };
        self.try_again(attempt, node_type, desk)
    }

    pub(crate) fn try_again(&self, mut attempt: Box<Attempt>, node_type: TypeIndex, desk: &mut Desk) -> Step {
        if self.hold.nature(node_type) == Nature::Async {
            return self.try_async(attempt, node_type);
        }
        let own = attempt.input.take();
        let input = match &own {
            Some(rendered) => ValueRef::assume_valid(rendered),
            None => self.node.input.fixed().unwrap_or(ValueRef::NULL),
        };
        let started = attempt.started;
        attempt.input.clone_from(&own);
        self.try_here(Some(attempt), node_type, input, started, desk)
    }

    pub(crate) fn type_of(&self, attempt: &Attempt) -> Option<TypeIndex> {
        match (attempt.target, &self.node.work) {
            (Target::Fallback(node_type), _) => Some(node_type),
            (Target::Own, Work::Call(node_type)) => Some(*node_type),
            (Target::Own, _) => None,
        }
    }

    /// The node gave an output.
    pub(crate) fn succeed(&self, output: ValueRef<'_>, parts: Parts, now: u64) -> Step {
        let output = if self.node.always_output && output.is_null() {
            ValueRef::assume_valid(EMPTY_MAP)
        } else {
            output
        };
        let attempt = parts.attempt;
        if let Err(failure) = limits::check_output(self.frame, output) {
            let attempt = attempt.unwrap_or_else(|| Attempt::first(parts.started, parts.input));
            return self.finish_failed(attempt, &failure);
        }
        let mut done = Done {
            status: Status::Success,
            attempts: 1,
            served: parts.served,
            started: parts.started,
            took: self.frame.run.since(now).saturating_sub(parts.started),
            output: Bytes::from_slice(output.raw()),
            input: parts.input,
            more: None,
        };
        if let Some(mut attempt) = attempt {
            done.attempts = attempt.tries + u32::from(attempt.target == Target::Own);
            done.input = attempt.input.take();
            if let Target::Fallback(node_type) = attempt.target {
                let types = &self.frame.prepared.plan().node_types;
                attempt.recovered = Some(Recovered {
                    applied: true,
                    fallback: types.get(node_type.0 as usize).cloned(),
                });
            } else if attempt.extra > 0 {
                attempt.recovered = Some(Recovered {
                    applied: true,
                    fallback: None,
                });
            }
            if attempt.recovered.is_some() || attempt.served_by.is_some() || !attempt.delays.is_empty() {
                let more = done.more();
                more.recovery = attempt.recovered;
                more.served_by = attempt.served_by;
                more.delays = attempt.delays;
            }
        }
        self.leave_succeeded(done, parts.selected)
    }

    pub(crate) fn leave_succeeded(&self, done: Done, selected: u64) -> Step {
        let conditions = match conditions(self.frame, self.node, self.index, &done) {
            Ok(conditions) => conditions,
            Err(failure) => {
                let mut done = done;
                done.status = Status::Error;
                done.more().failure = Some(failure.clone());
                return self.leave_failed(done, &failure);
            }
        };
        let took = done.took;
        if !self.frame.put(self.index, done) {
            return Step::Lost;
        }
        if self.frame.is_watched() {
            let took = Duration::from_nanos(took);
            self.frame.tell(self.index, EventKind::Succeeded(took));
        }
        let leave = Leave {
            port: Some(Port::Main),
            outputs: selected,
            conditions,
        };
        Step::Left(Status::Success, leave)
    }
}

/// Whether the conditions of a node's edges hold; empty when no edge has one.
fn conditions(frame: &Frame, node: &PlanNode, index: u32, done: &Done) -> Result<Vec<bool>, Failure> {
    let holds = each_condition(frame, node, index, done);
    holds.into_iter().collect()
}

/// The same after a node that gave no result: a condition that fails does not hold, since nothing else can be said.
pub(crate) fn lenient_conditions(frame: &Frame, node: &PlanNode, index: u32, done: &Done) -> Vec<bool> {
    let holds = each_condition(frame, node, index, done);
    holds.into_iter().map(|holds| holds.unwrap_or(false)).collect()
}

fn each_condition(frame: &Frame, node: &PlanNode, index: u32, done: &Done) -> Vec<Result<bool, Failure>> {
    let edges = &frame.prepared.plan().edges;
    let range = node.edges.start as usize..node.edges.end as usize;
    let edges = edges.get(range).unwrap_or_default();
    if edges.iter().all(|edge| edge.condition.is_none()) {
        return Vec::new();
    }
    let limits = &frame.run.shop.config.expressions;
    let holds = edges.iter().map(|edge| match &edge.condition {
        None => Ok(true),
        Some(condition) => {
            let scope = NodeScope::new(frame, index).after(done);
            condition.truthy(&scope, limits).map_err(|error| threw(&error))
        }
    });
    holds.collect()
}

/// How a result came about.
pub(crate) struct Parts {
    pub(crate) started: u64,
    pub(crate) served: u32,
    pub(crate) selected: u64,
    pub(crate) input: Option<Box<[u8]>>,
    pub(crate) attempt: Option<Box<Attempt>>,
}

impl Parts {
    /// Of a node that calls nothing.
    pub(crate) const fn begun(started: u64) -> Self {
        Self {
            started,
            served: u32::MAX,
            selected: 0,
            input: None,
            attempt: None,
        }
    }
}
