//! One attempt of a call: the request goes out, and the response is looked at before it counts.
//!
//! Owns turning what comes into `Result<Response, Status>`: whoever classifies sees every failure
//! as a status. Decides nothing about retries.

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
use tonic::body::Body;
use tonic::{Code, Status};
use tower_service::Service;

use crate::grpc_timeout::{GRPC_TIMEOUT, parse_grpc_timeout};
use crate::received::{drop_garbled_details, failure_at_end, failure_in_head};
use crate::replay::RequestBody;
use crate::response_body::ResponseBody;
use crate::transport_error::{Begun, BoxError, TimeUp, status_of};

/// A channel whose failures are statuses, and whose responses have begun where they could still be
/// replaced.
#[derive(Clone, Debug)]
pub struct Attempts<S, Tm> {
    pub(crate) channel: S,
    /// By which the server's time is measured.
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
        let given = request.headers().get(GRPC_TIMEOUT).and_then(parse_grpc_timeout);
        let server = given.map(|given| ServersTime { timer: self.timer.clone(), given, since: self.timer.now() });
        AttemptFuture { sent: self.channel.call(request.map(Body::new)), looks, begun: None, server }
    }
}

pin_project! {
    /// What becomes of one attempt.
    pub struct AttemptFuture<F, Tm> {
        #[pin]
        sent: F,
        // Whether the first message is waited for.
        looks: bool,
        begun: Option<(Parts, Body)>,
        // If the server was given one.
        server: Option<ServersTime<Tm>>,
    }
}

/// The time that the server was given.
struct ServersTime<Tm> {
    timer: Tm,
    given: Duration,
    since: Instant,
}

impl<Tm: Timer> ServersTime<Tm> {
    /// A status that ends a call which nobody on this side has ended. After the server's time it
    /// says no more than that: three timers race for the same instant, the attempt's, the channel's
    /// and the server's, and a caller sees the same whichever wins.
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
    /// Waits until the response has begun, or has failed.
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

/// Waits for the frame that decides: a message, with which the response has begun, or the end of a
/// response that has none.
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
        // A frame without data says nothing yet.
        if frame.data_ref().is_none_or(|data| !data.is_empty()) {
            return Poll::Ready(Ok(Some(frame)));
        }
    }
}

/// The same status, which came after the response had begun.
fn begun(status: Status) -> Status {
    let mut marked = status.clone();
    marked.set_source(Arc::new(Begun(status)));
    marked
}
