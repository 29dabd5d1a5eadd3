//! What a `std::io::Error` means: by its kind, and by the number of the operating system where the
//! kind says nothing.
//!
//! Owns the table of kinds and the two failures that std gives no kind. The numbers are in
//! `os_error.rs`.

use std::fmt::{self, Write};
use std::io;

use crate::classify::class::ErrorClass;
use crate::classify::evidence::IoLabel;
use crate::classify::os_error;

/// How std's message begins when a name does not resolve; such an error has no kind of its own and,
/// on Unix, no number.
const LOOKUP_FAILED: &str = "failed to lookup address information";

/// The class of an error of the standard library, or `None` where neither its kind nor its number
/// says anything.
pub(crate) fn class_of(error: &io::Error) -> Option<ErrorClass> {
    error.raw_os_error().and_then(os_error::class_of).or_else(|| of_kind(error))
}

/// What the error says that it is: its kind, unless it is a name that does not resolve.
pub(crate) fn label_of(error: &io::Error) -> IoLabel {
    let label = IoLabel::Kind(error.kind());
    let is_lookup = || error.raw_os_error().map_or_else(|| is_of_a_lookup(error), os_error::is_of_a_lookup);
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
        // `Uncategorized`, which has no stable name, and what is newer than the oldest supported
        // compiler.
        _ => is_of_a_lookup(error).then_some(ErrorClass::Transient),
    }
}

fn is_of_a_lookup(error: &io::Error) -> bool {
    let mut message = Beginning::Expects(LOOKUP_FAILED);
    // Err means that the answer is known before the end of the message.
    let _ = write!(message, "{error}");
    matches!(message, Beginning::IsAsExpected)
}

/// Compares what is written with what is expected, then refuses more, so that no message is
/// formatted whole.
enum Beginning {
    Expects(&'static str),
    IsAsExpected,
    /// Stays, since a `Display` that ignores errors goes on writing.
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
