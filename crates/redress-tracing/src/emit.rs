//! The callsites: one for each target and level, since `tracing` fixes both where a span or an event is written.
//!
//! Owns every field's name. Decides neither whether nor at which level.

use std::fmt::Write;

use redress_core::{
    AttemptContext, AttemptDecision, Cause, CircuitState, Classification, ErrorClass, Event, EventName, StopReason,
};
use tracing::field::{Empty, Value};
use tracing::{Level, Span};

use crate::{ATTEMPT_TARGET, BREAKER_TARGET, CALL_TARGET, SPAN_NAME};

/// `$write!(LEVEL, ..)` with the level as a constant, which it has to be at a callsite.
macro_rules! at_level {
    ($level:expr, $write:ident) => {
        match $level {
            Level::ERROR => $write!(Level::ERROR),
            Level::WARN => $write!(Level::WARN),
            Level::INFO => $write!(Level::INFO),
            Level::DEBUG => $write!(Level::DEBUG),
            Level::TRACE => $write!(Level::TRACE),
        }
    };
}

/// The span of a call that begins, below the current one; a disabled one if there is no level.
pub(crate) fn span(level: Option<Level>, operation: Option<&str>) -> Span {
    let Some(level) = level else { return Span::none() };
    macro_rules! span_at {
        ($level:expr) => {
            tracing::span!(
                target: CALL_TARGET,
                $level,
                SPAN_NAME,
                operation,
                outcome = Empty,
                stop_reason = Empty,
                attempts = Empty,
                class = Empty,
                cause = Empty,
                elapsed_seconds = Empty,
            )
        };
    }
    at_level!(level, span_at)
}

/// How a call ended, into its span.
pub(crate) fn record_end(span: &Span, event: &Event<'_>) {
    record(span, "outcome", Some(outcome(event.name)));
    record(span, "stop_reason", stop_reason(event).map(StopReason::as_str));
    record(span, "attempts", Some(event.attempt));
    record(span, "class", event.class.map(ErrorClass::as_str));
    record(span, "cause", event.cause.map(Cause::as_str));
    record(span, "elapsed_seconds", event.elapsed.map(|elapsed| elapsed.as_secs_f64()));
}

/// Formatters leave a gap where nothing is recorded on purpose.
fn record(span: &Span, field: &str, value: Option<impl Value>) {
    if let Some(value) = value {
        span.record(field, value);
    }
}

/// How a call ended that has no event for it.
pub(crate) fn record_cancellation(span: &Span, outcome: &str, attempts: u32) {
    span.record("outcome", outcome);
    span.record("attempts", attempts);
}

/// A retry, or the end of the call.
pub(crate) fn event_of_call(within: &Span, level: Level, event: &Event<'_>) {
    let details = event.classification.and_then(details);
    let retry_after = event.retry_after().map(|asked| asked.as_secs_f64());
    let sleep = matches!(event.name, EventName::Retry | EventName::Scheduled).then(|| event.sleep.as_secs_f64());
    macro_rules! event_at {
        ($target:expr, $level:expr) => {
            tracing::event!(
                target: $target,
                parent: within.id(),
                $level,
                event = event.name.as_str(),
                operation = event.operation,
                attempt = event.attempt,
                class = event.class.map(ErrorClass::as_str),
                cause = event.cause.map(Cause::as_str),
                stop_reason = stop_reason(event).map(StopReason::as_str),
                sleep_seconds = sleep,
                retry_after_seconds = retry_after,
                error_type = event.error_type,
                details = details.as_deref(),
                breaker = event.breaker,
                state = event.state.map(CircuitState::as_str),
                elapsed_seconds = event.elapsed.map(|elapsed| elapsed.as_secs_f64()),
                "{}",
                message(event.name)
            )
        };
    }
    macro_rules! retry_at {
        ($level:expr) => {
            event_at!(ATTEMPT_TARGET, $level)
        };
    }
    macro_rules! end_at {
        ($level:expr) => {
            event_at!(CALL_TARGET, $level)
        };
    }
    match event.name {
        EventName::Retry => at_level!(level, retry_at),
        _ => at_level!(level, end_at),
    }
}

