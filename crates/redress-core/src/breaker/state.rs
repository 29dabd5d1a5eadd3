//! The breaker's state table: state and input in, next state and transition out.
//!
//! Owns every edge there is. Knows no time, no lock and no counting: "due" and "tripped" come in as
//! inputs.

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
    /// One call, the probe; the next one when it has ended or its lease is over.
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
    /// A call asks to be admitted; `due` if the wait of the phase is over: of `Open` the recovery
    /// time, of `Probing` the probe's lease.
    Arrives { due: bool },
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
/// - **Invariant C2**: a call enters `Probing` from `Open` or `HalfOpen`, or from `Probing` itself
///   when the probe's lease is over, which makes a new generation; so there is one current probe at
///   a time.
/// - **Invariant C3**: never wedged. Every input but `Arrives` leaves `Probing`, and an arrival
///   after the lease is admitted, however long the permit before it is kept. Without a lease this
///   holds for permits that end.
///
/// A probe that supersedes another makes no transition: the state stays half-open, which observers
/// have heard.
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
        // No permit exists in these generations, so nothing but a call can come in.
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
