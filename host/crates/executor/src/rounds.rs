//! Loops: a body that is run round after round, each in a frame of its own.
//!
//! Invariant: a loop has one round at a time, and no more rounds than its bound.

use std::sync::Arc;

use patchbay_workflow::Loop;
use plugin_api::value::{Value, ValueRef, Writer};

use crate::Failure;
use crate::attempt::Attempt;
use crate::event::EventKind;
use crate::failure::Class;
use crate::frame::{Frame, Owner};
use crate::graph::{Away, Ending};
use crate::pool::Desk;
use crate::prepared::Prepared;
use crate::record::{Bytes, Done, RunStatus, Status};
use crate::scope::{NodeScope, threw};
use crate::step::{At, Step};

/// A loop between its rounds.
pub(crate) struct Rounds {
    body: Arc<Prepared>,
    /// What it goes over; `None` for a number of rounds.
    items: Option<Value>,
    /// Items in one round.
    batch: usize,
    /// Rounds in all, unless a condition ends it before.
    total: u64,
    index: u64,
    results: Vec<Value>,
    current: Arc<Frame>,
    started: u64,
    input: Option<Box<[u8]>>,
    /// Whether reaching the bound, rather than the end of what there is, ends it.
    open: bool,
}

impl Rounds {
    pub(crate) fn frame(&self) -> Arc<Frame> {
        Arc::clone(&self.current)
    }
}

pub(crate) fn begin(at: &At<'_>, spec: &Loop, started: u64, desk: &mut Desk) -> Step {
    let mut rendered = Vec::new();
    let input = match at.parameters(&mut rendered) {
        Ok(input) => input.to_value(),
        Err(failure) => return at.fail(Attempt::first(started, None), failure, desk),
    };
    let own = at.node.input.fixed().is_none().then(|| input.as_bytes().into());
    let Some(body) = at.frame.prepared.body(at.index) else {
        let failure = Failure::new(Class::ExecutionError, "the loop has no body");
        return at.fail(Attempt::first(started, own), failure, desk);
    };
    let plan = match rounds_of(input.as_ref(), spec) {
        Ok(plan) => plan,
        Err(failure) => return at.fail(Attempt::first(started, own), failure, desk),
    };
    let current = round(at.frame, at.index, body, plan.items.as_ref(), plan.batch, 0);
    let rounds = Box::new(Rounds {
        body: Arc::clone(body),
        items: plan.items,
        batch: plan.batch,
        total: plan.total,
        index: 0,
        results: Vec::new(),
        current,
        started,
        input: own,
        open: plan.open,
    });
    match goes_on(spec, &rounds.current, rounds.total, 0) {
        Ok(true) => {
            at.frame.tell(at.index, EventKind::Round(0));
            Step::Rounds(rounds)
        }
        Ok(false) => finish(at, *rounds),
        Err(failure) => at.fail(Attempt::first(started, rounds.input), failure, desk),
    }
}

struct RoundPlan {
    items: Option<Value>,
    batch: usize,
    total: u64,
    open: bool,
}

