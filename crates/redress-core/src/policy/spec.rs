//! [`PolicySpec`]: the configuration of a whole policy as plain data, with its validation rules and
//! text form.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::breaker::BreakerSpec;
use crate::nesting::Nested;
use crate::outcome::readable_duration::Readable;
use crate::policy::config_error::{Check, ConfigIssue};
use crate::policy::config_value::ConfigValue;
use crate::policy::retry_spec::RetrySpec;

/// The deadline of a policy that retries and does not set one.
pub(crate) const DEFAULT_DEADLINE: Duration = Duration::from_secs(60);

/// The configuration of a policy. A builder can be [made from it](crate::Policy::from_spec), and a
/// built policy [returns it](crate::Policy::spec). `Display` prints a readable summary.
///
/// Plain data, not validated until [`build`](crate::policy::PolicyBuilder::build) is called.
/// Classifier, timer, clock, hooks and observers are code and not part of it.
///
/// # Defaults
///
/// Those of [`Policy::default`](crate::Policy::default): the default retry with a deadline of 60 s,
/// and nothing else.
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
    /// The name in events; an empty name counts as none.
    pub name: Option<Cow<'static, str>>,
    /// The retry component; `None` for one attempt.
    pub retry: Option<RetrySpec>,
    /// The circuit breaker; `None` for none.
    pub breaker: Option<PolicyBreaker>,
    /// Time limit of the whole call, waits included; `None` for no deadline.
    pub deadline: Option<Duration>,
    /// Time limit of each attempt; `None` for no limit but the deadline.
    pub attempt_timeout: Option<Duration>,
    /// Whether an attempt that is running at the deadline may finish.
    pub finish_running_attempt: bool,
    /// What happens to calls within calls; `None` if the policy does not look for them.
    pub nested: Option<Nested>,
    /// Whether a call ignores the deadline of the call that it begins in.
    pub ignore_inherited_deadline: bool,
    /// Whether each attempt asks the breaker and reports to it, instead of each call.
    pub judge_attempts: bool,
}

/// The breaker of a policy as data.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "a box would be in every user's way, and specs are few")]
pub enum PolicyBreaker {
    /// A [`CircuitBreaker`](crate::CircuitBreaker). Each policy built from it gets a new breaker.
    Circuit(BreakerSpec),
    /// A custom [`Breaker`](crate::breaker::Breaker), which cannot be built from a spec.
    Custom,
}

impl Default for PolicySpec {
    fn default() -> Self {
        Self { retry: Some(RetrySpec::default()), deadline: Some(DEFAULT_DEADLINE), ..Self::once() }
    }
}

impl PolicySpec {
    /// One attempt without a time limit.
    pub(crate) const fn once() -> Self {
        Self {
            name: None,
            retry: None,
            breaker: None,
            deadline: None,
            attempt_timeout: None,
            finish_running_attempt: false,
            nested: None,
            ignore_inherited_deadline: false,
            judge_attempts: false,
        }
    }

    /// Collects errors. The rules of retry and breaker are checked where those are built.
    pub(crate) fn check(&self, check: &mut Check) {
        if let Some(deadline) = self.deadline {
            check.duration("policy.deadline", deadline);
        }
        if let Some(timeout) = self.attempt_timeout {
            check.duration("policy.attempt_timeout", timeout);
        }
    }

    /// Warnings about settings that have no effect, except those of the breaker.
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
        check.that(
            self.nested.is_some() || !self.ignore_inherited_deadline,
            "policy.ignore_inherited_deadline",
            self.ignore_inherited_deadline,
            "be set with `nested`: a policy without it inherits no deadline",
        );
        if let Some(retry) = &self.retry {
            retry.warn(&mut check);
        }
        check.into_issues()
    }

    /// Collects the warning about a breaker in a policy without a time limit.
    pub(crate) fn warn_of_breaker(&self, check: &mut Check) {
        check.that(
            self.deadline.is_some() || self.attempt_timeout.is_some(),
            "policy.attempt_timeout",
            ConfigValue::Unset,
            "be set, or a deadline: without either, a hanging attempt is never reported to the breaker",
        );
    }
}

/// The name, then one line for each part.
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
        if let Some(nested) = self.nested {
            let (does, inherits) = (nested.in_words(), if self.ignore_inherited_deadline { "no " } else { "the " });
            write!(f, "\n  within other calls: {does}, inherits {inherits}deadline")?;
        }
        let retry = self.retry.as_ref().map_or_else(|| "one attempt".to_owned(), RetrySpec::to_string);
        retry.lines().try_for_each(|line| write!(f, "\n  {line}"))?;
        match &self.breaker {
            Some(PolicyBreaker::Circuit(breaker)) => write!(f, "\n  {breaker}"),
            Some(PolicyBreaker::Custom) => f.write_str("\n  breaker: custom"),
            None => Ok(()),
        }?;
        if self.judge_attempts { f.write_str("\n  asks the breaker for each attempt") } else { Ok(()) }
    }
}
