//! [`Failure`], the error, value or timeout that failed an attempt, and [`Cause`], its kind.

use std::fmt;

use crate::closed_set::closed_set;

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The operation returned an error.
    Error,
    /// The operation returned a value that the classifier calls a failure.
    Result,
    /// The attempt timed out.
    Timeout,
}

closed_set! {
    /// Every cause, in declaration order.
    Cause { Error, Result, Timeout }
}

impl Cause {
    /// The cause's name in metrics and logs: `exception`, `result` or `timeout`. `exception` is the
    /// name that the Python original uses, kept for compatible dashboards.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "exception",
            Self::Result => "result",
            Self::Timeout => "timeout",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The failure of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure<T, E> {
    /// The operation's error.
    Error(E),
    /// The operation's value, which the classifier called a failure.
    Result(T),
    /// The attempt was cut at its timeout, so there is neither error nor value.
    Timeout,
}

impl<T, E> Failure<T, E> {
    /// The kind of the failure.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Error(_) => Cause::Error,
            Self::Result(_) => Cause::Result,
            Self::Timeout => Cause::Timeout,
        }
    }

    /// The error, if the failure is an error.
    #[must_use]
    pub const fn error(&self) -> Option<&E> {
        match self {
            Self::Error(error) => Some(error),
            _ => None,
        }
    }

    /// The value, if the failure is a value.
    #[must_use]
    pub const fn result(&self) -> Option<&T> {
        match self {
            Self::Result(value) => Some(value),
            _ => None,
        }
    }

    /// Converts an error with `map`.
    #[must_use]
    pub fn map_error<F>(self, map: impl FnOnce(E) -> F) -> Failure<T, F> {
        match self {
            Self::Error(error) => Failure::Error(map(error)),
            Self::Result(value) => Failure::Result(value),
            Self::Timeout => Failure::Timeout,
        }
    }

    /// Returns the error by value, if the failure is an error.
    #[must_use]
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Error(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the value, if the failure is a value.
    #[must_use]
    pub fn into_result(self) -> Option<T> {
        match self {
            Self::Result(value) => Some(value),
            _ => None,
        }
    }
}
