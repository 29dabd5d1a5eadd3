//! [`Change`]: the nearest setting that would have let a gate pass.

use std::fmt;
use std::time::Duration;

use crate::budget::cell::MAX_WINDOW_EVENTS;
use crate::budget::spec::BudgetSpec;
use crate::classify::class::ErrorClass;
use crate::nesting::Nested;
use crate::outcome::decision::{DeadlineOf, Decision, Gate, Tokens};
use crate::outcome::readable_duration::Readable;
use crate::policy::compiled::MAX_CAP;
use crate::policy::retry_spec::RetrySpec;
use crate::policy::spec::{PolicyBreaker, PolicySpec};
use crate::strategy::default_strategy_spec;

const DEADLINE: &str = "policy.deadline";
const CALL_DEADLINE: &str = "call.deadline";
const OUTER_DEADLINE: &str = "outer.deadline";
const NESTED: &str = "policy.nested";
const MAX_ATTEMPTS: &str = "retry.max_attempts";
const CLASS_RETRIES: &str = "retry.max_retries_for";
const UNKNOWN_RETRIES: &str = "retry.max_unknown_retries";
const STRATEGY: &str = "retry.strategy_for";
const BUDGET: &str = "budget.max_retries";
const CAPACITY: &str = "budget.capacity";
const RECOVERY: &str = "circuit_breaker.recovery_timeout";

/// The nearest setting that would have let one gate pass, at the same failure and with everything
/// before it unchanged. Part of an [`Explanation`](crate::observe::Explanation).
///
/// **Invariant X4**: with the change, and everything else as it was, the call does not end at that
/// gate there. With the next smaller change it does.
///
/// The capacity of an earned budget is exact for the balance at the time of the explanation: other
/// calls may have spent or earned since, and a retry refused by chance has spent what was left.
///
/// It is about that gate alone: another gate may end the call there, and an attempt that it allows
/// may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The setting, named as in a [`ConfigIssue`](crate::error::ConfigIssue), such as
    /// `retry.max_attempts`. `call.deadline` is the deadline of the single call, and
    /// `outer.deadline` the one that it inherited from the call or server around it.
    pub field: &'static str,
    /// The class, for settings that exist once for each class.
    pub class: Option<ErrorClass>,
    /// The new value.
    pub value: NewValue,
}

/// The value in a [`Change`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NewValue {
    /// The least count that passes.
    Count(u32),
    /// The time nearest to the present one that passes, to the nanosecond: the shortest deadline,
    /// the longest recovery timeout.
    Time(Duration),
    /// How much later a call's deadline has to be at least. Relative, because that deadline may be
    /// an instant.
    LaterBy(Duration),
    /// Tokens of an earned budget, in millionths.
    Tokens {
        /// 1,500,000 are one token and a half.
        millionths: u64,
    },
    /// No limit, because the largest one does not pass.
    NoLimit,
    /// Any strategy.
    AnyStrategy,
    /// What a policy does about calls within calls.
    Nested(Nested),
}

impl Change {
    /// The change that lets the gate pass; `None` if no setting does, or its value is not known.
    pub(crate) fn nearest(decision: &Decision, class: Option<ErrorClass>) -> Option<Self> {
        if decision.gate() == Gate::Strategy {
            return Some(Self { field: STRATEGY, class: Some(class?), value: NewValue::AnyStrategy });
        }
        if decision.gate() == Gate::Nested {
            return Some(Self { field: NESTED, class: None, value: NewValue::Nested(Nested::Warn) });
        }
        let (limit, actual) = decision.numbers()?;
        let general = |field, value| Some(Self { field, class: None, value });
        match decision.gate() {
            Gate::MaxAttempts => general(MAX_ATTEMPTS, NewValue::Count(u32::try_from(actual).ok()?.checked_add(1)?)),
            Gate::ClassRetries => {
                let class = class?;
                let value = if class.is_retryable() { cap(actual) } else { NewValue::NoLimit };
                Some(Self { field: CLASS_RETRIES, class: Some(class), value })
            }
            Gate::UnknownRetries => general(UNKNOWN_RETRIES, cap(actual)),
            Gate::Budget => {
                let retries = u32::try_from(actual).ok().filter(|retries| *retries <= MAX_WINDOW_EVENTS)?;
                general(BUDGET, NewValue::Count(retries))
            }
            Gate::EarnedBudget => general(CAPACITY, NewValue::Tokens { millionths: actual }),
            Gate::CircuitOpen => {
                general(RECOVERY, NewValue::Time(Duration::from_nanos(actual).min(Duration::from_nanos(limit))))
                    .filter(|_| actual > 0)
            }
            gate if gate.is_deadline() => Self::of_deadline(decision.deadline_of()?, limit, actual),
            _ => None,
        }
    }

