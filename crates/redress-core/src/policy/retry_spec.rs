//! [`RetrySpec`]: the retry settings as plain data, with their defaults, validation rules and text
//! form.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::budget::spec::BudgetSpec;
use crate::classify::class::{ErrorClass, PerClass};
use crate::outcome::readable_duration::Readable;
use crate::policy::compiled::MAX_CAP;
use crate::policy::config_error::Check;
use crate::strategy::{StrategySpec, default_strategy_spec};

const CAP_RULE: &str = "be at most 65534; leave it out for no cap";

/// The configuration of a [`Retry`](crate::Retry). Its builder edits this value, and a built retry
/// [returns](crate::Retry::spec) it.
///
/// Plain data, not validated until [`build`](crate::policy::RetryBuilder::build) is called.
///
/// # Defaults
///
/// `max_attempts` 6, `max_unknown_retries` 2, no caps per class, no budget, hints honoured. If no
/// strategy is set, every class uses [`decorrelated_jitter`](crate::decorrelated_jitter) up to 5 s.
///
/// ```
/// use std::time::Duration;
/// use redress::{Policy, Retry};
/// use redress::policy::RetrySpec;
/// use redress::strategy::StrategySpec;
///
/// let mut spec = RetrySpec::default();
/// spec.max_attempts = 3;
/// spec.strategy = Some(StrategySpec::Fixed { delay: Duration::from_millis(50) });
/// let retry = Retry::from_spec(spec.clone()).build()?;
/// assert_eq!(retry.spec(), &spec);
/// assert_eq!(
///     spec.to_string(),
///     "at most 3 attempts\n\
///      at most 2 retries of UNKNOWN\n\
///      waits: a fixed delay of 50 ms, at least the hint"
/// );
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetrySpec {
    /// How many attempts a call may make, the first one included.
    pub max_attempts: u32,
    /// How many failures of class `Unknown` may be retried; `None` for no separate cap.
    pub max_unknown_retries: Option<u32>,
    /// How many failures of each class may be retried; `None` for no separate cap.
    pub max_retries_for: PerClass<Option<u32>>,
    /// The strategy of classes that `strategies` does not list. `None` means the default strategy
    /// if `strategies` is empty too. Otherwise a class without a strategy is not retried, and the
    /// call ends as [`NoStrategy`](crate::StopReason::NoStrategy).
    pub strategy: Option<StrategySpec>,
    /// Strategies for single classes.
    pub strategies: PerClass<Option<StrategySpec>>,
    /// The budget that every retry takes a token from.
    pub budget: Option<BudgetSpec>,
    /// Whether to ignore `retry_after` hints as a lower bound of waits. Strategies still see them.
    pub ignore_retry_after: bool,
    /// Caps `retry_after` hints; `None` for no limit but the deadline.
    pub max_retry_after: Option<Duration>,
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self {
            max_attempts: 6,
            max_unknown_retries: Some(DEFAULT_UNKNOWN_CAP),
            max_retries_for: PerClass::default(),
            strategy: None,
            strategies: PerClass::default(),
            budget: None,
            ignore_retry_after: false,
            max_retry_after: None,
        }
    }
}

/// The default cap never produces a warning, however few attempts are allowed.
const DEFAULT_UNKNOWN_CAP: u32 = 2;

impl RetrySpec {
    /// One attempt: no failure is retried.
    pub(crate) fn once() -> Self {
        Self { max_attempts: 1, max_unknown_retries: None, ..Self::default() }
    }

    /// Whether no strategy is set, so that every class uses the default one.
    pub(crate) fn has_default_strategy(&self) -> bool {
        self.strategy.is_none() && self.strategies.iter().all(|(_, strategy)| strategy.is_none())
    }

