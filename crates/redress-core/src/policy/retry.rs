//! The retry component: attempts, caps, deadline, strategies and budget.
//!
//! Owns these settings, their defaults and their rules. What they decide is in `engine/gates.rs`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::budget::cell::Budget;
use crate::classify::class::{ErrorClass, PerClass};
use crate::policy::compiled::MAX_CAP;
use crate::policy::config_error::{Check, ConfigError, ConfigIssue};
use crate::strategy::Strategy;

const CAP_RULE: &str = "be at most 65534; leave it out for no cap";

/// The retry settings as plain data, for configuration that comes from elsewhere: change the fields of a default one.
/// [`Retry::from_config`] takes it; the builder is the same with methods.
///
/// # Defaults
///
/// `deadline` 60 s, no `attempt_timeout`, `max_attempts` 6, `max_unknown_retries` 2, no caps per class, no budget, hints
/// honoured. Without any strategy it is [`decorrelated_jitter`](crate::decorrelated_jitter) up to 5 s, for every class.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use redress_core::{Policy, Retry, RetryConfig, fixed};
///
/// let mut config = RetryConfig::default();
/// config.max_attempts = 3;
/// config.strategy = Some(Arc::new(fixed(Duration::from_millis(50))));
/// let policy = Policy::builder().retry(Retry::from_config(config)).build()?;
/// # Ok::<(), redress_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RetryConfig {
    /// Time for the whole call, waits included; `None` for no deadline.
    pub deadline: Option<Duration>,
    /// Time for each attempt; `None` for no limit but the deadline.
    pub attempt_timeout: Option<Duration>,
    /// How many attempts a call may make, the first one included.
    pub max_attempts: u32,
    /// How many failures of class `Unknown` may be retried; `None` for no cap of their own.
    pub max_unknown_retries: Option<u32>,
    /// How many failures of each class may be retried; `None` for no cap of its own.
    pub max_retries_for: PerClass<Option<u32>>,
    /// The strategy for classes without one of their own. `None` is the default strategy if `strategies` is empty as
    /// well; else a class without a strategy is not retried, and ends as [`NoStrategy`](crate::StopReason::NoStrategy).
    pub strategy: Option<Arc<dyn Strategy>>,
    /// The strategies of single classes.
    pub strategies: PerClass<Option<Arc<dyn Strategy>>>,
    /// The budget every retry takes a token from.
    pub budget: Option<Budget>,
    /// Whether `retry_after` hints are left to the strategies instead of being the least wait.
    pub ignore_retry_after: bool,
    /// The longest wait for a hint; `None` for no limit but the deadline.
    pub max_retry_after: Option<Duration>,
    /// Whether an attempt that is running at the deadline may finish.
    pub finish_running_attempt: bool,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            deadline: Some(Duration::from_secs(60)),
            attempt_timeout: None,
            max_attempts: 6,
            max_unknown_retries: Some(2),
            max_retries_for: PerClass::default(),
            strategy: None,
            strategies: PerClass::default(),
            budget: None,
            ignore_retry_after: false,
            max_retry_after: None,
            finish_running_attempt: false,
        }
    }
}

impl fmt::Debug for RetryConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryConfig")
            .field("deadline", &self.deadline)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("max_attempts", &self.max_attempts)
            .field("max_unknown_retries", &self.max_unknown_retries)
            .field("max_retries_for", &self.max_retries_for)
            .field("budget", &self.budget)
            .field("ignore_retry_after", &self.ignore_retry_after)
            .field("max_retry_after", &self.max_retry_after)
            .field("finish_running_attempt", &self.finish_running_attempt)
            .finish_non_exhaustive()
    }
}

impl RetryConfig {
    /// One attempt, whatever its failure, for as long as it takes.
    pub(crate) fn once() -> Self {
        Self { max_attempts: 1, max_unknown_retries: None, deadline: None, ..Self::default() }
    }

