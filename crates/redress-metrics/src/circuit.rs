//! The gauge of one breaker.
//!
//! Owns what it shows and when. Changes no breaker; where it may look at one, it shows what it sees
//! rather than what it heard.

use std::sync::{PoisonError, RwLock};

use metrics::{Key, KeyName, SharedString};
use redress_core::breaker::CircuitState;
use redress_core::{CircuitBreaker, Event, EventName};

use crate::labels;
use crate::series::set;

/// A breaker as the events name it.
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

    /// Looks at this breaker from now on.
    pub(crate) fn watch(&self, breaker: CircuitBreaker) {
        *self.watched.write().unwrap_or_else(PoisonError::into_inner) = Some(breaker);
        self.refresh();
    }

    /// A change of state shows in the gauge. A rejection changes none, and as it may be told of
    /// after a change that came later, its state is only trusted to a breaker that can be looked
    /// at.
    pub(crate) fn hear(&self, event: &Event<'_>) {
        if !self.refresh() && event.name != EventName::CircuitRejected {
            if let Some(state) = event.state {
                self.show(state);
            }
        }
    }

    /// Looks at no breaker any more. What it showed is not known from then on, until an event says
    /// it.
    pub(crate) fn unwatch(&self) {
        let watched = self.watched.write().unwrap_or_else(PoisonError::into_inner).take();
        if watched.is_some() {
            self.show_nothing();
        }
    }

    /// Shows the state of the breaker that is watched; `false` if none is.
    pub(crate) fn refresh(&self) -> bool {
        // Two threads may show two states, and the older one last. Each looks again after it has
        // shown one, so the one that stays was the breaker's when the last of them looked; likewise
        // if the breaker is unwatched meanwhile.
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
