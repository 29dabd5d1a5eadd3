//! A retrying HTTP client for redress over hyper and hyper-util.
//!
//! - [`RetryingClient`] sends every request through a policy; [`request_with_retry`] sends one.
//! - [`Transport`] sends an attempt: hyper-util's client, plain [`Connections`], or a custom one.
//! - [`ClientService`] is hyper-util's client as a tower service, for use below a layer.
//! - [`ReplayBody`] is the body of a request: bytes, a function that makes it, or a stream that is
//!   sent once.
//! - `testing::FakeTransport` (feature `testing`) responds and fails by a script, with the errors
//!   of real connections.
//! - [`hyper_classifier`] classifies responses and [`HyperError`]s.
//!
//! ```no_run
//! use std::time::Duration;
//! use bytes::Bytes;
//! use http_body_util::{BodyExt, Full};
//! use hyper_util::client::legacy::Client;
//! use hyper_util::rt::TokioExecutor;
//! use redress::{CircuitBreaker, Retry};
//! use redress::integration::hyper::{RetryingClient, hyper_classifier, outcome};
//! use redress::runtime::tokio::AsyncPolicy;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let policy = AsyncPolicy::builder()
//!     .classifier(hyper_classifier())
//!     .retry(Retry::builder().max_attempts(4))
//!     .attempt_timeout(Duration::from_secs(2))
//!     .deadline(Duration::from_secs(20))
//!     .circuit_breaker(CircuitBreaker::builder().failure_threshold(5))
//!     .build()?;
//! let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
//! let client = RetryingClient::new(client, policy);
//!
//! let orders = "http://127.0.0.1:8080/orders";
//! let response = client.get(format!("{orders}/7")).send().await?;
//! let attempts = outcome(&response).map(|outcome| outcome.attempts());
//! println!("{} after {attempts:?} attempts", response.status());
//! println!("{:?}", response.into_body().collect().await?.to_bytes());
//!
//! // A POST is sent once, unless it carries an `Idempotency-Key` or you allow retries.
//! let outcome = client.post(orders, "one of everything").operation("create_order").execute().await;
//! println!("{:?}: {:?}", outcome.stop_reason(), outcome.retry_forbidden());
//! # Ok(())
//! # }
//! ```
//!
//! The crate depends on no runtime and no TLS library: it uses the policy's timer and the caller's
//! connector.

#![forbid(unsafe_code)]

mod client;
pub use client::{RetryingClient, request_with_retry};

mod request;
pub use request::{RequestOutcome, RetryingRequest};

mod response_body;
pub use response_body::ResponseBody;

mod error;
pub use error::HyperError;

mod classifier;
pub use classifier::{HyperClassifier, hyper_classifier};

mod transport;
pub use transport::Transport;

mod service;
pub use service::ClientService;

mod connection;
pub use connection::Connection;

mod connections;
pub use connections::Connections;

#[cfg(feature = "testing")]
pub mod testing;

mod attempts;
mod http2;
mod opening;
mod progress;
mod read_ahead;
mod request_replay;
mod waiting;
mod wire;

pub use redress_http::{
    DeadlineHeader, Drain, Head, IdempotencyGuard, LastFailure, Repetition, ReplayBody, RetrySafety, default_operation,
    default_result_classifier, is_idempotent_method, outcome,
};

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
