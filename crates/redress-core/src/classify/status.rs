//! The table from HTTP status codes to classes, which the default classifier and the HTTP
//! integrations share, and `StatusError`, which carries a status.

use std::error::Error;
use std::time::Duration;

use crate::classify::class::ErrorClass;

impl ErrorClass {
    /// Returns the class of an HTTP status, or `None` for a status outside 400 to 599.
    ///
    /// | status | class | meaning |
    /// |---|---|---|
    /// | 401, 407 | `Auth` | the server or the proxy does not accept the credentials: [RFC 9110, sections 15.5.2][401] and [15.5.8][407] |
    /// | 403 | `Permission` | [RFC 9110, section 15.5.4][403] |
    /// | 408 | `Transient` | the request did not arrive in time: [RFC 9110, section 15.5.9][408] |
    /// | 421 | `Transient` | the connection leads to the wrong server: [RFC 9110, section 15.5.20][421] |
    /// | 425 | `Transient` | the request came in TLS early data: [RFC 8470, section 5.2][425] |
    /// | 409 | `Concurrency` | the request conflicts with the state of the resource: [RFC 9110, section 15.5.10][409] |
    /// | 423 | `Concurrency` | another client holds a lock: [RFC 4918, section 11.3][423] |
    /// | 429 | `RateLimit` | [RFC 6585, section 4][429] |
    /// | 400 to 499 otherwise | `Permanent` | the client seems to have erred: [RFC 9110, section 15.5][4xx] |
    /// | 501, 505 | `Permanent` | the server does not support the method or the version of HTTP: [RFC 9110, sections 15.6.2][501] and [15.6.6][505] |
    /// | 506, 508, 510 | `Permanent` | the configuration of the resource rules out a response: RFCs [2295][506], [5842][508] and [2774][510] |
    /// | 511 | `Auth` | the network requires credentials: [RFC 6585, section 6][511] |
    /// | 500 to 599 otherwise | `ServerError` | [RFC 9110, section 15.6][5xx] |
    ///
    /// An unregistered 4xx status is treated as 400, as [RFC 9110, section 15][15] requires.
    ///
    /// 412 and 424 are `Permanent`: the same request meets the same precondition, and the request
    /// that 424 depends on has a separate status. An operation that reads the resource again before
    /// each attempt can return [`ConcurrencyError`](crate::error::ConcurrencyError) for a 412.
    ///
    /// At some servers other 4xx statuses are temporary (413 with a `Retry-After`, 418 or 420 in
    /// place of 429). Use a custom classifier for those.
    ///
    /// A server that responds with 501 is healthy, so a breaker does not count it.
    ///
    /// ```
    /// use redress::ErrorClass;
    ///
    /// assert_eq!(ErrorClass::from_status(503), Some(ErrorClass::ServerError));
    /// assert_eq!(ErrorClass::from_status(410), Some(ErrorClass::Permanent));
    /// assert_eq!(ErrorClass::from_status(302), None);
    /// ```
    ///
    /// [15]: https://www.rfc-editor.org/rfc/rfc9110#section-15
    /// [4xx]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5
    /// [5xx]: https://www.rfc-editor.org/rfc/rfc9110#section-15.6
    /// [501]: https://www.rfc-editor.org/rfc/rfc9110#section-15.6.2
    /// [505]: https://www.rfc-editor.org/rfc/rfc9110#section-15.6.6
    /// [506]: https://www.rfc-editor.org/rfc/rfc2295#section-8.1
    /// [508]: https://www.rfc-editor.org/rfc/rfc5842#section-7.2
    /// [510]: https://www.rfc-editor.org/rfc/rfc2774#section-7
    /// [511]: https://www.rfc-editor.org/rfc/rfc6585#section-6
    /// [401]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2
    /// [403]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.4
    /// [407]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.8
    /// [408]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.9
    /// [409]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.10
    /// [421]: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.20
    /// [423]: https://www.rfc-editor.org/rfc/rfc4918#section-11.3
    /// [425]: https://www.rfc-editor.org/rfc/rfc8470#section-5.2
    /// [429]: https://www.rfc-editor.org/rfc/rfc6585#section-4
    #[must_use]
    pub const fn from_status(status: u16) -> Option<Self> {
        match status {
            401 | 407 | 511 => Some(Self::Auth),
            403 => Some(Self::Permission),
            408 | 421 | 425 => Some(Self::Transient),
            409 | 423 => Some(Self::Concurrency),
            429 => Some(Self::RateLimit),
            400..=499 | 501 | 505 | 506 | 508 | 510 => Some(Self::Permanent),
            500..=599 => Some(Self::ServerError),
            _ => None,
        }
    }
}

/// An error that carries an HTTP status.
///
/// The default classifier finds it anywhere in a source chain, so an error type with a
/// `StatusError` as its source is classified by status (not with `#[error(transparent)]`, which
/// hides it: see [`DefaultClassifier`](crate::classify::DefaultClassifier#errors-inside-errors)).
///
/// ```
/// use redress::{Classifier, ErrorClass, default_classifier};
/// use redress::error::StatusError;
///
/// let failed: Result<(), _> = Err(StatusError::new(503));
/// assert_eq!(default_classifier().classify(&failed).unwrap().class(), ErrorClass::ServerError);
/// ```
#[derive(Debug, thiserror::Error)]
#[error("status {status}")]
pub struct StatusError {
    status: u16,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StatusError {
    /// Creates an error with this status.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, retry_after: None, source: None }
    }

    /// Sets how long the dependency asked to wait. Default: no hint.
    #[must_use]
    pub const fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// Sets the [source](Error::source) of this error.
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

    /// How long the dependency asked to wait, if it did.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}
