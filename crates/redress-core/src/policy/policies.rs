//! The policies: a plan, a classifier, and for the asynchronous one a timer.
//!
//! Owns the types that users hold and what can be asked of them. Building is `builder.rs`, calling
//! the drivers'.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::breaker::{CircuitState, IntoBreaker};
use crate::budget::cell::Budget;
use crate::classify::default_classifier::DefaultClassifier;
use crate::drive::clock::ClockChoice;
use crate::policy::builder::{Async, Blocking, PolicyBuilder, plan_of};
use crate::policy::compiled::{CompiledPolicy, Plan};
use crate::policy::config_error::{ConfigError, ConfigIssue};
use crate::policy::context::CallContext;
use crate::policy::hooks::Hooks;
use crate::policy::retry::Retry;
use crate::policy::spec::PolicySpec;
use crate::sync::OnceLock;

/// A container for everything a blocking call is guarded by: optional retry, optional circuit
/// breaker, and the classifier both act on.
///
/// One policy serves operations of every type its classifier reads. Clones are cheap and share the
/// breaker, the budget and what strategies have learned. Without retry a policy makes one attempt,
/// with the same events, hooks and stop reasons.
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
/// A runtime's crate fixes the timer `Tm`, so that what users name has one parameter with a
/// default: with the facade's feature `tokio`, `redress::runtime::tokio::AsyncPolicy`. The calls'
/// futures are `Send` if the operation's are.
///
/// # Cancel safety
///
/// Dropping a call's future drops the operation's, stops the call where it is, and gives a
/// breaker's permit back. A budget token already taken stays taken. No terminal event is emitted.
#[derive(Clone)]
pub struct AsyncPolicy<C, Tm> {
    pub(crate) plan: Arc<Plan>,
    pub(crate) classifier: C,
    pub(crate) timer: Tm,
}

impl Policy {
    /// A builder of a policy with neither retry nor breaker, and the default classifier.
    pub fn builder() -> PolicyBuilder<DefaultClassifier, Blocking> {
        PolicyBuilder::new(Blocking::default())
    }

    /// A builder with these settings, and the default classifier.
    pub fn from_spec(spec: PolicySpec) -> PolicyBuilder<DefaultClassifier, Blocking> {
        PolicyBuilder::from_spec(spec, Blocking::default())
    }
}

impl<Tm: Default> AsyncPolicy<DefaultClassifier, Tm> {
    /// A builder of a policy with neither retry nor breaker, and the default classifier.
    pub fn builder() -> PolicyBuilder<DefaultClassifier, Async<Tm>> {
        PolicyBuilder::new(Async(Tm::default()))
    }

    /// A builder with these settings, and the default classifier.
    pub fn from_spec(spec: PolicySpec) -> PolicyBuilder<DefaultClassifier, Async<Tm>> {
        PolicyBuilder::from_spec(spec, Async(Tm::default()))
    }
}

