//! Records one call: the hooks that observe it, and the trace made from them and from the ending of
//! the call.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use redress_core::breaker::CircuitState;
use redress_core::error::{Failure, RetryExhaustedError};
use redress_core::observe::{AttemptContext, AttemptDecision};
use redress_core::{
    Budget, CallContext, CallError, Cause, ErrorClass, Event, EventName, RetryOutcome, SleepDecision, StopReason,
};
use serde_json::{Value, json};

use crate::number::duration;
use crate::parts::{Raised, Returned};
use crate::scenario::{CallSpec, SleepAnswer};
use crate::trace::Trace;

/// The observations of one call's hooks.
#[derive(Default)]
pub(crate) struct Recording {
    events: Mutex<Vec<Value>>,
    attempt_hooks: Mutex<Vec<Value>>,
    slept: Mutex<Vec<f64>>,
    retry_events: AtomicU32,
    questions: AtomicUsize,
}

/// The result of a call, made in either mode.
pub(crate) enum Ending {
    Call(Result<Returned, CallError<Raised>>),
    Execute(Box<RetryOutcome<Returned, Raised>>),
}

impl Recording {
    /// Installs the hooks that the format requires; `world` returns the virtual time since the
    /// scenario began.
    pub(crate) fn install<'a, P>(
        &'a self,
        mut context: CallContext<'a, P>,
        spec: &'a CallSpec,
        world: impl Fn() -> Duration + Send + Sync + 'a,
    ) -> CallContext<'a, P> {
        if let Some(name) = &spec.operation {
            context = context.operation(name.as_str());
        }
        context = context
            .on_metric(|event| self.see(event))
            .on_attempt_start(|attempt| self.see_attempt("start", attempt))
            .on_attempt_end(|attempt| self.see_attempt("end", attempt))
            .before_sleep(|_, delay| push(&self.slept, delay.as_secs_f64()))
            .capture_timeline();
        if let Some(answers) = &spec.sleep {
            context = context.sleep_handler(|_, _| self.answer(answers));
        }
        if spec.abort_at_s.is_some() || spec.abort_after_retry_events.is_some() {
            context = context.abort_if(move || self.wants_abort(spec, world()));
        }
        context
    }

    fn see(&self, event: &Event<'_>) {
        if event.name == EventName::Retry {
            self.retry_events.fetch_add(1, Ordering::Relaxed);
        }
        let seen = json!({
            "event": event.name.as_str(),
            "attempt": event.attempt,
            "sleep_s": event.delay.as_secs_f64(),
            "class": event.class.map(ErrorClass::as_str),
            "stop_reason": event.stop_reason.map(StopReason::as_str),
            "cause": event.cause.map(Cause::as_str),
            "state": event.state.map(CircuitState::as_str),
            "operation": event.operation,
        });
        push(&self.events, seen);
    }

    fn see_attempt(&self, hook: &str, attempt: &AttemptContext<'_>) {
        let seen = json!({
            "hook": hook,
            "attempt": attempt.attempt,
            "decision": attempt.decision.map(AttemptDecision::as_str),
            "stop_reason": attempt.stop_reason.map(StopReason::as_str),
            "cause": attempt.cause.map(Cause::as_str),
            "sleep_s": attempt.delay.map(|sleep| sleep.as_secs_f64()),
            "elapsed_s": attempt.elapsed.as_secs_f64(),
            "class": attempt.classification.as_ref().map(|classification| classification.class().as_str()),
        });
        push(&self.attempt_hooks, seen);
    }

    fn answer(&self, answers: &[SleepAnswer]) -> SleepDecision {
        let index = self.questions.fetch_add(1, Ordering::Relaxed);
        match answers.get(index).or_else(|| answers.last()) {
            Some(SleepAnswer::Defer) => SleepDecision::Defer,
            Some(SleepAnswer::Abort) => SleepDecision::Abort,
            Some(SleepAnswer::Sleep) | None => SleepDecision::Sleep,
        }
    }

    fn wants_abort(&self, spec: &CallSpec, elapsed: Duration) -> bool {
        let by_time = spec.abort_at_s.is_some_and(|at| elapsed >= duration(at));
        let seen = self.retry_events.load(Ordering::Relaxed);
        by_time || spec.abort_after_retry_events.is_some_and(|events| seen >= events)
    }

    /// The trace of the call, now that it has ended.
    pub(crate) fn into_trace(
        self,
        ending: Ending,
        state: Option<CircuitState>,
        budget: Option<&Budget>,
        now: Instant,
    ) -> Trace {
        let mut trace = match ending {
            Ending::Call(result) => of_call(result),
            Ending::Execute(outcome) => of_outcome(&outcome),
        };
        trace["slept_s"] = json!(take(self.slept));
        trace["events"] = json!(take(self.events));
        trace["attempt_hooks"] = json!(take(self.attempt_hooks));
        trace["breaker_state"] = json!(state.map(CircuitState::as_str));
        trace["budget_remaining"] = json!(budget.map(|budget| budget.remaining_at(now)));
        Trace(trace)
    }
}

