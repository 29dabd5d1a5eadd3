//! The classifier for transactions under `WATCH`.

use std::error::Error;

use redress_core::classify::OrElse;
use redress_core::{Classification, Classifier, ErrorClass};

use crate::classifier::redis_classifier;
use crate::code::REDIS;

/// Classifies transactions under `WATCH`: `Ok(None)`, the nil reply of `EXEC`, is a
/// [`Concurrency`](ErrorClass::Concurrency) failure, and errors have the class that
/// [`RedisClassifier`](crate::RedisClassifier) gives them. Made by [`watch_classifier`].
///
/// A watched key changed, so nothing of the transaction ran, and the failure is marked as
/// [unsent](Classification::is_unsent). The operation is the whole of it: `WATCH`, the reads, the
/// transaction. Ask for an `Option`, because another type turns the nil reply into an error of
/// kind `Parse` or `UnexpectedReturnType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchClassifier;

/// Creates a classifier of transactions under `WATCH`. See [`WatchClassifier`].
///
/// ```no_run
/// # #[cfg(feature = "redis-1")] {
/// use redis::{Commands, Connection, RedisResult};
/// use redress::integration::redis::watch_classifier;
/// use redress::{Policy, Retry};
///
/// let mut connection = redis::Client::open("redis://localhost")?.get_connection()?;
/// let policy = Policy::builder().classifier(watch_classifier()).retry(Retry::default()).build()?;
/// let doubled = policy.operation("double").call(|| {
///     redis::cmd("WATCH").arg("stock").exec(&mut connection)?;
///     let stock: i64 = connection.get("stock")?;
///     redis::pipe().atomic().set("stock", 2 * stock).ignore().get("stock").query::<Option<(i64,)>>(&mut connection)
/// })?;
/// # drop(doubled);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`or_else`](WatchClassifier::or_else) adds a classifier for the other values:
///
/// ```
/// # #[cfg(feature = "redis-1")] {
/// use redis::RedisError;
/// use redress::integration::redis::watch_classifier;
/// use redress::{Classifier, ErrorClass};
///
/// let sold_out = |result: &Result<Option<i64>, RedisError>| match result {
///     Ok(Some(0)) => Some(ErrorClass::Permanent),
///     _ => None,
/// };
/// let classifier = watch_classifier().or_else(sold_out);
/// assert_eq!(classifier.classify(&Ok(None)).unwrap().class(), ErrorClass::Concurrency);
/// assert_eq!(classifier.classify(&Ok(Some(0))).unwrap().class(), ErrorClass::Permanent);
/// assert!(classifier.classify(&Ok(Some(7))).is_none());
/// # }
/// ```
#[inline]
#[must_use]
pub const fn watch_classifier() -> WatchClassifier {
    WatchClassifier
}

impl WatchClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise, and
    /// every `Ok(Some(..))`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Error + 'static> Classifier<Option<T>, E> for WatchClassifier {
    fn classify(&self, result: &Result<Option<T>, E>) -> Option<Classification> {
        match result {
            Ok(Some(_)) => None,
            Ok(None) => Some(Classification::new(ErrorClass::Concurrency).with_detail(REDIS, "WATCH").unsent()),
            Err(error) => Some(redis_classifier().classify_error(error)),
        }
    }
}
