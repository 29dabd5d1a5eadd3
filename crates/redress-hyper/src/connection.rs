//! The trait over hyper's HTTP/1 and HTTP/2 senders, and the form that each protocol's requests
//! have on the wire.

use std::future::Future;
use std::task::{Context, Poll};

use http::header::{Entry, HOST};
use http::uri::{PathAndQuery, Uri};
use http::{HeaderValue, Method, Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};

use crate::wire::prepared;

#[cfg(feature = "http2")]
use hyper::client::conn::http2;

/// The sender of a connection in [`Connections`](crate::Connections): hyper's `http1::SendRequest`
/// or, with the feature `http2`, `http2::SendRequest`. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the sending half of a hyper connection",
    note = "`hyper::client::conn::http1::SendRequest` is one, and with redress-hyper's feature `http2` that of `http2`"
)]
pub trait Connection: Sends {}

impl<S: Sends> Connection for S {}

/// The methods of a [`Connection`].
pub trait Sends: Sized {
    type Body: Body;

    /// Whether the connection takes several requests at once.
    const IS_SHARED: bool;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>>;

    /// Sends the request, or returns it in the error if none of it was written.
    fn try_send(
        &mut self,
        request: Request<Self::Body>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Self::Body>>>>;

    /// Converts the request to the form that this protocol sends.
    fn on_the_wire(request: Request<Self::Body>) -> Request<Self::Body>;

    /// Returns another handle of the connection, if it takes several requests at once.
    fn share(&self) -> Option<Self>;
}

impl<B: Body + 'static> Sends for http1::SendRequest<B> {
    type Body = B;

    const IS_SHARED: bool = false;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        Self::poll_ready(self, cx)
    }

    fn try_send(
        &mut self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<B>>>> {
        self.try_send_request(request)
    }

    fn on_the_wire(request: Request<B>) -> Request<B> {
        to_origin_form(prepared(request))
    }

    fn share(&self) -> Option<Self> {
        None
    }
}

#[cfg(feature = "http2")]
impl<B: Body + 'static> Sends for http2::SendRequest<B> {
    type Body = B;

    const IS_SHARED: bool = true;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        Self::poll_ready(self, cx)
    }

    fn try_send(
        &mut self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<B>>>> {
        self.try_send_request(request)
    }

    fn on_the_wire(request: Request<B>) -> Request<B> {
        prepared(request)
    }

    fn share(&self) -> Option<Self> {
        Some(self.clone())
    }
}

/// The request as an origin server expects it: a path, and the authority in `Host` ([RFC 9112,
/// sections 3.2.1](https://www.rfc-editor.org/rfc/rfc9112#section-3.2.1) and 3.3).
fn to_origin_form<B>(mut request: Request<B>) -> Request<B> {
    if request.method() == Method::CONNECT {
        return request;
    }
    let Some(authority) = request.uri().authority() else { return request };
    let host = HeaderValue::from_str(authority.as_str()).ok();
    if let (Some(host), Entry::Vacant(header)) = (host, request.headers_mut().entry(HOST)) {
        header.insert(host);
    }
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expect(method: Method, uri: &'static str, on_the_wire: (&str, Option<&str>)) {
        let request = Request::builder().method(method).uri(uri).body(String::new()).expect("a request");
        let request = to_origin_form(prepared(request));
        let host = request.headers().get(HOST).map(|host| host.to_str().expect("text"));
        assert_eq!((request.uri().to_string().as_str(), host), on_the_wire, "{uri}");
    }

    #[test]
    fn the_authority_becomes_the_host() {
        expect(Method::GET, "http://h/a?b", ("/a?b", Some("h")));
        expect(Method::GET, "http://h", ("/", Some("h")));
        expect(Method::GET, "http://h:8080?b", ("/?b", Some("h:8080")));
        expect(Method::GET, "http://user:secret@h:8080/a", ("/a", Some("h:8080")));
        expect(Method::GET, "http://[::1]:8080/a", ("/a", Some("[::1]:8080")));
        expect(Method::GET, "/a", ("/a", None));
        expect(Method::OPTIONS, "*", ("*", None));
        expect(Method::CONNECT, "h:443", ("h:443", None));
        expect(Method::CONNECT, "user:secret@h:443", ("h:443", None));
    }

    #[test]
    fn a_host_that_was_set_stays() {
        let request = Request::get("http://h/a").header(HOST, "other").body(()).expect("a request");
        let request = to_origin_form(request);
        assert_eq!(
            (request.uri().to_string().as_str(), &request.headers()[HOST]),
            ("/a", &HeaderValue::from_static("other"))
        );
    }
}
