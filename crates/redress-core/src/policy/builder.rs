//! [`PolicyBuilder`]: collects a policy's parts, validates them once, and compiles them.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::breaker::{BreakerSource, IntoBreaker};
use crate::classify::default_classifier::DefaultClassifier;
use crate::drive::clock::{Clock, ClockChoice};
use crate::nesting::Nested;
use crate::outcome::observer::{AttemptContext, Observer};
use crate::outcome::timeline::RetryTimeline;
use crate::policy::abort_handle::AbortHandle;
use crate::policy::compiled::{CompiledPolicy, Plan};
use crate::policy::config_error::{Check, ConfigError};
use crate::policy::hooks::{BeforeSleep, Capture, Hooks, Sleeper};
use crate::policy::policies::{AsyncPolicy, Policy};
use crate::policy::retry::{IntoRetry, Retry, RetryBuilder};
use crate::policy::sleep_decision::SleepDecision;
use crate::policy::spec::{DEFAULT_DEADLINE, PolicySpec};
use crate::strategy::BackoffContext;

/// Builder state specific to blocking policies.
#[derive(Clone, Debug, Default)]
pub struct Blocking {
    clock: ClockChoice,
}

/// Builder state specific to asynchronous policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Async<Tm>(pub(crate) Tm);

/// Builds a [`Policy`], or an [`AsyncPolicy`] when made by `AsyncPolicy::builder()`.
///
/// # Defaults
///
/// No name, no retry (one attempt), no circuit breaker, the [default
/// classifier](crate::default_classifier), no deadline (60 s with a retry), no attempt timeout, no
/// observers and no hooks.
///
/// ```
/// use std::time::Duration;
/// use redress::{CircuitBreaker, Policy, Retry, fixed};
///
/// let policy = Policy::builder()
///     .name("orders")
///     .retry(Retry::builder().max_attempts(3).strategy(fixed(Duration::from_millis(50))))
///     .circuit_breaker(CircuitBreaker::builder().failure_threshold(10))
///     .deadline(Duration::from_secs(5))
///     .attempt_timeout(Duration::from_secs(1))
///     .build()?;
/// assert!(policy.warnings().is_empty());
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct PolicyBuilder<C, K> {
    /// The `retry` and `breaker` of the spec are not read; the next two fields replace them.
    spec: PolicySpec,
    retry: Option<RetryBuilder>,
    breaker: Option<BreakerSource>,
    /// Whether the deadline is unset. The default depends on the retry.
    has_default_deadline: bool,
    classifier: C,
    hooks: Hooks<'static>,
    kind: K,
}

impl<K> PolicyBuilder<DefaultClassifier, K> {
    pub(crate) fn new(kind: K) -> Self {
        Self { has_default_deadline: true, ..Self::from_spec(PolicySpec::once(), kind) }
    }

    pub(crate) fn from_spec(spec: PolicySpec, kind: K) -> Self {
        Self {
            retry: spec.retry.clone().map(RetryBuilder::from),
            breaker: spec.breaker.clone().map(BreakerSource::from),
            spec,
            has_default_deadline: false,
            classifier: DefaultClassifier::default(),
            hooks: Hooks::default(),
            kind,
        }
    }
}

