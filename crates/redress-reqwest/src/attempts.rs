//! The attempts of a call, as the operation that the policy drives, and one attempt.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use redress_core::driver::{PollOperation, Timer};
use redress_core::error::Failure;
use redress_core::{Attempt, Classification, Classifier};
use redress_http::{Drain, IdempotencyGuard, LastFailure, Repetition, RetrySafety, blames_connection};
use reqwest::{Request, Response};

use crate::exchanges;
use crate::kept_body::{discard_rest, keep, read_ahead};
use crate::replay::Replay;
use crate::wire::Refusal;

/// An attempt besides its request.
pub(crate) struct Step {
    pub(crate) attempt: Attempt,
    /// Another attempt may follow, so a bad response should be read ahead.
    pub(crate) is_followed: bool,
    /// For the middlewares below; `None` for the first attempt.
    #[cfg_attr(not(feature = "middleware"), expect(dead_code, reason = "the client itself does not read it"))]
    pub(crate) repetition: Option<Repetition>,
}

/// The attempts of a call. `begin` sends the request of an attempt.
///
/// As over hyper (invariant N2), a call that waits or is over has no open exchange: a response that
/// is retried was read to its end, or its rest is dropped before the wait.
pub(crate) struct Attempts<'p, S, F> {
    replay: Replay<Request>,
    begin: S,
    running: Pin<&'p mut Option<F>>,
    last_failure: Option<LastFailure>,
}

impl<'p, S, F> Attempts<'p, S, F> {
    pub(crate) const fn new(replay: Replay<Request>, begin: S, running: Pin<&'p mut Option<F>>) -> Self {
        Self { replay, begin, running, last_failure: None }
    }
}

impl<S, F> Drop for Attempts<'_, S, F> {
    fn drop(&mut self) {
        // ORDER: the attempt ends before the call, which returns the permit. `running` outlives
        // both.
        self.running.set(None);
    }
}

impl<E, S, F> PollOperation<Response, E> for Attempts<'_, S, F>
where
    E: Refusal,
    S: FnMut(Request, Step) -> F,
    F: Future<Output = Result<Response, E>>,
{
    fn start(&mut self, attempt: Attempt) {
        let request = self.replay.request_for(attempt);
        let is_followed = self.replay.may_follow(attempt);
        let repetition = self.last_failure.map(|failure| Repetition::new(attempt.number(), failure));
        let step = Step { attempt, is_followed, repetition };
        self.running.set(request.map(|request| (self.begin)(request, step)));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response, E>> {
        // `retry_forbidden` reports a request that cannot be sent again. This handles a driver that
        // starts another attempt anyway.
        let Some(running) = self.running.as_mut().as_pin_mut() else { return Poll::Ready(Err(E::spent())) };
        let (result, ended) = exchanges::during(|| running.poll(cx));
        self.replay.count(ended);
        result
    }

    fn stop(&mut self) {
        self.running.set(None);
    }

    fn retry_forbidden(&mut self, failure: &Failure<Response, E>, meaning: &Classification) -> Option<&'static str> {
        let answer = failure.result().map(Response::status);
        self.last_failure = Some(LastFailure::of(failure.cause(), answer, meaning));
        self.replay.retry_forbidden(&failure.into(), meaning)
    }

    fn before_wait(&mut self, failure: &mut Failure<Response, E>) {
        if let Failure::Result(response) = failure {
            discard_rest(response);
        }
    }
}

/// How a response that will be retried is read ahead: within this bound, by the clock and timer of
/// the policy.
pub(crate) struct ReadAhead<'t, Tm> {
    drain: Drain,
    attempt: Attempt,
    timer: &'t Tm,
    started: Instant,
}

impl<'t, Tm: Timer> ReadAhead<'t, Tm> {
    /// Call it when the attempt starts. `None` if no attempt may follow.
    pub(crate) fn of(step: &Step, drain: Drain, timer: &'t Tm) -> Option<Self> {
        let attempt = step.attempt;
        step.is_followed.then(|| Self { drain, attempt, timer, started: timer.now() })
    }

    /// Reads the body of a response that will be retried, so that its connection can be reused.
    pub(crate) async fn apply<E, C>(
        self,
        response: Response,
        classifier: &C,
        (guard, safety): (IdempotencyGuard, RetrySafety),
    ) -> Result<Response, E>
    where
        C: Classifier<Response, E>,
    {
        let status = response.status();
        let result = Ok(response);
        let is_retried =
            |failure: Classification| is_retried(&failure) && guard.after(safety, Some(status), &failure).may_retry();
        if !classifier.classify(&result).is_some_and(is_retried) {
            return result;
        }
        let mut response = keep(result?);
        let elapsed = self.timer.now().saturating_duration_since(self.started);
        let time = self.drain.time(self.attempt.time_left().map(|had| had.saturating_sub(elapsed)));
        // The retry avoids a blamed connection, so there is no point in freeing it.
        if !time.is_zero() && !blames_connection(status) {
            read_ahead(&mut response, self.drain.max_bytes(), self.timer.sleep(time)).await;
        }
        Ok(response)
    }
}

/// Whether a failure of this classification can be retried. The policy may still stop.
fn is_retried(failure: &Classification) -> bool {
    failure.class().is_retryable() && !failure.is_abort() && failure.retry_forbidden().is_none()
}
