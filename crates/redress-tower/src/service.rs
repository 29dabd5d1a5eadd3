//! The service: every request goes through a policy on its way to the service below.
//!
//! Owns the way from a request to the future of its call. Runs nothing; `future.rs` does.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};

use redress_core::driver::{PollCall, Timer};
use redress_core::policy::RetryHook;
use redress_core::{AsyncPolicy, CallContext, CallError, Classifier, RetryOutcome};
use tower_service::Service;

use crate::future::PolicyFuture;
use crate::layer::ForAll;
use crate::protocol::Protocol;
use crate::sending::Sending;
use crate::source::PolicyProvider;

/// A service whose calls go through a policy. Made by [`PolicyLayer`](crate::PolicyLayer).
///
/// - **Classification**: the policy's classifier reads the service's `Result<Response, Error>`, so
///   a bad response is a failure like an error. One that the policy gives up on is the call's
///   response all the same; only what has no response is a [`CallError`].
/// - **Readiness**: this service is always ready. Each attempt waits for a clone of the service
///   below to be ready and then calls that clone. So an open breaker rejects although nothing below
///   is ready, an attempt's timeout holds for the wait, and a service that fails to become ready is
///   a failure like any other: the next attempt is made on a new clone. What an attempt has
///   reserved below, such as a place in a limit, is free while the call waits for the next one,
///   however the attempt ended. Backpressure from below is felt by the calls, not by `poll_ready`:
///   to limit the calls that wait, put a limit around this service.
/// - **Allocation**: the call, the attempt and its timeout lie in the future. Nothing is boxed. A
///   clone of the service allocates once, when it is called for the second time: it takes a handle
///   of the policy that only this clone counts, so that threads with a clone each do not wait for
///   each other.
///
/// # Cancel safety
///
/// Dropping the future drops the attempt, stops the call where it is, and gives a breaker's permit
/// back.
#[derive(Clone, Debug)]
pub struct PolicyService<S, P, X> {
    inner: S,
    policy: P,
    protocol: X,
    for_all: ForAll,
    uses: Uses,
}

/// How often a clone has been called. Most are made for one call, and are not worth an allocation;
/// one that a thread keeps takes a policy's handle that only it counts.
#[derive(Debug)]
enum Uses {
    None,
    One,
    Many,
}

impl Uses {
    /// The uses after a further call; `settle` is run before the second.
    #[cold]
    #[inline(never)]
    fn next(&self, settle: impl FnOnce()) -> Self {
        match self {
            Self::None => Self::One,
            Self::One | Self::Many => {
                settle();
                Self::Many
            }
        }
    }
}

impl Clone for Uses {
    #[inline]
    fn clone(&self) -> Self {
        Self::None
    }
}

impl<S, P, X> PolicyService<S, P, X> {
    pub(crate) const fn new(inner: S, policy: P, protocol: X, for_all: ForAll) -> Self {
        Self { inner, policy, protocol, for_all, uses: Uses::None }
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

    /// The policy, or what chooses it.
    pub const fn policy(&self) -> &P {
        &self.policy
    }
}

impl<S, P, X> PolicyService<S, P, X> {
    /// One call with settings of its own, hooks and abort among them, and the whole outcome: what
    /// [`execute`](CallContext::execute) is to an operation. The policy and the operation's name
    /// are the context's: `service.policy().context()` is this service's. The protocol is asked
    /// neither for a name nor whether to skip, and is not told of the end. What the layer sets for
    /// all calls holds beside the context.
    ///
    /// ```
    /// use std::io;
    /// use redress::StopReason;
    /// use redress::runtime::tokio::AsyncPolicy;
    /// use redress::integration::tower::PolicyLayer;
    /// use tower::{Layer as _, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), redress::ConfigError> {
    /// let policy = AsyncPolicy::builder().build()?;
    /// let service = PolicyLayer::new(policy).layer(service_fn(|request: u32| async move { Ok::<_, io::Error>(request) }));
    /// let context = service.policy().operation("double").abort_if(|| true);
    /// let outcome = service.execute_in(context, 7).await;
    /// assert_eq!(outcome.stop_reason(), Some(StopReason::Aborted));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// As [`PolicyFuture`].
    ///
    /// # Cancel safety
    ///
    /// As [`PolicyFuture`].
    pub fn execute_in<'c, C, Tm, N, Req>(
        &self,
        context: CallContext<'c, AsyncPolicy<C, Tm>, N>,
        request: Req,
    ) -> impl Future<Output = RetryOutcome<S::Response, S::Error>>
    where
        S: Service<Req> + Clone,
        C: Classifier<S::Response, S::Error> + Clone,
        Tm: Timer + Clone,
        N: RetryHook<S::Error> + Send + Sync + 'c,
        X: Protocol<Req, S::Response> + Clone,
    {
        let allowed = context.policy().max_attempts();
        let sending = Sending::new(self.inner.clone(), self.protocol.clone(), allowed, request);
        let context = match &self.for_all {
            Some(all) => context.within(all.settings()),
            None => context,
        };
        execute(context.poll_call(), sending)
    }
}

async fn execute<S, Req, C, Tm, X>(
    call: PollCall<'_, S::Response, S::Error, C, Tm>,
    sending: Sending<S, Req, X>,
) -> RetryOutcome<S::Response, S::Error>
where
    S: Service<Req> + Clone,
    C: Classifier<S::Response, S::Error>,
    Tm: Timer,
    X: Protocol<Req, S::Response>,
{
    // ORDER: the attempt and its service are dropped before the call, which gives the permit back.
    let mut call = call;
    let mut sending = sending;
    let mut sleep = pin!(None);
    let mut running = pin!(None);
    poll_fn(|cx| sending.drive(running.as_mut(), &mut call, |call, attempts| call.poll(attempts, sleep.as_mut(), cx)))
        .await
}

impl<S, P, X> PolicyService<S, P, X> {
    /// What the call of this request is given, if anything is set.
    fn context<Req>(&self, request: &Req) -> Option<CallContext<'static, ()>>
    where
        S: Service<Req>,
        X: Protocol<Req, S::Response>,
    {
        let own = self.protocol.context(request);
        match (own, &self.for_all) {
            (Some(own), Some(all)) => Some(own.within(all.settings())),
            (own, all) => own.or_else(|| all.as_deref().cloned()),
        }
    }
}

impl<S, Req, P, X> Service<Req> for PolicyService<S, P, X>
where
    S: Service<Req> + Clone,
    P: PolicyProvider<Req>,
    P::Classifier: Classifier<S::Response, S::Error> + Clone,
    P::Timer: Timer + Clone,
    X: Protocol<Req, S::Response> + Clone,
{
    type Response = S::Response;
    type Error = CallError<S::Error>;
    type Future = PolicyFuture<S, Req, P::Classifier, P::Timer, X>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        if !matches!(self.uses, Uses::Many) {
            self.uses = self.uses.next(|| self.policy.settle());
        }
        let policy = self.policy.policy(&request);
        let bypasses = self.protocol.bypasses(&request);
        let (policy, context) = if bypasses { (policy.passthrough(), None) } else { (policy, self.context(&request)) };
        PolicyFuture::new(self.inner.clone(), policy, context, self.protocol.clone(), request)
    }
}
