//! A retrying HTTP client for redress over reqwest.
//!
//! - [`RetryingClient`] sends requests, made as with reqwest, through a policy;
//!   [`request_with_retry`] sends one.
//! - [`reqwest_classifier`] classifies responses and reqwest's errors.
//! - [`client_builder`] is reqwest's `ClientBuilder` with reqwest's own retries off.
//! - `blocking` (feature `blocking`) has the same names over reqwest's blocking client.
//! - `middleware` (feature `middleware`) is a policy as a middleware of reqwest-middleware.
//!
//! The crate turns on no feature of reqwest, except as named above: TLS, `json` and the rest are
//! those of your own dependency on reqwest.

#![forbid(unsafe_code)]

#[macro_use]
mod settings;

mod client;
pub use client::{RetryingClient, request_with_retry};

mod request;
pub use request::{RequestOutcome, RetryingRequest};

mod classifier;
pub use classifier::{ReqwestClassifier, reqwest_classifier};

mod builder;
pub use builder::client_builder;

mod response;
pub use response::outcome;

#[cfg(feature = "blocking")]
pub mod blocking;

#[cfg(feature = "middleware")]
pub mod middleware;

mod attempts;
mod exchanges;
mod kept_body;
mod replay;
mod wire;

pub use redress_http::{
    DeadlineHeader, Drain, Head, IdempotencyGuard, RetrySafety, default_operation, is_idempotent_method,
};

/// The README's examples, compiled and run.
#[cfg(all(doctest, feature = "blocking", feature = "middleware"))]
#[doc = include_str!("../README.md")]
struct Readme;
