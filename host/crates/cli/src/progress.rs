//! How far a run is, while it runs.
//!
//! Invariant: only a terminal sees it, on stderr, and only of runs that take long enough to be read.

use std::io::IsTerminal;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use patchbay_wire::RunEventView;

use crate::text;

/// Runs that are over sooner show nothing.
const SHORT: Duration = Duration::from_millis(200);
const TICK: Duration = Duration::from_millis(100);
/// Nodes that are named while they run.
const NAMED: usize = 3;

/// A line on stderr that tells how far a run is.
#[derive(Debug)]
pub struct Progress {
    counts: Counts,
    bar: Option<ProgressBar>,
    /// Its drop ends the thread that waits to show the line.
    _over: Option<Sender<()>>,
}

#[derive(Debug, Default)]
struct Counts {
    running: Vec<String>,
    done: u64,
    failed: u64,
    retries: u64,
    skipped: u64,
}

impl Progress {
    /// A line when stderr is a terminal; otherwise one that is never seen.
    #[must_use]
    pub fn start() -> Self {
        if std::io::stderr().is_terminal() {
            Self::shown()
        } else {
            Self::hidden()
        }
    }

    /// A line that is never seen.
    #[must_use]
    pub fn hidden() -> Self {
        Self {
            counts: Counts::default(),
            bar: None,
            _over: None,
        }
    }

    fn shown() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_message("starting");
        let (over, wait) = channel::<()>();
        let late = bar.clone();
        let waits = std::thread::Builder::new().name("pb-progress".into());
        let started = waits.spawn(move || {
            if let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = wait.recv_timeout(SHORT) {
                late.set_draw_target(ProgressDrawTarget::stderr());
                late.enable_steady_tick(TICK);
            }
        });
        Self {
            counts: Counts::default(),
            bar: started.is_ok().then_some(bar),
            _over: Some(over),
        }
    }

    /// Whether anybody sees it: events need not be asked for otherwise.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    /// Something happened.
    pub fn tell(&mut self, event: &RunEventView) {
        self.counts.add(event);
        if let Some(bar) = &self.bar {
            bar.set_message(self.counts.text());
        }
    }

    /// Takes the line away.
    pub fn end(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Counts {
    fn add(&mut self, event: &RunEventView) {
        let node = event.node.as_deref().unwrap_or_default();
        match event.kind.as_str() {
            "node.started" if !self.running.iter().any(|known| known == node) => {
                self.running.push(node.to_owned());
            }
            "node.succeeded" => self.done += 1,
            "node.failed" => self.failed += 1,
            "node.skipped" => self.skipped += 1,
            "node.retrying" => self.retries += 1,
            _ => {}
        }
        if matches!(
            event.kind.as_str(),
            "node.succeeded" | "node.failed" | "node.skipped"
        ) {
            self.running.retain(|known| known != node);
        }
    }

    fn text(&self) -> String {
        let mut out = format!("{} done", self.done);
        let retries = if self.retries == 1 { "retry" } else { "retries" };
        for (count, what) in [
            (self.failed, "failed"),
            (self.skipped, "skipped"),
            (self.retries, retries),
        ] {
            if count > 0 {
                out.push_str(&format!(", {count} {what}"));
            }
        }
        let named: Vec<_> = self
            .running
            .iter()
            .take(NAMED)
            .map(|node| text::cut(node, 40))
            .collect();
        if !named.is_empty() {
            out.push_str(&format!("; running {}", named.join(", ")));
        }
        if self.running.len() > NAMED {
            out.push_str(&format!(" and {} more", self.running.len() - NAMED));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_told_in_counts_and_in_the_names_of_what_runs() {
        let event = |kind: &str, node: &str| RunEventView {
            run_id: "r1".parse().unwrap(),
            kind: kind.into(),
            node: Some(node.into()),
            millis: None,
            code: None,
            message: String::new(),
        };
        let mut counts = Counts::default();
        for node in ["a", "b", "c", "d", "e\u{1b}[2J"] {
            counts.add(&event("node.started", node));
        }
        assert_eq!(counts.text(), "0 done; running a, b, c and 2 more");
        for (kind, node) in [
            ("node.succeeded", "a"),
            ("node.failed", "b"),
            ("node.skipped", "x"),
            ("node.retrying", "c"),
            ("node.started", "c"),
            ("node.succeeded", "d"),
        ] {
            counts.add(&event(kind, node));
        }
        assert_eq!(
            counts.text(),
            "2 done, 1 failed, 1 skipped, 1 retry; running c, e[2J"
        );
    }

    #[test]
    fn what_nobody_sees_is_harmless() {
        let progress = Progress::hidden();
        assert!(!progress.is_shown());
        progress.end();
        // Shown lines end, too, whether their time to be seen has come or not.
        Progress::shown().end();
    }
}