fn push<V>(list: &Mutex<Vec<V>>, value: V) {
    list.lock().unwrap_or_else(PoisonError::into_inner).push(value);
}

fn take<V>(list: Mutex<Vec<V>>) -> Vec<V> {
    list.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn of_call(result: Result<Returned, CallError<Raised>>) -> Value {
    match result {
        Ok(value) => json!({ "result": "ok", "value_attempt": value.attempt }),
        Err(CallError::Failed(failed)) => json!({ "result": "error", "failure_attempt": failed.error.attempt }),
        Err(CallError::Exhausted(exhausted)) => json!({
            "result": "exhausted",
            "failure_attempt": failure_attempt(&exhausted),
            "stop_reason": exhausted.stop_reason.as_str(),
            "attempts": exhausted.attempts,
            "last_class": exhausted.last_class.map(ErrorClass::as_str),
            "next_sleep_s": exhausted.retry_in.map(|sleep| sleep.as_secs_f64()),
        }),
        Err(CallError::Aborted(_)) => json!({ "result": "aborted" }),
        Err(CallError::CircuitOpen(_)) => json!({ "result": "circuit_open" }),
        Err(other) => json!({ "result": other.to_string() }),
    }
}

fn of_outcome(outcome: &RetryOutcome<Returned, Raised>) -> Value {
    let result = match outcome.stop_reason() {
        None => "ok",
        Some(StopReason::CircuitOpen) => "circuit_open",
        Some(StopReason::Aborted) => "aborted",
        Some(StopReason::Scheduled) => "exhausted",
        Some(_) if outcome.last_error().is_none() => "exhausted",
        Some(_) => "error",
    };
    json!({
        "result": result,
        "value_attempt": outcome.value().map(|value| value.attempt),
        "failure_attempt": outcome.last_failure().and_then(attempt_of),
        "stop_reason": outcome.stop_reason().map(StopReason::as_str),
        "attempts": outcome.attempts(),
        "last_class": outcome.last_class().map(ErrorClass::as_str),
        "cause": outcome.cause().map(Cause::as_str),
        "elapsed_s": outcome.elapsed().as_secs_f64(),
        "next_sleep_s": outcome.next_delay().map(|sleep| sleep.as_secs_f64()),
        "timeline": outcome.timeline().map(|timeline| {
            let entries = timeline.events().into_iter().map(|entry| json!({
                "attempt": entry.attempt,
                "event": entry.event.as_str(),
                "elapsed_s": entry.elapsed.as_secs_f64(),
                "sleep_s": entry.delay.as_secs_f64(),
                "error_class": entry.error_class.map(ErrorClass::as_str),
                "stop_reason": entry.stop_reason.map(StopReason::as_str),
                "cause": entry.cause.map(Cause::as_str),
            }));
            Value::Array(entries.collect())
        }),
    })
}

/// The attempt whose failure ended the call. A value that ended it is not in the error, and was
/// always the last attempt's.
fn failure_attempt(exhausted: &RetryExhaustedError<Raised>) -> Option<u32> {
    let by_value = exhausted.cause == Some(Cause::Result);
    let of_error = exhausted.last_error.as_ref().map(|error| error.attempt);
    of_error.or_else(|| by_value.then_some(exhausted.attempts))
}

fn attempt_of(failure: &Failure<Returned, Raised>) -> Option<u32> {
    let of_error = failure.error().map(|error| error.attempt);
    of_error.or_else(|| failure.result().map(|value| value.attempt))
}
