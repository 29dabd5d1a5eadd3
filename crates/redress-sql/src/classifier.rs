//! The classifier for any error that carries a SQLSTATE, and the search that all classifiers share.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use redress_core::classify::{DefaultClassifier, OrElse, default_classifier, source_chain, strict_classifier};
use redress_core::error::AbortRetryError;
use redress_core::{Classification, Classifier};

use crate::commit::{Commit, of_commit};
use crate::sqlstate;

/// Classifies the SQLSTATE of errors of one type, found anywhere in a source chain; every `Ok` is a
/// success. Made by [`sqlstate_classifier`].
///
/// 1. An [`AbortRetryError`] in the chain ends the call.
/// 2. The first error of the type that has a SQLSTATE is classified by [`sqlstate::classify`].
/// 3. Without one, the [default classifier](default_classifier) decides, or the
///    [strict one](strict_classifier) after [`strict`](Self::strict).
/// 4. A failure of COMMIT, marked by a [`CommitError`](crate::CommitError), is retried only if it
///    has no effect.
pub struct SqlStateClassifier<D, F> {
    state_of: F,
    fallback: DefaultClassifier,
    of: PhantomData<fn(&D)>,
}

/// Creates a classifier of SQLSTATEs for any driver: `state_of` returns the SQLSTATE of the
/// driver's error, or `None` for an error without one. See [`SqlStateClassifier`].
///
/// ```
/// use redress::{Classifier, ErrorClass};
/// use redress::integration::sql::sqlstate_classifier;
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("SQLSTATE {state}")]
/// struct DriverError { state: String }
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("could not book")]
/// struct BookingError(#[source] DriverError);
///
/// let classifier = sqlstate_classifier(|error: &DriverError| Some(&error.state));
/// let deadlock: Result<(), _> = Err(BookingError(DriverError { state: "40P01".to_owned() }));
/// let failure = classifier.classify(&deadlock).unwrap();
/// assert_eq!(failure.class(), ErrorClass::Concurrency);
/// assert_eq!(failure.detail("sqlstate"), Some("40P01"));
/// ```
pub const fn sqlstate_classifier<D, F>(state_of: F) -> SqlStateClassifier<D, F>
where
    F: Fn(&D) -> Option<&str>,
{
    SqlStateClassifier { state_of, fallback: default_classifier(), of: PhantomData }
}

impl<D, F> SqlStateClassifier<D, F> {
    /// Does not guess from the names of errors that have no SQLSTATE.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.fallback = strict_classifier();
        self
    }

    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise, and
    /// every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

impl<D, F> SqlStateClassifier<D, F>
where
    D: Error + 'static,
    F: Fn(&D) -> Option<&str>,
{
    /// Classifies a borrowed error.
    pub fn classify_error(&self, error: &(dyn Error + 'static)) -> Classification {
        let of_driver =
            |error: &(dyn Error + 'static)| found::<D>(error).and_then(&self.state_of).map(sqlstate::classify);
        classify_chain(error, of_driver, self.fallback)
    }
}

#[diagnostic::do_not_recommend]
impl<T, E, D, F> Classifier<T, E> for SqlStateClassifier<D, F>
where
    E: Error + 'static,
    D: Error + 'static,
    F: Fn(&D) -> Option<&str>,
{
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        match result {
            Ok(_) => None,
            Err(error) => Some(self.classify_error(error)),
        }
    }
}

impl<D, F: Clone> Clone for SqlStateClassifier<D, F> {
    fn clone(&self) -> Self {
        Self { state_of: self.state_of.clone(), fallback: self.fallback, of: PhantomData }
    }
}

impl<D, F: Copy> Copy for SqlStateClassifier<D, F> {}

impl<D, F> fmt::Debug for SqlStateClassifier<D, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStateClassifier").field("fallback", &self.fallback).finish_non_exhaustive()
    }
}

/// Classifies the first error of a chain that `of_driver` recognises; `fallback` decides without
/// one.
pub(crate) fn classify_chain(
    error: &(dyn Error + 'static),
    of_driver: impl Fn(&(dyn Error + 'static)) -> Option<Classification>,
    fallback: DefaultClassifier,
) -> Classification {
    if source_chain(error).any(<dyn Error>::is::<AbortRetryError>) {
        return Classification::abort();
    }
    let failure = source_chain(error).find_map(of_driver).unwrap_or_else(|| fallback.classify_error(error));
    if source_chain(error).any(<dyn Error>::is::<Commit>) { of_commit(failure) } else { failure }
}

/// The error of this type that this link of a chain is, or points to: an `Arc` or a `Box` returns
/// the source of its error as its own.
pub(crate) fn found<'e, D: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e D> {
    let shared = || error.downcast_ref::<Arc<D>>().map(|shared| &**shared);
    let boxed = || error.downcast_ref::<Box<D>>().map(|boxed| &**boxed);
    error.downcast_ref().or_else(shared).or_else(boxed)
}
