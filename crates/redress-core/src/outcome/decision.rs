//! [`Decision`]: which gate ended a call, and the two numbers that it compared. [`Gate`] lists the
//! gates. `engine/decisions.rs` records the decisions.

use std::fmt;
use std::time::Duration;

use crate::closed_set::closed_set;
use crate::outcome::readable_duration::Readable;

/// A check that can end a call, or cut an attempt.
///
/// Finer than [`StopReason`](crate::StopReason): several gates share a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Gate {
    /// The attempts made, against `max_attempts`.
    MaxAttempts,
    /// The call around this one, which retries in its place.
    Nested,
    /// The failures of one class, against the retries of that class.
    ClassRetries,
    /// The failures of class [`Unknown`](crate::ErrorClass::Unknown), against their retries.
    UnknownRetries,
    /// The class of the failure, which is never retried.
    Class,
    /// The strategy of the class, which has none.
    Strategy,
    /// The classification, which [forbids a retry](crate::Classification::forbid_retry).
    Forbidden,
    /// The time used, against the deadline, after an attempt that failed.
    Deadline,
    /// The time used, against the deadline, before an attempt.
    DeadlineAtStart,
    /// The deadline, which cut the running attempt.
    DeadlineCut,
    /// The end of the wait before the next attempt, against the deadline.
    DeadlineWait,
    /// The same, checked again after hooks that took time.
    DeadlineAfterHooks,
    /// The retries granted and this one, against the limit of the budget.
    Budget,
    /// The capacity with which an earned budget would have paid for the retry, against the one
    /// that it has.
    EarnedBudget,
    /// The sleep handler, which deferred the retry.
    Deferral,
    /// The caller, through an abort handle or an abort predicate.
    CallerAbort,
    /// The operation or the classifier, which aborted the call.
    OperationAbort,
    /// The sleep handler, which aborted the call.
    SleepHandlerAbort,
    /// The time that the circuit breaker has been open, against its recovery timeout.
    CircuitOpen,
    /// The half-open circuit breaker, whose probe was running.
    CircuitHalfOpen,
    /// The circuit breaker, which was [forced open](crate::breaker::Mode::ForcedOpen).
    CircuitForcedOpen,
    /// The time limit of an attempt. It cuts the attempt, and does not end the call.
    AttemptTimeout,
}

closed_set! {
    /// Every gate, in declaration order.
    Gate {
        MaxAttempts,
        Nested,
        ClassRetries,
        UnknownRetries,
        Class,
        Strategy,
        Forbidden,
        Deadline,
        DeadlineAtStart,
        DeadlineCut,
        DeadlineWait,
        DeadlineAfterHooks,
        Budget,
        EarnedBudget,
        Deferral,
        CallerAbort,
        OperationAbort,
        SleepHandlerAbort,
        CircuitOpen,
        CircuitHalfOpen,
        CircuitForcedOpen,
        AttemptTimeout,
    }
}

impl Gate {
    /// The gate's name in logs and files, such as `max_attempts`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxAttempts => "max_attempts",
            Self::Nested => "nested",
            Self::ClassRetries => "class_retries",
            Self::UnknownRetries => "unknown_retries",
            Self::Class => "class",
            Self::Strategy => "strategy",
            Self::Forbidden => "forbidden",
            Self::Deadline => "deadline",
            Self::DeadlineAtStart => "deadline_at_start",
            Self::DeadlineCut => "deadline_cut",
            Self::DeadlineWait => "deadline_wait",
            Self::DeadlineAfterHooks => "deadline_after_hooks",
            Self::Budget => "budget",
            Self::EarnedBudget => "earned_budget",
            Self::Deferral => "deferral",
            Self::CallerAbort => "caller_abort",
            Self::OperationAbort => "operation_abort",
            Self::SleepHandlerAbort => "sleep_handler_abort",
            Self::CircuitOpen => "circuit_open",
            Self::CircuitHalfOpen => "circuit_half_open",
            Self::CircuitForcedOpen => "circuit_forced_open",
            Self::AttemptTimeout => "attempt_timeout",
        }
    }

    /// Whether the gate compares with a deadline, which has an [owner](Decision::deadline_of).
    #[must_use]
    pub const fn is_deadline(self) -> bool {
        matches!(
            self,
            Self::Deadline | Self::DeadlineAtStart | Self::DeadlineCut | Self::DeadlineWait | Self::DeadlineAfterHooks
        )
    }

    /// Whether the numbers are counts, times, or absent.
    const fn unit(self) -> Unit {
        match self {
            Self::MaxAttempts | Self::ClassRetries | Self::UnknownRetries | Self::Budget => Unit::Count,
            Self::EarnedBudget => Unit::Tokens,
            Self::Deadline
            | Self::DeadlineAtStart
            | Self::DeadlineCut
            | Self::DeadlineWait
            | Self::DeadlineAfterHooks
            | Self::CircuitOpen
            | Self::AttemptTimeout
            | Self::Deferral => Unit::Time,
            Self::Nested
            | Self::Class
            | Self::Strategy
            | Self::Forbidden
            | Self::CallerAbort
            | Self::OperationAbort
            | Self::SleepHandlerAbort
            | Self::CircuitHalfOpen
            | Self::CircuitForcedOpen => Unit::None,
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, Copy)]
enum Unit {
    None,
    Count,
    /// Millionths of a token.
    Tokens,
    Time,
}

