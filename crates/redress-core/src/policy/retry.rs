//! [`Retry`], the retry component of a policy, and its builder. The settings as data are in
//! `retry_spec.rs`; `engine/gates.rs` acts on them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::budget::cell::Budget;
use crate::classify::class::{ErrorClass, PerClass};
use crate::policy::config_error::{Check, ConfigError};
use crate::policy::retry_spec::RetrySpec;
use crate::strategy::{Strategy, StrategySpec, default_strategy};

/// The validated retry component of a policy. Build it with [`builder`](Self::builder), and pass it
/// or the builder to `Policy::builder().retry(..)`. Policies that share a `Retry` share its budget
/// and the state of its adaptive strategies.
///
/// ```
/// use std::time::Duration;
/// use redress::{Budget, ErrorClass, Policy, Retry, decorrelated_jitter};
///
/// let retry = Retry::builder()
///     .max_attempts(4)
///     .strategy(decorrelated_jitter().base(Duration::from_millis(50)).max(Duration::from_secs(2)))
///     .max_retries_for(ErrorClass::RateLimit, 1)
///     .budget(Budget::new(20, Duration::from_secs(10))?)
///     .build()?;
/// let policy = Policy::builder().retry(retry).build()?;
/// assert_eq!(policy.max_attempts(), 4);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Retry {
    spec: RetrySpec,
    parts: Parts,
}

/// The shared objects that a [`RetrySpec`] describes.
#[derive(Clone, Default)]
struct Parts {
    strategy: Option<Arc<dyn Strategy>>,
    strategies: PerClass<Option<Arc<dyn Strategy>>>,
    budget: Option<Budget>,
}

