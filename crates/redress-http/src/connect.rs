//! Classifies failures to connect, and picks out those that a retry cannot fix: refused
//! certificates, no common protocol, a wrong scheme. TLS errors are recognised by their `Debug` or
//! `Display` output, because applications use different TLS libraries.

use std::error::Error;
use std::fmt::{self, Write};
use std::io;

use redress_core::classify::{source_chain, strict_classifier};
use redress_core::{Classification, ErrorClass};

use crate::evidence::with_details;

/// Classifies an error that occurred while connecting, with its details. The failure is always
/// marked as [not acted on](Classification::is_unsent). The first matching row decides the class:
///
/// | the chain of sources holds | class |
/// |---|---|
/// | an [`AbortRetryError`](redress_core::error::AbortRetryError) | the call ends |
/// | rustls: a certificate that is not accepted, a wrong name, no common version, cipher or application protocol, or a server's alert of that meaning | `Permanent` |
/// | rustls: the alerts `internal_error`, `user_canceled`, `close_notify` | `Transient` |
/// | OpenSSL: `certificate verify failed`, and the alerts of the same meaning | `Permanent` |
/// | tonic: HTTP/2 was not negotiated | `Permanent` |
/// | hyper-util: a URI that its connector does not take, such as `https` without TLS; a host that its proxy protocol cannot express | `Permanent` |
/// | hyper-util: a proxy that wants other credentials | `Auth` |
/// | an `io::Error` of kind `NotFound`: the server has not created its Unix socket yet | `Transient` |
/// | an error that the [strict classifier](strict_classifier) recognises | the class of that error |
/// | anything else, which is a network failure | `Transient` |
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::http::classify_connect;
///
/// let expired = "error:0A000086:SSL routines::certificate verify failed (certificate has expired)";
/// let error: Box<dyn std::error::Error + Send + Sync> = expired.into();
/// assert_eq!(classify_connect(&*error).class(), ErrorClass::Permanent);
/// ```
pub fn classify_connect(error: &(dyn Error + 'static)) -> Classification {
    let certain = strict_classifier().classify_error(error);
    if certain.is_abort() {
        return certain;
    }
    let failure = match classify_handshake(error) {
        Some(class) => class.into(),
        None if is_without_a_socket(error) => ErrorClass::Transient.into(),
        None if certain.class() == ErrorClass::Unknown => ErrorClass::Transient.into(),
        None => certain,
    };
    with_details(error, failure).unsent()
}

fn is_without_a_socket(error: &(dyn Error + 'static)) -> bool {
    let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    source_chain(error).any(|error| error.downcast_ref().is_some_and(is_missing))
}

/// Returns the class of a refusal by TLS or a proxy, or `None` for anything else. Uses the rows of
/// [`classify_connect`] that name a library.
///
/// Also for errors of established connections: with TLS 1.3, the client may have sent its request
/// when the server refuses its certificate ([RFC 8446, section
/// 4.4.2.4](https://www.rfc-editor.org/rfc/rfc8446#section-4.4.2.4)).
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::http::classify_handshake;
///
/// let refused: Box<dyn std::error::Error + Send + Sync> = "tlsv1 alert unknown ca".into();
/// assert_eq!(classify_handshake(&*refused), Some(ErrorClass::Permanent));
/// assert_eq!(classify_handshake(&std::fmt::Error), None);
/// ```
#[must_use]
pub fn classify_handshake(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
    source_chain(error).find_map(|error| {
        let name = beginning(format_args!("{error:?}"));
        of_rustls(&name).or_else(|| of_proxy(error, &name)).or_else(|| of_text(error, &name))
    })
}

/// Matches the beginning of rustls's `Debug` output; its variants are public API.
fn of_rustls(name: &str) -> Option<ErrorClass> {
    const REFUSALS: [&str; 6] = [
        "InvalidCertificate(",
        "NoCertificatesPresented",
        "UnsupportedNameType",
        "NoApplicationProtocol",
        "PeerIncompatible(",
        "InvalidCertRevocationList(",
    ];
    if let Some(alert) = name.strip_prefix("AlertReceived(") {
        return Some(of_alert(alert));
    }
    REFUSALS.iter().any(|refusal| name.starts_with(refusal)).then_some(ErrorClass::Permanent)
}

fn of_alert(alert: &str) -> ErrorClass {
    let passes = ["InternalError", "UserCanceled", "CloseNotify"].iter().any(|passing| alert.starts_with(passing));
    if passes { ErrorClass::Transient } else { ErrorClass::Permanent }
}

/// Matches the errors of hyper-util's proxy connectors.
fn of_proxy(error: &(dyn Error + 'static), name: &str) -> Option<ErrorClass> {
    let tunnel = beginning(format_args!("{error}"));
    if tunnel == "tunnel error: proxy authorization required" || name.starts_with("V5(Auth(") {
        return Some(ErrorClass::Auth);
    }
    let is_of_host = tunnel == "tunnel error: missing destination host";
    let is_of_socks = ["V5(HostTooLong", "V4(IpV6"].iter().any(|refusal| name.starts_with(refusal));
    (is_of_host || is_of_socks).then_some(ErrorClass::Permanent)
}

fn of_text(error: &(dyn Error + 'static), name: &str) -> Option<ErrorClass> {
    const REFUSALS: [&str; 8] = [
        "certificate verify failed",
        "self-signed certificate",
        "self signed certificate",
        "hostname mismatch",
        "alert unknown ca",
        "alert bad certificate",
        "alert no application protocol",
        "alert protocol version",
    ];
    let is_of_tonic = name == "H2NotNegotiated";
    let text = beginning(format_args!("{error}"));
    // h2 keeps only the kind and the text of an `io::Error`.
    if let Some(alert) = text.strip_prefix("received fatal alert: ") {
        return Some(of_alert(alert));
    }
    let is_refused = is_of_tonic
        || text.starts_with("invalid URL, ")
        || text.starts_with("unsupported scheme ")
        || REFUSALS.iter().any(|refusal| text.contains(refusal));
    is_refused.then_some(ErrorClass::Permanent)
}

/// Prints `text` up to the length that the matches above need.
fn beginning(text: fmt::Arguments<'_>) -> String {
    const ENOUGH: usize = 256;
    struct Bounded(String);
    impl Write for Bounded {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.push_str(text.get(..ENOUGH).unwrap_or(text));
            if self.0.len() < ENOUGH { Ok(()) } else { Err(fmt::Error) }
        }
    }
    let mut bounded = Bounded(String::new());
    // An error means that the buffer is full.
    let _ = bounded.write_fmt(text);
    bounded.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error that prints like one of rustls's, as tokio-rustls wraps it.
    struct Rustls(&'static str);

    impl fmt::Debug for Rustls {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl fmt::Display for Rustls {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a failure of TLS")
        }
    }

    impl Error for Rustls {}

    #[test]
    fn refusals_of_rustls_are_permanent_wherever_they_are() {
        let rows = [
            ("InvalidCertificate(UnknownIssuer)", Some(ErrorClass::Permanent)),
            ("InvalidCertificate(NotValidForNameContext { expected: DnsName(\"h\") })", Some(ErrorClass::Permanent)),
            ("NoApplicationProtocol", Some(ErrorClass::Permanent)),
            ("PeerIncompatible(NoCipherSuitesInCommon)", Some(ErrorClass::Permanent)),
            ("AlertReceived(HandshakeFailure)", Some(ErrorClass::Permanent)),
            ("AlertReceived(ProtocolVersion)", Some(ErrorClass::Permanent)),
            ("AlertReceived(InternalError)", Some(ErrorClass::Transient)),
            ("General(\"?\")", None),
        ];
        for (name, class) in rows {
            assert_eq!(classify_handshake(&Rustls(name)), class, "{name}");
            let handed_on = io::Error::new(io::ErrorKind::InvalidData, Rustls(name));
            assert_eq!(classify_handshake(&handed_on), class, "{name}");
        }
    }

    #[test]
    fn refusals_without_a_type_are_known_by_their_text() {
        let rows = [
            ("error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed", true),
            ("error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca", true),
            ("invalid URL, scheme is not http", true),
            ("unsupported scheme https", true),
            ("tcp connect error", false),
            ("connection reset by peer", false),
        ];
        for (text, refused) in rows {
            let error: Box<dyn Error + Send + Sync> = text.into();
            assert_eq!(classify_handshake(&*error), refused.then_some(ErrorClass::Permanent), "{text}");
        }
    }

    #[test]
    fn an_alert_is_known_by_its_text_too() {
        let rows = [("CertificateRequired", ErrorClass::Permanent), ("InternalError", ErrorClass::Transient)];
        for (alert, class) in rows {
            let error = io::Error::new(io::ErrorKind::InvalidData, format!("received fatal alert: {alert}"));
            assert_eq!(classify_handshake(&error), Some(class));
        }
    }

    #[test]
    fn a_proxy_that_wants_other_credentials_wants_them_the_next_time_too() {
        let rows = [
            ("tunnel error: proxy authorization required", Some(ErrorClass::Auth)),
            ("tunnel error: missing destination host", Some(ErrorClass::Permanent)),
            ("tunnel error: unsuccessful", None),
        ];
        for (text, class) in rows {
            let error: Box<dyn Error + Send + Sync> = text.into();
            assert_eq!(classify_handshake(&*error), class, "{text}");
        }
        assert_eq!(classify_handshake(&Rustls("V5(Auth(Failed))")), Some(ErrorClass::Auth));
        assert_eq!(classify_handshake(&Rustls("V4(IpV6)")), Some(ErrorClass::Permanent));
        assert_eq!(classify_handshake(&Rustls("V5(Command(HostUnreachable))")), None);
    }

    #[test]
    fn a_text_without_end_is_read_as_far_as_is_needed() {
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("ä")?;
                }
            }
        }
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self, f)
            }
        }
        impl Error for Endless {}
        assert_eq!(classify_handshake(&Endless), None);
    }

    /// An error with this text, written piece by piece.
    #[derive(Debug)]
    struct Pieces(Vec<String>);

    impl fmt::Display for Pieces {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.iter().try_for_each(|piece| f.write_str(piece))
        }
    }

    impl Error for Pieces {}

    #[test]
    fn a_text_counts_however_it_is_written_up_to_its_bound() {
        let class = |first: String| classify_handshake(&Pieces(vec![first, "alert unknown ca".to_owned()]));
        for (length, class_of_text) in [(0, true), (1, true), (255, true), (256, false), (257, false)] {
            let expected = class_of_text.then_some(ErrorClass::Permanent);
            assert_eq!(class("?".repeat(length)), expected, "{length}");
        }
    }

    #[test]
    fn what_a_connection_failed_of_decides_and_nothing_was_sent() {
        let of_kind = |kind| io::Error::from(kind);
        let rows: [(io::Error, ErrorClass); 7] = [
            (of_kind(io::ErrorKind::ConnectionRefused), ErrorClass::Transient),
            (of_kind(io::ErrorKind::NotFound), ErrorClass::Transient),
            (of_kind(io::ErrorKind::PermissionDenied), ErrorClass::Permission),
            (of_kind(io::ErrorKind::InvalidData), ErrorClass::Permanent),
            (io::Error::other("?"), ErrorClass::Transient),
            (io::Error::new(io::ErrorKind::InvalidData, Rustls("AlertReceived(InternalError)")), ErrorClass::Transient),
            (io::Error::other(Rustls("InvalidCertificate(Expired)")), ErrorClass::Permanent),
        ];
        for (error, class) in rows {
            let failure = classify_connect(&error);
            assert_eq!((failure.class(), failure.is_unsent()), (class, true), "{error:?}");
        }
        assert!(classify_connect(&redress_core::error::AbortRetryError::new("stop")).is_abort());
    }
}
