//! A borrowed view of a request's head for naming and deciding, and the replay of a request with
//! the same head.

use std::fmt;

use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Uri};

use crate::uri::Redacted;

/// A borrowed view of a request's head, passed to the functions that name a request or decide about
/// it.
///
/// ```
/// use http::Request;
/// use redress::integration::http::Head;
///
/// let request = Request::put("http://localhost/orders/7").body("...").unwrap();
/// assert_eq!(Head::from_request(&request).uri.path(), "/orders/7");
/// ```
///
/// Its `Debug` prints the method and the URI without user, password and query. It omits headers and
/// extensions, because they may contain secrets.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Head<'r> {
    /// The method.
    pub method: &'r Method,
    /// The URI.
    pub uri: &'r Uri,
    /// The headers.
    pub headers: &'r HeaderMap,
    /// The extensions, such as a router's matched path.
    pub extensions: &'r Extensions,
}

impl<'r> Head<'r> {
    /// Returns a head of these parts, for integrations whose requests are not of the `http` crate.
    #[must_use]
    pub const fn new(method: &'r Method, uri: &'r Uri, headers: &'r HeaderMap, extensions: &'r Extensions) -> Self {
        Self { method, uri, headers, extensions }
    }

    /// Returns the head of this request.
    #[must_use]
    pub fn from_request<B>(request: &'r Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl<'r> From<&'r Parts> for Head<'r> {
    fn from(parts: &'r Parts) -> Self {
        Self { method: &parts.method, uri: &parts.uri, headers: &parts.headers, extensions: &parts.extensions }
    }
}

/// Returns a request with the same head and another body, to replay a request.
///
/// ```
/// use http::Request;
/// use redress::integration::http::with_head_of;
///
/// let request = Request::put("http://localhost/orders/7").header("x-id", "7").body("...").unwrap();
/// let again = with_head_of(&request, request.body().len());
/// assert_eq!((again.method(), &again.headers()["x-id"], *again.body()), (request.method(), &request.headers()["x-id"], 3));
/// ```
#[must_use]
pub fn with_head_of<A, B>(request: &Request<A>, body: B) -> Request<B> {
    let mut copy = Request::new(body);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    *copy.version_mut() = request.version();
    copy.headers_mut().clone_from(request.headers());
    copy.extensions_mut().clone_from(request.extensions());
    copy
}

impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut head = f.debug_struct("Head");
        head.field("method", self.method).field("uri", &Redacted(self.uri)).finish_non_exhaustive()
    }
}
