//! The closed set of error classes, and `PerClass`, a table with an entry for each of them.

use std::fmt;
use std::ops::{Index, IndexMut};

use crate::closed_set::closed_set;

/// The kind of a failure. Every part of redress acts on this value and on nothing else.
///
/// The set is closed and small: strategies, caps, breaker rules and metric labels are tables over
/// it. Inside redress it is matched exhaustively. Outside it is `#[non_exhaustive]`, so a ninth
/// class would not be a breaking change.
///
/// ```
/// use redress::ErrorClass;
///
/// assert!(ErrorClass::RateLimit.is_retryable());
/// assert!(!ErrorClass::Auth.is_retryable());
/// assert_eq!(ErrorClass::ServerError.as_str(), "SERVER_ERROR");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum ErrorClass {
    /// The caller is not authenticated (HTTP 401, 407, 511). Never retried.
    Auth,
    /// The caller is not allowed to do this (HTTP 403). Never retried.
    Permission,
    /// The request itself is wrong, and sending it again gives the same response (HTTP 4xx except
    /// those of other classes, and 501, 505, 506, 508, 510). Never retried.
    Permanent,
    /// A concurrent modification: a conflict, a deadlock, a lock held by another client (HTTP 409,
    /// 423).
    Concurrency,
    /// The dependency asks for fewer requests (HTTP 429).
    RateLimit,
    /// The dependency failed (HTTP 5xx except those of other classes).
    ServerError,
    /// The request may not have arrived: a timeout, a reset connection (HTTP 408, 421, 425).
    Transient,
    /// No classifier recognised the failure. Retried at most
    /// [`max_unknown_retries`](crate::policy::RetryBuilder::max_unknown_retries) times.
    Unknown,
}

closed_set! {
    /// Every class, in declaration order.
    ErrorClass {
        Auth,
        Permission,
        Permanent,
        Concurrency,
        RateLimit,
        ServerError,
        Transient,
        Unknown,
    }
}

impl ErrorClass {
    /// Whether a failure of this class may be retried at all.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        !matches!(self, Self::Auth | Self::Permission | Self::Permanent)
    }

    /// The class's name in metrics, logs and configuration files, such as `RATE_LIMIT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::Permission => "PERMISSION",
            Self::Permanent => "PERMANENT",
            Self::Concurrency => "CONCURRENCY",
            Self::RateLimit => "RATE_LIMIT",
            Self::ServerError => "SERVER_ERROR",
            Self::Transient => "TRANSIENT",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Returns the class with this [name](Self::as_str), or `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.as_str() == name)
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A value for every [`ErrorClass`]: an array indexed by class, so a lookup cannot fail.
///
/// ```
/// use redress::ErrorClass;
/// use redress::classify::PerClass;
///
/// let mut failures = PerClass::from_fn(|_| 0);
/// failures[ErrorClass::RateLimit] += 1;
/// assert_eq!(failures.iter().find(|(_, count)| **count > 0), Some((ErrorClass::RateLimit, &1)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PerClass<T>([T; ErrorClass::ALL.len()]);

impl<T> PerClass<T> {
    /// Creates a table by calling `of` with every class.
    pub fn from_fn(mut of: impl FnMut(ErrorClass) -> T) -> Self {
        Self(std::array::from_fn(|index| of(ErrorClass::ALL[index])))
    }

    /// Iterates over the classes and their values, in declaration order.
    pub fn iter(&self) -> impl Iterator<Item = (ErrorClass, &T)> {
        ErrorClass::ALL.iter().copied().zip(&self.0)
    }
}

impl<T> Index<ErrorClass> for PerClass<T> {
    type Output = T;

    #[inline]
    fn index(&self, class: ErrorClass) -> &T {
        &self.0[class as usize]
    }
}

impl<T> IndexMut<ErrorClass> for PerClass<T> {
    #[inline]
    fn index_mut(&mut self, class: ErrorClass) -> &mut T {
        &mut self.0[class as usize]
    }
}
