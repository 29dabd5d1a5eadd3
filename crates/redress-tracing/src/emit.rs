//! The callsites of all spans and events: one for each target and level, because `tracing` fixes
//! both statically.

use std::fmt::Write;
use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::observe::{AttemptContext, AttemptDecision, CallOutcome, CallStart};
use redress_core::{Cause, Classification, ErrorClass, Event, EventName, StopReason};
use tracing::field::{Empty, Value};
use tracing::{Level, Span};

use crate::{ATTEMPT_SPAN_NAME, ATTEMPT_TARGET, BREAKER_TARGET, CALL_TARGET, SPAN_NAME};

/// Expands to `$write!(LEVEL, ..)` with the level as a constant, as a callsite requires.
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

/// Creates the span of a call as a child of the current span; a disabled span if `level` is `None`.
pub(crate) fn span(level: Option<Level>, call: &CallStart<'_>) -> Span {
    let Some(level) = level else { return Span::none() };
    macro_rules! span_at {
        ($level:expr) => {
            tracing::span!(
                target: CALL_TARGET,
                $level,
                SPAN_NAME,
                operation = call.operation,
                policy = call.policy,
                breaker = call.breaker,
                outcome = Empty,
                stop_reason = Empty,
                attempts = Empty,
                class = Empty,
                cause = Empty,
                details = Empty,
                retry_in_seconds = Empty,
                elapsed_seconds = Empty,
            )
        };
    }
    at_level!(level, span_at)
}

/// Creates the span of an attempt as a child of `within`; a disabled span if `level` is `None`.
pub(crate) fn attempt_span(within: &Span, level: Option<Level>, attempt: &AttemptContext<'_>) -> Span {
    let Some(level) = level else { return Span::none() };
    macro_rules! span_at {
        ($level:expr) => {
            tracing::span!(
                target: ATTEMPT_TARGET,
                parent: within.id(),
                $level,
                ATTEMPT_SPAN_NAME,
                operation = attempt.operation.as_deref().filter(|name| !name.is_empty()),
                policy = attempt.policy.as_deref(),
                breaker = attempt.breaker.as_deref(),
                attempt = attempt.attempt,
                decision = Empty,
                class = Empty,
                cause = Empty,
                details = Empty,
                outcome = Empty,
            )
        };
    }
    at_level!(level, span_at)
}

/// Records the end of an attempt in its span.
pub(crate) fn record_attempt_end(span: &Span, attempt: &AttemptContext<'_>) {
    record(span, "decision", attempt.decision.map(AttemptDecision::as_str));
    record(span, "class", attempt.classification.as_deref().map(|meaning| meaning.class().as_str()));
    record(span, "cause", attempt.cause.map(Cause::as_str));
    record(span, "details", attempt.classification.as_deref().and_then(details).as_deref());
}

/// Records in the span of an attempt that its call was dropped or panicked during it.
pub(crate) fn record_unfinished(span: &Span) {
    span.record("outcome", CallOutcome::of_unfinished().as_str());
}

/// Records the end of a call in its span.
pub(crate) fn record_end(span: &Span, event: &Event<'_>) {
    record(span, "outcome", outcome(event).map(CallOutcome::as_str));
    record(span, "stop_reason", event.stop_reason.map(StopReason::as_str));
    record(span, "attempts", Some(event.attempt));
    record(span, "class", event.class.map(ErrorClass::as_str));
    record(span, "cause", event.cause.map(Cause::as_str));
    record(span, "details", event.classification.as_deref().and_then(details).as_deref());
    record(span, "retry_in_seconds", event.retry_in.map(seconds));
    record(span, "elapsed_seconds", event.elapsed.map(seconds));
}

/// Skips absent values, because formatters print a gap for a field recorded as empty.
fn record(span: &Span, field: &str, value: Option<impl Value>) {
    if let Some(value) = value {
        span.record(field, value);
    }
}

