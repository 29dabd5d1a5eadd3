//! The reference breaker: a phase, and every result of the present era in a list.
//!
//! Written from the rules of the design, without lock, ring or packed word. `breaker/counted.rs` is
//! what opens it, `openings.rs` for how long, `trial.rs` what closes it. Time is counted from an
//! origin that no instant precedes; `doubt.rs` handles instants too far ahead.

mod counted;
mod openings;
mod share;
mod trial;

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::breaker::{BreakerSpec, CircuitState, Mode, Report, Transition, Trip, TripRule};

use self::counted::{Counted, saw};
use self::openings::Openings;
use self::trial::{Place, Ramping, Testing};
use crate::doubt::{Wait, end_of_time};

#[derive(Clone, Debug)]
enum Phase {
    Closed,
    Open(Wait),
    Trial(Testing),
    Ramp(Ramping),
}

/// The expected behaviour of a circuit breaker.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    spec: BreakerSpec,
    mode: Mode,
    phase: Phase,
    /// The number of changes of state or mode so far, and of probes that superseded others.
    era: u64,
    counted: Counted,
    openings: Openings,
    /// What it saw when it last opened.
    trip: Option<Trip>,
    /// The end of its time, once it was shown an instant. An open circuit is not open for longer.
    end: Option<Duration>,
}

/// An admission by the [`Reference`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// Names the admission when it ends.
    pub(crate) era: u64,
    /// The transition that it made.
    pub(crate) transition: Option<Transition>,
}

/// The era of a call that a watching breaker would have rejected. Its end is ignored.
pub(crate) const UNJUDGED: u64 = u64::MAX;

/// A rejection by the [`Reference`]: the state, and the time until the next probe if it is known.
pub(crate) type Rejected = (CircuitState, Option<Duration>);

/// How an admitted call ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ended {
    /// `None` without a result.
    pub(crate) report: Option<Report>,
    pub(crate) hint: Option<Duration>,
    /// How long the attempt took, if it is known.
    pub(crate) took: Option<Duration>,
    /// From when on a success counts, if not from its end.
    pub(crate) began: Option<Duration>,
}

/// What an end means: BR6 and BR9.
enum Verdict {
    Answer,
    /// With its class and the threshold of that, if it has one.
    Bad(Option<(ErrorClass, u32)>),
    Neutral,
}

impl Reference {
    /// Creates a closed breaker with this configuration.
    pub(crate) fn new(spec: BreakerSpec) -> Self {
        let (openings, counted) = (Openings::new(&spec), Counted::first());
        let (mode, phase) = (Mode::Enforcing, Phase::Closed);
        Self { spec, mode, phase, era: 0, counted, openings, trip: None, end: None }
    }

    /// The state.
    pub(crate) const fn state(&self) -> CircuitState {
        match (self.mode, &self.phase) {
            (Mode::ForcedOpen, _) => CircuitState::Open,
            (Mode::ForcedClosed, _) => CircuitState::Closed,
            (_, phase) => phase.state(),
        }
    }

    /// Whether the phase is closed, in any mode.
    pub(crate) const fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Whether the admission of `era` is a valid probe.
    pub(crate) fn is_probe(&self, era: u64) -> bool {
        matches!(self.phase, Phase::Trial(_)) && era == self.era && self.mode != Mode::ForcedClosed
    }

    /// How many valid probes there may be.
    pub(crate) const fn places(&self) -> u32 {
        self.spec.trial.places
    }

    /// How long the silent probes of a trial keep their places.
    pub(crate) fn lease(&self) -> Option<Duration> {
        self.spec.lease()
    }

    /// How long the circuit stays open from `now` on; `None` if it is not open.
    pub(crate) fn open_for(&self, now: Duration) -> Option<Duration> {
        match &self.phase {
            Phase::Open(wait) if self.mode != Mode::ForcedOpen => wait.certainly_left(now),
            _ => None,
        }
    }

    /// Whether a call that arrives then may be admitted, as far as is known now: without the
    /// instant, only whether the circuit is forced open.
    pub(crate) fn admits_by(&self, at: Option<Duration>) -> bool {
        let wait = match (self.mode, &self.phase) {
            (Mode::ForcedOpen, _) => return false,
            (Mode::Enforcing, Phase::Open(wait)) => wait,
            (Mode::Enforcing, Phase::Trial(testing)) if testing.is_pausing(&self.spec.trial) => &testing.pause,
            _ => return true,
        };
        at.and_then(|at| wait.certainly_left(at)).is_none_or(|left| left.is_zero())
    }

