//! The policy types, [`Policy`] and [`AsyncPolicy`], with their accessors, conversions and
//! defaults. They are built in `builder.rs`; their calls are implemented in `drive/`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::breaker::{CircuitState, IntoBreaker};
use crate::budget::cell::Budget;
use crate::classify::default_classifier::DefaultClassifier;
use crate::drive::clock::ClockChoice;
use crate::policy::builder::{Async, Blocking, PolicyBuilder};
use crate::policy::compiled::{CompiledPolicy, Plan};
use crate::policy::config_error::{ConfigError, ConfigIssue};
use crate::policy::context::CallContext;
use crate::policy::hooks::Hooks;
use crate::policy::retry::Retry;
use crate::policy::spec::{DEFAULT_DEADLINE, PolicySpec};
use crate::resume::ResumeToken;
use crate::sync::OnceLock;

/// Everything that guards a blocking call: an optional retry, an optional circuit breaker, and the
/// classifier that both act on.
///
/// One policy serves operations of every type that its classifier reads. Clones are cheap and share
/// the breaker, the budget and the state of adaptive strategies. Without a retry, a policy makes
/// one attempt, with the same events, hooks and stop reasons.
///
/// ```
/// use std::time::Duration;
/// use redress::{CircuitBreaker, ErrorClass, Policy, Retry, decorrelated_jitter};
///
/// let policy = Policy::builder()
///     .retry(
///         Retry::builder()
///             .strategy(decorrelated_jitter().max(Duration::from_secs(5)))
///             .strategy_for(ErrorClass::RateLimit, decorrelated_jitter().max(Duration::from_secs(60)))
///             .max_attempts(4),
///     )
///     .deadline(Duration::from_secs(20))
///     .circuit_breaker(CircuitBreaker::builder().failure_threshold(5))
///     .build()?;
///
/// let length = policy.call(|| std::fs::read("Cargo.toml").map(|bytes| bytes.len()))?;
/// assert!(length > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Policy<C = DefaultClassifier> {
    pub(crate) plan: Arc<Plan>,
    pub(crate) classifier: C,
}

/// [`Policy`] for asynchronous operations: the same methods, awaited.
///
/// Each runtime crate defines an alias that fixes the timer `Tm`, such as
/// `redress::runtime::tokio::AsyncPolicy` with the feature `tokio`. The futures of calls are `Send`
/// if those of the operation are.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use std::time::Duration;
/// use redress::{AsyncPolicy, Retry, fixed};
/// use redress::testing::VirtualClock;
///
/// let clock = VirtualClock::new(); // in a program, the timer and executor of a runtime
/// let policy = AsyncPolicy::builder()
///     .timer(clock.timer())
///     .retry(Retry::builder().strategy(fixed(Duration::from_secs(5))).max_attempts(3))
///     .build()?;
/// let fails = || async { Err::<(), _>(Error::from(ErrorKind::ConnectionReset)) };
/// let outcome = clock.block_on(policy.execute(fails));
/// assert_eq!((outcome.attempts(), outcome.elapsed()), (3, Duration::from_secs(10)));
/// # Ok::<(), redress::ConfigError>(())
/// ```
///
/// # Cancel safety
///
/// Dropping a call's future drops the operation's future, stops the call, and releases the
/// breaker's permit. A budget token already taken stays taken. Observers receive the terminal event
/// [`Cancelled`](crate::EventName::Cancelled).
#[derive(Clone)]
pub struct AsyncPolicy<C, Tm> {
    pub(crate) plan: Arc<Plan>,
    pub(crate) classifier: C,
    pub(crate) timer: Tm,
}

impl Policy {
    /// Returns a builder with no retry, no breaker and the default classifier.
    pub fn builder() -> PolicyBuilder<DefaultClassifier, Blocking> {
        PolicyBuilder::new(Blocking::default())
    }

    /// Returns a builder with the settings of `spec` and the default classifier.
    pub fn from_spec(spec: PolicySpec) -> PolicyBuilder<DefaultClassifier, Blocking> {
        PolicyBuilder::from_spec(spec, Blocking::default())
    }
}

impl<Tm: Default> AsyncPolicy<DefaultClassifier, Tm> {
    /// Returns a builder with no retry, no breaker and the default classifier.
    pub fn builder() -> PolicyBuilder<DefaultClassifier, Async<Tm>> {
        PolicyBuilder::new(Async(Tm::default()))
    }

    /// Returns a builder with the settings of `spec` and the default classifier.
    pub fn from_spec(spec: PolicySpec) -> PolicyBuilder<DefaultClassifier, Async<Tm>> {
        PolicyBuilder::from_spec(spec, Async(Tm::default()))
    }
}

