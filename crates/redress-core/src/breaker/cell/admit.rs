//! Admissions of calls, and the begin of a phase.

use std::time::Instant;

use super::{CircuitBreaker, Guarded, History};
use crate::breaker::interface::Admission;
use crate::breaker::mode::Mode;
use crate::breaker::permit::Permit;
use crate::breaker::ramp::RampCounts;
use crate::breaker::settings::Settings;
use crate::breaker::state::{Arrival, CircuitState, Input, Phase, Step, step};
use crate::breaker::trial::{Room, TrialCounts};
use crate::breaker::wait::Wait;
use crate::breaker::word::{Wants, Word};
use crate::drive::clock::nanos;
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::sync::Ordering;

impl CircuitBreaker {
    /// Admits one call now, on the breaker's clock. For use without a policy.
    ///
    /// # Errors
    ///
    /// If the circuit is open, or half-open without a place for the call.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, CircuitOpenError> {
        match self.admit_closed() {
            Some(generation) if !Word(generation).is_judged() => {
                Ok(Permit::new(self, Admission { generation, transition: None }, 0))
            }
            _ => self.acquire_at(self.now_in_ticks()),
        }
    }

    /// Like [`try_acquire`](Self::try_acquire), at `now`.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    pub fn try_acquire_at(&self, now: Instant) -> Result<Permit<'_>, CircuitOpenError> {
        match self.admit_closed() {
            Some(generation) if !Word(generation).is_judged() => {
                Ok(Permit::new(self, Admission { generation, transition: None }, 0))
            }
            _ => self.acquire_at(self.ticks(now)),
        }
    }

    #[inline(never)]
    fn acquire_at(&self, now: u64) -> Result<Permit<'_>, CircuitOpenError> {
        let admission = match self.admit_closed() {
            Some(generation) => Admission { generation, transition: None },
            None => self.admit_at(now)?,
        };
        Ok(Permit::new(self, admission, now))
    }

    /// The generation, if the circuit is closed and decides. Admission then needs nothing else, and
    /// no instant.
    #[inline]
    pub(crate) fn admit_closed(&self) -> Option<u64> {
        let word = self.word();
        word.is_plainly_closed().then_some(word.0)
    }

    /// The same, if the breaker wants to know of failures alone.
    #[inline]
    pub(crate) fn admit_quietly(&self, generation: &mut u64) -> bool {
        let word = self.word();
        *generation = word.0;
        word.is_quietly_closed()
    }

    /// The same, if the breaker wants to know no more than failures, successes if they are counted
    /// by the call, and when it began if it has `started` then.
    #[inline]
    pub(crate) fn admit_counted(&self, generation: &mut u64, is_counted: bool, is_started: bool) -> bool {
        let word = self.word();
        *generation = word.0;
        word.is_closed_to(is_counted, is_started)
    }

    /// What the breaker wants to know of a call of this generation.
    #[inline]
    pub(crate) const fn wants(generation: u64) -> Wants {
        Word(generation).wants()
    }

    /// Whether the end of a call of this generation has to be told to the breaker, even if it is a
    /// success or a release.
    #[inline]
    pub(crate) const fn is_judged(generation: u64) -> bool {
        Word(generation).is_judged()
    }

    /// Whether a call of this generation holds a place, which its end gives back.
    #[inline]
    pub(crate) const fn is_probe(generation: u64) -> bool {
        let word = Word(generation);
        word.is_judged() && !matches!(word.phase(), Phase::Closed)
    }

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
        let (settings, history) = guarded.history();
        let (arrival, left) = self.arrival(word.phase(), settings, history, now);
        match step(word.phase(), Input::Arrives(arrival)) {
            Step::Stay => {
                if word.phase() == Phase::Trial {
                    history.trial.take();
                    self.take_place(settings, history, now);
                }
                Ok(Admission { generation: word.0, transition: None })
            }
            Step::Reject => Err(self.rejection_in(word.phase().state(), word, left)),
            Step::Go(phase, transition) => {
                match word.phase() {
                    Phase::Trial => history.trial.supersede(),
                    _ => history.trial = TrialCounts::first(),
                }
                let word = word.next(phase);
                self.enter(word, &mut guarded, now);
                Ok(Admission { generation: word.0, transition })
            }
        }
    }

    /// What a call finds that arrives now, and the time left of the wait for the next admission.
    fn arrival(&self, phase: Phase, settings: &Settings, history: &mut History, now: u64) -> (Arrival, Option<u64>) {
        let room = history.trial.room(&settings.spec.trial);
        let wait = self.wait_of(phase, room);
        let left = wait.map(|wait| wait.weigh(now, &mut history.doubted_since));
        let arrival = match (phase, left) {
            (Phase::Trial, left) => room.arrival(left),
            (Phase::Open | Phase::Ramp, Some(0)) => Arrival::Due,
            (Phase::Ramp, Some(left)) => {
                let length = self.away().ramp.longest();
                let admits = history.ramp.admits(length.saturating_sub(left), length);
                if admits { Arrival::Room } else { Arrival::Early }
            }
            _ => Arrival::Early,
        };
        (arrival, left)
    }

    /// The wait after which an arriving call ends the phase, or in a trial takes a place.
    pub(super) fn wait_of(&self, phase: Phase, room: Room) -> Option<&Wait> {
        match phase {
            Phase::Closed => None,
            Phase::Open => Some(&self.cell.recovery),
            Phase::Trial => self.away().wait_for(room),
            Phase::Ramp => Some(&self.away().ramp),
        }
    }

    pub(super) fn forced_rejection(&self) -> CircuitOpenError {
        CircuitOpenError::after_nanos(CircuitState::Open, None, self.shared_name()).forced()
    }

    #[cold]
    #[inline(never)]
    pub(super) fn enter(&self, word: Word, guarded: &mut Guarded, now: u64) {
        let (settings, history) = guarded.history();
        history.doubted_since = None;
        match (word.phase(), settings.spec.ramp) {
            // Started by `apply`, which knows its length.
            (Phase::Open, _) => {
                self.away();
            }
            (Phase::Trial, _) => self.take_place(settings, history, now),
            (Phase::Ramp, ramp) => {
                history.ramp = RampCounts::new(ramp.map_or(1.0, |ramp| ramp.from));
                self.away().ramp.start(now, ramp.map_or(0, |ramp| nanos(ramp.length)));
            }
            (Phase::Closed, _) => history.openings.close(now),
        }
        if let Some(windows) = &mut guarded.windows {
            windows.clear();
        }
        self.cell.counters.begin(&guarded.settings, word.era(), now);
        // Release pairs with the Acquire in `word`: a thread that reads a phase also reads the end
        // of its wait, or of a later one.
        self.cell.word.store(word.0, Ordering::Release);
    }

    /// Starts the waits of a trial after an admission, and stores whether there is room for more.
    fn take_place(&self, settings: &Settings, history: &mut History, now: u64) {
        self.renew_lease(settings, history, now);
        self.away().pause.start(now, settings.pause);
        self.set_room(history.trial.room(&settings.spec.trial));
    }

    pub(super) fn renew_lease(&self, settings: &Settings, history: &mut History, now: u64) {
        history.doubted_since = None;
        self.away().lease.start(now, settings.lease);
    }
}
