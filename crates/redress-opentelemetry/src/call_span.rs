//! The span of one call and the spans of its attempts. The engine gives each call its own observer,
//! so no context lookup is needed to find the span.

use std::borrow::Cow;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::{Link, Span, SpanContext, SpanKind, SpanRef, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use redress_core::observe::{AttemptContext, AttemptDecision, CallObserver, CallOutcome, CallStart};
use redress_core::{Classification, ErrorClass, Event, StopReason};

use crate::attributes::{
    ATTEMPT, ATTEMPTS, BREAKER, CAUSE, CIRCUIT_OPEN_FOR, CIRCUIT_RETRY_IN, CIRCUIT_STATE, DETAIL, ERROR_CLASS,
    ERROR_TYPE, OPERATION, OUTCOME, POLICY, RETRY_AFTER, SLEEP, STOP_REASON, count, error_type, error_type_of,
    outcome_of, seconds, text,
};
use crate::links::take_links;

/// The name of a call's span if the operation is unnamed, from the Python original.
const UNNAMED: &str = "redress.retry";
const ATTEMPT_NAME: &str = "redress.attempt";

/// Starts the spans of calls.
pub(crate) struct Spans {
    tracer: Arc<BoxedTracer>,
    /// The kind of the attempt spans; `None` if they are disabled.
    of_attempts: Option<SpanKind>,
}

impl Spans {
    pub(crate) fn new(tracer: BoxedTracer, of_attempts: Option<SpanKind>) -> Self {
        Self { tracer: Arc::new(tracer), of_attempts }
    }

    /// Starts the span of a call in the current context. Returns `None` if the span would have no
    /// effect.
    pub(crate) fn begin(&self, call: &CallStart<'_>) -> Option<CallSpan> {
        let (links, parent) = take_links(Context::current());
        let name = call.operation.map_or(Cow::Borrowed(UNNAMED), |name| Cow::Owned(name.to_owned()));
        let mut builder = self.tracer.span_builder(name).with_kind(SpanKind::Internal).with_links(links);
        let names = [(OPERATION, call.operation), (POLICY, call.policy), (BREAKER, call.breaker)];
        let names = names.into_iter().filter_map(|(key, name)| name.map(|name| text(key, name)));
        builder.attributes = Some(names.collect());
        let span = builder.start_with_context(&*self.tracer, &parent);
        let recording = span.is_recording();
        // An unsampled span must still be the parent of the spans that the operation starts, so
        // that they are all left out together. An invalid span, or one that only repeats its
        // parent's context, has no such effect.
        let own = span.span_context();
        if !recording && (!own.is_valid() || own == parent.span().span_context()) {
            return None;
        }
        let attempts = self.of_attempts.clone().filter(|_| recording).map(|kind| (self.tracer.clone(), kind));
        Some(CallSpan { context: parent.with_span(span), recording, attempts, progress: Mutex::default() })
    }
}

/// The span of one call. It ends when this is dropped with the call: a breaker event may follow the
/// terminal event.
pub(crate) struct CallSpan {
    /// The context of the call, including its span.
    context: Context,
    recording: bool,
    /// Starts the attempt spans, with their kind; `None` if they are disabled.
    attempts: Option<(Arc<BoxedTracer>, SpanKind)>,
    progress: Mutex<Progress>,
}

/// The progress of a call.
#[derive(Default)]
struct Progress {
    attempts: u32,
    /// The context of the running attempt, including its span.
    attempt: Option<Context>,
    /// The span of the previous attempt, and its number.
    previous: Option<(SpanContext, u32)>,
    /// The `error.type` of the last failure, because an event that ends a call during a wait does
    /// not repeat it.
    error_type: Option<&'static str>,
    detail: Option<String>,
    end: Option<End>,
}

/// The contents of the terminal event.
struct End {
    at: SystemTime,
    outcome: CallOutcome,
    attempts: u32,
    stop_reason: Option<StopReason>,
    class: Option<ErrorClass>,
    error_type: Option<&'static str>,
    detail: Option<String>,
}

impl CallSpan {
    fn end(&self) {
        let progress = mem::take(&mut *self.progress());
        let span = self.context.span();
        let Some(End { at, outcome, attempts, stop_reason, class, error_type, detail }) = progress.end else {
            // Nothing is kept for a span that is not recording.
            span.end();
            return;
        };
        if let Some(attempt) = progress.attempt {
            // The call was cancelled during this attempt. End the child first, so that it does not
            // outlive its parent.
            contained(|| finish(&attempt.span(), outcome, "", Some(at)));
        }
        span.set_attribute(KeyValue::new(ATTEMPTS, count(progress.attempts)));
        span.set_attributes(stop_reason.map(|reason| KeyValue::new(STOP_REASON, reason.as_str())));
        span.set_attributes(failure_attributes(class, error_type, detail.as_deref()));
        finish(&span, outcome, stop_reason.map_or("", |reason| reason.description_after(attempts)), Some(at));
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        // A panicking tracer leaves no field half changed.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallObserver for CallSpan {
    fn on_event(&self, event: &Event<'_>) {
        if !self.recording {
            return;
        }
        let at = {
            let mut progress = self.progress();
            if event.error_type.is_some() || event.cause.is_some() && event.classification.is_some() {
                progress.error_type = error_type_of(event);
                progress.detail = event.detail().map(str::to_owned);
            }
            if let (Some(outcome), None) = (outcome_of(event), &progress.end) {
                let detail = progress.detail.take();
                progress.end = Some(End::of(event, outcome, progress.error_type, detail));
            }
            // A breaker event after the end gets the time of the end; otherwise the span would end
            // before its last event.
            progress.end.as_ref().map_or_else(SystemTime::now, |end| end.at)
        };
        self.context.span().add_event_with_timestamp(event.name.as_str(), at, attributes_of(event));
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        let mut progress = self.progress();
        progress.attempts = attempt.attempt;
        let Some((tracer, kind)) = &self.attempts else { return };
        let links = progress.previous.take().map(|(span, number)| {
            let number = KeyValue::new(ATTEMPT, count(number));
            Link::new(span, vec![number], 0)
        });
        let mut attributes = vec![KeyValue::new(ATTEMPT, count(attempt.attempt))];
        attributes
            .extend(attempt.operation.as_deref().filter(|name| !name.is_empty()).map(|name| text(OPERATION, name)));
        let span = tracer
            .span_builder(ATTEMPT_NAME)
            .with_kind(kind.clone())
            .with_attributes(attributes)
            .with_links(links.into_iter().collect())
            .start_with_context(&**tracer, &self.context);
        progress.previous = Some((span.span_context().clone(), attempt.attempt));
        progress.attempt = Some(self.context.with_span(span));
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        let running = self.progress().attempt.take();
        let Some(running) = running else { return };
        let outcome = match attempt.decision {
            Some(AttemptDecision::Success) => CallOutcome::Success,
            // The operation itself aborted, without a failure.
            Some(AttemptDecision::Aborted) if attempt.classification.is_none() => CallOutcome::Aborted,
            _ => CallOutcome::Failure,
        };
        let class = attempt.classification.as_deref().map(Classification::class);
        let error_type = error_type(attempt.error_type, attempt.cause, class);
        contained(|| {
            let span = running.span();
            span.set_attributes(failure_attributes(class, error_type, attempt.detail()));
            finish(&span, outcome, class.map_or("", ErrorClass::as_str), None);
        });
    }

    fn enter(&self, step: &mut dyn FnMut()) {
        let current = self.progress().attempt.clone().unwrap_or_else(|| self.context.clone());
        let _guard = current.attach();
        step();
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        contained(|| self.end());
    }
}

/// Runs a step whose panic must be caught. The destructor of a span may panic as its end did, and a
/// second panic during unwinding would abort the process.
pub(crate) fn contained(end: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(end)) {
        // A panic payload may panic when dropped.
        mem::forget(payload);
    }
}

impl End {
    fn of(
        event: &Event<'_>,
        outcome: CallOutcome,
        last_error_type: Option<&'static str>,
        last_detail: Option<String>,
    ) -> Self {
        let failed = matches!(outcome, CallOutcome::Failure | CallOutcome::Rejected | CallOutcome::Scheduled);
        Self {
            at: SystemTime::now(),
            outcome,
            attempts: event.attempt,
            stop_reason: event.stop_reason,
            class: event.class.filter(|_| failed),
            error_type: if failed { last_error_type.or_else(|| error_type_of(event)) } else { None },
            detail: last_detail.filter(|_| failed),
        }
    }
}

/// Ends a span with its outcome and status. Failures, rejections and panics are errors; deferrals,
/// aborts and dropped futures, which the program requested, are not.
fn finish(span: &SpanRef<'_>, outcome: CallOutcome, description: &'static str, at: Option<SystemTime>) {
    span.set_attribute(KeyValue::new(OUTCOME, outcome.as_str()));
    match outcome {
        CallOutcome::Failure | CallOutcome::Rejected => span.set_status(Status::error(description)),
        CallOutcome::Panicked => {
            span.set_attribute(KeyValue::new(ERROR_TYPE, "panic"));
            span.set_status(Status::error("a panic went through the call"));
        }
        _ => {}
    }
    match at {
        Some(at) => span.end_with_timestamp(at),
        None => span.end(),
    }
}

fn failure_attributes(
    class: Option<ErrorClass>,
    error_type: Option<&'static str>,
    detail: Option<&str>,
) -> impl Iterator<Item = KeyValue> + use<> {
    let class = class.map(|class| KeyValue::new(ERROR_CLASS, class.as_str()));
    let error_type = error_type.map(|error_type| KeyValue::new(ERROR_TYPE, error_type));
    [class, error_type, detail.map(|detail| text(DETAIL, detail))].into_iter().flatten()
}

/// The attributes of a span event. The names of operation and policy are on the span.
fn attributes_of(event: &Event<'_>) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(6);
    if event.attempt > 0 {
        attributes.push(KeyValue::new(ATTEMPT, count(event.attempt)));
    }
    attributes.extend(failure_attributes(event.class, error_type_of(event), event.detail()));
    attributes.extend(event.cause.map(|cause| KeyValue::new(CAUSE, cause.as_str())));
    if !event.delay.is_zero() {
        attributes.push(KeyValue::new(SLEEP, seconds(event.delay)));
    }
    attributes.extend(event.retry_after().map(|hint| KeyValue::new(RETRY_AFTER, seconds(hint))));
    attributes.extend(event.stop_reason.map(|reason| KeyValue::new(STOP_REASON, reason.as_str())));
    attributes.extend(event.state.map(|state| KeyValue::new(CIRCUIT_STATE, state.as_str())));
    let of_breaker = event.breaker.as_deref().filter(|_| event.state.is_some());
    attributes.extend(of_breaker.map(|breaker| text(BREAKER, breaker)));
    attributes.extend(event.open_for.map(|time| KeyValue::new(CIRCUIT_OPEN_FOR, seconds(time))));
    attributes.extend(event.retry_in.map(|time| KeyValue::new(CIRCUIT_RETRY_IN, seconds(time))));
    attributes
}
