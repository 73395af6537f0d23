//! The threads that run nodes.
//!
//! Invariant: a frame that has work is in the queue, or on a thread that will look at it again. A thread whose call
//! was given up is replaced, so that there are always as many as were asked for, up to a bound.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use crate::frame::Frame;
use crate::port::Output;
use crate::timers::{Due, Timers};

/// Threads that may hang in calls that were given up, before no more are replaced.
const MOST_LOST: u32 = 256;

pub(crate) struct Pool {
    queue: Mutex<Queue>,
    work: Condvar,
    lost: AtomicU32,
    /// Threads there are, those that hang included.
    alive: AtomicU32,
    /// Threads there should be.
    wanted: AtomicU32,
    pub(crate) timers: Timers,
}

/// What a thread is given.
enum Job {
    /// Nodes to run.
    Frame(Arc<Frame>),
    /// Something else that takes a while.
    Do(Box<dyn FnOnce() + Send>),
}

struct Queue {
    jobs: VecDeque<Job>,
    open: bool,
    threads: Vec<JoinHandle<()>>,
}

/// What a thread keeps from node to node.
pub(crate) struct Desk {
    pub(crate) out: Output,
    pub(crate) rendered: Vec<u8>,
    /// When the last node on this thread ended, in nanoseconds of the executor's clock.
    pub(crate) now: u64,
    /// Set when a call of this thread was given up and another thread has its place.
    pub(crate) replaced: bool,
}

impl Desk {
    pub(crate) fn new(output_bytes: usize) -> Self {
        Self {
            out: Output::with_limit(output_bytes),
            rendered: Vec::new(),
            now: 0,
            replaced: false,
        }
    }
}

impl Pool {
    pub(crate) fn new(timers: Timers) -> Arc<Self> {
        Arc::new(Self {
            queue: Mutex::new(Queue {
                jobs: VecDeque::new(),
                open: true,
                threads: Vec::new(),
            }),
            work: Condvar::new(),
            lost: AtomicU32::new(0),
            alive: AtomicU32::new(0),
            wanted: AtomicU32::new(0),
            timers,
        })
    }

    pub(crate) fn start(self: &Arc<Self>, threads: usize, output_bytes: usize) -> std::io::Result<()> {
        let threads = threads.max(1);
        self.wanted
            .store(u32::try_from(threads).unwrap_or(u32::MAX), Ordering::SeqCst);
        for _ in 0..threads {
            self.hire(output_bytes)?;
        }
        let pool = Arc::clone(self);
        let timers = std::thread::Builder::new()
            .name("pb-run-timers".into())
            .spawn(move || {
                while let Some(due) = pool.timers.wait() {
                    match due {
                        Due::Wake(frame, node) => frame.wake(node),
                        Due::Call(frame, call) => {
                            if frame.overdue(call) {
                                pool.replace(output_bytes);
                            }
                        }
                        Due::Run(frame) => frame.run_out_of_time(),
                        Due::Do(work) => work(),
                        Due::Grace(frame) => {
                            for _ in 0..frame.close_by_force() {
                                pool.replace(output_bytes);
                            }
                        }
                    }
                }
            })?;
        self.queue.lock().threads.push(timers);
        Ok(())
    }

    fn hire(self: &Arc<Self>, output_bytes: usize) -> std::io::Result<()> {
        let pool = Arc::clone(self);
        let thread = std::thread::Builder::new().name("pb-run".into()).spawn(move || {
            let mut desk = Desk::new(output_bytes);
            while let Some(job) = pool.next() {
                match job {
                    Job::Frame(frame) => {
                        // A panic here is a fault of the executor; it costs the run, not the thread.
                        let work = AssertUnwindSafe(|| frame.work(&mut desk));
                        if catch_unwind(work).is_err() {
                            tracing::error!("a step of a run panicked");
                            frame.broke();
                        }
                    }
                    Job::Do(work) => {
                        if catch_unwind(AssertUnwindSafe(work)).is_err() {
                            tracing::error!("what begins a run panicked");
                        }
                    }
                }
                if std::mem::take(&mut desk.replaced) && pool.leave() {
                    return;
                }
            }
        })?;
        self.alive.fetch_add(1, Ordering::SeqCst);
        self.queue.lock().threads.push(thread);
        Ok(())
    }

    /// A thread is back whose call was given up: whether it has to end, since another one has its place.
    fn leave(&self) -> bool {
        let _ = self
            .lost
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |lost| lost.checked_sub(1));
        let wanted = self.wanted.load(Ordering::SeqCst);
        let fewer = |alive: u32| (alive > wanted).then(|| alive - 1);
        self.alive
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer)
            .is_ok()
    }

    /// Puts a thread in the place of one that hangs.
    fn replace(self: &Arc<Self>, output_bytes: usize) {
        if self.lost.fetch_add(1, Ordering::Relaxed) >= MOST_LOST {
            tracing::error!("too many calls never return: their threads are not replaced any more");
            return;
        }
        if let Err(error) = self.hire(output_bytes) {
            tracing::error!(%error, "a thread that hangs could not be replaced");
        }
        self.queue.lock().threads.retain(|thread| !thread.is_finished());
    }

    /// Threads that hang in calls that were given up.
    pub(crate) fn lost(&self) -> u32 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Has a frame looked at.
    pub(crate) fn submit(&self, frame: Arc<Frame>) {
        let mut queue = self.queue.lock();
        if queue.open {
            queue.jobs.push_back(Job::Frame(frame));
            drop(queue);
            self.work.notify_one();
        }
    }

    /// Has something done that may take a while.
    pub(crate) fn run(&self, work: Box<dyn FnOnce() + Send>) {
        let mut queue = self.queue.lock();
        if queue.open {
            queue.jobs.push_back(Job::Do(work));
            drop(queue);
            self.work.notify_one();
        }
    }

    /// Whether others wait for a thread.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.queue.lock().jobs.is_empty()
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if !queue.open {
                return None;
            }
            self.work.wait(&mut queue);
        }
    }

    /// Takes no more work; threads end when they have nothing to do.
    pub(crate) fn close(&self) {
        let mut queue = self.queue.lock();
        queue.open = false;
        let left = std::mem::take(&mut queue.jobs);
        drop(queue);
        drop(left);
        self.work.notify_all();
        self.timers.close();
    }
}
