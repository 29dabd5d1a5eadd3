//! The sentence that says what a gate compared, for people who do not know the library.

use std::fmt;
use std::time::Duration;

use crate::outcome::decision::{DeadlineOf, Decision, Gate};
use crate::outcome::readable_duration::Readable;

/// A sentence without its full stop, such as `3 attempts are allowed, and 3 were made`.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.gate() {
            Gate::MaxAttempts | Gate::ClassRetries | Gate::UnknownRetries | Gate::Budget => self.fmt_count(f),
            Gate::EarnedBudget => self.fmt_earned(f),
            gate if gate.is_deadline() => self.fmt_deadline(f),
            Gate::CircuitOpen => self.fmt_open(f),
            Gate::Deferral => match self.actual() {
                Some(wait) => write!(f, "the sleep handler put the retry off by {wait}"),
                None => f.write_str("the sleep handler put the retry off"),
            },
            Gate::AttemptTimeout => match self.limit() {
                Some(limit) => write!(f, "the attempt was cut after {limit}"),
                None => f.write_str("the attempt was cut at its time limit"),
            },
            gate => f.write_str(words(gate)),
        }
    }
}

impl Decision {
    fn fmt_count(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((limit, actual)) = self.numbers() else { return f.write_str("a limit was reached") };
        let (one, many) = match self.gate() {
            Gate::MaxAttempts => ("attempt", "attempts"),
            _ => ("retry", "retries"),
        };
        match limit {
            0 => write!(f, "no {one} is allowed")?,
            1 => write!(f, "1 {one} is allowed")?,
            _ => write!(f, "{limit} {many} are allowed")?,
        }
        match self.gate() {
            Gate::MaxAttempts if actual == 1 => f.write_str(", and 1 was made"),
            Gate::MaxAttempts => write!(f, ", and {actual} were made"),
            Gate::ClassRetries => write!(f, " after failures of this class, and this was failure {actual}"),
            Gate::UnknownRetries => write!(f, " after unclassified failures, and this was failure {actual}"),
            _ => write!(f, " by the shared budget at a time, and this would have been one more"),
        }
    }

    fn fmt_earned(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.limit(), self.actual()) {
            (Some(capacity), Some(needed)) => write!(
                f,
                "the shared budget, which holds at most {capacity}, has too little left for this retry; one that holds \
                 {needed} would have enough"
            ),
            _ => f.write_str("the shared budget has too little left for this retry"),
        }
    }

    fn fmt_deadline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = match self.deadline_of() {
            Some(DeadlineOf::Call) => "this call",
            Some(DeadlineOf::Outer) => "the call around this one",
            _ => "the policy",
        };
        let limit = self.limit().filter(|_| self.numbers().is_none_or(|(limit, _)| limit != 0));
        match limit {
            Some(limit) => write!(f, "the deadline of {owner} is {limit} after the start")?,
            None => write!(f, "the deadline of {owner} was not after the start")?,
        }
        let late = self.numbers().map_or(0, |(limit, actual)| actual.saturating_sub(limit));
        let late = Readable(Duration::from_nanos(late));
        match (self.gate(), late.0.is_zero()) {
            (Gate::DeadlineCut, _) => f.write_str(", and the attempt that was running then was cut"),
            (Gate::Deadline | Gate::DeadlineAtStart, true) => f.write_str(", and had just passed"),
            (Gate::Deadline | Gate::DeadlineAtStart, false) => write!(f, ", and had passed {late} before"),
            (_, true) => f.write_str(", and the next attempt would have started just then"),
            (_, false) => write!(f, ", and the next attempt would have started {late} later"),
        }?;
        if self.gate() == Gate::DeadlineAfterHooks { f.write_str(", because hooks took time") } else { Ok(()) }
    }

    fn fmt_open(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.limit(), self.actual()) {
            (Some(limit), Some(age)) => {
                write!(f, "the circuit breaker opened {age} ago, and lets no call through for {limit}")
            }
            _ => f.write_str("the circuit breaker is open, and lets no call through"),
        }
    }
}

/// What a gate without numbers decided.
const fn words(gate: Gate) -> &'static str {
    match gate {
        Gate::Nested => "the call around this one retries, so this one makes a single attempt",
        Gate::Class => "failures of this class are never retried",
        Gate::Strategy => "no wait is set for failures of this class, so they are not retried",
        Gate::Forbidden => "the failure must not be retried",
        Gate::CallerAbort => "the caller aborted the call",
        Gate::OperationAbort => "the operation or its classifier aborted the call",
        Gate::SleepHandlerAbort => "the sleep handler aborted the call",
        Gate::CircuitForcedOpen => "the circuit breaker is forced open, and lets no call through",
        Gate::CircuitHalfOpen => "the circuit breaker lets one call through to try, and that call was running",
        _ => "a limit was reached",
    }
}
