//! The settings of single calls: operation name, hooks, abort, sleep handler, deadline, timeline.
//!
//! Owns [`CallContext`], the one value that carries them, reusable for many calls. The calls
//! themselves are made by the drivers; the settings by themselves are `settings.rs`.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::outcome::event::Event;
use crate::outcome::observer::{AttemptContext, Observer};
use crate::outcome::timeline::RetryTimeline;
use crate::policy::abort_handle::AbortHandle;
use crate::policy::hooks::{BeforeSleep, Capture, Sleeper};
use crate::policy::retry_notice::{NoRetryHook, OnRetry, RetryNotice};
use crate::policy::settings::{CallSettings, Deadline};
use crate::policy::sleep_decision::SleepDecision;
use crate::strategy::BackoffContext;

/// A policy with settings for single calls. Made by `policy.context()` or `policy.operation(name)`;
/// makes calls, as many as you like, with `call` and `execute`, like the policy itself.
///
/// Hooks may borrow (the futures that asynchronous ones return may not). They run on the calling
/// thread or task, between the steps of the call, and a panic in one is caught and changes nothing.
/// Setting a hook allocates its box, once for the context.
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
/// Without a policy it is made by [`CallContext::new`], for integrations and for
/// [`PollCall::context`](crate::driver::PollCall::context). `N` is the hook of
/// [`on_retry`](Self::on_retry), if there is one.
#[must_use = "a context does nothing until it makes a call"]
pub struct CallContext<'a, P, N = NoRetryHook> {
    pub(crate) policy: &'a P,
    pub(crate) settings: CallSettings<'a>,
    pub(crate) on_retry: N,
}

impl<'a> CallContext<'a, ()> {
    /// Settings without a policy, for what makes its calls elsewhere: an integration's layer or
    /// request.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::{AbortHandle, CallContext};
    ///
    /// let shutdown = AbortHandle::new();
    /// let context = CallContext::new().operation("sync_user").deadline(Duration::from_secs(2)).abort_on(&shutdown);
    /// # let _ = context;
    /// ```
    pub fn new() -> Self {
        Self::of(&())
    }
}

impl Default for CallContext<'_, ()> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a, P> CallContext<'a, P> {
    /// Settings for calls through any [`Caller`](crate::Caller); what
    /// [`Policy::context`](crate::Policy::context) is to a policy. For code with callers of several
    /// types, for which the compiler cannot tell whose `context` is meant.
    pub fn of(policy: &'a P) -> Self {
        Self { policy, settings: CallSettings::default(), on_retry: NoRetryHook::new() }
    }
}

