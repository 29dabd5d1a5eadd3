//! The table from HTTP-style status numbers to classes, and the error that carries such a number.
//!
//! Owns the one table that the default classifier and the HTTP integrations share. Knows no HTTP types.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::classify::class::ErrorClass;

impl ErrorClass {
    /// The class of an HTTP-style status, or `None` where the number alone says nothing.
    ///
    /// | status | class |
    /// |---|---|
    /// | 401 | `Auth` |
    /// | 403 | `Permission` |
    /// | 400, 404, 422 | `Permanent` |
    /// | 409 | `Concurrency` |
    /// | 408 | `Transient` |
    /// | 429 | `RateLimit` |
    /// | 500 to 599 | `ServerError` |
    ///
    /// Meanings: [RFC 9110, section 15](https://www.rfc-editor.org/rfc/rfc9110#section-15) and, for 429,
    /// [RFC 6585, section 4](https://www.rfc-editor.org/rfc/rfc6585#section-4).
    #[must_use]
    pub const fn from_status(status: u16) -> Option<Self> {
        match status {
            401 => Some(Self::Auth),
            403 => Some(Self::Permission),
            400 | 404 | 422 => Some(Self::Permanent),
            409 => Some(Self::Concurrency),
            408 => Some(Self::Transient),
            429 => Some(Self::RateLimit),
            500..=599 => Some(Self::ServerError),
            _ => None,
        }
    }
}

/// An error that carries an HTTP-style status. The default classifier finds it anywhere in a source chain, so an
/// error type of your own becomes classifiable by naming one of these as its source.
///
/// ```
/// use redress_core::{Classifier, ErrorClass, StatusError, default_classifier};
///
/// let failed: Result<(), _> = Err(StatusError::new(503));
/// assert_eq!(default_classifier().classify(&failed).unwrap().class(), ErrorClass::ServerError);
/// ```
#[derive(Debug)]
pub struct StatusError {
    status: u16,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StatusError {
    /// An error with this status.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, retry_after: None, source: None }
    }

    /// Adds how long the other side asked to wait.
    #[must_use]
    pub const fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// Adds the error behind this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// How long the other side asked to wait, if it did.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)
    }
}

impl Error for StatusError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
