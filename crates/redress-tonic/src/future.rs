//! The future of a call: attempts one after another, until the policy has an outcome.
//!
//! Owns what is sent in each attempt. Decides nothing: the policy's call does.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use redress_core::{AsyncPolicy, Attempt, Classifier, DrivenCall, Operation, Timer};
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
    attempts_allowed: u32,
    /// What further attempts are made of.
    kept: Option<Request<RequestBody>>,
    /// What the attempt sends that has been started, until the channel is ready for it.
    next: Option<Request<RequestBody>>,
    /// Why there is nothing to send again.
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

    /// A call of this policy, with its name if somebody hears it.
    pub(crate) fn called(
        channel: Attempts<S>,
        request: Request<RequestBody>,
        policy: &AsyncPolicy<C, Tm>,
        name: Option<Cow<'static, str>>,
    ) -> Self
    where
        C: Clone,
        Tm: Clone,
    {
        let call = policy.driven();
        let call = match name {
            Some(name) => call.operation(name),
            None => call,
        };
        let attempts_allowed = policy.max_attempts();
        let sending = Sending { channel, attempts_allowed, kept: Some(request), next: None, only_once: None };
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
            StateProjection::Called { running, sleep, sending, call } => {
                let outcome = ready!(call.poll(&mut Sent { sending, running }, sleep, cx));
                Poll::Ready(into_answer(outcome))
            }
        }
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
        if self.running.is_none() {
            let Sending { channel, next, .. } = &mut *self.sending;
            ready!(channel.poll_ready(cx))?;
            let Some(request) = next.take() else { return Poll::Pending };
            self.running.set(Some(channel.call(request)));
        }
        self.running.as_mut().as_pin_mut().map_or(Poll::Pending, |running| running.poll(cx))
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
    /// The request of this attempt, with a copy kept if another may follow and there is one.
    fn request_for(&mut self, attempt: Attempt) -> Option<Request<RequestBody>> {
        let mut request = self.kept.take()?;
        if attempt.number() < self.attempts_allowed {
            match copy(&request) {
                Ok(copy) => self.kept = Some(copy),
                Err(why) => self.only_once = Some(why),
            }
        }
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