fn rounds_of(input: ValueRef<'_>, spec: &Loop) -> Result<RoundPlan, Failure> {
    let mut bound = u64::from(spec.bound);
    let invalid = |message: String| {
        Err(Failure {
            code: "VALIDATION_FAILED".into(),
            ..Failure::new(Class::ExecutionError, message)
        })
    };
    let first = |names: &[&str]| names.iter().find_map(|name| input.get(name));
    match first(&["maxIterations"]).map(|value| value.as_i64()) {
        None => {}
        Some(Some(most @ 1..)) => bound = bound.min(most as u64),
        Some(_) => return invalid("parameter `maxIterations`: expected a whole number from 1 on".into()),
    }
    let batch = match first(&["batchSize", "batch_size"]).map(|value| value.as_i64()) {
        None => 1,
        Some(Some(size @ 1..)) => usize::try_from(size).unwrap_or(usize::MAX),
        Some(_) => return invalid("parameter `batchSize`: expected a whole number from 1 on".into()),
    };
    if let Some(items) = first(&["items", "array", "list"]) {
        let Some(list) = items.as_list() else {
            return invalid("parameter `items`: expected a list".into());
        };
        let total = list.len().div_ceil(batch) as u64;
        if total > bound {
            let message = format!("the loop would have {total} rounds, {bound} at most (maxIterations)");
            return Err(Failure::new(Class::LimitExceeded, message));
        }
        return Ok(RoundPlan {
            items: Some(items.to_value()),
            batch,
            total,
            open: false,
        });
    }
    match first(&["count", "iterations", "times"]).map(|value| value.as_i64()) {
        Some(Some(count @ 0..)) if count as u64 <= bound => Ok(RoundPlan {
            items: None,
            batch: 1,
            total: count as u64,
            open: false,
        }),
        Some(Some(count @ 0..)) => {
            let message = format!("the loop would have {count} rounds, {bound} at most (maxIterations)");
            Err(Failure::new(Class::LimitExceeded, message))
        }
        Some(_) => invalid("parameter `count`: expected a whole number from 0 on".into()),
        None => Ok(RoundPlan {
            items: None,
            batch: 1,
            total: bound,
            open: spec.until.is_some() || spec.while_.is_some(),
        }),
    }
}

/// A frame for round `index`.
fn round(
    parent: &Arc<Frame>,
    node: u32,
    body: &Arc<Prepared>,
    items: Option<&Value>,
    batch: usize,
    index: u64,
) -> Arc<Frame> {
    let mut out = Vec::new();
    let at = usize::try_from(index).unwrap_or(usize::MAX);
    let written = Writer::new(&mut out).map(|map| {
        let list = items.and_then(|items| items.as_ref().as_list());
        for name in ["item", "value"] {
            map.entry(name, |writer| match list {
                None => writer.i64(i64::try_from(index).unwrap_or(i64::MAX)),
                Some(list) if batch == 1 => writer.value(list.get(at).unwrap_or(ValueRef::NULL)),
                Some(list) => writer.list(|part| {
                    for place in (at * batch..).take(batch) {
                        let Some(item) = list.get(place) else { break };
                        part.value(item)?;
                    }
                    Ok(())
                }),
            })?;
        }
        map.entry("index", |writer| {
            writer.i64(i64::try_from(index).unwrap_or(i64::MAX))
        })
    });
    let bindings = written.ok().map(|()| ValueRef::assume_valid(&out).to_value());
    let owner = Owner::Round {
        parent: Arc::clone(parent),
        node,
    };
    let starts = Arc::clone(body.plan());
    Frame::new(
        Arc::clone(&parent.run),
        Arc::clone(body),
        &starts.starts,
        owner,
        bindings,
    )
}

/// Whether round `index` is to be run; looked at in the frame of the round before, the first one in its own.
fn goes_on(spec: &Loop, seen: &Frame, total: u64, index: u64) -> Result<bool, Failure> {
    if index >= total {
        return Ok(false);
    }
    let limits = &seen.run.shop.config.expressions;
    match &spec.while_ {
        None => Ok(true),
        Some(condition) => condition
            .truthy(&NodeScope::new(seen, u32::MAX), limits)
            .map_err(|error| threw(&error)),
    }
}

/// A round is over: the next one begins, or the loop is done.
pub(crate) fn round_over(
    parent: &Arc<Frame>,
    node: u32,
    body: &Arc<Frame>,
    ending: Option<Ending>,
    desk: &mut Desk,
) {
    let mut graph = parent.graph.lock();
    if graph.closed {
        return;
    }
    let ours =
        matches!(graph.away.get(&node), Some(Away::Loop(rounds)) if Arc::ptr_eq(&rounds.current, body));
    if !ours {
        return;
    }
    let Some(Away::Loop(mut rounds)) = graph.away.remove(&node) else {
        return;
    };
    parent.run.rounds.lock().count_all(body);
    let ends = graph.ending.as_ref().map(|ending| ending.status);
    // Until its step is applied, the node counts as settling, so that nobody takes the frame for done.
    graph.settling += 1;
    drop(graph);
    let (Some(hold), plan) = (parent.run.hold(), Arc::clone(parent.prepared.plan())) else {
        return;
    };
    let Some(of) = plan.nodes.get(node as usize) else {
        return;
    };
    let at = At {
        frame: parent,
        hold: &*hold,
        node: of,
        index: node,
    };
    // The run ends: no other round begins.
    let ending = ending.or_else(|| ends.map(|status| Ending { status, error: None }));
    let step = match (ending, &of.work) {
        (Some(ending), _) => at.finish_failed(broken(&mut rounds, &ending), &why(&rounds, ending, parent)),
        (None, patchbay_workflow::Work::Loop(spec)) => next(&at, spec, rounds, desk),
        (None, _) => Step::Lost,
    };
    parent.apply(node, step);
}

