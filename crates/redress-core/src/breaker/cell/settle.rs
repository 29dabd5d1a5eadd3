//! The ends of admitted calls: what a result means, and what it does to the state.

use std::time::Duration;

use super::{CircuitBreaker, Guarded};
use crate::breaker::builder::Counts;
use crate::breaker::interface::{Report, Seen};
use crate::breaker::state::{Input, Phase, Step, Transition, step};
use crate::breaker::trip::{Trip, TripRule};
use crate::breaker::word::Word;
use crate::classify::class::ErrorClass;
use crate::drive::clock::nanos;
use crate::sync::Ordering;

/// The end of an admitted call.
#[derive(Clone, Copy)]
pub(in crate::breaker) struct End {
    /// `None` without a result: dropped, panicked or aborted.
    pub(in crate::breaker) report: Option<Report>,
    pub(in crate::breaker) hint: Option<Duration>,
    /// How long the attempt took, in ticks.
    pub(in crate::breaker) took: Option<u64>,
    /// When the call began. A success counts from there.
    pub(in crate::breaker) began: Option<u64>,
}

/// What a result means for the rules.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The dependency responded in time.
    Answer,
    /// A failure that counts like this, with its class, or a slow call.
    Bad(Option<ErrorClass>, Counts),
    Nothing,
}

impl End {
    pub(in crate::breaker) const fn of(report: Option<Report>) -> Self {
        Self { report, hint: None, took: None, began: None }
    }

    pub(in crate::breaker) fn seen(seen: &Seen) -> Self {
        let took = seen.took.map(nanos);
        Self { hint: seen.hint, took, ..Self::of(Some(seen.report())) }
    }
}

impl CircuitBreaker {
    /// Settles an admitted call at `now`, unless its generation is over.
    ///
    /// A failure of a closed circuit is the common case, and the only one that is inlined.
    #[inline(always)]
    pub(in crate::breaker) fn end(&self, generation: u64, end: End, now: u64) -> Option<Transition> {
        let word = Word(generation);
        if let (Phase::Closed, Some(Report::Failure(class)), false) = (word.phase(), end.report, word.is_judged()) {
            if self.cell.spec.open_on_retry_after.is_none() {
                return self.fail_closed(word, class, end.hint, now);
            }
        }
        self.end_rarely(word, end, now)
    }

    /// A failure of a circuit that is closed and to which successes do not matter.
    #[inline(always)]
    fn fail_closed(&self, word: Word, class: ErrorClass, hint: Option<Duration>, now: u64) -> Option<Transition> {
        let counts = self.cell.counts[class];
        if word.is_unjudged() {
            return None;
        }
        let mut guarded = self.cell.guarded.lock();
        if self.word() != word || counts == Counts::Never {
            return None;
        }
        let trip = self.cell.rules.record(&mut guarded.windows, Some(class), counts, &self.cell.spec, now)?;
        self.apply(word, Input::Fails { tripped: true }, Some((trip, hint)), &mut guarded, now)
    }

    #[cold]
    #[inline(never)]
    fn end_rarely(&self, word: Word, end: End, now: u64) -> Option<Transition> {
        let verdict = self.judge(&end);
        if word.is_unjudged() || (verdict == Verdict::Nothing && word.phase() == Phase::Closed) {
            return None;
        }
        let mut guarded = self.cell.guarded.lock();
        if self.word() != word {
            return None;
        }
        let hinted = self.is_hinted(&end);
        match word.phase() {
            Phase::Trial => self.end_probe(word, verdict, hinted, end.hint, &mut guarded, now),
            Phase::Closed | Phase::Ramp | Phase::Open => {
                let trip = self.count(word, verdict, &end, &mut guarded, now);
                let trip = trip.or_else(|| hinted.then(hint_trip))?;
                self.apply(word, Input::Fails { tripped: true }, Some((trip, end.hint)), &mut guarded, now)
            }
        }
    }

    fn judge(&self, end: &End) -> Verdict {
        let is_slow = self.cell.slow_call.zip(end.took).is_some_and(|(limit, took)| took >= limit);
        let slow = Verdict::Bad(None, Counts::Generally);
        match end.report {
            Some(Report::Slow) => slow,
            Some(Report::Failure(class)) if self.cell.counts[class] != Counts::Never => {
                Verdict::Bad(Some(class), self.cell.counts[class])
            }
            _ if is_slow => slow,
            Some(Report::Success | Report::Failure(_)) => Verdict::Answer,
            None => Verdict::Nothing,
        }
    }

