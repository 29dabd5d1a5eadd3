//! The names of the metrics, what they mean, and buckets for them.
//!
//! Owns the public names and their descriptions. Does not know when anything is written: that is
//! `observer.rs`.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | [`EVENTS_TOTAL`] | counter | `event`, `class`, `cause`, `detail`, `stop_reason`, `operation`, `policy`, `breaker` |
//! | [`ATTEMPTS_TOTAL`] | counter | `operation`, `policy` |
//! | [`CALL_DURATION_SECONDS`] | histogram | `outcome`, `operation`, `policy` |
//! | [`RETRY_SLEEP_SECONDS`] | histogram | `class`, `operation`, `policy` |
//! | [`CIRCUIT_STATE`] | gauge | `breaker` |
//! | [`BUDGET_REMAINING`] | gauge | `budget` |
//!
//! Each metric always has all of its labels: what does not apply is `none`, since exporters expect
//! one set of labels a name.

use metrics::{KeyName, Recorder, Unit, with_recorder};

/// Events, one for each the policy emits: failures by class and cause, retries, how calls ended,
/// breaker changes.
pub const EVENTS_TOTAL: &str = "redress_events_total";

/// Attempts started: what the other side is sent. More than there are calls, by the retries.
pub const ATTEMPTS_TOTAL: &str = "redress_attempts_total";

/// How long calls took, attempts and waits together, in seconds. Its count is the number
/// of calls. Those that were dropped, or that a panic went through, are in it as `cancelled`.
pub const CALL_DURATION_SECONDS: &str = "redress_call_duration_seconds";

/// How long the waits before retries are, in seconds, as decided when they begin. Retries that a
/// sleep handler deferred have none.
pub const RETRY_SLEEP_SECONDS: &str = "redress_retry_sleep_seconds";

/// The state of a breaker: 0 closed, 1 half-open, 2 open.
pub const CIRCUIT_STATE: &str = "redress_circuit_state";

/// The retries that a watched budget has left.
pub const BUDGET_REMAINING: &str = "redress_budget_remaining";

/// Upper bounds of buckets, in seconds, that suit [`CALL_DURATION_SECONDS`]: fine where single
/// requests are, and up to a minute, which is a policy's default deadline.
pub const CALL_DURATION_BUCKETS: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Upper bounds of buckets, in seconds, that suit [`RETRY_SLEEP_SECONDS`]: around the strategies'
/// default base of a quarter of a second, and up to a minute.
pub const RETRY_SLEEP_BUCKETS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Tells the recorder what the metrics mean and what their units are.
///
/// Done by itself whenever an observer is built. Call it again if the recorder was installed only
/// after that.
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
