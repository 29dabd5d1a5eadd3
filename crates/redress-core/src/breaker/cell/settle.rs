//! The ends of admitted calls: what a result means, and what it does to the state.

use std::time::Duration;

use super::{CircuitBreaker, Guarded};
use crate::breaker::builder::Counts;
use crate::breaker::interface::{Report, Seen};
use crate::breaker::settings::Settings;
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

impl Settings {
    fn judge(&self, end: &End) -> Verdict {
        let is_slow = self.slow_call.zip(end.took).is_some_and(|(limit, took)| took >= limit);
        let slow = Verdict::Bad(None, Counts::Generally);
        match end.report {
            Some(Report::Slow) => slow,
            Some(Report::Failure(class)) if self.counts[class] != Counts::Never => {
                Verdict::Bad(Some(class), self.counts[class])
            }
            _ if is_slow => slow,
            Some(Report::Success | Report::Failure(_)) => Verdict::Answer,
            None => Verdict::Nothing,
        }
    }

    /// Whether the hint of a failure opens the circuit at once.
    fn is_hinted(&self, end: &End) -> bool {
        let Some(Report::Failure(class)) = end.report else { return false };
        let may_open = class == ErrorClass::RateLimit || self.counts[class] != Counts::Never;
        let is_long = self.spec.open_on_retry_after.zip(end.hint).is_some_and(|(least, hint)| hint >= least);
        may_open && is_long
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
            if !word.hears_hints() {
                return self.fail_closed(word, class, end.hint, now);
            }
        }
        self.end_rarely(word, end, now)
    }

    /// A failure of a circuit that is closed and to which successes do not matter.
    #[inline(always)]
    fn fail_closed(&self, word: Word, class: ErrorClass, hint: Option<Duration>, now: u64) -> Option<Transition> {
        if word.is_unjudged() {
            return None;
        }
        let mut guarded = self.cell.guarded.lock();
        if self.word() != word {
            return None;
        }
        let counts = guarded.settings.counts[class];
        if counts == Counts::Never {
            return None;
        }
        let (settings, windows) = guarded.windows();
        let trip = self.cell.counters.record(windows, Some(class), counts, settings, now)?;
        self.apply(word, Input::Fails { tripped: true }, Some((trip, hint)), &mut guarded, now)
    }

    #[cold]
    #[inline(never)]
    fn end_rarely(&self, word: Word, end: End, now: u64) -> Option<Transition> {
        let may_count = end.report.is_some() || word.times_calls() || word.phase() != Phase::Closed;
        if word.is_unjudged() || !may_count {
            return None;
        }
        let mut guarded = self.cell.guarded.lock();
        if self.word() != word {
            return None;
        }
        let verdict = guarded.settings.judge(&end);
        let hinted = guarded.settings.is_hinted(&end);
        match word.phase() {
            Phase::Trial => self.end_probe(word, verdict, hinted, end.hint, &mut guarded, now),
            Phase::Closed | Phase::Ramp | Phase::Open => {
                let trip = self.count(word, verdict, &end, &mut guarded, now);
                let trip = trip.or_else(|| hinted.then(hint_trip))?;
                self.apply(word, Input::Fails { tripped: true }, Some((trip, end.hint)), &mut guarded, now)
            }
        }
    }

    /// Counts a result by the rules. Returns what the first rule that holds saw.
    fn count(&self, word: Word, verdict: Verdict, end: &End, guarded: &mut Guarded, now: u64) -> Option<Trip> {
        let counters = &self.cell.counters;
        match verdict {
            Verdict::Nothing => None,
            Verdict::Bad(class, counts) => {
                let (settings, windows) = guarded.windows();
                counters.record(windows, class, counts, settings, now)
            }
            Verdict::Answer => {
                let is_success = end.report == Some(Report::Success);
                let began = end.began.filter(|_| is_success && !word.times_calls());
                counters.answer(&guarded.settings, began.unwrap_or(now), word.era());
                None
            }
        }
    }

    /// Counts the success of a call of a closed circuit that began at this tick. Takes no lock,
    /// unless the success ends a row of bad results or is the first result of its era.
    #[inline]
    pub(in crate::breaker) fn count_success(&self, word: Word, began: u64) {
        if self.cell.counters.need_lock() {
            self.count_success_under_lock(word, began);
        } else {
            self.cell.counters.succeed(began, word.era());
        }
    }

    #[cold]
    #[inline(never)]
    fn count_success_under_lock(&self, word: Word, began: u64) {
        let guarded = self.cell.guarded.lock();
        if self.word() == word {
            self.cell.counters.answer(&guarded.settings, began, word.era());
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
        let (settings, history) = guarded.history();
        let trial = &settings.spec.trial;
        let (input, trip) = match verdict {
            Verdict::Nothing => {
                history.trial.release();
                history.doubted_since = None;
                (Input::Releases, None)
            }
            Verdict::Answer if !hinted => {
                let passed = history.trial.answer(trial);
                if !passed {
                    self.renew_lease(settings, history, now);
                }
                (Input::Answers { passed, ramps: settings.spec.ramp.is_some() }, None)
            }
            Verdict::Answer | Verdict::Bad(..) => {
                let is_over = history.trial.fail(trial) || hinted;
                if !is_over {
                    self.renew_lease(settings, history, now);
                }
                let (bad, calls) = (history.trial.bad(), Some(history.trial.judged()));
                let failed = Trip { bad, calls, ..Trip::new(TripRule::Trial) };
                let trip = if hinted { hint_trip() } else { failed };
                (Input::Fails { tripped: is_over }, Some((trip, hint)))
            }
        };
        self.set_room(history.trial.room(trial));
        let made = self.apply(word, input, trip, guarded, now);
        if self.word() == word && guarded.history().1.trial.is_empty() {
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
            let (settings, history) = guarded.history();
            let waits = &settings.open_waits;
            let wait = waits.open(&mut history.openings, was_closed, hint, now);
            self.cell.recovery.start_for(now, wait, waits.longest());
            history.last_trip = Some(Trip { wait: Duration::from_nanos(wait), ..trip });
        }
        self.enter(word.next(phase), guarded, now);
        transition
    }
}

const fn hint_trip() -> Trip {
    Trip { bad: 1, ..Trip::new(TripRule::Hint) }
}