fn broken(rounds: &mut Rounds, ending: &Ending) -> Box<Attempt> {
    let mut attempt = Attempt::first(rounds.started, rounds.input.take());
    attempt.give_up = ending.status != RunStatus::Error || ending.error.is_none();
    attempt
}

fn why(rounds: &Rounds, ending: Ending, parent: &Frame) -> Failure {
    match ending.error {
        None => parent.run.ended_failure(ending.status),
        Some((node, failure)) => Failure {
            message: format!(
                "round {}: node `{node}` failed: {}",
                rounds.index, failure.message
            )
            .into(),
            ..failure
        },
    }
}

fn next(at: &At<'_>, spec: &Loop, mut rounds: Box<Rounds>, desk: &mut Desk) -> Step {
    rounds.results.push(rounds.current.result());
    rounds.index += 1;
    let limits = &at.frame.run.shop.config.expressions;
    let stops = spec.until.as_ref().map(|until| {
        until
            .truthy(&NodeScope::new(&rounds.current, u32::MAX), limits)
            .map_err(|error| threw(&error))
    });
    let goes_on = match stops {
        Some(Ok(true)) => {
            rounds.open = false;
            Ok(false)
        }
        Some(Err(failure)) => Err(failure),
        Some(Ok(false)) | None => goes_on(spec, &rounds.current, rounds.total, rounds.index),
    };
    match goes_on {
        Err(failure) => at.fail(Attempt::first(rounds.started, rounds.input), failure, desk),
        Ok(false) => finish(at, *rounds),
        Ok(true) => {
            at.frame.tell(at.index, EventKind::Round(rounds.index));
            rounds.current = round(
                at.frame,
                at.index,
                &rounds.body,
                rounds.items.as_ref(),
                rounds.batch,
                rounds.index,
            );
            Step::Rounds(rounds)
        }
    }
}

/// The loop is done: `{results, count}`, and `exhausted` where its bound ended it.
fn finish(at: &At<'_>, rounds: Rounds) -> Step {
    let mut out = Vec::new();
    let written = Writer::new(&mut out).map(|map| {
        map.entry("results", |writer| {
            writer.list(|list| {
                for result in &rounds.results {
                    list.value(result.as_ref())?;
                }
                Ok(())
            })
        })?;
        map.entry("count", |writer| writer.i64(rounds.results.len() as i64))?;
        map.entry("exhausted", |writer| {
            writer.bool(rounds.open && rounds.index >= rounds.total)
        })
    });
    let mut done = Done {
        status: Status::Success,
        attempts: 1,
        served: u32::MAX,
        started: rounds.started,
        took: at.frame.run.since_start().saturating_sub(rounds.started),
        output: Bytes::new(),
        input: rounds.input,
        more: None,
    };
    if let Err(error) = written {
        let attempt = Attempt::first(done.started, done.input);
        return at.finish_failed(attempt, &Failure::new(Class::LimitExceeded, error.to_string()));
    }
    if let Err(failure) = crate::limits::check_output(at.frame, ValueRef::assume_valid(&out)) {
        return at.finish_failed(Attempt::first(done.started, done.input), &failure);
    }
    done.output = Bytes::from_vec(out);
    if rounds.index > 0 {
        let last = &rounds.current;
        done.more().rounds = Some((Arc::clone(&last.prepared), Arc::clone(&last.slots)));
    }
    // Output 0 is "done"; a drawn loop's output 1 was its body.
    at.leave_succeeded(done, 1)
}
