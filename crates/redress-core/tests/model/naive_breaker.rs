//! The model's breaker: a state, and every failure of the current era in a list. Written from the
//! documentation, without lock, ring or packed word.

use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::breaker::{CircuitState, ProbeLease, Transition};

use crate::end_of_time::end_of_time;
use crate::world::BreakerSpec;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open {
        until: Duration,
    },
    /// A probe released its place, and no other call has taken it.
    Free,
    /// A probe is under way; `until` then the next call takes its place.
    Probing {
        until: Option<Duration>,
    },
}

pub(crate) struct NaiveBreaker {
    spec: BreakerSpec,
    state: State,
    /// How many changes of state there were.
    era: u64,
    failures: Vec<(ErrorClass, Duration)>,
    /// The end of its time, once a failure was reported. An open circuit is not open for longer.
    end: Option<Duration>,
}

/// An admission, and what became of the breaker by it.
pub(crate) struct Admitted {
    pub(crate) era: u64,
    pub(crate) half_opened: bool,
}

impl NaiveBreaker {
    pub(crate) fn new(spec: BreakerSpec) -> Self {
        Self { spec, state: State::Closed, era: 0, failures: Vec::new(), end: None }
    }

    pub(crate) fn state(&self) -> CircuitState {
        match self.state {
            State::Closed => CircuitState::Closed,
            State::Open { .. } => CircuitState::Open,
            State::Free | State::Probing { .. } => CircuitState::HalfOpen,
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.era += 1;
        self.failures.clear();
    }

    pub(crate) fn admit(&mut self, now: Duration) -> Result<Admitted, (CircuitState, Option<Duration>)> {
        let half_opened = match self.state {
            State::Closed => return Ok(Admitted { era: self.era, half_opened: false }),
            State::Probing { until: None } => return Err((CircuitState::HalfOpen, None)),
            State::Probing { until: Some(until) } => {
                let left = until.saturating_sub(now);
                if !left.is_zero() {
                    return Err((CircuitState::HalfOpen, Some(left)));
                }
                false
            }
            State::Open { until } => {
                let left = until.saturating_sub(now);
                if !left.is_zero() {
                    return Err((CircuitState::Open, Some(left)));
                }
                true
            }
            State::Free => false,
        };
        let lease = match self.spec.lease {
            ProbeLease::RecoveryTimeout => Some(self.spec.recovery),
            ProbeLease::Lasts(lease) => Some(lease),
            _ => None,
        };
        self.enter(State::Probing { until: lease.map(|lease| self.after(now, lease)) });
        Ok(Admitted { era: self.era, half_opened })
    }

    fn after(&self, now: Duration, wait: Duration) -> Duration {
        self.end.unwrap_or_else(|| end_of_time(now)).min(now + wait)
    }

    fn open(&mut self, now: Duration) -> Option<Transition> {
        let until = self.after(now, self.spec.recovery);
        self.enter(State::Open { until });
        Some(Transition::Opened)
    }

    /// The result of a call admitted in `era`: the class of its last failure, or none.
    pub(crate) fn report(&mut self, era: u64, class: Option<ErrorClass>, now: Duration) -> Option<Transition> {
        if class.is_some() {
            self.end.get_or_insert_with(|| end_of_time(now));
        }
        if era != self.era {
            return None;
        }
        let own_threshold = |class| self.spec.class_thresholds.iter().rev().find(|(of, _)| *of == class);
        let counting = class.filter(|class| own_threshold(*class).is_some() || self.spec.trip_on.contains(class));
        match (self.state, counting) {
            (State::Probing { .. }, None) => {
                self.enter(State::Closed);
                Some(Transition::Closed)
            }
            (State::Probing { .. }, Some(_)) => self.open(now),
            (State::Closed, Some(class)) => {
                let threshold = own_threshold(class).map(|(_, threshold)| *threshold);
                // At the end of time, failures are as good as simultaneous.
                let counted_at = self.end.map_or(now, |end| now.min(end));
                self.failures.push((class, counted_at));
                let alone = |of: &ErrorClass| self.spec.class_thresholds.iter().any(|(own, _)| own == of);
                let together = |of: &ErrorClass| if threshold.is_some() { *of == class } else { !alone(of) };
                let is_live = |at: &Duration| counted_at.saturating_sub(*at) < self.spec.window;
                let count = self.failures.iter().filter(|(of, at)| together(of) && is_live(at)).count();
                if count < threshold.unwrap_or(self.spec.threshold) as usize {
                    return None;
                }
                self.open(now)
            }
            (State::Closed, None) | (State::Open { .. } | State::Free, _) => None,
        }
    }

    /// A call admitted in `era` ended without a result.
    pub(crate) fn release(&mut self, era: u64) {
        if era == self.era && matches!(self.state, State::Probing { .. }) {
            self.enter(State::Free);
        }
    }
}
