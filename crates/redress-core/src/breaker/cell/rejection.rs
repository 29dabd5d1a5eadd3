//! Rejections without a lock, by an open or probing circuit.

use std::time::Instant;

use super::CircuitBreaker;
use crate::breaker::state::{Input, Phase, Step, step};
use crate::outcome::circuit_open_error::CircuitOpenError;

impl CircuitBreaker {
    /// The rejection of a call without observers, if the circuit certainly rejects it.
    pub(crate) fn reject_at(&self, now: Instant) -> Option<CircuitOpenError> {
        let now = self.cell.epoch.ticks(self.cell.clock.now_or(now));
        self.rejects_open(now).or_else(|| self.rejects_rarely(now))
    }

    /// The rejection of a call that arrives at `now` during the wait of an open circuit. Changes
    /// nothing and takes no lock.
    ///
    /// RACE: without the lock the end of the wait may already belong to a later opening. That end
    /// is later too, and the circuit is open, or about to open, when it is read, so the rejection
    /// is correct either way.
    #[inline]
    pub(super) fn rejects_open(&self, now: u64) -> Option<CircuitOpenError> {
        match self.word().phase() {
            Phase::Open => self.rejection(Phase::Open, Some(self.cell.recovery.running(now)?)),
            _ => None,
        }
    }

    /// The rejection of any call that arrives at `now`, if the circuit certainly rejects it. Takes
    /// no lock, and is correct for the same reason as [`rejects_open`](Self::rejects_open).
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
