//! The default classifier, for any error type: it looks for markers, statuses, `std::io::Error`
//! kinds and, last, names.

use std::error::Error;
use std::io;

use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::classify::classifier::{Classifier, OrElse};
use crate::classify::evidence::{Evidence, IoLabel};
use crate::classify::io_error;
use crate::classify::marker::{ConcurrencyError, PermanentError, RateLimitError, ServerError};
use crate::classify::name;
use crate::classify::own_classifier::Classify;
use crate::classify::source_chain::source_chain;
use crate::classify::status::StatusError;
use crate::outcome::abort_error::AbortRetryError;

/// Classifies every `E: std::error::Error + 'static`; every `Ok` is a success.
///
/// It walks the whole [source chain](source_chain) once for each of these steps, and the first
/// match decides:
///
/// 1. an [`AbortRetryError`] ends the call;
/// 2. a marker: [`PermanentError`], [`RateLimitError`], [`ConcurrencyError`], [`ServerError`], or a
///    timeout, that is an [`io::Error`] of kind `TimedOut`;
/// 3. a [`StatusError`], by [`ErrorClass::from_status`];
/// 4. a [`std::io::Error`], by kind (tables below). Kinds without a meaning, such as `Other`, are
///    skipped, and the walk goes on to the error inside;
/// 5. the error's name, except in a [`strict_classifier`]: the identifier at the beginning of its
///    `Debug` output, which is the type's or the variant's (rules below).
///
/// Anything else is [`Unknown`](ErrorClass::Unknown). A `Retry-After` carried by a marker or a
/// `StatusError` becomes the classification's hint.
///
/// A `StatusError` that decides adds the detail `status`. An `std::io::Error` that decides adds the
/// detail `io`: its kind, such as `ConnectionReset`, or `NameLookup`.
///
/// The `error_type` of events is the type of the error that decided in steps 2 to 4, even if it is
/// a source of another error. Otherwise it is the type that the operation returns.
///
/// # Errors inside errors
///
/// Steps 1 to 4 find an error as a source, inside an `io::Error`, behind an `Arc` or `Box`, and
/// under the contexts of `anyhow`. They do not find one wrapped with thiserror's
/// `#[error(transparent)]`, which hides the error inside and exposes only the source of that error.
/// Write `#[error("..")]` with a `#[source]` or `#[from]` field instead, or pass the error inside
/// to the classifier:
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
/// A connect fails with `AddrNotAvailable` when no local port is free. `StorageFull` and
/// `QuotaExceeded` are `Permanent` because they last until space is freed.
///
/// Some failures have no kind that every supported compiler knows. They are recognised by the error
/// number of the operating system (on Linux, Android, the BSDs, Apple's systems, illumos, Solaris
/// and Windows) or by the message of the standard library:
///
/// | failure | class |
/// |---|---|
/// | a name that does not resolve ("failed to lookup address information"; on Windows, 11001 to 11004) | `Transient` |
/// | `ENETRESET`, `ENOBUFS`, `ESHUTDOWN`, `EHOSTDOWN` | `Transient` |
/// | `ENAMETOOLONG` (kind `InvalidFilename`), `ELOOP` (kind `FilesystemLoop`) | `Permanent` |
///
/// These are skipped: `Other`, which has no meaning; `WriteZero`, which does not tell why no byte
/// was accepted; `OutOfMemory`, a failure of this process and not of the dependency; `InProgress`,
/// which is not a failure yet; `InvalidFilename` and `FilesystemLoop` without an error number; and
/// kinds that are in neither table.
///
/// An `io::Error` does not tell a connection from a file. `NotFound`, `PermissionDenied` and
/// `InvalidInput` are read as errors of a file, even if the operation connects to a Unix socket
/// that does not exist yet. Put a classifier in front of the default one for such a call:
///
/// ```
/// use redress::{Classifier, ErrorClass, default_classifier, error_classifier};
/// use std::io;
///
/// let classifier = error_classifier(|error: &io::Error| match error.kind() {
///     io::ErrorKind::NotFound => ErrorClass::Transient, // the daemon has not created its socket yet
///     _ => ErrorClass::Unknown,
/// })
/// .or_else(default_classifier());
/// let missing: Result<(), _> = Err(io::Error::from(io::ErrorKind::NotFound));
/// assert_eq!(classifier.classify(&missing).unwrap().class(), ErrorClass::Transient);
/// ```
///
/// # Names
///
/// The first rule that applies decides. Case is ignored, and a word counts anywhere in the name:
///
/// | the name contains | class |
/// |---|---|
/// | `timeout`, `timedout`, `elapsed` | `Transient` |
/// | `connection`, without a refusal: `unauthoriz`, `unauthoris`, `forbid`, `permission`, `denied` | `Transient` |
/// | `unavailable`, `unreachable`, `overload`, `throttl`, `ratelimit`, `temporar`, `transient`, `servererror`, without a refusal | no guess |
/// | `auth`, unless it begins `author`, `authored` and the like; `credential` | `Auth` |
/// | `forbid`, `permission` | `Permission` |
/// | `connection` | `Transient` |
///
/// `Auth` and `Permission` end a call at once, so a name such as `AuthTimeout` is classified as
/// neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DefaultClassifier {
    strict: bool,
}

/// The classifier of a policy that sets none; see [`DefaultClassifier`].
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
    /// Calls `other` where this one returns [`Unknown`](ErrorClass::Unknown), and for every `Ok`.
    pub const fn or_else<O>(self, other: O) -> OrElse<Self, O> {
        OrElse::new(self, other)
    }

    /// Classifies an error behind a reference. Returns the same as
    /// [`classify`](Classifier::classify) for an `Err` of it.
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
/// `AsRef<dyn Error + Send + Sync>`. Returned by [`boxed_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoxedClassifier(DefaultClassifier);

/// The default classifier for boxed errors.
///
/// It looks through the contexts of `anyhow` and `eyre` to the original error. An error wrapped
/// with thiserror's `#[error(transparent)]` stays hidden, also if it is an `anyhow::Error`: see
/// [`DefaultClassifier`](DefaultClassifier#errors-inside-errors).
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
    /// Calls `other` where this one returns [`Unknown`](ErrorClass::Unknown), and for every `Ok`.
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
    // A timeout means that no response came, so a status in the same chain is not its status.
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
    ErrorClass::from_status(error.status()).map(|_| error.classification())
}

fn io_error(error: &(dyn Error + 'static)) -> Option<Classification> {
    let error = error.downcast_ref()?;
    let class = io_error::class_of(error)?;
    Some(Classification::new(class).decided_by(Evidence::Io(io_error::label_of(error))))
}
