//! The service whose requests go through a policy before they reach a handler, and its future.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::Response;
use pin_project_lite::pin_project;
use redress_core::driver::Timer;
use redress_core::{AsyncPolicy, Classifier};
use redress_http::{Answers, PolicySelector};
use redress_tower::{PolicyFuture, PolicyService};
use tower_service::Service;

use crate::answer_layer::Writer;
use crate::protocol::HandlerProtocol;

/// A handler behind a policy. Made by [`HandlerLayer`](crate::HandlerLayer).
///
/// - **Response**: the handler's, including a bad one that the policy gives up on, with the
///   [outcome](redress_http::outcome) in its extensions. A call that ends without a response, such
///   as one that an open breaker rejects, is answered as [`Answer`](redress_http::Answer) says.
///   The service has no error.
/// - **Repetition**: the handler runs again for requests that are idempotent and have no body, if
///   the policy retries the response. It does not run again after an answer of a policy below it,
///   such as an [`Unserved`](crate::Unserved): that policy has already retried, and the outcome
///   says `answered`.
/// - **Readiness**: the service is always ready, see
///   [`PolicyService`].
///
/// # Deadlines
///
/// A [`Deadline`](redress_core::policy::Deadline) in the request's extensions, put there by a layer
/// outside, ends the call like the policy's own. The handler receives the deadline of its attempt
/// in the same place, so it can pass the time left on to its calls:
///
/// ```
/// use axum::Extension;
/// use axum::extract::State;
/// use redress::integration::axum::Unserved;
/// use redress::policy::Deadline;
/// use redress::runtime::tokio::AsyncPolicy;
///
/// # async fn load() -> std::io::Result<String> { Ok(String::new()) }
/// async fn order(State(orders): State<AsyncPolicy>, left: Option<Extension<Deadline>>) -> Result<String, Unserved> {
///     let mut call = orders.operation("load_order");
///     if let Some(Extension(deadline)) = left {
///         call = call.deadline(deadline);
///     }
///     Ok(call.call(load).await?)
/// }
/// # let router: axum::Router<AsyncPolicy> = axum::Router::new().route("/", axum::routing::get(order));
/// ```
///
/// # Cancel safety
///
/// The server drops the future if the caller hangs up. That drops the handler, stops the call, and
/// returns the breaker's permit.
pub struct HandlerService<S, C, Tm> {
    calls: PolicyService<S, PolicySelector<AsyncPolicy<C, Tm>>, HandlerProtocol<Tm>>,
    answers: Answers,
}

impl<S, C, Tm> HandlerService<S, C, Tm> {
    pub(crate) const fn new(
        calls: PolicyService<S, PolicySelector<AsyncPolicy<C, Tm>>, HandlerProtocol<Tm>>,
        answers: Answers,
    ) -> Self {
        Self { calls, answers }
    }
}

impl<S, C, Tm> Service<Request> for HandlerService<S, C, Tm>
where
    S: Service<Request, Response = Response> + Clone,
    C: Classifier<Response, S::Error> + Clone,
    Tm: Timer + Clone,
{
    type Response = Response;
    type Error = Infallible;
    type Future = HandlerFuture<S, C, Tm>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let writer = Writer::new(self.answers, &request);
        HandlerFuture { call: self.calls.call(request), writer }
    }
}

impl<S: Clone, C: Clone, Tm: Clone> Clone for HandlerService<S, C, Tm> {
    fn clone(&self) -> Self {
        Self { calls: self.calls.clone(), answers: self.answers }
    }
}

impl<S: fmt::Debug, C, Tm> fmt::Debug for HandlerService<S, C, Tm> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerService").field("inner", self.calls.get_ref()).finish_non_exhaustive()
    }
}

pin_project! {
    /// One request through a [`HandlerService`].
    ///
    /// # Panics
    ///
    /// If it is polled after completion, or if the handler, the classifier or a strategy panics.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the handler, stops the call, and returns the breaker's permit.
    #[must_use = "a request is not handled unless its future is polled"]
    pub struct HandlerFuture<S, C, Tm>
    where
        S: Service<Request>,
        Tm: Timer,
    {
        #[pin]
        call: PolicyFuture<S, Request, C, Tm, HandlerProtocol<Tm>>,
        writer: Writer,
    }
}

impl<S, C, Tm> Future for HandlerFuture<S, C, Tm>
where
    S: Service<Request, Response = Response> + Clone,
    C: Classifier<Response, S::Error>,
    Tm: Timer + Clone,
{
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match ready!(this.call.poll(cx)) {
            Ok(response) => this.writer.rewritten(response),
            Err(error) => this.writer.written(&error.into()),
        };
        Poll::Ready(Ok(response))
    }
}

impl<S, C, Tm> fmt::Debug for HandlerFuture<S, C, Tm>
where
    S: Service<Request>,
    Tm: Timer,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerFuture").finish_non_exhaustive()
    }
}
