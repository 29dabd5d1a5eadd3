//! A retrying HTTP client for redress over hyper and hyper-util.
//!
//! - [`RetryingClient`] sends every request through a policy; [`request_with_retry`] sends one. -
//!   [`Transport`] sends an attempt: hyper-util's client, plain [`Connections`], or a custom one. -
//!   [`ClientService`] is hyper-util's client as a tower service, for use below a layer.
//! - [`ReplayBody`] is the body of a request: bytes, a function that makes it, or a stream that is
//!   sent once.
//! - `testing::FakeTransport` (feature `testing`) responds and fails by a script, with the errors
//!   of real connections. - [`hyper_classifier`] classifies responses and [`HyperError`]s.
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
    Drain, Head, IdempotencyGuard, LastFailure, Repetition, ReplayBody, RetrySafety, default_operation,
    default_result_classifier, is_idempotent_method, outcome,
};

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