    pub(crate) fn check(&self, check: &mut Check) {
        check.that(self.max_attempts >= 1, "retry.max_attempts", self.max_attempts, "be at least 1");
        if let Some(deadline) = self.deadline {
            check.duration("retry.deadline", deadline);
        }
        if let Some(timeout) = self.attempt_timeout {
            check.duration("retry.attempt_timeout", timeout);
        }
        if let Some(longest) = self.max_retry_after {
            check.duration("retry.max_retry_after", longest);
        }
        for cap in self.max_retries_for.iter().filter_map(|(_, cap)| *cap) {
            check.that(cap <= MAX_CAP, "retry.max_retries_for", cap, CAP_RULE);
        }
        if let Some(cap) = self.max_unknown_retries {
            check.that(cap <= MAX_CAP, "retry.max_unknown_retries", cap, CAP_RULE);
        }
        let of_classes = self.strategies.iter().filter_map(|(_, strategy)| strategy.as_ref());
        for strategy in self.strategy.iter().chain(of_classes) {
            check.extend(strategy.issues());
        }
    }

    /// What is legal but odd.
    pub(crate) fn warnings(&self) -> Vec<ConfigIssue> {
        let mut check = Check::default();
        if let (Some(timeout), Some(deadline)) = (self.attempt_timeout, self.deadline) {
            check.that(
                timeout < deadline,
                "retry.attempt_timeout",
                timeout,
                "be shorter than the deadline to ever cut an attempt before it",
            );
        }
        // The attempts run out no later than after this many retries.
        let retries = self.max_attempts.saturating_sub(1);
        for (class, cap) in self.max_retries_for.iter() {
            let Some(cap) = *cap else { continue };
            check.that(
                !class.is_retryable() || cap < retries || retries == 0,
                "retry.max_retries_for",
                (class, cap),
                "be below the retries that max_attempts allows, or it never binds",
            );
            check.that(
                class.is_retryable() || cap == 0,
                "retry.max_retries_for",
                (class, cap),
                "be left out for a class that is never retried",
            );
        }
        self.warn_of_unknown_caps(&mut check);
        check.into_issues()
    }

    /// Two caps hold for failures of class `Unknown`, and the attempts end both.
    fn warn_of_unknown_caps(&self, check: &mut Check) {
        if let (Some(of_class), Some(of_unknown)) =
            (self.max_retries_for[ErrorClass::Unknown], self.max_unknown_retries)
        {
            check.that(
                of_class <= of_unknown,
                "retry.max_retries_for",
                (ErrorClass::Unknown, of_class),
                "be at most max_unknown_retries, which ends the call first",
            );
            check.that(
                of_class > of_unknown || of_unknown == Self::default_unknown_cap(),
                "retry.max_unknown_retries",
                of_unknown,
                "be below max_retries_for(Unknown), which ends the call first",
            );
        }
        let retries = self.max_attempts.saturating_sub(1);
        if let Some(cap) = self.max_unknown_retries.filter(|cap| *cap != Self::default_unknown_cap()) {
            check.that(
                cap < retries || retries == 0,
                "retry.max_unknown_retries",
                cap,
                "be below the retries that max_attempts allows, or it never binds",
            );
        }
    }

    /// The default cap is no oddity, however few attempts there are.
    const fn default_unknown_cap() -> u32 {
        2
    }
}

/// The retry component of a policy, validated. Build it with [`builder`](Self::builder); hand it, or the builder, to
/// `Policy::builder().retry(..)`.
#[derive(Clone, Debug, Default)]
pub struct Retry {
    pub(crate) config: RetryConfig,
}

impl Retry {
    /// A builder with the defaults.
    pub fn builder() -> RetryBuilder {
        RetryBuilder::new(())
    }

    /// A builder with these settings.
    pub const fn from_config(config: RetryConfig) -> RetryBuilder {
        RetryBuilder { config, parent: () }
    }
}

/// Builds a [`Retry`], or, when made by `RetryPolicy::builder()`, a whole policy.
///
/// # Defaults
///
/// As [`RetryConfig`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called or a policy builder takes it"]
pub struct RetryBuilder<P = ()> {
    pub(crate) config: RetryConfig,
    /// What `build` builds besides: nothing, or the builder of the policy around it.
    pub(crate) parent: P,
}

impl<P> RetryBuilder<P> {
    pub(crate) fn new(parent: P) -> Self {
        Self { config: RetryConfig::default(), parent }
    }

    /// Sets the strategy for classes without one of their own. Default:
    /// [`decorrelated_jitter`](crate::decorrelated_jitter) up to 5 s.
    pub fn strategy(mut self, strategy: impl Strategy + 'static) -> Self {
        self.config.strategy = Some(Arc::new(strategy));
        self
    }

