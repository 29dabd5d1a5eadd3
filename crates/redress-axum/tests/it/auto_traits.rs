//! Layers, services and futures have the traits that axum requires.

use axum::routing::Route;
use redress_axum::{AnswerFuture, AnswerLayer, AnswerService, HandlerFuture, HandlerLayer, HandlerService, Unserved};
use redress_http::{Answer, AnswerForm, Answers, HttpRetryAfterClassifier};
use redress_tokio::TokioTimer;

const fn sharable<T: Clone + Send + Sync + 'static>() {}
const fn sendable<T: Send + 'static>() {}

const _: () = {
    sharable::<HandlerLayer<HttpRetryAfterClassifier, TokioTimer>>();
    sharable::<HandlerService<Route, HttpRetryAfterClassifier, TokioTimer>>();
    sendable::<HandlerFuture<Route, HttpRetryAfterClassifier, TokioTimer>>();
    sharable::<AnswerLayer>();
    sharable::<AnswerService<Route>>();
    sendable::<AnswerFuture<std::future::Ready<()>>>();
    sharable::<Unserved>();
    sharable::<Answer>();
    sharable::<AnswerForm>();
    sharable::<Answers>();
};
