//! Chains of errors built from bytes: their names, the way they write their `Debug` output, and
//! their sources.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::{self, ErrorKind};
use std::time::Duration;

use redress_core::ErrorClass;
use redress_core::error::{
    AbortRetryError, ConcurrencyError, PermanentError, RateLimitError, ServerError, StatusError,
};

use crate::reader::Reader;

pub(crate) type Boxed = Box<dyn Error + Send + Sync>;

/// One error of a chain.
#[derive(Clone, Debug)]
pub(crate) enum Link {
    /// An error of an unknown type, with this `Debug` output.
    Opaque {
        debug: String,
        manner: Manner,
    },
    Io(ErrorKind),
    /// An `io::Error` of this kind around the next error.
    IoAround(ErrorKind),
    Status(u16, Option<Duration>),
    Marker(ErrorClass, Option<Duration>),
    Abort,
}

/// The way an opaque error writes its `Debug` output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    AtOnce,
    /// Character by character, ignoring errors of the writer.
    Deaf,
    /// As a derived implementation does.
    Derived,
}

/// The kinds that have a meaning, and three that have none.
pub(crate) const KINDS: [(ErrorKind, Option<ErrorClass>); 38] = [
    (ErrorKind::Other, None),
    (ErrorKind::AddrInUse, Some(ErrorClass::Transient)),
    (ErrorKind::ConnectionRefused, Some(ErrorClass::Transient)),
    (ErrorKind::ConnectionReset, Some(ErrorClass::Transient)),
    (ErrorKind::ConnectionAborted, Some(ErrorClass::Transient)),
    (ErrorKind::NotConnected, Some(ErrorClass::Transient)),
    (ErrorKind::BrokenPipe, Some(ErrorClass::Transient)),
    (ErrorKind::UnexpectedEof, Some(ErrorClass::Transient)),
    (ErrorKind::TimedOut, Some(ErrorClass::Transient)),
    (ErrorKind::Interrupted, Some(ErrorClass::Transient)),
    (ErrorKind::WouldBlock, Some(ErrorClass::Transient)),
    (ErrorKind::HostUnreachable, Some(ErrorClass::Transient)),
    (ErrorKind::NetworkUnreachable, Some(ErrorClass::Transient)),
    (ErrorKind::NetworkDown, Some(ErrorClass::Transient)),
    (ErrorKind::ResourceBusy, Some(ErrorClass::Transient)),
    (ErrorKind::StaleNetworkFileHandle, Some(ErrorClass::Transient)),
    (ErrorKind::PermissionDenied, Some(ErrorClass::Permission)),
    (ErrorKind::ReadOnlyFilesystem, Some(ErrorClass::Permission)),
    (ErrorKind::NotFound, Some(ErrorClass::Permanent)),
    (ErrorKind::AlreadyExists, Some(ErrorClass::Permanent)),
    (ErrorKind::InvalidInput, Some(ErrorClass::Permanent)),
    (ErrorKind::InvalidData, Some(ErrorClass::Permanent)),
    (ErrorKind::Unsupported, Some(ErrorClass::Permanent)),
    (ErrorKind::IsADirectory, Some(ErrorClass::Permanent)),
    (ErrorKind::NotADirectory, Some(ErrorClass::Permanent)),
    (ErrorKind::Deadlock, Some(ErrorClass::Concurrency)),
    (ErrorKind::ExecutableFileBusy, Some(ErrorClass::Concurrency)),
    (ErrorKind::AddrNotAvailable, Some(ErrorClass::Transient)),
    (ErrorKind::DirectoryNotEmpty, Some(ErrorClass::Permanent)),
    (ErrorKind::CrossesDevices, Some(ErrorClass::Permanent)),
    (ErrorKind::TooManyLinks, Some(ErrorClass::Permanent)),
    (ErrorKind::NotSeekable, Some(ErrorClass::Permanent)),
    (ErrorKind::ArgumentListTooLong, Some(ErrorClass::Permanent)),
    (ErrorKind::FileTooLarge, Some(ErrorClass::Permanent)),
    (ErrorKind::StorageFull, Some(ErrorClass::Permanent)),
    (ErrorKind::QuotaExceeded, Some(ErrorClass::Permanent)),
    (ErrorKind::OutOfMemory, None),
    (ErrorKind::WriteZero, None),
];

pub(crate) const MARKERS: [ErrorClass; 4] =
    [ErrorClass::Permanent, ErrorClass::RateLimit, ErrorClass::Concurrency, ErrorClass::ServerError];

impl Link {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        match reader.below(8) {
            0 => Self::Io(reader.one_of(&KINDS).0),
            1 => Self::IoAround(reader.one_of(&KINDS).0),
            2 => Self::Status(reader.u16(), reader.maybe(Reader::any_duration)),
            3 => Self::Marker(reader.one_of(&MARKERS), reader.maybe(Reader::any_duration)),
            4 => Self::Abort,
            _ => {
                let manner = reader.one_of(&[Manner::AtOnce, Manner::Deaf, Manner::Derived]);
                let most = usize::from(reader.u8());
                Self::Opaque { debug: String::from_utf8_lossy(reader.take(most)).into_owned(), manner }
            }
        }
    }

    /// Builds the error with this source; the source is dropped if the error cannot have one.
    pub(crate) fn into_error(self, source: Option<Boxed>) -> Boxed {
        match self {
            Self::Opaque { debug, manner } => Box::new(Opaque { debug, manner, source }),
            Self::Io(kind) => Box::new(io::Error::from(kind)),
            Self::IoAround(kind) => match source {
                Some(source) => Box::new(io::Error::new(kind, source)),
                None => Box::new(io::Error::from(kind)),
            },
            Self::Status(status, hint) => {
                let plain = || StatusError::new(status);
                let error = hint.map_or_else(plain, |hint| plain().with_retry_after(hint));
                match source {
                    Some(source) => Box::new(error.with_source(source)),
                    None => Box::new(error),
                }
            }
            Self::Marker(class, hint) => marker(class, hint, source),
            Self::Abort => Box::new(AbortRetryError::new("scripted")),
        }
    }

    /// Whether the next entry of the description becomes the source of this error.
    pub(crate) const fn has_source(&self) -> bool {
        !matches!(self, Self::Io(_) | Self::Abort)
    }
}

fn marker(class: ErrorClass, hint: Option<Duration>, source: Option<Boxed>) -> Boxed {
    macro_rules! made {
        ($name:ident) => {{
            let mut error = $name::new("scripted");
            if let Some(hint) = hint {
                error = error.with_retry_after(hint);
            }
            match source {
                Some(source) => Box::new(error.with_source(source)),
                None => Box::new(error),
            }
        }};
    }
    match class {
        ErrorClass::RateLimit => made!(RateLimitError),
        ErrorClass::Concurrency => made!(ConcurrencyError),
        ErrorClass::ServerError => made!(ServerError),
        _ => made!(PermanentError),
    }
}

struct Opaque {
    debug: String,
    manner: Manner,
    source: Option<Boxed>,
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.manner {
            Manner::AtOnce => f.write_str(&self.debug),
            Manner::Deaf => {
                for letter in self.debug.chars() {
                    let _ = f.write_char(letter);
                }
                Ok(())
            }
            Manner::Derived => f.debug_struct(&self.debug).field("source", &self.source).finish(),
        }
    }
}

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("auth timeout permission: what an error says for people names nothing")
    }
}

impl Error for Opaque {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
