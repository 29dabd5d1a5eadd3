//! One attempt of a call: sends the request and turns the response into a
//! `Result<Response, Status>`, so that the classifier sees every failure as a status.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::response::Parts;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use pin_project_lite::pin_project;
use redress_core::driver::Timer;
use redress_http::DeadlineHeader;
use tonic::body::Body;
use tonic::{Code, Status};
use tower_service::Service;

use crate::received::{drop_garbled_details, failure_at_end, failure_in_head};
use crate::replay::RequestBody;
use crate::response_body::ResponseBody;
use crate::transport_error::{Begun, BoxError, TimeUp, status_of};

/// A channel whose failures are statuses. It returns a response that could be retried only once its
/// first message has arrived.
#[derive(Clone, Debug)]
pub struct Attempts<S, Tm> {
    pub(crate) channel: S,
    /// Measures the server's time.
    pub(crate) timer: Tm,
}

impl<S, B, Tm> Service<Request<RequestBody>> for Attempts<S, Tm>
where
    Tm: Timer + Clone,
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Status;
    type Future = AttemptFuture<S::Future, Tm>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.channel.poll_ready(cx).map_err(status_of)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let looks = request.body().looks_at_response();
        let given = DeadlineHeader::grpc().read(request.headers());
        let server = given.map(|given| ServersTime { timer: self.timer.clone(), given, since: self.timer.now() });
        AttemptFuture { sent: self.channel.call(request.map(Body::new)), looks, begun: None, server }
    }
}

pin_project! {
    /// The future of one attempt.
    pub struct AttemptFuture<F, Tm> {
        #[pin]
        sent: F,
        // Whether the first message is waited for.
        looks: bool,
        begun: Option<(Parts, Body)>,
        // Set if the request carried a `grpc-timeout`.
        server: Option<ServersTime<Tm>>,
    }
}

/// The time limit that the server received.
struct ServersTime<Tm> {
    timer: Tm,
    given: Duration,
    since: Instant,
}

impl<Tm: Timer> ServersTime<Tm> {
    /// Turns `CANCELLED` and `UNKNOWN` after the server's time limit into `DEADLINE_EXCEEDED`. The
    /// attempt's, the channel's and the server's timers race, and the caller sees the same status
    /// no matter which one fires first.
    fn judge(&self, status: Status) -> Status {
        let is_an_end = matches!(status.code(), Code::Cancelled | Code::Unknown | Code::DeadlineExceeded);
        if !is_an_end || self.timer.now().saturating_duration_since(self.since) < self.given {
            return status;
        }
        let (details, metadata) = (Bytes::copy_from_slice(status.details()), status.metadata().clone());
        let code = Code::DeadlineExceeded;
        let mut judged = Status::with_details_and_metadata(code, status.message(), details, metadata);
        judged.set_source(Arc::new(TimeUp(status)));
        judged
    }
}

impl<F, B, E, Tm> Future for AttemptFuture<F, Tm>
where
    Tm: Timer,
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody>, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(self.as_mut().poll_begun(cx));
        let server = self.project().server;
        Poll::Ready(result.map_err(|status| match server {
            Some(server) => server.judge(status),
            None => status,
        }))
    }
}

impl<F, B, E, Tm> AttemptFuture<F, Tm>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    /// Polls until the response has its first message or has failed.
    fn poll_begun(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Response<ResponseBody>, Status>> {
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

/// Polls for the deciding frame: the first message, or the end of a response without one.
fn poll_first(head: &Parts, body: &mut Body, cx: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, Status>> {
    loop {
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx)).transpose().map_err(begun)?;
        let Some(mut frame) = frame else {
            return Poll::Ready(failure_at_end(head, None).map_or(Ok(None), Err));
        };
        if let Some(trailers) = frame.trailers_mut() {
            drop_garbled_details(trailers);
            return Poll::Ready(failure_at_end(head, Some(trailers)).map_or(Ok(Some(frame)), Err));
        }
        // An empty data frame does not decide.
        if frame.data_ref().is_none_or(|data| !data.is_empty()) {
            return Poll::Ready(Ok(Some(frame)));
        }
    }
}

/// Marks a status that arrived after the response's first message.
fn begun(status: Status) -> Status {
    let mut marked = status.clone();
    marked.set_source(Arc::new(Begun(status)));
    marked
}
