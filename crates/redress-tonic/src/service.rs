//! The channel whose calls go through a policy.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use redress_core::driver::Timer;
use redress_core::{AsyncPolicy, Classifier};
use redress_http::PolicySelector;
use redress_tokio::TokioTimer;
use redress_tower::PolicyService;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Channel;
use tower_service::Service;

use crate::attempt::Attempts;
use crate::classifier::GrpcClassifier;
use crate::future::GrpcFuture;
use crate::protocol::{GrpcProtocol, Handling};
use crate::response_body::ResponseBody;
use crate::transport_error::BoxError;

/// A channel whose calls go through a policy. Made by [`GrpcLayer`](crate::GrpcLayer); a generated
/// client takes it where it takes a channel, as in `OrdersClient<GrpcService>`.
///
/// Clones share the policy's state. The service is always ready: each attempt waits for the inner
/// channel, so that a failure to become ready is classified and retried like any other, and the
/// policy's timeouts include that wait.
///
/// An error is a [`Status`]: the last attempt's, with a [`CallFailure`](crate::CallFailure) as its
/// source; or
///
/// | end | status |
/// |---|---|
/// | the breaker rejected the call | `UNAVAILABLE`, with the [`CircuitOpenError`](redress_core::error::CircuitOpenError) behind the failure |
/// | the last attempt timed out, or the channel's timeout expired | `DEADLINE_EXCEEDED` |
/// | the call ended before its first attempt | `CANCELLED` |
///
/// A request with a message that cannot be encoded does not reach the policy: its status is the
/// encoder's.
pub struct GrpcService<S = Channel, C = GrpcClassifier, Tm = TokioTimer> {
    calls: PolicyService<Attempts<S, Tm>, PolicySelector<AsyncPolicy<C, Tm>>, GrpcProtocol>,
    handling: Arc<Handling>,
}

impl<S, C, Tm> GrpcService<S, C, Tm> {
    pub(crate) const fn new(
        calls: PolicyService<Attempts<S, Tm>, PolicySelector<AsyncPolicy<C, Tm>>, GrpcProtocol>,
        handling: Arc<Handling>,
    ) -> Self {
        Self { calls, handling }
    }
}

impl<S, B, C, Tm> Service<Request<Body>> for GrpcService<S, C, Tm>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    C: Classifier<Response<ResponseBody>, Status> + Clone,
    Tm: Timer + Clone + Send + 'static,
{
    type Response = Response<ResponseBody>;
    type Error = Status;
    type Future = GrpcFuture<Attempts<S, Tm>, C, Tm>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        GrpcFuture::new(self.handling.read(request).map(|request| self.calls.call(request)))
    }
}

impl<S: Clone, C: Clone, Tm: Clone> Clone for GrpcService<S, C, Tm> {
    fn clone(&self) -> Self {
        Self { calls: self.calls.clone(), handling: Arc::clone(&self.handling) }
    }
}

impl<S: fmt::Debug, C, Tm> fmt::Debug for GrpcService<S, C, Tm> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcService").field("channel", &self.calls.get_ref().channel).finish_non_exhaustive()
    }
}
