//! Rejections without a lock, by an open or half-open circuit.

use std::time::Instant;

use super::CircuitBreaker;
use crate::breaker::mode::Mode;
use crate::breaker::state::{Arrival, CircuitState, Input, Phase, Step, step};
use crate::breaker::trial::Room;
use crate::breaker::word::Word;
use crate::outcome::circuit_open_error::CircuitOpenError;

impl CircuitBreaker {
    /// The rejection of a call without observers, if the circuit certainly rejects it.
    pub(crate) fn reject_at(&self, now: Instant) -> Option<CircuitOpenError> {
        let now = self.ticks(now);
        let word = self.word();
        // Made where it is returned, because a rejection is large.
        if let Some(left) = self.stays_open(word, now) {
            return Some(self.rejection_in(CircuitState::Open, word, Some(left)));
        }
        self.rejects_rarely(now)
    }

    /// The rejection of a call that arrives at `now` during the wait of an open circuit. Changes
    /// nothing and takes no lock.
    #[inline]
    pub(super) fn rejects_open(&self, now: u64) -> Option<CircuitOpenError> {
        let word = self.word();
        self.stays_open(word, now).map(|left| self.rejection_in(CircuitState::Open, word, Some(left)))
    }

    /// The time left of an opening that is not over.
    ///
    /// RACE: without the lock the end of the wait may already belong to a later opening. That end
    /// is later too, and the circuit is open, or about to open, when it is read, so the rejection
    /// is correct either way.
    #[inline]
    fn stays_open(&self, word: Word, now: u64) -> Option<u64> {
        if word.is_plainly(Phase::Open) { self.cell.recovery.running(now) } else { None }
    }

    /// The rejection by a circuit in the state of this word, with so much of a wait left.
    #[inline]
    pub(super) fn rejection_in(&self, state: CircuitState, word: Word, left: Option<u64>) -> CircuitOpenError {
        CircuitOpenError::after_nanos(state, left, self.shared_name()).open_for(self.open_wait_of(word))
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
        self.open_wait_of(self.word())
    }

    #[inline]
    fn open_wait_of(&self, word: Word) -> Option<u64> {
        (!word.varies()).then(|| self.cell.recovery.longest())
    }

    /// The rejection of a call that finds this, if the state table rejects it.
    #[inline]
    fn rejection(&self, word: Word, arrival: Arrival, left: Option<u64>) -> Option<CircuitOpenError> {
        match step(word.phase(), Input::Arrives(arrival)) {
            Step::Reject => Some(self.rejection_in(word.phase().state(), word, left)),
            Step::Stay | Step::Go(..) => None,
        }
    }
}
