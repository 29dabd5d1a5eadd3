//! [`RetryTimeline`], the recorded events of a call with their times. Breaker transitions are not
//! recorded: they belong to the breaker, not to the call.

use std::fmt;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::outcome::decision::Decision;
use crate::outcome::event::EventName;
use crate::outcome::explanation::Explanation;
use crate::outcome::failure::Cause;
use crate::outcome::stop_reason::StopReason;
use crate::sync::{Arc, Mutex};

/// One entry of a [`RetryTimeline`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimelineEvent {
    /// The number of the attempt, from 1; 0 if there was no attempt.
    pub attempt: u32,
    /// What happened.
    pub event: EventName,
    /// Time since the start of the call. For a `Cancelled` call whose end has no timestamp, the
    /// time of the entry before.
    pub elapsed: Duration,
    /// The delay before the next attempt, for `Retry` and `Scheduled`; else zero.
    pub delay: Duration,
    /// The class of the failure.
    pub error_class: Option<ErrorClass>,
    /// Why the call ended, for terminal events other than `Success` and `Cancelled`.
    pub stop_reason: Option<StopReason>,
    /// The kind of the failure.
    pub cause: Option<Cause>,
    /// The gate that ended the call, or cut the attempt, and what it compared.
    pub decision: Option<Decision>,
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

/// The recorded events of one call, or of several calls that share a collector.
///
/// A call that the breaker rejected has no timeline.
///
/// Clones share one list, which grows by one entry per attempt.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use std::time::Duration;
/// use redress::{EventName, Policy, Retry, fixed};
///
/// let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2);
/// let policy = Policy::builder().retry(retry).build()?;
/// let load = policy.operation("load").capture_timeline();
/// let outcome = load.execute(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
/// let timeline = outcome.timeline().expect("captured");
/// println!("{timeline}");
/// let names: Vec<_> = timeline.events().iter().map(|event| event.event).collect();
/// assert_eq!(names, [EventName::Retry, EventName::MaxAttemptsExceeded]);
/// # Ok::<(), redress::ConfigError>(())
/// ```
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

    /// The time of the last entry, or zero.
    pub(crate) fn last_elapsed(&self) -> Duration {
        self.events.lock().last().map_or(Duration::ZERO, |event| event.elapsed)
    }

    /// Why the call ended as it did, of a call that was dropped too. If several calls share the
    /// timeline, the explanation is about the one that wrote the last entry, and has the steps of
    /// all of them.
    ///
    /// ```
    /// use redress::{Policy, RetryTimeline};
    ///
    /// let (policy, timeline) = (Policy::default(), RetryTimeline::new());
    /// let load = policy.operation("load").capture_timeline_into(&timeline);
    /// load.call(|| Ok::<_, std::io::Error>(7))?;
    /// assert!(timeline.explain().to_string().starts_with("the call succeeded."));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn explain(&self) -> Explanation {
        Explanation::of_timeline(self)
    }

    /// The entries so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<TimelineEvent> {
        self.events.lock().clone()
    }
}

/// One line per entry.
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
