//! What goes with one call: its span, and the telling within it.
//!
//! Owns the order of things at the end. Knows levels, not fields.

use std::sync::Arc;

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
}

impl Call {
    pub(crate) fn new(levels: Arc<Levels>, span: Span) -> Self {
        let surroundings = span.is_disabled().then(Span::current);
        Self { levels, span, surroundings }
    }

    fn within(&self) -> &Span {
        self.surroundings.as_ref().unwrap_or(&self.span)
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
            // After the telling, so that a line of text does not say everything twice.
            emit::record_end(&self.span, event);
        }
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
