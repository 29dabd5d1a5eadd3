//! Builds policies: collects the parts, validates them once, compiles the plan.
//!
//! Owns the builder that both policies share. What the parts mean is theirs.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::breaker::BreakerSource;
use crate::classify::default_classifier::DefaultClassifier;
use crate::drive::clock::{Clock, ClockChoice};
use crate::outcome::observer::{AttemptContext, Observer};
use crate::policy::compiled::{Plan, TimeLimits};
use crate::policy::config_error::{Check, ConfigError};
use crate::policy::hooks::{BeforeSleep, Hooks, Sleeper};
use crate::policy::policies::{AsyncPolicy, Policy};
use crate::policy::retry::{Retry, RetryBuilder, RetryConfig};
use crate::policy::sleep_decision::SleepDecision;
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
/// No name, no retry (one attempt), no circuit breaker, the [default classifier](crate::default_classifier), no observers or hooks.
#[must_use = "a builder does nothing until `build` is called"]
pub struct PolicyBuilder<C, K> {
    name: Option<Cow<'static, str>>,
    retry: Option<RetryConfig>,
    breaker: Option<BreakerSource>,
    classifier: C,
    hooks: Hooks<'static>,
    limits: TimeLimits,
    kind: K,
}

impl<K> PolicyBuilder<DefaultClassifier, K> {
    pub(crate) fn new(kind: K) -> Self {
        Self {
            name: None,
            retry: None,
            breaker: None,
            classifier: DefaultClassifier::default(),
            hooks: Hooks::default(),
            limits: TimeLimits::default(),
            kind,
        }
    }
}

