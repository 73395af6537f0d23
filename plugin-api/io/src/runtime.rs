//! The I/O thread: one for a plugin, started by the first call, ended by [`end`].
//!
//! ```text
//! Idle --first call--> Running --end()--> Ended
//! ```
//!
//! Messages go through a queue behind a plain mutex, and one byte on a socket pair tells of them: neither leaves a
//! thread-local behind on the thread that sends.

use std::collections::HashMap;
use std::future::Future;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugin_api::{NodeError, NodeResult};
use tokio::io::AsyncReadExt;
use tokio::task::AbortHandle;

use crate::thread::Thread;

/// Threads that run work that blocks, at most.
pub const MOST_BLOCKING_THREADS: usize = 32;

/// What the I/O thread runs.
pub(crate) type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

static STATE: Mutex<State> = Mutex::new(State::Idle);

enum State {
    Idle,
    Running { queue: Arc<Queue>, thread: Thread },
    Ended,
}

enum Message {
    Run { id: u64, job: Job },
    Abort { id: u64 },
    End { last: Box<dyn FnOnce() + Send> },
}

struct Queue {
    messages: Mutex<Messages>,
    bell: UnixStream,
}

#[derive(Default)]
struct Messages {
    next_id: u64,
    waiting: Vec<Message>,
    /// Whether the bell has rung for them.
    rung: bool,
    /// Whether nobody takes them any more.
    closed: bool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When a message has to be looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    AtOnce,
    WithTheNext,
}

impl Queue {
    /// Puts a message behind the others; gives it back when nobody takes them any more.
    fn send(&self, when: Heard, message: impl FnOnce(u64) -> Message) -> Result<u64, Message> {
        let mut messages = locked(&self.messages);
        let id = messages.next_id;
        messages.next_id += 1;
        let message = message(id);
        if messages.closed {
            return Err(message);
        }
        messages.waiting.push(message);
        let ring = when == Heard::AtOnce && !std::mem::replace(&mut messages.rung, true);
        drop(messages);
        if ring {
            // A socket that is full has rung already. For any other trouble, the next message rings again.
            let rang = (&self.bell).write(&[1]);
            if rang.is_err_and(|error| error.kind() != io::ErrorKind::WouldBlock) {
                locked(&self.messages).rung = false;
            }
        }
        Ok(id)
    }

    fn take(&self) -> Vec<Message> {
        let mut messages = locked(&self.messages);
        messages.rung = false;
        std::mem::take(&mut messages.waiting)
    }

    /// Takes no more messages; gives those that are left.
    fn close(&self) -> Vec<Message> {
        let mut messages = locked(&self.messages);
        messages.closed = true;
        std::mem::take(&mut messages.waiting)
    }
}

/// A job on its way. Dropped, it has the job dropped.
pub(crate) struct Submitted {
    queue: Arc<Queue>,
    id: u64,
    done: bool,
}

impl Submitted {
    /// Says that the job has ended by itself.
    pub(crate) fn done(&mut self) {
        self.done = true;
    }
}

impl Drop for Submitted {
    fn drop(&mut self) {
        let id = self.id;
        // What is done is only to be forgotten, which has time.
        let when = if self.done {
            Heard::WithTheNext
        } else {
            Heard::AtOnce
        };
        // A queue that is closed has dropped the job.
        let _ = self.queue.send(when, |_| Message::Abort { id });
    }
}

/// Hands a job to the I/O thread, which is started if there is none.
///
/// # Errors
/// When it cannot be started, or has ended.
pub(crate) fn submit(job: Job) -> NodeResult<Submitted> {
    let unusable = |error: io::Error| {
        NodeError::new(format!("the plugin's I/O thread cannot be used: {error}")).retryable(true)
    };
    let queue = running().map_err(unusable)?;
    let sent = queue.send(Heard::AtOnce, |id| Message::Run { id, job });
    let id =
        sent.map_err(|_| unusable(io::Error::other("it has ended; the plugin has to be loaded anew")))?;
    Ok(Submitted {
        queue,
        id,
        done: false,
    })
}

