//! The head of a request, as far as names and decisions are made of it.
//!
//! Owns a view of borrowed parts. Decides nothing.

use std::fmt;

use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Uri};

use crate::uri::Redacted;

/// What a client or a layer shows of a request to those who name it or decide about it.
///
/// ```
/// use http::Request;
/// use redress::integration::http::Head;
///
/// let request = Request::put("http://localhost/orders/7").body("...").unwrap();
/// assert_eq!(Head::from_request(&request).uri.path(), "/orders/7");
/// ```
///
/// Its `Debug` shows method and URI, without user, password and query, and neither headers nor extensions: what is secret of a
/// request is in these.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Head<'r> {
    /// The method.
    pub method: &'r Method,
    /// Where it goes.
    pub uri: &'r Uri,
    /// Its headers.
    pub headers: &'r HeaderMap,
    /// What came along with it: a router's matched path, say.
    pub extensions: &'r Extensions,
}

impl<'r> Head<'r> {
    /// The head of this request.
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

impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut head = f.debug_struct("Head");
        head.field("method", self.method).field("uri", &Redacted(self.uri)).finish_non_exhaustive()
    }
}
