//! [redress](https://github.com/redress-rs/redress) in [axum](https://docs.rs/axum) servers:
//! responses for failed calls, and a layer that puts a policy around handlers.
//!
//! - [`Unserved`] is the error of handlers that call a dependency: `?` converts a
//!   [`CallError`](redress_core::CallError) into it, and it becomes a 502, 503 or 504 with
//!   `Retry-After` and a body without details.
//! - [`AnswerLayer`] writes these bodies in the form that the request's `Accept` prefers.
//! - [`HandlerLayer`] puts a policy around the handlers of a router: a breaker, a deadline, a
//!   repetition of idempotent requests. [`route_operation`] names its calls by their routes, and
//!   [`matched_path`] is the route of a request.
//! - [`DeadlineLayer`] refuses and ends work whose caller has stopped waiting. It is
//!   redress-tower's.
//!
//! ```
//! use std::time::Duration;
//! use axum::Router;
//! use axum::extract::State;
//! use axum::routing::get;
//! use redress::{CircuitBreaker, Retry};
//! use redress::integration::axum::{AnswerLayer, Unserved};
//! use redress::runtime::tokio::AsyncPolicy;
//!
//! async fn load() -> std::io::Result<String> {
//!     Ok("order 7".to_owned())
//! }
//!
//! async fn order(State(orders): State<AsyncPolicy>) -> Result<String, Unserved> {
//!     Ok(orders.operation("load_order").call(load).await?)
//! }
//!
//! let orders = AsyncPolicy::builder()
//!     .retry(Retry::builder().max_attempts(3))
//!     .deadline(Duration::from_secs(2))
//!     .circuit_breaker(CircuitBreaker::builder().failure_threshold(5))
//!     .build()?;
//! let router = Router::new().route("/orders/{id}", get(order)).layer(AnswerLayer::new()).with_state(orders);
//! # let _: Router = router;
//! # Ok::<(), redress::ConfigError>(())
//! ```
//!
//! A handler whose caller hangs up is dropped by the server, and its calls with it: each of them
//! stops and returns its breaker's permit, and observers receive `cancelled`.

#![forbid(unsafe_code)]

mod unserved;
pub use unserved::Unserved;

mod answer_layer;
pub use answer_layer::{AnswerFuture, AnswerLayer, AnswerService};

mod route;
pub use route::{matched_path, route_operation};

pub use redress_tower::http::{DeadlineLayer, Late, Refusal, Stage};

mod layer;
pub use layer::HandlerLayer;

mod protocol;

mod service;
pub use service::{HandlerFuture, HandlerService};

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
