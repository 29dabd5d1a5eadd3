//! Admissions of calls by a circuit that is not plainly closed, and the begin of a phase.

use super::{CircuitBreaker, Guarded};
use crate::breaker::interface::Admission;
use crate::breaker::mode::Mode;
use crate::breaker::ramp::RampCounts;
use crate::breaker::share::Share;
use crate::breaker::state::{Arrival, CircuitState, Input, Phase, Step, step};
use crate::breaker::trial::TrialCounts;
use crate::breaker::word::Word;
use crate::drive::clock::nanos;
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::sync::Ordering;

impl CircuitBreaker {
    /// Admission after [`admit_closed`](Self::admit_closed) has found the circuit not closed.
    #[inline]
    pub(super) fn admit_at(&self, now: u64) -> Result<Admission, CircuitOpenError> {
        match self.rejects_open(now) {
            Some(rejection) => Err(rejection),
            None => self.admit_rarely(now),
        }
    }

    /// Admission when the circuit is not plainly closed and a call may be admitted.
    #[cold]
    #[inline(never)]
    fn admit_rarely(&self, now: u64) -> Result<Admission, CircuitOpenError> {
        let word = self.word();
        match word.mode() {
            Mode::ForcedClosed => return Ok(Admission { generation: word.0, transition: None }),
            Mode::ForcedOpen => return Err(self.forced_rejection()),
            Mode::Watching => return Ok(self.admit_under_lock(now).unwrap_or(Admission::UNJUDGED)),
            Mode::Enforcing => {}
        }
        match self.rejects_rarely(now) {
            Some(rejection) => Err(rejection),
            None => self.admit_under_lock(now),
        }
    }

    fn admit_under_lock(&self, now: u64) -> Result<Admission, CircuitOpenError> {
        let mut guarded = self.cell.guarded.lock();
        let word = self.word();
        match word.mode() {
            Mode::ForcedClosed => return Ok(Admission { generation: word.0, transition: None }),
            Mode::ForcedOpen => return Err(self.forced_rejection()),
            Mode::Enforcing | Mode::Watching => {}
        }
        let (arrival, left) = self.arrival(word.phase(), &mut guarded, now);
        match step(word.phase(), Input::Arrives(arrival)) {
            Step::Stay => {
                if word.phase() == Phase::Trial {
                    guarded.trial.take();
                    self.take_place(&mut guarded, now);
                }
                Ok(Admission { generation: word.0, transition: None })
            }
            Step::Reject => Err(CircuitOpenError::after_nanos(word.phase().state(), left, self.shared_name())),
            Step::Go(phase, transition) => {
                match word.phase() {
                    Phase::Trial => guarded.trial.supersede(),
                    _ => guarded.trial = TrialCounts::first(),
                }
                let word = word.next(phase);
                self.enter(word, &mut guarded, now);
                Ok(Admission { generation: word.0, transition })
            }
        }
    }

    /// What a call finds that arrives now, and the time left of the wait for the next admission.
    fn arrival(&self, phase: Phase, guarded: &mut Guarded, now: u64) -> (Arrival, Option<u64>) {
        let spec = &self.cell.spec;
        let room = guarded.trial.room(&spec.trial);
        let wait = self.cell.waits.of(phase, room);
        let left = wait.map(|wait| wait.weigh(now, &mut guarded.doubted_since));
        let arrival = match (phase, left) {
            (Phase::Trial, left) => room.arrival(left),
            (Phase::Open | Phase::Ramp, Some(0)) => Arrival::Due,
            (Phase::Ramp, Some(left)) => self.arrival_in_ramp(guarded, left),
            _ => Arrival::Early,
        };
        (arrival, left)
    }

    fn arrival_in_ramp(&self, guarded: &mut Guarded, left: u64) -> Arrival {
        let Some(ramp) = &self.cell.spec.ramp else { return Arrival::Due };
        let length = nanos(ramp.length);
        let admits = guarded.ramp.admits(Share::of(ramp.from), length.saturating_sub(left), length);
        if admits { Arrival::Room } else { Arrival::Early }
    }

    pub(super) fn forced_rejection(&self) -> CircuitOpenError {
        CircuitOpenError::after_nanos(CircuitState::Open, None, self.shared_name()).forced()
    }

    #[cold]
    #[inline(never)]
    pub(super) fn enter(&self, word: Word, guarded: &mut Guarded, now: u64) {
        let phase = word.phase();
        let waits = &self.cell.waits;
        guarded.doubted_since = None;
        match phase {
            // Started by `trip`, which knows its length.
            Phase::Open => {}
            Phase::Trial => self.take_place(guarded, now),
            Phase::Ramp => guarded.ramp = RampCounts::default(),
            Phase::Closed => guarded.openings.close(now),
        }
        if let (Phase::Ramp, Some(ramp)) = (phase, &waits.ramp) {
            ramp.start(now);
        }
        guarded.windows.clear();
        self.cell.rules.begin(word.era(), now);
        // Release pairs with the Acquire in `word`: a thread that reads a phase also reads the end
        // of its wait, or of a later one.
        self.cell.word.store(word.0, Ordering::Release);
    }

    /// Starts the waits of a trial after an admission, and stores whether there is room for more.
    fn take_place(&self, guarded: &mut Guarded, now: u64) {
        self.renew_lease(guarded, now);
        self.cell.waits.pause.start(now);
        self.set_room(guarded.trial.room(&self.cell.spec.trial));
    }

    pub(super) fn renew_lease(&self, guarded: &mut Guarded, now: u64) {
        guarded.doubted_since = None;
        if let Some(lease) = &self.cell.waits.lease {
            lease.start(now);
        }
    }
}
