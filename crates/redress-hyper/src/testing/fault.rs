//! The faults of a fake transport, and the errors of connections that are not made.

use std::error::Error;
use std::{fmt, io};

/// A fault of a request. A [`FakeTransport`](super::FakeTransport) fails with the same error as a
/// real transport.
///
/// | fault | class by [`hyper_classifier`](crate::hyper_classifier) | may the server have acted on it? |
/// |---|---|---|
/// | [`ConnectionRefused`](Self::ConnectionRefused) | `Transient` | no |
/// | [`ConnectTimedOut`](Self::ConnectTimedOut) | `Transient` | no |
/// | [`NameNotResolved`](Self::NameNotResolved) | `Transient` | no |
/// | [`CertificateRefused`](Self::CertificateRefused) | `Permanent` | no |
/// | [`HandshakeCutOff`](Self::HandshakeCutOff) | `Transient` | no |
/// | [`ClosedBeforeRequest`](Self::ClosedBeforeRequest) | `Transient` | no |
/// | [`Reset`](Self::Reset) | `Transient` | yes |
/// | [`TimedOut`](Self::TimedOut) | `Transient` | yes |
/// | [`ClosedBeforeHead`](Self::ClosedBeforeHead) | `Transient` | yes |
/// | [`NotHttp`](Self::NotHttp) | `ServerError` | yes |
/// | `GoAway` (feature `http2`) | `Transient` | no |
/// | `RefusedStream` (feature `http2`) | `Transient` | no |
/// | `StreamReset` (feature `http2`) | `Transient` | yes |
///
/// Two failures have their own methods: [`respond_cut_off`](super::FakeTransport::respond_cut_off)
/// for a body that breaks off, because its head is a response, and
/// [`hang`](super::FakeTransport::hang) for an attempt that runs into the policy's timeout, because
/// it has no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The server does not listen on the port.
    ConnectionRefused,
    /// The server does not respond to the connection attempt, and the system or the connector gives
    /// up.
    ConnectTimedOut,
    /// The host has no address.
    NameNotResolved,
    /// The server's certificate is not accepted.
    CertificateRefused,
    /// The server closes during the TLS handshake.
    HandshakeCutOff,
    /// The connection ends before it takes the request.
    ClosedBeforeRequest,
    /// The server resets the connection after it received the request.
    Reset,
    /// The connection times out after the server received the request, by the system's timeout, not
    /// the policy's.
    TimedOut,
    /// The server closes after it received the request, before the head of a response: hyper's
    /// `IncompleteMessage`.
    ClosedBeforeHead,
    /// The response is not HTTP.
    NotHttp,
    /// The server sends GOAWAY with a last stream below the request's.
    #[cfg(feature = "http2")]
    GoAway,
    /// The server refuses the request's stream.
    #[cfg(feature = "http2")]
    RefusedStream,
    /// The server resets the request's stream with `INTERNAL_ERROR`.
    #[cfg(feature = "http2")]
    StreamReset,
}

impl Fault {
    /// Every fault, in declaration order.
    pub const ALL: &'static [Self] = &[
        Self::ConnectionRefused,
        Self::ConnectTimedOut,
        Self::NameNotResolved,
        Self::CertificateRefused,
        Self::HandshakeCutOff,
        Self::ClosedBeforeRequest,
        Self::Reset,
        Self::TimedOut,
        Self::ClosedBeforeHead,
        Self::NotHttp,
        #[cfg(feature = "http2")]
        Self::GoAway,
        #[cfg(feature = "http2")]
        Self::RefusedStream,
        #[cfg(feature = "http2")]
        Self::StreamReset,
    ];

    /// Returns the error of a connection that is not made, if this fault is one.
    pub(super) fn of_connecting(self) -> Option<io::Error> {
        Some(match self {
            Self::ConnectionRefused => io::ErrorKind::ConnectionRefused.into(),
            Self::ConnectTimedOut => io::ErrorKind::TimedOut.into(),
            // The same text as std's.
            Self::NameNotResolved => {
                io::Error::other("failed to lookup address information: Name or service not known")
            }
            Self::CertificateRefused => io::Error::new(io::ErrorKind::InvalidData, UnknownIssuer),
            // The same text as tokio-rustls'.
            Self::HandshakeCutOff => io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof"),
            _ => return None,
        })
    }
}

/// Prints like rustls's error, which classifiers match by its text.
struct UnknownIssuer;

impl fmt::Debug for UnknownIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvalidCertificate(UnknownIssuer)")
    }
}

impl fmt::Display for UnknownIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid peer certificate: UnknownIssuer")
    }
}

impl Error for UnknownIssuer {}