// Both policies have the same accessors and contexts; only their calls differ.
macro_rules! policy_methods {
    ([$($parameter:ident),*] $policy:ty, $name:literal) => {
        impl<$($parameter),*> $policy {
            /// Returns a context, which adds settings to single calls: deadline, hooks, abort,
            /// sleep handler, timeline.
            pub fn context(&self) -> CallContext<'_, Self> {
                CallContext::of(self)
            }

            /// Returns a [`context`](Self::context) that names the operation.
            pub fn operation<'a>(&'a self, name: impl Into<Cow<'a, str>>) -> CallContext<'a, Self> {
                self.context().operation(name)
            }

            /// Returns a [`context`](Self::context) whose calls continue the deferred call that
            /// gave this [token](crate::resume): attempts, failures of each class, previous delay
            /// and time used go on. Attempts beyond [`max_attempts`](Self::max_attempts) are not
            /// made.
            pub fn resume(&self, token: ResumeToken) -> CallContext<'_, Self> {
                self.context().resume(token)
            }

            /// Returns a context that [resumes](Self::resume) the call of the token with this text,
            /// or one whose calls start afresh: without a text, and if the text cannot be read, is
            /// of a policy with another name, or is of a call that was deferred more than seven
            /// days ago.
            pub fn resume_or_fresh(&self, token: Option<&str>) -> CallContext<'_, Self> {
                self.context().resume_or_fresh(token, self.name())
            }

            /// The policy's [name](crate::policy::PolicyBuilder::name), if it has one.
            #[must_use]
            pub fn name(&self) -> Option<&str> {
                self.plan.name()
            }

            /// Returns the settings the policy was built from, as plain data.
            #[must_use]
            pub fn spec(&self) -> PolicySpec {
                self.plan.spec()
            }

            /// Returns this policy with another breaker, for one dependency of several, such as one
            /// of many hosts. The two share everything else: settings, budget, observers and the
            /// state of adaptive strategies.
            ///
            /// # Errors
            ///
            /// Every rule that the breaker's settings break.
            pub fn with_circuit_breaker(&self, breaker: impl IntoBreaker) -> Result<Self, ConfigError>
            where
                Self: Clone,
            {
                let plan = Arc::new(self.plan.with_breaker(breaker.into().build()?));
                Ok(Self { plan, ..self.clone() })
            }

            /// Returns this policy with another budget, for one tenant of several. The two share
            /// everything else: settings, breaker, observers and the state of adaptive strategies.
            /// A policy without a retry makes one attempt, and its budget is not used.
            #[must_use]
            pub fn with_budget(&self, budget: Budget) -> Self
            where
                Self: Clone,
            {
                Self { plan: Arc::new(self.plan.with_budget(budget)), ..self.clone() }
            }

            /// Warnings about settings that have no effect, or not the one they seem to have.
            #[must_use]
            pub fn warnings(&self) -> &[ConfigIssue] {
                &self.plan.warnings
            }

            /// The classifier, for integrations that classify a result before the call does.
            #[must_use]
            pub const fn classifier(&self) -> &C {
                &self.classifier
            }

            /// Whether the policy has observers or attempt hooks. Without them the name of an
            /// operation is not used, so an integration need not compute one.
            #[must_use]
            pub fn is_watched(&self) -> bool {
                self.plan.hooks.is_watching()
            }

            /// The largest number of attempts a call makes.
            #[must_use]
            pub fn max_attempts(&self) -> u32 {
                self.plan.max_attempts
            }

            /// The breaker's state, if the policy has a breaker.
            #[must_use]
            pub fn circuit_state(&self) -> Option<CircuitState> {
                self.plan.breaker.as_ref().map(|breaker| breaker.as_dyn().state())
            }

            /// The retry budget, if the policy has one.
            #[must_use]
            pub fn budget(&self) -> Option<&Budget> {
                self.plan.budget.as_ref()
            }
        }

        impl<$($parameter),*> fmt::Debug for $policy {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name)
                    .field("max_attempts", &self.plan.max_attempts)
                    .field("deadline", &self.plan.deadline)
                    .field("budget", &self.plan.budget)
                    .field("circuit_state", &self.circuit_state())
                    .finish_non_exhaustive()
            }
        }
    };
}

policy_methods!([C] Policy<C>, "Policy");
policy_methods!([C, Tm] AsyncPolicy<C, Tm>, "AsyncPolicy");

impl<C> Policy<C> {
    /// Returns this policy with another classifier. The two share everything else: settings,
    /// breaker, budget, observers and the state of adaptive strategies. For integrations that add
    /// to what the policy's classifier says, such as a reason why an operation must not run again.
    ///
    /// ```
    /// use std::io::{Error, ErrorKind};
    /// use redress::{Classifier, Policy};
    ///
    /// let policy = Policy::default();
    /// let once = policy.with_classifier(|result: &Result<(), Error>| {
    ///     policy.classifier().classify(result).map(|failure| failure.forbid_retry("not_idempotent"))
    /// });
    /// let outcome = once.execute(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
    /// assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("not_idempotent")));
    /// ```
    #[must_use]
    pub fn with_classifier<D>(&self, classifier: D) -> Policy<D> {
        Policy { plan: Arc::clone(&self.plan), classifier }
    }

