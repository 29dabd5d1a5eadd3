//! What failed in an attempt: the kind, and the error or value itself.
//!
//! Owns [`Cause`] and [`Failure`]. What class a failure is of, the classifier says.

use std::fmt;

use crate::closed_set::closed_set;

/// What failed in an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The operation returned an error.
    Error,
    /// The operation returned a value that the classifier calls a failure.
    Result,
    /// The attempt ran into its timeout.
    Timeout,
}

closed_set! {
    /// Every cause, in declaration order.
    Cause { Error, Result, Timeout }
}

impl Cause {
    /// The cause's name in metrics and logs: `exception`, `result` or `timeout`. The first is the
    /// Python original's word, kept so that dashboards go on working.
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

/// The failure of one attempt, by value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure<T, E> {
    /// The operation's error.
    Error(E),
    /// The operation's value, which the classifier calls a failure.
    Result(T),
    /// The attempt was stopped at its timeout, so there is neither.
    Timeout,
}

impl<T, E> Failure<T, E> {
    /// What failed.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Error(_) => Cause::Error,
            Self::Result(_) => Cause::Result,
            Self::Timeout => Cause::Timeout,
        }
    }

    /// The error, if it is one.
    #[must_use]
    pub const fn error(&self) -> Option<&E> {
        match self {
            Self::Error(error) => Some(error),
            _ => None,
        }
    }

    /// The value, if it is one.
    #[must_use]
    pub const fn result(&self) -> Option<&T> {
        match self {
            Self::Result(value) => Some(value),
            _ => None,
        }
    }

    /// The same with an error changed by `map`.
    #[must_use]
    pub fn map_error<F>(self, map: impl FnOnce(E) -> F) -> Failure<T, F> {
        match self {
            Self::Error(error) => Failure::Error(map(error)),
            Self::Result(value) => Failure::Result(value),
            Self::Timeout => Failure::Timeout,
        }
    }

    /// The error by value, if it is one.
    #[must_use]
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Error(error) => Some(error),
            _ => None,
        }
    }

    /// The value by value, if it is one.
    #[must_use]
    pub fn into_result(self) -> Option<T> {
        match self {
            Self::Result(value) => Some(value),
            _ => None,
        }
    }
}
