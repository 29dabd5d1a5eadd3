//! [`MetricObserver`], which maps events and attempts to metrics.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use redress_core::breaker::{KeyedBreakers, WeakKeyedBreakers};
use redress_core::observe::AttemptContext;
use redress_core::{Budget, CircuitBreaker, Event, Observer};

use crate::budgets::Budgets;
use crate::circuit::Circuit;
use crate::limited_names::LimitedNames;
use crate::limited_operations::LimitedOperations;
use crate::series::{Series, Writer};
use crate::settings::Settings;
use crate::sink::MetricSink;
use crate::value::LabelValue;

/// Writes a policy's events to a [`MetricSink`], as the [metrics](crate::Metric) of redress. The
/// observers for metrics libraries are this one with a sink each.
///
/// A handle: clones share one observer. Use clones of one observer for all policies, because the
/// limits on names apply to each observer separately.
pub struct MetricObserver<S: MetricSink> {
    shared: Arc<Shared<S>>,
}

struct Shared<S: MetricSink> {
    writer: Arc<Writer<S>>,
    operations: LimitedOperations<LabelValue>,
    policies: LimitedNames<LabelValue>,
    circuits: LimitedNames<Circuit<S>>,
    /// Weak, because keyed breakers keep policies alive, and these their observers.
    keyed: RwLock<Vec<WeakKeyedBreakers>>,
    details: LimitedNames<LabelValue>,
    budgets: Budgets<S>,
}

impl<S: MetricSink> Shared<S> {
    fn series(&self, operation: Option<&str>, policy: Option<&str>, breaker: &Circuit<S>) -> Arc<Series<S>> {
        breaker.series(&self.operations.get(operation), &self.policies.get(policy))
    }

    /// Watches the breaker of this key, if its name is within the limit.
    fn watch_key(&self, breakers: &KeyedBreakers, key: &str) {
        let circuit = self.circuits.get(Some(key));
        if !self.circuits.is_other(&circuit) && !circuit.is_watched() {
            circuit.watch_keyed(breakers);
        }
    }

    /// Finds the keyed breaker that an event is about, if it is one, and watches it.
    fn find_keyed(&self, breaker: Option<&str>) {
        let Some(name) = breaker else { return };
        let sets = self.keyed.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut sets = sets.iter().filter_map(WeakKeyedBreakers::upgrade);
        if let Some(breakers) = sets.find(|breakers| breakers.state(name).is_some()) {
            self.watch_key(&breakers, name);
        }
    }

    fn series_of(&self, attempt: &AttemptContext<'_>) -> Arc<Series<S>> {
        let breaker = self.circuits.get(attempt.breaker.as_deref());
        self.series(attempt.operation.as_deref(), attempt.policy.as_deref(), &breaker)
    }
}

impl<S: MetricSink> MetricObserver<S> {
    /// Creates an observer that writes to `sink`.
    #[must_use]
    pub fn new(sink: S, settings: Settings) -> Self {
        // Without the label, all operations share one series, so none needs a place.
        let declared: &[String] = if settings.operation { &settings.operations } else { &[] };
        let limit = if settings.operation { settings.operation_limit } else { 0 };
        let operations = LimitedOperations::new(limit, declared, |name| name);
        let policies = LimitedNames::new(settings.policy_limit, |name| name);
        let details = LimitedNames::new(settings.detail_limit, |detail| detail);
        let breakers = settings.breaker_limit;
        let writer = Arc::new(Writer { sink, settings });
        let of_circuits = Arc::clone(&writer);
        Self {
            shared: Arc::new(Shared {
                operations,
                policies,
                circuits: LimitedNames::new(breakers, move |name| Circuit::new(Arc::clone(&of_circuits), name)),
                keyed: RwLock::default(),
                details,
                budgets: Budgets::new(Arc::clone(&writer)),
                writer,
            }),
        }
    }

    /// The sink.
    #[must_use]
    pub fn sink(&self) -> &S {
        &self.shared.writer.sink
    }

