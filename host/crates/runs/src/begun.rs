//! A run that was begun, for whoever waits for its end.
//!
//! Invariant: waiting costs a thread only to those who wait with one; whoever stops waiting changes nothing for the run.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use patchbay_executor::{Finished, RunStatus};
use patchbay_vocab::RunId;
use patchbay_wire as wire;
use tokio::sync::oneshot;

use crate::error::RunsError;
use crate::record::{self, About};

/// A run that is over.
pub(crate) enum Over {
    /// It ran.
    Finished(Arc<Finished>, Box<About>),
    /// It was ended while it waited for its place.
    Unbegun(Box<wire::RunView>),
}

impl Over {
    fn view(self) -> wire::RunView {
        match self {
            Self::Finished(finished, about) => record::view(&finished, &about),
            Self::Unbegun(view) => *view,
        }
    }
}

/// How a run came to its end, for whoever waits: a queued one may not have been able to begin.
pub(crate) type Outcome = Result<Over, RunsError>;
/// Who is told of it.
pub(crate) type Ended = oneshot::Sender<Outcome>;

/// A run that was begun.
pub struct Begun {
    id: RunId,
    queued: bool,
    ended: oneshot::Receiver<Outcome>,
}

impl Begun {
    pub(crate) const fn new(id: RunId, queued: bool, ended: oneshot::Receiver<Outcome>) -> Self {
        Self { id, queued, ended }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &RunId {
        &self.id
    }

    /// Whether it waits for a place.
    #[must_use]
    pub const fn is_queued(&self) -> bool {
        self.queued
    }

    /// Waits for its end on this thread.
    ///
    /// # Errors
    /// When it was queued and could not begin.
    pub fn wait(self) -> Result<wire::RunView, RunsError> {
        self.finish().map(Over::view)
    }

    /// Waits for its end without a thread.
    ///
    /// # Errors
    /// When it was queued and could not begin.
    pub async fn ended(self) -> Result<wire::RunView, RunsError> {
        Finish(self.ended).await.map(Over::view)
    }

    pub(crate) fn finish(self) -> Outcome {
        block_on(Finish(self.ended))
    }

    /// Waits for its end and gives what its executor knows, without putting it into JSON: for measuring.
    ///
    /// # Errors
    /// When it was queued and could not begin, or was ended before it did.
    pub fn wait_status(self) -> Result<(RunStatus, Arc<Finished>), RunsError> {
        match self.finish()? {
            Over::Finished(finished, _) => Ok((finished.status, finished)),
            Over::Unbegun(view) => Err(RunsError::Ended(view.run_id)),
        }
    }
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The end of a run; a host that went away before it came is an end, too.
struct Finish(oneshot::Receiver<Outcome>);

impl Future for Finish {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        Pin::new(&mut self.0).poll(context).map(|outcome| {
            outcome.unwrap_or_else(|_| Err(RunsError::Unavailable("it is shutting down".into())))
        })
    }
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives a future on this thread, whatever runtime it belongs to: unlike the runtime's own way to block, this one may
/// be used by a program that calls the host from a task.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> (Ended, Begun) {
        let (sender, ended) = oneshot::channel();
        (sender, Begun::new("r1".parse().unwrap(), false, ended))
    }

    #[test]
    fn a_thread_that_waits_wakes_for_the_end_and_for_the_end_of_the_host() {
        let (sender, waiting) = begun();
        let waiter = std::thread::spawn(move || waiting.wait());
        assert!(sender.send(Err(RunsError::QueueFull)).is_ok());
        assert!(matches!(waiter.join().unwrap(), Err(RunsError::QueueFull)));

        let (sender, waiting) = begun();
        drop(sender);
        assert!(matches!(waiting.wait(), Err(RunsError::Unavailable(_))));
    }

    #[test]
    fn waiting_is_allowed_inside_a_runtime() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (sender, waiting) = begun();
        assert!(sender.send(Err(RunsError::QueueFull)).is_ok());
        let ended = runtime.block_on(async { waiting.wait() });
        assert!(matches!(ended, Err(RunsError::QueueFull)));
    }
}
