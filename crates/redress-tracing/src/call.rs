//! What goes with one call: its span, and the telling within it.
//!
//! Owns the order of things at the end, and that a call which is dropped has one. Knows levels, not fields.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use redress_core::{AttemptContext, CallObserver, CallStart, Event, EventName};
use tracing::Span;

use crate::emit;
use crate::levels::Levels;

pub(crate) struct Call {
    levels: Arc<Levels>,
    /// A disabled one if nobody wants spans at this level.
    span: Span,
    /// Where events belong then: what was current where the call began.
    surroundings: Option<Span>,
    /// The event of a call that is dropped without one, as it stood when the call began.
    dropped: Option<Box<Event<'static>>>,
    attempts: AtomicU32,
    ended: AtomicBool,
}

impl Call {
    pub(crate) fn new(levels: Arc<Levels>, span: Span, call: &CallStart<'_>) -> Self {
        let is_told = levels.of(&Event::new(EventName::Cancelled)).is_some();
        let dropped = is_told.then(|| Box::new(dropped(call)));
        let surroundings = span.is_disabled().then(Span::current);
        Self { levels, span, surroundings, dropped, attempts: AtomicU32::new(0), ended: AtomicBool::new(false) }
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

    /// The end of a call that was dropped and has no event for it.
    fn end(&mut self) {
        let mut event = self.dropped.take().map_or_else(|| Event::new(EventName::Cancelled), |event| *event);
        event.attempt = *self.attempts.get_mut();
        self.on_event(&event);
    }
}

fn dropped(call: &CallStart<'_>) -> Event<'static> {
    let mut event = Event::new(EventName::Cancelled);
    event.operation = call.operation.map(|name| name.to_owned().into());
    event.policy = call.policy.map(|name| name.to_owned().into());
    event.breaker = call.breaker.map(|name| name.to_owned().into());
    event
}

impl CallObserver for Call {
    fn on_event(&self, event: &Event<'_>) {
        self.ended.fetch_or(event.name.is_terminal(), Ordering::Relaxed);
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
            let _ = catch_unwind(AssertUnwindSafe(|| self.end()));
        }
    }
}
