//! Bad responses of reqwest as errors with a body, and one error type for operations over reqwest.
//!
//! `reqwest::Response::error_for_status` drops headers and body, so neither a quota nor a hint can
//! be read from its error. [`error_for_status`] keeps both, and leaves good responses unread: a
//! stream stays one.
//!
//! ```no_run
//! use redress::integration::llm::openai::openai_classifier;
//! use redress::integration::llm::reqwest::{RequestError, error_for_status};
//! use redress::Retry;
//! use redress::runtime::tokio::AsyncPolicy;
//!
//! # async fn complete(client: &reqwest::Client, request: &str) -> Result<String, Box<dyn std::error::Error>> {
//! let policy = AsyncPolicy::builder().classifier(openai_classifier()).retry(Retry::default()).build()?;
//! let text = policy.call(|| async {
//!     let request = client.post("https://api.openai.com/v1/responses").body(request.to_owned());
//!     let response = error_for_status(request.send().await?).await?;
//!     Ok::<_, RequestError>(response.text().await?)
//! });
//! # Ok(text.await?)
//! # }
//! ```

use std::error::Error;

use redress_core::classify::source_chain;
use redress_core::{Classification, ErrorClass};
use reqwest::Response;

use crate::body::BODY_LIMIT;
use crate::error_response::ErrorResponse;
use crate::stream::StreamError;

/// The error of an operation over reqwest. Made with `?` from each of its parts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The vendor answered with an error.
    #[error("the vendor refused the request")]
    Response(#[from] ErrorResponse),
    /// There was no response, or its body did not arrive.
    #[error("the request failed")]
    Reqwest(#[from] reqwest::Error),
    /// A stream that began with 200 failed.
    #[error("the stream failed")]
    Stream(#[from] StreamError),
}

/// Turns a response with a status from 400 on into an error, with its headers and the first
/// [`BODY_LIMIT`] bytes of its body. A good response is returned unread.
///
/// Reading ends at the limit, and at a body that breaks: the status decides without it. A body that
/// comes slowly is cut by the policy's attempt timeout, or by reqwest's.
///
/// # Errors
///
/// If the status is 400 or more.
pub async fn error_for_status(mut response: Response) -> Result<Response, ErrorResponse> {
    if response.status().as_u16() < 400 {
        return Ok(response);
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > BODY_LIMIT {
            break;
        }
    }
    Err(ErrorResponse::of(response.status(), response.headers().clone(), body))
}

/// Adds what only reqwest's own error says: a body of another shape, and a timeout of its own.
pub(crate) fn of_client(error: &(dyn Error + 'static), by_client: Classification) -> Classification {
    let Some(own) = source_chain(error).find_map(|error| error.downcast_ref::<reqwest::Error>()) else {
        return by_client;
    };
    if own.is_decode() && by_client.class() == ErrorClass::Unknown {
        return ErrorClass::Permanent.into();
    }
    let is_of_the_system = source_chain(own).any(<dyn Error>::is::<std::io::Error>);
    if own.is_timeout() && !is_of_the_system { by_client.timed_out() } else { by_client }
}
