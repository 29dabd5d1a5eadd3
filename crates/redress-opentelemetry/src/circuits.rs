//! The states of breakers as a gauge.
//!
//! Owns which breakers are known, how their series are called, and for how long. Does not know
//! calls or spans.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter, ObservableGauge};
use redress_core::breaker::CircuitState;
use redress_core::{CircuitBreaker, Event};

use crate::attributes::{BREAKER, CIRCUIT_STATE, OPERATION, text};

/// How many breakers are known from events alone, so that operations with endless names cost no
/// endless memory. Three series each, and an SDK keeps 2000 unless told otherwise.
const MAX_HEARD_OF: usize = 500;

const STATES: [CircuitState; 3] = [CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen];

/// What a breaker is called in the gauge: its own name, or that of the operation it was heard of
/// in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Label {
    Breaker(String),
    Operation(String),
    Unnamed,
}

impl Label {
    fn attribute(&self) -> Option<KeyValue> {
        match self {
            Self::Breaker(name) => Some(text(BREAKER, name)),
            Self::Operation(name) => Some(text(OPERATION, name)),
            Self::Unnamed => None,
        }
    }
}

/// The breakers that are watched or were heard of.
#[derive(Default)]
pub(crate) struct Circuits {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Asked at each collection.
    watched: Vec<(u64, Label, CircuitBreaker)>,
    next_id: u64,
    /// The state that the last event told, of breakers nobody watches.
    heard_of: HashMap<Label, CircuitState>,
}

impl Circuits {
    /// The gauge that reads these. Its callback stays with the meter for good, so it holds on to
    /// nothing.
    pub(crate) fn gauge(self: &Arc<Self>, meter: &Meter) -> ObservableGauge<u64> {
        let circuits = Arc::downgrade(self);
        meter
            .u64_observable_gauge("redress.circuit.state")
            .with_unit("{circuit}")
            .with_description("1 for the state that the circuit breaker is in, 0 for the others.")
            .with_callback(move |gauge| {
                if let Some(circuits) = circuits.upgrade() {
                    circuits.observe(gauge);
                }
            })
            .build()
    }

    fn observe(&self, gauge: &dyn AsyncInstrument<u64>) {
        for (label, state) in self.states() {
            for each in STATES {
                let state_of = KeyValue::new(CIRCUIT_STATE, each.as_str());
                let value = u64::from(each == state);
                match label.attribute() {
                    Some(name) => gauge.observe(value, &[name, state_of]),
                    None => gauge.observe(value, &[state_of]),
                }
            }
        }
    }

    fn states(&self) -> Vec<(Label, CircuitState)> {
        let (watched, mut states) = {
            let known = self.known();
            let watched: Vec<_> =
                known.watched.iter().map(|(_, label, breaker)| (label.clone(), breaker.clone())).collect();
            let heard = known.heard_of.iter().filter(|(label, _)| !watched.iter().any(|(of, _)| of == *label));
            let heard: Vec<_> = heard.map(|(label, state)| (label.clone(), *state)).collect();
            (watched, heard)
        };
        // Asked without the lock: a breaker may have a clock of the caller's.
        states.extend(watched.into_iter().map(|(label, breaker)| (label, breaker.state())));
        states
    }

    /// Hears of a breaker's event. `with_operation`: whether an operation may name a breaker that
    /// has no name.
    pub(crate) fn on_event(&self, event: &Event<'_>, with_operation: bool) {
        let Some(state) = event.state else { return };
        let label = match (event.breaker.as_deref(), event.operation.as_deref().filter(|_| with_operation)) {
            (Some(breaker), _) => Label::Breaker(breaker.to_owned()),
            (None, Some(operation)) => Label::Operation(operation.to_owned()),
            (None, None) => Label::Unnamed,
        };
        let mut known = self.known();
        if let Some(last) = known.heard_of.get_mut(&label) {
            *last = state;
        } else if known.heard_of.len() < MAX_HEARD_OF {
            known.heard_of.insert(label, state);
        }
    }

    pub(crate) fn watch(self: &Arc<Self>, breaker: &CircuitBreaker) -> CircuitWatch {
        CircuitWatch { id: self.keep(breaker), circuits: Arc::downgrade(self) }
    }

    /// Watches a breaker for as long as this lives.
    pub(crate) fn keep(&self, breaker: &CircuitBreaker) -> u64 {
        let label = breaker.name().map_or(Label::Unnamed, |name| Label::Breaker(name.to_owned()));
        let mut known = self.known();
        let id = known.next_id;
        known.next_id += 1;
        known.watched.push((id, label, breaker.clone()));
        id
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Each change is one insertion or removal, so a panic leaves nothing half done.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A breaker's place in the gauge `redress.circuit.state`, see
/// [`OtelObserver::watch`](crate::OtelObserver::watch). Dropped, the breaker is not asked any more,
/// and leaves the gauge until a policy with the observer tells of it.
#[derive(Debug)]
#[must_use = "a breaker is watched until this is dropped"]
pub struct CircuitWatch {
    circuits: Weak<Circuits>,
    id: u64,
}

impl CircuitWatch {
    pub(crate) const fn of_nothing() -> Self {
        Self { circuits: Weak::new(), id: 0 }
    }
}

impl Drop for CircuitWatch {
    fn drop(&mut self) {
        let Some(circuits) = self.circuits.upgrade() else { return };
        let mut known = circuits.known();
        let index = known.watched.iter().position(|(id, _, _)| *id == self.id);
        let removed = index.map(|index| known.watched.remove(index));
        // What was heard of it would stand for good, also if it is used no more. While another
        // watches it, that one is asked.
        if let Some((_, label, _)) = &removed {
            known.heard_of.remove(label);
        }
        // A breaker's destructor may be the caller's clock's: it runs without the lock.
        drop(known);
        drop(removed);
    }
}
