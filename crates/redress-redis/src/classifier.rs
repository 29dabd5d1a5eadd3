//! The classifier for the errors of the `redis` crate, anywhere in an error's source chain.

use std::error::Error;

use redress_core::classify::{OrElse, default_classifier, source_chain};
use redress_core::error::AbortRetryError;
use redress_core::{Classification, Classifier};

/// Classifies the errors of the `redis` crate anywhere in an error's source chain; every `Ok` is a
/// success. Made by [`redis_classifier`].
///
/// An [`AbortRetryError`] in the chain ends the call. Otherwise the first `RedisError` or
/// `ServerError` decides, also inside an `Arc` or `Box`. An error without one, such as the timeout
/// of a pool, has the class that the [default classifier](default_classifier) gives it.
///
/// | the error | class | certainly [not run](Classification::is_unsent) |
/// |---|---|---|
/// | an error reply | by its code: see [`code`](crate::code) | if refused |
/// | a pipeline with failures | the worst class inside: one that is never retried, then `Unknown`, `ServerError`, `Transient` | |
/// | a transaction with commands that could not be queued | the worst class inside | yes |
/// | `Io`: refused, no such socket or name, no local address | `Transient` | yes |
/// | `Io`: no response in time, or no connection in time, with the cause [`Timeout`](redress_core::Cause::Timeout) | `Transient` | |
/// | any other `Io`: reset, closed, the connection is gone | by its kind; `Transient` if that says nothing | |
/// | `AuthenticationFailed`: refused while connecting, which hides the reply | `Auth` | yes |
/// | `ClusterConnectionNotFound`, `MasterNameNotFoundBySentinel`, `NoValidReplicasFoundBySentinel`: no node | `Transient` | yes |
/// | `Client`: no slot map, or a slot without a node | `Transient` | yes |
/// | any other `Client`, `InvalidClientConfig`, `EmptySentinelList`, `RESP3NotSupported` | `Permanent` | yes |
/// | `UnexpectedReturnType`, `Serialize` | `Permanent`; `Unknown` if the reply to `EXEC` was an error, which the client drops | |
/// | `Parse`: the reply does not convert to the type asked for, or is not RESP; the kind does not say which | `Unknown` | |
///
/// The library's `retry_method()` is not asked: it says "reconnect" for a wrong password and for a
/// reply that does not convert, and "no retry" for `BUSY`, `OOM` and `NOREPLICAS`.
///
/// Failures have the label `redis`, a listed code or the kind, as in `LOADING` or
/// `AuthenticationFailed`; and `io`, the kind of an `io::Error`. No label holds a key or a value.
///
/// # What may have run
///
/// After an `Io` error that is not marked as unsent, the command may have run: `INCR` or `LPUSH`
/// may count twice. Redis has no way to ask, and this crate has no list of commands that are safe
/// to repeat. To retry only what certainly did not run:
///
/// ```
/// # #[cfg(feature = "redis-1")] {
/// use redis::RedisError;
/// use redress::integration::redis::redis_classifier;
/// use redress::{Classifier, Policy, Retry, classifier};
///
/// let once = classifier(|result: &Result<i64, RedisError>| {
///     let failure = redis_classifier().classify(result)?;
///     Some(if failure.is_unsent() { failure } else { failure.forbid_retry("may_have_run") })
/// });
/// let policy = Policy::builder().classifier(once).retry(Retry::default()).build()?;
/// # drop(policy);
/// # }
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisClassifier;

/// Creates a classifier of the errors of the `redis` crate. See [`RedisClassifier`].
///
/// ```
/// # #[cfg(feature = "redis-1")] {
/// use redis::{RedisError, ServerErrorKind};
/// use redress::integration::redis::redis_classifier;
/// use redress::{Classifier, ErrorClass};
///
/// let loading: Result<i64, _> = Err(RedisError::from((ServerErrorKind::BusyLoading.into(), "later")));
/// assert_eq!(redis_classifier().classify(&loading).unwrap().class(), ErrorClass::Transient);
/// # }
/// ```
#[inline]
#[must_use]
pub const fn redis_classifier() -> RedisClassifier {
    RedisClassifier
}

impl RedisClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise, and
    /// every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }

    /// Classifies a borrowed error.
    pub fn classify_error(&self, error: &(dyn Error + 'static)) -> Classification {
        if source_chain(error).any(<dyn Error>::is::<AbortRetryError>) {
            return Classification::abort();
        }
        source_chain(error).find_map(of_client).unwrap_or_else(|| default_classifier().classify_error(error))
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Error + 'static> Classifier<T, E> for RedisClassifier {
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        match result {
            Ok(_) => None,
            Err(error) => Some(self.classify_error(error)),
        }
    }
}

/// Classifies one error of a chain, if it is of a version of the client that is compiled in.
#[cfg_attr(
    not(any(feature = "redis-1", feature = "redis-2")),
    expect(unused_variables, reason = "without a client no error is its")
)]
fn of_client(error: &(dyn Error + 'static)) -> Option<Classification> {
    #[cfg(feature = "redis-1")]
    if let Some(failure) = crate::failure::classify::<redis::RedisError>(error) {
        return Some(failure);
    }
    #[cfg(feature = "redis-2")]
    if let Some(failure) = crate::failure::classify::<redis_2::RedisError>(error) {
        return Some(failure);
    }
    None
}