impl<'a, P, N> CallContext<'a, P, N> {
    /// The policy these settings are for.
    #[must_use]
    pub const fn policy(&self) -> &'a P {
        self.policy
    }

    /// What is set so far.
    #[must_use]
    pub const fn settings(&self) -> &CallSettings<'a> {
        &self.settings
    }

    fn set(mut self, change: impl FnOnce(&mut CallSettings<'a>)) -> Self {
        self.settings.change(change);
        self
    }

    /// Puts these settings within others, such as those of one request within its client's: all
    /// deadlines and abort handles hold, both abort predicates are asked, observers of both hear,
    /// and of the rest these are taken where they are set.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::{AbortHandle, CallContext};
    ///
    /// let shutdown = AbortHandle::new();
    /// let of_the_client = CallContext::new().operation("orders").abort_on(&shutdown);
    /// let context = CallContext::new().deadline(Duration::from_secs(2)).within(of_the_client.settings());
    /// assert_eq!(context.settings().operation(), Some("orders"));
    /// shutdown.abort();
    /// assert!(context.settings().is_aborted());
    /// ```
    pub fn within(self, outer: &CallSettings<'a>) -> Self {
        Self { settings: self.settings.over(outer), ..self }
    }

    /// Names the operation, for events and hooks. Keep names low-cardinality: `GET /users/{id}`,
    /// not the id.
    pub fn operation(self, name: impl Into<Cow<'a, str>>) -> Self {
        self.set(|settings| settings.hooks.operation = Some(name.into()))
    }

    /// Gives each call a deadline, as a `Duration` from its beginning or as an `Instant`: what the
    /// caller has left. The policy's own deadline stays; whichever is earlier ends the call. A call
    /// whose deadline has passed makes no attempt.
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
        self.set(|settings| settings.deadlines = vec![deadline.into()])
    }

    /// Adds a hook that sees every event, for metrics. Several may be added.
    pub fn on_metric(self, hook: impl Fn(&Event<'_>) + Send + Sync + 'a) -> Self {
        self.observer(hook)
    }

    /// Adds a hook that sees every event, for logs: the same events as
    /// [`on_metric`](Self::on_metric), in the same order.
    pub fn on_log(self, hook: impl Fn(&Event<'_>) + Send + Sync + 'a) -> Self {
        self.observer(hook)
    }

    /// Adds an observer of events and attempts, beside the policy's own.
    pub fn observer(self, observer: impl Observer + 'a) -> Self {
        self.set(|settings| settings.hooks.observers.push(Arc::new(observer)))
    }

    /// Sets the predicate that ends the call when it answers true. It is asked before the breaker
    /// is touched, after each failed attempt, after each `retry` event and before each further
    /// attempt. One that panics reads as false. The policy's own is asked too. To end waits and
    /// running attempts as well, use [`abort_on`](Self::abort_on).
    pub fn abort_if(self, predicate: impl Fn() -> bool + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.abort_if = Some(Arc::new(predicate)))
    }

    /// Ends the call when this handle is aborted: a wait or an asynchronous attempt under way at
    /// once, see [`AbortHandle`]. Several may be added, and the policy's own hold too.
    ///
    /// ```
    /// use std::io;
    /// use std::time::Duration;
    /// use redress::{AbortHandle, Policy, Retry, StopReason, fixed};
    ///
    /// let policy = Policy::builder().retry(Retry::builder().strategy(fixed(Duration::from_secs(30)))).build()?;
    /// let gave_up = AbortHandle::new();
    /// let outcome = policy
    ///     .context()
    ///     .abort_on(&gave_up)
    ///     .before_sleep(|_, _| gave_up.abort())
    ///     .execute(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionRefused)));
    /// assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 1));
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn abort_on(self, handle: &AbortHandle) -> Self {
        self.set(|settings| settings.hooks.aborts.push(handle.clone()))
    }

    /// Sets the handler that decides what becomes of a granted retry: sleep, defer or abort. It
    /// sees the whole delay, and the time left in the context. One that panics reads as
    /// [`SleepDecision::Sleep`]. Replaces the policy's.
    pub fn sleep_handler(
        self,
        handler: impl Fn(&BackoffContext<'_>, Duration) -> SleepDecision + Send + Sync + 'a,
    ) -> Self {
        self.set(|settings| settings.hooks.sleep = Some(Arc::new(handler)))
    }

    /// Sets a hook that runs right before each actual wait, a wait of zero included. Replaces the
    /// policy's.
    pub fn before_sleep(self, hook: impl Fn(&BackoffContext<'_>, Duration) + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.before_sleep = Some(BeforeSleep::Blocking(Arc::new(hook))))
    }

    /// Sets a hook that sees the failure with its type and the wait to come, before each wait: for
    /// the line that says what goes wrong. It runs after [`before_sleep`](Self::before_sleep), and
    /// only in calls whose errors are `E`s. Replaces one that was set before.
    ///
    /// ```
    /// use std::io;
    /// use std::time::Duration;
    /// use redress::{Policy, Retry, fixed};
    ///
    /// let policy = Policy::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2)).build()?;
    /// let outcome = policy
    ///     .operation("fetch")
    ///     .on_retry(|retry| eprintln!("{retry}")) // connection refused; again at once
    ///     .execute(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionRefused)));
    /// assert_eq!(outcome.attempts(), 2);
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    ///
    /// A closure that calls the error's own methods has to name its type:
    /// `|retry: &RetryNotice<'_, io::Error>| ..`.
    pub fn on_retry<E, H>(self, hook: H) -> CallContext<'a, P, OnRetry<E, H>>
    where
        H: Fn(&RetryNotice<'_, E>),
    {
        let Self { policy, settings, .. } = self.set(|settings| settings.has_retry_hook = true);
        CallContext { policy, settings, on_retry: OnRetry::new(hook) }
    }

    /// Sets a hook that runs before each attempt. Replaces the policy's.
    pub fn on_attempt_start(self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.on_attempt_start = Some(Arc::new(hook)))
    }

    /// Sets a hook that runs when an attempt has ended and its decision is known, before any wait.
    /// Replaces the policy's.
    pub fn on_attempt_end(self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.on_attempt_end = Some(Arc::new(hook)))
    }

    /// Records each call's events into a timeline of its own, found in the outcome of `execute`. A
    /// call that the breaker rejected has none. Replaces the policy's capture.
    pub fn capture_timeline(self) -> Self {
        self.set(|settings| settings.hooks.capture = Capture::Fresh)
    }

    /// Records the events of all calls into `timeline`, also those of `call`. Replaces the policy's
    /// capture.
    pub fn capture_timeline_into(self, timeline: &RetryTimeline) -> Self {
        self.set(|settings| settings.hooks.capture = Capture::Into(timeline.clone()))
    }

    pub(crate) fn set_sleeper(self, sleeper: Sleeper<'a>) -> Self {
        self.set(|settings| settings.hooks.sleeper = Some(sleeper))
    }

    pub(crate) fn set_before_sleep_async<Fut>(
        self,
        hook: impl Fn(&BackoffContext<'_>, Duration) -> Fut + Send + Sync + 'a,
    ) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        let hook = move |context: &BackoffContext<'_>, delay| Box::pin(hook(context, delay)) as _;
        self.set(|settings| settings.hooks.before_sleep = Some(BeforeSleep::Async(Arc::new(hook))))
    }

    pub(crate) fn set_async_sleeper<Fut>(self, sleeper: impl Fn(Duration) -> Fut + Send + Sync + 'a) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_sleeper(Sleeper::Async(Arc::new(move |delay| Box::pin(sleeper(delay)))))
    }
}

/// What a context of an [`AsyncPolicy`](crate::AsyncPolicy) can set besides.
impl<'a, N> CallContext<'a, (), N> {
    /// Sets what waits instead of the timer between attempts of an asynchronous call. It is asked
    /// to wait zero, too. Replaces the policy's.
    pub fn sleep_with<Fut>(self, sleeper: impl Fn(Duration) -> Fut + Send + Sync + 'a) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_async_sleeper(sleeper)
    }

    /// Sets a hook before each wait of an asynchronous call that is awaited. Replaces the policy's.
    pub fn before_sleep_async<Fut>(self, hook: impl Fn(&BackoffContext<'_>, Duration) -> Fut + Send + Sync + 'a) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_before_sleep_async(hook)
    }
}

impl<P, N: Clone> Clone for CallContext<'_, P, N> {
    fn clone(&self) -> Self {
        Self { policy: self.policy, settings: self.settings.clone(), on_retry: self.on_retry.clone() }
    }
}

impl<P, N> fmt::Debug for CallContext<'_, P, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext").field("operation", &self.settings.hooks.operation).finish_non_exhaustive()
    }
}