    /// Returns a policy with the same classifier that makes one attempt, without breaker, budget,
    /// deadline or observers. For integrations in which some calls bypass the policy.
    #[must_use]
    pub fn passthrough(&self) -> Self
    where
        C: Clone,
    {
        Self { plan: passthrough_plan(), classifier: self.classifier.clone() }
    }
}

impl<C, Tm> AsyncPolicy<C, Tm> {
    /// Returns this policy with another classifier. The two share everything else; see
    /// [`Policy::with_classifier`].
    #[must_use]
    pub fn with_classifier<D>(&self, classifier: D) -> AsyncPolicy<D, Tm>
    where
        Tm: Clone,
    {
        AsyncPolicy { plan: Arc::clone(&self.plan), classifier, timer: self.timer.clone() }
    }

    /// Returns a policy with the same classifier and timer that makes one attempt, without breaker,
    /// budget, deadline or observers. For integrations in which some calls bypass the policy.
    #[must_use]
    pub fn passthrough(&self) -> Self
    where
        C: Clone,
        Tm: Clone,
    {
        Self { plan: passthrough_plan(), classifier: self.classifier.clone(), timer: self.timer.clone() }
    }

    /// Returns a clone with a separate reference count, for integrations in which each call holds a
    /// handle. Such a call updates the count twice, and on a shared count threads spend most of a
    /// short call contending for it. Costs one allocation; shares the same state as a clone.
    #[must_use]
    pub fn clone_unshared(&self) -> Self
    where
        C: Clone,
        Tm: Clone,
    {
        let plan = Arc::new(Plan::clone(&self.plan));
        Self { plan, classifier: self.classifier.clone(), timer: self.timer.clone() }
    }

    /// The timer, for integrations that have waits besides those between attempts.
    #[must_use]
    pub const fn timer(&self) -> &Tm {
        &self.timer
    }
}

/// A single static plan, because integrations use it for each request that bypasses a policy and it
/// has no state.
fn passthrough_plan() -> Arc<Plan> {
    static PLAN: OnceLock<Arc<Plan>> = OnceLock::new();
    let plan = PLAN.get_or_init(|| {
        let compiled = CompiledPolicy::new(PolicySpec::once(), None, Hooks::default(), ClockChoice::default());
        Arc::new(Plan::new(Arc::new(compiled), None, None))
    });
    Arc::clone(plan)
}

/// The plan of a policy that consists of a validated retry and the default deadline.
fn plan_of(retry: &Retry) -> Arc<Plan> {
    let spec = PolicySpec { deadline: Some(DEFAULT_DEADLINE), ..PolicySpec::once() };
    let compiled = CompiledPolicy::new(spec, Some(retry), Hooks::default(), ClockChoice::default());
    Arc::new(Plan::new(Arc::new(compiled), None, retry.budget()))
}

/// Retries with the defaults: up to 6 attempts within 60 s, decorrelated jitter up to 5 s, hints
/// honoured.
///
/// ```
/// use redress::Policy;
///
/// let manifest = Policy::default().call(|| std::fs::read("Cargo.toml"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Default for Policy {
    fn default() -> Self {
        Retry::default().into()
    }
}

/// Like [`Policy::default`].
impl<Tm: Default> Default for AsyncPolicy<DefaultClassifier, Tm> {
    fn default() -> Self {
        Retry::default().into()
    }
}

/// A policy with this retry, a deadline of 60 s, and no breaker.
impl From<Retry> for Policy {
    fn from(retry: Retry) -> Self {
        Self { plan: plan_of(&retry), classifier: DefaultClassifier::default() }
    }
}

/// A policy with this retry, a deadline of 60 s, and no breaker.
impl<Tm: Default> From<Retry> for AsyncPolicy<DefaultClassifier, Tm> {
    fn from(retry: Retry) -> Self {
        Self { plan: plan_of(&retry), classifier: DefaultClassifier::default(), timer: Tm::default() }
    }
}

/// Alias of [`Policy`], for fields and signatures of code that only retries.
///
/// ```
/// use std::time::Duration;
/// use redress::{Policy, Retry, RetryPolicy, fixed};
///
/// struct Reader {
///     policy: RetryPolicy,
/// }
///
/// let retry = Retry::builder().strategy(fixed(Duration::from_millis(20))).max_attempts(3).build()?;
/// let reader = Reader { policy: retry.into() };
/// # assert_eq!(reader.policy.max_attempts(), 3);
/// # Ok::<(), redress::ConfigError>(())
/// ```
pub type RetryPolicy<C = DefaultClassifier> = Policy<C>;

/// Alias of [`AsyncPolicy`], for fields and signatures of code that only retries.
pub type AsyncRetryPolicy<C, Tm> = AsyncPolicy<C, Tm>;
