//! The breaker's states and its state table, a pure function. Time and counting come in as inputs
//! ("due", "room", "tripped").

use std::fmt;

use crate::closed_set::closed_set;
use crate::outcome::event::EventName;

/// The state of a circuit: which calls it admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// Admits every call.
    Closed,
    /// Rejects every call until the recovery time has passed.
    Open,
    /// Admits a few calls at a time, the probes of a [`Trial`](super::Trial), or a growing share of
    /// all calls, if the breaker has a [ramp](super::CircuitBreakerBuilder::ramp).
    HalfOpen,
}

closed_set! {
    /// Every state, in declaration order.
    CircuitState { Closed, Open, HalfOpen }
}

impl CircuitState {
    /// The state's name in metrics and logs: `closed`, `open` or `half_open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A change of state, as reported to observers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transition {
    /// The circuit opened.
    Opened,
    /// The recovery time has passed, and a call was admitted as the probe.
    HalfOpened,
    /// The circuit closed: as many probes as the trial asks for succeeded, or failed in a class
    /// that does not trip, and the ramp after the trial is over, if there is one.
    Closed,
}

impl Transition {
    /// The state after the transition.
    #[must_use]
    pub const fn state(self) -> CircuitState {
        match self {
            Self::Opened => CircuitState::Open,
            Self::HalfOpened => CircuitState::HalfOpen,
            Self::Closed => CircuitState::Closed,
        }
    }

    /// The event that reports the transition.
    #[must_use]
    pub const fn event(self) -> EventName {
        match self {
            Self::Opened => EventName::CircuitOpened,
            Self::HalfOpened => EventName::CircuitHalfOpen,
            Self::Closed => EventName::CircuitClosed,
        }
    }
}

/// [`CircuitState`], with half-open split into the trial and the ramp after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Closed = 0,
    Open = 1,
    Trial = 2,
    Ramp = 3,
}

impl Phase {
    #[inline]
    pub(crate) const fn state(self) -> CircuitState {
        match self {
            Self::Closed => CircuitState::Closed,
            Self::Open => CircuitState::Open,
            Self::Trial | Self::Ramp => CircuitState::HalfOpen,
        }
    }
}

/// An input of the state table. All but `Arrives` come from a permit of the current generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A call arrives.
    Arrives(Arrival),
    /// An admitted call succeeded in time, or failed in a class that does not trip: the dependency
    /// responded. `passed` if the trial needs no further answer.
    Answers { passed: bool, ramps: bool },
    /// An admitted call failed in a class that trips, or was slow; `tripped` if a rule opens the
    /// circuit.
    Fails { tripped: bool },
    /// An admitted call ended without a result: dropped, panicked or aborted.
    Releases,
}

/// What an arriving call finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// No place, and the wait of the phase is not over.
    Early,
    /// A place in the trial, or a share of the ramp.
    Room,
    /// The wait of the phase is over: the open wait, the lease of silent probes, or the ramp.
    Due,
}

/// An output of the state table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing changes, and a call that arrives is admitted.
    Stay,
    /// Nothing changes, and a call that arrives is rejected.
    Reject,
    /// The next phase, and the transition that observers receive.
    Go(Phase, Option<Transition>),
}

/// The state table.
///
/// - **Invariant C1**: these are all the edges.
/// - **Invariant C2**: at most as many permits of a trial are valid as it has places. A call takes
///   a place that is free, or the first place of a new generation, in which the permits before it
///   are void.
/// - **Invariant C3**: the circuit never gets stuck. A probe that ends settles the trial or frees
///   its place, a ramp ends with time, and an arrival after the lease is admitted even if the
///   permits before it are kept forever (**Invariant C8**). Without a lease this holds for permits
///   that end.
///
/// Probes that supersede others cause no transition, because the state stays half-open.
pub(crate) const fn step(phase: Phase, input: Input) -> Step {
    match (phase, input) {
        (Phase::Open, Input::Arrives(Arrival::Due)) => Step::Go(Phase::Trial, Some(Transition::HalfOpened)),
        (Phase::Trial, Input::Arrives(Arrival::Due)) => Step::Go(Phase::Trial, None),
        (Phase::Ramp, Input::Arrives(Arrival::Due)) => Step::Go(Phase::Closed, Some(Transition::Closed)),
        (Phase::Open, Input::Arrives(_)) | (Phase::Trial | Phase::Ramp, Input::Arrives(Arrival::Early)) => Step::Reject,

        (Phase::Closed | Phase::Trial | Phase::Ramp, Input::Fails { tripped: true }) => {
            Step::Go(Phase::Open, Some(Transition::Opened))
        }
        (Phase::Trial, Input::Answers { passed: true, ramps: false }) => {
            Step::Go(Phase::Closed, Some(Transition::Closed))
        }
        (Phase::Trial, Input::Answers { passed: true, ramps: true }) => Step::Go(Phase::Ramp, None),

        (Phase::Closed | Phase::Trial | Phase::Ramp, _) => Step::Stay,
        // No permit exists in these generations, so the only input is `Arrives`.
        (Phase::Open, _) => Step::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, Input, Phase, Step, Transition, step};

    const PHASES: [Phase; 4] = [Phase::Closed, Phase::Open, Phase::Trial, Phase::Ramp];
    const INPUTS: [Input; 10] = [
        Input::Arrives(Arrival::Early),
        Input::Arrives(Arrival::Room),
        Input::Arrives(Arrival::Due),
        Input::Answers { passed: false, ramps: false },
        Input::Answers { passed: false, ramps: true },
        Input::Answers { passed: true, ramps: false },
        Input::Answers { passed: true, ramps: true },
        Input::Fails { tripped: false },
        Input::Fails { tripped: true },
        Input::Releases,
    ];

    #[test]
    fn these_are_all_the_edges() {
        use Arrival::Due;
        use Phase::{Closed, Open, Ramp, Trial};
        let mut edges: Vec<_> = Vec::new();
        for phase in PHASES {
            for input in INPUTS {
                if let Step::Go(next, transition) = step(phase, input) {
                    edges.push((phase, input, next, transition));
                }
            }
        }
        let (answers, ramps) =
            (Input::Answers { passed: true, ramps: false }, Input::Answers { passed: true, ramps: true });
        let trips = Input::Fails { tripped: true };
        assert_eq!(
            edges,
            [
                (Closed, trips, Open, Some(Transition::Opened)),
                (Open, Input::Arrives(Due), Trial, Some(Transition::HalfOpened)),
                (Trial, Input::Arrives(Due), Trial, None),
                (Trial, answers, Closed, Some(Transition::Closed)),
                (Trial, ramps, Ramp, None),
                (Trial, trips, Open, Some(Transition::Opened)),
                (Ramp, Input::Arrives(Due), Closed, Some(Transition::Closed)),
                (Ramp, trips, Open, Some(Transition::Opened)),
            ]
        );
    }

    #[test]
    fn these_are_all_the_rejections() {
        let rejects = |phase: Phase| INPUTS.into_iter().filter(move |input| step(phase, *input) == Step::Reject);
        let early = Input::Arrives(Arrival::Early);
        assert_eq!(rejects(Phase::Closed).count(), 0);
        assert_eq!(rejects(Phase::Open).collect::<Vec<_>>(), [early, Input::Arrives(Arrival::Room)]);
        assert_eq!(rejects(Phase::Trial).collect::<Vec<_>>(), [early]);
        assert_eq!(rejects(Phase::Ramp).collect::<Vec<_>>(), [early]);
    }
}
