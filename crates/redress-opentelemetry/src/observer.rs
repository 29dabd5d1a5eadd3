//! The observer: one for many policies and calls.
//!
//! Owns what is shared by calls, and hands each event on to the part it is for. Keeps nothing of a
//! call: that is `call_span.rs`.

use std::fmt;
use std::sync::Arc;

use opentelemetry::metrics::ObservableGauge;
use redress_core::observe::{CallObserver, CallStart};
use redress_core::{Budget, CircuitBreaker, Event, Observer};

use crate::budgets::{BudgetWatch, Budgets};
use crate::builder::OtelObserverBuilder;
use crate::call_span::Spans;
use crate::circuits::{CircuitWatch, Circuits};
use crate::instruments::Instruments;

/// Gives each call a span, with an event for each attempt, and keeps retries, durations, breaker
/// states and what budgets have left in metrics.
///
/// A handle: clones share everything, so one observer serves all policies. Build it once, since an
/// SDK keeps its instruments for good. Tracer and meter are taken when it is built; **set the
/// global providers before that**, or hand a tracer and a meter in.
///
/// # Spans
///
/// A call's span begins with the call, as a child of the context that is current then (of a future:
/// when it is first polled), and ends with it. While the operation runs, a future poll by poll, the
/// span is current; between, and after the call, the context is what it was. So calls that run at
/// the same time on one task or thread have each their own span, and what an operation starts is a
/// child of its own call. A call whose future is dropped ends its span as `cancelled`; one that a
/// panic goes through, as `panicked`.
///
/// # Cost
///
/// Without a provider, or with spans turned off, calls have no spans and nothing is allocated for
/// them. What a tracer does not record costs no attributes. A measurement allocates nothing on this
/// side of the SDK once its names are known.
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
    /// Kept in case an implementation takes gauges without a handle for ones that are no longer
    /// wanted.
    pub(crate) _gauges: [ObservableGauge<u64>; 2],
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) operation_in_metrics: bool,
}

impl OtelObserver {
    /// An observer with the [defaults](OtelObserverBuilder), on the global providers.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A builder with the defaults.
    pub fn builder() -> OtelObserverBuilder {
        OtelObserverBuilder::new()
    }

    pub(crate) fn from_parts(spans: Option<Spans>, metrics: Option<Metrics>) -> Self {
        Self { parts: Arc::new(Parts { spans, metrics }) }
    }

    /// Watches a breaker until the answer is dropped: its state is read at each collection, so that
    /// it shows before anything has happened to it, and is right whoever changes it.
    ///
    /// Its series is named by the breaker's
    /// [name](redress_core::breaker::CircuitBreakerBuilder::name); breakers without one share a
    /// series, so give each its own. Without metrics nothing is watched.
    pub fn watch(&self, breaker: &CircuitBreaker) -> CircuitWatch {
        match &self.parts.metrics {
            Some(metrics) => metrics.circuits.watch(breaker),
            None => CircuitWatch::of_nothing(),
        }
    }

    /// Watches a budget until the answer is dropped: what it has left is read at each collection,
    /// in a series that is named so. Give each its own name. Without metrics nothing is watched.
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
