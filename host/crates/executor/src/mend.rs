//! What becomes of a failure: more tries, recovery, and what it means for the run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use patchbay_workflow::{OnError, PlanNode, Port, Recovery, Work};

use crate::Failure;
use crate::attempt::{Attempt, Target};
use crate::event::EventKind;
use crate::failure::Class;
use crate::frame::Frame;
use crate::graph::{Ending, Leave};
use crate::pool::Desk;
use crate::port::Nature;
use crate::record::{Bytes, Done, Recovered, RunStatus, Status};
use crate::run::Jitter;
use crate::scope::Asking;
use crate::step::{self, At, EMPTY_MAP, Parts, Step, Wait};

impl At<'_> {
    /// A try failed.
    pub(crate) fn fail(&self, mut attempt: Box<Attempt>, failure: Failure, desk: &mut Desk) -> Step {
        let run = &self.frame.run;
        if let Target::Fallback(node_type) = attempt.target {
            let types = &self.frame.prepared.plan().node_types;
            let fallback = types.get(node_type.0 as usize).cloned();
            attempt.recovered = Some(Recovered {
                applied: false,
                fallback,
            });
            let message = format!("the fallback failed, too: {}", failure.message);
            return self.finish_failed(attempt, &Failure::new(Class::FallbackFailed, message));
        }
        attempt.tries += 1;
        if attempt.give_up || run.is_cancelled() {
            return self.finish_failed(attempt, &failure);
        }
        if !matches!(self.node.work, Work::Call(_)) {
            // Loops and other workflows are not tried again, but what is done after the last try is done for them, too.
            return self.recover(attempt, failure, desk);
        }
        let retry = &self.node.policy.retry;
        let own = attempt.tries.saturating_sub(attempt.extra);
        if attempt.extra == 0 && own < retry.tries && is_retryable(self.node, &failure) {
            let delay = spread(retry.delay(own), retry.jitter, run.jitter);
            return self.later(attempt, failure, delay);
        }
        self.recover(attempt, failure, desk)
    }

    fn later(&self, mut attempt: Box<Attempt>, failure: Failure, delay: Duration) -> Step {
        self.frame
            .tell(self.index, EventKind::Retrying(delay, failure.clone()));
        attempt.failure = Some(failure);
        attempt.delays.push(delay);
        Step::Away(attempt, Wait::For(delay))
    }

    /// The last try failed.
    fn recover(&self, mut attempt: Box<Attempt>, failure: Failure, desk: &mut Desk) -> Step {
        let no_recovery = |attempt: &mut Attempt| {
            attempt.recovered = Some(Recovered {
                applied: false,
                fallback: None,
            });
        };
        match &self.node.policy.recovery {
            None | Some(Recovery::Fail) => self.finish_failed(attempt, &failure),
            Some(Recovery::Fallback(None)) => {
                no_recovery(&mut attempt);
                let message = format!("no fallback is named; the node failed: {}", failure.message);
                self.finish_failed(attempt, &Failure::new(Class::NoFallback, message))
            }
            Some(Recovery::Fallback(Some(node_type))) => {
                if self.hold.nature(*node_type) == Nature::Unknown {
                    no_recovery(&mut attempt);
                    let types = &self.frame.prepared.plan().node_types;
                    let name = types.get(node_type.0 as usize).map_or("", |name| name);
                    let message = format!("the fallback `{name}` is no known node type");
                    return self.finish_failed(attempt, &Failure::new(Class::FallbackNotFound, message));
                }
                attempt.target = Target::Fallback(*node_type);
                attempt.failure = Some(failure);
                self.try_again(attempt, *node_type, desk)
            }
            Some(Recovery::PreviousVersion) => self.call_previous(attempt, failure, desk),
            Some(Recovery::Skip { partial_output }) => {
                attempt.recovered = Some(Recovered {
                    applied: true,
                    fallback: None,
                });
                self.finish_skipped(attempt, failure, *partial_output)
            }
            Some(Recovery::Retry { tries, delay }) => {
                if attempt.extra < *tries && matches!(self.node.work, Work::Call(_)) {
                    attempt.extra += 1;
                    return self.later(attempt, failure, *delay);
                }
                no_recovery(&mut attempt);
                self.finish_failed(attempt, &failure)
            }
        }
    }

    fn call_previous(&self, mut attempt: Box<Attempt>, failure: Failure, desk: &mut Desk) -> Step {
        let Work::Call(node_type) = self.node.work else {
            return self.finish_failed(attempt, &failure);
        };
        let asking = Asking {
            frame: self.frame,
            node: self.index,
            selected: AtomicU64::new(0),
        };
        let input = attempt.input(self.node.input.fixed());
        let (served_by, answer) =
            self.hold
                .call_previous(node_type, input, &self.call(), &asking, &mut desk.out);
        desk.now = self.frame.run.shop.nanos();
        attempt.recovered = Some(Recovered {
            applied: answer.is_ok(),
            fallback: None,
        });
        match answer {
            Ok(output) => {
                attempt.served_by = served_by;
                // The tries that failed are all there are.
                attempt.tries -= 1;
                let parts = Parts {
                    started: attempt.started,
                    served: node_type.0,
                    selected: asking.selected.load(Ordering::Relaxed),
                    input: None,
                    attempt: Some(attempt),
                };
                self.succeed(output, parts, desk.now)
            }
            Err(second) => {
                let message = format!(
                    "{}; the version before failed, too: {}",
                    failure.message, second.message
                );
                let failure = Failure {
                    message: message.into(),
                    ..failure
                };
                self.finish_failed(attempt, &failure)
            }
        }
    }

    fn ended(&self, attempt: Box<Attempt>, status: Status) -> Done {
        let now = self.frame.run.since_start();
        let mut done = Done {
            status,
            attempts: attempt.tries.max(1),
            served: self.type_of(&attempt).map_or(u32::MAX, |node_type| node_type.0),
            started: attempt.started,
            took: now.saturating_sub(attempt.started),
            output: Bytes::new(),
            input: attempt.input,
            more: None,
        };
        let more = done.more();
        more.recovery = attempt.recovered;
        more.delays = attempt.delays;
        if let Some(judged) = self.frame.prepared.judged(self.index) {
            more.validation.clone_from(&judged.doubts);
        }
        done
    }

    fn finish_skipped(&self, attempt: Box<Attempt>, failure: Failure, partial_output: bool) -> Step {
        let mut done = self.ended(attempt, Status::Skipped);
        done.more().no_output = !partial_output;
        done.more().failure = Some(failure);
        if partial_output {
            done.output = EMPTY_MAP.into();
        }
        let leave = first_output(self.frame, self.node, self.index, &done);
        if !self.frame.put(self.index, done) {
            return Step::Lost;
        }
        self.frame.tell(self.index, EventKind::Skipped);
        Step::Left(Status::Skipped, leave)
    }

    /// The node failed for good.
    pub(crate) fn finish_failed(&self, attempt: Box<Attempt>, failure: &Failure) -> Step {
        let ended = attempt.give_up || self.frame.run.is_cancelled();
        let mut done = self.ended(attempt, Status::Error);
        done.more().failure = Some(failure.clone());
        if ended {
            // The run ends already, for another reason.
            self.put_failed(done, failure);
            return Step::Left(Status::Error, Leave::nowhere());
        }
        self.leave_failed(done, failure)
    }

    pub(crate) fn end_run(&self, attempt: Box<Attempt>, failure: Failure) -> Step {
        let mut done = self.ended(attempt, Status::Error);
        done.more().failure = Some(failure.clone());
        if !self.put_failed(done, &failure) {
            return Step::Lost;
        }
        let ending = Ending {
            status: RunStatus::Error,
            error: Some((self.frame.path_of(self.index), failure)),
        };
        Step::Failed(Leave::nowhere(), ending)
    }

    fn put_failed(&self, done: Done, failure: &Failure) -> bool {
        let first = self.frame.put(self.index, done);
        if first && self.frame.is_watched() {
            self.frame.tell(self.index, EventKind::Failed(failure.clone()));
        }
        first
    }

    pub(crate) fn leave_failed(&self, mut done: Done, failure: &Failure) -> Step {
        shape(self.node, &mut done, failure);
        let status = done.status;
        let (leave, ending) = after_failure(self.frame, self.node, self.index, &done, failure);
        if !self.put_failed(done, failure) {
            return Step::Lost;
        }
        match ending {
            None => Step::Left(status, leave),
            Some(ending) => Step::Failed(leave, ending),
        }
    }
}