    /// What it saw when it last opened.
    pub(crate) const fn trip(&self) -> Option<Trip> {
        self.trip
    }

    /// Shows it the time.
    pub(crate) fn show(&mut self, now: Duration) -> Duration {
        now.min(*self.end.get_or_insert_with(|| end_of_time(now)))
    }

    /// Changes the mode. The phase and its wait stay, and everything counted is forgotten: BR15. A
    /// change of mode is not told the time.
    pub(crate) fn set_mode(&mut self, mode: Mode) {
        if self.mode == mode {
            return;
        }
        self.mode = mode;
        self.era += 1;
        self.counted = Counted::at_result();
        match &mut self.phase {
            Phase::Trial(testing) => *testing = Testing::new(testing.lease.clone(), testing.pause.clone()),
            Phase::Ramp(ramping) => (ramping.arrived, ramping.admitted) = (0, 0),
            Phase::Closed | Phase::Open(_) => {}
        }
    }

    /// Begins an era.
    fn enter(&mut self, phase: Phase, now: Duration) {
        self.phase = phase;
        self.era += 1;
        self.counted = Counted::since(now);
    }

    /// A call arrives.
    pub(crate) fn admit(&mut self, now: Duration) -> Result<Admitted, Rejected> {
        let as_it_is = Admitted { era: self.era, transition: None };
        match self.mode {
            Mode::ForcedClosed => Ok(as_it_is),
            Mode::ForcedOpen => Err((CircuitState::Open, None)),
            Mode::Watching => Ok(self.judge_arrival(now).unwrap_or(Admitted { era: UNJUDGED, transition: None })),
            _ => self.judge_arrival(now),
        }
    }

    fn judge_arrival(&mut self, now: Duration) -> Result<Admitted, Rejected> {
        let (state, trial) = (self.phase.state(), self.spec.trial);
        let transition = match &mut self.phase {
            Phase::Closed => None,
            Phase::Open(wait) => {
                let left = wait.left(now);
                if !left.is_zero() {
                    return Err((state, Some(left)));
                }
                let now = self.show(now);
                let (lease, pause) = self.waits(now);
                self.enter(Phase::Trial(Testing::new(lease, pause)), now);
                self.take_place(now);
                Some(Transition::HalfOpened)
            }
            Phase::Trial(testing) => {
                match testing.place(&trial, now) {
                    Place::None(left) => return Err((state, left)),
                    Place::Free => {}
                    Place::Superseded => {
                        testing.running = 0;
                        self.era += 1;
                    }
                }
                let now = self.show(now);
                self.take_place(now);
                None
            }
            Phase::Ramp(ramping) => {
                let left = ramping.wait.left(now);
                if left.is_zero() {
                    let now = self.show(now);
                    self.close(now);
                    Some(Transition::Closed)
                } else {
                    let ramp = self.spec.ramp.expect("it is in a ramp");
                    if !ramping.admits(&ramp, left) {
                        return Err((state, Some(left)));
                    }
                    None
                }
            }
        };
        Ok(Admitted { era: self.era, transition })
    }

    fn waits(&self, now: Duration) -> (Option<Wait>, Wait) {
        trial::waits(&self.spec, now, self.end.expect("it was shown the time"))
    }

    /// A probe starts; the lease and the pause begin.
    fn take_place(&mut self, now: Duration) {
        let (lease, pause) = self.waits(now);
        if let Phase::Trial(testing) = &mut self.phase {
            testing.running += 1;
            (testing.lease, testing.pause) = (lease, pause);
        }
    }

    fn close(&mut self, now: Duration) {
        self.openings.close(now);
        self.enter(Phase::Closed, now);
    }

    fn open(&mut self, trip: Trip, hint: Option<Duration>, now: Duration) -> Transition {
        let was_closed = matches!(self.phase, Phase::Closed);
        let wait = self.openings.next(&self.spec, was_closed, hint, now);
        self.trip = Some(trip);
        self.trip.iter_mut().for_each(|trip| trip.wait = wait);
        let longest = openings::longest(&self.spec);
        let wait = Wait::new(now, wait, longest, self.end.expect("it was shown the time"));
        self.enter(Phase::Open(wait), now);
        Transition::Opened
    }

    /// The call admitted in `era` ends.
    pub(crate) fn end(&mut self, era: u64, ended: &Ended, now: Duration) -> Option<Transition> {
        let is_failure = matches!(ended.report, Some(Report::Failure(_)));
        let now = if is_failure { self.show(now) } else { self.end.map_or(now, |end| now.min(end)) };
        if era != self.era || self.mode == Mode::ForcedClosed {
            return None;
        }
        let hinted = self.opens_by_hint(ended);
        match self.phase {
            Phase::Closed | Phase::Ramp(_) => {
                let trip = self.count(ended, now).or_else(|| hinted.then(hint_trip))?;
                Some(self.open(trip, ended.hint, now))
            }
            Phase::Trial(_) => self.end_probe(ended, hinted, now),
            Phase::Open(_) => None,
        }
    }

