//! The thread that feeds file events to the settling machine.
//!
//! Invariant: an event only says where to look. What is there is read from the directory itself, so that lost, doubled
//! or reordered events cost time, never correctness; a periodic scan bounds that time.
//!
//! The watcher never opens a plugin. One named thread owns all state and ends when the [`Watcher`] is dropped.

mod error;
mod run;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use patchbay_vocab::Clock;

pub use error::WatchError;

use crate::settle::Settled;

/// What to watch, and how patiently.
#[derive(Clone, Debug)]
pub struct WatchConfig {
    /// The plugin directory; its sub-directories are not watched.
    pub dir: PathBuf,
    /// How long a file that nobody closed must stay the same.
    pub stable_for: Duration,
    /// How often the directory is listed, whatever the events said.
    pub rescan: Duration,
}

/// What the watcher tells.
#[derive(Debug)]
pub enum WatchEvent {
    /// A plugin file is complete, or its signature came, changed or went; its content may be one that was settled before.
    Settled(Settled),
    /// A path that was settled is gone.
    Removed(PathBuf),
    /// Every file that was there at the start was told; sent once. A file that is written to all the time is not waited
    /// for longer than three times `stable_for`.
    Scanned,
    /// Watching is impaired; the watcher keeps trying.
    Trouble(WatchError),
}

/// Watches a plugin directory until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    again: Sender<PathBuf>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts to watch `config.dir`; events go to `out`, and the thread ends early when nobody receives them.
    ///
    /// # Errors
    /// When the directory cannot be listed, or no thread can be started. A lack of inotify watches is no error: the
    /// watcher says so and lists the directory instead.
    pub fn start(
        config: WatchConfig,
        clock: Arc<dyn Clock>,
        out: Sender<WatchEvent>,
    ) -> Result<Self, WatchError> {
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let (again, asked) = crossbeam_channel::unbounded();
        let run = run::Run::new(config, clock, run::Ends { out, stopped, asked })?;
        let thread = std::thread::Builder::new()
            .name("patchbay-watch".into())
            .spawn(move || run.until_stopped())
            .map_err(WatchError::Thread)?;
        Ok(Self {
            again,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Asks for `path` to be settled once more when it is quiet; for a file that changed while it was staged.
    pub fn settle_again(&self, path: PathBuf) {
        // A thread that ended has nobody to tell.
        let _ = self.again.send(path);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the watcher's thread had panicked");
        }
    }
}

/// Resolves when the watcher is dropped.
type Stopped = Receiver<()>;

#[cfg(test)]
mod tests;
