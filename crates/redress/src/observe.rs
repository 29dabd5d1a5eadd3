//! What calls report: events, attempts, timelines and outcomes, and the observers for metrics,
//! spans and logs, each behind a feature of the same name.

#[doc(inline)]
pub use redress_core::observe::{
    AttemptContext, AttemptDecision, CallObserver, CallOutcome, CallStart, Change, DeadlineOf, Decision, Event,
    EventName, Explanation, Gate, NewValue, Observer, OutcomeSummary, Quantity, Readable, RetryOutcome, RetryTimeline,
    StopReason, TimelineEvent,
};
#[cfg(feature = "datadog")]
#[doc(inline)]
pub use redress_datadog as datadog;
#[cfg(feature = "journal")]
#[doc(inline)]
pub use redress_journal as journal;
#[cfg(feature = "metric-sink")]
#[doc(inline)]
pub use redress_metric_sink as metric_sink;
#[cfg(feature = "metrics")]
#[doc(inline)]
pub use redress_metrics as metrics;
#[cfg(feature = "opentelemetry")]
#[doc(inline)]
pub use redress_opentelemetry as opentelemetry;
#[cfg(feature = "prometheus")]
#[doc(inline)]
pub use redress_prometheus as prometheus;
#[cfg(feature = "sentry")]
#[doc(inline)]
pub use redress_sentry as sentry;
#[cfg(feature = "tracing")]
#[doc(inline)]
pub use redress_tracing as tracing;
