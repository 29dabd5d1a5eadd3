//! The breaker's state table: state and input in, next state and transition out.
//!
//! Owns every edge there is. Knows no time, no lock and no counting: "recovered" and "tripped" come in as inputs.

use std::fmt;

use crate::closed_set::closed_set;
use crate::outcome::event::EventName;

/// What a breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// Every call.
    Closed,
    /// No call, until the recovery time has passed.
    Open,
    /// One call at a time, the probe.
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

/// A change of state that observers hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transition {
    /// To open.
    Opened,
    /// To half-open: the recovery time has passed and a call came to be the probe.
    HalfOpened,
    /// To closed.
    Closed,
}

impl Transition {
    /// The state after it.
    #[must_use]
    pub const fn state(self) -> CircuitState {
        match self {
            Self::Opened => CircuitState::Open,
            Self::HalfOpened => CircuitState::HalfOpen,
            Self::Closed => CircuitState::Closed,
        }
    }

    /// Its event.
    #[must_use]
    pub const fn event(self) -> EventName {
        match self {
            Self::Opened => EventName::CircuitOpened,
            Self::HalfOpened => EventName::CircuitHalfOpen,
            Self::Closed => EventName::CircuitClosed,
        }
    }
}

/// [`CircuitState`] as the cell keeps it: half-open is free or taken.
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

/// What can happen to a breaker. All but `Arrives` come from a permit of the current generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A call asks to be admitted.
    Arrives { recovered: bool },
    /// An admitted call succeeded.
    Succeeds,
    /// An admitted call failed in a class that trips; `tripped` if that fills its window.
    Fails { tripped: bool },
    /// An admitted call failed in a class that does not trip: the dependency answered.
    Answers,
    /// An admitted call ended without a result: dropped, panicked or aborted.
    Releases,
}

/// What the table answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing changes; a call that arrives is let through.
    Stay,
    /// A call that arrives is turned away, and nothing changes.
    Reject,
    /// The next phase, and what observers hear.
    Go(Phase, Option<Transition>),
}

/// The table.
///
/// - **Invariant C1**: these are all the edges.
/// - **Invariant C2**: `Probing` is entered only from `Open` and `HalfOpen`, never from itself, so there is one probe at a
///   time.
/// - **Invariant C3**: every input but `Arrives` leaves `Probing`, so a permit that is reported or dropped cannot wedge the
///   breaker.
pub(crate) const fn step(phase: Phase, input: Input) -> Step {
    match (phase, input) {
        (Phase::Open, Input::Arrives { recovered: true }) => Step::Go(Phase::Probing, Some(Transition::HalfOpened)),
        (Phase::HalfOpen, Input::Arrives { .. }) => Step::Go(Phase::Probing, None),
        (Phase::Open | Phase::Probing, Input::Arrives { .. }) => Step::Reject,

        (Phase::Closed, Input::Fails { tripped: true }) | (Phase::Probing, Input::Fails { .. }) => {
            Step::Go(Phase::Open, Some(Transition::Opened))
        }
        (Phase::Probing, Input::Succeeds | Input::Answers) => Step::Go(Phase::Closed, Some(Transition::Closed)),
        (Phase::Probing, Input::Releases) => Step::Go(Phase::HalfOpen, None),

        (Phase::Closed, _) => Step::Stay,
        // No permit exists in these generations, so nothing but a call can come in.
        (Phase::Open | Phase::HalfOpen, _) => Step::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::{Input, Phase, Step, Transition, step};

    const PHASES: [Phase; 4] = [Phase::Closed, Phase::Open, Phase::HalfOpen, Phase::Probing];
    const INPUTS: [Input; 7] = [
        Input::Arrives { recovered: false },
        Input::Arrives { recovered: true },
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
            assert!(matches!(step(Phase::Probing, *input), Step::Go(..)), "{input:?}");
        }
        for input in &INPUTS[..2] {
            assert_eq!(step(Phase::Probing, *input), Step::Reject);
        }
    }
}
