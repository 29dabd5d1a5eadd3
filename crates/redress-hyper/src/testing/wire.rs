//! The server's end of an in-memory connection: which bytes it sends, when, and how it ends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};

use super::recorded::Recorded;

/// How the connection ends after the last byte.
#[derive(Clone, Copy)]
pub(super) enum End {
    Closed,
    Error(io::ErrorKind),
    /// It stays open.
    Silent,
}

/// The event after which the server responds.
enum Until {
    Nothing,
    /// The request is written, and its body read to the end.
    Request(Recorded),
    /// A HEADERS frame of HTTP/2 is written.
    #[cfg(feature = "http2")]
    Headers(Written),
}

/// The client's end of the connection.
pub(super) struct Wire {
    greeting: Bytes,
    until: Until,
    says: Bytes,
    end: End,
    has_written: bool,
    reader: Option<Waker>,
}

impl Wire {
    /// Creates a connection that is already closed.
    pub(super) fn closed() -> Self {
        Self::new(Bytes::new(), Until::Nothing, Bytes::new(), End::Closed)
    }

    /// Creates an HTTP/1 connection that sends these bytes after the request, then ends.
    pub(super) fn http1(recorded: Recorded, says: Bytes, end: End) -> Self {
        Self::new(Bytes::new(), Until::Request(recorded), says, end)
    }

    /// Creates an HTTP/2 connection that sends these bytes after the request, then stays open.
    #[cfg(feature = "http2")]
    pub(super) fn http2(says: Bytes) -> Self {
        /// An empty SETTINGS frame.
        const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
        Self::new(Bytes::from_static(SETTINGS), Until::Headers(Written::default()), says, End::Silent)
    }

    const fn new(greeting: Bytes, until: Until, says: Bytes, end: End) -> Self {
        Self { greeting, until, says, end, has_written: false, reader: None }
    }

    fn may_speak(&self, cx: &Context<'_>) -> bool {
        match &self.until {
            Until::Nothing => true,
            Until::Request(recorded) => recorded.is_whole(cx) && self.has_written,
            #[cfg(feature = "http2")]
            Until::Headers(written) => written.has_headers,
        }
    }
}

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        self.reader = Some(cx.waker().clone());
        let is_greeted = self.greeting.is_empty();
        if is_greeted && !self.may_speak(cx) {
            return Poll::Pending;
        }
        let said = if is_greeted { &mut self.says } else { &mut self.greeting };
        if said.is_empty() {
            return match self.end {
                End::Closed => Poll::Ready(Ok(())),
                End::Error(kind) => Poll::Ready(Err(kind.into())),
                End::Silent => Poll::Pending,
            };
        }
        buf.put_slice(&said.split_to(said.len().min(buf.remaining())));
        Poll::Ready(Ok(()))
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.has_written = true;
        #[cfg(feature = "http2")]
        if let Until::Headers(written) = &mut self.until {
            written.read(bytes);
        }
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The incomplete frame at the end of what an HTTP/2 client has written.
#[cfg(feature = "http2")]
struct Written {
    bytes: bytes::BytesMut,
    /// The rest of the preface, or of a frame.
    to_skip: usize,
    has_headers: bool,
}

#[cfg(feature = "http2")]
impl Default for Written {
    fn default() -> Self {
        /// The length of the preface ([RFC 9113, section
        /// 3.4](https://www.rfc-editor.org/rfc/rfc9113#section-3.4)).
        const PREFACE: usize = 24;
        Self { bytes: bytes::BytesMut::new(), to_skip: PREFACE, has_headers: false }
    }
}

#[cfg(feature = "http2")]
impl Written {
    fn read(&mut self, bytes: &[u8]) {
        const FRAME_HEAD: usize = 9;
        const HEADERS: u8 = 1;
        self.bytes.extend_from_slice(bytes);
        loop {
            let skipped = self.to_skip.min(self.bytes.len());
            self.bytes = self.bytes.split_off(skipped);
            self.to_skip -= skipped;
            let Some(head) = self.bytes.first_chunk::<FRAME_HEAD>() else { return };
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            self.has_headers |= head[3] == HEADERS;
            self.to_skip = FRAME_HEAD + length;
        }
    }
}
