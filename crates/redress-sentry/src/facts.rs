//! What an event says, as the data of a breadcrumb and of a captured event's context.

use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::{Cause, ErrorClass, Event, EventName, StopReason};
use sentry_core::protocol::{Map, Value};

use crate::names::present;

/// A name is cut here, in bytes, so that 100 breadcrumbs stay small.
const LONGEST_NAME: usize = 128;

/// The facts of an event. Details other than [`Event::detail`] are left out: a custom classifier
/// may put anything into them.
pub(crate) fn facts(event: &Event<'_>) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            facts.insert(key.to_owned(), value);
        }
    };
    put("event", Some(event.name.as_str().into()));
    put("operation", present(event.operation.as_deref()).map(name));
    put("policy", present(event.policy.as_deref()).map(name));
    put("breaker", present(event.breaker.as_deref()).map(name));
    put("class", event.class.map(ErrorClass::as_str).map(Value::from));
    put("detail", present(event.detail()).map(name));
    put("cause", event.cause.map(Cause::as_str).map(Value::from));
    put("error_type", event.error_type.map(Value::from));
    put("state", event.state.map(CircuitState::as_str).map(Value::from));
    put("attempt", (event.attempt > 0).then(|| event.attempt.into()));
    put("wait_seconds", waits(event).then(|| seconds(event.delay)));
    put("stop_reason", event.stop_reason.map(StopReason::as_str).map(Value::from));
    put("reason", event.stop_reason.map(|reason| reason.description_after(event.attempt).into()));
    put("retry_after_seconds", event.retry_after().map(seconds));
    put("open_for_seconds", event.open_for.map(seconds));
    put("retry_in_seconds", event.retry_in.map(seconds));
    put("nested_depth", event.nesting.map(|nesting| nesting.depth.into()));
    put("nested_attempts", event.nesting.map(|nesting| nesting.attempts.into()));
    put("elapsed_seconds", event.elapsed.map(seconds));
    facts
}

fn waits(event: &Event<'_>) -> bool {
    matches!(event.name, EventName::Retry | EventName::Scheduled)
}

fn name(name: &str) -> Value {
    let end = (0..=LONGEST_NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    name[..end.unwrap_or_default()].into()
}

/// Microseconds: smaller digits are noise to a reader.
fn seconds(duration: Duration) -> Value {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    (micros as f64 / 1e6).into()
}
