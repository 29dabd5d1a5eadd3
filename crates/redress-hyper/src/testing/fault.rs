//! The ways in which a request fails, as a fake transport makes them.
//!
//! Owns which there are, and the errors of connections that do not come about.

use std::error::Error;
use std::{fmt, io};

/// A way in which a request fails. A [`FakeTransport`](super::FakeTransport) makes the error that a
/// real one gives.
///
/// | fault | the [`hyper_classifier`](crate::hyper_classifier) says | may it have been acted on? |
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
/// Two failures are none of these: a body that breaks off is
/// [`respond_cut_off`](super::FakeTransport::respond_cut_off), since its head is a response, and an
/// attempt that runs into the policy's timeout is [`hang`](super::FakeTransport::hang), since it
/// has no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The server listens on no such port.
    ConnectionRefused,
    /// The server does not answer the connection attempt, and the system or the connector gives up.
    ConnectTimedOut,
    /// The host has no address.
    NameNotResolved,
    /// The server's certificate is not accepted.
    CertificateRefused,
    /// The server closes in the handshake of TLS.
    HandshakeCutOff,
    /// The connection ends before it takes the request.
    ClosedBeforeRequest,
    /// The server resets the connection when it has the request.
    Reset,
    /// The connection times out when the server has the request: the system's timeout, not the
    /// policy's.
    TimedOut,
    /// The server closes when it has the request, before the head of a response: hyper's
    /// `IncompleteMessage`.
    ClosedBeforeHead,
    /// What comes back is not HTTP.
    NotHttp,
    /// The server goes away, and names a last stream below the request's.
    #[cfg(feature = "http2")]
    GoAway,
    /// The server refuses the request's stream.
    #[cfg(feature = "http2")]
    RefusedStream,
    /// The server gives the request's stream up, by `INTERNAL_ERROR`.
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

    /// The error of a connection that does not come about, if this is one.
    pub(super) fn of_connecting(self) -> Option<io::Error> {
        Some(match self {
            Self::ConnectionRefused => io::ErrorKind::ConnectionRefused.into(),
            Self::ConnectTimedOut => io::ErrorKind::TimedOut.into(),
            // As std has it.
            Self::NameNotResolved => {
                io::Error::other("failed to lookup address information: Name or service not known")
            }
            Self::CertificateRefused => io::Error::new(io::ErrorKind::InvalidData, UnknownIssuer),
            // As tokio-rustls has it.
            Self::HandshakeCutOff => io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof"),
            _ => return None,
        })
    }
}

/// Prints as rustls's error does, by which it is known.
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
