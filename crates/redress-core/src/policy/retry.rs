//! The retry component and its builder: a method for each setting. The settings themselves are
//! `retry_spec.rs`, what they decide is `engine/gates.rs`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::budget::cell::Budget;
use crate::classify::class::{ErrorClass, PerClass};
use crate::policy::config_error::{Check, ConfigError};
use crate::policy::retry_spec::RetrySpec;
use crate::strategy::{Strategy, StrategySpec, default_strategy};

/// The retry component of a policy, validated. Build it with [`builder`](Self::builder); hand it,
/// or the builder, to `Policy::builder().retry(..)`. Policies that share one share its budget and
/// what its strategies have learned.
#[derive(Clone, Debug, Default)]
pub struct Retry {
    spec: RetrySpec,
    parts: Parts,
}

/// What a [`RetrySpec`] describes, as the objects that calls share.
#[derive(Clone, Default)]
struct Parts {
    strategy: Option<Arc<dyn Strategy>>,
    strategies: PerClass<Option<Arc<dyn Strategy>>>,
    budget: Option<Budget>,
}

impl Parts {
    /// Makes what the caller has only described, and collects what is wrong with any of it.
    fn complete(&mut self, spec: &RetrySpec, check: &mut Check) {
        complete_strategy(&mut self.strategy, spec.strategy.as_ref(), "retry.strategy", check);
        for class in ErrorClass::ALL.iter().copied() {
            let described = spec.strategies[class].as_ref();
            complete_strategy(&mut self.strategies[class], described, "retry.strategy_for", check);
        }
        if let (None, Some(budget)) = (&self.budget, spec.budget) {
            self.budget = check.accept(Budget::from_spec(budget));
        }
    }
}

fn complete_strategy(
    part: &mut Option<Arc<dyn Strategy>>,
    described: Option<&StrategySpec>,
    field: &'static str,
    check: &mut Check,
) {
    let Some(described) = described else { return };
    if part.is_none() {
        *part = described.build();
    }
    match part {
        Some(strategy) => check.extend(strategy.issues()),
        None => check.that(false, field, described, "be given to the builder: a spec cannot build a custom strategy"),
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl Retry {
    /// A builder with the defaults.
    pub fn builder() -> RetryBuilder {
        Self::from_spec(RetrySpec::default())
    }

    /// A builder with these settings. Strategies and budget are made of their specs, for this retry
    /// alone, unless the builder is given others.
    pub fn from_spec(spec: RetrySpec) -> RetryBuilder {
        RetryBuilder { spec, parts: Parts::default() }
    }

    /// The settings it was built from, as data.
    #[must_use]
    pub const fn spec(&self) -> &RetrySpec {
        &self.spec
    }

    /// The strategy of each class. Classes without one of their own have the default one, unless
    /// the user chose strategies for some classes only.
    pub(crate) fn strategies(&self) -> PerClass<Option<Arc<dyn Strategy>>> {
        let default =
            if self.spec.has_default_strategy() { Some(default_strategy()) } else { self.parts.strategy.clone() };
        PerClass::from_fn(|class| self.parts.strategies[class].clone().or_else(|| default.clone()))
    }

    pub(crate) fn budget(&self) -> Option<Budget> {
        self.parts.budget.clone()
    }
}

/// Builds a [`Retry`] from a [`RetrySpec`], whose fields its methods set.
///
/// # Defaults
///
/// As [`RetrySpec`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called or a policy builder takes it"]
pub struct RetryBuilder {
    spec: RetrySpec,
    parts: Parts,
}

impl RetryBuilder {
    /// Sets the strategy for classes without one of their own. Default:
    /// [`decorrelated_jitter`](crate::decorrelated_jitter) up to 5 s.
    pub fn strategy(mut self, strategy: impl Strategy + 'static) -> Self {
        self.spec.strategy = Some(strategy.spec());
        self.parts.strategy = Some(Arc::new(strategy));
        self
    }

    /// Sets the strategy for one class. If no strategy is set for the others, they are not retried.
    pub fn strategy_for(mut self, class: ErrorClass, strategy: impl Strategy + 'static) -> Self {
        self.spec.strategies[class] = Some(strategy.spec());
        self.parts.strategies[class] = Some(Arc::new(strategy));
        self
    }

    /// Sets how many attempts a call may make, the first included. Default: 6.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.spec.max_attempts = attempts;
        self
    }

    /// Sets how many failures of class [`Unknown`](ErrorClass::Unknown) are retried in a call.
    /// Default: 2. The failure after that ends the call.
    pub fn max_unknown_retries(mut self, retries: u32) -> Self {
        self.spec.max_unknown_retries = Some(retries);
        self
    }

    /// Caps failures of class [`Unknown`](ErrorClass::Unknown) no more than others.
    pub fn unlimited_unknown_retries(mut self) -> Self {
        self.spec.max_unknown_retries = None;
        self
    }

    /// Sets how many failures of `class` are retried in a call. Default: no cap but the attempts.
    /// The failure after that ends the call; zero ends it at the first.
    pub fn max_retries_for(mut self, class: ErrorClass, retries: u32) -> Self {
        self.spec.max_retries_for[class] = Some(retries);
        self
    }

    /// Makes every retry take a token from `budget`, which may be shared. Default: none.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.spec.budget = Some(budget.spec());
        self.parts.budget = Some(budget);
        self
    }

    /// Leaves `retry_after` hints to the strategies. Default: a hint is a floor. Whatever the
    /// strategy computes, the wait is the longer of its delay and the hint, on any retryable class.
    pub fn ignore_retry_after(mut self) -> Self {
        self.spec.ignore_retry_after = true;
        self
    }

    /// Shortens longer hints to this, for the least wait and for what strategies read. Default: no
    /// cap but the deadline.
    ///
    /// It protects a policy without a deadline from a hostile hint. To give up instead of coming
    /// back early, set a deadline.
    pub fn max_retry_after(mut self, longest: Duration) -> Self {
        self.spec.max_retry_after = Some(longest);
        self
    }

    /// The component.
    ///
    /// # Errors
    ///
    /// Everything wrong at once: no attempts, a duration of zero or over 584 years, a cap over
    /// 65,534, or the rules of a strategy or a budget.
    pub fn build(self) -> Result<Retry, ConfigError> {
        let mut check = Check::default();
        let retry = self.checked(&mut check);
        check.finish()?;
        Ok(retry)
    }

    /// The component, which is worth nothing if the check has found anything.
    pub(crate) fn checked(self, check: &mut Check) -> Retry {
        let Self { spec, mut parts } = self;
        spec.check(check);
        parts.complete(&spec, check);
        Retry { spec, parts }
    }
}

/// What a policy's builder takes as its retry: a [`RetryBuilder`], a [`Retry`] or a [`RetrySpec`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a retry component",
    label = "neither a `Retry` nor its builder",
    note = "a strategy is one of its settings: `.retry(Retry::builder().strategy(..))`"
)]
pub trait IntoRetry: Into<RetryBuilder> {}

#[diagnostic::do_not_recommend]
impl<R: Into<RetryBuilder>> IntoRetry for R {}

impl From<Retry> for RetryBuilder {
    fn from(retry: Retry) -> Self {
        let Retry { spec, parts } = retry;
        Self { spec, parts }
    }
}

impl From<&Retry> for RetryBuilder {
    fn from(retry: &Retry) -> Self {
        retry.clone().into()
    }
}

impl From<RetrySpec> for RetryBuilder {
    fn from(spec: RetrySpec) -> Self {
        Retry::from_spec(spec)
    }
}
