//! Errors of HTTP clients and of layers between them and a policy, whose types this crate does not
//! name: hyper, h2, hyper-util's client, reqwest, tower.
//!
//! Owns what they print and what that means. What is certain by type, such as a status or an
//! `io::Error`, comes before.

use std::error::Error;

use redress_core::classify::{default_classifier, source_chain, strict_classifier};
use redress_core::{Classification, ErrorClass};

use crate::connect::{classify_connect, classify_handshake};
use crate::evidence::{begins_with, is_of_the_caller, of_status, own_failure, with_evidence};

/// The label of an error code of HTTP/2.
pub(crate) const HTTP2: &str = "http2";

/// What an error of an HTTP client means, with its [evidence](with_evidence). The first row that
/// holds counts:
///
/// | the chain of sources holds | class |
/// |---|---|
/// | hyper's word that the caller's own part failed, such as the source of an upload | that of [`own_failure`] |
/// | hyper-util's or reqwest's word that no connection came about | that of [`classify_connect`] |
/// | a refusal of TLS or of a proxy | that of [`classify_handshake`] |
/// | what the [strict classifier](strict_classifier) is certain about: a marker, a status, an `io::Error` | that |
/// | reqwest: a response that was made an error by its status | that of its status |
/// | h2: a code of HTTP/2 | that of [`class_of_http2`] |
/// | hyper: what came back is not HTTP | `ServerError` |
/// | hyper: anything else, such as a connection that was closed in the middle | `Transient` |
/// | hyper-util, reqwest: a request that the client does not send, redirects without an end | `Permanent` |
/// | tower: a request that `LoadShed` turned away, which is certainly [not acted on](Classification::is_unsent) | `RateLimit` |
/// | tower: the time of a `Timeout` has passed | `Transient`, with the cause of a timeout |
/// | anything else | what the [default classifier](default_classifier) guesses |
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
    let failure = match certain.class() {
        ErrorClass::Unknown => by_print(error).unwrap_or_else(|| default_classifier().classify_error(error)),
        _ => certain,
    };
    with_evidence(error, failure)
}

/// How hyper-util's client prints that no connection came about.
pub(crate) const CONNECT: &str = "hyper_util::client::legacy::Error(Connect";

fn is_of_a_connector(error: &(dyn Error + 'static)) -> bool {
    source_chain(error).any(|error| prints(error, CONNECT))
}

pub(crate) fn prints(error: &(dyn Error + 'static), beginning: &str) -> bool {
    begins_with(&format_args!("{error:?}"), beginning)
}

type Row = fn(&(dyn Error + 'static)) -> Option<Classification>;

/// What decides comes first, wherever in the chain it is.
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

/// An error of h2 that carries a code: its code, and which side it is of.
pub(crate) struct Http2 {
    pub(crate) code: String,
    pub(crate) is_go_away: bool,
    pub(crate) is_remote: bool,
    is_of_the_caller: bool,
}

impl Http2 {
    /// Reads what h2 prints: `Error { kind: Reset(StreamId(1), CANCEL, Remote) }`,
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

    /// Whether the server says that it did not act on the request.
    pub(crate) fn is_unsent(&self) -> bool {
        self.is_remote && (self.is_go_away || self.code == "REFUSED_STREAM")
    }
}

fn of_http2(error: &(dyn Error + 'static)) -> Option<Classification> {
    let error = Http2::read(error)?;
    // A stream that was reset on this side, because what was to be sent failed.
    let class = if error.is_of_the_caller { ErrorClass::Unknown } else { class_of_http2(&error.code) };
    Some(Classification::new(class).with_detail(HTTP2, error.code))
}

/// The class of an error code of HTTP/2 by its name in [RFC 9113, section
/// 7](https://www.rfc-editor.org/rfc/rfc9113#section-7).
///
/// | code | class |
/// |---|---|
/// | `HTTP_1_1_REQUIRED`: the same over this protocol is refused again | `Permanent` |
/// | `INADEQUATE_SECURITY` | `Permission` |
/// | `ENHANCE_YOUR_CALM` | `RateLimit` |
/// | every other | `Transient` |
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
    // hyper-util's client stands before hyper in the chain, which says more.
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

/// Whether this is the error of tower's `LoadShed`, which turned a request away before it left.
///
/// Both of its texts are compared, since a type of yours may have the same name.
#[must_use]
pub fn is_shed(error: &(dyn Error + 'static)) -> bool {
    prints(error, "Overloaded") && begins_with(&format_args!("{error}"), "service overloaded")
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::io;

    use super::*;

    /// An error that prints so, with another behind it.
    struct Printed(&'static str, &'static str, Option<Box<Self>>);

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
            self.2.as_ref().map(|source| &**source as _)
        }
    }

    /// As hyper-util's client hands it on.
    fn of_client(printed: &'static str) -> Printed {
        let source = Printed(printed, "", None);
        Printed(
            "hyper_util::client::legacy::Error(SendRequest, ...)",
            "client error (SendRequest)",
            Some(source.into()),
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

    #[test]
    fn a_layer_that_gave_up_waiting_is_a_timeout() {
        let failure = classify_client(&Printed("Elapsed(())", "request timed out", None));
        assert_eq!((failure.class(), failure.is_timeout()), (ErrorClass::Transient, true));
        assert!(!classify_client(&io::Error::from(io::ErrorKind::ConnectionReset)).is_timeout());
    }
}
