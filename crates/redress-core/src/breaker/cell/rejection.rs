//! Rejections that take no lock: what an open or probing circuit answers to a call that arrives.

use std::time::Instant;

use super::CircuitBreaker;
use crate::breaker::state::{Input, Phase, Step, step};
use crate::outcome::circuit_open_error::CircuitOpenError;

impl CircuitBreaker {
    /// The rejection of a call without observers, if it is certain.
    pub(crate) fn reject_at(&self, now: Instant) -> Option<CircuitOpenError> {
        let now = self.cell.epoch.ticks(self.cell.clock.now_or(now));
        self.rejects_open(now).or_else(|| self.rejects_rarely(now))
    }

    /// The rejection of a call that arrives at `now` while an open circuit waits; it changes
    /// nothing and takes no lock.
    ///
    /// Without the lock the end of the wait may already belong to a later opening. It is then later
    /// too, and the circuit is open, or about to be, at the moment of that read, so the rejection
    /// is right either way.
    #[inline]
    pub(super) fn rejects_open(&self, now: u64) -> Option<CircuitOpenError> {
        match self.word().phase() {
            Phase::Open => self.rejection(Phase::Open, Some(self.cell.recovery.running(now)?)),
            _ => None,
        }
    }

    /// The rejection of any call that arrives at `now`, if it is certain; as without a lock as
    /// [`rejects_open`](Self::rejects_open), and as right.
    #[cold]
    #[inline(never)]
    pub(super) fn rejects_rarely(&self, now: u64) -> Option<CircuitOpenError> {
        let phase = self.word().phase();
        let left = match self.cell.wait(phase) {
            Some(wait) => Some(wait.left(now)?),
            None => None,
        };
        self.rejection(phase, left)
    }

    /// The rejection of a call in this phase, if the state table rejects it.
    #[inline]
    fn rejection(&self, phase: Phase, left: Option<u64>) -> Option<CircuitOpenError> {
        match step(phase, Input::Arrives { due: left == Some(0) }) {
            Step::Reject => Some(CircuitOpenError::after_nanos(phase.state(), left, self.shared_name())),
            Step::Stay | Step::Go(..) => None,
        }
    }
}
