//! The future of a call: attempts one after another, until the policy has an outcome.
//!
//! Owns what is sent in each attempt. Decides nothing: the policy's call does.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use redress_core::{Attempt, Classifier, DrivenCall, Operation, Timer};
use tonic::Status;
use tonic::body::Body;
use tower_service::Service;

use crate::attempt::{AttemptFuture, Attempts};
use crate::error::into_answer;
use crate::grpc_timeout;
use crate::replay::{RequestBody, copy};
use crate::response_body::ResponseBody;
use crate::transport_error::BoxError;

/// Tells the server how many attempts it has had, as [gRFC
/// A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#exposed-retry-metadata) has it.
const PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

type Answer = Result<Response<ResponseBody>, Status>;

pin_project! {
    /// One call through a [`GrpcService`](crate::GrpcService).
    ///
    /// # Cancel safety
    ///
    /// Dropping it resets the stream of the attempt under way, and gives a breaker's permit back. What the server has begun it may
    /// finish.
    #[must_use = "a call does nothing unless it is polled"]
    pub struct GrpcFuture<S, C, Tm>
    where
        S: Service<Request<Body>>,
        Tm: Timer,
    {
        #[pin]
        state: State<S, C, Tm>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, C, Tm>
    where
        S: Service<Request<Body>>,
        Tm: Timer,
    {
        // The request could not be read, so nothing is sent.
        Refused { status: Option<Status> },
        // No policy has a say.
        Skipped { request: Option<Request<RequestBody>>, channel: Attempts<S>, #[pin] running: Option<AttemptFuture<S::Future>> },
        // ORDER: the attempt is dropped before the call, which gives the permit back.
        Called {
            #[pin]
            running: Option<AttemptFuture<S::Future>>,
            #[pin]
            sleep: Option<Tm::Sleep>,
            sending: Sending<S>,
            call: DrivenCall<'static, Response<ResponseBody>, Status, C, Tm>,
        },
    }
}

/// What the attempts of a call have in common.
struct Sending<S> {
    channel: Attempts<S>,
    /// What further attempts are made of.
    kept: Option<Request<RequestBody>>,
    /// What the attempt sends that has been started, until the channel is ready for it.
    next: Option<Request<RequestBody>>,
    only_once: Option<&'static str>,
}

impl<S, C, Tm> GrpcFuture<S, C, Tm>
where
    S: Service<Request<Body>>,
    Tm: Timer,
{
    pub(crate) const fn refused(status: Status) -> Self {
        Self { state: State::Refused { status: Some(status) } }
    }

    pub(crate) const fn skipped(channel: Attempts<S>, request: Request<RequestBody>) -> Self {
        Self { state: State::Skipped { request: Some(request), channel, running: None } }
    }

    pub(crate) fn called(
        channel: Attempts<S>,
        request: Request<RequestBody>,
        call: DrivenCall<'static, Response<ResponseBody>, Status, C, Tm>,
    ) -> Self {
        let only_once = request.body().only_once();
        let sending = Sending { channel, kept: Some(request), next: None, only_once };
        Self { state: State::Called { running: None, sleep: None, sending, call } }
    }
}

impl<S, B, C, Tm> Future for GrpcFuture<S, C, Tm>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    C: Classifier<Response<ResponseBody>, Status>,
    Tm: Timer,
{
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match self.project().state.project() {
            StateProjection::Refused { status } => {
                let status = status.take();
                Poll::Ready(Err(status.unwrap_or_else(|| panic!("a call was polled after its end"))))
            }
            StateProjection::Skipped { request, channel, running } => poll_attempt(channel, request, running, cx),
            StateProjection::Called { running, sleep, sending, call } => {
                let outcome = ready!(call.poll(&mut Sent { sending, running }, sleep, cx));
                Poll::Ready(into_answer(outcome))
            }
        }
    }
}

/// An attempt's way: the channel becomes ready, takes the request, and answers.
fn poll_attempt<S, B>(
    channel: &mut Attempts<S>,
    request: &mut Option<Request<RequestBody>>,
    mut running: Pin<&mut Option<AttemptFuture<S::Future>>>,
    cx: &mut Context<'_>,
) -> Poll<Answer>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    if running.is_none() {
        ready!(channel.poll_ready(cx))?;
        let request = request.take().unwrap_or_else(|| panic!("an attempt was polled after its end"));
        running.set(Some(channel.call(request)));
    }
    match running.as_pin_mut() {
        Some(running) => running.poll(cx),
        None => Poll::Pending,
    }
}

/// A call's attempts, for as long as it is polled.
struct Sent<'f, S: Service<Request<Body>>> {
    sending: &'f mut Sending<S>,
    running: Pin<&'f mut Option<AttemptFuture<S::Future>>>,
}

impl<S, B> Operation<Response<ResponseBody>, Status> for Sent<'_, S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn start(&mut self, attempt: Attempt) {
        self.sending.next = self.sending.request_for(attempt);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        let Sending { channel, next, .. } = &mut *self.sending;
        poll_attempt(channel, next, self.running.as_mut(), cx)
    }

    fn stop(&mut self) {
        self.running.set(None);
        self.sending.next = None;
    }

    fn retry_forbidden(&self) -> Option<&'static str> {
        self.sending.only_once
    }
}

impl<S> Sending<S> {
    /// The request of this attempt: a copy where it can be sent again, else the request itself.
    fn request_for(&mut self, attempt: Attempt) -> Option<Request<RequestBody>> {
        let mut request = match self.kept.as_ref().and_then(copy) {
            Some(copy) => copy,
            None => self.kept.take()?,
        };
        let headers = request.headers_mut();
        if attempt.number() > 1 {
            headers.insert(PREVIOUS_ATTEMPTS, HeaderValue::from(attempt.number() - 1));
        }
        if let Some(time_left) = attempt.time_left() {
            grpc_timeout::limit(headers, time_left);
        }
        Some(request)
    }
}

impl<S, C, Tm> fmt::Debug for GrpcFuture<S, C, Tm>
where
    S: Service<Request<Body>>,
    Tm: Timer,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcFuture").finish_non_exhaustive()
    }
}
