//! Request bodies that can be sent in each attempt, or once.

use std::fmt;

use bytes::Bytes;
use http_body::Body;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Full};

/// A request's body that is cloned for each attempt, made by a factory, or sent once.
///
/// | made of | each attempt sends |
/// |---|---|
/// | any body that is `Clone`: `Full`, `Empty`, `String` (`into()`) | a clone |
/// | `Bytes`, `Vec<u8>`, `String`, `&'static str` (`into()`), for clients of `Full<Bytes>` or of boxed bodies | the same bytes |
/// | [`factory`](Self::factory) | a new body from the factory |
/// | [`once`](Self::once) | only the first: a request that fails is not retried, and the outcome says `streaming_body` |
///
/// Integrations call [`next`](Self::next) for each attempt.
///
/// ```
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use redress::integration::http::ReplayBody;
///
/// let mut body: ReplayBody<Full<Bytes>> = "an order".into();
/// assert!(body.is_replayable() && body.next(false).is_some() && body.next(true).is_some());
///
/// let mut upload = ReplayBody::once(Full::<Bytes>::default());
/// assert!(upload.next(false).is_some() && upload.next(false).is_none());
/// ```
///
/// Each body reports its length, so `Content-Length` is the same as without a policy. A factory
/// must produce the same content each time. If it can fail, such as by opening a file, it should
/// return a body that fails.
pub struct ReplayBody<B>(Source<B>);

enum Source<B> {
    Clone(B, fn(&B) -> B),
    Factory(Box<dyn FnMut() -> B + Send>),
    Once(B),
    Spent,
}

impl<B> ReplayBody<B> {
    /// Creates a body that `make` produces at the start of each attempt, not earlier.
    pub fn factory(make: impl FnMut() -> B + Send + 'static) -> Self {
        Self(Source::Factory(Box::new(make)))
    }

    /// Creates a body that can be sent once, such as a stream.
    pub const fn once(body: B) -> Self {
        Self(Source::Once(body))
    }

    /// Returns whether the body can be sent more than once.
    #[must_use]
    pub const fn is_replayable(&self) -> bool {
        matches!(self.0, Source::Clone(..) | Source::Factory(_))
    }

    /// Returns the body of the next attempt. With `is_last` it may return the kept body itself
    /// instead of a clone. `None` if a body that can be sent once was sent. For integrations.
    pub fn next(&mut self, is_last: bool) -> Option<B> {
        match &mut self.0 {
            Source::Clone(body, clone) if !is_last => Some(clone(body)),
            Source::Factory(make) => Some(make()),
            source => match std::mem::replace(source, Source::Spent) {
                Source::Clone(body, _) | Source::Once(body) => Some(body),
                Source::Factory(_) | Source::Spent => None,
            },
        }
    }
}

impl<B: Default> ReplayBody<B> {
    /// Returns the body of a request without content.
    #[must_use]
    pub fn empty() -> Self
    where
        B: 'static,
    {
        Self::factory(B::default)
    }
}

impl<B: Body + Clone> From<B> for ReplayBody<B> {
    fn from(body: B) -> Self {
        Self(Source::Clone(body, B::clone))
    }
}

fn full<E>(bytes: &Bytes) -> impl Body<Data = Bytes, Error = E> + Send + Sync + use<E> {
    Full::new(bytes.clone()).map_err(|never| match never {})
}

macro_rules! of_bytes {
    ($($bytes:ty),*) => {$(
        impl From<$bytes> for ReplayBody<Full<Bytes>> {
            fn from(bytes: $bytes) -> Self {
                Self::from(Full::new(Bytes::from(bytes)))
            }
        }

        impl<E: 'static> From<$bytes> for ReplayBody<BoxBody<Bytes, E>> {
            fn from(bytes: $bytes) -> Self {
                let bytes = Bytes::from(bytes);
                Self::factory(move || BoxBody::new(full(&bytes)))
            }
        }

        impl<E: 'static> From<$bytes> for ReplayBody<UnsyncBoxBody<Bytes, E>> {
            fn from(bytes: $bytes) -> Self {
                let bytes = Bytes::from(bytes);
                Self::factory(move || UnsyncBoxBody::new(full(&bytes)))
            }
        }
    )*};
}

of_bytes!(Bytes, Vec<u8>, String, &'static str);

impl<B> fmt::Debug for ReplayBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayBody").field("is_replayable", &self.is_replayable()).finish_non_exhaustive()
    }
}
