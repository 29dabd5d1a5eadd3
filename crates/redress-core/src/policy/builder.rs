//! Builds policies: collects the parts, validates them once, compiles them.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::breaker::{BreakerSource, IntoBreaker};
use crate::classify::default_classifier::DefaultClassifier;
use crate::drive::clock::{Clock, ClockChoice};
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

/// What a blocking policy has besides: its clock.
#[derive(Clone, Debug, Default)]
pub struct Blocking {
    clock: ClockChoice,
}

/// What an asynchronous policy has besides: its timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Async<Tm>(pub(crate) Tm);

/// Builds a [`Policy`], or an [`AsyncPolicy`] when made by `AsyncPolicy::builder()`.
///
/// # Defaults
///
/// No name, no retry (one attempt), no circuit breaker, the [default
/// classifier](crate::default_classifier), no deadline (60 s with retry), no attempt timeout, no
/// observers or hooks.
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
    /// Its retry and its breaker are not read: they are the next two fields.
    spec: PolicySpec,
    retry: Option<RetryBuilder>,
    breaker: Option<BreakerSource>,
    /// Whether the deadline is the default one, which depends on the retry.
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
    /// Names the policy in events, and so in metrics, spans and logs: the dependency it guards, as
    /// in `orders`. Default: no name, and an empty one is none.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.spec.name = Some(name.into());
        self
    }

    /// Sets the retry component: a builder, a built [`Retry`] or a
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

    /// Sets the classifier that retry, breaker and observers act on. Default: the
    /// [default classifier](crate::default_classifier), which reads every `std::error::Error`.
    pub fn classifier<D>(self, classifier: D) -> PolicyBuilder<D, K> {
        let Self { spec, retry, breaker, has_default_deadline, hooks, kind, .. } = self;
        PolicyBuilder { spec, retry, breaker, has_default_deadline, classifier, hooks, kind }
    }

    /// Sets the time for a whole call, waits included, with or without retry. Default: 60 s with
    /// retry, none without.
    ///
    /// No attempt starts at or past the deadline, no wait goes past it, and an attempt that is
    /// running at it is cut and counts as a timeout, unless [it may
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

    /// Lets a call take as long as its attempts and waits take. A success then needs no clock.
    pub fn no_deadline(mut self) -> Self {
        self.has_default_deadline = false;
        self.spec.deadline = None;
        self
    }

    /// Sets the time for each attempt, with or without retry; it shrinks to what is left of the
    /// deadline. Default: none.
    ///
    /// An asynchronous policy drops the operation's future when the time is over and counts a
    /// failure of class [`Transient`](crate::ErrorClass::Transient) with
    /// [`Cause::Timeout`](crate::Cause::Timeout). A blocking policy cannot stop a running closure:
    /// the operation can read its time from [`Attempt::time_left`](crate::Attempt::time_left), and
    /// [`Policy::call_detached`](crate::Policy::call_detached) stops waiting for it.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.spec.attempt_timeout = Some(timeout);
        self
    }

    /// Lets an attempt that is running at the deadline finish; a success that comes late is a
    /// success. Default: the deadline cuts it, wherever the driver can, as a timeout. An attempt
    /// with a [timeout](Self::attempt_timeout) is cut at whichever is first in any case.
    pub fn finish_running_attempt(mut self) -> Self {
        self.spec.finish_running_attempt = true;
        self
    }

    /// Adds an observer of every event and attempt of every call. Several may be added.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.hooks.observers.push(Arc::new(observer));
        self
    }

    /// Sets the predicate that ends calls when it answers true; a call's own is asked too. See
    /// [`CallContext::abort_if`](crate::CallContext::abort_if).
    pub fn abort_if(mut self, predicate: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.hooks.abort_if = Some(Arc::new(predicate));
        self
    }

    /// Ends calls when this handle is aborted, waits and running attempts included; see
    /// [`AbortHandle`]. Several may be added, and those of a call hold too.
    pub fn abort_on(mut self, handle: &AbortHandle) -> Self {
        self.hooks.aborts.push(handle.clone());
        self
    }

    /// Records each call's events into a timeline of its own, unless the call captures otherwise.
    /// See [`CallContext::capture_timeline`](crate::CallContext::capture_timeline).
    pub fn capture_timeline(mut self) -> Self {
        self.hooks.capture = Capture::Fresh;
        self
    }

    /// Records the events of all calls into `timeline`, but of those that capture otherwise.
    pub fn capture_timeline_into(mut self, timeline: &RetryTimeline) -> Self {
        self.hooks.capture = Capture::Into(timeline.clone());
        self
    }

    /// Sets the sleep handler for calls that set none; see
    /// [`CallContext::sleep_handler`](crate::CallContext::sleep_handler).
    pub fn sleep_handler(
        mut self,
        handler: impl Fn(&BackoffContext<'_>, Duration) -> SleepDecision + Send + Sync + 'static,
    ) -> Self {
        self.hooks.sleep = Some(Arc::new(handler));
        self
    }

    /// Sets the hook before each wait for calls that set none; see
    /// [`CallContext::before_sleep`](crate::CallContext::before_sleep).
    pub fn before_sleep(mut self, hook: impl Fn(&BackoffContext<'_>, Duration) + Send + Sync + 'static) -> Self {
        self.hooks.before_sleep = Some(BeforeSleep::Blocking(Arc::new(hook)));
        self
    }

    /// Sets the hook before each attempt for calls that set none.
    pub fn on_attempt_start(mut self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.on_attempt_start = Some(Arc::new(hook));
        self
    }

    /// Sets the hook after each attempt for calls that set none.
    pub fn on_attempt_end(mut self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.on_attempt_end = Some(Arc::new(hook));
        self
    }

    /// Validates everything at once and compiles it.
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
        Ok((Plan::new(Arc::new(compiled), breaker), self.classifier, self.kind))
    }
}

