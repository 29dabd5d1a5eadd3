//! One attempt of a call: the request goes out, and the response is looked at before it counts.
//!
//! Owns turning what comes into `Result<Response, Status>`: whoever classifies sees every failure as a status. Decides nothing about
//! retries.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::response::Parts;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use pin_project_lite::pin_project;
use tonic::Status;
use tonic::body::Body;
use tower_service::Service;

use crate::received::{drop_garbled_details, failure_at_end, failure_in_head};
use crate::replay::RequestBody;
use crate::response_body::ResponseBody;
use crate::transport_error::{BoxError, status_of};

/// A channel whose failures are statuses, and whose responses have begun where they could still be replaced.
#[derive(Clone, Debug)]
pub struct Attempts<S>(pub(crate) S);

impl<S, B> Service<Request<RequestBody>> for Attempts<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Status;
    type Future = AttemptFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.0.poll_ready(cx).map_err(status_of)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let looks = request.body().looks_at_response();
        AttemptFuture { sent: self.0.call(request.map(Body::new)), looks, begun: None }
    }
}

pin_project! {
    /// What becomes of one attempt.
    pub struct AttemptFuture<F> {
        #[pin]
        sent: F,
        // Whether the first message is waited for.
        looks: bool,
        begun: Option<(Parts, Body)>,
    }
}

impl<F, B, E> Future for AttemptFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody>, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (head, mut body) = match this.begun.take() {
            Some(begun) => begun,
            None => {
                let (mut head, body) = ready!(this.sent.poll(cx)).map_err(status_of)?.into_parts();
                if let Some(failure) = failure_in_head(&mut head) {
                    return Poll::Ready(Err(failure));
                }
                (head, Body::new(body))
            }
        };
        let mut first = None;
        if *this.looks {
            match poll_first(&head, &mut body, cx) {
                Poll::Ready(frame) => first = frame?,
                Poll::Pending => {
                    *this.begun = Some((head, body));
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(Response::from_parts(head, ResponseBody::new(first, body))))
    }
}

/// Waits for the frame that decides: a message, with which the response has begun, or the end of a response that has none.
fn poll_first(head: &Parts, body: &mut Body, cx: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, Status>> {
    loop {
        let Some(mut frame) = ready!(Pin::new(&mut *body).poll_frame(cx)).transpose()? else {
            return Poll::Ready(failure_at_end(head, None).map_or(Ok(None), Err));
        };
        if let Some(trailers) = frame.trailers_mut() {
            drop_garbled_details(trailers);
            return Poll::Ready(failure_at_end(head, Some(trailers)).map_or(Ok(Some(frame)), Err));
        }
        // A frame without data says nothing yet.
        if frame.data_ref().is_none_or(|data| !data.is_empty()) {
            return Poll::Ready(Ok(Some(frame)));
        }
    }
}
