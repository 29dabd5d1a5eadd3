//! The classifier for errors it has never seen: markers, statuses, `std::io::Error` kinds and, last, names.
//!
//! Owns that order and its tables. Reads errors only through `std::error::Error`, its source chain and `Debug`.

use std::error::Error;
use std::fmt::{self, Write};
use std::io;

use crate::classify::class::ErrorClass;
use crate::classify::classification::Classification;
use crate::classify::classifier::{Classifier, OrElse};
use crate::classify::marker::{ConcurrencyError, PermanentError, RateLimitError, ServerError};
use crate::classify::source_chain::source_chain;
use crate::classify::status::StatusError;
use crate::outcome::abort_error::AbortRetryError;

/// Classifies every `E: std::error::Error + 'static`; every `Ok` is a success.
///
/// It walks the whole source chain, once for each of these, and the first match decides:
///
/// 1. an [`AbortRetryError`]: the call is to end;
/// 2. a marker: [`PermanentError`], [`RateLimitError`], [`ConcurrencyError`], [`ServerError`], or the runtime's own timeout, an
///    [`io::Error`] of kind `TimedOut`;
/// 3. a [`StatusError`], by [`ErrorClass::from_status`];
/// 4. a [`std::io::Error`], by kind (table below); kinds that say nothing, such as `Other`, are passed over and the
///    error inside is looked at;
/// 5. unless made by [`strict_classifier`], the error's name: the identifier its `Debug` output begins with, which is the
///    type's or the variant's. `auth`, `unauthoriz`, `credential` in it mean `Auth`; `forbid`, `permission` mean
///    `Permission`; `timeout`, `timedout`, `elapsed`, `connection` mean `Transient`.
///
/// Anything else is [`Unknown`](ErrorClass::Unknown). A `Retry-After` carried by a marker or a `StatusError` becomes
/// the classification's hint.
///
/// | `io::ErrorKind` | class |
/// |---|---|
/// | `ConnectionRefused`, `ConnectionReset`, `ConnectionAborted`, `NotConnected`, `BrokenPipe`, `UnexpectedEof`, `TimedOut`, `Interrupted`, `WouldBlock`, `HostUnreachable`, `NetworkUnreachable`, `NetworkDown`, `ResourceBusy`, `StaleNetworkFileHandle` | `Transient` |
/// | `PermissionDenied`, `ReadOnlyFilesystem` | `Permission` |
/// | `NotFound`, `AlreadyExists`, `InvalidInput`, `InvalidData`, `Unsupported`, `IsADirectory`, `NotADirectory` | `Permanent` |
/// | `Deadlock`, `ExecutableFileBusy` | `Concurrency` |
///
/// Kinds are described in [`std::io::ErrorKind`].
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
/// use redress_core::{Classifier, ErrorClass, default_classifier, strict_classifier};
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

    /// What this classifier makes of an error behind a reference: the same answer as for an `Err` of it.
    pub fn classify_error(&self, error: &(dyn Error + 'static)) -> Classification {
        if source_chain(error).any(<dyn Error>::is::<AbortRetryError>) {
            return Classification::abort();
        }
        let found = source_chain(error)
            .find_map(marker)
            .or_else(|| source_chain(error).find_map(status))
            .or_else(|| source_chain(error).find_map(io_kind).map(Classification::new));
        match found {
            Some(classification) => classification,
            None if self.strict => Classification::new(ErrorClass::Unknown),
            None => Classification::new(source_chain(error).find_map(name).unwrap_or(ErrorClass::Unknown)),
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

/// The default classifier for errors behind a box: `Box<dyn Error + Send + Sync>`, `anyhow::Error` and whatever else
/// is `AsRef<dyn Error + Send + Sync>`. Made by [`boxed_classifier`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoxedClassifier(DefaultClassifier);

/// The default classifier for boxed errors.
///
/// ```
/// use redress_core::{Classifier, ErrorClass, boxed_classifier};
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
        return Some(Classification::new(ErrorClass::Transient));
    }
    let permanent = error.downcast_ref().map(PermanentError::classification);
    permanent
        .or_else(|| error.downcast_ref().map(RateLimitError::classification))
        .or_else(|| error.downcast_ref().map(ConcurrencyError::classification))
        .or_else(|| error.downcast_ref().map(ServerError::classification))
}

fn status(error: &(dyn Error + 'static)) -> Option<Classification> {
    let error = error.downcast_ref::<StatusError>()?;
    let class = ErrorClass::from_status(error.status())?;
    Some(Classification::new(class).with_retry_after(error.retry_after()))
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
    use io::ErrorKind as Kind;
    match error.downcast_ref::<io::Error>()?.kind() {
        Kind::ConnectionRefused
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::NotConnected
        | Kind::BrokenPipe
        | Kind::UnexpectedEof
        | Kind::TimedOut
        | Kind::Interrupted
        | Kind::WouldBlock
        | Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::ResourceBusy
        | Kind::StaleNetworkFileHandle => Some(ErrorClass::Transient),
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Some(ErrorClass::Permission),
        Kind::NotFound
        | Kind::AlreadyExists
        | Kind::InvalidInput
        | Kind::InvalidData
        | Kind::Unsupported
        | Kind::IsADirectory
        | Kind::NotADirectory => Some(ErrorClass::Permanent),
        Kind::Deadlock | Kind::ExecutableFileBusy => Some(ErrorClass::Concurrency),
        _ => None,
    }
}

/// What a piece of a type's or variant's name means. Lower case; the first row that occurs decides.
const NAME_PIECES: [(&str, ErrorClass); 9] = [
    ("auth", ErrorClass::Auth),
    ("unauthoriz", ErrorClass::Auth),
    ("credential", ErrorClass::Auth),
    ("forbid", ErrorClass::Permission),
    ("permission", ErrorClass::Permission),
    ("timeout", ErrorClass::Transient),
    ("timedout", ErrorClass::Transient),
    ("elapsed", ErrorClass::Transient),
    ("connection", ErrorClass::Transient),
];

fn name(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
    let mut name = LeadingIdentifier::default();
    // Err means that the writer had seen enough; the identifier is complete either way.
    let _ = write!(name, "{error:?}");
    let name = name.as_str();
    NAME_PIECES.iter().find(|(piece, _)| name.contains(piece)).map(|(_, class)| *class)
}

/// Collects the identifier a `Debug` output begins with, lower-cased, then refuses more, so that neither a large
/// error is formatted whole nor anything allocated. 64 bytes hold the names that occur.
struct LeadingIdentifier {
    bytes: [u8; 64],
    len: usize,
    /// Whether it has ended: a `Debug` that ignores errors goes on writing.
    ended: bool,
}

impl Default for LeadingIdentifier {
    fn default() -> Self {
        Self { bytes: [0; 64], len: 0, ended: false }
    }
}

impl LeadingIdentifier {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Write for LeadingIdentifier {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.ended |= self.len == self.bytes.len() || !(byte.is_ascii_alphanumeric() || byte == b'_');
            if self.ended {
                return Err(fmt::Error);
            }
            self.bytes[self.len] = byte.to_ascii_lowercase();
            self.len += 1;
        }
        Ok(())
    }
}
