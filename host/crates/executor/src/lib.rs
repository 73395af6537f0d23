//! Runs plans: joins, ports, retries, recovery, loops, sub-workflows.
//!
//! Invariant: a node runs once, when every edge that can still fire has fired or died, and a run ends exactly once,
//! whatever its nodes do. A run is linear in its nodes and edges; the path of a node that succeeds at once takes one
//! lock, one clock read and no allocation beyond a long output.
//!
//! ```text
//! Plan --Prepared::new--> Prepared --Executor::run--> Run --Event*--> Finished
//!
//! ready --a thread takes it--> running --+--> left: its edges fire or die --> others become ready, or are skipped
//!   ^                                    |
//!   +------- its time, its answer -- away (next try, polled, rounds of a loop, another workflow)
//! ```
//!
//! The executor knows nothing of plugins: [`Hold`] is what a run holds of the host, [`Host`] what all of them share.
//! Pure nodes run where they become ready; a node that may wait, or takes long, has other ready nodes of the run taken
//! by idle threads. Polled nodes hold no thread. A call that does not return long after its deadline is given up: the
//! run goes on, and another thread takes the place of the one that hangs.
#![forbid(unsafe_code)]

mod failure;
mod port;
mod prepared;
mod record;

mod admission;
mod attempt;
mod ends;
mod event;
mod executor;
mod frame;
mod graph;
mod limits;
mod mend;
mod pool;
mod rounds;
mod run;
mod scope;
mod step;
mod sub;
mod timers;

#[cfg(test)]
mod tests;

pub use admission::{Admitted, Place, Refusal, Start};
pub use event::{Event, EventKind, Observer};
pub use executor::{Executor, ExecutorConfig};
pub use failure::{Class, Failure};
pub use port::{Board, Callbacks, Hold, Host, Nature, NodeCall, Output, ServedBy, Stop, Task};
pub use prepared::{Judge, Judgement, Prepared};
pub use record::{Finished, Metrics, NodeResult, Recovered, RunStatus, Status};
pub use run::{Children, Given, Jitter, OnEnd, Run, RunRequest};
