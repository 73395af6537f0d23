//! The ends that no node comes to by itself: a call that hangs, a step that broke, a run that is out of time.

use std::sync::Arc;

use crate::event::EventKind;
use crate::failure::Class;
use crate::frame::{Frame, Owner};
use crate::graph::{Away, Ending};
use crate::record::{Done, RunStatus, Status};
use crate::{Failure, mend};

/// A call that may hang.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overdue {
    pub(crate) node: u32,
    /// Nanoseconds after the run began.
    pub(crate) started: u64,
    pub(crate) tries: u32,
    /// The place of the node type in the plan's list.
    pub(crate) served: u32,
}

/// What was in a graph when it was closed by force.
struct Cut {
    /// Threads that are in calls of it.
    hanging: u32,
    ending: Option<Ending>,
    order: Vec<u32>,
}

impl Frame {
    /// A call has not returned long after it should have: the run goes on without it. Says whether it was so; its thread
    /// has to be replaced then.
    pub(crate) fn overdue(self: &Arc<Self>, call: Overdue) -> bool {
        let Some(of) = self.prepared.plan().nodes.get(call.node as usize) else {
            return false;
        };
        let failure = Failure::new(Class::Timeout, "the call did not return, and was given up");
        let mut done = Done::skipped(call.started);
        done.status = Status::Error;
        done.attempts = call.tries;
        done.served = call.served;
        done.took = self.run.since_start().saturating_sub(call.started);
        done.more().failure = Some(failure.clone());
        mend::shape(of, &mut done, &failure);
        let status = done.status;
        let (leave, ending) = mend::after_failure(self, of, call.node, &done, &failure);
        if !self.put(call.node, done) {
            return false;
        }
        self.tell(call.node, EventKind::Failed(failure));
        let mut graph = self.graph.lock();
        if graph.closed {
            return true;
        }
        graph.running = graph.running.saturating_sub(1);
        graph.settle(self, call.node, status, &leave);
        if let Some(ending) = ending {
            self.wind_up(&mut graph, ending);
        }
        drop(graph);
        self.run.shop.pool.submit(Arc::clone(self));
        true
    }

    /// A node's step panicked, which is a fault of the executor's own: the run ends here.
    pub(crate) fn broke(self: &Arc<Self>) {
        let failure = Failure::new(Class::ExecutionError, "the executor met a fault of its own");
        let mut frame = Arc::clone(self);
        while let Owner::Round { parent, .. } = &frame.owner {
            frame = Arc::clone(parent);
        }
        let mut graph = frame.graph.lock();
        if graph.ending.is_none() {
            graph.ending = Some(Ending {
                status: RunStatus::Error,
                error: Some((String::new(), failure)),
            });
        }
        drop(graph);
        frame.close_by_force();
    }

    /// The run has had all the time it may take.
    pub(crate) fn run_out_of_time(self: &Arc<Self>) {
        self.run.cancel(RunStatus::Timeout);
    }

    /// Ends a run whose nodes do not: gives how many threads hang in it.
    pub(crate) fn close_by_force(self: &Arc<Self>) -> u32 {
        let Some(cut) = self.cut() else { return 0 };
        let ending = cut.ending.unwrap_or_else(|| self.run.cancelled_as());
        let failure = self.run.ended_failure(ending.status);
        for node in &cut.order {
            let mut done = Done::skipped(self.run.since_start());
            done.status = Status::Error;
            done.attempts = 1;
            done.more().failure = Some(failure.clone());
            self.put(*node, done);
        }
        self.run.end(self, Some(ending), cut.order);
        cut.hanging
    }

    /// Closes this graph and those of the loops in it; none where it was closed.
    fn cut(&self) -> Option<Cut> {
        let mut graph = self.graph.lock();
        if graph.closed {
            return None;
        }
        graph.closed = true;
        graph.forced = true;
        let mut cut = Cut {
            hanging: graph.running,
            ending: graph.ending.take(),
            order: std::mem::take(&mut graph.order),
        };
        let away = std::mem::take(&mut graph.away);
        drop(graph);
        for (_, away) in away {
            match away {
                Away::Task(_, Some(stop)) => stop(),
                Away::Loop(rounds) => cut.hanging += rounds.frame().cut().map_or(0, |inner| inner.hanging),
                Away::Task(_, None) => {}
                Away::Sleeping(_, ticket) => drop(self.run.shop.pool.timers.remove(ticket)),
            }
        }
        Some(cut)
    }
}
