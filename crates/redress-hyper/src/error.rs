//! The error of a request, with predicates for its kind, and the conversion from the errors of
//! hyper and hyper-util.

use std::error::Error;
use std::{fmt, io};

use hyper_util::client::legacy;
use redress_core::ErrorClass;
use redress_core::classify::source_chain;

use crate::http2;

type BoxError = Box<dyn Error + Send + Sync>;

/// Why a request has no response, or why a response's body broke off.
///
/// Its `source()` is the error of hyper or hyper-util. [`hyper`](Self::hyper) returns hyper's error
/// from anywhere in the chain.
///
/// ```
/// use std::io;
/// use redress::integration::hyper::HyperError;
///
/// let refused = HyperError::connect(io::Error::from(io::ErrorKind::ConnectionRefused));
/// assert!(refused.is_connect() && refused.is_unsent());
///
/// let reset = HyperError::exchange(io::Error::from(io::ErrorKind::ConnectionReset));
/// assert!(!reset.is_unsent()); // the server may have acted on the request
/// ```
#[derive(Debug, thiserror::Error)]
pub struct HyperError {
    kind: Kind,
    source: Option<BoxError>,
}

/// The kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No connection was made.
    Connect,
    /// The connection ended before it took the request.
    Unsent,
    /// The server said that it did not act on the request.
    Refused,
    /// This client refuses to send the request.
    Request,
    /// The caller's own input failed: the request body.
    Own,
    /// The exchange failed after the request was sent, at least in part.
    Exchange,
    /// Reading the body failed, after the head arrived.
    Body,
    /// The rest of the body was dropped to release its connection before a wait.
    Discarded,
}

impl HyperError {
    /// Creates the error of a connection that was not made. For custom transports: the request was
    /// certainly not sent.
    pub fn connect(source: impl Into<BoxError>) -> Self {
        Self { kind: Kind::Connect, source: Some(source.into()) }
    }

    /// Creates the error of an exchange that failed after the request was sent, at least in part.
    /// For custom transports: the server may have acted on the request.
    pub fn exchange(source: impl Into<BoxError>) -> Self {
        Self { kind: Kind::Exchange, source: Some(source.into()) }
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn body(source: impl Into<BoxError>) -> Self {
        Self { kind: Kind::Body, source: Some(source.into()) }
    }

    /// Creates the error of a request that could not be built.
    pub(crate) fn request(source: impl Into<BoxError>) -> Self {
        Self { kind: Kind::Request, source: Some(source.into()) }
    }

    /// Creates the error of an attempt without a request to send.
    pub(crate) const fn spent() -> Self {
        Self { kind: Kind::Request, source: None }
    }

    pub(crate) const fn discarded() -> Self {
        Self { kind: Kind::Discarded, source: None }
    }

    /// Returns whether no connection was made.
    #[must_use]
    pub const fn is_connect(&self) -> bool {
        matches!(self.kind, Kind::Connect)
    }

    /// Returns whether the request was certainly not acted on. Such a request may be sent again
    /// even if it is not idempotent.
    ///
    /// There was no connection, or it ended before it took the request, or the server said so over
    /// HTTP/2, by `REFUSED_STREAM` or by a GOAWAY whose last stream is below the request's ([RFC
    /// 9113, section 8.7](https://www.rfc-editor.org/rfc/rfc9113#section-8.7), read with the
    /// feature `http2`).
    #[must_use]
    pub const fn is_unsent(&self) -> bool {
        self.kind.is_unsent()
    }

    /// Returns whether the caller's own input failed, such as the request body, and not the server
    /// or the network.
    #[must_use]
    pub const fn is_user(&self) -> bool {
        matches!(self.kind, Kind::Own)
    }

    /// Returns whether the connection failed, so that another may work: it was not made, it broke,
    /// or it is being closed. An HTTP/2 stream that was reset does not count, because it says
    /// nothing about its connection.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        match self.kind {
            Kind::Connect | Kind::Unsent => true,
            Kind::Refused | Kind::Exchange | Kind::Body => http2::of_a_stream(self).is_none(),
            Kind::Request | Kind::Own | Kind::Discarded => false,
        }
    }

    /// Returns whether the client refused to send the request: its URI is invalid or has no host,
    /// its HTTP version is not the connection's, or its `Content-Length` differs from its body's
    /// length.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.kind, Kind::Request)
    }

    /// Returns whether reading the response's body failed, after its head arrived.
    #[must_use]
    pub const fn is_body(&self) -> bool {
        matches!(self.kind, Kind::Body)
    }

    /// Returns whether the rest of the body is missing because the response was going to be retried
    /// and its connection was released before the wait.
    #[must_use]
    pub const fn is_discarded(&self) -> bool {
        matches!(self.kind, Kind::Discarded)
    }

    /// Returns whether a timeout of the connector or the system expired. (An attempt that runs into
    /// the policy's timeout has no error.)
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        let timed_out = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
        self.hyper().is_some_and(hyper::Error::is_timeout)
            || self.chain().any(|error| error.downcast_ref().is_some_and(timed_out))
    }

    /// Returns whether an established connection ended early: before the end of the head or of the
    /// body.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        let ended = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
        let is_cut_off = self.hyper().is_some_and(hyper::Error::is_incomplete_message)
            || self.chain().any(|error| error.downcast_ref().is_some_and(ended));
        is_cut_off && !self.is_connect()
    }

    /// Returns whether the response is not HTTP, or exceeds the connection's limits.
    #[must_use]
    pub fn is_parse(&self) -> bool {
        self.hyper().is_some_and(hyper::Error::is_parse)
    }

    /// Returns hyper's error, if there is one in the chain of sources.
    #[must_use]
    pub fn hyper(&self) -> Option<&hyper::Error> {
        self.chain().find_map(|error| error.downcast_ref())
    }

    fn chain(&self) -> impl Iterator<Item = &(dyn Error + 'static)> {
        source_chain(self)
    }
}

