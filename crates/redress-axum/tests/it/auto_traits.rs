//! Layers, services and futures have the traits that axum requires, and are ready when the service
//! below is.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll, Waker};

use axum::extract::Request;
use axum::response::Response;
use axum::routing::Route;
use redress_axum::{AnswerFuture, AnswerLayer, AnswerService, HandlerFuture, HandlerLayer, HandlerService, Unserved};
use redress_http::{Answer, AnswerForm, Answers, HttpRetryAfterClassifier};
use redress_tokio::TokioTimer;
use tower::{Layer as _, Service};

use crate::server::of_handlers;

const fn sharable<T: Clone + Send + Sync + 'static>() {}
const fn sendable<T: Send + 'static>() {}

const _: () = {
    sharable::<HandlerLayer<HttpRetryAfterClassifier, TokioTimer>>();
    sharable::<HandlerService<Route, HttpRetryAfterClassifier, TokioTimer>>();
    sendable::<HandlerFuture<Route, HttpRetryAfterClassifier, TokioTimer>>();
    sharable::<AnswerLayer>();
    sharable::<AnswerService<Route>>();
    sendable::<AnswerFuture<Ready<()>>>();
    sharable::<Unserved>();
    sharable::<Answer>();
    sharable::<AnswerForm>();
    sharable::<Answers>();
};

/// A service that is never ready.
#[derive(Clone, Debug)]
struct Full;

impl Service<Request> for Full {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request) -> Self::Future {
        ready(Ok(Response::default()))
    }
}

#[test]
fn an_answer_layer_waits_for_the_service_below() {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(AnswerLayer::new().layer(Full).poll_ready(&mut cx).is_pending());
    // A layer with a policy waits in each attempt.
    let mut service = HandlerLayer::new(of_handlers().build().unwrap()).layer(Full);
    assert!(service.poll_ready(&mut cx).is_ready());
}

#[test]
fn layers_services_and_futures_print_what_they_are() {
    let layer = HandlerLayer::new(of_handlers().build().unwrap());
    let (mut handlers, mut answers) = (layer.layer(Full), AnswerLayer::new().layer(Full));
    let call = handlers.call(Request::default());
    let answer = answers.call(Request::default());
    let printed = format!("{layer:?} {handlers:?} {call:?} {answer:?}");
    for name in ["HandlerLayer {", "HandlerService {", "HandlerFuture {", "AnswerFuture {"] {
        assert!(printed.contains(name), "{printed}");
    }
}
