//! The names of the metrics, their descriptions, and recommended histogram buckets.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | [`EVENTS_TOTAL`] | counter | `event`, `class`, `cause`, `detail`, `stop_reason`, `operation`, `policy`, `breaker`; `error_type` with [`with_error_type()`](crate::MetricsObserverBuilder::with_error_type) |
//! | [`ATTEMPTS_TOTAL`] | counter | `operation`, `policy` |
//! | [`CALL_DURATION_SECONDS`] | histogram | `outcome`, `operation`, `policy` |
//! | [`RETRY_SLEEP_SECONDS`] | histogram | `class`, `operation`, `policy` |
//! | [`CIRCUIT_STATE`] | gauge | `breaker` |
//! | [`BUDGET_REMAINING`] | gauge | `budget` |
//!
//! Every series of a metric has all of its labels, because exporters expect one label set per name.
//! A label that does not apply is `none`.

use metrics::{KeyName, Recorder, Unit, with_recorder};

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

/// Recommended bucket bounds for [`CALL_DURATION_SECONDS`], in seconds: fine around single
/// requests, and up to a minute, the default deadline of a policy.
pub const CALL_DURATION_BUCKETS: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Recommended bucket bounds for [`RETRY_SLEEP_SECONDS`], in seconds: around the default base of
/// the strategies, a quarter of a second, and up to a minute.
pub const RETRY_SLEEP_BUCKETS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Describes the metrics and their units to the installed recorder.
///
/// Called by [`MetricsObserverBuilder::build`](crate::MetricsObserverBuilder::build). Call it again
/// if the recorder is installed after the observer is built.
pub fn describe() {
    with_recorder(|recorder| {
        describe_events(recorder, KeyName::from_const_str(EVENTS_TOTAL));
        describe_sleep(recorder, KeyName::from_const_str(RETRY_SLEEP_SECONDS));
        recorder.describe_counter(
            KeyName::from_const_str(ATTEMPTS_TOTAL),
            Some(Unit::Count),
            "Attempts started by redress policies, first ones and retries.".into(),
        );
        recorder.describe_histogram(
            KeyName::from_const_str(CALL_DURATION_SECONDS),
            Some(Unit::Seconds),
            "Time that calls through redress policies took, attempts and waits together.".into(),
        );
        recorder.describe_gauge(
            KeyName::from_const_str(CIRCUIT_STATE),
            Some(Unit::Count),
            "State of the circuit breaker: 0 closed, 1 half-open, 2 open.".into(),
        );
        recorder.describe_gauge(
            KeyName::from_const_str(BUDGET_REMAINING),
            Some(Unit::Count),
            "Retries that the budget has left.".into(),
        );
    });
}

pub(crate) fn describe_events(recorder: &dyn Recorder, name: KeyName) {
    recorder.describe_counter(name, Some(Unit::Count), "Events of redress policies and circuit breakers.".into());
}

pub(crate) fn describe_sleep(recorder: &dyn Recorder, name: KeyName) {
    recorder.describe_histogram(name, Some(Unit::Seconds), "Waits before retries, as decided.".into());
}
