//! What a request fails with, and what can be asked about it.
//!
//! Owns the error and the sorting of hyper's and hyper-util's into it. What it means for a retry is
//! `classifier.rs`.

use std::error::Error;
use std::{fmt, io};

use hyper_util::client::legacy;
use redress_core::ErrorClass;
use redress_core::classify::source_chain;

use crate::http2;

type BoxError = Box<dyn Error + Send + Sync>;

/// Why a request has no response, or a response no more body.
///
/// hyper's or hyper-util's own error is its `source()`, and [`hyper`](Self::hyper) finds hyper's
/// wherever it is.
#[derive(Debug, thiserror::Error)]
pub struct HyperError {
    kind: Kind,
    source: Option<BoxError>,
}

/// What an error is, without the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No connection came about.
    Connect,
    /// There was one, and it ended before it took the request.
    Unsent,
    /// There was one, and the server says that it did not act on the request.
    Refused,
    /// The request cannot be sent by this client, whatever the other side does.
    Request,
    /// The caller's own part failed: the body of the request.
    Own,
    /// It was sent, or at least begun.
    Exchange,
    /// The head was there; reading the body failed.
    Body,
    /// The rest of the body was dropped, so that its connection need not be held while waiting.
    Discarded,
}

impl HyperError {
    /// No connection came about, for this reason. For transports of your own: such a request
    /// certainly never left.
    pub fn connect(source: impl Into<BoxError>) -> Self {
        Self { kind: Kind::Connect, source: Some(source.into()) }
    }

    /// It was sent, or at least begun, and failed for this reason. For transports of your own:
    /// nobody knows whether the server acted on such a request.
    pub fn exchange(source: impl Into<BoxError>) -> Self {
        Self { kind: Kind::Exchange, source: Some(source.into()) }
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn body(source: impl Into<BoxError>) -> Self {
        Self { kind: Kind::Body, source: Some(source.into()) }
    }

    /// The request could not be made, for this reason.
    pub(crate) fn request(source: impl Into<BoxError>) -> Self {
        Self { kind: Kind::Request, source: Some(source.into()) }
    }

    /// There is nothing left to send.
    pub(crate) const fn spent() -> Self {
        Self { kind: Kind::Request, source: None }
    }

    pub(crate) const fn discarded() -> Self {
        Self { kind: Kind::Discarded, source: None }
    }

    /// Whether no connection came about.
    #[must_use]
    pub const fn is_connect(&self) -> bool {
        matches!(self.kind, Kind::Connect)
    }

    /// Whether the request was certainly not acted on. Such a request may be sent again although it
    /// is not idempotent.
    ///
    /// There was no connection, or it ended before it took the request; or the server says so, over
    /// HTTP/2 by `REFUSED_STREAM` or by a GOAWAY whose last stream is below the request's ([RFC
    /// 9113, section 8.7](https://www.rfc-editor.org/rfc/rfc9113#section-8.7), read with the
    /// feature `http2`).
    #[must_use]
    pub const fn is_unsent(&self) -> bool {
        self.kind.is_unsent()
    }

    /// Whether it is your own part that failed, such as the body that was being sent, and not the
    /// server or the way to it.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        matches!(self.kind, Kind::Own)
    }

    /// Whether it was the connection that failed, so that another may do better: none came about,
    /// or the one there was broke or is being closed. A stream of HTTP/2 that was reset says
    /// nothing about its connection.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        match self.kind {
            Kind::Connect | Kind::Unsent => true,
            Kind::Refused | Kind::Exchange | Kind::Body => http2::of_a_stream(self).is_none(),
            Kind::Request | Kind::Own | Kind::Discarded => false,
        }
    }

    /// Whether the client refuses to send such a request: its URI does not parse or has no host,
    /// its HTTP version is not the connection's, or the `Content-Length` it was given is not its
    /// body's.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.kind, Kind::Request)
    }

    /// Whether the head of the response was there, and reading its body failed.
    #[must_use]
    pub const fn is_body(&self) -> bool {
        matches!(self.kind, Kind::Body)
    }

    /// Whether the rest of the body is missing because the response was to be retried, and its
    /// connection was let go of before the wait.
    #[must_use]
    pub const fn is_discarded(&self) -> bool {
        matches!(self.kind, Kind::Discarded)
    }

    /// Whether something ran into a timeout of its own: a connector's, or the system's. (An attempt
    /// that ran into the policy's has no error at all.)
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        let timed_out = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
        self.hyper().is_some_and(hyper::Error::is_timeout)
            || self.chain().any(|error| error.downcast_ref().is_some_and(timed_out))
    }

    /// Whether the connection, once there was one, ended in the middle: before the whole head, or
    /// before the whole body.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        let ended = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
        let is_cut_off = self.hyper().is_some_and(hyper::Error::is_incomplete_message)
            || self.chain().any(|error| error.downcast_ref().is_some_and(ended));
        is_cut_off && !self.is_connect()
    }

    /// Whether what came back is not HTTP, or not within the connection's limits.
    #[must_use]
    pub fn is_parse(&self) -> bool {
        self.hyper().is_some_and(hyper::Error::is_parse)
    }

    /// hyper's error, if there is one in the chain of sources.
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
    /// What an error of hyper-util's client is.
    pub(crate) fn of_client(error: &legacy::Error) -> Self {
        if error.is_connect() {
            return Self::Connect;
        }
        match error.source() {
            // The client has looked at the request and at nothing else.
            None => Self::Request,
            // What fails with a request in hand tells its connection. A new one that fails, or
            // talks, before it is ready does not.
            Some(_) if error.connect_info().is_none() => Self::Unsent,
            Some(source) => source.downcast_ref().map_or(Self::Exchange, Self::of),
        }
    }

    /// What an error of hyper is.
    pub(crate) fn of(error: &hyper::Error) -> Self {
        // hyper calls a request cancelled exactly when it hands it back: it was still in the queue
        // of its connection.
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
