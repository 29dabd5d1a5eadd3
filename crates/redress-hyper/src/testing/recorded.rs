//! The record of a request that a fake transport received, and the body wrapper that records what
//! is read of it. The end of the body wakes the server's end of the connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::Request;
use http::request::Parts;
use http_body::{Body, Frame, SizeHint};

/// The record of a request. Clones refer to the same record.
#[derive(Clone)]
pub(super) struct Recorded(Arc<Mutex<Note>>);

struct Note {
    parts: Parts,
    body: BytesMut,
    /// Whether the body has ended.
    is_whole: bool,
    /// The waker of the task that waits for the end.
    waker: Option<Waker>,
}

impl Recorded {
    pub(super) fn new(parts: Parts) -> Self {
        Self(Arc::new(Mutex::new(Note { parts, body: BytesMut::new(), is_whole: false, waker: None })))
    }

    pub(super) fn request(&self) -> Request<Bytes> {
        let note = self.note();
        Request::from_parts(note.parts.clone(), note.body.clone().freeze())
    }

    /// Returns whether the body was read to its end. If not, wakes this task at its end.
    pub(super) fn is_whole(&self, cx: &Context<'_>) -> bool {
        let mut note = self.note();
        note.waker = Some(cx.waker().clone());
        note.is_whole
    }

    fn end(&self) {
        let waker = {
            let mut note = self.note();
            note.is_whole = true;
            note.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn note(&self) -> MutexGuard<'_, Note> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's body that records what is read of it.
pub(super) struct RecordedBody<B> {
    body: Pin<Box<B>>,
    recorded: Recorded,
}

impl<B: Body> RecordedBody<B> {
    pub(super) fn new(body: B, recorded: Recorded) -> Self {
        let body = Self { body: Box::pin(body), recorded };
        body.note_end();
        body
    }

    fn note_end(&self) {
        if self.body.is_end_stream() {
            self.recorded.end();
        }
    }
}

impl<B: Body> Body for RecordedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = ready!(self.body.as_mut().poll_frame(cx));
        let Some(Ok(frame)) = frame else {
            self.recorded.end();
            return Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(|_| Bytes::new()))));
        };
        let frame = frame.map_data(|mut data| data.copy_to_bytes(data.remaining()));
        if let Some(data) = frame.data_ref() {
            self.recorded.note().body.extend_from_slice(data);
        }
        self.note_end();
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for RecordedBody<B> {
    fn drop(&mut self) {
        // hyper may not read the end of a body of known length.
        self.recorded.end();
    }
}
