//! The threads that run nodes.
//!
//! Invariant: a frame that has work is in the queue, or on a thread that will look at it again. A thread whose call
//! was given up is replaced, so that there are always as many as were asked for, up to a bound.

use std::collections::VecDeque;
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
    pub(crate) timers: Timers,
}

struct Queue {
    frames: VecDeque<Arc<Frame>>,
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
                frames: VecDeque::new(),
                open: true,
                threads: Vec::new(),
            }),
            work: Condvar::new(),
            lost: AtomicU32::new(0),
            timers,
        })
    }

    pub(crate) fn start(self: &Arc<Self>, threads: usize, output_bytes: usize) -> std::io::Result<()> {
        for _ in 0..threads.max(1) {
            self.hire(output_bytes)?;
        }
        let pool = Arc::clone(self);
        let timers = std::thread::Builder::new()
            .name("pb-run-timers".into())
            .spawn(move || {
                while let Some(due) = pool.timers.wait() {
                    match due {
                        Due::Wake(frame, node) => frame.wake(node),
                        Due::Call(frame, node) => {
                            pool.replace(output_bytes);
                            frame.overdue(node);
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
            while let Some(frame) = pool.next() {
                frame.work(&mut desk);
                if desk.replaced {
                    pool.lost.fetch_sub(1, Ordering::Relaxed);
                    return;
                }
            }
        })?;
        self.queue.lock().threads.push(thread);
        Ok(())
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
            queue.frames.push_back(frame);
            drop(queue);
            self.work.notify_one();
        }
    }

    /// Whether others wait for a thread.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.queue.lock().frames.is_empty()
    }

    fn next(&self) -> Option<Arc<Frame>> {
        let mut queue = self.queue.lock();
        loop {
            if let Some(frame) = queue.frames.pop_front() {
                return Some(frame);
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
        let left = std::mem::take(&mut queue.frames);
        drop(queue);
        drop(left);
        self.work.notify_all();
        self.timers.close();
    }
}
