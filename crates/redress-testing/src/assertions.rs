//! Assertions on outcomes and timelines. A failed one prints the expected and actual values, and
//! the timeline as the reason.

use std::fmt::{self, Debug, Display};
use std::time::Duration;

use redress_core::observe::TimelineEvent;
use redress_core::{Cause, ErrorClass, EventName, RetryOutcome, RetryTimeline, StopReason};

/// Starts a chain of assertions on an outcome. Each method asserts one thing; the first one that
/// fails panics with the expected value, the actual value and the timeline.
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use redress::{ErrorClass, EventName, Policy, Retry, StopReason, fixed};
/// use redress::testing::{VirtualClock, assert_outcome};
///
/// let clock = VirtualClock::new();
/// let policy = Policy::builder()
///     .retry(Retry::builder().strategy(fixed(Duration::from_secs(2))).max_attempts(2))
///     .clock(clock.clone())
///     .sleep_with(clock.sleeper())
///     .build()?;
///
/// let outcome = policy
///     .context()
///     .capture_timeline()
///     .execute(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset)));
/// assert_outcome(&outcome)
///     .stopped_for(StopReason::MaxAttempts)
///     .after_attempts(2)
///     .with_class(ErrorClass::Transient)
///     .in_time(Duration::from_secs(2))
///     .has_events([EventName::Retry, EventName::MaxAttemptsExceeded]);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use = "nothing is asserted until a method is called"]
pub const fn assert_outcome<T, E>(outcome: &RetryOutcome<T, E>) -> OutcomeAssertion<'_, T, E> {
    OutcomeAssertion { outcome }
}

/// Starts a chain of assertions on a timeline, which several calls may have recorded into.
///
/// ```
/// use std::io;
/// use redress::{EventName, Policy, RetryTimeline};
/// use redress::testing::assert_timeline;
///
/// let timeline = RetryTimeline::new();
/// let policy = Policy::builder().build()?;
/// policy.context().capture_timeline_into(&timeline).call(|| Ok::<_, io::Error>(1))?;
/// assert_timeline(&timeline).has_events([EventName::Success]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is asserted until a method is called"]
pub const fn assert_timeline(timeline: &RetryTimeline) -> TimelineAssertion<'_> {
    TimelineAssertion { timeline }
}

/// An assertion on an outcome. Returned by [`assert_outcome`].
///
/// # Panics
///
/// Every method panics if its assertion fails.
pub struct OutcomeAssertion<'a, T, E> {
    outcome: &'a RetryOutcome<T, E>,
}

/// An assertion on a timeline. Returned by [`assert_timeline`].
///
/// # Panics
///
/// Every method panics if its assertion fails.
#[derive(Clone, Copy, Debug)]
pub struct TimelineAssertion<'a> {
    timeline: &'a RetryTimeline,
}

#[expect(clippy::must_use_candidate, reason = "the assertion is the point; what is returned is for the next one")]
impl<'a, T, E> OutcomeAssertion<'a, T, E> {
    /// Asserts that the call succeeded.
    #[track_caller]
    pub fn is_ok(self) -> Self {
        self.compare("stop reason", &self.outcome.stop_reason(), &None)
    }

    /// Asserts that the call succeeded with this value.
    #[track_caller]
    pub fn has_value<V: Debug>(self, value: V) -> Self
    where
        T: Debug + PartialEq<V>,
    {
        let actual = self.outcome.value();
        let holds = actual.is_some_and(|actual| *actual == value);
        self.check(holds, "value", &actual, &Some(value))
    }

    /// Asserts that the call stopped for this reason.
    #[track_caller]
    pub fn stopped_for(self, reason: StopReason) -> Self {
        self.compare("stop reason", &self.outcome.stop_reason(), &Some(reason))
    }

    /// Asserts the number of attempts started.
    #[track_caller]
    pub fn after_attempts(self, attempts: u32) -> Self {
        self.compare("number of attempts", &self.outcome.attempts(), &attempts)
    }

    /// Asserts the class of the last failure.
    #[track_caller]
    pub fn with_class(self, class: ErrorClass) -> Self {
        self.compare("last class", &self.outcome.last_class(), &Some(class))
    }

    /// Asserts the cause of the last failure.
    #[track_caller]
    pub fn with_cause(self, cause: Cause) -> Self {
        self.compare("cause", &self.outcome.cause(), &Some(cause))
    }

    /// Asserts that the call took exactly this long, which is reliable on a virtual clock.
    #[track_caller]
    pub fn in_time(self, elapsed: Duration) -> Self {
        self.compare("elapsed time", &self.outcome.elapsed(), &elapsed)
    }

    /// Asserts that the call took at most this long.
    #[track_caller]
    pub fn within(self, limit: Duration) -> Self {
        let elapsed = self.outcome.elapsed();
        self.check(elapsed <= limit, "elapsed time", &elapsed, &format_args!("at most {limit:?}"))
    }

    /// Asserts that the retry was deferred by this long.
    #[track_caller]
    pub fn deferred_for(self, delay: Duration) -> Self {
        self.compare("next delay", &self.outcome.next_delay(), &Some(delay))
    }

