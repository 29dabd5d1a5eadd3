//! What a fake transport was sent: requests as they were handed over, their bodies as far as they
//! were read.
//!
//! Owns the note of one request, and the body that writes into it. Wakes the other end of the
//! connection when the body is over.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::Request;
use http::request::Parts;
use http_body::{Body, Frame, SizeHint};

/// A request that was sent. Clones are the same one.
#[derive(Clone)]
pub(super) struct Recorded(Arc<Mutex<Note>>);

struct Note {
    parts: Parts,
    body: BytesMut,
    /// Whether nothing more of the body is to come.
    is_whole: bool,
    /// Of the reader that waits for that.
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

    /// Whether the body was read to its end; if not, this task is woken when it was.
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

/// A request's body on its way, which is noted as it is read.
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
        // Of a body that says its length, hyper may not read the end.
        self.recorded.end();
    }
}
