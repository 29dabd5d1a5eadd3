//! Rejections without a lock, by an open or half-open circuit.

use std::time::Instant;

use super::CircuitBreaker;
use crate::breaker::mode::Mode;
use crate::breaker::state::{Arrival, Input, Phase, Step, step};
use crate::breaker::trial::Room;
use crate::breaker::word::Word;
use crate::outcome::circuit_open_error::CircuitOpenError;

impl CircuitBreaker {
    /// The rejection of a call without observers, if the circuit certainly rejects it.
    pub(crate) fn reject_at(&self, now: Instant) -> Option<CircuitOpenError> {
        let now = self.ticks(now);
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
        let word = self.word();
        if word.is_plainly(Phase::Open) {
            return self.rejection(word, Arrival::Early, Some(self.cell.recovery.running(now)?));
        }
        None
    }

    /// The rejection of any call that arrives at `now`, if the circuit certainly rejects it. Takes
    /// no lock, and is correct for the same reason as [`rejects_open`](Self::rejects_open). In a
    /// trial that holds for the places too: each reading was true at some instant in between.
    #[cold]
    #[inline(never)]
    pub(super) fn rejects_rarely(&self, now: u64) -> Option<CircuitOpenError> {
        let word = self.word();
        match word.mode() {
            Mode::Enforcing => {}
            Mode::ForcedOpen => return Some(self.forced_rejection()),
            Mode::ForcedClosed | Mode::Watching => return None,
        }
        let phase = word.phase();
        let room = match phase {
            Phase::Trial => self.away().room(),
            Phase::Ramp => return None,
            Phase::Closed | Phase::Open => Room::Free,
        };
        let left = match self.wait_of(phase, room) {
            Some(wait) => Some(wait.left(now)?),
            None => None,
        };
        let arrival = match (phase, left) {
            (Phase::Trial, left) => room.arrival(left),
            (_, Some(0)) => Arrival::Due,
            _ => Arrival::Early,
        };
        self.rejection(word, arrival, left)
    }

    /// How long each opening lasts, in ticks, if all last the same. Called for a circuit that is
    /// open.
    #[inline]
    pub(crate) fn fixed_open_wait(&self) -> Option<u64> {
        (!self.word().varies()).then(|| self.cell.recovery.longest())
    }

    /// The rejection of a call that finds this, if the state table rejects it.
    #[inline]
    fn rejection(&self, word: Word, arrival: Arrival, left: Option<u64>) -> Option<CircuitOpenError> {
        match step(word.phase(), Input::Arrives(arrival)) {
            Step::Reject => Some(CircuitOpenError::after_nanos(word.phase().state(), left, self.shared_name())),
            Step::Stay | Step::Go(..) => None,
        }
    }
}
