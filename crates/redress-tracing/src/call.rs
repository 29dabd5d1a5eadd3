//! The per-call observer: the call's span, the spans of its attempts, and the events in them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redress_core::observe::{AttemptContext, CallObserver};
use redress_core::{Event, EventName};
use tracing::Span;

use crate::emit;
use crate::levels::Levels;

pub(crate) struct Call {
    levels: Arc<Levels>,
    /// A disabled span if no subscriber enables spans at this level.
    span: Span,
    /// The parent of events if the span is disabled: the current span at the start of the call.
    surroundings: Option<Span>,
    /// The span of the running attempt; disabled between attempts or if attempt spans are off.
    attempt: Mutex<Span>,
}

impl Call {
    pub(crate) fn new(levels: Arc<Levels>, span: Span) -> Self {
        let surroundings = span.is_disabled().then(Span::current);
        Self { levels, span, surroundings, attempt: Mutex::new(Span::none()) }
    }

    fn within(&self) -> &Span {
        self.surroundings.as_ref().unwrap_or(&self.span)
    }

    fn attempt(&self) -> MutexGuard<'_, Span> {
        // A panicking subscriber leaves no field half changed.
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: &Event<'_>) {
        let Some(level) = self.levels.of(event) else { return };
        match event.name {
            EventName::CircuitOpened | EventName::CircuitHalfOpen | EventName::CircuitClosed => {
                emit::event_of_breaker(self.within(), level, event);
            }
            _ => emit::event_of_call(self.within(), level, event),
        }
    }
}

impl CallObserver for Call {
    fn on_event(&self, event: &Event<'_>) {
        self.tell(event);
        if event.name.is_terminal() {
            if self.levels.attempt_span.is_some() {
                let unfinished = std::mem::replace(&mut *self.attempt(), Span::none());
                emit::record_unfinished(&unfinished);
            }
            // Recorded after the event is emitted, so that a formatted line does not repeat the
            // fields of the event.
            emit::record_end(&self.span, event);
        }
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        if self.levels.attempt_span.is_some() {
            let span = emit::attempt_span(self.within(), self.levels.attempt_span, attempt);
            *self.attempt() = span;
        }
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        if self.levels.attempt_span.is_some() {
            let ended = std::mem::replace(&mut *self.attempt(), Span::none());
            emit::record_attempt_end(&ended, attempt);
        }
        if let Some(level) = self.levels.attempt {
            emit::attempt(self.within(), level, attempt);
        }
    }

    fn enter(&self, step: &mut dyn FnMut()) {
        if self.levels.attempt_span.is_none() {
            return self.span.in_scope(step);
        }
        let attempt = self.attempt().clone();
        self.span.in_scope(|| attempt.in_scope(step));
    }
}