impl<C, K> PolicyBuilder<C, K> {
    /// Names the policy in events, and so in metrics, spans and logs: the dependency it guards, as in `orders`. Default: no
    /// name, and an empty one is none.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into()).filter(|name| !name.is_empty());
        self
    }

    /// Sets the retry component: a builder, a built [`Retry`] or a [`RetryConfig`]. Default: none, one attempt.
    pub fn retry(mut self, retry: impl Into<RetryBuilder>) -> Self {
        self.retry = Some(retry.into().config);
        self
    }

    /// Sets the circuit breaker: a builder, a [`CircuitBreaker`](crate::CircuitBreaker) shared with other policies, or an `Arc`
    /// of another [`Breaker`](crate::Breaker). Default: none.
    pub fn circuit_breaker(mut self, breaker: impl Into<BreakerSource>) -> Self {
        self.breaker = Some(breaker.into());
        self
    }

    /// Sets the classifier that retry, breaker and observers act on. Default: the
    /// [default classifier](crate::default_classifier), which reads every `std::error::Error`.
    pub fn classifier<D>(self, classifier: D) -> PolicyBuilder<D, K> {
        let Self { name, retry, breaker, hooks, limits, kind, .. } = self;
        PolicyBuilder { name, retry, breaker, classifier, hooks, limits, kind }
    }

    /// Sets the time for a whole call, waits included, with or without retry. Default: the retry component's, 60 s; a
    /// policy without retry has none.
    ///
    /// No attempt starts at or past the deadline, no wait goes past it, and an attempt that is running at it is cut and
    /// counts as a timeout, unless [it may finish](RetryBuilder::finish_running_attempt). A blocking policy cannot stop a
    /// running closure: see [`Attempt::time_left`](crate::Attempt::time_left) and
    /// [`Policy::call_detached`](crate::Policy::call_detached).
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress_core::{CircuitBreaker, Policy};
    ///
    /// // Each write is tried once. `call_detached` stops waiting for it after 2 s.
    /// let writes = Policy::builder().circuit_breaker(CircuitBreaker::builder()).deadline(Duration::from_secs(2)).build()?;
    /// # Ok::<(), redress_core::ConfigError>(())
    /// ```
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = Some(Some(deadline));
        self
    }

    /// Lets a call take as long as its attempts and waits take.
    pub fn no_deadline(mut self) -> Self {
        self.limits.deadline = Some(None);
        self
    }

    /// Sets the time for each attempt, with or without retry; it shrinks to what is left of the deadline. Default: the
    /// retry component's, none.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.limits.attempt_timeout = Some(timeout);
        self
    }

    /// Adds an observer of every event and attempt of every call. Several may be added.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.hooks.observers.push(Box::new(observer));
        self
    }

    /// Sets the sleep handler for calls that set none; see [`CallContext::sleep`](crate::CallContext::sleep).
    pub fn sleep(
        mut self,
        handler: impl Fn(&BackoffContext<'_>, Duration) -> SleepDecision + Send + Sync + 'static,
    ) -> Self {
        self.hooks.sleep = Some(Box::new(handler));
        self
    }

    /// Sets the hook before each wait for calls that set none; see
    /// [`CallContext::before_sleep`](crate::CallContext::before_sleep).
    pub fn before_sleep(mut self, hook: impl Fn(&BackoffContext<'_>, Duration) + Send + Sync + 'static) -> Self {
        self.hooks.before_sleep = Some(BeforeSleep::Blocking(Box::new(hook)));
        self
    }

    /// Sets the hook before each attempt for calls that set none.
    pub fn on_attempt_start(mut self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.on_attempt_start = Some(Box::new(hook));
        self
    }

    /// Sets the hook after each attempt for calls that set none.
    pub fn on_attempt_end(mut self, hook: impl Fn(&AttemptContext<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.on_attempt_end = Some(Box::new(hook));
        self
    }

    /// Validates everything at once and compiles the plan.
    fn plan(self, clock: ClockChoice) -> Result<(Plan, C, K), ConfigError> {
        let mut check = Check::default();
        if let Some(retry) = &self.retry {
            retry.check(&mut check);
        }
        self.limits.check(&mut check);
        let breaker = match self.breaker.map(BreakerSource::build).transpose() {
            Ok(breaker) => breaker,
            Err(refused) => {
                check.extend(refused.issues().to_vec());
                None
            }
        };
        check.finish()?;
        Ok((
            Plan::new(self.name, self.retry.as_ref(), self.limits, breaker, self.hooks, clock),
            self.classifier,
            self.kind,
        ))
    }
}

impl<C> PolicyBuilder<C, Blocking> {
    /// Sets the clock that deadlines, windows and recovery times run by. Default: the system's monotonic clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.kind.clock = ClockChoice::custom(clock);
        self
    }

    /// Sets what waits instead of `std::thread::sleep`, for calls that set none. It is asked to wait zero, too.
    pub fn sleeper(mut self, sleeper: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.hooks.sleeper = Some(Sleeper::Blocking(Box::new(sleeper)));
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any part, at once: each issue names the field, its value and the rule.
    pub fn build(self) -> Result<Policy<C>, ConfigError> {
        let clock = self.kind.clock.clone();
        let (plan, classifier, _) = self.plan(clock)?;
        Ok(Policy { plan: Arc::new(plan), classifier })
    }
}

impl<C, Tm> PolicyBuilder<C, Async<Tm>> {
    /// Sets the timer. A runtime's crate does it for you.
    pub fn timer<Other>(self, timer: Other) -> PolicyBuilder<C, Async<Other>> {
        let Self { name, retry, breaker, classifier, hooks, limits, .. } = self;
        PolicyBuilder { name, retry, breaker, classifier, hooks, limits, kind: Async(timer) }
    }

    /// Sets what waits instead of the timer between attempts, for calls that set none. It is asked to wait zero, too.
    pub fn sleeper<Fut>(mut self, sleeper: impl Fn(Duration) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.hooks.sleeper = Some(Sleeper::Async(Box::new(move |delay| Box::pin(sleeper(delay)))));
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
        self.hooks.before_sleep = Some(BeforeSleep::Async(Box::new(hook)));
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any part, at once: each issue names the field, its value and the rule.
    pub fn build(self) -> Result<AsyncPolicy<C, Tm>, ConfigError> {
        let (plan, classifier, Async(timer)) = self.plan(ClockChoice::default())?;
        Ok(AsyncPolicy { plan: Arc::new(plan), classifier, timer })
    }
}

impl PolicyBuilder<DefaultClassifier, Blocking> {
    /// A policy of a component that has been validated already.
    pub(crate) fn build_validated(self, retry: &Retry) -> Policy {
        let plan = Plan::new(self.name, Some(&retry.config), self.limits, None, self.hooks, self.kind.clock);
        Policy { plan: Arc::new(plan), classifier: self.classifier }
    }
}

impl<Tm> PolicyBuilder<DefaultClassifier, Async<Tm>> {
    /// A policy of a component that has been validated already.
    pub(crate) fn build_validated(self, retry: &Retry) -> AsyncPolicy<DefaultClassifier, Tm> {
        let plan = Plan::new(self.name, Some(&retry.config), self.limits, None, self.hooks, ClockChoice::default());
        AsyncPolicy { plan: Arc::new(plan), classifier: self.classifier, timer: self.kind.0 }
    }
}

impl<C> RetryBuilder<PolicyBuilder<C, Blocking>> {
    /// Sets the classifier. Default: the [default classifier](crate::default_classifier).
    pub fn classifier<D>(self, classifier: D) -> RetryBuilder<PolicyBuilder<D, Blocking>> {
        RetryBuilder { config: self.config, parent: self.parent.classifier(classifier) }
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// As [`Retry`]'s builder: everything wrong at once.
    pub fn build(self) -> Result<Policy<C>, ConfigError> {
        self.parent.retry(self.config).build()
    }
}

impl<C, Tm> RetryBuilder<PolicyBuilder<C, Async<Tm>>> {
    /// Sets the classifier. Default: the [default classifier](crate::default_classifier).
    pub fn classifier<D>(self, classifier: D) -> RetryBuilder<PolicyBuilder<D, Async<Tm>>> {
        RetryBuilder { config: self.config, parent: self.parent.classifier(classifier) }
    }

    /// Sets the timer. A runtime's crate does it for you.
    pub fn timer<Other>(self, timer: Other) -> RetryBuilder<PolicyBuilder<C, Async<Other>>> {
        RetryBuilder { config: self.config, parent: self.parent.timer(timer) }
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// As [`Retry`]'s builder: everything wrong at once.
    pub fn build(self) -> Result<AsyncPolicy<C, Tm>, ConfigError> {
        self.parent.retry(self.config).build()
    }
}

impl<C, K> fmt::Debug for PolicyBuilder<C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyBuilder")
            .field("name", &self.name)
            .field("retry", &self.retry)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}
