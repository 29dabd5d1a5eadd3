//! The body of a response whose first message has been looked at.
//!
//! Owns handing that message on before the rest. Reads no messages.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use crate::received::drop_garbled_details;

/// The body of a response of a [`GrpcService`](crate::GrpcService): what the server sent, beginning with its first frame.
///
/// `grpc-status-details-bin` that is no base64 is left out of the trailers.
pub struct ResponseBody {
    first: Option<Frame<Bytes>>,
    rest: Body,
}

impl ResponseBody {
    pub(crate) const fn new(first: Option<Frame<Bytes>>, rest: Body) -> Self {
        Self { first, rest }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("has_first", &self.first.is_some()).finish_non_exhaustive()
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let mut polled = http_body::Body::poll_frame(Pin::new(&mut self.rest), cx);
        if let Poll::Ready(Some(Ok(frame))) = &mut polled {
            if let Some(trailers) = frame.trailers_mut() {
                drop_garbled_details(trailers);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && http_body::Body::is_end_stream(&self.rest)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.first {
            Some(_) => SizeHint::default(),
            None => http_body::Body::size_hint(&self.rest),
        }
    }
}
