//! Waiting for a future on a plain thread, with an end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use patchbay_vocab::{Clock, Monotonic};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives `future` on this thread; `None` when the deadline came first, after which the future is dropped.
///
/// Needs no runtime, so a node may wait for another wherever it is called.
pub(crate) fn block_on<F: Future>(
    future: F,
    deadline: Option<Monotonic>,
    clock: &dyn Clock,
) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        match deadline {
            None => std::thread::park(),
            Some(deadline) => match deadline.since(clock.now()) {
                Duration::ZERO => return None,
                left => std::thread::park_timeout(left),
            },
        }
    }
}
