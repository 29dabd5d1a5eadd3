//! The error that decided a classification: its type, and a status or the kind of an
//! `std::io::Error`. It fits four bytes, so that a failure costs no allocation.

use std::any::type_name;
use std::io;

use crate::classify::marker::{ConcurrencyError, PermanentError, RateLimitError, ServerError};
use crate::classify::status::StatusError;

/// The detail that names the kind of an `std::io::Error`.
const IO: &str = "io";

/// The detail that holds an HTTP-style status.
const STATUS: &str = "status";

/// The error that decided a classification.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Evidence {
    Permanent,
    RateLimit,
    Concurrency,
    Server,
    Status(u16),
    Io(IoLabel),
}

impl Evidence {
    /// The type of the error that decided.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Permanent => type_name::<PermanentError>(),
            Self::RateLimit => type_name::<RateLimitError>(),
            Self::Concurrency => type_name::<ConcurrencyError>(),
            Self::Server => type_name::<ServerError>(),
            Self::Status(_) => type_name::<StatusError>(),
            Self::Io(_) => type_name::<io::Error>(),
        }
    }

    /// Its status or kind, as a detail.
    pub(crate) fn detail(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Status(status) => digits(status).map(|status| (STATUS, status)),
            Self::Io(label) => label.as_str().map(|kind| (IO, kind)),
            Self::Permanent | Self::RateLimit | Self::Concurrency | Self::Server => None,
        }
    }
}

/// The statuses that are failures.
const STATUSES: std::ops::Range<usize> = 400..600;

/// Each of them in decimal, so that a failure does not allocate for the text.
static DIGITS: [[u8; 3]; STATUSES.end - STATUSES.start] = {
    let mut all = [[b'0'; 3]; STATUSES.end - STATUSES.start];
    let mut index = 0;
    while index < all.len() {
        let status = STATUSES.start + index;
        all[index] = [digit(status / 100), digit(status / 10 % 10), digit(status % 10)];
        index += 1;
    }
    all
};

const fn digit(value: usize) -> u8 {
    b"0123456789"[value]
}

fn digits(status: u16) -> Option<&'static str> {
    let index = usize::from(status).checked_sub(STATUSES.start)?;
    DIGITS.get(index).and_then(|digits| std::str::from_utf8(digits).ok())
}

/// The kind of an `std::io::Error`, as a label.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IoLabel {
    Kind(io::ErrorKind),
    /// A name that does not resolve, which has no kind.
    NameLookup,
}

impl IoLabel {
    /// The kind as `Debug` prints it; `None` for a kind that the oldest supported compiler does not
    /// know.
    pub(crate) const fn as_str(self) -> Option<&'static str> {
        use io::ErrorKind as Kind;
        let Self::Kind(kind) = self else { return Some("NameLookup") };
        Some(match kind {
            Kind::ConnectionRefused => "ConnectionRefused",
            Kind::ConnectionReset => "ConnectionReset",
            Kind::ConnectionAborted => "ConnectionAborted",
            Kind::NotConnected => "NotConnected",
            Kind::BrokenPipe => "BrokenPipe",
            Kind::UnexpectedEof => "UnexpectedEof",
            Kind::TimedOut => "TimedOut",
            Kind::Interrupted => "Interrupted",
            Kind::WouldBlock => "WouldBlock",
            Kind::HostUnreachable => "HostUnreachable",
            Kind::NetworkUnreachable => "NetworkUnreachable",
            Kind::NetworkDown => "NetworkDown",
            Kind::AddrInUse => "AddrInUse",
            Kind::AddrNotAvailable => "AddrNotAvailable",
            Kind::ResourceBusy => "ResourceBusy",
            Kind::StaleNetworkFileHandle => "StaleNetworkFileHandle",
            Kind::PermissionDenied => "PermissionDenied",
            Kind::ReadOnlyFilesystem => "ReadOnlyFilesystem",
            Kind::NotFound => "NotFound",
            Kind::AlreadyExists => "AlreadyExists",
            Kind::InvalidInput => "InvalidInput",
            Kind::InvalidData => "InvalidData",
            Kind::Unsupported => "Unsupported",
            Kind::StorageFull => "StorageFull",
            Kind::QuotaExceeded => "QuotaExceeded",
            Kind::Deadlock => "Deadlock",
            _ => return Self::of_files(kind),
        })
    }

    const fn of_files(kind: io::ErrorKind) -> Option<&'static str> {
        use io::ErrorKind as Kind;
        match kind {
            Kind::IsADirectory => Some("IsADirectory"),
            Kind::NotADirectory => Some("NotADirectory"),
            Kind::DirectoryNotEmpty => Some("DirectoryNotEmpty"),
            Kind::CrossesDevices => Some("CrossesDevices"),
            Kind::TooManyLinks => Some("TooManyLinks"),
            Kind::NotSeekable => Some("NotSeekable"),
            Kind::ArgumentListTooLong => Some("ArgumentListTooLong"),
            Kind::FileTooLarge => Some("FileTooLarge"),
            Kind::ExecutableFileBusy => Some("ExecutableFileBusy"),
            _ => None,
        }
    }
}
