//! How the bodies of HTTP requests are copied.
//!
//! Owns the seam and its plain implementations. Whether a request may be sent again at all is not
//! asked here.

use http_body::Body;

/// Copies bodies, where it can. Written for closures `Fn(&B) -> Option<B>`, too.
pub trait CopyBody<B> {
    /// A copy of a body that nobody has read from yet, or `None`: then the request is sent once.
    fn copy_body(&self, body: &B) -> Option<B>;
}

impl<B, F: Fn(&B) -> Option<B>> CopyBody<B> for F {
    fn copy_body(&self, body: &B) -> Option<B> {
        self(body)
    }
}

/// Clones bodies: `Full<Bytes>`, `Empty`, `String`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloneBody;

impl<B: Clone> CopyBody<B> for CloneBody {
    fn copy_body(&self, body: &B) -> Option<B> {
        Some(body.clone())
    }
}

/// Copies bodies that are known to be empty, as those of most GET requests are, and no others: for
/// streaming bodies that have an empty form as their default, such as a server's
/// `axum::body::Body`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmptyBody;

impl<B: Body + Default> CopyBody<B> for EmptyBody {
    fn copy_body(&self, body: &B) -> Option<B> {
        body.is_end_stream().then(B::default)
    }
}
