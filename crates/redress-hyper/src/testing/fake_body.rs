//! The body of a response over an in-memory connection. Reading the body drives the connection.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

/// The future that drives a connection.
pub(super) type Connection = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The body of a response of a [`FakeTransport`](super::FakeTransport).
pub struct FakeBody {
    incoming: Incoming,
    /// Present until it has ended.
    connection: Option<Connection>,
}

impl FakeBody {
    pub(super) const fn new(incoming: Incoming, connection: Option<Connection>) -> Self {
        Self { incoming, connection }
    }
}

/// Polls a connection, and drops it when it has ended.
pub(super) fn drive(connection: &mut Option<Connection>, cx: &mut Context<'_>) {
    if connection.as_mut().is_some_and(|connection| connection.as_mut().poll(cx).is_ready()) {
        *connection = None;
    }
}

impl Body for FakeBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        drive(&mut self.connection, cx);
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl fmt::Debug for FakeBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeBody").finish_non_exhaustive()
    }
}
