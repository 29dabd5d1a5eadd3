//! [`CallContext`]: settings of single calls, such as the operation name, hooks, aborts and a
//! deadline, reusable for many calls. The settings without a policy are in `settings.rs`; the calls
//! are in `drive/`.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::budget::Priority;
use crate::outcome::event::Event;
use crate::outcome::observer::{AttemptContext, Observer};
use crate::outcome::timeline::RetryTimeline;
use crate::policy::abort_handle::AbortHandle;
use crate::policy::hooks::{BeforeSleep, Capture, Sleeper};
use crate::policy::retry_notice::{NoRetryHook, OnRetry, RetryNotice};
use crate::policy::settings::{CallSettings, Deadline};
use crate::policy::sleep_decision::SleepDecision;
use crate::strategy::BackoffContext;

/// A policy with settings for single calls. Returned by `policy.context()` and
/// `policy.operation(name)`. Its `call` and `execute` work like those of the policy and can be used
/// any number of times.
///
/// Hooks may borrow; the futures that asynchronous hooks return may not. Hooks run on the calling
/// thread or task, between the steps of the call. A panic in a hook is caught and changes nothing.
/// Setting a hook allocates once per context.
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
///
/// [`CallContext::new`] makes a context without a policy, for integrations and for
/// [`BoxedContext`](crate::driver::BoxedContext). `N` is the hook set with
/// [`on_retry`](Self::on_retry).
#[must_use = "a context does nothing until it makes a call"]
pub struct CallContext<'a, P, N = NoRetryHook> {
    pub(crate) policy: &'a P,
    pub(crate) settings: CallSettings<'a>,
    pub(crate) on_retry: N,
}

impl<'a> CallContext<'a, ()> {
    /// Returns a context without a policy, to pass to something that makes the calls, such as an
    /// integration's layer or request.
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
    /// Returns a context for any [`Caller`](crate::Caller), like
    /// [`Policy::context`](crate::Policy::context). For code with callers of several types, where a
    /// call of `context` is ambiguous to the compiler.
    pub fn of(policy: &'a P) -> Self {
        Self { policy, settings: CallSettings::default(), on_retry: NoRetryHook::new() }
    }
}