/// Gives a failed node the status and output that its policy says.
pub(crate) fn shape(node: &PlanNode, done: &mut Done, failure: &Failure) {
    match node.policy.on_error {
        OnError::Stop => {}
        OnError::Skip => {
            done.status = Status::Skipped;
            done.output = EMPTY_MAP.into();
        }
        OnError::ContinueRegular => done.output = EMPTY_MAP.into(),
        OnError::ContinueError => done.output = describe(failure),
    }
}

/// What a failed node means for the run: its edges, and the run's end. It has named no output, so that of the numbered
/// ones the first fires.
pub(crate) fn after_failure(
    frame: &Frame,
    node: &PlanNode,
    index: u32,
    done: &Done,
    failure: &Failure,
) -> (Leave, Option<Ending>) {
    match node.policy.on_error {
        OnError::ContinueRegular | OnError::Skip => (first_output(frame, node, index, done), None),
        OnError::ContinueError => {
            let leave = Leave {
                conditions: step::lenient_conditions(frame, node, index, done),
                ..Leave::by(Port::Error)
            };
            (leave, None)
        }
        OnError::Stop => {
            let ending = Ending {
                status: RunStatus::Error,
                error: Some((frame.path_of(index), failure.clone())),
            };
            (Leave::nowhere(), Some(ending))
        }
    }
}