/// A breaker's change of state.
pub(crate) fn event_of_breaker(within: &Span, level: Level, event: &Event<'_>) {
    macro_rules! event_at {
        ($level:expr) => {
            tracing::event!(
                target: BREAKER_TARGET,
                parent: within.id(),
                $level,
                event = event.name.as_str(),
                operation = event.operation,
                breaker = event.breaker,
                state = event.state.map(CircuitState::as_str),
                class = event.class.map(ErrorClass::as_str),
                "{}",
                message(event.name)
            )
        };
    }
    at_level!(level, event_at);
}

/// An attempt that ended.
pub(crate) fn attempt(within: &Span, level: Level, attempt: &AttemptContext<'_>) {
    let class = attempt.classification.map(Classification::class);
    macro_rules! event_at {
        ($level:expr) => {
            tracing::event!(
                target: ATTEMPT_TARGET,
                parent: within.id(),
                $level,
                operation = attempt.operation.filter(|name| !name.is_empty()),
                attempt = attempt.attempt,
                decision = attempt.decision.map(AttemptDecision::as_str),
                class = class.map(ErrorClass::as_str),
                cause = attempt.cause.map(Cause::as_str),
                error_type = attempt.error_type,
                elapsed_seconds = attempt.elapsed.as_secs_f64(),
                "attempt ended"
            )
        };
    }
    at_level!(level, event_at);
}

/// A call that was dropped before its end, or whose operation panicked.
pub(crate) fn cancellation(within: &Span, level: Level, operation: Option<&str>, outcome: &str, attempts: u32) {
    macro_rules! event_at {
        ($level:expr) => {
            tracing::event!(
                target: CALL_TARGET,
                parent: within.id(),
                $level,
                event = outcome,
                operation,
                attempt = attempts,
                "the call did not come to an end"
            )
        };
    }
    at_level!(level, event_at);
}

const fn outcome(terminal: EventName) -> &'static str {
    match terminal {
        EventName::Success => "success",
        EventName::CircuitRejected => "rejected",
        EventName::Scheduled => "scheduled",
        EventName::Aborted => "aborted",
        _ => "failure",
    }
}

/// A rejection's event carries no reason, but it has one.
fn stop_reason(event: &Event<'_>) -> Option<StopReason> {
    match event.name {
        EventName::CircuitRejected => Some(StopReason::CircuitOpen),
        _ => event.stop_reason,
    }
}

/// The classification's details in one field, since `tracing` knows the names of fields beforehand.
fn details(classification: &Classification) -> Option<String> {
    let mut joined = String::new();
    for (key, value) in classification.details() {
        let space = if joined.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = write!(joined, "{space}{key}={value}");
    }
    (!joined.is_empty()).then_some(joined)
}

const fn message(name: EventName) -> &'static str {
    match name {
        EventName::Success => "the call succeeded",
        EventName::Retry => "the attempt failed and will be tried again",
        EventName::PermanentFail => "the call failed and is not to be retried",
        EventName::DeadlineExceeded => "the call failed at its deadline",
        EventName::MaxAttemptsExceeded => "the call failed, its attempts used up",
        EventName::MaxUnknownAttemptsExceeded => "the call failed, its retries of unrecognised failures used up",
        EventName::NoStrategyConfigured => "the call failed, and its class has no strategy",
        EventName::BudgetExhausted => "the call failed, and the retry budget is used up",
        EventName::Scheduled => "the retry was deferred",
        EventName::Aborted => "the call was aborted",
        EventName::CircuitOpened => "the circuit opened",
        EventName::CircuitHalfOpen => "the circuit lets a probe through",
        EventName::CircuitClosed => "the circuit closed",
        EventName::CircuitRejected => "the circuit is open and rejected the call",
        _ => "the policy did something new",
    }
}
