//! The classifier for the errors of sqlx, of whichever version is enabled.

use std::error::Error;

use redress_core::classify::{OrElse, default_classifier};
use redress_core::{Classification, Classifier};

use crate::classifier::classify_chain;

#[cfg(feature = "sqlx-0-8")]
mod version_0_8;
#[cfg(feature = "sqlx")]
mod version_0_9;

/// Classifies the errors of sqlx, found anywhere in a source chain; every `Ok` is a success. Made
/// by [`sqlx_classifier`].
///
/// | error | class | certainly [not sent](Classification::is_unsent) |
/// |---|---|---|
/// | `Database` of PostgreSQL, and of drivers outside sqlx | that of [`sqlstate`](crate::sqlstate) | as there |
/// | `Database` of MySQL and MariaDB | that of [`mysql`](crate::mysql), by number, then by SQLSTATE | as there |
/// | `Database` of SQLite | that of [`sqlite`](crate::sqlite) | |
/// | `Io` | by the kind of the `io::Error`, else `Transient` | if refused, or the name is unknown |
/// | `PoolTimedOut`, with the cause [`Timeout`](redress_core::Cause::Timeout) | `Transient` | yes |
/// | `WorkerCrashed` | `Transient` | |
/// | `Tls` | `Permanent`, unless an `io::Error` says otherwise | yes |
/// | `PoolClosed`, `Configuration`, `InvalidArgument` | `Permanent` | yes |
/// | `RowNotFound`, `TypeNotFound`, `ColumnNotFound`, `ColumnIndexOutOfBounds`, `ColumnDecode`, `Decode`, `Encode`, `AnyDriverError`, `InvalidSavePointStatement`, `BeginFailed` | `Permanent` | |
/// | `Protocol` | `ServerError` | |
/// | `Migrate` | that of the error inside | |
/// | no error of sqlx in the chain | the guess of the [default classifier](default_classifier) | |
///
/// An [`AbortRetryError`](redress_core::error::AbortRetryError) anywhere in the chain ends the
/// call. A failure of COMMIT is retried only if it has no effect, see
/// [`CommitError`](crate::CommitError).
///
/// `PoolTimedOut` hides its cause: while the pool acquires a connection, it retries refused
/// connections, too many connections (53300) and a server that starts (57P03) for
/// `acquire_timeout`, 30 s by default, and then reports the timeout alone. Set `acquire_timeout` to
/// a part of the policy's deadline, so that the policy's backoff and breaker see the failures.
///
/// The details are `sqlstate`, `mysql` or `sqlite` with the code, or `io` with the kind of an
/// `io::Error`. No statement and no message becomes a detail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqlxClassifier;

/// Creates a classifier of the errors of sqlx: of 0.9 with the feature `sqlx`, of 0.8 with
/// `sqlx-0-8`, of either with both. See [`SqlxClassifier`].
///
/// ```
/// use redress::{Classifier, ErrorClass};
/// use redress::integration::sql::sqlx_classifier;
///
/// # #[cfg(feature = "sqlx")] {
/// let missing: Result<(), _> = Err(sqlx::Error::RowNotFound);
/// assert_eq!(sqlx_classifier().classify(&missing).unwrap().class(), ErrorClass::Permanent);
/// # }
/// ```
#[must_use]
pub const fn sqlx_classifier() -> SqlxClassifier {
    SqlxClassifier
}

impl SqlxClassifier {
    /// Adds a fallback: `other` classifies the errors that this classifier does not recognise, and
    /// every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }

    /// Classifies a borrowed error.
    pub fn classify_error(&self, error: &(dyn Error + 'static)) -> Classification {
        classify_chain(error, of_any_version, default_classifier())
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Error + 'static> Classifier<T, E> for SqlxClassifier {
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        match result {
            Ok(_) => None,
            Err(error) => Some(self.classify_error(error)),
        }
    }
}

fn of_any_version(error: &(dyn Error + 'static)) -> Option<Classification> {
    #[cfg(feature = "sqlx")]
    if let Some(failure) = version_0_9::classify(error) {
        return Some(failure);
    }
    #[cfg(feature = "sqlx-0-8")]
    if let Some(failure) = version_0_8::classify(error) {
        return Some(failure);
    }
    None
}
