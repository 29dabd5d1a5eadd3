//! What goes with one call: its span, those of its attempts, and the telling within them.
//!
//! Owns the order of things at the end. Knows levels, not fields.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redress_core::observe::{AttemptContext, CallObserver};
use redress_core::{Event, EventName};
use tracing::Span;

use crate::emit;
use crate::levels::Levels;

pub(crate) struct Call {
    levels: Arc<Levels>,
    /// A disabled one if nobody wants spans at this level.
    span: Span,
    /// Where events belong then: what was current where the call began.
    surroundings: Option<Span>,
    /// The span of the attempt that runs; a disabled one between attempts, or without such spans.
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
        // There is nothing half done in there when a subscriber panics.
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
            // After the telling, so that a line of text does not say everything twice.
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
