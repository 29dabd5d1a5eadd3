//! What a classification remembers of the error that decided it: its type, and the kind of an `std::io::Error`.
//!
//! Owns the types that the default classifier knows, and the kinds' names. One byte each, so that a failure costs no allocation.

use std::any::type_name;
use std::io;

use crate::classify::marker::{ConcurrencyError, PermanentError, RateLimitError, ServerError};
use crate::classify::status::StatusError;

/// The detail that names the kind of an `std::io::Error`.
pub(crate) const IO: &str = "io";

/// The detail that holds an HTTP-style status.
pub(crate) const STATUS: &str = "status";

/// A type of error that decides a classification wherever it is in a source chain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Decider {
    Permanent,
    RateLimit,
    Concurrency,
    Server,
    Status,
    Io,
}

impl Decider {
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Permanent => type_name::<PermanentError>(),
            Self::RateLimit => type_name::<RateLimitError>(),
            Self::Concurrency => type_name::<ConcurrencyError>(),
            Self::Server => type_name::<ServerError>(),
            Self::Status => type_name::<StatusError>(),
            Self::Io => type_name::<io::Error>(),
        }
    }
}

/// What an `std::io::Error` says that it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IoLabel {
    Kind(io::ErrorKind),
    /// A name that does not resolve, which has no kind.
    NameLookup,
}

impl IoLabel {
    /// As `Debug` prints the kind; none for a kind that the oldest supported compiler does not know.
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
