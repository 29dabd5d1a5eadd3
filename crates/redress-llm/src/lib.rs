//! Classifiers for redress of the errors of OpenAI's and Anthropic's APIs, over any HTTP client.
//!
//! - [`openai`] and [`anthropic`] have the same functions for each vendor: `classify` reads a
//!   status, headers and a body; `classify_event` the data of an event of a stream;
//!   `classify_error` an error; and `parse_reset` the time at which a rate limit resets.
//! - [`openai_classifier`](openai::openai_classifier) and
//!   [`anthropic_classifier`](anthropic::anthropic_classifier) are classifiers for operations whose
//!   bad responses are errors of the type [`ErrorResponse`], in any source chain;
//!   [`openai_response_classifier`](openai::openai_response_classifier) and
//!   [`anthropic_response_classifier`](anthropic::anthropic_response_classifier) are those for
//!   operations that return `http::Response<B>` with a body that was read.
//! - [`ErrorResponse`] is a bad response as an error: status, headers and the beginning of the
//!   body.
//! - [`StreamError`] is the error of a stream that began with 200.
//! - `reqwest` (feature `reqwest`) makes such errors of reqwest's responses.
//!
//! Both vendors say in the body of a response what its status leaves open: a 429 is a rate limit,
//! which passes, or a quota, which does not. So a body has to be read before it can be classified.
//! The crate reads it only where you hand over a reader or a response of reqwest, and never more
//! than [`BODY_LIMIT`] of it.
//!
//! ```
//! use std::time::SystemTime;
//! use http::{HeaderMap, StatusCode};
//! use redress::ErrorClass;
//! use redress::integration::llm::openai;
//!
//! let body = r#"{"error": {"type": "insufficient_quota", "code": "credit_balance_exhausted", "message": "..."}}"#;
//! let failure = openai::classify(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body, SystemTime::now()).unwrap();
//! assert_eq!(failure.class(), ErrorClass::Permanent);
//! assert_eq!(failure.detail("quota"), Some("credit_balance_exhausted"));
//! ```
//!
//! Bodies and headers are untrusted: what cannot be parsed is ignored, and the status decides.

#![forbid(unsafe_code)]

#[macro_use]
mod classifiers;

pub mod anthropic;
pub mod openai;

mod error_response;
pub use error_response::ErrorResponse;

mod stream;
pub use stream::{Output, StreamError};

#[cfg(feature = "reqwest")]
pub mod reqwest;

mod body;
pub use body::{BODY_LIMIT, EVENT_LIMIT};

mod decimal;
mod hint;
mod vendor;

/// The README's examples, compiled and run.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
struct Readme;
