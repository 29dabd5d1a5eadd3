//! The body of a response whose first frame was received ahead.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use redress_core::ErrorClass;
use redress_core::driver::LateFailure;
use redress_core::driver::Timer;
use tonic::Status;
use tonic::body::Body;

use crate::classifier::classify_status;
use crate::received::{drop_garbled_details, failed};

/// The body of a response of a [`GrpcService`](crate::GrpcService): what the server sent, beginning
/// with its first frame.
///
/// Invalid base64 in `grpc-status-details-bin` is removed from the trailers.
///
/// A response is returned before it ends, when its call has succeeded. If it fails later, by its
/// trailers or by breaking off, the policy's breaker counts the failure with the class of its
/// status; the call's outcome does not change.
pub struct ResponseBody {
    first: Option<Frame<Bytes>>,
    rest: Body,
    late: Option<Tell>,
}

type Tell = Box<dyn FnOnce(ErrorClass) + Send>;

impl ResponseBody {
    pub(crate) const fn new(first: Option<Frame<Bytes>>, rest: Body) -> Self {
        Self { first, rest, late: None }
    }

    /// Sets the handle that reports a later failure.
    pub(crate) fn telling<Tm: Timer + Send + 'static>(mut self, late: Option<LateFailure<Tm>>) -> Self {
        self.late = late.map(|late| Box::new(move |class| late.report(class)) as Tell);
        self
    }

    fn failed(&mut self, status: &Status) {
        if let Some(tell) = self.late.take() {
            tell(classify_status(status).class());
        }
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
        match &mut polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_mut() {
                    drop_garbled_details(trailers);
                    if let Some(status) = failed(trailers) {
                        self.failed(&status);
                    }
                }
            }
            Poll::Ready(Some(Err(status))) => self.failed(status),
            Poll::Ready(None) | Poll::Pending => {}
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
