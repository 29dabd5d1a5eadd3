//! Classifies the errors of HTTP clients, and of tower layers around them, by their `Debug` or
//! `Display` output, because this crate does not depend on their types: hyper, h2, hyper-util's
//! client, reqwest, tower.

use std::error::Error;
use std::io;

use redress_core::classify::{default_classifier, source_chain, strict_classifier};
use redress_core::{Classification, ErrorClass};

use crate::connect::{classify_connect, classify_handshake};
use crate::evidence::{begins_with, is_of_the_caller, of_status, own_failure, with_evidence};

/// The detail of an HTTP/2 error code.
pub(crate) const HTTP2: &str = "http2";

/// Classifies an error of an HTTP client, with its [evidence](with_evidence). The first matching
/// row counts:
///
/// | the chain of sources holds | class |
/// |---|---|
/// | hyper: the caller's own input failed, such as the request body | see [`own_failure`] |
/// | hyper-util, reqwest: no connection was made | see [`classify_connect`] |
/// | a refusal by TLS or a proxy | see [`classify_handshake`] |
/// | hyper: the body of the response is not framed as HTTP, such as a chunk without a size | `ServerError` |
/// | an error that the [strict classifier](strict_classifier) recognises: a marker, a status, an `io::Error` | the class of that error |
/// | reqwest: a response turned into an error by its status | the class of the status |
/// | h2: an HTTP/2 error code | see [`class_of_http2`] |
/// | hyper: the response is not HTTP | `ServerError` |
/// | hyper: anything else, such as a connection that closed in the middle | `Transient` |
/// | hyper-util, reqwest: a request that the client refuses to send, endless redirects | `Permanent` |
/// | tower: a request that `LoadShed` refused, which is certainly [not acted on](Classification::is_unsent) | `RateLimit` |
/// | tower: an expired `Timeout` | `Transient`, with the timeout as its cause |
/// | anything else | the guess of the [default classifier](default_classifier) |
///
/// ```
/// use redress::ErrorClass;
/// use redress::integration::http::classify_client;
///
/// let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
/// assert_eq!(classify_client(&reset).class(), ErrorClass::Transient);
/// ```
pub fn classify_client(error: &(dyn Error + 'static)) -> Classification {
    let certain = strict_classifier().classify_error(error);
    if certain.is_abort() {
        return certain;
    }
    if is_of_the_caller(error) {
        return with_evidence(error, own_failure(certain));
    }
    if is_of_a_connector(error) {
        return classify_connect(error);
    }
    if let Some(class) = classify_handshake(error) {
        return with_evidence(error, class.into());
    }
    if source_chain(error).any(is_of_framing) {
        return with_evidence(error, ErrorClass::ServerError.into());
    }
    let failure = match certain.class() {
        ErrorClass::Unknown => by_print(error).unwrap_or_else(|| default_classifier().classify_error(error)),
        _ => certain,
    };
    with_evidence(error, failure)
}

/// The `Debug` output of hyper-util's client for a connection that was not made.
pub(crate) const CONNECT: &str = "hyper_util::client::legacy::Error(Connect";

fn is_of_a_connector(error: &(dyn Error + 'static)) -> bool {
    source_chain(error).any(|error| prints(error, CONNECT))
}

/// Whether the body of a response breaks the rules of HTTP. hyper reports it as an `io::Error` of
/// its own, whose kind would otherwise blame the caller.
fn is_of_framing(error: &(dyn Error + 'static)) -> bool {
    let kind = error.source().and_then(<dyn Error>::downcast_ref).map(io::Error::kind);
    let is_invalid = matches!(kind, Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData));
    is_invalid && prints(error, "hyper::Error(Body, ")
}

pub(crate) fn prints(error: &(dyn Error + 'static), beginning: &str) -> bool {
    begins_with(&format_args!("{error:?}"), beginning)
}

type Row = fn(&(dyn Error + 'static)) -> Option<Classification>;

/// In order of precedence; the position in the chain does not matter.
const ROWS: [Row; 4] = [of_reqwest, of_http2, of_hyper, of_tower];

fn by_print(error: &(dyn Error + 'static)) -> Option<Classification> {
    ROWS.iter().find_map(|row| source_chain(error).find_map(row))
}

fn of_reqwest(error: &(dyn Error + 'static)) -> Option<Classification> {
    if ["reqwest::Error { kind: Builder", "reqwest::Error { kind: Redirect"].iter().any(|kind| prints(error, kind)) {
        return Some(ErrorClass::Permanent.into());
    }
    const OF_A_STATUS: &str = "reqwest::Error { kind: Status(";
    if !prints(error, OF_A_STATUS) {
        return None;
    }
    let printed = format!("{error:?}");
    let status = printed[OF_A_STATUS.len()..].split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()?;
    let class = ErrorClass::from_status(status)?;
    Some(of_status(status, class.into()))
}

/// An h2 error with a code, and which side raised it.
pub(crate) struct Http2 {
    pub(crate) code: String,
    pub(crate) is_go_away: bool,
    pub(crate) is_remote: bool,
    is_of_the_caller: bool,
}

impl Http2 {
    /// Parses the `Debug` output of h2: `Error { kind: Reset(StreamId(1), CANCEL, Remote) }`,
    /// `Error { kind: GoAway(b"", NO_ERROR, Remote) }`.
    pub(crate) fn read(error: &(dyn Error + 'static)) -> Option<Self> {
        let is_go_away = prints(error, "Error { kind: GoAway(");
        if !is_go_away && !prints(error, "Error { kind: Reset(StreamId(") {
            return None;
        }
        let printed = format!("{error:?}");
        let mut parts = printed.strip_suffix(") }")?.rsplitn(3, ", ");
        let (side, code) = (parts.next()?, parts.next()?);
        let (is_remote, is_of_the_caller) = (side == "Remote", side == "User");
        Some(Self { code: code.to_owned(), is_go_away, is_remote, is_of_the_caller })
    }

    /// Whether the server said that it did not act on the request.
    pub(crate) fn is_unsent(&self) -> bool {
        self.is_remote && (self.is_go_away || self.code == "REFUSED_STREAM")
    }
}

fn of_http2(error: &(dyn Error + 'static)) -> Option<Classification> {
    let error = Http2::read(error)?;
    // The client reset the stream, because the request's body failed.
    let class = if error.is_of_the_caller { ErrorClass::Unknown } else { class_of_http2(&error.code) };
    Some(Classification::new(class).with_detail(HTTP2, error.code))
}

/// Returns the class of an HTTP/2 error code by its name in [RFC 9113, section
/// 7](https://www.rfc-editor.org/rfc/rfc9113#section-7).
///
/// | code | class |
/// |---|---|
/// | `HTTP_1_1_REQUIRED`: a retry over HTTP/2 would be refused again | `Permanent` |
/// | `INADEQUATE_SECURITY` | `Permission` |
/// | `ENHANCE_YOUR_CALM` | `RateLimit` |
/// | any other | `Transient` |
#[must_use]
pub fn class_of_http2(code: &str) -> ErrorClass {
    match code {
        "HTTP_1_1_REQUIRED" => ErrorClass::Permanent,
        "INADEQUATE_SECURITY" => ErrorClass::Permission,
        "ENHANCE_YOUR_CALM" => ErrorClass::RateLimit,
        _ => ErrorClass::Transient,
    }
}

fn of_hyper(error: &(dyn Error + 'static)) -> Option<Classification> {
    const ROWS: [(&str, ErrorClass); 4] = [
        ("hyper::Error(Parse(", ErrorClass::ServerError),
        ("hyper::Error(", ErrorClass::Transient),
        ("hyper_util::client::legacy::Error(User", ErrorClass::Permanent),
        ("hyper_util::client::legacy::Error(", ErrorClass::Transient),
    ];
    // The error of hyper-util's client wraps hyper's, which is more specific.
    let is_of_client = |beginning: &str| beginning.starts_with("hyper_util") && error.source().is_some();
    let mut rows = ROWS.iter().filter(|(beginning, _)| !is_of_client(beginning));
    rows.find(|(beginning, _)| prints(error, beginning)).map(|(_, class)| (*class).into())
}

fn of_tower(error: &(dyn Error + 'static)) -> Option<Classification> {
    if is_shed(error) {
        return Some(Classification::new(ErrorClass::RateLimit).unsent());
    }
    let is_over = prints(error, "Elapsed(())") && begins_with(&format_args!("{error}"), "request timed out");
    is_over.then(|| Classification::new(ErrorClass::Transient).timed_out())
}

/// Returns whether this is the error of tower's `LoadShed`, which refused a request before it was
/// sent.
///
/// Compares both `Debug` and `Display`, because another type may have the same name.
#[must_use]
pub fn is_shed(error: &(dyn Error + 'static)) -> bool {
    prints(error, "Overloaded") && begins_with(&format_args!("{error}"), "service overloaded")
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::io;

    use super::*;

    /// An error with this `Debug` and `Display` output and source.
    struct Printed(&'static str, &'static str, Option<Box<dyn Error>>);

    impl fmt::Debug for Printed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl fmt::Display for Printed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.1)
        }
    }

    impl Error for Printed {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.2.as_deref()
        }
    }

    /// The error as hyper-util's client wraps it.
    fn of_client(printed: &'static str) -> Printed {
        let source = Printed(printed, "", None);
        Printed(
            "hyper_util::client::legacy::Error(SendRequest, ...)",
            "client error (SendRequest)",
            Some(Box::new(source)),
        )
    }

    #[test]
    fn errors_of_clients_are_known_by_what_they_print() {
        use ErrorClass::{Permanent, Permission, RateLimit, ServerError, Transient, Unknown};
        let rows = [
            (of_client("hyper::Error(IncompleteMessage)"), Transient, false),
            (of_client("hyper::Error(Parse(Version))"), ServerError, false),
            (of_client("hyper::Error(Canceled, \"connection closed\")"), Transient, true),
            (of_client("hyper::Error(User(Body), \"?\")"), Unknown, false),
            (of_client("Error { kind: Reset(StreamId(1), HTTP_1_1_REQUIRED, Remote) }"), Permanent, false),
            (of_client("Error { kind: Reset(StreamId(1), INADEQUATE_SECURITY, Remote) }"), Permission, false),
            (of_client("Error { kind: Reset(StreamId(1), REFUSED_STREAM, Remote) }"), Transient, true),
            (of_client("Error { kind: Reset(StreamId(1), REFUSED_STREAM, Library) }"), Transient, false),
            (of_client("Error { kind: Reset(StreamId(1), INTERNAL_ERROR, User) }"), Unknown, false),
            (of_client("Error { kind: GoAway(b\"\", ENHANCE_YOUR_CALM, Remote) }"), RateLimit, true),
            (Printed("hyper_util::client::legacy::Error(UserUnsupportedVersion)", "", None), Permanent, false),
            (Printed("hyper_util::client::legacy::Error(Connect, \"?\")", "", None), Transient, true),
            // A Unix socket that does not exist yet.
            (
                Printed(
                    "hyper_util::client::legacy::Error(Connect, \"?\")",
                    "",
                    Some(Box::new(io::Error::from(io::ErrorKind::NotFound))),
                ),
                Transient,
                true,
            ),
            (Printed("reqwest::Error { kind: Builder, url: \"::\" }", "", None), Permanent, false),
            (Printed("reqwest::Error { kind: Status(503, None), url: \"\" }", "", None), ServerError, false),
            (Printed("reqwest::Error { kind: Status(421, None), url: \"\" }", "", None), Transient, true),
            (Printed("reqwest::Error { kind: Request, url: \"\" }", "", None), Unknown, false),
            (Printed("Overloaded", "service overloaded", None), RateLimit, true),
            (Printed("Overloaded", "the server is overloaded", None), Unknown, false),
        ];
        for (error, class, is_unsent) in rows {
            let failure = classify_client(&error);
            assert_eq!((failure.class(), failure.is_unsent()), (class, is_unsent), "{error:?} {:?}", error.2);
        }
    }

    #[test]
    fn labels_are_taken_from_what_is_printed() {
        let refused = classify_client(&of_client("Error { kind: Reset(StreamId(1), REFUSED_STREAM, Remote) }"));
        assert_eq!(refused.detail("http2"), Some("REFUSED_STREAM"));
        let status = classify_client(&Printed("reqwest::Error { kind: Status(404, None) }", "", None));
        assert_eq!((status.class(), status.detail("status")), (ErrorClass::Permanent, Some("404")));
    }

    /// hyper's error of a body.
    struct OfBody(io::Error);

    impl fmt::Debug for OfBody {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "hyper::Error(Body, {:?})", self.0)
        }
    }

    impl fmt::Display for OfBody {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("error reading a body from connection")
        }
    }

    impl Error for OfBody {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_body_that_is_not_framed_as_http_blames_the_server() {
        use io::ErrorKind as Kind;
        let rows = [
            (Kind::InvalidInput, ErrorClass::ServerError),
            (Kind::InvalidData, ErrorClass::ServerError),
            (Kind::UnexpectedEof, ErrorClass::Transient),
        ];
        for (kind, class) in rows {
            let failure = classify_client(&OfBody(kind.into()));
            assert_eq!((failure.class(), failure.detail("io")), (class, Some(&*format!("{kind:?}"))));
            assert!(!failure.is_unsent());
        }
        let of_a_file = classify_client(&io::Error::from(Kind::InvalidInput));
        assert_eq!(of_a_file.class(), ErrorClass::Permanent);
    }

    #[test]
    fn a_layer_that_gave_up_waiting_is_a_timeout() {
        let failure = classify_client(&Printed("Elapsed(())", "request timed out", None));
        assert_eq!((failure.class(), failure.is_timeout()), (ErrorClass::Transient, true));
        // Types of the same name or text.
        assert!(!classify_client(&Printed("Elapsed(())", "", None)).is_timeout());
        assert!(!classify_client(&Printed("", "request timed out", None)).is_timeout());
        assert!(!classify_client(&io::Error::from(io::ErrorKind::ConnectionReset)).is_timeout());
    }
}
