//! The configuration of an observer. Every combination of settings is valid, so `build` cannot
//! fail.

use std::fmt;
use std::sync::Arc;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::metrics::Meter;
use opentelemetry::trace::{Span, SpanKind, Tracer};
use opentelemetry::{Context, InstrumentationScope};
use redress_core::{Budget, CircuitBreaker};

use crate::bounds::{Bounds, DEFAULT_LIMIT};
use crate::budgets::Budgets;
use crate::call_span::Spans;
use crate::circuits::Circuits;
use crate::instruments::Instruments;
use crate::observer::{Metrics, OtelObserver};

/// Builds an [`OtelObserver`]. Returned by [`OtelObserver::builder`].
///
/// ```
/// use redress::Policy;
/// use redress::observe::opentelemetry::OtelObserver;
///
/// let otel = OtelObserver::builder().attempt_spans(true).operations(["load_user"]).build();
/// let policy = Policy::builder().observer(otel).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// # Defaults
///
/// Tracer and meter of the global providers at the time of `build`, with the instrumentation scope
/// `redress`; spans and metrics enabled; attempts as events, without spans; the operation's name
/// among the attributes of metrics; no watched breakers or budgets; 100 values for each attribute
/// of metrics.
#[must_use = "a builder does nothing until `build` is called"]
pub struct OtelObserverBuilder {
    tracer: Option<BoxedTracer>,
    meter: Option<Meter>,
    spans: bool,
    attempt_spans: bool,
    attempt_kind: SpanKind,
    metrics: bool,
    operation_in_metrics: bool,
    operations: Vec<String>,
    value_limit: usize,
    watched: Vec<CircuitBreaker>,
    budgets: Vec<(String, Budget)>,
}

impl OtelObserverBuilder {
    pub(crate) fn new() -> Self {
        Self {
            tracer: None,
            meter: None,
            spans: true,
            attempt_spans: false,
            attempt_kind: SpanKind::Internal,
            metrics: true,
            operation_in_metrics: true,
            operations: Vec::new(),
            value_limit: DEFAULT_LIMIT,
            watched: Vec::new(),
            budgets: Vec::new(),
        }
    }

    /// Sets the tracer that starts the spans, from an SDK or custom. Default: the global
    /// provider's.
    pub fn tracer<T>(mut self, tracer: T) -> Self
    where
        T: Tracer<Span: Span + Send + Sync + 'static> + Send + Sync + 'static,
    {
        self.tracer = Some(BoxedTracer::new(Box::new(tracer)));
        self
    }

    /// Sets the meter that creates the instruments. Default: the global provider's.
    pub fn meter(mut self, meter: Meter) -> Self {
        self.meter = Some(meter);
        self
    }

    /// Sets whether calls have spans. Default: true.
    pub fn spans(mut self, spans: bool) -> Self {
        self.spans = spans;
        self
    }

    /// Sets whether each attempt also has a span, a child of the call's span and linked to the span
    /// of the previous attempt. Spans that the operation starts are then children of the attempt's
    /// span. Default: false; attempts are only events of the call's span.
    pub fn attempt_spans(mut self, attempt_spans: bool) -> Self {
        self.attempt_spans = attempt_spans;
        self
    }

    /// Sets the kind of the attempt spans, if [enabled](Self::attempt_spans). Default:
    /// [`Internal`](SpanKind::Internal), because an instrumented client below makes the client
    /// spans.
    ///
    /// Use [`Client`](SpanKind::Client) if there is no such client and the attempts themselves send
    /// their context: service maps are drawn from pairs of client and server spans.
    pub fn attempt_span_kind(mut self, kind: SpanKind) -> Self {
        self.attempt_kind = kind;
        self
    }

    /// Sets whether metrics are recorded. Default: true.
    pub fn metrics(mut self, metrics: bool) -> Self {
        self.metrics = metrics;
        self
    }

