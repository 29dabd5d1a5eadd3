//! A retrying HTTP client for redress over ureq, for blocking code.
//!
//! - [`RetryingAgent`] sends requests through a policy; [`request_with_retry`] sends one.
//! - [`ReplayBody`] is the body of a request: bytes, a function that makes it, or a reader that is
//!   sent once.
//! - [`ureq_classifier`] classifies responses and ureq's errors.
//!
//! The crate turns on no feature of ureq: TLS, `json` and the rest are those of your own dependency
//! on ureq.

#![forbid(unsafe_code)]

mod agent;
pub use agent::{RetryingAgent, request_with_retry};

mod request;
pub use request::{RequestOutcome, RetryingRequest};

mod replay_body;
pub use replay_body::ReplayBody;

mod classifier;
pub use classifier::{UreqClassifier, ureq_classifier};

mod replay;
mod secrets;

pub use redress_http::{
    DeadlineHeader, Head, IdempotencyGuard, LastFailure, Repetition, RetrySafety, default_operation,
    default_result_classifier, is_idempotent_method, outcome,
};

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