    /// Asserts the events of the timeline; see [`TimelineAssertion::has_events`].
    #[track_caller]
    pub fn has_events(self, events: impl IntoIterator<Item = EventName>) -> Self {
        self.timeline().has_events(events);
        self
    }

    /// Asserts the delays of the timeline; see [`TimelineAssertion::has_sleeps`].
    #[track_caller]
    pub fn has_sleeps(self, sleeps: impl IntoIterator<Item = Duration>) -> Self {
        self.timeline().has_sleeps(sleeps);
        self
    }

    /// Returns an assertion on the outcome's timeline.
    ///
    /// # Panics
    ///
    /// Panics if the timeline was not captured.
    #[track_caller]
    #[must_use = "nothing is asserted of the timeline until a method is called"]
    pub fn timeline(&self) -> TimelineAssertion<'a> {
        match self.outcome.timeline() {
            Some(timeline) => assert_timeline(timeline),
            None => panic!("the outcome has no timeline\n   outcome: {}\n{NOT_CAPTURED}", Summary(self.outcome)),
        }
    }

    #[track_caller]
    fn compare<V: Debug + PartialEq>(self, what: &str, actual: &V, expected: &V) -> Self {
        self.check(actual == expected, what, actual, expected)
    }

    #[track_caller]
    fn check(self, holds: bool, what: &str, actual: &dyn Debug, expected: &dyn Debug) -> Self {
        let outcome = self.outcome;
        assert!(
            holds,
            "the outcome's {what} is not as expected\n{}   outcome: {}\n{}",
            Difference { expected, actual },
            Summary(outcome),
            Timeline(outcome.timeline()),
        );
        self
    }
}

impl TimelineAssertion<'_> {
    /// Asserts exactly these events, in order.
    #[track_caller]
    pub fn has_events(self, events: impl IntoIterator<Item = EventName>) -> Self {
        self.compare("events", |event| Some(event.event), events)
    }

    /// Asserts the delays of the `retry` events, in order.
    #[track_caller]
    pub fn has_sleeps(self, sleeps: impl IntoIterator<Item = Duration>) -> Self {
        self.compare("delays", |event| (event.event == EventName::Retry).then_some(event.delay), sleeps)
    }

    /// Asserts the time of each event since the start of its call, in order.
    #[track_caller]
    pub fn has_times(self, times: impl IntoIterator<Item = Duration>) -> Self {
        self.compare("times", |event| Some(event.elapsed), times)
    }

    #[track_caller]
    fn compare<V: Debug + PartialEq>(
        self,
        what: &str,
        pick: impl Fn(&TimelineEvent) -> Option<V>,
        expected: impl IntoIterator<Item = V>,
    ) -> Self {
        let actual: Vec<V> = self.timeline.events().iter().filter_map(pick).collect();
        let expected: Vec<V> = expected.into_iter().collect();
        assert!(
            actual == expected,
            "the timeline's {what} are not as expected\n{}{}",
            Difference { expected: &expected, actual: &actual },
            Timeline(Some(self.timeline)),
        );
        self
    }
}

impl<T, E> Clone for OutcomeAssertion<'_, T, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, E> Copy for OutcomeAssertion<'_, T, E> {}

impl<T, E> Debug for OutcomeAssertion<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutcomeAssertion({})", Summary(self.outcome))
    }
}

const NOT_CAPTURED: &str = "  timeline: not captured; make the call through `policy.context().capture_timeline()` to see \
                            it here (a call that the breaker rejected has none)";

struct Difference<'a> {
    expected: &'a dyn Debug,
    actual: &'a dyn Debug,
}

impl Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  expected: {:?}\n    actual: {:?}", self.expected, self.actual)
    }
}

/// Prints an outcome in one line. The value and the error are omitted, because they need not
/// implement `Debug`.
struct Summary<'a, T, E>(&'a RetryOutcome<T, E>);

impl<T, E> Display for Summary<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.0;
        match outcome.stop_reason() {
            None => f.write_str("success")?,
            Some(reason) => write!(f, "stopped for {reason:?}")?,
        }
        write!(f, ", attempts: {}, elapsed: {:?}", outcome.attempts(), outcome.elapsed())?;
        if let Some(class) = outcome.last_class() {
            write!(f, ", last class: {class:?}")?;
        }
        if let Some(cause) = outcome.cause() {
            write!(f, ", cause: {cause:?}")?;
        }
        if let Some(rejection) = outcome.rejection() {
            write!(f, ", {rejection}")?;
            if let Some(wait) = rejection.retry_in() {
                write!(f, ", next probe in {wait:?}")?;
            }
        }
        Ok(())
    }
}

struct Timeline<'a>(Option<&'a RetryTimeline>);

impl Display for Timeline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(timeline) = self.0 else { return f.write_str(NOT_CAPTURED) };
        let events = timeline.events();
        if events.is_empty() {
            return f.write_str("  timeline: no events");
        }
        f.write_str("  timeline:")?;
        events.iter().try_for_each(|event| write!(f, "\n    {event}"))
    }
}
