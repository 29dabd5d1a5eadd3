//! The observer, which passes calls and events on to spans and metrics.

use std::fmt;
use std::sync::Arc;

use opentelemetry::metrics::ObservableGauge;
use redress_core::breaker::KeyedBreakers;
use redress_core::observe::{CallObserver, CallStart};
use redress_core::{Budget, CircuitBreaker, Event, Observer};

use crate::budgets::{BudgetWatch, Budgets};
use crate::builder::OtelObserverBuilder;
use crate::call_span::Spans;
use crate::circuits::{CircuitWatch, Circuits};
use crate::instruments::Instruments;

/// Gives each call a span with an event for each attempt, and records metrics for retries,
/// durations, breaker states and budgets.
///
/// A handle: clones share everything, so one observer serves all policies. Build it once, because
/// an SDK keeps its instruments forever. Tracer and meter are taken when it is built: **set the
/// global providers before that**, or pass a tracer and a meter to the builder.
///
/// # Spans
///
/// A call's span starts with the call (for a future, at the first poll) as a child of the current
/// context's span, and ends with the call. It is current only while the operation runs; for a
/// future, during each poll of the operation. Calls that run concurrently on one task or thread
/// therefore have separate spans, and spans that an operation starts are children of its call. A
/// call whose future is dropped ends its span as `cancelled`, and one that panics as `panicked`.
///
/// # Cost
///
/// Without a provider, or with spans turned off, calls have no spans and allocate nothing for them.
/// A span that the tracer does not record gets no attributes. A measurement allocates nothing in
/// this crate once its names are known.
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use redress::{CircuitBreaker, Policy, Retry, fixed};
/// use redress::observe::opentelemetry::OtelObserver;
///
/// let breaker = CircuitBreaker::builder().name("users-db").build()?;
/// let otel = OtelObserver::builder().watch(&breaker).build();
/// let policy = Policy::builder()
///     .retry(Retry::builder().strategy(fixed(Duration::from_millis(1))))
///     .circuit_breaker(breaker)
///     .observer(otel.clone())
///     .build()?;
/// let user = policy.operation("load_user").call(|| Ok::<_, io::Error>(7)).unwrap();
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct OtelObserver {
    parts: Arc<Parts>,
}

struct Parts {
    spans: Option<Spans>,
    metrics: Option<Metrics>,
}

pub(crate) struct Metrics {
    pub(crate) instruments: Instruments,
    pub(crate) circuits: Arc<Circuits>,
    /// Kept because an implementation may drop gauges without a live handle.
    pub(crate) _gauges: (ObservableGauge<u64>, ObservableGauge<f64>),
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) operation_in_metrics: bool,
}

impl OtelObserver {
    /// Creates an observer with the [defaults](OtelObserverBuilder) and the global providers.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder with the defaults.
    pub fn builder() -> OtelObserverBuilder {
        OtelObserverBuilder::new()
    }

    pub(crate) fn from_parts(spans: Option<Spans>, metrics: Option<Metrics>) -> Self {
        Self { parts: Arc::new(Parts { spans, metrics }) }
    }

    /// Watches a breaker until the returned guard is dropped. Its state is read at each collection,
    /// so its series exist before the first event and are correct even if policies without this
    /// observer change the state.
    ///
    /// The series carries the breaker's [name](redress_core::breaker::CircuitBreakerBuilder::name).
    /// Unnamed breakers share one series, so name each breaker. Does nothing if metrics are turned
    /// off.
    ///
    /// ```
    /// use redress::CircuitBreaker;
    /// use redress::observe::opentelemetry::OtelObserver;
    ///
    /// let (otel, breaker) = (OtelObserver::new(), CircuitBreaker::builder().name("users-db").build()?);
    /// let watch = otel.watch(&breaker);
    /// # drop(watch);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn watch(&self, breaker: &CircuitBreaker) -> CircuitWatch {
        match &self.parts.metrics {
            Some(metrics) => metrics.circuits.watch(breaker),
            None => CircuitWatch::of_nothing(),
        }
    }

    /// Watches keyed breakers until the returned guard is dropped. Their states are read at each
    /// collection, so a breaker that is evicted is absent from the next one. At most 150 have
    /// series; of more, those that are not closed come first. Does not keep the breakers alive.
    /// Does nothing if metrics are turned off.
    ///
    /// ```
    /// use redress::observe::opentelemetry::OtelObserver;
    /// use redress::{CircuitBreaker, Policy};
    ///
    /// let otel = OtelObserver::new();
    /// let policy = Policy::builder().observer(otel.clone()).build()?;
    /// let hosts = policy.keyed(CircuitBreaker::builder().failure_threshold(5))?;
    /// let watch = otel.watch_keyed(hosts.breakers());
    /// # drop(watch);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn watch_keyed(&self, breakers: &KeyedBreakers) -> CircuitWatch {
        match &self.parts.metrics {
            Some(metrics) => metrics.circuits.watch_keyed(breakers),
            None => CircuitWatch::of_nothing(),
        }
    }

    /// Watches a budget until the returned guard is dropped. The retries it has left are read at
    /// each collection, in a series with this name; use a different name for each budget. Does
    /// nothing if metrics are turned off.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::Budget;
    /// use redress::observe::opentelemetry::OtelObserver;
    ///
    /// let (otel, budget) = (OtelObserver::new(), Budget::new(100, Duration::from_secs(60))?);
    /// let watch = otel.watch_budget("process", &budget);
    /// # drop(watch);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn watch_budget(&self, name: &str, budget: &Budget) -> BudgetWatch {
        match &self.parts.metrics {
            Some(metrics) => metrics.budgets.watch(name, budget),
            None => BudgetWatch::of_nothing(),
        }
    }
}

impl Default for OtelObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for OtelObserver {
    fn on_event(&self, event: &Event<'_>) {
        if let Some(metrics) = &self.parts.metrics {
            metrics.instruments.on_event(event);
            metrics.circuits.on_event(event, metrics.operation_in_metrics);
        }
    }

    fn on_call_start(&self, call: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        let span = self.parts.spans.as_ref()?.begin(call)?;
        Some(Box::new(span))
    }
}

impl fmt::Debug for OtelObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtelObserver")
            .field("spans", &self.parts.spans.is_some())
            .field("metrics", &self.parts.metrics.is_some())
            .finish_non_exhaustive()
    }
}
