//! Bodies that can be sent again.
//!
//! Owns how many times a body can be had, and how. Knows neither requests nor policies.

use std::fmt;

use bytes::Bytes;
use http_body::Body;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Full};

/// The body of a request, for each attempt anew: cloned, made by a factory, or sent once.
///
/// | made of | each attempt sends |
/// |---|---|
/// | any body that is `Clone`: `Full`, `Empty`, `String` (`into()`) | a clone |
/// | `Bytes`, `Vec<u8>`, `String`, `&'static str` (`into()`), for clients of `Full<Bytes>` or of boxed bodies | the same bytes |
/// | [`factory`](Self::factory) | what the factory makes |
/// | [`once`](Self::once) | nothing but the first: a request that fails is not retried, and the outcome says `streaming_body` |
///
/// An integration asks [`next`](Self::next) for each attempt's.
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
/// Each body says its own length, so `Content-Length` is the same as without a policy. A factory
/// has to make the same content each time; one that may fail, such as opening a file, makes a body
/// that fails.
pub struct ReplayBody<B>(Source<B>);

enum Source<B> {
    Clone(B, fn(&B) -> B),
    Factory(Box<dyn FnMut() -> B + Send>),
    Once(B),
    Spent,
}

impl<B> ReplayBody<B> {
    /// A body made by `make` at the beginning of each attempt, and not before.
    pub fn factory(make: impl FnMut() -> B + Send + 'static) -> Self {
        Self(Source::Factory(Box::new(make)))
    }

    /// A body that there is only one of, such as a stream.
    pub const fn once(body: B) -> Self {
        Self(Source::Once(body))
    }

    /// Whether it can be sent more than once.
    #[must_use]
    pub const fn is_replayable(&self) -> bool {
        matches!(self.0, Source::Clone(..) | Source::Factory(_))
    }

    /// The body of the next attempt; of the last one, what is left. `None` if a body that is sent
    /// once has been sent. For integrations.
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
    /// The body of a request that has none.
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