    /// Shows a breaker's state from now on, read from the breaker instead of from events.
    ///
    /// An unwatched breaker has a gauge after its first change of state. A watched one has it at
    /// once, and the gauge is correct even if threads report changes out of order. Reads are
    /// triggered by events of policies with this observer; for a breaker that is also used
    /// directly, call [`refresh`](Self::refresh).
    ///
    /// The observer keeps the breaker alive until it is [unwatched](Self::unwatch). Watching
    /// another breaker of the same name replaces it.
    pub fn watch(&self, breaker: &CircuitBreaker) {
        self.shared.circuits.get_always(breaker.name()).watch(breaker.clone());
    }

    /// Shows the states of keyed breakers, each under its key.
    ///
    /// A key has a gauge if it has a breaker now, and otherwise after its first change of state. At
    /// most as many names as the limit have one. When a breaker is evicted, its gauge is cleared.
    /// Its name keeps its place within the limit, so that keys which come and go cannot add series
    /// for ever.
    ///
    /// The observer does not keep the breakers alive.
    pub fn watch_keyed(&self, breakers: &KeyedBreakers) {
        let shared = Arc::downgrade(&self.shared);
        breakers.on_evicted(move |key| {
            if let Some(circuit) = shared.upgrade().and_then(|shared| shared.circuits.known(key)) {
                circuit.refresh();
            }
        });
        self.shared.keyed.write().unwrap_or_else(PoisonError::into_inner).push(breakers.downgrade());
        for (key, _) in breakers.states() {
            self.shared.watch_key(breakers, &key);
        }
    }

    /// Stops watching the breaker of this [name](CircuitBreaker::name), releases it, clears its
    /// gauge, and forgets the name, whose place within the limit is free then. Use it for a breaker
    /// that is no longer used, such as that of a removed host. An empty name stands for the unnamed
    /// breaker. Does nothing if the name is not known.
    pub fn unwatch(&self, name: &str) {
        match self.shared.circuits.forget(name) {
            Some(circuit) if name.is_empty() => circuit.unwatch(),
            Some(circuit) => circuit.forget(),
            None => {}
        }
    }

    /// Shows the retries a budget has left under this name, until it is
    /// [unwatched](Self::unwatch_budget). Watching another budget under the same name replaces it.
    ///
    /// The gauge is written at each retry, and at each event until the budget is full again. Tokens
    /// return with time, so call [`refresh`](Self::refresh) before scrapes if calls are rare.
    pub fn watch_budget(&self, name: impl Into<Arc<str>>, budget: &Budget) {
        self.shared.budgets.watch(name.into(), budget.clone());
    }

    /// Stops watching the budget of this name, releases it, and clears its gauge.
    pub fn unwatch_budget(&self, name: &str) {
        self.shared.budgets.unwatch(name);
    }

    /// Writes the gauges of all watched breakers and budgets. Call it periodically if an exporter
    /// drops idle series, or for breakers and budgets that are used without a policy.
    pub fn refresh(&self) {
        self.shared.budgets.refresh();
        for circuit in self.shared.circuits.all() {
            circuit.refresh();
        }
    }
}

impl<S: MetricSink> Observer for MetricObserver<S> {
    fn on_event(&self, event: &Event<'_>) {
        let circuits = &self.shared.circuits;
        let circuit = circuits.get(event.breaker.as_deref());
        let series = self.shared.series(event.operation.as_deref(), event.policy.as_deref(), &circuit);
        series.count_event(event, &self.shared.details);
        self.shared.budgets.hear(event);
        if event.state.is_some() && !circuits.is_other(&circuit) {
            if !circuit.is_watched() {
                self.shared.find_keyed(event.breaker.as_deref());
            }
            circuit.hear(event);
        }
        series.record_duration(event);
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.shared.series_of(attempt).count_attempt();
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        if attempt.delay.is_some() {
            self.shared.series_of(attempt).record_sleep(attempt);
        }
    }
}

impl<S: MetricSink> Clone for MetricObserver<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: MetricSink> fmt::Debug for MetricObserver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricObserver").finish_non_exhaustive()
    }
}