/// Whose deadline a gate compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeadlineOf {
    /// The policy's.
    Policy,
    /// The call's: the earliest of its contexts'.
    Call,
    /// The one that the call inherited from a call or a server around it.
    Outer,
}

/// A number that a gate compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quantity {
    /// Attempts, retries or failures.
    Count(u64),
    /// Tokens of an earned budget, in millionths.
    Tokens {
        /// 1,500,000 are one token and a half.
        millionths: u64,
    },
    /// A length of time.
    Time(Duration),
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Tokens { millionths } => write!(f, "{}", Tokens(millionths)),
            Self::Time(time) => Readable(time).fmt(f),
        }
    }
}

/// Tokens in millionths, without zeros at the end.
pub(crate) struct Tokens(pub(crate) u64);

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 1_000_000)?;
        let fraction = format!("{:06}", self.0 % 1_000_000);
        match fraction.trim_end_matches('0') {
            "" => Ok(()),
            digits => write!(f, ".{digits}"),
        }
    }
}

/// The gate that ended a call, and what it compared: a limit, and the number that did not fit it.
///
/// Times of deadlines count from the start of the call, over all deliveries of a resumed call.
/// `Display` prints the comparison as a sentence. 24 bytes, also in an `Option`.
///
/// ```
/// use std::io::{Error, ErrorKind};
/// use std::time::Duration;
/// use redress::{Policy, Retry, fixed};
/// use redress::observe::{Gate, Quantity};
///
/// let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
/// let policy = Policy::builder().retry(retry).build()?;
/// let outcome = policy.execute(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
/// let decision = outcome.summary().decision().expect("the call failed");
/// assert_eq!(decision.gate(), Gate::MaxAttempts);
/// assert_eq!((decision.limit(), decision.actual()), (Some(Quantity::Count(3)), Some(Quantity::Count(3))));
/// assert_eq!(decision.to_string(), "3 attempts are allowed, and 3 were made");
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    gate: Gate,
    deadline_of: DeadlineOf,
    /// A count, millionths of a token, or nanoseconds; [`UNKNOWN`] is none.
    limit: u64,
    actual: u64,
}

/// Stands for a number that a gate does not know.
const UNKNOWN: u64 = u64::MAX;

const _: () = assert!(size_of::<Option<Decision>>() <= 24, "the size that outcomes are documented to grow by");

impl Decision {
    /// A gate that compares no numbers.
    #[inline]
    pub(crate) const fn bare(gate: Gate) -> Self {
        Self::compared(gate, UNKNOWN, UNKNOWN)
    }

    /// Counts, or nanoseconds, as the gate compares.
    #[inline]
    pub(crate) const fn compared(gate: Gate, limit: u64, actual: u64) -> Self {
        Self { gate, deadline_of: DeadlineOf::Policy, limit, actual }
    }

    /// Only the actual number, of a gate without a limit.
    pub(crate) const fn measured(gate: Gate, actual: u64) -> Self {
        Self::compared(gate, UNKNOWN, actual)
    }

    /// Only the limit, of a gate that does not know what it was compared with.
    pub(crate) const fn limited(gate: Gate, limit: u64) -> Self {
        Self::compared(gate, limit, UNKNOWN)
    }

    pub(crate) const fn of(self, deadline_of: DeadlineOf) -> Self {
        Self { deadline_of, ..self }
    }

    /// The gate.
    #[must_use]
    pub const fn gate(&self) -> Gate {
        self.gate
    }

    /// The limit. `None` for gates that compare no numbers, and for a custom breaker.
    #[must_use]
    pub const fn limit(&self) -> Option<Quantity> {
        self.quantity(self.limit)
    }

    /// The number that did not fit the limit. `None` for gates that compare no numbers, and for
    /// what is not known, such as how long a cut attempt would have taken.
    #[must_use]
    pub const fn actual(&self) -> Option<Quantity> {
        self.quantity(self.actual)
    }

    /// Whose deadline ended the call; `None` if none did.
    #[must_use]
    pub const fn deadline_of(&self) -> Option<DeadlineOf> {
        if self.gate.is_deadline() { Some(self.deadline_of) } else { None }
    }

    const fn quantity(&self, number: u64) -> Option<Quantity> {
        match (self.gate.unit(), number) {
            (_, UNKNOWN) | (Unit::None, _) => None,
            (Unit::Count, _) => Some(Quantity::Count(number)),
            (Unit::Tokens, _) => Some(Quantity::Tokens { millionths: number }),
            (Unit::Time, _) => Some(Quantity::Time(Duration::from_nanos(number))),
        }
    }

    /// The limit and the number, in the gate's unit, if both are known.
    pub(crate) fn numbers(&self) -> Option<(u64, u64)> {
        self.limit().zip(self.actual()).map(|_| (self.limit, self.actual))
    }
}
