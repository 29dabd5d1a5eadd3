//! Who is told: observers of the event stream and of attempts.
//!
//! Owns the observer seam and what an attempt hook sees. Nothing an observer does, a panic included, changes a call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::classification::Classification;
use crate::event::Event;
use crate::outcome::Cause;
use crate::stop_reason::StopReason;

/// Hears of everything a policy does: the seam for metrics, logs and traces.
///
/// Closures are observers: `|event: &Event<'_>| println!("{}", event.name)`. An observer runs on the calling thread or task,
/// between the steps of the call, so it should be quick. If it panics the panic is caught and the call goes on (the
/// panic hook has run by then, so the message is not lost).
pub trait Observer: Send + Sync {
    /// Hears of an event.
    fn on_event(&self, event: &Event<'_>);

    /// Hears that an attempt is about to run.
    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }

    /// Hears that an attempt ended and what was decided. Runs once for each attempt that started and came to an end,
    /// before the wait for the next one; an attempt whose future is dropped or whose operation panics has none.
    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        let _ = attempt;
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn on_event(&self, event: &Event<'_>) {
        (**self).on_event(event);
    }

    fn on_attempt_start(&self, attempt: &AttemptContext<'_>) {
        (**self).on_attempt_start(attempt);
    }

    fn on_attempt_end(&self, attempt: &AttemptContext<'_>) {
        (**self).on_attempt_end(attempt);
    }
}

/// What an attempt hook sees.
///
/// The error or value itself is not here: hooks serve policies of every type. Its type name and its classification are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptContext<'a> {
    /// The attempt, counted from 1.
    pub attempt: u32,
    /// The name the caller gave the operation.
    pub operation: Option<&'a str>,
    /// Time since the call began.
    pub elapsed: Duration,
    /// What the classifier made of a failure; none at the start and on success.
    pub classification: Option<&'a Classification>,
    /// What was decided; none at the start.
    pub decision: Option<AttemptDecision>,
    /// Why the call ends, if it does.
    pub stop_reason: Option<StopReason>,
    /// What failed, if something did.
    pub cause: Option<Cause>,
    /// The delay before the next attempt, of `Retry` and `Scheduled`.
    pub sleep: Option<Duration>,
    /// The failed error's type name, if an error failed the attempt.
    pub error_type: Option<&'static str>,
}

/// What becomes of a call after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttemptDecision {
    /// The attempt succeeded.
    Success,
    /// It failed and will be tried again.
    Retry,
    /// It failed and the call ends.
    Raise,
    /// It failed and the retry was deferred.
    Scheduled,
    /// The call was aborted.
    Aborted,
}

impl AttemptDecision {
    /// The decision's name in logs, such as `retry`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Retry => "retry",
            Self::Raise => "raise",
            Self::Scheduled => "scheduled",
            Self::Aborted => "aborted",
        }
    }
}

impl fmt::Display for AttemptDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
