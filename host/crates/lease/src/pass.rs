//! What a gate hands out: proof of being inside, and proof that nobody is.

use std::fmt;
use std::sync::Arc;

use crate::gate::Gate;

/// Proof of being inside a gate; dropping it leaves.
#[must_use = "dropping the pass leaves the gate"]
pub struct Pass<'gate> {
    gate: &'gate Gate,
    shard: usize,
}

impl<'gate> Pass<'gate> {
    /// `started` of the shard at `shard` has been counted up for this pass.
    #[inline]
    pub(crate) fn new(gate: &'gate Gate, shard: usize) -> Self {
        Self { gate, shard }
    }

    /// The gate that was entered.
    #[inline]
    #[must_use]
    pub fn gate(&self) -> &Gate {
        self.gate
    }

    /// Whether it is this very gate that was entered.
    #[inline]
    #[must_use]
    pub fn belongs_to(&self, gate: &Gate) -> bool {
        std::ptr::eq(self.gate, gate)
    }

    /// Begins a task under this pass that may outlive it, even when the gate has closed since; `None` when `gate` is
    /// not the one that was entered.
    pub fn extend(&self, gate: &Arc<Gate>) -> Option<OwnedPass> {
        if !self.belongs_to(gate) {
            return None;
        }
        gate.start_again(self.shard);
        Some(OwnedPass::new(Arc::clone(gate), self.shard))
    }
}

impl Drop for Pass<'_> {
    #[inline]
    fn drop(&mut self) {
        self.gate.shard(self.shard).leave();
    }
}

/// A [`Pass`] that keeps its gate alive, for runs and tasks.
#[must_use = "dropping the pass leaves the gate"]
pub struct OwnedPass {
    gate: Arc<Gate>,
    shard: usize,
}

impl OwnedPass {
    /// `started` of the shard at `index` has been counted up for this pass.
    #[inline]
    pub(crate) fn new(gate: Arc<Gate>, shard: usize) -> Self {
        Self { gate, shard }
    }

    /// The gate that was entered.
    #[inline]
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Whether it is this very gate that was entered.
    #[inline]
    #[must_use]
    pub fn belongs_to(&self, gate: &Gate) -> bool {
        std::ptr::eq(&*self.gate, gate)
    }

    /// Begins a call under this pass, even when the gate has closed since: whoever is inside may finish the
    /// work it came for.
    #[inline]
    pub fn renew(&self) -> Pass<'_> {
        self.gate.reenter()
    }

    /// Begins more of the work that this pass is for, which may outlive it, even when the gate has closed since.
    pub fn again(&self) -> Self {
        self.gate.start_again(self.shard);
        Self::new(Arc::clone(&self.gate), self.shard)
    }
}

impl Drop for OwnedPass {
    #[inline]
    fn drop(&mut self) {
        self.gate.shard(self.shard).leave();
    }
}

/// Evidence that a gate is closed and nobody is inside, so that nobody ever will be.
#[derive(Clone, Copy)]
pub struct Idle<'gate> {
    gate: &'gate Gate,
}

impl<'gate> Idle<'gate> {
    /// Only for [`Gate::idle`], which has looked.
    pub(crate) fn new(gate: &'gate Gate) -> Self {
        Self { gate }
    }

    /// The gate that is idle.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        self.gate
    }

    /// Whether it is this very gate that is idle.
    #[must_use]
    pub fn belongs_to(&self, gate: &Gate) -> bool {
        std::ptr::eq(self.gate, gate)
    }
}

impl fmt::Debug for Pass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").finish_non_exhaustive()
    }
}

impl fmt::Debug for OwnedPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPass").finish_non_exhaustive()
    }
}

impl fmt::Debug for Idle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idle").finish_non_exhaustive()
    }
}
