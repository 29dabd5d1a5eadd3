//! What a call sends, attempt by attempt: the request or a copy of it, to an instance that is ready for it.
//!
//! Owns copies and readiness. Where the attempt's future lies is the caller's affair; whether there is another attempt is the policy's.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use redress_core::Attempt;
use redress_core::driver::PollOperation;
use redress_core::error::Failure;
use tower_service::Service;

use crate::exchange::Protocol;

/// What the attempts of a call have in common.
pub(crate) struct Sending<S, Req, X> {
    service: S,
    protocol: X,
    attempts_allowed: u32,
    /// What further attempts are made of.
    kept: Option<Req>,
    /// What the attempt that was started sends, until the service is ready for it.
    next: Option<Req>,
    /// Why there is nothing to send again.
    only_once: Option<&'static str>,
}

impl<S, Req, X> Sending<S, Req, X> {
    pub(crate) const fn new(service: S, protocol: X, attempts_allowed: u32, request: Req) -> Self {
        Self { service, protocol, attempts_allowed, kept: Some(request), next: None, only_once: None }
    }

    pub(crate) const fn protocol(&self) -> &X {
        &self.protocol
    }

    /// The attempts as an operation, for one poll; `running` is where the service's future lies between polls.
    pub(crate) const fn attempts<'p>(&'p mut self, running: Pin<&'p mut Option<S::Future>>) -> Attempts<'p, S, Req, X>
    where
        S: Service<Req>,
    {
        Attempts { sending: self, running }
    }

    /// The request of this attempt, with a copy kept if another may follow and there is one.
    fn request_for<Res>(&mut self, attempt: Attempt) -> Option<Req>
    where
        X: Protocol<Req, Res>,
    {
        let mut request = self.kept.take()?;
        if attempt.number() < self.attempts_allowed {
            match self.protocol.copy(&request) {
                Ok(copy) => self.kept = Some(copy),
                Err(why) => self.only_once = Some(why),
            }
        }
        self.protocol.prepare(&mut request, attempt);
        Some(request)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>>
    where
        S: Service<Req> + Clone,
    {
        let readiness = ready!(self.service.poll_ready(cx));
        if readiness.is_err() {
            // tower's contract: an instance that failed to become ready is not to be used again.
            self.service = self.service.clone();
        }
        Poll::Ready(readiness)
    }
}

/// A call's attempts, for as long as it is polled.
pub(crate) struct Attempts<'p, S: Service<Req>, Req, X> {
    sending: &'p mut Sending<S, Req, X>,
    running: Pin<&'p mut Option<S::Future>>,
}

impl<S, Req, X> PollOperation<S::Response, S::Error> for Attempts<'_, S, Req, X>
where
    S: Service<Req> + Clone,
    X: Protocol<Req, S::Response>,
{
    #[inline]
    fn start(&mut self, attempt: Attempt) {
        self.sending.next = self.sending.request_for::<S::Response>(attempt);
    }

    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Response, S::Error>> {
        if self.running.is_none() {
            ready!(self.sending.poll_ready(cx))?;
            // Each attempt is started before it is polled, and one without a copy to send is forbidden.
            let request = self.sending.next.take().expect("an attempt has a request");
            self.running.set(Some(self.sending.service.call(request)));
        }
        self.running.as_mut().as_pin_mut().map_or(Poll::Pending, |running| running.poll(cx))
    }

    #[inline]
    fn stop(&mut self) {
        self.running.set(None);
        self.sending.next = None;
    }

    fn retry_forbidden(&self) -> Option<&'static str> {
        self.sending.only_once
    }

    fn before_wait(&mut self, failure: &mut Failure<S::Response, S::Error>) {
        if let Failure::Result(response) = failure {
            self.sending.protocol.discard(response);
        }
    }
}
