//! The body of a response: frames that were read ahead, then the rest. Also the bounded draining of
//! a response that will be retried.

use std::collections::VecDeque;
use std::error::Error;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::{fmt, mem};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use redress_http::KeptFrames;

use crate::error::HyperError;

/// The body of a response.
///
/// It is whole: the frames that the client read to free the connection come first, then the rest.
/// The rest may only be missing if a retry was planned and then did not take place, for example
/// because a hook stopped the call during the wait. The body then ends with an error for which
/// [`is_discarded`](HyperError::is_discarded) is true.
///
/// The caller reads it outside of the policy: neither an attempt's timeout nor the deadline
/// applies, and a failure is not retried. Read it inside a policy's call if that matters.
pub struct ResponseBody<B: Body = Incoming> {
    read: VecDeque<Frame<B::Data>>,
    rest: Rest<B>,
}

enum Rest<B> {
    Body(B),
    Error(HyperError),
    Ended,
}

impl<B> ResponseBody<B>
where
    B: Body + Unpin,
    B::Data: Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    pub(crate) const fn new(body: B) -> Self {
        Self { read: VecDeque::new(), rest: Rest::Body(body) }
    }

    /// Reads ahead until the end, until about `most` bytes, or until `limit` ends. Keeps the frames
    /// it reads.
    pub(crate) async fn read_ahead(&mut self, most: usize, limit: impl Future<Output = ()>) {
        if self.size_hint().lower() > most as u64 {
            return;
        }
        let mut limit = pin!(limit);
        let mut kept = KeptFrames::at_most(most, size_of::<Frame<B::Data>>());
        poll_fn(|cx| {
            while kept.is_within() && !self.is_read() {
                match self.poll_rest(cx) {
                    Poll::Ready(Some(Ok(frame))) => {
                        kept.keep(frame.data_ref().map_or(0, Buf::remaining));
                        self.read.push_back(frame);
                    }
                    Poll::Ready(Some(Err(error))) => self.rest = Rest::Error(error),
                    Poll::Ready(None) => {}
                    Poll::Pending => return limit.as_mut().poll(cx),
                }
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Drops the rest if it has not arrived, which closes its connection.
    pub(crate) fn discard_rest(&mut self) {
        if !self.is_read() {
            self.rest = Rest::Error(HyperError::discarded());
        }
    }

    /// Whether the body was received to its end.
    fn is_read(&self) -> bool {
        match &self.rest {
            Rest::Body(body) => body.is_end_stream(),
            Rest::Error(_) | Rest::Ended => true,
        }
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, HyperError>>> {
        let Rest::Body(body) = &mut self.rest else {
            return Poll::Ready(match mem::replace(&mut self.rest, Rest::Ended) {
                Rest::Error(error) => Some(Err(error)),
                Rest::Body(_) | Rest::Ended => None,
            });
        };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if frame.is_none() {
            self.rest = Rest::Ended;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(HyperError::body)))
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body + Unpin,
    B::Data: Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = B::Data;
    type Error = HyperError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.read.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => self.poll_rest(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        let is_rest_empty = match &self.rest {
            Rest::Body(body) => body.is_end_stream(),
            Rest::Error(_) => false,
            Rest::Ended => true,
        };
        self.read.is_empty() && is_rest_empty
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = match &self.rest {
            Rest::Body(body) => body.size_hint(),
            // The length of the missing rest is unknown.
            Rest::Error(_) => SizeHint::new(),
            Rest::Ended => SizeHint::with_exact(0),
        };
        let read = self.read.iter().filter_map(Frame::data_ref).map(|data| data.remaining() as u64).sum::<u64>();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint.set_lower(hint.lower().saturating_add(read));
        hint
    }
}

impl<B: Body> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("frames_read", &self.read.len()).finish_non_exhaustive()
    }
}
