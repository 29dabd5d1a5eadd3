//! The attempts of a call: what each of them sends, and what is left of a response before the wait.
//!
//! Owns the request between attempts, and whether it may be sent again. Decides nothing else: the
//! policy's call does.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Body;
use redress_core::driver::{PollOperation, Timer};
use redress_core::error::Failure;
use redress_core::{Attempt, Classification, Classifier};
use redress_http::{IdempotencyGuard, LastFailure, Repetition, ReplayBody, RetrySafety, blames_connection};

use crate::error::HyperError;
use crate::progress::Progress;
use crate::read_ahead::ReadAhead;
use crate::response_body::ResponseBody;
use crate::transport::Transport;

/// Whether a request may be sent again, as far as its head says.
#[derive(Clone, Copy)]
pub(crate) struct Allowed {
    guard: IdempotencyGuard,
    safety: RetrySafety,
}

impl Allowed {
    pub(crate) fn of(guard: IdempotencyGuard, parts: &Parts) -> Self {
        Self { guard, safety: guard.safety(&parts.method, &parts.headers) }
    }

    fn after(self, answer: Option<StatusCode>, failure: &Classification) -> RetrySafety {
        self.guard.after(self.safety, answer, failure)
    }
}

/// What every attempt sends.
pub(crate) struct Outgoing<B> {
    parts: Option<Parts>,
    body: ReplayBody<B>,
    allowed: Allowed,
    attempts_allowed: u32,
    /// The attempt that was started, counted from 1.
    number: u32,
    /// What the next attempt is told.
    repetition: Option<Repetition>,
    /// How far the attempt has come.
    progress: Progress,
}

impl<B> Outgoing<B> {
    pub(crate) fn new(parts: Parts, body: ReplayBody<B>, allowed: Allowed, attempts_allowed: u32) -> Self {
        let (parts, progress) = (Some(parts), Progress::default());
        Self { parts, body, allowed, attempts_allowed, number: 0, repetition: None, progress }
    }

    /// The request of this attempt; the same head each time, but for what a repetition is told.
    fn request_for(&mut self, attempt: Attempt) -> Option<Request<B>> {
        self.number = attempt.number();
        let is_last = attempt.number() >= self.attempts_allowed;
        let parts = if is_last { self.parts.take() } else { self.parts.clone() };
        let mut request = Request::from_parts(parts?, self.body.next(is_last)?);
        if let Some(repetition) = self.repetition {
            request.extensions_mut().insert(repetition);
        }
        self.progress.reset();
        request.extensions_mut().insert(self.progress.clone());
        Some(request)
    }

    /// Whether another attempt could follow this one, if what it fails with allows that.
    fn may_follow(&self, attempt: Attempt) -> bool {
        attempt.number() < self.attempts_allowed && self.body.is_replayable()
    }

    fn retry_forbidden<R>(&self, failure: &Answer<R>, meaning: &Classification) -> Option<&'static str> {
        // A classifier of the user's need not know what this crate's errors say, and none hears of
        // a timeout.
        let is_unsent = match failure {
            Failure::Error(error) => error.is_unsent(),
            Failure::Timeout => self.progress.is_connecting(),
            _ => false,
        };
        let answer = failure.result().map(Response::status);
        let safety = match is_unsent {
            true => self.allowed.after(answer, &meaning.clone().unsent()),
            false => self.allowed.after(answer, meaning),
        };
        safety.with_body(self.body.is_replayable()).retry_forbidden()
    }

    /// Another attempt follows.
    fn repeat_after<R>(&mut self, failure: &Answer<R>) {
        let why = match failure {
            Failure::Result(response) => LastFailure::Answer(response.status()),
            Failure::Timeout => LastFailure::Timeout,
            Failure::Error(error) if error.is_connection() => LastFailure::Connection,
            _ => LastFailure::Error,
        };
        self.repetition = Some(Repetition::new(self.number + 1, why));
    }
}

type Answer<R> = Failure<Response<R>, HyperError>;

/// The attempts of a call, for as long as it is polled. `begin` sends the request of an attempt;
/// the flag says whether another attempt may follow, so that a bad response should be read ahead.
///
/// **Invariant N2**: a call that waits or is over has no exchange open. Its response has been read
/// to the end or is dropped, with which hyper closes the connection or resets the stream, and so it
/// is when the call is dropped or panics.
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
        // ORDER: the attempt ends before the call, which gives the permit back. Its place outlives
        // both.
        self.running.set(None);
    }
}

impl<B, R, S, F> PollOperation<Response<ResponseBody<R>>, HyperError> for Attempts<'_, B, S, F>
where
    R: Body + Unpin,
    R::Data: Unpin,
    R::Error: Into<Box<dyn Error + Send + Sync>>,
    S: FnMut(Request<B>, Attempt, bool) -> F,
    F: Future<Output = Result<Response<ResponseBody<R>>, HyperError>>,
{
    fn start(&mut self, attempt: Attempt) {
        let request = self.outgoing.request_for(attempt);
        let is_followed = self.outgoing.may_follow(attempt);
        self.running.set(request.map(|request| (self.begin)(request, attempt, is_followed)));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<ResponseBody<R>>, HyperError>> {
        // Nothing to send again is said after the attempt before; this is for a policy that would
        // go on all the same.
        let Some(running) = self.running.as_mut().as_pin_mut() else { return Poll::Ready(Err(HyperError::spent())) };
        running.poll(cx)
    }

    fn stop(&mut self) {
        self.running.set(None);
    }

    fn retry_forbidden(&mut self, failure: &Answer<ResponseBody<R>>, meaning: &Classification) -> Option<&'static str> {
        self.outgoing.retry_forbidden(failure, meaning)
    }

    fn before_wait(&mut self, failure: &mut Answer<ResponseBody<R>>) {
        self.outgoing.repeat_after(failure);
        if let Failure::Result(response) = failure {
            response.body_mut().discard_rest();
        }
    }
}

/// One attempt: to the head of the response and, if that is a failure that may be followed by
/// another attempt, to the end of its body within the bound.
pub(crate) async fn send_once<T, C, Tm>(
    transport: T,
    request: Request<T::RequestBody>,
    (classifier, timer): (&C, &Tm),
    (allowed, ahead): (Allowed, Option<ReadAhead>),
) -> Result<Response<ResponseBody<T::ResponseBody>>, HyperError>
where
    T: Transport,
    C: Classifier<Response<ResponseBody<T::ResponseBody>>, HyperError>,
    Tm: Timer,
{
    let mut result = Ok(transport.send(request).await?.map(ResponseBody::new));
    if let Some(ahead) = ahead {
        let time = ahead.time(timer);
        let answer = result.as_ref().ok().map(Response::status);
        let is_retried = |failure: Classification| is_retried(&failure) && allowed.after(answer, &failure).may_retry();
        // A connection that is to be avoided is not worth freeing.
        let is_wanted = answer.is_some_and(|status| !blames_connection(status));
        if is_wanted && !time.is_zero() && classifier.classify(&result).is_some_and(is_retried) {
            if let Ok(response) = &mut result {
                response.body_mut().read_ahead(ahead.drain.max_bytes(), timer.sleep(time)).await;
            }
        }
    }
    result
}

/// Whether such a failure is followed by another attempt, as far as the failure alone says.
fn is_retried(failure: &Classification) -> bool {
    failure.class().is_retryable() && !failure.is_abort() && failure.retry_forbidden().is_none()
}