    /// The strategy that computes the delays after failures in this class; `None` if the class is
    /// not retried.
    ///
    /// ```
    /// use redress::ErrorClass;
    /// use redress::policy::RetrySpec;
    ///
    /// let spec = RetrySpec::default();
    /// let strategy = spec.strategy_of(ErrorClass::Transient).expect("retried");
    /// assert_eq!(strategy.to_string(), "decorrelated jitter from 250 ms up to 5 s");
    /// assert_eq!(spec.strategy_of(ErrorClass::Auth), None);
    /// ```
    #[must_use]
    pub fn strategy_of(&self, class: ErrorClass) -> Option<Cow<'_, StrategySpec>> {
        let set = self.strategies[class].as_ref().or(self.strategy.as_ref()).map(Cow::Borrowed);
        let default = || self.has_default_strategy().then(|| Cow::Owned(default_strategy_spec()));
        set.or_else(default).filter(|_| class.is_retryable())
    }

    /// Collects errors. The rules of strategies and the budget are checked where those are built.
    pub(crate) fn check(&self, check: &mut Check) {
        check.that(self.max_attempts >= 1, "retry.max_attempts", self.max_attempts, "be at least 1");
        if let Some(longest) = self.max_retry_after {
            check.duration("retry.max_retry_after", longest);
        }
        for (class, cap) in self.max_retries_for.iter() {
            let Some(cap) = *cap else { continue };
            check.of_class(class, cap <= MAX_CAP, "retry.max_retries_for", cap, CAP_RULE);
        }
        if let Some(cap) = self.max_unknown_retries {
            check.that(cap <= MAX_CAP, "retry.max_unknown_retries", cap, CAP_RULE);
        }
    }

    /// Collects warnings about settings that have no effect.
    pub(crate) fn warn(&self, check: &mut Check) {
        // `max_attempts` allows this many retries, so a larger cap never binds.
        let retries = self.max_attempts.saturating_sub(1);
        for (class, cap) in self.max_retries_for.iter() {
            let Some(cap) = *cap else { continue };
            check.of_class(
                class,
                !class.is_retryable() || cap < retries || retries == 0,
                "retry.max_retries_for",
                cap,
                "be below the retries that max_attempts allows, or it never binds",
            );
            check.of_class(
                class,
                class.is_retryable() || cap == 0,
                "retry.max_retries_for",
                cap,
                "be left out for a class that is never retried",
            );
        }
        self.warn_of_unknown_caps(check);
    }

    /// Collects warnings about `Unknown`, which has two caps. The attempts limit both.
    fn warn_of_unknown_caps(&self, check: &mut Check) {
        if let (Some(of_class), Some(of_unknown)) =
            (self.max_retries_for[ErrorClass::Unknown], self.max_unknown_retries)
        {
            check.of_class(
                ErrorClass::Unknown,
                of_class <= of_unknown,
                "retry.max_retries_for",
                of_class,
                "be at most max_unknown_retries, which ends the call first",
            );
            check.that(
                of_class > of_unknown || of_unknown == DEFAULT_UNKNOWN_CAP,
                "retry.max_unknown_retries",
                of_unknown,
                "be below max_retries_for(UNKNOWN), which ends the call first",
            );
        }
        let retries = self.max_attempts.saturating_sub(1);
        if let Some(cap) = self.max_unknown_retries.filter(|cap| *cap != DEFAULT_UNKNOWN_CAP) {
            check.that(
                cap < retries || retries == 0,
                "retry.max_unknown_retries",
                cap,
                "be below the retries that max_attempts allows, or it never binds",
            );
        }
    }

    fn fmt_caps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (class, cap) in self.max_retries_for.iter() {
            let of_unknown = self.max_unknown_retries.filter(|_| class == ErrorClass::Unknown);
            let cap = [*cap, of_unknown].into_iter().flatten().min();
            match cap {
                None => {}
                Some(0) => write!(f, "\nno retry of {class}")?,
                Some(1) => write!(f, "\nat most 1 retry of {class}")?,
                Some(cap) => write!(f, "\nat most {cap} retries of {class}")?,
            }
        }
        Ok(())
    }

    fn fmt_waits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (class, strategy) in self.strategies.iter() {
            if let Some(strategy) = strategy {
                write!(f, "\nwaits after {class}: {strategy}{}", HintText(self))?;
            }
        }
        let default = self.has_default_strategy().then(default_strategy_spec);
        match self.strategy.as_ref().or(default.as_ref()) {
            Some(strategy) => write!(f, "\nwaits: {strategy}{}", HintText(self)),
            None => f.write_str("\nno retry of any other class"),
        }
    }
}

/// The part of the text that says how hints affect waits.
struct HintText<'a>(&'a RetrySpec);

impl fmt::Display for HintText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.max_retry_after {
            _ if self.0.ignore_retry_after => Ok(()),
            None => f.write_str(", at least the hint"),
            Some(longest) => write!(f, ", at least the hint up to {}", Readable(longest)),
        }
    }
}

/// One line for each part: attempts, caps, waits, budget.
impl fmt::Display for RetrySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.max_attempts == 1 {
            return f.write_str("one attempt");
        }
        write!(f, "at most {} attempts", self.max_attempts)?;
        self.fmt_caps(f)?;
        self.fmt_waits(f)?;
        match &self.budget {
            Some(budget) => write!(f, "\n{budget}"),
            None => Ok(()),
        }
    }
}
