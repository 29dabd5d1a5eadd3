//! The settings of single calls: operation name, hooks, abort, sleep handler, sleeper, timeline.
//!
//! Owns [`CallContext`], the one value that carries them, reusable for many calls. The calls themselves are made by the
//! drivers.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

use crate::engine::Flags;
use crate::outcome::event::Event;
use crate::outcome::observer::{AttemptContext, Observer};
use crate::outcome::timeline::RetryTimeline;
use crate::policy::hooks::{BeforeSleep, Hooks, Sleeper};
use crate::policy::sleep_decision::{HookFuture, SleepDecision};
use crate::strategy::BackoffContext;

/// Where a call's timeline goes.
#[derive(Clone, Default)]
enum Capture {
    #[default]
    Off,
    Fresh,
    Into(RetryTimeline),
}

/// When a single call has to end: after a while, or at an instant. Made from a `Duration` or an `Instant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deadline {
    /// So long after the call begins.
    After(Duration),
    /// At this instant, on the policy's clock.
    At(Instant),
}

impl Deadline {
    /// What is left of it in a call that has taken `elapsed` by `now`; zero at it.
    pub(crate) fn left(self, elapsed: Duration, now: Instant) -> Duration {
        match self {
            Self::After(time) => time.saturating_sub(elapsed),
            Self::At(instant) => instant.saturating_duration_since(now),
        }
    }
}

impl From<Duration> for Deadline {
    fn from(time: Duration) -> Self {
        Self::After(time)
    }
}

impl From<Instant> for Deadline {
    fn from(instant: Instant) -> Self {
        Self::At(instant)
    }
}

/// What one call may set for itself.
#[derive(Default)]
pub(crate) struct CallSettings<'h> {
    pub(crate) hooks: Hooks<'h>,
    pub(crate) flags: Flags,
    pub(crate) deadline: Option<Deadline>,
    capture: Capture,
}

impl CallSettings<'_> {
    /// The timeline a run records into.
    pub(crate) fn timeline_for_run(&self) -> Option<RetryTimeline> {
        match &self.capture {
            Capture::Off => None,
            Capture::Fresh => Some(RetryTimeline::new()),
            Capture::Into(timeline) => Some(timeline.clone()),
        }
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.update_flags();
    }

    fn update_flags(&mut self) {
        let timeline = if matches!(self.capture, Capture::Off) { Flags::NONE } else { Flags::TIMELINE };
        let deadline = if self.deadline.is_some() { Flags::CALL_DEADLINE } else { Flags::NONE };
        self.flags = Flags::of_hooks(&self.hooks).with(timeline).with(deadline);
    }
}

/// A policy with settings for single calls. Made by `policy.context()` or `policy.operation(name)`; makes calls, as many as
/// you like, with `call` and `execute`, like the policy itself.
///
/// Hooks may borrow (the futures that asynchronous ones return may not). They run on the calling thread or task, between the steps of the call, and a panic in one is caught
/// and changes nothing. Setting a hook allocates its box, once for the context.
///
/// ```
/// use std::io;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::time::{Duration, Instant};
/// use redress::{Policy, Retry, fixed};
///
/// let policy = Policy::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO))).build()?;
/// let shutdown = AtomicBool::new(false);
/// let sync = policy
///     .operation("sync_user")
///     .abort_if(|| shutdown.load(Ordering::Relaxed))
///     .on_metric(|event| println!("{} attempt {}", event.name, event.attempt));
/// for user in ["ada", "grace"] {
///     let outcome = sync.execute(|| Ok::<_, io::Error>(user.len()));
///     assert!(outcome.is_ok());
/// }
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use = "a context does nothing until it makes a call"]
pub struct CallContext<'a, P> {
    pub(crate) policy: &'a P,
    pub(crate) settings: CallSettings<'a>,
}

impl<'a, P> CallContext<'a, P> {
    pub(crate) fn new(policy: &'a P) -> Self {
        Self { policy, settings: CallSettings::default() }
    }

