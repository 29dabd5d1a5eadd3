//! The gauge of breaker states.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter, ObservableGauge};
use redress_core::breaker::{CircuitState, KeyedBreakers, WeakKeyedBreakers};
use redress_core::{CircuitBreaker, Event};

use crate::attributes::{BREAKER, CIRCUIT_STATE, OPERATION, text};

/// The most breakers to keep from events alone, so that unbounded operation names do not use
/// unbounded memory. Each has three series, and an SDK keeps 2000 by default.
const MAX_FROM_EVENTS: usize = 500;

/// The most keyed breakers to show. With those from events they stay below the 2000 series as well.
const MAX_KEYED: usize = 150;

const STATES: [CircuitState; 3] = [CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen];

/// The label of a breaker in the gauge: its name, or the operation of the event that reported it.
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

/// The breakers that are watched or known from events.
#[derive(Default)]
pub(crate) struct Circuits {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Read at each collection.
    watched: Vec<(u64, Label, CircuitBreaker)>,
    next_id: u64,
    /// Read at each collection. Weak, because keyed breakers keep policies alive, and these their
    /// observers.
    keyed: Vec<(u64, WeakKeyedBreakers)>,
    /// The state in the last event of each breaker, used for those that are not watched.
    from_events: HashMap<Label, CircuitState>,
}

impl Circuits {
    /// Creates the gauge that reads these breakers. The meter keeps the callback forever, so it
    /// holds only a weak reference.
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
        let keyed = self.keyed_states();
        let (watched, mut states) = {
            let known = self.known();
            let watched: Vec<_> =
                known.watched.iter().map(|(_, label, breaker)| (label.clone(), breaker.clone())).collect();
            let unwatched = known.from_events.iter().filter(|(label, _)| !watched.iter().any(|(of, _)| of == *label));
            let unwatched: Vec<_> = unwatched.map(|(label, state)| (label.clone(), *state)).collect();
            (watched, unwatched)
        };
        // Read without holding the lock, because a breaker may have a custom clock.
        states.extend(watched.into_iter().map(|(label, breaker)| (label, breaker.state())));
        states.extend(keyed);
        states
    }

    /// The states of keyed breakers: if there are too many, those that are not closed come first.
    fn keyed_states(&self) -> Vec<(Label, CircuitState)> {
        let mut states: Vec<_> = self.keyed().iter().flat_map(KeyedBreakers::states).collect();
        states.sort_by(|(one, one_state), (other, other_state)| {
            let closed = |state: &CircuitState| *state == CircuitState::Closed;
            closed(one_state).cmp(&closed(other_state)).then_with(|| one.cmp(other))
        });
        states.truncate(MAX_KEYED);
        states.into_iter().map(|(key, state)| (Label::Breaker((*key).to_owned()), state)).collect()
    }

    fn keyed(&self) -> Vec<KeyedBreakers> {
        self.known().keyed.iter().filter_map(|(_, breakers)| breakers.upgrade()).collect()
    }

    fn is_keyed(&self, breaker: Option<&str>) -> bool {
        breaker.is_some_and(|name| self.keyed().iter().any(|breakers| breakers.state(name).is_some()))
    }

    /// Updates the state of a breaker from an event. If `with_operation` is true, an unnamed
    /// breaker is labelled with the operation.
    pub(crate) fn on_event(&self, event: &Event<'_>, with_operation: bool) {
        let Some(state) = event.state else { return };
        if self.is_keyed(event.breaker.as_deref()) {
            return;
        }
        let label = match (event.breaker.as_deref(), event.operation.as_deref().filter(|_| with_operation)) {
            (Some(breaker), _) => Label::Breaker(breaker.to_owned()),
            (None, Some(operation)) => Label::Operation(operation.to_owned()),
            (None, None) => Label::Unnamed,
        };
        let mut known = self.known();
        if let Some(last) = known.from_events.get_mut(&label) {
            *last = state;
        } else if known.from_events.len() < MAX_FROM_EVENTS {
            known.from_events.insert(label, state);
        }
    }

    pub(crate) fn watch(self: &Arc<Self>, breaker: &CircuitBreaker) -> CircuitWatch {
        CircuitWatch { id: self.keep(breaker), circuits: Arc::downgrade(self) }
    }

    pub(crate) fn watch_keyed(self: &Arc<Self>, breakers: &KeyedBreakers) -> CircuitWatch {
        let mut known = self.known();
        let id = known.next_id;
        known.next_id += 1;
        known.keyed.push((id, breakers.downgrade()));
        drop(known);
        CircuitWatch { id, circuits: Arc::downgrade(self) }
    }

    /// Watches a breaker until this is dropped.
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

/// Keeps a breaker, or keyed breakers, in the gauge `redress.circuit.state` until dropped. Returned
/// by [`OtelObserver::watch`](crate::OtelObserver::watch) and
/// [`watch_keyed`](crate::OtelObserver::watch_keyed). Afterwards, the breaker is absent from the
/// gauge until a policy with the observer reports an event of it.
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
        known.keyed.retain(|(id, _)| *id != self.id);
        let index = known.watched.iter().position(|(id, _, _)| *id == self.id);
        let removed = index.map(|index| known.watched.remove(index));
        // Its last reported state would otherwise remain in the gauge, even if the breaker is no
        // longer used. If another watch remains, that one is read.
        if let Some((_, label, _)) = &removed {
            known.from_events.remove(label);
        }
        // Dropping a breaker may run a custom clock's destructor, so release the lock first.
        drop(known);
        drop(removed);
    }
}