    /// Whether the hint of a failure opens the circuit at once.
    fn is_hinted(&self, end: &End) -> bool {
        let Some(Report::Failure(class)) = end.report else { return false };
        let may_open = class == ErrorClass::RateLimit || self.cell.counts[class] != Counts::Never;
        let is_long = self.cell.spec.open_on_retry_after.zip(end.hint).is_some_and(|(least, hint)| hint >= least);
        may_open && is_long
    }

    /// Counts a result by the rules. Returns what the first rule that holds saw.
    fn count(&self, word: Word, verdict: Verdict, end: &End, guarded: &mut Guarded, now: u64) -> Option<Trip> {
        let rules = &self.cell.rules;
        match verdict {
            Verdict::Nothing => None,
            Verdict::Bad(class, counts) => rules.record(&mut guarded.windows, class, counts, &self.cell.spec, now),
            Verdict::Answer => {
                rules.end_row();
                let is_success = end.report == Some(Report::Success);
                let began = end.began.filter(|_| is_success && self.cell.slow_call.is_none());
                rules.succeed(began.unwrap_or(now), word.era());
                None
            }
        }
    }

    /// Counts the success of a call of a closed circuit that began at this tick. Takes no lock,
    /// unless the success ends a row of bad results.
    #[inline]
    pub(in crate::breaker) fn count_success(&self, word: Word, began: u64) {
        if self.cell.rules.is_in_a_row() {
            self.count_success_in_a_row(word, began);
        } else {
            self.cell.rules.succeed(began, word.era());
        }
    }

    #[cold]
    #[inline(never)]
    fn count_success_in_a_row(&self, word: Word, began: u64) {
        let _guarded = self.cell.guarded.lock();
        if self.word() == word {
            self.cell.rules.end_row();
            self.cell.rules.succeed(began, word.era());
        }
    }

    /// Settles a probe.
    fn end_probe(
        &self,
        word: Word,
        verdict: Verdict,
        hinted: bool,
        hint: Option<Duration>,
        guarded: &mut Guarded,
        now: u64,
    ) -> Option<Transition> {
        let trial = &self.cell.spec.trial;
        let (input, trip) = match verdict {
            Verdict::Nothing => {
                guarded.trial.release();
                guarded.doubted_since = None;
                (Input::Releases, None)
            }
            Verdict::Answer if !hinted => {
                let passed = guarded.trial.answer(trial);
                if !passed {
                    self.renew_lease(guarded, now);
                }
                (Input::Answers { passed, ramps: self.cell.waits.ramp.is_some() }, None)
            }
            Verdict::Answer | Verdict::Bad(..) => {
                let is_over = guarded.trial.fail(trial) || hinted;
                if !is_over {
                    self.renew_lease(guarded, now);
                }
                let (bad, calls) = (guarded.trial.bad(), Some(guarded.trial.judged()));
                let failed = Trip { bad, calls, ..Trip::new(TripRule::Trial) };
                let trip = if hinted { hint_trip() } else { failed };
                (Input::Fails { tripped: is_over }, Some((trip, hint)))
            }
        };
        self.set_room(guarded.trial.room(trial));
        let made = self.apply(word, input, trip, guarded, now);
        if self.word() == word && guarded.trial.is_empty() {
            // No permit is out, so one that is ended twice is the only one that this voids.
            self.cell.word.store(word.next(Phase::Trial).0, Ordering::Release);
        }
        made
    }

    /// Applies the input of an ended permit of the present generation to the state table.
    fn apply(
        &self,
        word: Word,
        input: Input,
        trip: Option<(Trip, Option<Duration>)>,
        guarded: &mut Guarded,
        now: u64,
    ) -> Option<Transition> {
        let Step::Go(phase, transition) = step(word.phase(), input) else { return None };
        if let (Phase::Open, Some((trip, hint))) = (phase, trip) {
            let was_closed = word.phase() == Phase::Closed;
            let wait = self.cell.open_waits.open(&mut guarded.openings, was_closed, hint, now);
            self.cell.waits.recovery.start_for(now, wait);
            guarded.last_trip = Some(Trip { wait: Duration::from_nanos(wait), ..trip });
        }
        self.enter(word.next(phase), guarded, now);
        transition
    }
}

const fn hint_trip() -> Trip {
    Trip { bad: 1, ..Trip::new(TripRule::Hint) }
}