    /// The policy these settings are for.
    #[must_use]
    pub const fn policy(&self) -> &'a P {
        self.policy
    }

    fn set(mut self, change: impl FnOnce(&mut CallSettings<'a>)) -> Self {
        self.settings.change(change);
        self
    }

    /// Names the operation, for events and hooks. Keep names low-cardinality: `GET /users/{id}`, not the id.
    pub fn operation(self, name: impl Into<Cow<'a, str>>) -> Self {
        self.set(|settings| settings.hooks.operation = Some(name.into()))
    }

    /// Gives each call a deadline, as a `Duration` from its beginning or as an `Instant`: what the caller has left. The
    /// policy's own deadline stays; whichever is earlier ends the call. A call whose deadline has passed makes no attempt.
    ///
    /// ```
    /// use std::io;
    /// use std::time::Duration;
    /// use redress::{Policy, StopReason};
    ///
    /// let policy = Policy::builder().build()?;
    /// let late = policy.context().deadline(Duration::ZERO).execute(|| Ok::<_, io::Error>(()));
    /// assert_eq!((late.stop_reason(), late.attempts()), (Some(StopReason::DeadlineExceeded), 0));
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn deadline(self, deadline: impl Into<Deadline>) -> Self {
        self.set(|settings| settings.deadline = Some(deadline.into()))
    }

    /// Adds a hook that sees every event, for metrics. Several may be added.
    pub fn on_metric(self, hook: impl Fn(&Event<'_>) + Send + Sync + 'a) -> Self {
        self.observer(hook)
    }

    /// Adds a hook that sees every event, for logs: the same events as [`on_metric`](Self::on_metric), in the same order.
    pub fn on_log(self, hook: impl Fn(&Event<'_>) + Send + Sync + 'a) -> Self {
        self.observer(hook)
    }

    /// Adds an observer of events and attempts, beside the policy's own.
    pub fn observer(self, observer: impl Observer + 'a) -> Self {
        self.set(|settings| settings.hooks.observers.push(Box::new(observer)))
    }

    /// Sets the predicate that ends the call when it answers true. It is asked before the breaker is touched, after each failed
    /// attempt, after each `retry` event and before each further attempt. One that panics reads as false.
    pub fn abort_if(self, predicate: impl Fn() -> bool + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.abort_if = Some(Box::new(predicate)))
    }

    /// Sets the handler that decides what becomes of a granted retry: sleep, defer or abort. It sees the whole delay, and
    /// the time left in the context. One that panics reads as [`SleepDecision::Sleep`]. Replaces the policy's.
    pub fn sleep(self, handler: impl Fn(&BackoffContext<'_>, Duration) -> SleepDecision + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.sleep = Some(Box::new(handler)))
    }

    /// Sets a hook that runs right before each actual wait, a wait of zero included. Replaces the policy's.
    pub fn before_sleep(self, hook: impl Fn(&BackoffContext<'_>, Duration) + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.before_sleep = Some(BeforeSleep::Blocking(Box::new(hook))))
    }

    /// Sets a hook that runs before each attempt. Replaces the policy's.
    pub fn on_attempt_start(self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.on_attempt_start = Some(Box::new(hook)))
    }

    /// Sets a hook that runs when an attempt has ended and its decision is known, before any wait. Replaces the policy's.
    pub fn on_attempt_end(self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.on_attempt_end = Some(Box::new(hook)))
    }

    /// Records each call's events into a timeline of its own, found in the outcome of `execute`. A call that the breaker
    /// rejected has none.
    pub fn capture_timeline(self) -> Self {
        self.set(|settings| settings.capture = Capture::Fresh)
    }

    /// Records the events of all calls into `timeline`, also those of `call`.
    pub fn capture_timeline_into(self, timeline: &RetryTimeline) -> Self {
        self.set(|settings| settings.capture = Capture::Into(timeline.clone()))
    }

    pub(crate) fn set_sleeper(self, sleeper: Sleeper<'a>) -> Self {
        self.set(|settings| settings.hooks.sleeper = Some(sleeper))
    }

    pub(crate) fn set_before_sleep_async(
        self,
        hook: impl Fn(&BackoffContext<'_>, Duration) -> HookFuture + Send + Sync + 'a,
    ) -> Self {
        self.set(|settings| settings.hooks.before_sleep = Some(BeforeSleep::Async(Box::new(hook))))
    }
}

impl<P> fmt::Debug for CallContext<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext").field("operation", &self.settings.hooks.operation).finish_non_exhaustive()
    }
}
