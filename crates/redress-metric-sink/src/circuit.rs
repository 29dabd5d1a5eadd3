//! One breaker: its series, and its gauge, set from events or read from the breaker if it is
//! watched.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use redress_core::breaker::{CircuitState, KeyedBreakers, WeakKeyedBreakers};
use redress_core::{CircuitBreaker, Event, EventName};

use crate::label;
use crate::series::{Series, SeriesOfBreaker, Writer};
use crate::sink::MetricSink;
use crate::value::LabelValue;

/// A breaker, identified by its name in events.
pub(crate) struct Circuit<S: MetricSink> {
    writer: Arc<Writer<S>>,
    name: LabelValue,
    gauge: Option<S::Series>,
    watched: RwLock<Watched>,
    is_shown: AtomicBool,
    series: SeriesOfBreaker<S>,
}

/// Where the gauge is read.
#[derive(Clone)]
enum Watched {
    /// Nowhere: it is set from events.
    Not,
    Alone(CircuitBreaker),
    /// By the name, which is the key.
    Keyed(WeakKeyedBreakers),
    /// The name was forgotten, and another [`Circuit`] may have it.
    Forgotten,
}

impl<S: MetricSink> Circuit<S> {
    pub(crate) fn new(writer: Arc<Writer<S>>, name: LabelValue) -> Self {
        let gauge = writer.settings.states.as_ref().map(|gauge| writer.series(gauge, |_| name.clone()));
        let (watched, series) = (RwLock::new(Watched::Not), SeriesOfBreaker::new());
        Self { writer, name, gauge, watched, is_shown: AtomicBool::new(false), series }
    }

    /// Returns the series for calls of this operation through this policy and breaker.
    pub(crate) fn series(&self, operation: &Arc<LabelValue>, policy: &Arc<LabelValue>) -> Arc<Series<S>> {
        self.series.get(&self.writer, operation, policy, &self.name)
    }

    /// Starts watching this breaker.
    pub(crate) fn watch(&self, breaker: CircuitBreaker) {
        self.set_watched(Watched::Alone(breaker));
        self.refresh();
    }

    /// Starts watching the breaker that has this name as its key.
    pub(crate) fn watch_keyed(&self, breakers: &KeyedBreakers) {
        self.set_watched(Watched::Keyed(breakers.downgrade()));
        self.refresh();
    }

    pub(crate) fn is_watched(&self) -> bool {
        !matches!(self.watched(), Watched::Not)
    }

    /// Updates the gauge after a change of state. A rejection changes no state and may be reported
    /// after a later change, so its state is ignored unless the breaker is watched and can be read.
    pub(crate) fn hear(&self, event: &Event<'_>) {
        let is_rejection = matches!(event.name, EventName::CircuitRejected | EventName::CircuitWouldReject);
        if !self.refresh() && !is_rejection {
            if let Some(state) = event.state {
                self.show(state);
                // It may have been forgotten since.
                if matches!(self.watched(), Watched::Forgotten) {
                    self.show_nothing();
                }
            }
        }
    }

    /// Stops watching. The gauge is cleared until an event reports a change of state.
    pub(crate) fn unwatch(&self) {
        if !matches!(self.set_watched(Watched::Not), Watched::Not) {
            self.show_nothing();
        }
    }

    /// Stops watching for good. The gauge is cleared.
    pub(crate) fn forget(&self) {
        self.set_watched(Watched::Forgotten);
        self.show_nothing();
    }

    /// Shows the state of the watched breaker; returns `false` if there is none.
    pub(crate) fn refresh(&self) -> bool {
        // Two threads may write two states in the wrong order. Each reads the breaker again after
        // writing, until the state is stable, so the last write is the state at the last read. The
        // same holds if the breaker is unwatched meanwhile.
        let mut shown = None;
        loop {
            let state = match self.watched() {
                Watched::Alone(breaker) => breaker.state(),
                Watched::Keyed(breakers) => {
                    match breakers.upgrade().and_then(|breakers| breakers.state(self.name.as_str())) {
                        Some(state) => state,
                        // Evicted. If the key gets another breaker, an event leads to that one.
                        None => {
                            self.unwatch();
                            return shown.is_some();
                        }
                    }
                }
                Watched::Not | Watched::Forgotten => {
                    if shown.is_some() {
                        self.show_nothing();
                    }
                    return shown.is_some();
                }
            };
            if shown.replace(state) == Some(state) {
                return true;
            }
            self.show(state);
        }
    }

    fn watched(&self) -> Watched {
        self.watched.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_watched(&self, watched: Watched) -> Watched {
        let mut place = self.watched.write().unwrap_or_else(PoisonError::into_inner);
        // Forgotten is for good.
        let watched = if matches!(*place, Watched::Forgotten) { Watched::Forgotten } else { watched };
        std::mem::replace(&mut *place, watched)
    }

    fn show_nothing(&self) {
        if let (Some(gauge), true) = (&self.gauge, self.is_shown.load(Ordering::Relaxed)) {
            self.writer.sink.clear(gauge);
        }
    }

    fn show(&self, state: CircuitState) {
        if let (Some(gauge), Some(value)) = (&self.gauge, label::state_value(state)) {
            self.is_shown.store(true, Ordering::Relaxed);
            self.writer.sink.set(gauge, value);
        }
    }
}
