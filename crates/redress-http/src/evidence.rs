//! Details of failures for events, and the list of failures whose request was certainly not acted
//! on. HTTP/2's codes are in `http2.rs`.

use std::error::Error;
use std::fmt::{self, Write};
use std::io;

use http::StatusCode;
use redress_core::classify::source_chain;
use redress_core::error::StatusError;
use redress_core::{Classification, ErrorClass};

use crate::client::{CONNECT, HTTP2, Http2, prints};

/// The detail of a status.
pub(crate) const STATUS: &str = "status";

/// The detail of the kind of an `std::io::Error`.
const IO: &str = "io";

/// The beginning of std's message for a name that does not resolve; std has no error kind for it.
const LOOKUP_FAILED: &str = "failed to lookup address information";

/// Adds an error's details to its classification, and marks it as unsent if the request was
/// certainly not acted on.
///
/// | the chain of sources holds | detail | not acted on |
/// |---|---|---|
/// | a [`StatusError`] | `status`, as in `503` | for 421 and 425 |
/// | else an error of hyper or h2, by its `Debug` output: a connection that was not made or that ended before it took the request, `REFUSED_STREAM`, a GOAWAY from the server | | yes |
/// | else an `std::io::Error` with a kind | `io`, as in `ConnectionRefused` | where a TCP connection cannot be made: refused, no local address or port left, a name that does not resolve |
///
/// If the chain says that the caller's own input failed, such as the request body, nothing is
/// marked.
///
/// Only for errors of a single exchange: an error that covers several, such as that of a client
/// that follows redirects, may describe only the last one.
///
/// ```
/// use std::io;
/// use redress::{Classification, ErrorClass};
/// use redress::integration::http::with_evidence;
///
/// let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
/// let failure = with_evidence(&refused, ErrorClass::Transient.into());
/// assert!(failure.is_unsent());
/// assert_eq!(failure.detail("io"), Some("ConnectionRefused"));
/// ```
pub fn with_evidence(error: &(dyn Error + 'static), failure: Classification) -> Classification {
    let failure = with_details(error, failure);
    let is_not_acted_on = match status_of(error) {
        Some(status) => is_not_acted_on(status),
        None if is_of_the_caller(error) => false,
        None => io_of(error).is_some_and(is_of_connecting) || source_chain(error).any(prints_that_nothing_was_done),
    };
    if is_not_acted_on && !failure.is_abort() { failure.unsent() } else { failure }
}

/// Adds only the details of [`with_evidence`], for integrations that know by other means whether
/// the request was acted on.
pub fn with_details(error: &(dyn Error + 'static), failure: Classification) -> Classification {
    if failure.is_abort() {
        return failure;
    }
    if let Some(status) = status_of(error) {
        return failure.with_detail(STATUS, status.to_string());
    }
    match io_of(error) {
        None => failure,
        Some(error) => failure.with_detail(IO, io_label(error)),
    }
}

/// Reclassifies a failure of the caller's own input, such as the request body. It says nothing
/// about the server, so a class that would count against the server becomes `Unknown`. A class that
/// is never retried is kept, and so are hints.
///
/// ```
/// use redress::{Classification, ErrorClass};
/// use redress::integration::http::own_failure;
///
/// assert_eq!(own_failure(ErrorClass::Transient.into()).class(), ErrorClass::Unknown);
/// assert_eq!(own_failure(ErrorClass::Permission.into()).class(), ErrorClass::Permission);
/// ```
pub fn own_failure(failure: Classification) -> Classification {
    if !failure.class().is_retryable() {
        return failure;
    }
    Classification::new(ErrorClass::Unknown).with_retry_after(failure.retry_after())
}

/// Whether hyper says that the caller's own input failed. Matches its `Debug` output, because this
/// crate does not depend on hyper.
pub(crate) fn is_of_the_caller(error: &(dyn Error + 'static)) -> bool {
    source_chain(error).any(|error| prints(error, "hyper::Error(User("))
}

/// Whether an error prints that its request was certainly not acted on. redress-hyper and
/// `classify_http2` determine this by type.
fn prints_that_nothing_was_done(error: &(dyn Error + 'static)) -> bool {
    const UNSENT: [&str; 3] = [CONNECT, "hyper::Error(Canceled", "hyper::Error(UnexpectedMessage"];
    UNSENT.iter().any(|expected| prints(error, expected)) || Http2::read(error).is_some_and(|error| error.is_unsent())
}

fn status_of(error: &(dyn Error + 'static)) -> Option<u16> {
    source_chain(error).find_map(|error| error.downcast_ref()).map(StatusError::status)
}

fn io_of<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e io::Error> {
    let mut errors = source_chain(error).filter_map(|error| error.downcast_ref::<io::Error>());
    // A lookup error that a resolver wraps has the kind `Other`.
    errors.find(|error| error.kind() != io::ErrorKind::Other || is_name_lookup(error))
}

/// Adds the evidence of a response or an error with this status.
pub(crate) fn of_status(status: u16, failure: Classification) -> Classification {
    let failure = if is_not_acted_on(status) { failure.unsent() } else { failure };
    failure.with_detail(STATUS, status.to_string())
}

/// 421: the server does not serve this host over this connection ([RFC 9110, section
/// 15.5.20](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.20): the client may repeat the
/// request "whether or not the request method is idempotent"). 425: it is not willing to act before
/// TLS is set up ([RFC 8470, section 5.2](https://www.rfc-editor.org/rfc/rfc8470#section-5.2)).
pub(crate) const fn is_not_acted_on(status: u16) -> bool {
    matches!(status, 421 | 425)
}

/// Returns whether this status blames the connection and asks for another: a 421, or a 408, which a
/// server sends before it closes the connection ([RFC 9110, section
/// 15.5.9](https://www.rfc-editor.org/rfc/rfc9110#section-15.5.9): the client may repeat the
/// request "on a new connection").
#[must_use]
pub fn blames_connection(status: StatusCode) -> bool {
    matches!(status, StatusCode::MISDIRECTED_REQUEST | StatusCode::REQUEST_TIMEOUT)
}

/// Returns whether a failure without a response blames the connection, judged by its
/// classification: no connection was made, or it broke or is going away. A refused HTTP/2 stream
/// does not blame its connection, nor does a failure of the caller's own input.
///
/// ```
/// use std::io;
/// use redress::integration::http::{classify_client, is_of_connection};
///
/// let reset = io::Error::from(io::ErrorKind::ConnectionReset);
/// assert!(is_of_connection(&classify_client(&reset)));
/// ```
#[must_use]
pub fn is_of_connection(failure: &Classification) -> bool {
    if failure.class() == ErrorClass::Unknown || failure.detail(STATUS).is_some() {
        return false;
    }
    let is_of_connection = match failure.detail(HTTP2) {
        Some(code) => code != "REFUSED_STREAM",
        // A request refused by a client-side limit never reached a connection.
        None => failure.class() != ErrorClass::RateLimit,
    };
    failure.detail(IO).is_some() || (failure.is_unsent() && is_of_connection)
}

/// Whether this error occurs only while making a TCP connection, not while using one.
fn is_of_connecting(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ConnectionRefused | Kind::AddrNotAvailable | Kind::AddrInUse) || is_name_lookup(error)
}

fn is_name_lookup(error: &io::Error) -> bool {
    begins_with(error, LOOKUP_FAILED)
}

/// The kind's name, which is the same on all systems. std has no stable kind for a failed name
/// lookup.
fn io_label(error: &io::Error) -> String {
    if is_name_lookup(error) { "NameLookup".to_owned() } else { format!("{:?}", error.kind()) }
}

/// Whether the output of `text` begins with `expected`. Prints no more than needed.
pub(crate) fn begins_with(text: &impl fmt::Display, expected: &str) -> bool {
    struct Rest<'e>(Option<&'e str>);
    impl Write for Rest<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let Some(expected) = self.0 else { return Err(fmt::Error) };
            let common = expected.len().min(text.len());
            // Compares bytes, because the cut may fall inside a character.
            let is_alike = expected.as_bytes()[..common] == text.as_bytes()[..common];
            self.0 = if is_alike { expected.get(common..) } else { None };
            if is_alike && self.0.is_some_and(|rest| !rest.is_empty()) { Ok(()) } else { Err(fmt::Error) }
        }
    }
    let mut rest = Rest(Some(expected));
    // An error means that the result is known before the end of the text.
    let _ = write!(rest, "{text}");
    rest.0 == Some("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Classification {
        Classification::new(ErrorClass::Transient)
    }

    #[test]
    fn what_was_not_acted_on_is_marked_and_nothing_else() {
        for status in 100..=999 {
            let marked = with_evidence(&StatusError::new(status), plain());
            assert_eq!(marked.is_unsent(), [421, 425].contains(&status), "{status}");
            assert_eq!(marked.detail(STATUS), Some(status.to_string().as_str()));
        }
        use io::ErrorKind as Kind;
        let kinds = [
            (Kind::ConnectionRefused, true),
            (Kind::AddrNotAvailable, true),
            (Kind::AddrInUse, true),
            (Kind::ConnectionReset, false),
            (Kind::BrokenPipe, false),
            (Kind::TimedOut, false),
            (Kind::HostUnreachable, false),
            (Kind::UnexpectedEof, false),
        ];
        for (kind, unsent) in kinds {
            let inside = io::Error::other(io::Error::from(kind));
            for error in [io::Error::from(kind), inside] {
                let marked = with_evidence(&error, plain());
                assert_eq!((marked.is_unsent(), marked.detail(IO)), (unsent, Some(format!("{kind:?}").as_str())));
            }
        }
    }

    #[test]
    fn an_answer_outweighs_a_connection_that_was_refused_beside_it() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let failure = with_evidence(&StatusError::new(302).with_source(refused), plain());
        assert_eq!((failure.is_unsent(), failure.detail(STATUS), failure.detail(IO)), (false, Some("302"), None));
    }

    /// An error that prints like hyper's, with this source.
    struct Hyper(&'static str, io::Error);

    impl fmt::Debug for Hyper {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl fmt::Display for Hyper {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the request failed")
        }
    }

    impl Error for Hyper {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.1)
        }
    }

    #[test]
    fn a_connection_that_was_refused_to_the_source_of_an_upload_says_nothing() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let of_the_body = Hyper("hyper::Error(User(Body), Kind(ConnectionRefused))", refused());
        assert!(is_of_the_caller(&of_the_body) && !with_evidence(&of_the_body, plain()).is_unsent());
        let of_the_connection = Hyper("hyper::Error(Io, Kind(ConnectionRefused))", refused());
        assert!(!is_of_the_caller(&of_the_connection) && with_evidence(&of_the_connection, plain()).is_unsent());
    }

    #[test]
    fn what_hyper_and_h2_print_of_a_request_that_was_not_taken_is_known() {
        let rows = [
            ("hyper_util::client::legacy::Error(Connect, ConnectError(\"tcp connect error\"))", true),
            ("hyper_util::client::legacy::Error(SendRequest, hyper::Error(IncompleteMessage))", false),
            ("hyper::Error(Canceled, \"connection closed\")", true),
            ("hyper::Error(IncompleteMessage)", false),
            ("Error { kind: Reset(StreamId(1), REFUSED_STREAM, Remote) }", true),
            ("Error { kind: Reset(StreamId(1), REFUSED_STREAM, Library) }", false),
            ("Error { kind: Reset(StreamId(1), CANCEL, Remote) }", false),
            ("Error { kind: GoAway(b\"\", NO_ERROR, Remote) }", true),
            ("Error { kind: GoAway(b\", Remote) }\", PROTOCOL_ERROR, Library) }", false),
        ];
        for (printed, unsent) in rows {
            let error = Hyper(printed, io::ErrorKind::Other.into());
            assert_eq!(with_evidence(&error, plain()).is_unsent(), unsent, "{printed}");
        }
    }

    #[test]
    fn what_is_of_a_connection_is_told_from_what_is_of_one_request() {
        let of = |class: ErrorClass| Classification::new(class);
        let rows = [
            (of(ErrorClass::Transient).with_detail(IO, "ConnectionReset"), true),
            (of(ErrorClass::Transient).unsent(), true),
            (of(ErrorClass::RateLimit).unsent().with_detail(HTTP2, "ENHANCE_YOUR_CALM"), true),
            (of(ErrorClass::Transient).unsent().with_detail(HTTP2, "REFUSED_STREAM"), false),
            (of(ErrorClass::Transient).with_detail(HTTP2, "CANCEL"), false),
            (of(ErrorClass::RateLimit).unsent(), false),
            (of(ErrorClass::Transient).unsent().with_detail(STATUS, "421"), false),
            (of(ErrorClass::Unknown).with_detail(IO, "ConnectionReset"), false),
            (of(ErrorClass::Transient), false),
        ];
        for (failure, expected) in rows {
            assert_eq!(is_of_connection(&failure), expected, "{failure:?}");
        }
    }

    #[test]
    fn a_name_that_does_not_resolve_is_no_connection() {
        let failed = std::net::ToSocketAddrs::to_socket_addrs("redress.invalid:80").expect_err("no such name");
        let failure = with_evidence(&failed, plain());
        assert_eq!((failure.is_unsent(), failure.detail(IO)), (true, Some("NameLookup")));
    }

    #[test]
    fn an_error_without_a_kind_says_nothing_and_an_abort_is_left_alone() {
        assert_eq!(with_evidence(&io::Error::other("?"), plain()), plain());
        assert_eq!(with_evidence(&fmt::Error, plain()), plain());
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(with_evidence(&refused, Classification::abort()), Classification::abort());
    }

    #[test]
    fn a_text_is_compared_at_its_beginning_however_it_is_written() {
        assert!(begins_with(&"failed", "fail") && begins_with(&"fail", "fail") && begins_with(&'f', "f"));
        assert!(!begins_with(&"fai", "fail") && !begins_with(&"", "fail") && !begins_with(&"nofail", "fail"));
        assert!(!begins_with(&"faü", "faö") && !begins_with(&"ü", "u"));
        // Variables, because literals are joined at compile time.
        let (fa, il, x) = ("fa", "il", 'x');
        assert!(begins_with(&format_args!("{fa}{il}ed"), "fail"));
        assert!(!begins_with(&format_args!("{x}{fa}{il}"), "fail"));
    }

    #[test]
    fn a_text_is_read_no_further_than_the_comparison_needs() {
        struct Unread;
        impl fmt::Display for Unread {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("the result was known before");
            }
        }
        let (fa, il) = ("fa", "il");
        assert!(begins_with(&format_args!("{fa}{il}{Unread}"), "fail"));
        assert!(!begins_with(&format_args!("{fa}{fa}{Unread}"), "fail"));
    }

    #[test]
    fn a_failure_of_the_callers_own_input_counts_against_no_server() {
        let hint = std::time::Duration::from_secs(7);
        let of = |class: ErrorClass| own_failure(Classification::new(class).with_retry_after(hint));
        for class in [ErrorClass::Transient, ErrorClass::ServerError, ErrorClass::RateLimit, ErrorClass::Unknown] {
            assert_eq!(of(class), Classification::new(ErrorClass::Unknown).with_retry_after(hint), "{class:?}");
        }
        for class in [ErrorClass::Permanent, ErrorClass::Permission, ErrorClass::Auth] {
            assert_eq!(of(class).class(), class);
        }
    }
}
