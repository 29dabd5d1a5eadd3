//! The future of a call through the service, and the conversion of its outcome to a response or an
//! error.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use redress_core::driver::{BoxedContext, LateFailure, PollCall, Timer};
use redress_core::policy::CallSettings;
use redress_core::{AsyncPolicy, CallContext, CallError, Classifier, RetryOutcome};
use tower_service::Service;

use crate::protocol::Protocol;
use crate::request_replay::RequestReplay;

pin_project! {
    /// One call through a [`PolicyService`](crate::PolicyService).
    ///
    /// When the call ends or panics, it drops its instance of the inner service.
    ///
    /// # Panics
    ///
    /// If it is polled after completion, or if the inner service, the classifier, the protocol or a
    /// strategy panics.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt, stops the call, and returns the breaker's permit.
    #[must_use = "a call does nothing unless it is polled"]
    pub struct PolicyFuture<S, Req, C, Tm, X>
    where
        S: Service<Req>,
        Tm: Timer,
    {
        // ORDER: the attempt and its service are dropped before the call, which returns the permit.
        #[pin]
        running: Option<S::Future>,
        #[pin]
        sleep: Option<Tm::Sleep>,
        replay: RequestReplay<S, Req, X, Tm>,
        call: PollCall<'static, S::Response, S::Error, C, Tm>,
    }
}

impl<S, Req, C, Tm, X> PolicyFuture<S, Req, C, Tm, X>
where
    S: Service<Req>,
    Tm: Timer,
    X: Protocol<Req, S::Response>,
{
    #[inline]
    pub(crate) fn new(
        service: S,
        policy: AsyncPolicy<C, Tm>,
        context: Option<BoxedContext<'static, S::Error>>,
        protocol: X,
        request: Req,
    ) -> Self
    where
        Tm: Clone,
    {
        let settings = context.as_ref().map(BoxedContext::settings);
        let is_watched = policy.is_watched() || settings.is_some_and(CallSettings::is_watched);
        let context = if is_watched { named(context, &protocol, &request) } else { context };
        let (allowed, timer) = (policy.max_attempts(), policy.timer().clone());
        let call = policy.into_poll_call(context);
        let replay = RequestReplay::new(service, (protocol, timer), allowed, request);
        Self { running: None, sleep: None, replay, call }
    }
}

/// Adds the protocol's name for a request to a context without a name.
#[cold]
fn named<Req, Response, E, X: Protocol<Req, Response>>(
    context: Option<BoxedContext<'static, E>>,
    protocol: &X,
    request: &Req,
) -> Option<BoxedContext<'static, E>> {
    if context.as_ref().is_some_and(|context| context.settings().operation().is_some()) {
        return context;
    }
    let Some(name) = protocol.operation(request) else { return context };
    let mut context = context.unwrap_or_else(|| CallContext::new().into());
    context.set_operation(name);
    Some(context)
}

impl<S, Req, C, Tm, X> PolicyFuture<S, Req, C, Tm, X>
where
    S: Service<Req> + Clone,
    C: Classifier<S::Response, S::Error>,
    Tm: Timer,
    X: Protocol<Req, S::Response>,
{
    /// Returns a handle that reports a later failure of the response to the policy's breaker, for a
    /// response whose body is still being received. See [`PollCall::late_failure`].
    pub fn late_failure(&self) -> Option<LateFailure<Tm>>
    where
        Tm: Clone,
    {
        self.call.late_failure()
    }

    /// Polls the call to its full outcome, for integrations that do not report failures as a
    /// [`CallError`]. Awaiting the future instead returns the response or the error of the same
    /// outcome. This method does not call [`Protocol::ended`].
    ///
    /// # Panics
    ///
    /// As the future does.
    ///
    /// # Cancel safety
    ///
    /// As the future's.
    pub fn poll_outcome(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<RetryOutcome<S::Response, S::Error>> {
        let this = self.project();
        this.replay.drive(this.running, this.call, |call, attempts| call.poll(attempts, this.sleep, cx))
    }
}

impl<S, Req, C, Tm, X> Future for PolicyFuture<S, Req, C, Tm, X>
where
    S: Service<Req> + Clone,
    C: Classifier<S::Response, S::Error>,
    Tm: Timer,
    X: Protocol<Req, S::Response>,
{
    type Output = Result<S::Response, CallError<S::Error>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.replay.protocol().observes_outcome() {
            let this = self.project();
            return this
                .replay
                .drive(this.running, this.call, |call, attempts| call.poll_last_value(attempts, this.sleep, cx));
        }
        let outcome = ready!(self.as_mut().poll_outcome(cx));
        Poll::Ready(answer(self.project().replay.protocol(), outcome))
    }
}

/// The response, failed or not, if the call ended with one.
fn answer<Req, Res, E>(protocol: &impl Protocol<Req, Res>, outcome: RetryOutcome<Res, E>) -> Result<Res, CallError<E>> {
    let summary = outcome.summary().clone();
    let mut response = outcome.into_last_value()?;
    protocol.ended(&mut response, &summary);
    Ok(response)
}

impl<S, Req, C, Tm, X> fmt::Debug for PolicyFuture<S, Req, C, Tm, X>
where
    S: Service<Req>,
    Tm: Timer,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyFuture").finish_non_exhaustive()
    }
}