    fn of_deadline(owner: DeadlineOf, limit: u64, actual: u64) -> Option<Self> {
        // No attempt starts at the deadline itself.
        let end = actual.checked_add(1)?;
        let (field, value) = match owner {
            DeadlineOf::Policy => (DEADLINE, NewValue::Time(Duration::from_nanos(end))),
            DeadlineOf::Outer => (OUTER_DEADLINE, NewValue::LaterBy(Duration::from_nanos(end - limit))),
            DeadlineOf::Call => (CALL_DEADLINE, NewValue::LaterBy(Duration::from_nanos(end - limit))),
        };
        Some(Self { field, class: None, value })
    }

    /// Makes the change in a policy's configuration. Returns `false`, and changes nothing, if the
    /// setting is not part of it: the deadline of a single call, or the setting of a component that
    /// it does not have.
    ///
    /// ```
    /// use std::io::{Error, ErrorKind};
    /// use std::time::Duration;
    /// use redress::{Policy, Retry, fixed};
    ///
    /// let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
    /// let policy = Policy::builder().retry(retry).build()?;
    /// let outcome = policy.execute(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
    /// let mut spec = policy.spec();
    /// assert!(outcome.explain().change.expect("a setting").apply_to(&mut spec));
    /// assert_eq!(spec.retry.map(|retry| retry.max_attempts), Some(4));
    /// # Ok::<(), redress::ConfigError>(())
    /// ```
    pub fn apply_to(&self, spec: &mut PolicySpec) -> bool {
        match (self.field, self.value) {
            (NESTED, NewValue::Nested(nested)) => spec.nested = Some(nested),
            (DEADLINE, NewValue::Time(deadline)) => spec.deadline = Some(deadline),
            (RECOVERY, NewValue::Time(wait)) => {
                let Some(PolicyBreaker::Circuit(breaker)) = &mut spec.breaker else { return false };
                breaker.recovery_timeout = wait;
            }
            (BUDGET, NewValue::Count(retries)) => {
                let Some(BudgetSpec::Window { max_retries, .. }) = budget_of(spec) else { return false };
                *max_retries = retries;
            }
            (CAPACITY, NewValue::Tokens { millionths }) => {
                let Some(BudgetSpec::Earned(budget)) = budget_of(spec) else { return false };
                budget.capacity = millionths as f64 / 1e6;
            }
            // A policy without a retry component makes one attempt.
            (MAX_ATTEMPTS, NewValue::Count(attempts)) => {
                spec.retry.get_or_insert_with(RetrySpec::default).max_attempts = attempts;
            }
            _ => return spec.retry.as_mut().is_some_and(|retry| self.apply_to_retry(retry)),
        }
        true
    }

    fn apply_to_retry(&self, retry: &mut RetrySpec) -> bool {
        let retries = match self.value {
            NewValue::Count(retries) => Some(retries),
            _ => None,
        };
        match (self.field, self.class) {
            (UNKNOWN_RETRIES, _) => retry.max_unknown_retries = retries,
            (CLASS_RETRIES, Some(class)) => retry.max_retries_for[class] = retries,
            (STRATEGY, Some(class)) => retry.strategies[class] = Some(default_strategy_spec()),
            _ => return false,
        }
        true
    }
}

fn budget_of(spec: &mut PolicySpec) -> Option<&mut BudgetSpec> {
    spec.retry.as_mut()?.budget.as_mut()
}

/// The cap that allows this many retries.
fn cap(retries: u64) -> NewValue {
    match u32::try_from(retries) {
        Ok(retries) if retries <= MAX_CAP => NewValue::Count(retries),
        _ => NewValue::NoLimit,
    }
}

/// Prints the setting and the value, such as `retry.max_attempts = 4` or
/// `policy.deadline longer than 1.5 s`. A printed time is rounded to the side that passes.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field)?;
        if let Some(class) = self.class {
            write!(f, "({class})")?;
        }
        match self.value {
            NewValue::Count(count) => write!(f, " = {count}"),
            NewValue::Tokens { millionths } => write!(f, " = {}", Tokens(millionths)),
            NewValue::Time(longest) if self.field == RECOVERY => write!(f, " of at most {}", Readable::down(longest)),
            // The shortest deadline that passes is a nanosecond longer than one that does not.
            NewValue::Time(time) => write!(f, " longer than {}", Readable::up(time.saturating_sub(NANOSECOND))),
            NewValue::LaterBy(time) if time <= NANOSECOND => f.write_str(" any later"),
            NewValue::LaterBy(time) => {
                write!(f, " later by more than {}", Readable::up(time.saturating_sub(NANOSECOND)))
            }
            NewValue::NoLimit => f.write_str(" left out"),
            NewValue::Nested(nested) => write!(f, " = {nested}"),
            NewValue::AnyStrategy => f.write_str(" with any strategy"),
        }
    }
}

const NANOSECOND: Duration = Duration::from_nanos(1);