/// How a node leaves that gave no result of its own: by the first output, where the conditions of its edges hold.
pub(crate) fn first_output(frame: &Frame, node: &PlanNode, index: u32, done: &Done) -> Leave {
    Leave {
        outputs: 1,
        conditions: step::lenient_conditions(frame, node, index, done),
        ..Leave::by(Port::Main)
    }
}

/// What the error port gives on: `{error: {code, message, ...}}`.
fn describe(failure: &Failure) -> Bytes {
    let mut out = Vec::new();
    let written = plugin_api::value::Writer::new(&mut out).map(|map| {
        map.entry("error", |writer| {
            writer.map(|error| {
                error.entry("code", |writer| writer.str(failure.error_code()))?;
                error.entry("message", |writer| writer.str(&failure.message))?;
                if let Some(status) = failure.status_code {
                    error.entry("statusCode", |writer| writer.i64(status.into()))?;
                }
                if let Some(details) = &failure.details {
                    error.entry("details", |writer| writer.value(details.as_ref().as_ref()))?;
                }
                Ok(())
            })
        })
    });
    match written {
        Ok(()) => Bytes::from_vec(out),
        Err(_) => EMPTY_MAP.into(),
    }
}

fn is_retryable(node: &PlanNode, failure: &Failure) -> bool {
    let retry = &node.policy.retry;
    let code = match failure.class {
        Class::ExecutionError => &*failure.code,
        class => class.as_str(),
    };
    retry.codes.iter().any(|known| **known == *code)
        || failure
            .status_code
            .is_some_and(|status| retry.statuses.contains(&status))
        || failure.retryable == Some(true)
}

/// The wait, longer by up to its share of jitter.
fn spread(delay: Duration, share: f64, jitter: Jitter) -> Duration {
    if jitter == Jitter::Off || share <= 0.0 {
        return delay;
    }
    delay.mul_f64(1.0 + fastrand::f64() * share.min(1.0))
}