impl<'a, P, N> CallContext<'a, P, N> {
    /// The policy that the calls go through.
    #[must_use]
    pub const fn policy(&self) -> &'a P {
        self.policy
    }

    /// The settings made so far.
    #[must_use]
    pub const fn settings(&self) -> &CallSettings<'a> {
        &self.settings
    }

    pub(crate) fn set(mut self, change: impl FnOnce(&mut CallSettings<'a>)) -> Self {
        self.settings.change(change);
        self
    }

    /// Nests these settings in others, such as a request's settings in those of its client. All
    /// deadlines, abort handles, abort predicates and observers of both apply. Of any other setting
    /// the inner one wins if it is set.
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

    /// Names the operation in events and hooks. Keep the number of names small: `GET /users/{id}`,
    /// without the id.
    pub fn operation(self, name: impl Into<Cow<'a, str>>) -> Self {
        self.set(|settings| settings.hooks.operation = Some(name.into()))
    }

    /// Gives each call a deadline: a `Duration` from its start, or an `Instant`. The policy's
    /// deadline still applies, and the earlier of the two ends the call. A call whose deadline has
    /// passed makes no attempt.
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

    /// Sets how far the retries of each call may draw down an [earned budget](crate::Budget::earned).
    /// Default: [`Priority::Normal`].
    ///
    /// ```
    /// use std::io;
    /// use redress::{Budget, Policy, Retry, StopReason, decorrelated_jitter};
    /// use redress::budget::Priority;
    ///
    /// let budget = Budget::earned(0.1).capacity(4.0).build()?;
    /// assert!(budget.consume() && budget.consume()); // half is left
    /// let policy = Policy::builder().retry(Retry::builder().strategy(decorrelated_jitter()).budget(budget)).build()?;
    /// let refresh = policy.context().priority(Priority::Background);
    /// let outcome = refresh.execute(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset)));
    /// assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::BudgetExhausted), 1));
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn priority(self, priority: Priority) -> Self {
        self.set(|settings| settings.priority = Some(priority))
    }

    /// Adds a hook that receives every event, for metrics. Call it again to add more.
    pub fn on_metric(self, hook: impl Fn(&Event<'_>) + Send + Sync + 'a) -> Self {
        self.observer(hook)
    }

    /// Adds a hook that receives every event, for logs: the same events as
    /// [`on_metric`](Self::on_metric), in the same order.
    pub fn on_log(self, hook: impl Fn(&Event<'_>) + Send + Sync + 'a) -> Self {
        self.observer(hook)
    }

    /// Adds an observer of events and attempts, in addition to the policy's observers.
    pub fn observer(self, observer: impl Observer + 'a) -> Self {
        self.set(|settings| settings.hooks.observers.push(Arc::new(observer)))
    }

    /// Sets the predicate that aborts the call when it returns `true`. It is checked before the
    /// breaker admits the call, after each failed attempt, after each `retry` event and before each
    /// further attempt. A panic counts as `false`. The policy's predicate is checked too. To
    /// interrupt waits and running attempts as well, use [`abort_on`](Self::abort_on).
    pub fn abort_if(self, predicate: impl Fn() -> bool + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.abort_if = Some(Arc::new(predicate)))
    }

    /// Aborts the call when `handle` is aborted. This interrupts a wait or a running asynchronous
    /// attempt; see [`AbortHandle`]. Call it again to add more; the policy's handles apply too.
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

    /// Sets the handler that decides how a granted retry continues: sleep, defer or abort. It
    /// receives the full delay, and in the context the time left. A panic counts as
    /// [`SleepDecision::Sleep`]. Replaces the policy's handler.
    pub fn sleep_handler(
        self,
        handler: impl Fn(&BackoffContext<'_>, Duration) -> SleepDecision + Send + Sync + 'a,
    ) -> Self {
        self.set(|settings| settings.hooks.sleep = Some(Arc::new(handler)))
    }

    /// Sets a hook that runs right before each wait, zero waits included. Replaces the policy's
    /// hook.
    pub fn before_sleep(self, hook: impl Fn(&BackoffContext<'_>, Duration) + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.before_sleep = Some(BeforeSleep::Blocking(Arc::new(hook))))
    }

    /// Sets a hook that receives the typed error and the upcoming wait, before each wait, for
    /// instance to log it. It runs after [`before_sleep`](Self::before_sleep). The context then
    /// makes only calls whose error type is `E`. Replaces a hook set before.
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
    /// A closure that calls methods of the error must name its type:
    /// `|retry: &RetryNotice<'_, io::Error>| ..`.
    pub fn on_retry<E, H>(self, hook: H) -> CallContext<'a, P, OnRetry<E, H>>
    where
        H: Fn(&RetryNotice<'_, E>),
    {
        let Self { policy, settings, .. } = self.set(|settings| settings.has_retry_hook = true);
        CallContext { policy, settings, on_retry: OnRetry::new(hook) }
    }

    /// Sets a hook that runs before each attempt. Replaces the policy's hook.
    pub fn on_attempt_start(self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.on_attempt_start = Some(Arc::new(hook)))
    }

    /// Sets a hook that runs after each attempt, when its decision is known and before any wait.
    /// Replaces the policy's hook.
    pub fn on_attempt_end(self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'a) -> Self {
        self.set(|settings| settings.hooks.on_attempt_end = Some(Arc::new(hook)))
    }

    /// Records each call's events into a new timeline, which the outcome of `execute` returns. A
    /// call that the breaker rejected has no timeline. Replaces the policy's capture.
    pub fn capture_timeline(self) -> Self {
        self.set(|settings| settings.hooks.capture = Capture::Fresh)
    }

    /// Records the events of all calls into `timeline`, calls made with `call` included. Replaces
    /// the policy's capture.
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

impl<'a, N> CallContext<'a, (), N> {
    /// Makes calls with these settings go through `policy`, for integrations that receive a context
    /// without a policy and make blocking calls.
    ///
    /// ```
    /// use redress::{CallContext, Policy};
    ///
    /// let policy = Policy::default();
    /// let context = CallContext::new().operation("read_manifest");
    /// let outcome = context.through(&policy).execute(|| std::fs::read("Cargo.toml"));
    /// assert!(outcome.is_ok());
    /// ```
    pub fn through<P>(self, policy: &'a P) -> CallContext<'a, P, N> {
        let Self { settings, on_retry, .. } = self;
        CallContext { policy, settings, on_retry }
    }
}

/// Settings of asynchronous calls only.
impl<'a, N> CallContext<'a, (), N> {
    /// Replaces the timer between attempts of an asynchronous call. Also called for zero delays.
    /// Replaces the policy's sleeper.
    pub fn sleep_with<Fut>(self, sleeper: impl Fn(Duration) -> Fut + Send + Sync + 'a) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.set_async_sleeper(sleeper)
    }

    /// Sets an asynchronous hook that is awaited before each wait of an asynchronous call. Replaces
    /// the policy's hook.
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
