//! The service: every request goes through a policy on its way to the service below.
//!
//! Owns the way from a request to the future of its call. Runs nothing; `future.rs` does.

use std::task::{Context, Poll};

use redress_core::{Classifier, Timer};
use tower_service::Service;

use crate::error::PolicyError;
use crate::exchange::Exchange;
use crate::future::PolicyFuture;
use crate::source::PolicySource;

/// A service whose calls go through a policy. Made by [`PolicyLayer`](crate::PolicyLayer).
///
/// - **Classification**: the policy's classifier reads the service's `Result<Response, Error>`, so a bad response is a failure like an
///   error. One that the policy gives up on is the call's response all the same; only what has no response is a
///   [`PolicyError`].
/// - **Readiness**: this service is always ready. Each attempt waits for a clone of the service below to be ready and then calls that clone. So
///   an open breaker rejects although nothing below is ready, an attempt's timeout holds for the wait, and a service that fails to become
///   ready is a failure like any other. Backpressure from below is felt by the calls, not by `poll_ready`; a limit on calls belongs
///   outside.
/// - **Allocation**: the call, the attempt and its timeout lie in the future. Nothing is boxed.
///
/// # Cancel safety
///
/// Dropping the future drops the attempt, stops the call where it is, and gives a breaker's permit back.
#[derive(Clone, Debug)]
pub struct PolicyService<S, P, X> {
    inner: S,
    policy: P,
    exchange: X,
}

impl<S, P, X> PolicyService<S, P, X> {
    pub(crate) const fn new(inner: S, policy: P, exchange: X) -> Self {
        Self { inner, policy, exchange }
    }

    /// The service below.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service below, to be changed.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service below, by value.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, Req, P, X> Service<Req> for PolicyService<S, P, X>
where
    S: Service<Req> + Clone,
    P: PolicySource<Req>,
    P::Classifier: Classifier<S::Response, S::Error> + Clone,
    P::Timer: Timer + Clone,
    X: Exchange<Req, S::Response> + Clone,
{
    type Response = S::Response;
    type Error = PolicyError<S::Error>;
    type Future = PolicyFuture<S, Req, P::Classifier, P::Timer, X>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let policy = self.policy.policy(&request);
        let policy = if self.exchange.skips(&request) { policy.bare() } else { policy };
        PolicyFuture::new(self.inner.clone(), &policy, self.exchange.clone(), request)
    }
}
