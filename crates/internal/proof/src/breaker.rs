//! The reference breaker: a state, and every failure of the present era in a list.
//!
//! Written from the documentation, without lock, ring or packed word. Time is counted from an
//! origin that no instant precedes. `doubt.rs` handles instants too far ahead.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::breaker::{BreakerSpec, CircuitState, ProbeLease, Transition, Trip, TripRule};

use crate::doubt::{Events, Wait, end_of_time};

#[derive(Clone, Debug)]
enum State {
    Closed,
    Open(Wait),
    /// A probe released its place, and no other call has taken it. The next one may once the wait
    /// is over, if too many before it were released.
    Free(Releases, Option<Wait>),
    /// A probe is under way; once the wait is over the next call takes its place.
    Probing(Releases, Option<Wait>),
}

/// The probes of a half-open circuit that were released, and the pause that began with the last
/// one.
#[derive(Clone, Debug)]
struct Releases {
    count: u32,
    pause: Wait,
}

/// So many probes in a row may be released before a trial pauses.
const FREE_RELEASES: u32 = 10;

/// The expected behaviour of a circuit breaker.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    spec: BreakerSpec,
    state: State,
    /// The number of changes of state so far.
    era: u64,
    /// The failures of the era by window: that of a class with a separate threshold, or the shared
    /// one.
    failures: Vec<(Option<ErrorClass>, Events)>,
    /// What it saw when it last opened.
    trip: Option<Trip>,
    /// The end of its time, once a failure was reported. An open circuit is not open for longer.
    end: Option<Duration>,
}

/// An admission by the [`Reference`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// Names the admission when it is reported or released.
    pub(crate) era: u64,
    /// The transition that it made.
    pub(crate) transition: Option<Transition>,
}

/// A rejection by the [`Reference`]: the state, and the time until the next probe if it is known.
pub(crate) type Rejected = (CircuitState, Option<Duration>);

impl Reference {
    /// Creates a closed breaker with this configuration.
    pub(crate) const fn new(spec: BreakerSpec) -> Self {
        Self { spec, state: State::Closed, era: 0, failures: Vec::new(), trip: None, end: None }
    }

    /// The state.
    pub(crate) const fn state(&self) -> CircuitState {
        match self.state {
            State::Closed => CircuitState::Closed,
            State::Open(_) => CircuitState::Open,
            State::Free(..) | State::Probing(..) => CircuitState::HalfOpen,
        }
    }

    /// Whether the admission of `era` is the current probe.
    pub(crate) const fn is_probe(&self, era: u64) -> bool {
        matches!(self.state, State::Probing(..)) && era == self.era
    }

    /// How long a probe keeps its place.
    pub(crate) const fn lease(&self) -> Option<Duration> {
        match self.spec.probe_lease {
            ProbeLease::RecoveryTimeout => Some(self.spec.recovery_timeout),
            ProbeLease::Lasts(lease) => Some(lease),
            _ => None,
        }
    }

    /// How long the circuit stays open from `now` on; `None` if it is not open.
    pub(crate) fn open_for(&mut self, now: Duration) -> Option<Duration> {
        if let State::Open(wait) = &mut self.state { Some(wait.left(now)) } else { None }
    }

    /// What it saw when it last opened.
    pub(crate) const fn trip(&self) -> Option<Trip> {
        self.trip
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.era += 1;
        self.failures.clear();
    }

    fn wait(&self, now: Duration, length: Duration) -> Wait {
        Wait::new(now, length, self.end.unwrap_or_else(|| end_of_time(now)))
    }

    /// A call arrives.
    pub(crate) fn admit(&mut self, now: Duration) -> Result<Admitted, Rejected> {
        let state = self.state();
        let mut released = 0;
        match &mut self.state {
            State::Closed => return Ok(Admitted { era: self.era, transition: None }),
            State::Probing(_, None) => return Err((state, None)),
            State::Free(releases, wait) => {
                released = releases.count;
                let left = wait.as_mut().map_or(Duration::ZERO, |wait| wait.left(now));
                if !left.is_zero() {
                    return Err((state, Some(left)));
                }
            }
            State::Probing(releases, Some(wait)) => {
                released = releases.count;
                let left = wait.left(now);
                if !left.is_zero() {
                    return Err((state, Some(left)));
                }
            }
            State::Open(wait) => {
                let left = wait.left(now);
                if !left.is_zero() {
                    return Err((state, Some(left)));
                }
            }
        }
        let pause = self.wait(now, self.spec.recovery_timeout / 4);
        let lease = self.lease().map(|lease| self.wait(now, lease));
        self.enter(State::Probing(Releases { count: released, pause }, lease));
        Ok(Admitted { era: self.era, transition: (state == CircuitState::Open).then_some(Transition::HalfOpened) })
    }

    /// The call admitted in `era` ends: with the class of its last failure, or without one.
    pub(crate) fn report(&mut self, era: u64, class: Option<ErrorClass>, now: Duration) -> Option<Transition> {
        let end = if class.is_some() { *self.end.get_or_insert_with(|| end_of_time(now)) } else { Duration::MAX };
        if era != self.era {
            return None;
        }
        let counting = class.and_then(|class| self.counts(class));
        match (&self.state, counting) {
            (State::Probing(..), None) => {
                self.enter(State::Closed);
                Some(Transition::Closed)
            }
            (State::Probing(..), Some(_)) => {
                let mut trip = Trip::new(TripRule::Trial);
                (trip.bad, trip.calls) = (1, Some(1));
                self.open(trip, now)
            }
            (State::Closed, Some((window, threshold))) => {
                // At the end of time, failures are as good as simultaneous.
                let count = self.failures_in(window).add(now.min(end));
                if count < threshold as usize {
                    return None;
                }
                let mut trip = Trip::new(if window.is_some() { TripRule::Class } else { TripRule::Count });
                (trip.bad, trip.window) = (u64::from(threshold), Some(self.spec.window()));
                self.open(trip, now)
            }
            (State::Closed, None) | (State::Open(_) | State::Free(..), _) => None,
        }
    }

    /// The window that a class counts in and its threshold, if it counts.
    fn counts(&self, class: ErrorClass) -> Option<(Option<ErrorClass>, u32)> {
        let own = self.spec.class_thresholds.iter().rev().find(|(of, _)| *of == class);
        match own {
            Some((_, threshold)) => Some((Some(class), *threshold)),
            None => {
                let threshold = self.spec.threshold()?;
                self.spec.trip_on.contains(&class).then_some((None, threshold))
            }
        }
    }

    fn failures_in(&mut self, window: Option<ErrorClass>) -> &mut Events {
        let known = self.failures.iter().position(|(of, _)| *of == window).unwrap_or_else(|| {
            self.failures.push((window, Events::new(self.spec.window())));
            self.failures.len() - 1
        });
        &mut self.failures[known].1
    }

    fn open(&mut self, trip: Trip, now: Duration) -> Option<Transition> {
        let wait = self.wait(now, self.spec.recovery_timeout);
        self.trip = Some(trip);
        self.trip.iter_mut().for_each(|trip| trip.wait = self.spec.recovery_timeout);
        self.enter(State::Open(wait));
        Some(Transition::Opened)
    }

    /// The call admitted in `era` ends without a result.
    pub(crate) fn release(&mut self, era: u64) {
        if let (State::Probing(releases, _), true) = (&self.state, era == self.era) {
            let Releases { count, pause } = releases.clone();
            let count = count + 1;
            let wait = (count >= FREE_RELEASES).then(|| pause.clone());
            self.enter(State::Free(Releases { count, pause }, wait));
        }
    }
}