impl<C, K> PolicyBuilder<C, K> {
    /// Names the policy in events, and so in metrics, spans and logs. Name it after the dependency
    /// it guards, such as `orders`. Default: no name; an empty name counts as none.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.spec.name = Some(name.into());
        self
    }

    /// Sets the retry component: a builder, a built [`Retry`](crate::Retry) or a
    /// [`RetrySpec`](crate::policy::RetrySpec). Default: none, one attempt.
    pub fn retry(mut self, retry: impl IntoRetry) -> Self {
        self.retry = Some(retry.into());
        self
    }

    /// Sets the circuit breaker: a builder, a [`CircuitBreaker`](crate::CircuitBreaker) shared with
    /// other policies, or an `Arc` of another [`Breaker`](crate::breaker::Breaker). Default: none.
    pub fn circuit_breaker(mut self, breaker: impl IntoBreaker) -> Self {
        self.breaker = Some(breaker.into());
        self
    }

    /// Lets each attempt ask the breaker and report to it. Default: each call does, with its last
    /// result.
    ///
    /// A circuit that opens during the call then ends it between two attempts, with
    /// [`StopReason::CircuitOpen`](crate::StopReason::CircuitOpen): before the wait and without a
    /// token of the budget, if the circuit certainly admits no attempt after the wait, else when
    /// that attempt would start. The breaker counts every failed attempt, so it opens sooner.
    ///
    /// ```
    /// use std::io;
    /// use std::time::Duration;
    /// use redress::{CircuitBreaker, ErrorClass, Policy, Retry, StopReason, fixed};
    ///
    /// let policy = Policy::builder()
    ///     .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(10))
    ///     .circuit_breaker(CircuitBreaker::builder().failure_threshold(2))
    ///     .judge_attempts()
    ///     .build()?;
    /// let outcome = policy.execute(|| Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset)));
    /// assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::CircuitOpen), 2));
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn judge_attempts(mut self) -> Self {
        self.spec.judge_attempts = true;
        self
    }

    /// Sets the classifier that retry, breaker and observers act on. Default: the
    /// [default classifier](crate::default_classifier), which reads every `std::error::Error`.
    pub fn classifier<D>(self, classifier: D) -> PolicyBuilder<D, K> {
        let Self { spec, retry, breaker, has_default_deadline, hooks, kind, .. } = self;
        PolicyBuilder { spec, retry, breaker, has_default_deadline, classifier, hooks, kind }
    }

    /// Limits the time of a whole call, waits included, with or without a retry. Default: 60 s with
    /// a retry, none without.
    ///
    /// No attempt starts at or after the deadline, and no wait extends past it. An attempt still
    /// running at the deadline is cut and counts as a timeout, unless [it may
    /// finish](Self::finish_running_attempt). A blocking policy cannot stop a running closure: see
    /// [`Attempt::time_left`](crate::Attempt::time_left) and
    /// [`Policy::call_detached`](crate::Policy::call_detached).
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::{CircuitBreaker, Policy};
    ///
    /// // Each write is tried once. `call_detached` stops waiting for it after 2 s.
    /// let writes = Policy::builder().circuit_breaker(CircuitBreaker::builder()).deadline(Duration::from_secs(2)).build()?;
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.has_default_deadline = false;
        self.spec.deadline = Some(deadline);
        self
    }

    /// Removes the deadline. A success then needs no clock reading.
    pub fn no_deadline(mut self) -> Self {
        self.has_default_deadline = false;
        self.spec.deadline = None;
        self
    }

    /// Limits the time of each attempt, with or without a retry. The limit shrinks to the time left
    /// until the deadline. Default: no limit.
    ///
    /// When the time is up, an asynchronous policy drops the operation's future and counts a
    /// failure of class [`Transient`](crate::ErrorClass::Transient) with
    /// [`Cause::Timeout`](crate::Cause::Timeout). A blocking policy cannot stop a running closure:
    /// the operation can read its limit from [`Attempt::time_left`](crate::Attempt::time_left), and
    /// [`Policy::call_detached`](crate::Policy::call_detached) stops waiting for it.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.spec.attempt_timeout = Some(timeout);
        self
    }

    /// Removes the attempt timeout, such as that of a [preset](crate::policy::Preset).
    pub fn no_attempt_timeout(mut self) -> Self {
        self.spec.attempt_timeout = None;
        self
    }

    /// Lets an attempt that is running at the deadline finish; a late success is a success.
    /// Default: such an attempt is cut as a timeout, wherever the driver can cut it. With an
    /// [attempt timeout](Self::attempt_timeout), attempts are always cut, at the earlier of timeout
    /// and deadline.
    pub fn finish_running_attempt(mut self) -> Self {
        self.spec.finish_running_attempt = true;
        self
    }

    /// Makes calls know the calls that they are within. Default: off; such a policy pays nothing.
    ///
    /// While an operation runs, [`Frame::current`](crate::driver::Frame::current) tells of its
    /// call. A call that begins inside, on the same thread or in the
    /// [scope](crate::driver::Frame::scope) of the frame, inherits the deadline of the running
    /// attempt, and `nested` says what happens to retries that multiply. All of this is between
    /// policies that have this setting; their clocks must agree.
    ///
    /// ```
    /// use std::io::{Error, ErrorKind};
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use std::time::Duration;
    /// use redress::{Policy, Retry, fixed};
    /// use redress::policy::Nested;
    ///
    /// let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
    /// let handler = Policy::builder().retry(retry.clone()).nested(Nested::RetryOutermost).build()?;
    /// let database = Policy::builder().retry(retry).nested(Nested::RetryOutermost).build()?;
    ///
    /// let queries = AtomicU32::new(0);
    /// let query = || {
    ///     queries.fetch_add(1, Ordering::Relaxed);
    ///     Err::<(), _>(Error::from(ErrorKind::ConnectionReset))
    /// };
    /// assert!(handler.call(|| database.call(query)).is_err());
    /// assert_eq!(queries.load(Ordering::Relaxed), 3, "and not 9");
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn nested(mut self, nested: Nested) -> Self {
        self.spec.nested = Some(nested);
        self
    }

    /// Makes calls ignore a deadline that they would [inherit](Self::nested). Default: no.
    pub fn ignore_inherited_deadline(mut self) -> Self {
        self.spec.ignore_inherited_deadline = true;
        self
    }

    /// Adds an observer, which receives every event and attempt of every call. Call it again to add
    /// more.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.hooks.observers.push(Arc::new(observer));
        self
    }

    /// Sets the predicate that aborts calls when it returns `true`. A predicate set on the call is
    /// checked too. See [`CallContext::abort_if`](crate::CallContext::abort_if).
    pub fn abort_if(mut self, predicate: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.hooks.abort_if = Some(Arc::new(predicate));
        self
    }

    /// Aborts calls when `handle` is aborted, waits and running attempts included; see
    /// [`AbortHandle`]. Call it again to add more; handles set on the call apply too.
    pub fn abort_on(mut self, handle: &AbortHandle) -> Self {
        self.hooks.aborts.push(handle.clone());
        self
    }

    /// Records each call's events into a new timeline, unless the call sets its own capture. See
    /// [`CallContext::capture_timeline`](crate::CallContext::capture_timeline).
    pub fn capture_timeline(mut self) -> Self {
        self.hooks.capture = Capture::Fresh;
        self
    }

    /// Records the events of all calls into `timeline`, except calls that set their own capture.
    pub fn capture_timeline_into(mut self, timeline: &RetryTimeline) -> Self {
        self.hooks.capture = Capture::Into(timeline.clone());
        self
    }

    /// Sets the sleep handler of calls that do not set one; see
    /// [`CallContext::sleep_handler`](crate::CallContext::sleep_handler).
    pub fn sleep_handler(
        mut self,
        handler: impl Fn(&BackoffContext<'_>, Duration) -> SleepDecision + Send + Sync + 'static,
    ) -> Self {
        self.hooks.sleep = Some(Arc::new(handler));
        self
    }

    /// Sets the hook that runs before each wait, for calls that do not set one; see
    /// [`CallContext::before_sleep`](crate::CallContext::before_sleep).
    pub fn before_sleep(mut self, hook: impl Fn(&BackoffContext<'_>, Duration) + Send + Sync + 'static) -> Self {
        self.hooks.before_sleep = Some(BeforeSleep::Blocking(Arc::new(hook)));
        self
    }

    /// Sets the hook that runs before each attempt, for calls that do not set one.
    pub fn on_attempt_start(mut self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.on_attempt_start = Some(Arc::new(hook));
        self
    }

    /// Sets the hook that runs after each attempt, for calls that do not set one.
    pub fn on_attempt_end(mut self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.on_attempt_end = Some(Arc::new(hook));
        self
    }

    /// Validates all parts, collecting every issue, and compiles them.
    fn plan(mut self, clock: ClockChoice) -> Result<(Plan, C, K), ConfigError> {
        if self.has_default_deadline {
            self.spec.deadline = self.retry.as_ref().map(|_| DEFAULT_DEADLINE);
        }
        self.spec.name = self.spec.name.filter(|name| !name.is_empty());
        let mut check = Check::default();
        let retry = self.retry.map(|retry| retry.checked(&mut check));
        self.spec.check(&mut check);
        let breaker = match self.breaker {
            None => None,
            Some(breaker) => check.accept(breaker.build()),
        };
        check.finish()?;
        let compiled = CompiledPolicy::new(self.spec, retry.as_ref(), self.hooks, clock);
        let budget = retry.as_ref().and_then(Retry::budget);
        Ok((Plan::new(Arc::new(compiled), breaker, budget), self.classifier, self.kind))
    }
}

impl<C> PolicyBuilder<C, Blocking> {
    /// Sets the clock that measures deadlines, windows and recovery times. Default: the system's
    /// monotonic clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.kind.clock = ClockChoice::custom(clock);
        self
    }

    /// Replaces `std::thread::sleep` between attempts, for calls that do not set a sleeper. Also
    /// called for zero delays.
    pub fn sleep_with(mut self, sleeper: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.hooks.sleeper = Some(Sleeper::Blocking(Arc::new(sleeper)));
        self
    }

    /// Builds the policy.
    ///
    /// # Errors
    ///
    /// Every rule that any part breaks. Each issue names the field, its value and the rule.
    pub fn build(self) -> Result<Policy<C>, ConfigError> {
        let clock = self.kind.clock.clone();
        let (plan, classifier, _) = self.plan(clock)?;
        Ok(Policy { plan: Arc::new(plan), classifier })
    }
}

