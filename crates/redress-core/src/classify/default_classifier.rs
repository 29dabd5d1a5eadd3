//! The classifier for errors it has never seen: markers, statuses, `std::io::Error` kinds and,
//! last, names.
//!
//! Owns that order and its tables. Reads errors only through `std::error::Error`, its source chain
//! and `Debug`.

use std::error::Error;
use std::io;

use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::classify::classifier::{Classifier, OrElse};
use crate::classify::evidence::{Evidence, IoLabel};
use crate::classify::io_error;
use crate::classify::marker::{ConcurrencyError, PermanentError, RateLimitError, ServerError};
use crate::classify::name;
use crate::classify::source_chain::source_chain;
use crate::classify::status::StatusError;
use crate::outcome::abort_error::AbortRetryError;

/// Classifies every `E: std::error::Error + 'static`; every `Ok` is a success.
///
/// It walks the whole [source chain](source_chain), once for each of these, and the first match
/// decides:
///
/// 1. an [`AbortRetryError`]: the call is to end;
/// 2. a marker: [`PermanentError`], [`RateLimitError`], [`ConcurrencyError`], [`ServerError`], or
///    the runtime's own timeout, an [`io::Error`] of kind `TimedOut`;
/// 3. a [`StatusError`], by [`ErrorClass::from_status`];
/// 4. a [`std::io::Error`], by kind (tables below); kinds that say nothing, such as `Other`, are
///    passed over and the error inside is looked at;
/// 5. unless made by [`strict_classifier`], the error's name: the identifier its `Debug` output
///    begins with, which is the type's or the variant's (rules below).
///
/// Anything else is [`Unknown`](ErrorClass::Unknown). A `Retry-After` carried by a marker or a
/// `StatusError` becomes the classification's hint.
///
/// A `StatusError` that decides adds the detail `status`, and an `std::io::Error` the detail `io`,
/// its kind as in `ConnectionReset`, or `NameLookup`. Events then name the error that decided as
/// their `error_type`, also where it is behind others; where a name decided or nothing did, they
/// name the type that the operation returns.
///
/// # Errors inside errors
///
/// Steps 1 to 4 find an error as a source, inside an `io::Error`, behind an `Arc` or `Box`, and
/// under the contexts of `anyhow`. They do not find one wrapped with thiserror's
/// `#[error(transparent)]`, which hides the error inside and shows only that error's own source.
/// Write `#[error("..")]` with a `#[source]` or `#[from]` field instead, or hand the classifier the
/// error inside:
///
/// ```
/// use redress::{Classifier, ErrorClass, default_classifier, error_classifier};
/// use std::io;
///
/// #[derive(Debug, thiserror::Error)]
/// enum StoreError {
///     #[error(transparent)]
///     Io(#[from] io::Error),
///     #[error("no such row")]
///     NoRow,
/// }
///
/// let classifier = error_classifier(|error: &StoreError| match error {
///     StoreError::Io(error) => default_classifier().classify_error(error),
///     StoreError::NoRow => ErrorClass::Permanent.into(),
/// });
/// let reset: Result<(), StoreError> = Err(io::Error::from(io::ErrorKind::ConnectionReset).into());
/// assert_eq!(classifier.classify(&reset).unwrap().class(), ErrorClass::Transient);
/// ```
///
/// # Kinds of `std::io::Error`
///
/// | `io::ErrorKind` | class |
/// |---|---|
/// | `ConnectionRefused`, `ConnectionReset`, `ConnectionAborted`, `NotConnected`, `BrokenPipe`, `UnexpectedEof`, `TimedOut`, `Interrupted`, `WouldBlock`, `HostUnreachable`, `NetworkUnreachable`, `NetworkDown`, `AddrInUse`, `AddrNotAvailable`, `ResourceBusy`, `StaleNetworkFileHandle` | `Transient` |
/// | `PermissionDenied`, `ReadOnlyFilesystem` | `Permission` |
/// | `NotFound`, `AlreadyExists`, `InvalidInput`, `InvalidData`, `Unsupported`, `IsADirectory`, `NotADirectory`, `DirectoryNotEmpty`, `CrossesDevices`, `TooManyLinks`, `NotSeekable`, `ArgumentListTooLong`, `FileTooLarge`, `StorageFull`, `QuotaExceeded` | `Permanent` |
/// | `Deadlock`, `ExecutableFileBusy` | `Concurrency` |
///
/// `AddrNotAvailable` is what a connect says when no local port is free. A full disk or an
/// exhausted quota stays so until room is made.
///
/// Some failures have no kind that every supported compiler knows. They are found by the operating
/// system's number (on Linux, Android, the BSDs, Apple's systems, illumos, Solaris and Windows) or
/// by std's own message:
///
/// | failure | class |
/// |---|---|
/// | a name that does not resolve ("failed to lookup address information"; on Windows, 11001 to 11004) | `Transient` |
/// | `ENETRESET`, `ENOBUFS`, `ESHUTDOWN`, `EHOSTDOWN` | `Transient` |
/// | `ENAMETOOLONG` (kind `InvalidFilename`), `ELOOP` (kind `FilesystemLoop`) | `Permanent` |
///
/// Passed over are `Other`, which says nothing; `WriteZero`, which does not say why no byte was
/// taken; `OutOfMemory`, a fault of this process and not of what it called; `InProgress`, which is
/// no failure yet; `InvalidFilename` and `FilesystemLoop` without a number; and what has no kind
/// and no row.
///
/// An `io::Error` does not tell a connection from a file, so `NotFound`, `PermissionDenied` and
/// `InvalidInput` are read as of a file also where a Unix socket is not there yet. Put a classifier
/// in front for such a call:
///
/// ```
/// use redress::{Classifier, ErrorClass, default_classifier, error_classifier};
/// use std::io;
///
/// let classifier = error_classifier(|error: &io::Error| match error.kind() {
///     io::ErrorKind::NotFound => ErrorClass::Transient, // the daemon has not made its socket yet
///     _ => ErrorClass::Unknown,
/// })
/// .or_else(default_classifier());
/// let missing: Result<(), _> = Err(io::Error::from(io::ErrorKind::NotFound));
/// assert_eq!(classifier.classify(&missing).unwrap().class(), ErrorClass::Transient);
/// ```
///
/// # Names
///
/// The first rule that applies decides; upper and lower case are alike, and a word counts anywhere
/// in the name:
///
/// | the name says | class |
/// |---|---|
/// | `timeout`, `timedout`, `elapsed` | `Transient` |
/// | `connection`, without a refusal: `unauthoriz`, `unauthoris`, `forbid`, `permission`, `denied` | `Transient` |
/// | `unavailable`, `unreachable`, `overload`, `throttl`, `ratelimit`, `temporar`, `transient`, `servererror`, without a refusal | no guess |
/// | `auth`, unless it begins `author`, `authored` and the like; `credential` | `Auth` |
/// | `forbid`, `permission` | `Permission` |
/// | `connection` | `Transient` |
///
/// `Auth` and `Permission` end a call at once, so a name that says that no answer came, such as
/// `AuthTimeout`, does not make either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefaultClassifier {
    strict: bool,
}

