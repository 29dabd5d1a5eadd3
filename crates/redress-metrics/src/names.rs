//! The names of the metrics, and recommended histogram buckets.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | [`EVENTS_TOTAL`] | counter | `event`, `class`, `cause`, `detail`, `stop_reason`, `breaker`, `policy`, `operation`; `error_type` with [`with_error_type()`](crate::MetricsObserverBuilder::with_error_type) |
//! | [`ATTEMPTS_TOTAL`] | counter | `policy`, `operation` |
//! | [`CALL_DURATION_SECONDS`] | histogram | `outcome`, `policy`, `operation` |
//! | [`RETRY_SLEEP_SECONDS`] | histogram | `class`, `policy`, `operation` |
//! | [`CIRCUIT_STATE`] | gauge | `breaker` |
//! | [`BUDGET_REMAINING`] | gauge | `budget` |
//!
//! Every series of a metric has all of its labels, because exporters expect one label set per name.
//! A label that does not apply is `none`.

use metrics::{Unit, with_recorder};
pub use redress_metric_sink::{CALL_DURATION_BUCKETS, RETRY_SLEEP_BUCKETS};
use redress_metric_sink::{Metric, MetricKind};

use crate::facade::key_name;

/// Counts every event that policies emit: failures by class and cause, retries, ends of calls,
/// breaker changes.
pub const EVENTS_TOTAL: &str = "redress_events_total";

/// Counts attempts started, first ones and retries: the load on the dependency.
pub const ATTEMPTS_TOTAL: &str = "redress_attempts_total";

/// Duration of calls in seconds, including waits. Its count is the number of calls. Calls that were
/// dropped or panicked are recorded as `cancelled`.
pub const CALL_DURATION_SECONDS: &str = "redress_call_duration_seconds";

/// Planned waits before retries, in seconds. Retries that a sleep handler deferred are not
/// recorded.
pub const RETRY_SLEEP_SECONDS: &str = "redress_retry_sleep_seconds";

/// The state of a breaker: 0 closed, 1 half-open, 2 open.
pub const CIRCUIT_STATE: &str = "redress_circuit_state";

/// The retries that a watched budget has left.
pub const BUDGET_REMAINING: &str = "redress_budget_remaining";

/// Describes the metrics and their units to the installed recorder.
///
/// Called by [`MetricsObserverBuilder::build`](crate::MetricsObserverBuilder::build). Call it again
/// if the recorder is installed after the observer is built.
pub fn describe() {
    Metric::ALL.iter().for_each(describe_one);
}

pub(crate) fn describe_one(metric: &Metric) {
    with_recorder(|recorder| {
        let (name, help) = (key_name(metric), metric.help.into());
        match metric.kind {
            MetricKind::Counter => recorder.describe_counter(name, Some(Unit::Count), help),
            MetricKind::Histogram => recorder.describe_histogram(name, Some(Unit::Seconds), help),
            MetricKind::Gauge => recorder.describe_gauge(name, Some(Unit::Count), help),
        }
    });
}
