//! The attempts of a call, as the operation that the policy drives.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use redress_core::driver::{PollOperation, Timer};
use redress_core::error::Failure;
use redress_core::{Attempt, Classification, Classifier};
use redress_http::blames_connection;

use crate::error::HyperError;
use crate::read_ahead::ReadAhead;
use crate::request_replay::{Allowed, Answer, RequestReplay};
use crate::response_body::ResponseBody;
use crate::transport::Transport;

/// The attempts of a call, as the policy's operation. `begin` sends the request of an attempt. Its
/// flag says whether another attempt may follow, so that a failed response should be read ahead.
///
/// **Invariant N2**: a call that waits or is over has no open exchange. Its response was read to
/// the end or is dropped, upon which hyper closes the connection or resets the stream. The same
/// holds if the call is dropped or panics.
pub(crate) struct Attempts<'p, B, S, F> {
    replay: RequestReplay<B>,
    begin: S,
    running: Pin<&'p mut Option<F>>,
}

impl<'p, B, S, F> Attempts<'p, B, S, F> {
    pub(crate) const fn new(replay: RequestReplay<B>, begin: S, running: Pin<&'p mut Option<F>>) -> Self {
        Self { replay, begin, running }
    }
}

impl<B, S, F> Drop for Attempts<'_, B, S, F> {
    fn drop(&mut self) {
        // ORDER: the attempt ends before the call, which returns the permit. `running` outlives
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
        let request = self.replay.request_for(attempt);
        let is_followed = self.replay.may_follow(attempt);
        self.running.set(request.map(|request| (self.begin)(request, attempt, is_followed)));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<ResponseBody<R>>, HyperError>> {
        // `retry_forbidden` reports a request that cannot be replayed after the previous attempt.
        // This handles a driver that starts another attempt anyway.
        let Some(running) = self.running.as_mut().as_pin_mut() else { return Poll::Ready(Err(HyperError::spent())) };
        running.poll(cx)
    }

    fn stop(&mut self) {
        self.running.set(None);
    }

    fn retry_forbidden(&mut self, failure: &Answer<ResponseBody<R>>, meaning: &Classification) -> Option<&'static str> {
        self.replay.retry_forbidden(failure, meaning)
    }

    fn before_wait(&mut self, failure: &mut Answer<ResponseBody<R>>) {
        self.replay.repeat_after(failure);
        if let Failure::Result(response) = failure {
            response.body_mut().discard_rest();
        }
    }
}

/// Sends one attempt and receives the response's head. If the response will be retried, reads its
/// body ahead within the bound.
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
        // The retry avoids a blamed connection, so there is no point in freeing it.
        let is_wanted = answer.is_some_and(|status| !blames_connection(status));
        if is_wanted && !time.is_zero() && classifier.classify(&result).is_some_and(is_retried) {
            if let Ok(response) = &mut result {
                response.body_mut().read_ahead(ahead.drain.max_bytes(), timer.sleep(time)).await;
            }
        }
    }
    result
}

/// Whether a failure of this classification can be retried. The policy may still stop.
fn is_retried(failure: &Classification) -> bool {
    failure.class().is_retryable() && !failure.is_abort() && failure.retry_forbidden().is_none()
}
