//! When work that blocks should end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use plugin_api::error::code;
use plugin_api::{NodeError, NodeResult};

/// Says to work that blocks that its caller gave up, or that its deadline passed. Clones say the same.
#[derive(Clone, Debug)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    pub(crate) fn until(deadline: Option<Instant>) -> Self {
        Self {
            asked: Arc::default(),
            deadline,
        }
    }

    /// What asks for the stop when it is dropped.
    pub(crate) fn asked_on_drop(&self) -> AskOnDrop {
        AskOnDrop(Arc::clone(&self.asked))
    }

    /// Whether nobody wants the result any more.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.asked.load(Ordering::Relaxed) || self.remaining().is_some_and(|left| left.is_zero())
    }

    /// How long the work may still take; `None` for as long as it likes.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// For loops: ends the work when nobody wants its result any more.
    ///
    /// # Errors
    /// `CANCELLED` or `TIMEOUT`.
    pub fn check(&self) -> NodeResult<()> {
        if self.asked.load(Ordering::Relaxed) {
            return Err(NodeError::with_code(
                code::CANCELLED,
                "the caller cancelled the call",
            ));
        }
        if self.is_stopped() {
            return Err(NodeError::with_code(code::TIMEOUT, "the call's deadline passed"));
        }
        Ok(())
    }
}

/// Asks for the stop when it is dropped.
#[derive(Debug)]
pub(crate) struct AskOnDrop(Arc<AtomicBool>);

impl Drop for AskOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
