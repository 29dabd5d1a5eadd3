//! The changes to a request that hyper leaves to its caller, for every transport. Those that depend
//! on the HTTP version are in `connection.rs`.

use http::header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request};
use http_body::Body;
use redress_http::strip_userinfo;

use crate::error::HyperError;

/// Removes user and password from the request's URI, and adds `Content-Length: 0` to a request
/// without content whose method gives content a meaning ([RFC 9110, section
/// 8.6](https://www.rfc-editor.org/rfc/rfc9110#section-8.6)): without it, servers respond with 411.
pub(crate) fn prepared<B: Body>(mut request: Request<B>) -> Request<B> {
    strip_userinfo(request.uri_mut());
    let means_content = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let is_empty = || request.body().is_end_stream() || request.body().size_hint().exact() == Some(0);
    let is_said =
        |headers: &http::HeaderMap| headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
    if means_content && is_empty() && !is_said(request.headers()) {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    request
}

/// Rejects a `Content-Length` that differs from the body's length. hyper would send it unchanged,
/// and the server would wait for the rest or read the excess as another request.
pub(crate) fn check_length<B: Body>(request: &Request<B>) -> Result<(), HyperError> {
    let Some(length) = request.body().size_hint().exact() else { return Ok(()) };
    let headers = request.headers();
    let is_length = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.trim().parse() == Ok(length));
    if headers.contains_key(TRANSFER_ENCODING) || headers.get_all(CONTENT_LENGTH).iter().all(is_length) {
        return Ok(());
    }
    Err(HyperError::request("the Content-Length is not the length of the body"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http_body::{Frame, SizeHint};
    use http_body_util::{BodyExt as _, Empty, Full, combinators::BoxBody};

    use super::*;

    fn length<B: Body>(method: Method, body: B) -> Option<String> {
        let request = Request::builder().method(method).uri("http://user:secret@h/").body(body).expect("a request");
        let request = prepared(request);
        assert_eq!(request.uri(), "http://h/");
        request.headers().get(CONTENT_LENGTH).map(|length| length.to_str().expect("text").to_owned())
    }

    #[test]
    fn nothing_is_said_to_be_nothing_where_content_means_something() {
        let zero = || Some("0".to_owned());
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            assert_eq!(length(method.clone(), String::new()), zero());
            assert_eq!(length(method.clone(), Empty::<&[u8]>::new()), zero());
            assert_eq!(length(method.clone(), BoxBody::new(Full::new(&b""[..]))), zero());
            assert_eq!(length(method.clone(), "content".to_owned()), None);
            assert_eq!(length(method, Full::new(&b"content"[..]).boxed()), None);
        }
        for method in [Method::GET, Method::HEAD, Method::DELETE, Method::OPTIONS] {
            assert_eq!(length(method, String::new()), None);
        }
    }

    /// An empty body that reports this by its end, by its length, or not at all.
    struct Nothing {
        is_end: bool,
        length: Option<u64>,
    }

    impl Body for Nothing {
        type Data = &'static [u8];
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<&'static [u8]>, Infallible>>> {
            Poll::Ready(None)
        }

        fn is_end_stream(&self) -> bool {
            self.is_end
        }

        fn size_hint(&self) -> SizeHint {
            self.length.map_or_else(SizeHint::new, SizeHint::with_exact)
        }
    }

    #[test]
    fn a_body_knows_that_it_is_empty_by_its_end_or_by_its_length() {
        let said = |is_end, length| self::length(Method::POST, Nothing { is_end, length });
        assert_eq!(said(true, None), Some("0".to_owned()));
        assert_eq!(said(false, Some(0)), Some("0".to_owned()));
        assert_eq!(said(false, None), None);
    }

    #[test]
    fn a_length_that_is_not_the_bodys_is_not_sent() {
        let is_sent = |length: &'static str, body: BoxBody<&'static [u8], Infallible>| {
            let request = Request::put("/").header(CONTENT_LENGTH, length).body(body).expect("a request");
            check_length(&request).is_ok()
        };
        let full = |content: &'static [u8]| Full::new(content).boxed();
        assert!(is_sent("5", full(b"12345")) && is_sent(" 5", full(b"12345")) && is_sent("0", full(b"")));
        for wrong in ["4", "6", "", "five", "5, 5"] {
            assert!(!is_sent(wrong, full(b"12345")), "{wrong}");
        }
        let without = Request::put("/").body(full(b"12345")).expect("a request");
        assert!(check_length(&without).is_ok());
        let chunked = Request::put("/").header(TRANSFER_ENCODING, "chunked").header(CONTENT_LENGTH, "4");
        assert!(check_length(&chunked.body(full(b"12345")).expect("a request")).is_ok());
    }

    #[test]
    fn a_length_that_was_said_stays() {
        for (name, value) in [(CONTENT_LENGTH, "7"), (TRANSFER_ENCODING, "chunked")] {
            let request = Request::post("/").header(&name, value).body(String::new()).expect("a request");
            let request = prepared(request);
            assert_eq!((request.headers().len(), &request.headers()[&name]), (1, &HeaderValue::from_static(value)));
        }
    }
}
