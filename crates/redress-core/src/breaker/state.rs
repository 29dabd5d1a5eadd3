//! The breaker's states and its state table, a pure function. Time and counting come in as inputs
//! ("due" and "tripped").

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
    /// Admits one call, the probe, and the next one when that has ended or its lease is over.
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
    /// The circuit closed: a probe succeeded, or failed in a class that does not trip.
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

/// [`CircuitState`], with half-open split by whether a probe is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Closed,
    Open,
    HalfOpen,
    Probing,
}

impl Phase {
    pub(crate) const fn state(self) -> CircuitState {
        match self {
            Self::Closed => CircuitState::Closed,
            Self::Open => CircuitState::Open,
            Self::HalfOpen | Self::Probing => CircuitState::HalfOpen,
        }
    }
}

/// An input of the state table. All but `Arrives` come from a permit of the current generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A call arrives. `due` if the wait of the phase is over: the recovery time in `Open`, the
    /// probe's lease in `Probing`.
    Arrives { due: bool },
    /// An admitted call succeeded.
    Succeeds,
    /// An admitted call failed in a class that trips; `tripped` if that fills its window.
    Fails { tripped: bool },
    /// An admitted call failed in a class that does not trip: the dependency responded.
    Answers,
    /// An admitted call ended without a result: dropped, panicked or aborted.
    Releases,
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
/// - **Invariant C2**: a call enters `Probing` from `Open` or `HalfOpen`, or from `Probing` itself
///   when the probe's lease is over, which starts a new generation. So there is at most one current
///   probe.
/// - **Invariant C3**: the circuit never gets stuck. Every input but `Arrives` leaves `Probing`,
///   and an arrival after the lease is admitted even if the previous permit is kept forever.
///   Without a lease this holds for permits that end.
///
/// A probe that supersedes another causes no transition, because the state stays half-open.
pub(crate) const fn step(phase: Phase, input: Input) -> Step {
    match (phase, input) {
        (Phase::Open, Input::Arrives { due: true }) => Step::Go(Phase::Probing, Some(Transition::HalfOpened)),
        (Phase::HalfOpen, Input::Arrives { .. }) | (Phase::Probing, Input::Arrives { due: true }) => {
            Step::Go(Phase::Probing, None)
        }
        (Phase::Open | Phase::Probing, Input::Arrives { .. }) => Step::Reject,

        (Phase::Closed, Input::Fails { tripped: true }) | (Phase::Probing, Input::Fails { .. }) => {
            Step::Go(Phase::Open, Some(Transition::Opened))
        }
        (Phase::Probing, Input::Succeeds | Input::Answers) => Step::Go(Phase::Closed, Some(Transition::Closed)),
        (Phase::Probing, Input::Releases) => Step::Go(Phase::HalfOpen, None),

        (Phase::Closed, _) => Step::Stay,
        // No permit exists in these generations, so the only input is `Arrives`.
        (Phase::Open | Phase::HalfOpen, _) => Step::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::{Input, Phase, Step, Transition, step};

    const PHASES: [Phase; 4] = [Phase::Closed, Phase::Open, Phase::HalfOpen, Phase::Probing];
    const INPUTS: [Input; 7] = [
        Input::Arrives { due: false },
        Input::Arrives { due: true },
        Input::Succeeds,
        Input::Fails { tripped: false },
        Input::Fails { tripped: true },
        Input::Answers,
        Input::Releases,
    ];

    #[test]
    fn these_are_all_the_edges() {
        use Phase::{Closed, HalfOpen, Open, Probing};
        let mut edges: Vec<_> = Vec::new();
        for phase in PHASES {
            for input in INPUTS {
                if let Step::Go(next, transition) = step(phase, input) {
                    edges.push((phase, next, transition));
                }
            }
        }
        edges.dedup();
        assert_eq!(
            edges,
            [
                (Closed, Open, Some(Transition::Opened)),
                (Open, Probing, Some(Transition::HalfOpened)),
                (HalfOpen, Probing, None),
                (Probing, Probing, None),
                (Probing, Closed, Some(Transition::Closed)),
                (Probing, Open, Some(Transition::Opened)),
                (Probing, Closed, Some(Transition::Closed)),
                (Probing, HalfOpen, None),
            ]
        );
    }

    #[test]
    fn a_permit_that_ends_always_leaves_probing() {
        for input in &INPUTS[2..] {
            let step = step(Phase::Probing, *input);
            assert!(matches!(step, Step::Go(next, _) if next != Phase::Probing), "{input:?}: {step:?}");
        }
    }

    #[test]
    fn a_call_takes_the_place_of_a_probe_only_when_that_is_due() {
        assert_eq!(step(Phase::Probing, Input::Arrives { due: false }), Step::Reject);
        assert_eq!(step(Phase::Probing, Input::Arrives { due: true }), Step::Go(Phase::Probing, None));
    }
}
