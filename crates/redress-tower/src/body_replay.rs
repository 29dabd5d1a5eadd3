//! The trait that replays the bodies of HTTP requests, and its implementations.

use http_body::Body;

/// Makes replays of request bodies. Implemented for closures `Fn(&B) -> Option<B>`.
///
/// ```
/// use redress::integration::tower::http::{BodyReplay, HttpProtocol};
///
/// enum Payload {
///     Text(String),
///     Upload(std::fs::File),
/// }
///
/// /// Replays text. An upload has been read when it would be sent again.
/// #[derive(Clone, Copy)]
/// struct TextAgain;
///
/// impl BodyReplay<Payload> for TextAgain {
///     fn replay(&self, body: &Payload) -> Option<Payload> {
///         match body {
///             Payload::Text(text) => Some(Payload::Text(text.clone())),
///             Payload::Upload(_) => None,
///         }
///     }
/// }
///
/// let protocol = HttpProtocol::new().bodies(TextAgain);
/// # drop(protocol);
/// ```
pub trait BodyReplay<B> {
    /// Returns a body with the same content as `body`, which is still unread. `None` means that the
    /// body cannot be replayed, so the request is sent once.
    fn replay(&self, body: &B) -> Option<B>;
}

impl<B, F: Fn(&B) -> Option<B>> BodyReplay<B> for F {
    fn replay(&self, body: &B) -> Option<B> {
        self(body)
    }
}

/// Clones bodies such as `Full<Bytes>`, `Empty` and `String`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloneBody;

impl<B: Clone> BodyReplay<B> for CloneBody {
    fn replay(&self, body: &B) -> Option<B> {
        Some(body.clone())
    }
}

/// Replays only bodies that are known to be empty, as those of most GET requests are. For streaming
/// bodies whose default is empty, such as a server's `axum::body::Body`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmptyBody;

impl<B: Body + Default> BodyReplay<B> for EmptyBody {
    fn replay(&self, body: &B) -> Option<B> {
        body.is_end_stream().then(B::default)
    }
}
