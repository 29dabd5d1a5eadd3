//! The service whose requests go through a policy, and `execute_in` for the full outcome of one
//! call.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};

use redress_core::driver::{BoxedContext, PollCall, Timer};
use redress_core::policy::RetryHook;
use redress_core::{AsyncPolicy, CallContext, CallError, Classifier, RetryOutcome};
use tower_service::Service;

use crate::future::PolicyFuture;
use crate::layer::ForAll;
use crate::protocol::Protocol;
use crate::request_replay::RequestReplay;
use crate::source::PolicyProvider;

/// A service whose calls go through a policy. Made by [`PolicyLayer`](crate::PolicyLayer).
///
/// - **Classification**: the policy's classifier reads the inner service's
///   `Result<Response, Error>`, so a response can be a failure like an error. If the policy gives
///   up on a failed response, the call returns that response. A [`CallError`] means that there is
///   no response.
/// - **Readiness**: this service is always ready. Each attempt waits until a clone of the inner
///   service is ready and then calls that clone. An open breaker therefore rejects even if the
///   inner service is not ready, and the attempt's timeout includes the wait for readiness. A
///   service that fails to become ready is a failure like any other; the next attempt uses a new
///   clone. An attempt's reservation in the inner service, such as a place in a limit, is released
///   while the call waits for the next attempt. `poll_ready` does not pass backpressure on: to
///   bound the calls that wait, put a limit around this service.
/// - **Allocation**: the call, the attempt and its timeout live in the future, and nothing is
///   boxed. A clone of the service allocates once, on its second call: it takes a separately
///   counted policy handle, so that threads with one clone each do not contend for a shared count.
///
/// # Cancel safety
///
/// Dropping the future drops the attempt, stops the call, and returns the breaker's permit.
#[derive(Clone, Debug)]
pub struct PolicyService<S, P, X> {
    inner: S,
    policy: P,
    protocol: X,
    for_all: ForAll,
    uses: Uses,
}

/// How often a clone has been called. Most clones serve one call and are not worth an allocation; a
/// clone that a thread keeps takes a separately counted policy handle.
#[derive(Debug)]
enum Uses {
    None,
    One,
    Many,
}

impl Uses {
    /// Counts one more call. Runs `settle` before the second.
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

    /// Returns the inner service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns the inner service by mutable reference.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service by value.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Returns the policy, or the [`PolicyProvider`] that chooses it.
    pub const fn policy(&self) -> &P {
        &self.policy
    }
}

impl<S, P, X> PolicyService<S, P, X> {
    /// Makes one call with these settings, such as hooks or an abort handle, and returns its full
    /// outcome, as [`execute`](CallContext::execute) does for an operation.
    ///
    /// The context supplies the policy and the operation's name; `service.policy().context()` uses
    /// this service's policy. The protocol's `operation`, `bypasses` and `ended` are not called.
    /// Settings that the layer applies to all calls apply as well.
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
        let (allowed, timer) = (context.policy().max_attempts(), context.policy().timer().clone());
        let replay = RequestReplay::new(self.inner.clone(), (self.protocol.clone(), timer), allowed, request);
        let context = match &self.for_all {
            Some(all) => context.within(all.settings()),
            None => context,
        };
        execute(context.poll_call(), replay)
    }
}

async fn execute<S, Req, C, Tm, X>(
    call: PollCall<'_, S::Response, S::Error, C, Tm>,
    replay: RequestReplay<S, Req, X, Tm>,
) -> RetryOutcome<S::Response, S::Error>
where
    S: Service<Req> + Clone,
    C: Classifier<S::Response, S::Error>,
    Tm: Timer,
    X: Protocol<Req, S::Response>,
{
    // ORDER: the attempt and its service are dropped before the call, which returns the permit.
    let mut call = call;
    let mut replay = replay;
    let mut sleep = pin!(None);
    let mut running = pin!(None);
    poll_fn(|cx| replay.drive(running.as_mut(), &mut call, |call, attempts| call.poll(attempts, sleep.as_mut(), cx)))
        .await
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
        let (inner, protocol) = (self.inner.clone(), self.protocol.clone());
        if protocol.bypasses(&request) {
            return PolicyFuture::new(inner, policy.passthrough(), None, protocol, request);
        }
        let context = match (&self.for_all, protocol.context(&request)) {
            (None, None) => None,
            (for_all, own) => Some(joined(for_all, own)),
        };
        PolicyFuture::new(inner, policy, context, protocol, request)
    }
}

/// Nests the settings of one call in those of all calls.
#[cold]
#[inline(never)]
fn joined<E>(for_all: &ForAll, own: Option<CallContext<'static, ()>>) -> BoxedContext<'static, E> {
    let own = own.unwrap_or_default();
    match for_all {
        Some(all) => own.within(all.settings()).into(),
        None => own.into(),
    }
}