    fn verdict(&self, ended: &Ended) -> Verdict {
        let is_slow = self.spec.slow_call.zip(ended.took).is_some_and(|(limit, took)| took >= limit);
        match ended.report {
            Some(Report::Failure(class)) if self.counts(class) => {
                Verdict::Bad(self.own_threshold(class).map(|threshold| (class, threshold)))
            }
            Some(Report::Slow) => Verdict::Bad(None),
            _ if is_slow => Verdict::Bad(None),
            Some(_) => Verdict::Answer,
            None => Verdict::Neutral,
        }
    }

    fn own_threshold(&self, class: ErrorClass) -> Option<u32> {
        let own = self.spec.class_thresholds.iter().rev().find(|(of, _)| *of == class);
        own.map(|(_, threshold)| *threshold)
    }

    fn counts(&self, class: ErrorClass) -> bool {
        self.own_threshold(class).is_some() || self.spec.trip_on.contains(&class)
    }

    /// Whether a failure opens the circuit by its hint alone: BR11.
    fn opens_by_hint(&self, ended: &Ended) -> bool {
        let Some(Report::Failure(class)) = ended.report else { return false };
        let is_long = self.spec.open_on_retry_after.zip(ended.hint).is_some_and(|(least, hint)| hint >= least);
        is_long && (class == ErrorClass::RateLimit || self.counts(class))
    }

    fn count(&mut self, ended: &Ended, now: Duration) -> Option<Trip> {
        match self.verdict(ended) {
            Verdict::Neutral => None,
            Verdict::Bad(Some((class, threshold))) => self.counted.fail_alone(&self.spec, class, threshold, now),
            Verdict::Bad(None) => self.counted.fail(&self.spec, now),
            Verdict::Answer => {
                // BR7: with `slow_call` a success counts where it ended.
                let from_start = ended.report == Some(Report::Success) && self.spec.slow_call.is_none();
                let at = ended.began.filter(|_| from_start).unwrap_or(now).min(self.end.unwrap_or(Duration::MAX));
                self.counted.answer(&self.spec, at);
                None
            }
        }
    }

    fn end_probe(&mut self, ended: &Ended, hinted: bool, now: Duration) -> Option<Transition> {
        let (verdict, trial, era) = (self.verdict(ended), self.spec.trial, self.era);
        let lease = self.waits(now).0;
        let Phase::Trial(testing) = &mut self.phase else { return None };
        let is_bad = hinted || matches!(verdict, Verdict::Bad(_));
        let transition = if !is_bad && matches!(verdict, Verdict::Neutral) {
            testing.release();
            None
        } else {
            testing.judge(is_bad);
            let (answers, bad) = (testing.answers, testing.bad);
            if hinted {
                Some(self.open(hint_trip(), ended.hint, now))
            } else if bad > trial.failures {
                let calls = Some(u64::from(answers) + u64::from(bad));
                let trip = saw(TripRule::Trial, bad.into(), calls, None);
                Some(self.open(trip, ended.hint, now))
            } else if answers >= trial.passes {
                self.pass(now)
            } else {
                testing.lease = lease;
                testing.pause.forget_doubt();
                None
            }
        };
        if let Phase::Trial(testing) = &self.phase {
            // A permit that is ended twice is the only one that this can void.
            self.era += u64::from(testing.running == 0 && self.era == era);
        }
        transition
    }

    /// The trial is passed.
    fn pass(&mut self, now: Duration) -> Option<Transition> {
        let Some(ramp) = self.spec.ramp else {
            self.close(now);
            return Some(Transition::Closed);
        };
        let wait = Wait::new(now, ramp.length, ramp.length, self.end.expect("it was shown the time"));
        self.enter(Phase::Ramp(Ramping { wait, arrived: 0, admitted: 0 }), now);
        None
    }
}

impl Phase {
    const fn state(&self) -> CircuitState {
        match self {
            Self::Closed => CircuitState::Closed,
            Self::Open(_) => CircuitState::Open,
            Self::Trial(_) | Self::Ramp(_) => CircuitState::HalfOpen,
        }
    }
}

fn hint_trip() -> Trip {
    saw(TripRule::Hint, 1, None, None)
}
