//! What is told at which level.
//!
//! Owns the defaults and the builder that changes them. Does not know the fields.

use redress_core::{Event, EventName, StopReason};
use tracing::Level;

use crate::observer::TracingObserver;

/// A level for everything there is to tell; none where nothing is to be told.
#[derive(Clone, Debug)]
pub(crate) struct Levels {
    pub(crate) span: Option<Level>,
    pub(crate) attempt_span: Option<Level>,
    pub(crate) attempt: Option<Level>,
    pub(crate) recovery: Option<Level>,
    /// Of a failure that would have been retried, had its classification not forbidden it.
    pub(crate) forbidden: Option<Level>,
    events: [Option<Level>; EventName::ALL.len()],
}

impl Levels {
    /// The level of an event. A success that took more than one attempt has one of its own, and so
    /// has a forbidden retry.
    pub(crate) fn of(&self, event: &Event<'_>) -> Option<Level> {
        match event.name {
            EventName::Success if event.attempt > 1 => self.recovery,
            EventName::PermanentFail if event.stop_reason == Some(StopReason::RetryForbidden) => self.forbidden,
            name => index(name).and_then(|index| self.events[index]),
        }
    }

    /// The most severe of them all, which is heard if any is.
    pub(crate) fn most_severe(&self) -> Option<Level> {
        let others = [self.span, self.attempt_span, self.attempt, self.recovery, self.forbidden];
        self.events.into_iter().chain(others).flatten().min()
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            span: Some(Level::INFO),
            attempt_span: None,
            attempt: Some(Level::TRACE),
            recovery: Some(Level::DEBUG),
            forbidden: Some(Level::WARN),
            events: std::array::from_fn(|index| Some(default_level(EventName::ALL[index]))),
        }
    }
}

/// What a service wants to see at `info` is what is new: a rejection is not, after the breaker said
/// that it opened, nor is an end that the caller asked for.
const fn default_level(name: EventName) -> Level {
    match name {
        EventName::Success => Level::TRACE,
        EventName::Aborted | EventName::Cancelled | EventName::CircuitRejected => Level::DEBUG,
        EventName::Retry
        | EventName::PermanentFail
        | EventName::Scheduled
        | EventName::CircuitHalfOpen
        | EventName::CircuitClosed => Level::INFO,
        _ => Level::WARN,
    }
}

fn index(name: EventName) -> Option<usize> {
    EventName::ALL.iter().position(|other| *other == name)
}

/// Builds a [`TracingObserver`]. Made by [`TracingObserver::builder`].
///
/// Every method takes a [`Level`], or `None` for what is not to be told at all.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct TracingObserverBuilder {
    levels: Levels,
}

impl TracingObserverBuilder {
    /// The level of an event. Defaults: `WARN` for what ends a call although it was retried or
    /// would have been, and for a circuit that opens; `INFO` for retries, failures that are not
    /// retried, deferred retries, and circuits that recover; `DEBUG` for aborted and rejected
    /// calls, and those that were dropped before their end or panicked; `TRACE` for a success.
    ///
    /// That of [`Success`](EventName::Success) is for a success at the first attempt; others are
    /// [recoveries](Self::recovery_level). That of [`PermanentFail`](EventName::PermanentFail) is
    /// unless set `WARN` for a failure that would have been retried but must not be
    /// ([`RetryForbidden`](StopReason::RetryForbidden)), such as a `POST` that was answered with
    /// 503: it is the dependency's, like the one of the `GET` beside it.
    pub fn level(mut self, event: EventName, level: impl Into<Option<Level>>) -> Self {
        let level = level.into();
        if let Some(index) = index(event) {
            self.levels.events[index] = level;
        }
        if event == EventName::PermanentFail {
            self.levels.forbidden = level;
        }
        self
    }

    /// The level of a success after retries. Default: `DEBUG`.
    pub fn recovery_level(mut self, level: impl Into<Option<Level>>) -> Self {
        self.levels.recovery = level.into();
        self
    }

    /// The level of what is told of every attempt when it has ended. Default: `TRACE`.
    pub fn attempt_level(mut self, level: impl Into<Option<Level>>) -> Self {
        self.levels.attempt = level.into();
        self
    }

    /// The level of the spans. Default: `INFO`. Without spans, events are told of in whatever span
    /// is current where the call began.
    pub fn span_level(mut self, level: impl Into<Option<Level>>) -> Self {
        self.levels.span = level.into();
        self
    }

    /// The level of a span for each attempt, below the call's. What the operation does is then
    /// below its attempt, and a trace context that it sends along is the attempt's. Default: none,
    /// and attempts have no spans.
    pub fn attempt_span_level(mut self, level: impl Into<Option<Level>>) -> Self {
        self.levels.attempt_span = level.into();
        self
    }

    /// The observer.
    #[must_use]
    pub fn build(self) -> TracingObserver {
        TracingObserver::new_with(self.levels)
    }
}
