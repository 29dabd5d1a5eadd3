//! The future of a call: attempts one after another, until the policy has an outcome.
//!
//! Owns what is sent in each attempt. Decides nothing: the policy's call does.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use redress_core::{AsyncPolicy, Attempt, CallError, Classifier, DrivenCall, Failure, Operation, RetryOutcome, Timer};
use tower_service::Service;

use crate::error::PolicyError;
use crate::exchange::Exchange;

pin_project! {
    /// One call through a [`PolicyService`](crate::PolicyService), with its attempts in place.
    ///
    /// # Panics
    ///
    /// If it is polled after its end, or if the service below, the classifier, the exchange or a strategy panics.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the attempt, stops the call where it is, and gives a breaker's permit back.
    #[must_use = "a call does nothing unless it is polled"]
    pub struct PolicyFuture<S, Req, C, Tm, X>
    where
        S: Service<Req>,
        Tm: Timer,
    {
        // ORDER: the attempt and its service are dropped before the call, which gives the permit back.
        #[pin]
        running: Option<S::Future>,
        #[pin]
        sleep: Option<Tm::Sleep>,
        sending: Sending<S, Req, X>,
        call: DrivenCall<'static, S::Response, S::Error, C, Tm>,
    }
}

/// What the attempts of a call have in common.
struct Sending<S, Req, X> {
    service: S,
    exchange: X,
    attempts_allowed: u32,
    /// What further attempts are made of.
    kept: Option<Req>,
    /// What the attempt that was started sends, until the service is ready for it.
    next: Option<Req>,
    /// Why there is nothing to send again.
    only_once: Option<&'static str>,
}

impl<S, Req, C, Tm, X> PolicyFuture<S, Req, C, Tm, X>
where
    S: Service<Req>,
    C: Clone,
    Tm: Timer + Clone,
    X: Exchange<Req, S::Response>,
{
    pub(crate) fn new(service: S, policy: &AsyncPolicy<C, Tm>, exchange: X, request: Req) -> Self {
        let name = if policy.is_watched() { exchange.operation(&request) } else { None };
        let call = policy.driven();
        let call = match name {
            Some(name) => call.operation(name),
            None => call,
        };
        let attempts_allowed = policy.max_attempts();
        let sending = Sending { service, exchange, attempts_allowed, kept: Some(request), next: None, only_once: None };
        Self { running: None, sleep: None, sending, call }
    }
}

impl<S, Req, C, Tm, X> Future for PolicyFuture<S, Req, C, Tm, X>
where
    S: Service<Req>,
    C: Classifier<S::Response, S::Error>,
    Tm: Timer,
    X: Exchange<Req, S::Response>,
{
    type Output = Result<S::Response, PolicyError<S::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome =
            ready!(this.call.poll(&mut Sent { sending: this.sending, running: this.running }, this.sleep, cx));
        Poll::Ready(answer(&this.sending.exchange, outcome))
    }
}

/// The response, good or bad, if the call ended with one.
fn answer<Req, Res, E>(
    exchange: &impl Exchange<Req, Res>,
    outcome: RetryOutcome<Res, E>,
) -> Result<Res, PolicyError<E>> {
    let summary = outcome.summary().clone();
    let mut response = outcome.into_result().or_else(CallError::try_into_last_result)?;
    exchange.ended(&mut response, &summary);
    Ok(response)
}

/// A call's attempts, for as long as it is polled.
struct Sent<'f, S: Service<Req>, Req, X> {
    sending: &'f mut Sending<S, Req, X>,
    running: Pin<&'f mut Option<S::Future>>,
}

impl<S, Req, X> Operation<S::Response, S::Error> for Sent<'_, S, Req, X>
where
    S: Service<Req>,
    X: Exchange<Req, S::Response>,
{
    fn start(&mut self, attempt: Attempt) {
        self.sending.next = self.sending.request_for::<S::Response>(attempt);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Response, S::Error>> {
        if self.running.is_none() {
            let Sending { service, next, .. } = &mut *self.sending;
            ready!(service.poll_ready(cx))?;
            let Some(request) = next.take() else { return Poll::Pending };
            self.running.set(Some(service.call(request)));
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

    fn before_wait(&mut self, failure: &mut Failure<S::Response, S::Error>) {
        if let Failure::Result(response) = failure {
            self.sending.exchange.discard(response);
        }
    }
}

impl<S, Req, X> Sending<S, Req, X> {
    /// The request of this attempt, with a copy kept if another may follow and there is one.
    fn request_for<Res>(&mut self, attempt: Attempt) -> Option<Req>
    where
        X: Exchange<Req, Res>,
    {
        let mut request = self.kept.take()?;
        if attempt.number() < self.attempts_allowed {
            match self.exchange.copy(&request) {
                Ok(copy) => self.kept = Some(copy),
                Err(why) => self.only_once = Some(why),
            }
        }
        self.exchange.prepare(&mut request, attempt);
        Some(request)
    }
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
