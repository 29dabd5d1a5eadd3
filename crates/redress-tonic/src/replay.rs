//! What of a request is there at once, and so can be sent again.
//!
//! Owns reading ahead and the bodies of attempts. Never waits: a stream that answers to what it
//! hears would wait for ever.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use redress_http::KeptFrames;
use tonic::Status;
use tonic::body::Body;

/// Why a request is sent once: it was not all there when the call began.
const STREAMING_REQUEST: &str = "streaming_request";
/// Why a request is sent once: it is longer than what is kept.
const REQUEST_TOO_LARGE: &str = "request_too_large";

/// The body of an attempt's request: frames that are there, and perhaps a body that goes on.
///
/// It gives no size, so that no `content-length` is made of it: tonic sends none either.
pub struct RequestBody {
    frames: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
    /// What has not been read yet.
    rest: Option<Body>,
    /// Why it is sent once, if it is.
    only_once: Option<&'static str>,
    /// Whether its response may be handed over as soon as there is a head.
    at_head: bool,
}

impl RequestBody {
    /// Reads the body as far as it goes without waiting, up to `most` bytes. `at_head`: whether the
    /// response is to be handed over at its head, unseen.
    ///
    /// # Errors
    ///
    /// What the body ended with: a message that could not be encoded. Nothing has been sent then.
    pub(crate) fn read_ahead(mut body: Body, most: usize, at_head: bool) -> Result<Self, Status> {
        let mut read = Self { frames: VecDeque::new(), trailers: None, rest: None, only_once: None, at_head };
        let mut kept = KeptFrames::at_most(most, size_of::<Bytes>());
        // The waker may be one that nobody hears: whoever sends what is left polls it anew.
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

    /// Keeps a frame, and says how long it is if it holds data.
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

    /// A body that goes out as it comes, and whose response is handed over as it comes.
    pub(crate) const fn untouched(body: Body) -> Self {
        Self { frames: VecDeque::new(), trailers: None, rest: Some(body), only_once: None, at_head: true }
    }

    /// Whether it goes out as it comes: nothing was read ahead, and nothing said why.
    pub(crate) const fn is_untouched(&self) -> bool {
        self.rest.is_some() && self.only_once.is_none()
    }

    /// The same body once more, or why there is none.
    pub(crate) fn replay(&self) -> Result<Self, &'static str> {
        match self.only_once {
            Some(why) => Err(why),
            None => {
                let (frames, trailers) = (self.frames.clone(), self.trailers.clone());
                Ok(Self { frames, trailers, rest: None, only_once: None, at_head: self.at_head })
            }
        }
    }

    /// Whether the response's first message is waited for: where it could still be replaced, and
    /// nobody asked for the head.
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