impl<C, Tm> PolicyBuilder<C, Async<Tm>> {
    /// Sets the timer. The builders of runtime crates come with one.
    pub fn timer<Other>(self, timer: Other) -> PolicyBuilder<C, Async<Other>> {
        let Self { spec, retry, breaker, has_default_deadline, classifier, hooks, .. } = self;
        PolicyBuilder { spec, retry, breaker, has_default_deadline, classifier, hooks, kind: Async(timer) }
    }

    /// Replaces the timer between attempts, for calls that do not set a sleeper. Also called for
    /// zero delays.
    pub fn sleep_with<Fut>(mut self, sleeper: impl Fn(Duration) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.hooks.sleeper = Some(Sleeper::Async(Arc::new(move |delay| Box::pin(sleeper(delay)))));
        self
    }

    /// Sets an asynchronous hook that is awaited before each wait, for calls that do not set one.
    pub fn before_sleep_async<Fut>(
        mut self,
        hook: impl Fn(&BackoffContext<'_>, Duration) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        let hook = move |context: &BackoffContext<'_>, delay| Box::pin(hook(context, delay)) as _;
        self.hooks.before_sleep = Some(BeforeSleep::Async(Arc::new(hook)));
        self
    }

    /// Builds the policy.
    ///
    /// # Errors
    ///
    /// Every rule that any part breaks. Each issue names the field, its value and the rule.
    pub fn build(self) -> Result<AsyncPolicy<C, Tm>, ConfigError> {
        let (plan, classifier, Async(timer)) = self.plan(ClockChoice::default())?;
        Ok(AsyncPolicy { plan: Arc::new(plan), classifier, timer })
    }
}

impl<C, K> fmt::Debug for PolicyBuilder<C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyBuilder")
            .field("name", &self.spec.name)
            .field("retry", &self.retry)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}
