//! A retrying HTTP client for redress over hyper and hyper-util.

#![forbid(unsafe_code)]

mod client;
pub use client::{RetryingClient, request_with_retry};

mod request;
pub use request::{RequestOutcome, RetryingRequest};

mod replay_body;
pub use replay_body::ReplayBody;

mod response_body;
pub use response_body::ResponseBody;

mod error;
pub use error::{HyperError, RequestError};

mod classifier;
pub use classifier::{HyperClassifier, hyper_classifier};

mod transport;
pub use transport::Transport;

mod connections;
pub use connections::Connections;

mod attempts;
mod read_ahead;