    /// Sets the strategy for one class. If no strategy is set for the others, they are not retried.
    pub fn strategy_for(mut self, class: ErrorClass, strategy: impl Strategy + 'static) -> Self {
        self.config.strategies[class] = Some(Arc::new(strategy));
        self
    }

    /// Sets the time for the whole call, waits included. Default: 60 s.
    ///
    /// No attempt starts at or past the deadline, no wait goes past it, and an attempt that is running at it is cut and
    /// counts as a timeout, unless [it may finish](Self::finish_running_attempt). A blocking policy cannot stop a running
    /// closure: see [`attempt_timeout`](Self::attempt_timeout).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.config.deadline = Some(deadline);
        self
    }

    /// Lets a call take as long as its attempts and waits take. A success then needs no clock.
    pub fn no_deadline(mut self) -> Self {
        self.config.deadline = None;
        self
    }

    /// Sets the time for each attempt; it shrinks to what is left of the deadline. Default: none.
    ///
    /// An asynchronous policy drops the operation's future when the time is over and counts a failure of class
    /// [`Transient`](ErrorClass::Transient) with [`Cause::Timeout`](crate::Cause::Timeout). A blocking policy cannot stop a running
    /// closure: the operation can read its time from [`Attempt::time_left`](crate::Attempt::time_left), and
    /// [`Policy::call_detached`](crate::Policy::call_detached) stops waiting for it.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.config.attempt_timeout = Some(timeout);
        self
    }

    /// Sets how many attempts a call may make, the first included. Default: 6.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.config.max_attempts = attempts;
        self
    }

    /// Sets how many failures of class [`Unknown`](ErrorClass::Unknown) are retried in a call. Default: 2. The failure after
    /// that ends the call.
    pub fn max_unknown_retries(mut self, retries: u32) -> Self {
        self.config.max_unknown_retries = Some(retries);
        self
    }

    /// Caps failures of class [`Unknown`](ErrorClass::Unknown) no more than others.
    pub fn unlimited_unknown_retries(mut self) -> Self {
        self.config.max_unknown_retries = None;
        self
    }

    /// Sets how many failures of `class` are retried in a call. Default: no cap but the attempts. The failure after that
    /// ends the call; zero ends it at the first.
    pub fn max_retries_for(mut self, class: ErrorClass, retries: u32) -> Self {
        self.config.max_retries_for[class] = Some(retries);
        self
    }

    /// Makes every retry take a token from `budget`, which may be shared. Default: none.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.config.budget = Some(budget);
        self
    }
}

impl<P> RetryBuilder<P> {
    /// Leaves `retry_after` hints to the strategies. Default: a hint is a floor. Whatever the strategy computes, the wait is
    /// the longer of its delay and the hint, on any retryable class.
    pub fn ignore_retry_after(mut self) -> Self {
        self.config.ignore_retry_after = true;
        self
    }

    /// Caps the wait that a hint asks for; a longer hint is shortened to it. Default: no cap but the deadline.
    ///
    /// It protects a policy without a deadline from a hostile hint. To give up instead of coming back early, set a
    /// deadline.
    pub fn max_retry_after(mut self, longest: Duration) -> Self {
        self.config.max_retry_after = Some(longest);
        self
    }

    /// Lets an attempt that is running at the deadline finish; a success that comes late is a success. Default: the
    /// deadline cuts it, wherever the driver can, as a timeout. An attempt with a [timeout](Self::attempt_timeout) is cut
    /// at whichever is first in any case.
    pub fn finish_running_attempt(mut self) -> Self {
        self.config.finish_running_attempt = true;
        self
    }
}

impl RetryBuilder {
    /// The component.
    ///
    /// # Errors
    ///
    /// Everything wrong at once: no attempts, a duration of zero or over 584 years, or a strategy's own rules.
    pub fn build(self) -> Result<Retry, ConfigError> {
        let mut check = Check::default();
        self.config.check(&mut check);
        check.finish()?;
        Ok(Retry { config: self.config })
    }
}

impl From<Retry> for RetryBuilder {
    fn from(retry: Retry) -> Self {
        Retry::from_config(retry.config)
    }
}

impl From<&Retry> for RetryBuilder {
    fn from(retry: &Retry) -> Self {
        retry.clone().into()
    }
}

impl From<RetryConfig> for RetryBuilder {
    fn from(config: RetryConfig) -> Self {
        Retry::from_config(config)
    }
}
