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
    fn send(&self, when: Heard, message: impl FnOnce(u64) -> Message) -> u64 {
        let mut messages = locked(&self.messages);
        let id = messages.next_id;
        messages.next_id += 1;
        messages.waiting.push(message(id));
        let ring = when == Heard::AtOnce && !std::mem::replace(&mut messages.rung, true);
        drop(messages);
        if ring {
            // A socket that is full has rung already.
            let _ = (&self.bell).write(&[1]);
        }
        id
    }

    fn take(&self) -> Vec<Message> {
        let mut messages = locked(&self.messages);
        messages.rung = false;
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
        self.queue.send(when, |_| Message::Abort { id });
    }
}

/// Hands a job to the I/O thread, which is started if there is none.
///
/// # Errors
/// When it cannot be started, or has ended.
pub(crate) fn submit(job: Job) -> NodeResult<Submitted> {
    let queue = running().map_err(|error| {
        NodeError::new(format!("the plugin's I/O thread cannot be used: {error}")).retryable(true)
    })?;
    let id = queue.send(Heard::AtOnce, |id| Message::Run { id, job });
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
    let thread = Thread::start(move || serve(&runtime, &served, rung))?;
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
        // A socket that cannot be watched would leave every call without an answer; with the end of this thread,
        // they are told.
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
            queue.send(Heard::AtOnce, |_| Message::End { last });
            thread.join();
        }
        State::Idle | State::Ended => last(),
    }
}
