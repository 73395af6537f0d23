//! Work that was handed over, from both sides.
//!
//! Invariant: a slot is finished once, whatever becomes of the work: with its result, its panic, or the word that it was
//! dropped. So whoever waits for it is woken.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt;
use plugin_api::error::code;
use plugin_api::{NodeError, NodeResult};

use crate::runtime::Submitted;

/// What came of the work.
type Outcome<T> = Result<NodeResult<T>, Box<dyn Any + Send>>;

enum Slot<T> {
    Waiting(Option<Waker>),
    Done(Outcome<T>),
    Taken,
}

fn locked<T>(slot: &Mutex<Slot<T>>) -> MutexGuard<'_, Slot<T>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Finishes the slot when it is dropped, if nothing else did.
struct Finish<T>(Arc<Mutex<Slot<T>>>);

impl<T> Finish<T> {
    fn with(&self, outcome: Outcome<T>) {
        let mut slot = locked(&self.0);
        if let Slot::Waiting(waker) = &mut *slot {
            let waker = waker.take();
            *slot = Slot::Done(outcome);
            drop(slot);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Drop for Finish<T> {
    fn drop(&mut self) {
        self.with(Err(Box::new(Dropped)));
    }
}

/// The payload that stands for work that was dropped unfinished.
struct Dropped;

/// The result of work that was handed over, before it is on its way.
pub(crate) struct Waiting<T>(Arc<Mutex<Slot<T>>>);

impl<T> Waiting<T> {
    pub(crate) fn sent(self, submitted: Submitted) -> Handed<T> {
        Handed {
            slot: self.0,
            submitted,
        }
    }
}

/// Makes two ends of `work`: what runs it, and what waits for it.
pub(crate) fn handed<T, F>(work: F) -> (impl Future<Output = ()> + Send + 'static, Waiting<T>)
where
    T: Send + 'static,
    F: Future<Output = NodeResult<T>> + Send + 'static,
{
    let slot = Arc::new(Mutex::new(Slot::Waiting(None)));
    let finish = Finish(Arc::clone(&slot));
    let job = async move {
        let outcome = AssertUnwindSafe(work).catch_unwind().await;
        finish.with(outcome);
    };
    (job, Waiting(slot))
}

/// Waits for work that was handed over. Dropped, it has the work dropped.
pub(crate) struct Handed<T> {
    slot: Arc<Mutex<Slot<T>>>,
    submitted: Submitted,
}

impl<T> Future for Handed<T> {
    type Output = NodeResult<T>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<NodeResult<T>> {
        let finished = {
            let mut slot = locked(&self.slot);
            match &mut *slot {
                Slot::Waiting(Some(waker)) => {
                    waker.clone_from(task.waker());
                    return Poll::Pending;
                }
                Slot::Waiting(none) => {
                    *none = Some(task.waker().clone());
                    return Poll::Pending;
                }
                finished => std::mem::replace(finished, Slot::Taken),
            }
        };
        self.submitted.done();
        Poll::Ready(match finished {
            Slot::Done(Ok(result)) => result,
            Slot::Done(Err(panic)) if !panic.is::<Dropped>() => resume_unwind(panic),
            _ => Err(NodeError::with_code(code::CANCELLED, "the plugin is ending")),
        })
    }
}
