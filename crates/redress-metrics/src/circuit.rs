//! The gauge of one breaker, set from events or read from the breaker if it is watched.

use std::sync::{PoisonError, RwLock};

use metrics::{Key, KeyName, SharedString};
use redress_core::breaker::CircuitState;
use redress_core::{CircuitBreaker, Event, EventName};

use crate::labels;
use crate::series::set;

/// A breaker, identified by its name in events.
pub(crate) struct Circuit {
    pub(crate) name: SharedString,
    key: Option<Key>,
    watched: RwLock<Option<CircuitBreaker>>,
}

impl Circuit {
    pub(crate) fn new(gauge: Option<KeyName>, name: SharedString) -> Self {
        let key = gauge.map(|gauge| Key::from_parts(gauge, vec![labels::named(labels::BREAKER, name.clone())]));
        Self { name, key, watched: RwLock::default() }
    }

    /// Starts watching this breaker.
    pub(crate) fn watch(&self, breaker: CircuitBreaker) {
        *self.watched.write().unwrap_or_else(PoisonError::into_inner) = Some(breaker);
        self.refresh();
    }

    /// Updates the gauge after a change of state. A rejection changes no state and may be reported
    /// after a later change, so its state is ignored unless the breaker is watched and can be read.
    pub(crate) fn hear(&self, event: &Event<'_>) {
        if !self.refresh() && event.name != EventName::CircuitRejected {
            if let Some(state) = event.state {
                self.show(state);
            }
        }
    }

    /// Stops watching. The gauge becomes NaN until an event reports a change of state.
    pub(crate) fn unwatch(&self) {
        let watched = self.watched.write().unwrap_or_else(PoisonError::into_inner).take();
        if watched.is_some() {
            self.show_nothing();
        }
    }

    /// Shows the state of the watched breaker; returns `false` if there is none.
    pub(crate) fn refresh(&self) -> bool {
        // Two threads may write two states in the wrong order. Each reads the breaker again after
        // writing, until the state is stable, so the last write is the state at the last read. The
        // same holds if the breaker is unwatched meanwhile.
        let mut shown = None;
        loop {
            let watched = self.watched.read().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(breaker) = watched else {
                if shown.is_some() {
                    self.show_nothing();
                }
                return shown.is_some();
            };
            let state = breaker.state();
            if shown.replace(state) == Some(state) {
                return true;
            }
            self.show(state);
        }
    }

    fn show_nothing(&self) {
        if let Some(key) = &self.key {
            set(key, f64::NAN);
        }
    }

    fn show(&self, state: CircuitState) {
        if let (Some(key), Some(value)) = (&self.key, labels::state_value(state)) {
            set(key, value);
        }
    }
}
