//! What a template may cost. Invariant: steps and bytes are only ever spent, so the one bounds the time of a run and the
//! other its memory.

use std::cell::Cell;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::MAX_TEXT;

/// The most steps of one run.
const MAX_STEPS: u64 = 20_000_000;

/// The caller is looked at once for this many steps.
const STEPS_AT_ONCE: u64 = 1024;

/// A step is as much work as looking at so many bytes.
const BYTES_PER_STEP: usize = 64;

/// Why a run ends.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Something in the template or its data is wrong; the machine adds where.
    Wrong(String),
    /// A limit, or a caller that gave up.
    Over(NodeError),
}

impl Trouble {
    pub(crate) fn wrong<T>(message: impl Into<String>) -> Result<T, Self> {
        Err(Self::Wrong(message.into()))
    }
}

impl From<NodeError> for Trouble {
    fn from(error: NodeError) -> Self {
        Self::Over(error)
    }
}

/// Counts what is spent.
pub(crate) struct Budget<'c> {
    ctx: &'c Ctx<'c>,
    steps: Cell<u64>,
    looked: Cell<u64>,
    bytes: Cell<usize>,
}

impl<'c> Budget<'c> {
    pub(crate) const fn new(ctx: &'c Ctx<'c>) -> Self {
        Self {
            ctx,
            steps: Cell::new(0),
            looked: Cell::new(0),
            bytes: Cell::new(0),
        }
    }

    /// Spends a step.
    pub(crate) fn step(&self) -> Result<(), Trouble> {
        self.steps(1)
    }

    fn steps(&self, more: u64) -> Result<(), Trouble> {
        let steps = self.steps.get().saturating_add(more);
        self.steps.set(steps);
        if steps > MAX_STEPS {
            let message = "parameter `template`: it takes more steps than a template may";
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message).into());
        }
        if steps - self.looked.get() >= STEPS_AT_ONCE {
            self.looked.set(steps);
            self.ctx.check()?;
        }
        Ok(())
    }

    /// Spends what looking at so many bytes takes.
    pub(crate) fn read(&self, bytes: usize) -> Result<(), Trouble> {
        self.steps(u64::try_from(bytes / BYTES_PER_STEP).unwrap_or(u64::MAX))
    }

    /// Spends the memory and time of a value that is made.
    pub(crate) fn made(&self, bytes: usize) -> Result<(), Trouble> {
        let all = self.bytes.get().saturating_add(bytes);
        if all > MAX_TEXT {
            let message = format!(
                "parameter `template`: it makes more than {} MiB of values",
                MAX_TEXT >> 20
            );
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message).into());
        }
        self.bytes.set(all);
        self.read(bytes)
    }
}