impl<C> PolicyBuilder<C, Blocking> {
    /// Sets the clock that deadlines, windows and recovery times run by. Default: the system's
    /// monotonic clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.kind.clock = ClockChoice::custom(clock);
        self
    }

    /// Sets what waits instead of `std::thread::sleep`, for calls that set none. It is asked to
    /// wait zero, too.
    pub fn sleep_with(mut self, sleeper: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.hooks.sleeper = Some(Sleeper::Blocking(Arc::new(sleeper)));
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any part, at once: each issue names the field, its value and
    /// the rule.
    pub fn build(self) -> Result<Policy<C>, ConfigError> {
        let clock = self.kind.clock.clone();
        let (plan, classifier, _) = self.plan(clock)?;
        Ok(Policy { plan: Arc::new(plan), classifier })
    }
}

impl<C, Tm> PolicyBuilder<C, Async<Tm>> {
    /// Sets the timer. A runtime's crate does it for you.
    pub fn timer<Other>(self, timer: Other) -> PolicyBuilder<C, Async<Other>> {
        let Self { spec, retry, breaker, has_default_deadline, classifier, hooks, .. } = self;
        PolicyBuilder { spec, retry, breaker, has_default_deadline, classifier, hooks, kind: Async(timer) }
    }

    /// Sets what waits instead of the timer between attempts, for calls that set none. It is asked
    /// to wait zero, too.
    pub fn sleep_with<Fut>(mut self, sleeper: impl Fn(Duration) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.hooks.sleeper = Some(Sleeper::Async(Arc::new(move |delay| Box::pin(sleeper(delay)))));
        self
    }

    /// Sets a hook before each wait that is awaited, for calls that set none.
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

    /// The policy.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any part, at once: each issue names the field, its value and
    /// the rule.
    pub fn build(self) -> Result<AsyncPolicy<C, Tm>, ConfigError> {
        let (plan, classifier, Async(timer)) = self.plan(ClockChoice::default())?;
        Ok(AsyncPolicy { plan: Arc::new(plan), classifier, timer })
    }
}

/// A plan of nothing but a component that has been validated already.
pub(crate) fn plan_of(retry: &Retry) -> Arc<Plan> {
    let spec = PolicySpec { deadline: Some(DEFAULT_DEADLINE), ..PolicySpec::once() };
    let compiled = CompiledPolicy::new(spec, Some(retry), Hooks::default(), ClockChoice::default());
    Arc::new(Plan::new(Arc::new(compiled), None))
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