impl From<legacy::Error> for HyperError {
    fn from(error: legacy::Error) -> Self {
        Self { kind: Kind::of_client(&error), source: Some(error.into()) }
    }
}

impl From<hyper::Error> for HyperError {
    fn from(error: hyper::Error) -> Self {
        Self { kind: Kind::of(&error), source: Some(error.into()) }
    }
}

impl Kind {
    /// The kind of an error of hyper-util's client.
    pub(crate) fn of_client(error: &legacy::Error) -> Self {
        if error.is_connect() {
            return Self::Connect;
        }
        match error.source() {
            // The client only checked the request.
            None => Self::Request,
            // An error after a connection took the request carries the connection's info. A new
            // connection that fails, or receives data, before it is ready carries none.
            Some(_) if error.connect_info().is_none() => Self::Unsent,
            Some(source) => source.downcast_ref().map_or(Self::Exchange, Self::of),
        }
    }

    /// The kind of an error of hyper.
    pub(crate) fn of(error: &hyper::Error) -> Self {
        // hyper reports a request as cancelled only when it returns it unsent from the connection's
        // queue.
        if error.is_canceled() {
            return Self::Unsent;
        }
        match http2::classify(error) {
            _ if error.is_user() => Self::Own,
            Some(failure) if failure.is_unsent() => Self::Refused,
            Some(failure) if failure.class() == ErrorClass::Unknown => Self::Own,
            _ => Self::Exchange,
        }
    }

    pub(crate) const fn is_unsent(self) -> bool {
        matches!(self, Self::Connect | Self::Unsent | Self::Refused)
    }
}

impl fmt::Display for HyperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Connect => "no connection",
            Kind::Unsent => "the connection ended before the request was sent",
            Kind::Refused => "the server did not act on the request",
            Kind::Own => "the body of the request failed",
            Kind::Request => "the client does not send such requests",
            Kind::Exchange => "the request failed",
            Kind::Body => "the body of the response failed",
            Kind::Discarded => "the rest of the body was dropped before a retry",
        })
    }
}
