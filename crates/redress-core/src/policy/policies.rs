//! The policies: a plan, a classifier, and for the asynchronous one a timer.
//!
//! Owns the types that users hold and what can be asked of them. Building is `builder.rs`, calling the drivers'.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::breaker::CircuitState;
use crate::budget::cell::Budget;
use crate::classify::default_classifier::DefaultClassifier;
use crate::drive::clock::ClockChoice;
use crate::policy::builder::{Async, Blocking, PolicyBuilder};
use crate::policy::compiled::{Plan, TimeLimits};
use crate::policy::config_error::ConfigIssue;
use crate::policy::context::CallContext;
use crate::policy::hooks::Hooks;
use crate::policy::retry::{Retry, RetryBuilder};

/// A container for everything a blocking call is guarded by: optional retry, optional circuit breaker, and the
/// classifier both act on.
///
/// One policy serves operations of every type its classifier reads. Clones are cheap and share the breaker, the
/// budget and what strategies have learned. Without retry a policy makes one attempt, with the same events, hooks and
/// stop reasons.
///
/// ```
/// use std::time::Duration;
/// use redress_core::{CircuitBreaker, ErrorClass, Policy, Retry, decorrelated_jitter};
///
/// let policy = Policy::builder()
///     .retry(
///         Retry::builder()
///             .strategy(decorrelated_jitter().max(Duration::from_secs(5)))
///             .strategy_for(ErrorClass::RateLimit, decorrelated_jitter().max(Duration::from_secs(60)))
///             .deadline(Duration::from_secs(60))
///             .max_attempts(6),
///     )
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
/// A runtime's crate fixes the timer `Tm`, so that what users name has one parameter with a default: with the facade's
/// feature `tokio`, `redress::tokio::AsyncPolicy`. The calls' futures are `Send` if the operation's are.
///
/// # Cancel safety
///
/// Dropping a call's future drops the operation's, stops the call where it is, and gives a breaker's permit back. A
/// budget token already taken stays taken. No terminal event is emitted.
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
}

impl<Tm: Default> AsyncPolicy<DefaultClassifier, Tm> {
    /// A builder of a policy with neither retry nor breaker, and the default classifier.
    pub fn builder() -> PolicyBuilder<DefaultClassifier, Async<Tm>> {
        PolicyBuilder::new(Async(Tm::default()))
    }
}

// The questions and the context are the same for both policies; only the calls differ.
macro_rules! policy_methods {
    ([$($parameter:ident),*] $policy:ty, $name:literal) => {
        impl<$($parameter),*> $policy {
            /// Settings for single calls: hooks, abort, sleep handler, sleeper, timeline.
            pub fn context(&self) -> CallContext<'_, Self> {
                CallContext::new(self)
            }

            /// [`context`](Self::context) with a name for the operation.
            pub fn operation<'a>(&'a self, name: impl Into<Cow<'a, str>>) -> CallContext<'a, Self> {
                self.context().operation(name)
            }

            /// The [name](crate::PolicyBuilder::name) it was given.
            #[must_use]
            pub fn name(&self) -> Option<&str> {
                self.plan.name.as_deref()
            }

            /// What is legal but odd about the configuration: settings that can never take effect.
            #[must_use]
            pub fn warnings(&self) -> &[ConfigIssue] {
                &self.plan.warnings
            }

            /// The classifier, for integrations that have to know what a result means before the call does.
            #[must_use]
            pub const fn classifier(&self) -> &C {
                &self.classifier
            }

            /// Whether the policy has observers or attempt hooks: if not, nobody hears the name of an operation, and one need not be
            /// made.
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
    /// A policy that lets calls pass: the same classifier and timer, one attempt, and nothing that counts, limits or watches. For
    /// integrations that leave some calls alone.
    #[must_use]
    pub fn bare(&self) -> Self
    where
        C: Clone,
        Tm: Clone,
    {
        let plan = Plan::new(None, None, TimeLimits::default(), None, Hooks::default(), ClockChoice::default());
        Self { plan: Arc::new(plan), classifier: self.classifier.clone(), timer: self.timer.clone() }
    }

    /// The timer, for integrations that wait for something besides attempts.
    #[must_use]
    pub const fn timer(&self) -> &Tm {
        &self.timer
    }
}

/// Retries with the defaults: up to 6 attempts within 60 s, decorrelated jitter up to 5 s, hints honoured.
///
/// ```
/// use redress_core::Policy;
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

impl From<Retry> for Policy {
    fn from(retry: Retry) -> Self {
        Self::builder().build_validated(&retry)
    }
}

impl<Tm: Default> From<Retry> for AsyncPolicy<DefaultClassifier, Tm> {
    fn from(retry: Retry) -> Self {
        Self::builder().build_validated(&retry)
    }
}

/// The short way to a [`Policy`] with nothing but retry: a name for its builder, never a value. In a field write `Policy`.
///
/// ```
/// use std::time::Duration;
/// use redress_core::{RetryPolicy, fixed};
///
/// let policy = RetryPolicy::builder().strategy(fixed(Duration::from_millis(20))).max_attempts(3).build()?;
/// # Ok::<(), redress_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum RetryPolicy {}

impl RetryPolicy {
    /// A retry builder whose `build` gives a [`Policy`].
    pub fn builder() -> RetryBuilder<PolicyBuilder<DefaultClassifier, Blocking>> {
        RetryBuilder::new(Policy::builder())
    }
}

/// The short way to an [`AsyncPolicy`] with nothing but retry: a name for its builder, never a value. In a field write the
/// policy of your runtime's crate.
#[derive(Clone, Copy, Debug)]
pub struct AsyncRetryPolicy<Tm>(PhantomData<Tm>);

impl<Tm: Default> AsyncRetryPolicy<Tm> {
    /// A retry builder whose `build` gives an [`AsyncPolicy`].
    pub fn builder() -> RetryBuilder<PolicyBuilder<DefaultClassifier, Async<Tm>>> {
        RetryBuilder::new(AsyncPolicy::builder())
    }
}