/// The classifier a policy has unless told otherwise; see [`DefaultClassifier`].
#[must_use]
pub const fn default_classifier() -> DefaultClassifier {
    DefaultClassifier { strict: false }
}

/// The default classifier without step 5: it never guesses from a name.
///
/// ```
/// use redress::{Classifier, ErrorClass, default_classifier};
/// use redress::classify::strict_classifier;
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("no answer")]
/// struct UpstreamTimeout;
///
/// let failed: Result<(), _> = Err(UpstreamTimeout);
/// assert_eq!(default_classifier().classify(&failed).unwrap().class(), ErrorClass::Transient);
/// assert_eq!(strict_classifier().classify(&failed).unwrap().class(), ErrorClass::Unknown);
/// ```
#[must_use]
pub const fn strict_classifier() -> DefaultClassifier {
    DefaultClassifier { strict: true }
}

impl DefaultClassifier {
    /// Asks `other` where this one answers [`Unknown`](ErrorClass::Unknown), and about every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }

    /// What this classifier makes of an error behind a reference: the same answer as for an `Err`
    /// of it.
    pub fn classify_error(&self, error: &(dyn Error + 'static)) -> Classification {
        if source_chain(error).any(<dyn Error>::is::<AbortRetryError>) {
            return Classification::abort();
        }
        let found = source_chain(error)
            .find_map(marker)
            .or_else(|| source_chain(error).find_map(status))
            .or_else(|| source_chain(error).find_map(io_error));
        match found {
            Some(classification) => classification,
            None if self.strict => Classification::new(ErrorClass::Unknown),
            None => Classification::new(source_chain(error).find_map(name::guess).unwrap_or(ErrorClass::Unknown)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: Error + 'static> Classifier<T, E> for DefaultClassifier {
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        match result {
            Ok(_) => None,
            Err(error) => Some(self.classify_error(error)),
        }
    }
}

/// The default classifier for errors behind a box: `Box<dyn Error + Send + Sync>`,
/// `Arc<dyn Error + Send + Sync>`, `anyhow::Error`, `eyre::Report` and every other type that is
/// `AsRef<dyn Error + Send + Sync>`. Made by [`boxed_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoxedClassifier(DefaultClassifier);

/// The default classifier for boxed errors.
///
/// It looks through the contexts of `anyhow` and `eyre` to the error that they were put on. An
/// error wrapped with thiserror's `#[error(transparent)]` stays hidden, a transparent
/// `anyhow::Error` too: see [`DefaultClassifier`](DefaultClassifier#errors-inside-errors).
///
/// ```
/// use redress::{Classifier, ErrorClass};
/// use redress::classify::boxed_classifier;
///
/// let failed: Result<(), Box<dyn std::error::Error + Send + Sync>> =
///     Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
/// assert_eq!(boxed_classifier().classify(&failed).unwrap().class(), ErrorClass::Transient);
/// ```
#[must_use]
pub const fn boxed_classifier() -> BoxedClassifier {
    BoxedClassifier(default_classifier())
}

impl BoxedClassifier {
    /// Asks `other` where this one answers [`Unknown`](ErrorClass::Unknown), and about every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: AsRef<dyn Error + Send + Sync>> Classifier<T, E> for BoxedClassifier {
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        match result {
            Ok(_) => None,
            Err(error) => Some(self.0.classify_error(error.as_ref())),
        }
    }
}

fn marker(error: &(dyn Error + 'static)) -> Option<Classification> {
    // A timeout says that nobody answered, so no status beside it can be the answer.
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
        let timed_out = IoLabel::Kind(io::ErrorKind::TimedOut);
        return Some(Classification::new(ErrorClass::Transient).decided_by(Evidence::Io(timed_out)));
    }
    let of = |evidence| move |found: Classification| found.decided_by(evidence);
    let permanent = error.downcast_ref().map(PermanentError::classification).map(of(Evidence::Permanent));
    permanent
        .or_else(|| error.downcast_ref().map(RateLimitError::classification).map(of(Evidence::RateLimit)))
        .or_else(|| error.downcast_ref().map(ConcurrencyError::classification).map(of(Evidence::Concurrency)))
        .or_else(|| error.downcast_ref().map(ServerError::classification).map(of(Evidence::Server)))
}

fn status(error: &(dyn Error + 'static)) -> Option<Classification> {
    let error = error.downcast_ref::<StatusError>()?;
    let class = ErrorClass::from_status(error.status())?;
    let found = Classification::new(class).with_retry_after(error.retry_after());
    Some(found.decided_by(Evidence::Status(error.status())))
}

fn io_error(error: &(dyn Error + 'static)) -> Option<Classification> {
    let error = error.downcast_ref()?;
    let class = io_error::class_of(error)?;
    Some(Classification::new(class).decided_by(Evidence::Io(io_error::label_of(error))))
}
