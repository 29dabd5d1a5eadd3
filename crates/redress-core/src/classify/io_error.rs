//! The class of a `std::io::Error`: by the error number of the operating system (`os_error.rs`), by
//! its kind, or by the message of a failed name lookup.

use std::fmt::{self, Write};
use std::io;

use crate::classify::class::ErrorClass;
use crate::classify::evidence::IoLabel;
use crate::classify::os_error;

/// The beginning of std's message for a name that does not resolve. Such an error has no stable
/// kind and, on Unix, no number.
const LOOKUP_FAILED: &str = "failed to lookup address information";

/// The class of an error of the standard library, or `None` if neither its number nor its kind has
/// one.
pub(crate) fn class_of(error: &io::Error) -> Option<ErrorClass> {
    error.raw_os_error().and_then(os_error::class_of).or_else(|| of_kind(error))
}

/// The error's label: its kind, or `NameLookup` for a name that does not resolve.
pub(crate) fn label_of(error: &io::Error) -> IoLabel {
    let label = IoLabel::Kind(error.kind());
    let is_lookup = || error.raw_os_error().map_or_else(|| is_name_lookup(error), os_error::is_name_lookup);
    if label.as_str().is_none() && is_lookup() { IoLabel::NameLookup } else { label }
}

fn of_kind(error: &io::Error) -> Option<ErrorClass> {
    use io::ErrorKind as Kind;
    match error.kind() {
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
        | Kind::AddrInUse
        | Kind::AddrNotAvailable
        | Kind::ResourceBusy
        | Kind::StaleNetworkFileHandle => Some(ErrorClass::Transient),
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Some(ErrorClass::Permission),
        Kind::NotFound
        | Kind::AlreadyExists
        | Kind::InvalidInput
        | Kind::InvalidData
        | Kind::Unsupported
        | Kind::IsADirectory
        | Kind::NotADirectory
        | Kind::DirectoryNotEmpty
        | Kind::CrossesDevices
        | Kind::TooManyLinks
        | Kind::NotSeekable
        | Kind::ArgumentListTooLong
        | Kind::FileTooLarge
        | Kind::StorageFull
        | Kind::QuotaExceeded => Some(ErrorClass::Permanent),
        Kind::Deadlock | Kind::ExecutableFileBusy => Some(ErrorClass::Concurrency),
        Kind::Other | Kind::OutOfMemory | Kind::WriteZero => None,
        // `Uncategorized`, which has no stable name, and kinds newer than the oldest supported
        // compiler.
        _ => is_name_lookup(error).then_some(ErrorClass::Transient),
    }
}

fn is_name_lookup(error: &io::Error) -> bool {
    let mut message = Beginning::Expects(LOOKUP_FAILED);
    // Err means that the comparison ended before the message did.
    let _ = write!(message, "{error}");
    matches!(message, Beginning::IsAsExpected)
}

/// Compares a message with an expected prefix, and fails the formatting as soon as the result is
/// known.
enum Beginning {
    Expects(&'static str),
    IsAsExpected,
    /// Final, because a `Display` that ignores errors goes on writing.
    Differs,
}

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let Self::Expects(expected) = self else { return Err(fmt::Error) };
        *self = match expected.strip_prefix(text) {
            Some("") => Self::IsAsExpected,
            Some(rest) => Self::Expects(rest),
            None if text.starts_with(*expected) => Self::IsAsExpected,
            None => Self::Differs,
        };
        if matches!(self, Self::Expects(_)) { Ok(()) } else { Err(fmt::Error) }
    }
}
