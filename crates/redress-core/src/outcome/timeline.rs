//! The timeline of a call: its events with the time they happened.
//!
//! Owns the recording. Breaker transitions are not in it: they belong to the breaker, not to the
//! call.

use std::fmt;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::outcome::event::EventName;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;
use crate::sync::{Arc, Mutex};

/// One entry of a [`RetryTimeline`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimelineEvent {
    /// The attempt it is about, counted from 1; 0 if none was made.
    pub attempt: u32,
    /// What happened.
    pub event: EventName,
    /// Time since the call began; of `Cancelled`, if its end has no instant, that of the entry
    /// before.
    pub elapsed: Duration,
    /// The delay before the next attempt, of `Retry` and `Scheduled`; else zero.
    pub delay: Duration,
    /// The class of the failure.
    pub error_class: Option<ErrorClass>,
    /// Why the call ended, of terminal events other than `Success` and `Cancelled`.
    pub stop_reason: Option<StopReason>,
    /// What failed.
    pub cause: Option<Cause>,
}

impl fmt::Display for TimelineEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.3}s  #{} {}", self.elapsed.as_secs_f64(), self.attempt, self.event)?;
        if let Some(class) = self.error_class {
            write!(f, " {class}")?;
        }
        if let Some(cause) = self.cause {
            write!(f, " ({cause})")?;
        }
        if matches!(self.event, EventName::Retry | EventName::Scheduled) {
            write!(f, " wait {:.3}s", self.delay.as_secs_f64())?;
        }
        if let Some(reason) = self.stop_reason {
            write!(f, " -> {reason}")?;
        }
        Ok(())
    }
}

/// The recorded events of one call, or of several when the same collector is given to several.
///
/// A call that the breaker rejected has no timeline: nothing happened in it.
///
/// A handle: clones record into, and read from, the same list. It grows by one entry for each
/// attempt.
#[derive(Clone, Default)]
pub struct RetryTimeline {
    events: Arc<Mutex<Vec<TimelineEvent>>>,
}

impl RetryTimeline {
    /// An empty timeline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an entry.
    pub fn add(&self, event: TimelineEvent) {
        self.events.lock().push(event);
    }

    /// The time of the last entry; zero if there is none.
    pub(crate) fn last_elapsed(&self) -> Duration {
        self.events.lock().last().map_or(Duration::ZERO, |event| event.elapsed)
    }

    /// The entries so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<TimelineEvent> {
        self.events.lock().clone()
    }
}

/// One entry a line, for people.
impl fmt::Display for RetryTimeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events().iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

impl fmt::Debug for RetryTimeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.events()).finish()
    }
}
