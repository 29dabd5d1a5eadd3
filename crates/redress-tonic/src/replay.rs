//! Reads a request's body ahead, so that attempts can replay it. Reading never waits: a stream that
//! depends on the server's responses would wait forever.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use redress_http::KeptFrames;
use tonic::Status;
use tonic::body::Body;

/// Why a request is sent once: it was not complete when the call began.
const STREAMING_REQUEST: &str = "streaming_request";
/// Why a request is sent once: it is longer than the bound on kept bytes.
const REQUEST_TOO_LARGE: &str = "request_too_large";

/// The body of an attempt's request: frames that were read ahead, and the rest of the body, if
/// there is one.
///
/// It reports no size, so that no `content-length` is sent; tonic sends none either.
pub struct RequestBody {
    frames: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
    /// The unread rest.
    rest: Option<Body>,
    /// Why the request is sent once, if it is.
    only_once: Option<&'static str>,
    /// Whether the response may be returned as soon as its head arrives.
    at_head: bool,
}

impl RequestBody {
    /// Reads the body without waiting, up to `most` bytes. `at_head`: whether the response is
    /// returned as soon as its head arrives.
    ///
    /// # Errors
    ///
    /// The body's error: a message that could not be encoded. The request has not been sent.
    pub(crate) fn read_ahead(mut body: Body, most: usize, at_head: bool) -> Result<Self, Status> {
        let mut read = Self { frames: VecDeque::new(), trailers: None, rest: None, only_once: None, at_head };
        let mut kept = KeptFrames::at_most(most, size_of::<Bytes>());
        // A no-op waker suffices, because sending the rest polls the body again.
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            match Pin::new(&mut body).poll_frame(&mut cx) {
                Poll::Ready(None) => return Ok(read),
                Poll::Ready(Some(frame)) => {
                    if read.keep(frame?).is_some_and(|length| !kept.keep(length)) {
                        return Ok(read.once(body, REQUEST_TOO_LARGE));
                    }
                }
                Poll::Pending => return Ok(read.once(body, STREAMING_REQUEST)),
            }
        }
    }

    /// Keeps a frame. Returns its length if it holds data.
    fn keep(&mut self, frame: Frame<Bytes>) -> Option<usize> {
        match frame.into_data() {
            Ok(data) => {
                let length = data.len();
                self.frames.push_back(data);
                Some(length)
            }
            Err(other) => {
                self.trailers = other.into_trailers().ok();
                None
            }
        }
    }

    fn once(mut self, rest: Body, why: &'static str) -> Self {
        (self.rest, self.only_once) = (Some(rest), Some(why));
        self
    }

    /// Wraps a body that is not read ahead, and whose response is returned as soon as its head
    /// arrives.
    pub(crate) const fn untouched(body: Body) -> Self {
        Self { frames: VecDeque::new(), trailers: None, rest: Some(body), only_once: None, at_head: true }
    }

    /// Whether the body was made by [`untouched`](Self::untouched).
    pub(crate) const fn is_untouched(&self) -> bool {
        self.rest.is_some() && self.only_once.is_none()
    }

    /// Returns the same body for another attempt, or why the request is sent once.
    pub(crate) fn replay(&self) -> Result<Self, &'static str> {
        match self.only_once {
            Some(why) => Err(why),
            None => {
                let (frames, trailers) = (self.frames.clone(), self.trailers.clone());
                Ok(Self { frames, trailers, rest: None, only_once: None, at_head: self.at_head })
            }
        }
    }

    /// Whether to wait for the response's first message: the request can be replayed, and the
    /// response is not returned at its head.
    pub(crate) const fn looks_at_response(&self) -> bool {
        self.only_once.is_none() && !self.at_head
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(data) = self.frames.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if let Some(trailers) = self.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }
}
