//! The breaker as policies and permits use it: the [`Breaker`] trait and what is read of it.

use std::time::{Duration, Instant};

use super::settle::End;
use super::{Cell, CircuitBreaker, Phase};
use crate::breaker::interface::{Admission, Breaker, Report, Seen};
use crate::breaker::mode::Mode;
use crate::breaker::state::{CircuitState, Transition};
use crate::breaker::trial::Room;
use crate::breaker::trip::Trip;
use crate::breaker::word::Word;
use crate::drive::clock::nanos;
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::stripes::Thread;

impl CircuitBreaker {
    /// Now on the breaker's clock, in ticks.
    #[inline]
    pub(in crate::breaker) fn now_in_ticks(&self) -> u64 {
        self.cell.base.epoch.ticks(self.cell.base.clock.now())
    }

    /// `now`, or the breaker's clock if it has a clock, in ticks.
    #[inline]
    pub(in crate::breaker) fn ticks(&self, now: Instant) -> u64 {
        self.cell.base.epoch.ticks(self.cell.base.clock.now_or(now))
    }

    /// Whether a success of a closed circuit is counted without a reading of the clock.
    pub(crate) fn counts_successes(&self) -> bool {
        self.word().counts_successes()
    }

    /// Whether the instant at which a successful call began matters.
    pub(crate) fn reads_starts(&self) -> bool {
        self.word().reads_starts()
    }

    /// Whether the time that attempts take matters.
    pub(crate) fn times_calls(&self) -> bool {
        self.word().times_calls()
    }

    /// Counts the success of a call that was admitted in this generation, while the circuit was
    /// closed. `began` is when the call began, if that [matters](Self::reads_starts), and `thread`
    /// the running one.
    #[inline]
    pub(crate) fn succeed_closed(&self, generation: u64, began: Option<Instant>, thread: Thread) {
        if !self.succeed_quickly(generation, began, thread) {
            self.succeed_rarely(generation, began);
        }
    }

    /// The common case, which calls no function, and so saves no registers. Returns `false`, and
    /// has counted nothing, if it is another one.
    #[inline]
    fn succeed_quickly(&self, generation: u64, began: Option<Instant>, thread: Thread) -> bool {
        let Cell { base, counters, .. } = &*self.cell;
        let (Some(began), false) = (began, base.clock.is_custom() || counters.need_lock()) else { return false };
        counters.succeed_alone(|| base.epoch.ticks_by_parts(began), Word(generation).era(), thread)
    }

    #[cold]
    #[inline(never)]
    fn succeed_rarely(&self, generation: u64, began: Option<Instant>) {
        // The counters know their era, and so need no comparison of the words. An instant of the
        // policy's clock means nothing on a clock of the breaker's.
        let began = began.map_or(0, |began| self.ticks(began));
        self.count_success(Word(generation), began);
    }

    /// Whether the end of a permit of this generation needs the time of that end, if it is a
    /// success or a drop.
    #[inline]
    pub(in crate::breaker) fn needs_end_time(&self, generation: u64) -> bool {
        let word = Word(generation);
        word.times_calls() || !matches!(word.phase(), Phase::Closed)
    }

    fn report_end(&self, generation: u64, end: End, now: Instant) -> Option<Transition> {
        if end.report == Some(Report::Success) && !Self::is_judged(generation) {
            return None;
        }
        self.end(generation, end, self.ticks(now))
    }
}

impl Admission {
    /// The admission of a call that a [watching](Mode::Watching) breaker would have rejected.
    /// Neither its result nor its release has an effect.
    pub const UNJUDGED: Self = Self { generation: Word::UNJUDGED.0, transition: None };

    /// Whether the breaker admitted the call although it would have rejected it, because it only
    /// watches.
    #[must_use]
    pub const fn is_unjudged(&self) -> bool {
        self.generation == Self::UNJUDGED.generation
    }
}

impl Breaker for CircuitBreaker {
    fn admit(&self, now: Instant) -> Result<Admission, CircuitOpenError> {
        match self.admit_closed() {
            Some(generation) => Ok(Admission { generation, transition: None }),
            None => self.admit_at(self.ticks(now)),
        }
    }

    fn report(&self, admission: Admission, report: Report, now: Instant) -> Option<Transition> {
        self.report_end(admission.generation, End::of(Some(report)), now)
    }

    fn report_seen(&self, admission: Admission, seen: Seen, now: Instant) -> Option<Transition> {
        let end = End::seen(&seen);
        let generation = admission.generation;
        if end.report == Some(Report::Success) && !Self::is_judged(generation) {
            return None;
        }
        let now = self.ticks(now);
        let began = end.took.map(|took| now.saturating_sub(took));
        self.end(generation, End { began, ..end }, now)
    }

    #[inline]
    fn release(&self, admission: Admission) {
        if Self::is_probe(admission.generation) {
            self.end(admission.generation, End::of(None), 0);
        }
    }

    fn release_after(&self, admission: Admission, took: Duration, now: Instant) -> Option<Transition> {
        if !Self::is_judged(admission.generation) {
            return None;
        }
        self.end(admission.generation, End { took: Some(nanos(took)), ..End::of(None) }, self.ticks(now))
    }

    fn state(&self) -> CircuitState {
        Self::state(self)
    }

    fn name(&self) -> Option<&str> {
        Self::name(self)
    }

    fn open_for(&self, now: Instant) -> Option<Duration> {
        let now = self.ticks(now);
        let word = self.word();
        let is_open = word.phase() == Phase::Open && word.mode() != Mode::ForcedOpen;
        is_open.then(|| self.cell.recovery.left(now)).flatten().map(Duration::from_nanos)
    }

    fn admits_by(&self, at: Instant) -> bool {
        let word = self.word();
        match word.mode() {
            Mode::ForcedClosed | Mode::Watching => return true,
            Mode::ForcedOpen => return false,
            Mode::Enforcing => {}
        }
        let wait = match word.phase() {
            Phase::Open => &self.cell.recovery,
            Phase::Trial if self.away().room() == Room::Paused => &self.away().pause,
            // A probe may end until then.
            _ => return true,
        };
        if self.cell.base.clock.is_custom() {
            // When that clock will show `at` is not known.
            return true;
        }
        wait.left(self.ticks(at)).is_none_or(|left| left == 0)
    }

    fn last_trip(&self) -> Option<Trip> {
        Self::last_trip(self)
    }

    fn times_attempts(&self) -> bool {
        self.times_calls()
    }
}
