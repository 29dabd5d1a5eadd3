//! The future of a call: redress-tower's, with its failure converted to a status.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use redress_core::Classifier;
use redress_core::driver::Timer;
use redress_tower::PolicyFuture;
use tonic::Status;
use tower_service::Service;

use crate::error::into_answer;
use crate::protocol::GrpcProtocol;
use crate::replay::RequestBody;
use crate::response_body::ResponseBody;

type Call<A, C, Tm> = PolicyFuture<A, Request<RequestBody>, C, Tm, GrpcProtocol>;

pin_project! {
    /// One call through a [`GrpcService`](crate::GrpcService).
    ///
    /// # Panics
    ///
    /// If it is polled after completion, or if the channel, the classifier or a strategy panics.
    ///
    /// # Cancel safety
    ///
    /// Dropping it resets the stream of the current attempt, and returns the breaker's permit. The
    /// server may finish work that it has started.
    #[must_use = "a call does nothing unless it is polled"]
    pub struct GrpcFuture<A, C, Tm>
    where
        A: Service<Request<RequestBody>>,
        Tm: Timer,
    {
        #[pin]
        state: State<A, C, Tm>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<A, C, Tm>
    where
        A: Service<Request<RequestBody>>,
        Tm: Timer,
    {
        // The request could not be read, so none of it is sent.
        Refused { status: Option<Status> },
        Called { #[pin] call: Call<A, C, Tm> },
    }
}

impl<A, C, Tm> GrpcFuture<A, C, Tm>
where
    A: Service<Request<RequestBody>>,
    Tm: Timer,
{
    pub(crate) fn new(call: Result<Call<A, C, Tm>, Status>) -> Self {
        let state = match call {
            Ok(call) => State::Called { call },
            Err(status) => State::Refused { status: Some(status) },
        };
        Self { state }
    }
}

impl<A, C, Tm> Future for GrpcFuture<A, C, Tm>
where
    A: Service<Request<RequestBody>, Response = Response<ResponseBody>, Error = Status> + Clone,
    C: Classifier<Response<ResponseBody>, Status>,
    Tm: Timer + Clone + Send + 'static,
{
    type Output = Result<Response<ResponseBody>, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Refused { status } => {
                let status = status.take();
                Poll::Ready(Err(status.unwrap_or_else(|| panic!("a call was polled after its end"))))
            }
            StateProjection::Called { mut call } => {
                let outcome = ready!(call.as_mut().poll_outcome(cx));
                let late = call.late_failure();
                Poll::Ready(into_answer(outcome).map(|response| response.map(|body| body.telling(late))))
            }
        }
    }
}

impl<A, C, Tm> fmt::Debug for GrpcFuture<A, C, Tm>
where
    A: Service<Request<RequestBody>>,
    Tm: Timer,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcFuture").finish_non_exhaustive()
    }
}
