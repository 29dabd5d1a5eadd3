//! Request bodies that can be sent in each attempt, or once.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Stdin};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{error, fmt, mem};

use http::{Request, Response};
use ureq::{Agent, AsSendBody, Body, Error, SendBody};

/// A request's body that is sent again in each attempt, made by a factory, or sent once.
///
/// | made of | each attempt sends |
/// |---|---|
/// | `()`, [`empty`](Self::empty) | no body |
/// | `&str`, `String`, `&[u8]`, `Vec<u8>` and references to them (`into()`) | the same bytes, which are not copied |
/// | [`factory`](Self::factory) | a new body from the factory |
/// | `File`, `TcpStream`, `Stdin`, [`SendBody`], a response (`into()`), [`once`](Self::once) | only the first: a request that fails is not retried, and the outcome says `streaming_body` |
///
/// These are the types that ureq sends. To send a file again, open it in a factory:
///
/// ```
/// use std::fs::File;
/// use redress::integration::ureq::ReplayBody;
///
/// let upload = ReplayBody::factory(|| File::open("report.csv"));
/// assert!(upload.is_replayable());
/// assert!(ReplayBody::from("an order").is_replayable());
/// assert!(!ReplayBody::from(std::io::stdin()).is_replayable());
/// ```
pub struct ReplayBody<'b>(Source<'b>);

enum Source<'b> {
    Empty,
    Bytes(Cow<'b, [u8]>),
    Factory(SendEach<'b>),
    Once(SendOnce<'b>),
    Spent,
}

type Answer = Result<Response<Body>, Error>;

/// Makes a body, and sends the head with it.
type SendEach<'b> = Box<dyn FnMut(&Agent, Request<()>) -> Answer + 'b>;

/// Sends the head with a body, whose type `AsSendBody` has no object for.
type SendOnce<'b> = Box<dyn FnOnce(&Agent, Request<()>) -> Answer + 'b>;

impl<'b> ReplayBody<'b> {
    /// Returns the body of a request without content.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Source::Empty)
    }

    /// Creates a body that `make` produces at the start of each attempt, not earlier. It must
    /// produce the same content each time. If it fails, so does the attempt; the failure does not
    /// count against the server, see [`own_failure`](redress_http::own_failure).
    pub fn factory<B: AsSendBody>(mut make: impl FnMut() -> io::Result<B> + 'b) -> Self {
        Self(Source::Factory(Box::new(move |agent, head| {
            let body = make().map_err(|error| Error::Other(Box::new(BodyError(error))))?;
            agent.run(with_body(head, body))
        })))
    }

    /// Creates a body that can be sent once, such as a [`SendBody`] over a reader.
    pub fn once(body: impl AsSendBody + 'b) -> Self {
        Self(Source::Once(Box::new(|agent, head| agent.run(with_body(head, body)))))
    }

    /// Returns whether the body can be sent more than once.
    #[must_use]
    pub const fn is_replayable(&self) -> bool {
        matches!(self.0, Source::Empty | Source::Bytes(_) | Source::Factory(_))
    }

    /// Sends a request with this body. `None` if a body that can be sent once was sent.
    pub(crate) fn send(&mut self, agent: &Agent, head: Request<()>) -> Option<Answer> {
        Some(match &mut self.0 {
            Source::Empty => agent.run(head),
            Source::Bytes(bytes) => agent.run(with_body(head, &**bytes)),
            Source::Factory(send) => send(agent, head),
            source => match mem::replace(source, Source::Spent) {
                Source::Once(send) => send(agent, head),
                _ => return None,
            },
        })
    }
}

fn with_body<B>(head: Request<()>, body: B) -> Request<B> {
    head.map(|()| body)
}

impl From<()> for ReplayBody<'_> {
    fn from((): ()) -> Self {
        Self::empty()
    }
}

impl<'b> From<&'b str> for ReplayBody<'b> {
    fn from(text: &'b str) -> Self {
        text.as_bytes().into()
    }
}

impl<'b> From<&'b String> for ReplayBody<'b> {
    fn from(text: &'b String) -> Self {
        text.as_bytes().into()
    }
}

impl From<String> for ReplayBody<'_> {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl<'b> From<&'b [u8]> for ReplayBody<'b> {
    fn from(bytes: &'b [u8]) -> Self {
        Self(Source::Bytes(bytes.into()))
    }
}

impl<'b, const N: usize> From<&'b [u8; N]> for ReplayBody<'b> {
    fn from(bytes: &'b [u8; N]) -> Self {
        bytes[..].into()
    }
}

impl<'b> From<&'b Vec<u8>> for ReplayBody<'b> {
    fn from(bytes: &'b Vec<u8>) -> Self {
        bytes[..].into()
    }
}

impl From<Vec<u8>> for ReplayBody<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Source::Bytes(bytes.into()))
    }
}

// The lifetime of a `SendBody` cannot be shortened.
impl<'b, 's: 'b> From<SendBody<'s>> for ReplayBody<'b> {
    fn from(body: SendBody<'s>) -> Self {
        Self::once(body)
    }
}

macro_rules! sent_once {
    ($($body:ty),*) => {$(
        impl<'b> From<$body> for ReplayBody<'b> {
            fn from(body: $body) -> Self {
                Self::once(body)
            }
        }
    )*};
}

sent_once!(File, &'b File, TcpStream, &'b TcpStream, Stdin, Body, Response<Body>);
#[cfg(unix)]
sent_once!(UnixStream);

impl fmt::Debug for ReplayBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayBody").field("is_replayable", &self.is_replayable()).finish_non_exhaustive()
    }
}

/// The error of an attempt whose body could not be made.
#[derive(Debug)]
pub(crate) struct BodyError(pub(crate) io::Error);

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request's body could not be made: {}", self.0)
    }
}

impl error::Error for BodyError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.0)
    }
}