impl Parts {
    /// Builds the parts that are only described by the spec, and collects all issues.
    fn complete(&mut self, spec: &RetrySpec, check: &mut Check) {
        complete_strategy(&mut self.strategy, spec.strategy.as_ref(), "retry.strategy", check);
        for class in ErrorClass::ALL.iter().copied() {
            let described = spec.strategies[class].as_ref();
            let mut of_class = Check::default();
            complete_strategy(&mut self.strategies[class], described, "retry.strategy_for", &mut of_class);
            check.extend(of_class.into_issues().into_iter().map(|issue| issue.of_class(class)));
        }
        if let (None, Some(budget)) = (&self.budget, &spec.budget) {
            self.budget = check.accept(Budget::from_spec(budget.clone()));
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
        None => check.that(false, field, "custom", "be given to the builder: a spec cannot build a custom strategy"),
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl Retry {
    /// Returns a builder with the defaults.
    pub fn builder() -> RetryBuilder {
        Self::from_spec(RetrySpec::default())
    }

    /// Returns a builder with the settings of `spec`. Strategies and budget are created from their
    /// specs, and not shared with other retries, unless the builder sets others.
    pub fn from_spec(spec: RetrySpec) -> RetryBuilder {
        RetryBuilder { spec, parts: Parts::default() }
    }

    /// The settings it was built from, as plain data.
    #[must_use]
    pub const fn spec(&self) -> &RetrySpec {
        &self.spec
    }

    /// The strategy of each class. A class that was not given one uses the default, unless
    /// strategies were set for some classes only.
    pub(crate) fn strategies(&self) -> PerClass<Option<Arc<dyn Strategy>>> {
        let default =
            if self.spec.has_default_strategy() { Some(default_strategy()) } else { self.parts.strategy.clone() };
        PerClass::from_fn(|class| self.parts.strategies[class].clone().or_else(|| default.clone()))
    }

    pub(crate) fn budget(&self) -> Option<Budget> {
        self.parts.budget.clone()
    }
}

/// Builds a [`Retry`]. Each method sets a field of a [`RetrySpec`].
///
/// # Defaults
///
/// Those of [`RetrySpec`].
///
/// ```
/// use std::time::Duration;
/// use redress::{Budget, ErrorClass, Policy, Retry, decorrelated_jitter, fixed};
///
/// let retry = Retry::builder()
///     .strategy(decorrelated_jitter().max(Duration::from_secs(2)))
///     .strategy_for(ErrorClass::Concurrency, fixed(Duration::from_millis(20)))
///     .max_attempts(4)
///     .max_retries_for(ErrorClass::RateLimit, 1)
///     .budget(Budget::new(100, Duration::from_secs(10))?);
/// let policy = Policy::builder().retry(retry).build()?;
/// # drop(policy);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called or a policy builder takes it"]
pub struct RetryBuilder {
    spec: RetrySpec,
    parts: Parts,
}

impl RetryBuilder {
    /// Sets the strategy of all classes without a [class strategy](Self::strategy_for). Default:
    /// [`decorrelated_jitter`](crate::decorrelated_jitter) up to 5 s.
    pub fn strategy(mut self, strategy: impl Strategy + 'static) -> Self {
        self.spec.strategy = Some(strategy.spec());
        self.parts.strategy = Some(Arc::new(strategy));
        self
    }

    /// Sets the strategy of one class. If no strategy is set for the other classes, they are not
    /// retried.
    pub fn strategy_for(mut self, class: ErrorClass, strategy: impl Strategy + 'static) -> Self {
        self.spec.strategies[class] = Some(strategy.spec());
        self.parts.strategies[class] = Some(Arc::new(strategy));
        self
    }

    /// Limits the attempts of a call, the first included. Default: 6.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.spec.max_attempts = attempts;
        self
    }

    /// Limits how many [`Unknown`](ErrorClass::Unknown) failures a call retries. The next one ends
    /// the call. Default: 2.
    pub fn max_unknown_retries(mut self, retries: u32) -> Self {
        self.spec.max_unknown_retries = Some(retries);
        self
    }

    /// Removes the separate cap for failures of class [`Unknown`](ErrorClass::Unknown).
    pub fn unlimited_unknown_retries(mut self) -> Self {
        self.spec.max_unknown_retries = None;
        self
    }

    /// Limits how many failures of `class` a call retries. The next one ends the call; with zero,
    /// the first one does. Default: no limit but `max_attempts`.
    pub fn max_retries_for(mut self, class: ErrorClass, retries: u32) -> Self {
        self.spec.max_retries_for[class] = Some(retries);
        self
    }

    /// Makes every retry take a token from `budget`, which may be shared between policies. Default:
    /// no budget.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.spec.budget = Some(budget.spec());
        self.parts.budget = Some(budget);
        self
    }

    /// Leaves `retry_after` hints to the strategies. Default: a hint is a lower bound. The wait is
    /// the longer of the strategy's delay and the hint, for every retryable class.
    pub fn ignore_retry_after(mut self) -> Self {
        self.spec.ignore_retry_after = true;
        self
    }

    /// Caps `retry_after` hints at `longest`, both as a lower bound of waits and as strategies see
    /// them. Default: no cap but the deadline.
    ///
    /// The cap protects a policy without a deadline from a hostile hint. To give up instead of
    /// retrying earlier than the hint asks, set a deadline.
    pub fn max_retry_after(mut self, longest: Duration) -> Self {
        self.spec.max_retry_after = Some(longest);
        self
    }

    /// Builds the retry component.
    ///
    /// # Errors
    ///
    /// Every rule that the settings break: no attempts, a duration of zero or over 584 years, a cap
    /// over 65,534, or a rule of a strategy or the budget.
    pub fn build(self) -> Result<Retry, ConfigError> {
        let mut check = Check::default();
        let retry = self.checked(&mut check);
        check.finish()?;
        Ok(retry)
    }

    /// Builds the component. Use it only if `check` has found no issue.
    pub(crate) fn checked(self, check: &mut Check) -> Retry {
        let Self { spec, mut parts } = self;
        spec.check(check);
        parts.complete(&spec, check);
        Retry { spec, parts }
    }
}

/// Types that `PolicyBuilder::retry` accepts: a [`RetryBuilder`], a [`Retry`] or a [`RetrySpec`].
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