// The questions and the context are the same for both policies; only the calls differ.
macro_rules! policy_methods {
    ([$($parameter:ident),*] $policy:ty, $name:literal) => {
        impl<$($parameter),*> $policy {
            /// Settings for single calls: deadline, hooks, abort, sleep handler, timeline.
            pub fn context(&self) -> CallContext<'_, Self> {
                CallContext::of(self)
            }

            /// [`context`](Self::context) with a name for the operation.
            pub fn operation<'a>(&'a self, name: impl Into<Cow<'a, str>>) -> CallContext<'a, Self> {
                self.context().operation(name)
            }

            /// The [name](crate::policy::PolicyBuilder::name) it was given.
            #[must_use]
            pub fn name(&self) -> Option<&str> {
                self.plan.name()
            }

            /// The settings it was built from, as data.
            #[must_use]
            pub fn spec(&self) -> PolicySpec {
                self.plan.spec()
            }

            /// The same policy with a breaker for one dependency, such as one host of many.
            /// Everything else is shared: the compiled settings, the budget, the observers, and
            /// what strategies have learned.
            ///
            /// # Errors
            ///
            /// What is wrong with the breaker.
            pub fn with_circuit_breaker(&self, breaker: impl IntoBreaker) -> Result<Self, ConfigError>
            where
                Self: Clone,
            {
                let plan = Arc::new(self.plan.with_breaker(breaker.into().build()?));
                Ok(Self { plan, ..self.clone() })
            }

            /// Warnings about settings that have no effect, or not the one they seem to have.
            #[must_use]
            pub fn warnings(&self) -> &[ConfigIssue] {
                &self.plan.warnings
            }

            /// The classifier, for integrations that have to know what a result means before the
            /// call does.
            #[must_use]
            pub const fn classifier(&self) -> &C {
                &self.classifier
            }

            /// Whether the policy has observers or attempt hooks: if not, nobody hears the name of
            /// an operation, and one need not be made.
            #[must_use]
            pub fn is_watched(&self) -> bool {
                self.plan.hooks.is_watching()
            }

            /// How many attempts a call makes at most.
            #[must_use]
            pub fn max_attempts(&self) -> u32 {
                self.plan.max_attempts
            }

            /// The breaker's state, if there is one.
            #[must_use]
            pub fn circuit_state(&self) -> Option<CircuitState> {
                self.plan.breaker.as_ref().map(|breaker| breaker.as_dyn().state())
            }

            /// The budget, if there is one.
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

impl<C, Tm> AsyncPolicy<C, Tm> {
    /// A policy of one attempt that counts, limits and watches nothing, with the same classifier
    /// and timer. For integrations in which some calls bypass the policy.
    #[must_use]
    pub fn passthrough(&self) -> Self
    where
        C: Clone,
        Tm: Clone,
    {
        Self { plan: passthrough_plan(), classifier: self.classifier.clone(), timer: self.timer.clone() }
    }

    /// The same policy with a reference count apart from this one's, for integrations whose calls
    /// hold a handle each. Such a call counts twice, and threads that count in one place spend most
    /// of a short call waiting for each other. Costs one allocation. Everything is shared as by a
    /// clone.
    #[must_use]
    pub fn counted_apart(&self) -> Self
    where
        C: Clone,
        Tm: Clone,
    {
        let plan = Arc::new(Plan::clone(&self.plan));
        Self { plan, classifier: self.classifier.clone(), timer: self.timer.clone() }
    }

    /// The timer, for integrations that wait for something besides attempts.
    #[must_use]
    pub const fn timer(&self) -> &Tm {
        &self.timer
    }
}

/// One for all: integrations take it for each request that bypasses a policy, and it has no state.
fn passthrough_plan() -> Arc<Plan> {
    static PLAN: OnceLock<Arc<Plan>> = OnceLock::new();
    let plan = PLAN.get_or_init(|| {
        let compiled = CompiledPolicy::new(PolicySpec::once(), None, Hooks::default(), ClockChoice::default());
        Arc::new(Plan::new(Arc::new(compiled), None))
    });
    Arc::clone(plan)
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

/// As [`Policy::default`].
impl<Tm: Default> Default for AsyncPolicy<DefaultClassifier, Tm> {
    fn default() -> Self {
        Retry::default().into()
    }
}

/// A policy with nothing but this retry, within 60 s.
impl From<Retry> for Policy {
    fn from(retry: Retry) -> Self {
        Self { plan: plan_of(&retry), classifier: DefaultClassifier::default() }
    }
}

/// A policy with nothing but this retry, within 60 s.
impl<Tm: Default> From<Retry> for AsyncPolicy<DefaultClassifier, Tm> {
    fn from(retry: Retry) -> Self {
        Self { plan: plan_of(&retry), classifier: DefaultClassifier::default(), timer: Tm::default() }
    }
}

/// A policy of which nothing but the retry is of interest: another name for [`Policy`], for fields
/// and signatures.
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

/// [`RetryPolicy`] for asynchronous operations. A runtime's crate fixes the timer `Tm`.
pub type AsyncRetryPolicy<C, Tm> = AsyncPolicy<C, Tm>;
