//! What goes with one call: its span, and the telling within it.
//!
//! Owns the order of things at the end, and what is told of a call that has none. Knows levels, not fields.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use redress_core::{AttemptContext, CallObserver, Event, EventName};
use tracing::Span;

use crate::emit;
use crate::levels::Levels;

pub(crate) struct Call {
    levels: Arc<Levels>,
    /// A disabled one if nobody wants spans at this level.
    span: Span,
    /// Where events belong then: what was current where the call began.
    surroundings: Option<Span>,
    operation: Option<Box<str>>,
    attempts: AtomicU32,
    ended: AtomicBool,
}

impl Call {
    pub(crate) fn new(levels: Arc<Levels>, span: Span, operation: Option<&str>) -> Self {
        // Kept for the one event that has nobody to bring the name along.
        let operation = operation.filter(|_| levels.cancellation.is_some()).map(Into::into);
        let surroundings = span.is_disabled().then(Span::current);
        Self { levels, span, surroundings, operation, attempts: AtomicU32::new(0), ended: AtomicBool::new(false) }
    }

    fn within(&self) -> &Span {
        self.surroundings.as_ref().unwrap_or(&self.span)
    }

    fn tell(&self, event: &Event<'_>) {
        self.ended.fetch_or(event.name.is_terminal(), Ordering::Relaxed);
        let Some(level) = self.levels.of(event.name, event.attempt) else { return };
        match event.name {
            EventName::CircuitOpened | EventName::CircuitHalfOpen | EventName::CircuitClosed => {
                emit::event_of_breaker(self.within(), level, event);
            }
            _ => emit::event_of_call(self.within(), level, event),
        }
    }

    /// The end that a call has when nobody told of one.
    fn tell_cancellation(&self) {
        let outcome = if thread::panicking() { "panicked" } else { "cancelled" };
        let attempts = self.attempts.load(Ordering::Relaxed);
        emit::record_cancellation(&self.span, outcome, attempts);
        if let Some(level) = self.levels.cancellation {
            emit::cancellation(self.within(), level, self.operation.as_deref(), outcome, attempts);
        }
    }
}

impl CallObserver for Call {
    fn on_event(&self, event: &Event<'_>) {
        self.tell(event);
        if event.name.is_terminal() {
            // After the telling, so that a line of text does not say everything twice.
            emit::record_end(&self.span, event);
        }
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        self.attempts.store(attempt.attempt, Ordering::Relaxed);
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        if let Some(level) = self.levels.attempt {
            emit::attempt(self.within(), level, attempt);
        }
    }

    fn enter(&self, step: &mut dyn FnMut()) {
        self.span.in_scope(step);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !*self.ended.get_mut() {
            // A subscriber's panic must not meet another, which the span's own end may bring: two end the process.
            let _ = catch_unwind(AssertUnwindSafe(|| self.tell_cancellation()));
        }
    }
}