    /// Sets whether metrics have the attribute `operation`. Each name adds series, so turn it off
    /// if there are many names, such as paths with numbers in them. Spans always have the
    /// attribute. Default: true.
    pub fn operation_in_metrics(mut self, operation: bool) -> Self {
        self.operation_in_metrics = operation;
        self
    }

    /// Sets how many different operations, policies, breakers and details each become attributes of
    /// metrics. Later ones share the value `other`, as do names longer than 128 bytes. Operations
    /// that look like the path of one request (with a `/`, but neither `{` nor `:`) have a separate
    /// limit of half the size, rounded up. Spans are not limited. Default: 100.
    pub fn value_limit(mut self, values: usize) -> Self {
        self.value_limit = values;
        self
    }

    /// Reserves a place in metrics for each of these operations in addition to the
    /// [limit](Self::value_limit).
    pub fn operations(mut self, names: impl IntoIterator<Item: Into<String>>) -> Self {
        self.operations.extend(names.into_iter().map(Into::into));
        self
    }

    /// Watches a budget under this name as long as the observer lives.
    /// [`OtelObserver::watch_budget`] watches for a shorter time.
    pub fn watch_budget(mut self, name: impl Into<String>, budget: &Budget) -> Self {
        self.budgets.push((name.into(), budget.clone()));
        self
    }

    /// Watches a breaker as long as the observer lives: its state is read at each collection.
    /// [`OtelObserver::watch`] watches for a shorter time.
    pub fn watch(mut self, breaker: &CircuitBreaker) -> Self {
        self.watched.push(breaker.clone());
        self
    }

    /// Builds the observer.
    #[must_use]
    pub fn build(self) -> OtelObserver {
        let Self { tracer, meter, spans, attempt_spans, attempt_kind, metrics, operation_in_metrics, .. } = self;
        let spans = spans.then(|| tracer.or_else(global_tracer)).flatten();
        let metrics = metrics.then(|| {
            let meter = meter.unwrap_or_else(|| global::meter_with_scope(scope()));
            let (circuits, budgets) = (Arc::new(Circuits::default()), Arc::new(Budgets::default()));
            for breaker in &self.watched {
                circuits.keep(breaker);
            }
            for (name, budget) in &self.budgets {
                budgets.keep(name, budget);
            }
            let bounds = Bounds::new(self.value_limit, &self.operations);
            Metrics {
                instruments: Instruments::new(&meter, bounds, operation_in_metrics),
                _gauges: (circuits.gauge(&meter), budgets.gauge(&meter)),
                circuits,
                budgets,
                operation_in_metrics,
            }
        });
        let of_attempts = attempt_spans.then_some(attempt_kind);
        OtelObserver::from_parts(spans.map(|tracer| Spans::new(tracer, of_attempts)), metrics)
    }
}

impl fmt::Debug for OtelObserverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtelObserverBuilder")
            .field("spans", &self.spans)
            .field("attempt_spans", &self.attempt_spans)
            .field("metrics", &self.metrics)
            .field("operation_in_metrics", &self.operation_in_metrics)
            .finish_non_exhaustive()
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("redress").with_version(env!("CARGO_PKG_VERSION")).build()
}

/// Returns the global provider's tracer, or `None` if it is a no-op.
///
/// A tracer taken before a provider is set stays a no-op, and is recognised by its span, which has
/// the parent's span context. The probe span is started with telemetry suppressed, so that a real
/// tracer does not record it.
fn global_tracer() -> Option<BoxedTracer> {
    use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

    let tracer = global::tracer_with_scope(scope());
    let (trace_id, span_id) = (TraceId::from_bytes([1; 16]), SpanId::from_bytes([1; 8]));
    let parent = SpanContext::new(trace_id, span_id, TraceFlags::NOT_SAMPLED, true, TraceState::NONE);
    let context = Context::new().with_telemetry_suppressed().with_remote_span_context(parent.clone());
    let span = tracer.span_builder("redress.retry").start_with_context(&tracer, &context);
    let does_nothing = !span.is_recording() && *span.span_context() == parent;
    (!does_nothing).then_some(tracer)
}
