//! A whole policy's configuration as plain data.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::breaker::BreakerSpec;
use crate::outcome::readable_duration::Readable;
use crate::policy::config_error::{Check, ConfigIssue};
use crate::policy::retry_spec::RetrySpec;

/// The deadline of a policy that retries and sets none.
pub(crate) const DEFAULT_DEADLINE: Duration = Duration::from_secs(60);

/// The configuration of a policy: what its builder [is made from](crate::Policy::from_spec), and
/// what a built one [gives back](crate::Policy::spec). Its `Display` is a page for people.
///
/// Plain data that nothing has checked: [`build`](crate::policy::PolicyBuilder::build) does.
/// Classifier, timer, clock, hooks and observers are code and not part of it.
///
/// # Defaults
///
/// As [`Policy::default`](crate::Policy::default): the default retry within 60 s, and nothing else.
///
/// ```
/// use std::time::Duration;
/// use redress::{CircuitBreaker, Policy, Retry};
///
/// let policy = Policy::builder()
///     .name("orders")
///     .retry(Retry::builder().max_attempts(4))
///     .circuit_breaker(CircuitBreaker::builder().name("orders-db"))
///     .attempt_timeout(Duration::from_secs(2))
///     .build()?;
/// let spec = policy.spec();
/// assert_eq!(
///     spec.to_string(),
///     "policy orders\n\
///      \x20 ends within 1 min\n\
///      \x20 each attempt within 2 s\n\
///      \x20 at most 4 attempts\n\
///      \x20 at most 2 retries of UNKNOWN\n\
///      \x20 waits: decorrelated jitter from 250 ms up to 5 s, at least the hint\n\
///      \x20 breaker orders-db: opens at 5 failures in 1 min (TRANSIENT, SERVER_ERROR), \
///      probes after 30 s, supersedes a silent probe after 30 s"
/// );
/// assert_eq!(Policy::from_spec(spec.clone()).build()?.spec(), spec);
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PolicySpec {
    /// The name in events; an empty one is none.
    pub name: Option<Cow<'static, str>>,
    /// The retry component; `None` for one attempt.
    pub retry: Option<RetrySpec>,
    /// The circuit breaker; `None` for none.
    pub breaker: Option<PolicyBreaker>,
    /// Time for the whole call, waits included; `None` for no deadline.
    pub deadline: Option<Duration>,
    /// Time for each attempt; `None` for no limit but the deadline.
    pub attempt_timeout: Option<Duration>,
    /// Whether an attempt that is running at the deadline may finish.
    pub finish_running_attempt: bool,
}

/// The breaker of a policy as data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyBreaker {
    /// A [`CircuitBreaker`](crate::CircuitBreaker). A policy built from it has a breaker that it
    /// shares with none.
    Circuit(BreakerSpec),
    /// Another [`Breaker`](crate::breaker::Breaker). It cannot be built from a spec.
    Custom,
}

impl Default for PolicySpec {
    fn default() -> Self {
        Self { retry: Some(RetrySpec::default()), deadline: Some(DEFAULT_DEADLINE), ..Self::once() }
    }
}

impl PolicySpec {
    /// One attempt, for as long as it takes.
    pub(crate) const fn once() -> Self {
        Self {
            name: None,
            retry: None,
            breaker: None,
            deadline: None,
            attempt_timeout: None,
            finish_running_attempt: false,
        }
    }

    /// Collects what is refused, retry and breaker apart: their own rules are checked where they
    /// are built.
    pub(crate) fn check(&self, check: &mut Check) {
        if let Some(deadline) = self.deadline {
            check.duration("policy.deadline", deadline);
        }
        if let Some(timeout) = self.attempt_timeout {
            check.duration("policy.attempt_timeout", timeout);
        }
    }

    /// What is legal but odd, the breaker's own oddities apart.
    pub(crate) fn warnings(&self) -> Vec<ConfigIssue> {
        let mut check = Check::default();
        if let (Some(timeout), Some(deadline)) = (self.attempt_timeout, self.deadline) {
            check.that(
                timeout < deadline,
                "policy.attempt_timeout",
                timeout,
                "be shorter than the deadline to ever cut an attempt before it",
            );
        }
        if let Some(retry) = &self.retry {
            retry.warn(&mut check);
        }
        check.into_issues()
    }

    /// What is odd about a breaker in a policy like this.
    pub(crate) fn warn_of_breaker(&self, check: &mut Check) {
        check.that(
            self.deadline.is_some() || self.attempt_timeout.is_some(),
            "policy.attempt_timeout",
            format_args!("none"),
            "be set, or a deadline: without either the breaker never hears of an attempt that hangs",
        );
    }
}

/// A page: the name, then a line for each part.
impl fmt::Display for PolicySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("policy")?;
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        match self.deadline {
            Some(deadline) => write!(f, "\n  ends within {}", Readable(deadline))?,
            None => f.write_str("\n  no deadline")?,
        }
        if let (Some(_), true) = (self.deadline, self.finish_running_attempt) {
            f.write_str(", but lets a running attempt finish")?;
        }
        if let Some(timeout) = self.attempt_timeout {
            write!(f, "\n  each attempt within {}", Readable(timeout))?;
        }
        let retry = self.retry.as_ref().map_or_else(|| "one attempt".to_owned(), RetrySpec::to_string);
        retry.lines().try_for_each(|line| write!(f, "\n  {line}"))?;
        match &self.breaker {
            Some(PolicyBreaker::Circuit(breaker)) => write!(f, "\n  {breaker}"),
            Some(PolicyBreaker::Custom) => f.write_str("\n  breaker: custom"),
            None => Ok(()),
        }
    }
}
