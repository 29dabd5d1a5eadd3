//! The level of each event and span, and the builder that configures them.

use redress_core::{Event, EventName, StopReason};
use tracing::Level;

use crate::observer::TracingObserver;

/// The level of each event and span; `None` disables it.
#[derive(Clone, Debug)]
pub(crate) struct Levels {
    pub(crate) span: Option<Level>,
    pub(crate) attempt_span: Option<Level>,
    pub(crate) attempt: Option<Level>,
    pub(crate) recovery: Option<Level>,
    /// Of a failure whose class is retried, but whose classification forbids the retry.
    pub(crate) forbidden: Option<Level>,
    events: [Option<Level>; EventName::ALL.len()],
}

impl Levels {
    /// The level of an event. Successes after retries and forbidden retries have separate levels.
    pub(crate) fn of(&self, event: &Event<'_>) -> Option<Level> {
        match event.name {
            EventName::Success if event.attempt > 1 => self.recovery,
            EventName::PermanentFail if event.stop_reason == Some(StopReason::RetryForbidden) => self.forbidden,
            name => index(name).and_then(|index| self.events[index]),
        }
    }

    /// The most severe of all levels. If it is disabled, all are.
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

/// At `INFO` and above, a service sees changes. A rejection is not one, because the breaker already
/// reported that it opened; nor is an end that the caller requested.
const fn default_level(name: EventName) -> Level {
    match name {
        EventName::Success => Level::TRACE,
        EventName::Aborted | EventName::Cancelled | EventName::CircuitRejected | EventName::CircuitWouldReject => {
            Level::DEBUG
        }
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

/// Builds a [`TracingObserver`]. Returned by [`TracingObserver::builder`].
///
/// Every method takes a [`Level`], or `None` to disable the event or span.
///
/// ```
/// use redress::EventName;
/// use redress::observe::tracing::TracingObserver;
/// use tracing::Level;
///
/// let observer = TracingObserver::builder()
///     .level(EventName::CircuitRejected, None)
///     .level(EventName::Retry, Level::WARN)
///     .attempt_span_level(Level::DEBUG)
///     .build();
/// # drop(observer);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct TracingObserverBuilder {
    levels: Levels,
}

impl TracingObserverBuilder {
    /// Sets the level of an event. Defaults: `WARN` when retries run out, are not possible or
    /// multiply, and for a circuit that opens; `INFO` for retries, failures that are not retried,
    /// deferred retries, and circuits that recover; `DEBUG` for calls that were aborted, rejected,
    /// dropped or panicked; `TRACE` for a success.
    ///
    /// The level of [`Success`](EventName::Success) applies to a success at the first attempt;
    /// later ones are [recoveries](Self::recovery_level). Setting the level of
    /// [`PermanentFail`](EventName::PermanentFail) also sets the level of a failure whose retry is
    /// forbidden ([`RetryForbidden`](StopReason::RetryForbidden)), such as a 503 to a `POST`. That
    /// one defaults to `WARN`, because the dependency failed as it does for a `GET` that is
    /// retried.
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

    /// Sets the level of a success after retries. Default: `DEBUG`.
    pub fn recovery_level(mut self, level: impl Into<Option<Level>>) -> Self {
        self.levels.recovery = level.into();
        self
    }

    /// Sets the level of the event at the end of each attempt. Default: `TRACE`.
    pub fn attempt_level(mut self, level: impl Into<Option<Level>>) -> Self {
        self.levels.attempt = level.into();
        self
    }

    /// Sets the level of the spans of calls. Default: `INFO`. Without spans, events belong to the
    /// span that is current where the call starts.
    pub fn span_level(mut self, level: impl Into<Option<Level>>) -> Self {
        self.levels.span = level.into();
        self
    }

    /// Sets the level of a span for each attempt, a child of the call's span. Everything the
    /// operation does then belongs to its attempt, and so does a trace context that it sends.
    /// Default: none, so attempts have no spans.
    pub fn attempt_span_level(mut self, level: impl Into<Option<Level>>) -> Self {
        self.levels.attempt_span = level.into();
        self
    }

    /// Builds the observer.
    #[must_use]
    pub fn build(self) -> TracingObserver {
        TracingObserver::new_with(self.levels)
    }
}