fn running() -> io::Result<Arc<Queue>> {
    let mut state = locked(&STATE);
    match &*state {
        State::Running { queue, .. } => return Ok(Arc::clone(queue)),
        State::Ended => return Err(io::Error::other("the plugin is ending")),
        State::Idle => {}
    }
    let (bell, rung) = UnixStream::pair()?;
    bell.set_nonblocking(true)?;
    rung.set_nonblocking(true)?;
    let queue = Arc::new(Queue {
        messages: Mutex::default(),
        bell,
    });
    // Made here, where a failure has somebody to be told to; Tokio touches no thread-local for it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MOST_BLOCKING_THREADS)
        .thread_name("plugin-blocking")
        .build()?;
    let served = Arc::clone(&queue);
    let thread = Thread::start(move || {
        // However it ends, nobody may be left to wait for what nobody looks at any more.
        let _ = catch_unwind(AssertUnwindSafe(|| serve(&runtime, &served, rung)));
        let _within = runtime.enter();
        for message in served.close() {
            if let Message::End { last } = message {
                last();
            }
        }
    })?;
    *state = State::Running {
        queue: Arc::clone(&queue),
        thread,
    };
    Ok(queue)
}

fn serve(runtime: &tokio::runtime::Runtime, queue: &Queue, rung: UnixStream) {
    // For who looks at the host's threads; a system without such files goes without.
    let _ = std::fs::write("/proc/thread-self/comm", "plugin-io");
    runtime.block_on(async {
        // A socket that cannot be watched would leave every call without an answer; with the end of this thread, the
        // queue is closed, and they are told.
        let Ok(mut rung) = tokio::net::UnixStream::from_std(rung) else {
            return;
        };
        let mut at_work: HashMap<u64, AbortHandle> = HashMap::new();
        let mut bytes = [0; 64];
        loop {
            for message in queue.take() {
                match message {
                    Message::Run { id, job } => {
                        at_work.insert(id, tokio::spawn(job).abort_handle());
                    }
                    Message::Abort { id } => {
                        if let Some(job) = at_work.remove(&id) {
                            job.abort();
                        }
                    }
                    Message::End { last } => {
                        last();
                        return;
                    }
                }
            }
            if rung.read(&mut bytes).await.is_err() {
                return;
            }
        }
    });
}

/// Ends the plugin's I/O thread, and every thread it started; to be named in `export_plugin!`:
/// `shutdown: plugin_io::end`. Waits for work that blocks and does not look at its [`Stop`](crate::Stop).
pub fn end() {
    end_after(|| ());
}

/// As [`end`], and runs `last` on the I/O thread before it ends, within the runtime: for closing what is kept in a static.
/// Without an I/O thread, `last` runs on the caller's.
pub fn end_after(last: impl FnOnce() + Send + 'static) {
    let was = std::mem::replace(&mut *locked(&STATE), State::Ended);
    match was {
        State::Running { queue, thread } => {
            let last = Box::new(last);
            let sent = queue.send(Heard::AtOnce, |_| Message::End { last });
            thread.join();
            if let Err(Message::End { last }) = sent {
                last();
            }
        }
        State::Idle | State::Ended => last(),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn queue() -> (Arc<Queue>, UnixStream) {
        let (bell, rung) = UnixStream::pair().unwrap();
        let messages = Mutex::default();
        (Arc::new(Queue { messages, bell }), rung)
    }

    #[test]
    fn a_job_that_nobody_will_run_any_more_leaves_nobody_waiting() {
        let (queue, _rung) = queue();
        let (job, waiting) = crate::handed::handed(async { Ok(()) });
        let job: Job = Box::pin(job);
        let sent = queue.send(Heard::AtOnce, |id| Message::Run { id, job });
        let handed = waiting.sent(Submitted {
            queue: Arc::clone(&queue),
            id: sent.unwrap_or_default(),
            done: false,
        });
        drop(queue.close());
        let error = handed.now_or_never().unwrap().unwrap_err();
        assert!(error.message.contains("ending"), "{error}");
    }

    #[test]
    fn a_message_after_the_end_comes_back() {
        let (queue, _rung) = queue();
        assert!(queue.close().is_empty());
        let last: Box<dyn FnOnce() + Send> = Box::new(|| ());
        let sent = queue.send(Heard::AtOnce, |_| Message::End { last });
        assert!(matches!(sent, Err(Message::End { .. })));
        assert!(queue.take().is_empty());
    }
}
