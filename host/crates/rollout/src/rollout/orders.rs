//! What may be ordered, and what comes of it.

use crate::error::OrderError;
use crate::input::{Effect, Order, OrderKind, Outcome, PauseReason, Reach, Stage};

use super::Rollout;
use super::transition::{Cause, clipped};

impl Rollout {
    /// Whether an order can be followed now.
    pub(super) fn accepts(&self, order: &Order) -> Result<(), OrderError> {
        if self.ended.is_some() {
            return Err(OrderError::Finished {
                order: order.kind.as_str(),
                phase: self.phase().as_str(),
            });
        }
        match order.kind {
            OrderKind::Resume if self.held == Some(PauseReason::Policy) => Err(OrderError::WaitsForPromotion),
            OrderKind::Promote(_) if self.stage == Stage::Preparing => Err(OrderError::NotReady),
            _ => Ok(()),
        }
    }

    pub(super) fn ordered(&mut self, order: Order, effects: &mut Vec<Effect>) {
        let Order { kind, by, reason } = order;
        let (by, reason) = (clipped(&by), clipped(&reason));
        let cause = Cause {
            why: if reason.is_empty() {
                format!("ordered: {}", kind.as_str())
            } else {
                reason.clone()
            },
            by: Some(by.clone()),
        };
        match kind {
            // What is paused is paused, by whomever.
            OrderKind::Pause if self.held.is_some() => {}
            OrderKind::Pause => self.hold(PauseReason::Order { by, reason }, cause, effects),
            OrderKind::Resume => self.release(cause, effects),
            OrderKind::Promote(Reach::Next) => self.next(cause, effects),
            OrderKind::Promote(Reach::Full) => match self.stage {
                Stage::Baking => self.next(cause, effects),
                Stage::Replay | Stage::Shadow => {
                    effects.push(Effect::StopTrial);
                    self.go_live(cause, effects);
                }
                Stage::Preparing | Stage::Waiting | Stage::Step(_) => self.go_live(cause, effects),
            },
            OrderKind::Abort => {
                let why = cause.why.clone();
                effects.push(Effect::RollBack { why: why.clone() });
                self.finish(Outcome::Aborted { why }, cause, effects);
            }
        }
    }

    fn release(&mut self, cause: Cause, effects: &mut Vec<Effect>) {
        if self.held.is_none() {
            return;
        }
        let from = self.phase();
        if self.held == Some(PauseReason::Deadline) {
            // Whoever resumes it gives it as much time again.
            self.stalled_ms = 0;
        }
        self.held = self.policy_holds();
        self.record_decision(from, cause, effects);
        self.go_on(effects);
    }
}
