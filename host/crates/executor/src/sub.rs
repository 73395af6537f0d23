//! Sub-workflows: another workflow, run as one node, in a run of its own.

use std::sync::Arc;

use patchbay_workflow::SubWorkflow;

use crate::Failure;
use crate::attempt::Attempt;
use crate::failure::Class;
use crate::pool::Desk;
use crate::port::Stop;
use crate::record::{Finished, RunStatus};
use crate::run::{Run, RunRequest};
use crate::step::{At, Step, Wait};

/// Workflows may run workflows this deep.
const DEEPEST: u32 = 16;

pub(crate) fn begin(at: &At<'_>, spec: &SubWorkflow, started: u64, desk: &mut Desk) -> Step {
    let mut rendered = Vec::new();
    let input = match at.parameters(&mut rendered) {
        Ok(input) => input.to_value(),
        Err(failure) => return at.fail(Attempt::first(started, None), failure, desk),
    };
    let own = at.node.input.fixed().is_none().then(|| input.as_bytes().into());
    let attempt = Attempt::first(started, own);
    let run = Arc::clone(&at.frame.run);
    if run.depth >= DEEPEST {
        let message = format!("workflows run workflows more than {DEEPEST} deep");
        return at.fail(attempt, Failure::new(Class::LimitExceeded, message), desk);
    }
    let prepared = match (&spec.inline, at.frame.prepared.body(at.index)) {
        (Some(_), Some(inline)) => Ok(Arc::clone(inline)),
        _ => at.hold.workflow(&*run.shop.host, &run.tenant, input.as_ref()),
    };
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => return at.fail(attempt, failure, desk),
    };
    let hold = match at.hold.child(&prepared) {
        Ok(hold) => hold,
        Err(failure) => return at.fail(attempt, failure, desk),
    };
    let trigger = input
        .as_ref()
        .get("input")
        .map_or_else(|| at.frame.arrived(at.index), |given| given.to_value());
    let (frame, index) = (Arc::clone(at.frame), at.index);
    let timeout = at.node.policy.timeout;
    let begin = move || -> Option<Stop> {
        let id = run
            .children
            .as_ref()
            .map_or_else(|| run.id.clone(), |children| children.id());
        let request = RunRequest {
            id,
            prepared,
            tenant: run.tenant.clone(),
            hold,
            trigger,
            context: run.context.clone(),
            starts: None,
            given: Vec::new(),
            timeout: [timeout, run.left()].into_iter().flatten().min(),
            jitter: run.jitter,
            observer: None,
            children: run.children.clone(),
            parent: Some(run.id.clone()),
            depth: run.depth + 1,
            place: None,
        };
        let children = run.children.clone();
        let on_end = Box::new(move |finished: Finished| {
            if let Some(children) = children {
                children.ended(&finished);
            }
            frame.answer(index, outcome(&finished));
        });
        let child = Run::begin(&run.shop, request, on_end);
        Some(Box::new(move || child.cancel(RunStatus::Cancelled)))
    };
    Step::Away(attempt, Wait::Answer(Box::new(begin)))
}

fn outcome(finished: &Finished) -> Result<plugin_api::value::Value, Failure> {
    let name = &finished.frame.prepared.plan().name;
    match (finished.status, &finished.error) {
        (RunStatus::Success, _) => Ok(finished.result()),
        (_, Some((node, failure))) => Err(Failure {
            message: format!("workflow `{name}`: node `{node}` failed: {}", failure.message).into(),
            ..failure.clone()
        }),
        (status, None) => {
            let class = match status {
                RunStatus::Timeout => Class::Timeout,
                _ => Class::Cancelled,
            };
            let message = format!("workflow `{name}` ended as {}", status.as_str());
            Err(Failure::new(class, message))
        }
    }
}