/// Emits a retry, the end of a call, or that it is nested.
pub(crate) fn event_of_call(within: &Span, level: Level, event: &Event<'_>) {
    let details = event.classification.as_deref().and_then(details);
    let panicked = outcome(event).filter(|outcome| *outcome == CallOutcome::Panicked);
    let retry_after = event.retry_after().map(seconds);
    let sleep = matches!(event.name, EventName::Retry | EventName::Scheduled).then(|| seconds(event.delay));
    macro_rules! event_at {
        ($target:expr, $level:expr) => {
            tracing::event!(
                target: $target,
                parent: within.id(),
                $level,
                event = event.name.as_str(),
                outcome = panicked.map(CallOutcome::as_str),
                operation = event.operation.as_deref(),
                policy = event.policy.as_deref(),
                attempt = event.attempt,
                class = event.class.map(ErrorClass::as_str),
                cause = event.cause.map(Cause::as_str),
                stop_reason = event.stop_reason.map(StopReason::as_str),
                sleep_seconds = sleep,
                retry_after_seconds = retry_after,
                error_type = event.error_type,
                details = details.as_deref(),
                breaker = event.breaker.as_deref(),
                state = event.state.map(CircuitState::as_str),
                retry_in_seconds = event.retry_in.map(seconds),
                nested_depth = event.nesting.map(|nesting| nesting.depth),
                nested_attempts = event.nesting.map(|nesting| nesting.attempts),
                elapsed_seconds = event.elapsed.map(seconds),
                "{}{}",
                message(event),
                why(event)
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

/// Emits a breaker's change of state.
pub(crate) fn event_of_breaker(within: &Span, level: Level, event: &Event<'_>) {
    macro_rules! event_at {
        ($level:expr) => {
            tracing::event!(
                target: BREAKER_TARGET,
                parent: within.id(),
                $level,
                event = event.name.as_str(),
                operation = event.operation.as_deref(),
                policy = event.policy.as_deref(),
                breaker = event.breaker.as_deref(),
                state = event.state.map(CircuitState::as_str),
                class = event.class.map(ErrorClass::as_str),
                open_for_seconds = event.open_for.map(seconds),
                "{}",
                message(event)
            )
        };
    }
    at_level!(level, event_at);
}

/// Emits the end of an attempt.
pub(crate) fn attempt(within: &Span, level: Level, attempt: &AttemptContext<'_>) {
    let class = attempt.classification.as_deref().map(Classification::class);
    let details = attempt.classification.as_deref().and_then(details);
    macro_rules! event_at {
        ($level:expr) => {
            tracing::event!(
                target: ATTEMPT_TARGET,
                parent: within.id(),
                $level,
                operation = attempt.operation.as_deref().filter(|name| !name.is_empty()),
                policy = attempt.policy.as_deref(),
                breaker = attempt.breaker.as_deref(),
                attempt = attempt.attempt,
                decision = attempt.decision.map(AttemptDecision::as_str),
                class = class.map(ErrorClass::as_str),
                cause = attempt.cause.map(Cause::as_str),
                error_type = attempt.error_type,
                details = details.as_deref(),
                elapsed_seconds = seconds(attempt.elapsed),
                "attempt ended"
            )
        };
    }
    at_level!(level, event_at);
}

/// The outcome of the call. A panic is also reported as `Cancelled`; the unwinding thread tells
/// them apart.
fn outcome(event: &Event<'_>) -> Option<CallOutcome> {
    match event.outcome() {
        Some(CallOutcome::Cancelled) => Some(CallOutcome::of_unfinished()),
        outcome => outcome,
    }
}

/// Converts to seconds with microsecond precision, because smaller digits are noise to a reader.
fn seconds(duration: Duration) -> f64 {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    micros as f64 / 1e6
}

/// Joins the classification's details into one field, because `tracing` needs field names to be
/// static.
fn details(classification: &Classification) -> Option<String> {
    let mut joined = String::new();
    for (key, value) in classification.details() {
        let space = if joined.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = write!(joined, "{space}{key}={value}");
    }
    (!joined.is_empty()).then_some(joined)
}

fn message(event: &Event<'_>) -> &'static str {
    match event.name {
        EventName::Success => "the call succeeded",
        EventName::Retry => "the attempt failed and will be tried again",
        EventName::Scheduled => "the retry was deferred",
        EventName::Aborted => "the call was aborted",
        EventName::Cancelled if outcome(event) == Some(CallOutcome::Panicked) => "a panic ended the call",
        EventName::Cancelled => "the call was dropped before it ended",
        EventName::Nested => "the call is within another one, and the retries of both multiply",
        EventName::CircuitOpened => "the circuit opened",
        EventName::CircuitHalfOpen => "the circuit lets a probe through",
        EventName::CircuitClosed => "the circuit closed",
        EventName::CircuitRejected if event.state == Some(CircuitState::HalfOpen) => {
            "the circuit waits for its probe and rejected the call"
        }
        EventName::CircuitRejected => "the circuit is open and rejected the call",
        EventName::CircuitWouldReject => "the circuit only watches, and would have rejected the call",
        _ if event.outcome() == Some(CallOutcome::Failure) => "the call failed: ",
        _ => "the policy emitted an unknown event",
    }
}

/// The rest of the message of a failed call.
fn why(event: &Event<'_>) -> &'static str {
    match (event.outcome(), event.stop_reason) {
        (Some(CallOutcome::Failure), Some(reason)) => reason.description_after(event.attempt),
        (Some(CallOutcome::Failure), None) => event.name.as_str(),
        _ => "",
    }
}
