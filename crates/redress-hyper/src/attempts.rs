//! The attempts of a call: what each of them sends, and what is left of a response before the wait.
//!
//! Owns the request between attempts, and whether it may be sent again. Decides nothing else: the policy's call does.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use redress_core::driver::{PollOperation, Timer};
use redress_core::error::Failure;
use redress_core::{Attempt, Classification, Classifier};
use redress_http::RetrySafety;

use crate::error::HyperError;
use crate::read_ahead::ReadAhead;
use crate::replay_body::ReplayBody;
use crate::response_body::ResponseBody;
use crate::transport::Transport;

/// What every attempt sends.
pub(crate) struct Outgoing<B> {
    parts: Option<Parts>,
    body: ReplayBody<B>,
    safety: RetrySafety,
    attempts_allowed: u32,
    /// Whether the last attempt failed before it could send anything.
    unsent: bool,
}

impl<B> Outgoing<B> {
    pub(crate) const fn new(parts: Parts, body: ReplayBody<B>, safety: RetrySafety, attempts_allowed: u32) -> Self {
        Self { parts: Some(parts), body, safety, attempts_allowed, unsent: false }
    }

    /// The request of this attempt; the same head each time.
    fn request_for(&mut self, attempt: Attempt) -> Option<Request<B>> {
        let is_last = attempt.number() >= self.attempts_allowed;
        let parts = if is_last { self.parts.take() } else { self.parts.clone() };
        Some(Request::from_parts(parts?, self.body.next(is_last)?))
    }

    /// Whether a failed response of this attempt may be followed by another attempt.
    fn may_follow(&self, attempt: Attempt) -> bool {
        attempt.number() < self.attempts_allowed && self.safety.with_body(self.body.is_replayable()).may_retry()
    }

    fn retry_forbidden(&self) -> Option<&'static str> {
        let safety = self.safety.if_never_sent(self.unsent).with_body(self.body.is_replayable());
        (!safety.may_retry()).then(|| safety.as_str())
    }
}

/// The attempts of a call, for as long as it is polled. `begin` sends a request; the flag says whether a bad response should be read
/// ahead, because another attempt may follow.
pub(crate) struct Attempts<'p, B, S, F> {
    outgoing: Outgoing<B>,
    begin: S,
    running: Pin<&'p mut Option<F>>,
}

impl<'p, B, S, F> Attempts<'p, B, S, F> {
    pub(crate) const fn new(outgoing: Outgoing<B>, begin: S, running: Pin<&'p mut Option<F>>) -> Self {
        Self { outgoing, begin, running }
    }
}

impl<B, S, F> Drop for Attempts<'_, B, S, F> {
    fn drop(&mut self) {
        // ORDER: the attempt ends before the call, which gives the permit back. Its place outlives both.
        self.running.set(None);
    }
}

impl<B, R, S, F> PollOperation<Response<ResponseBody<R>>, HyperError> for Attempts<'_, B, S, F>
where
    R: Body + Unpin,
    R::Data: Unpin,
    R::Error: Into<Box<dyn Error + Send + Sync>>,
    S: FnMut(Request<B>, Option<Attempt>) -> F,
    F: Future<Output = Result<Response<ResponseBody<R>>, HyperError>>,
{
    fn start(&mut self, attempt: Attempt) {
        self.outgoing.unsent = false;
        let request = self.outgoing.request_for(attempt);
        let followed = self.outgoing.may_follow(attempt).then_some(attempt);
        self.running.set(request.map(|request| (self.begin)(request, followed)));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<ResponseBody<R>>, HyperError>> {
        // Nothing to send again is said after the attempt before; this is for a policy that would go on all the same.
        let Some(running) = self.running.as_mut().as_pin_mut() else { return Poll::Ready(Err(HyperError::spent())) };
        let result = ready!(running.poll(cx));
        self.outgoing.unsent = result.as_ref().is_err_and(HyperError::is_unsent);
        Poll::Ready(result)
    }

    fn stop(&mut self) {
        self.running.set(None);
    }

    fn retry_forbidden(&self) -> Option<&'static str> {
        self.outgoing.retry_forbidden()
    }

    fn before_wait(&mut self, failure: &mut Failure<Response<ResponseBody<R>>, HyperError>) {
        if let Failure::Result(response) = failure {
            response.body_mut().discard_rest();
        }
    }
}

/// One attempt: to the head of the response and, if that is a failure that may be followed by another attempt, to the end of its body
/// within the bound.
pub(crate) async fn exchange<T, C, Tm>(
    transport: T,
    request: Request<T::RequestBody>,
    (classifier, timer): (&C, &Tm),
    ahead: Option<ReadAhead>,
) -> Result<Response<ResponseBody<T::ResponseBody>>, HyperError>
where
    T: Transport,
    C: Classifier<Response<ResponseBody<T::ResponseBody>>, HyperError>,
    Tm: Timer,
{
    let mut result = Ok(transport.send(request).await?.map(ResponseBody::new));
    if let Some(ahead) = ahead {
        let time = ahead.time(timer);
        if !time.is_zero() && classifier.classify(&result).is_some_and(|failure| is_retried(&failure)) {
            if let Ok(response) = &mut result {
                response.body_mut().read_ahead(ahead.drain.max_bytes, timer.sleep(time)).await;
            }
        }
    }
    result
}

/// Whether such a failure is followed by another attempt, as far as the failure alone says.
fn is_retried(failure: &Classification) -> bool {
    failure.class().is_retryable() && !failure.is_abort() && failure.retry_forbidden().is_none()
}
