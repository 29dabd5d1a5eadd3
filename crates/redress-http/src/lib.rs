//! HTTP for redress, on the types of the [`http`] crate: classifiers for responses and errors,
//! `Retry-After`, the decision whether a request may be sent again, and operation names.
//!
//! - [`http_classifier`] and [`http_retry_after_classifier`] make a policy read
//!   `Result<http::Response<B>, E>`: a response with a status of a retryable class is a failure
//!   like any other. [`default_result_classifier`] only classifies responses, and
//!   [`boxed_http_classifier`] takes boxed errors.
//! - [`classify`] and [`classify_response`] are the same tables on a borrowed status and headers,
//!   for clients with custom response types.
//! - [`parse_retry_after`] and [`retry_after`] read the `Retry-After` header.
//! - [`IdempotencyGuard`] decides whether a request may be sent more than once, from the request
//!   and the failure.
//! - [`with_evidence`], [`classify_client`], [`classify_connect`], [`classify_handshake`] and, with
//!   the feature `http2`, `classify_http2` classify the errors of connections, for integrations and
//!   custom classifiers.
//! - [`Repetition`] tells a transport which attempt a request is, and why the previous one failed.
//! - [`RequestRules`] and [`PolicySelector`] are the settings that clients and layers have for
//!   their requests: names, deadlines, abort handles, bypasses, the policy of each. With the
//!   feature `body`, `ReplayBody` is a body that can be sent again; [`Drain`] and [`KeptFrames`]
//!   bound how much of a retried response is read. These are for integrations, including yours.
//! - [`DeadlineHeader`] and [`AttemptNumber`] send the time left and the attempt's number to a
//!   server; [`time_left`] reads every known header.
//! - [`Answer`] is the response of a server whose own call failed: a status, `Retry-After`, and a
//!   body without details.
//! - [`outcome`] returns the outcome of the call that produced a response.
//! - [`HostKey`] is the key of a request's host, for a breaker for each host.
//! - [`strip_userinfo`] and [`Redacted`] keep the secrets of a URI off the wire and out of logs.
//! - [`default_operation`] names a request in events and metrics; custom names are computed from
//!   its [`Head`].
//!
//! ```
//! use http::Response;
//! use redress::{Classifier, ErrorClass};
//! use redress::integration::http::http_retry_after_classifier;
//!
//! let busy = Response::builder().status(503).header("retry-after", "7").body(()).unwrap();
//! let failure = http_retry_after_classifier().classify(&Ok::<_, std::io::Error>(busy)).unwrap();
//! assert_eq!(failure.class(), ErrorClass::ServerError);
//! assert_eq!(failure.retry_after().unwrap().as_secs(), 7);
//! ```
//!
//! The crate depends on no HTTP client, sends nothing and never waits. Header values are untrusted:
//! a value that cannot be parsed is ignored, and is not an error.

#![forbid(unsafe_code)]

mod status;
pub use status::{classify, classify_response, classify_status};

mod classifier;
pub use classifier::{
    BoxedHttpClassifier, DefaultResultClassifier, HttpClassifier, HttpRetryAfterClassifier, boxed_http_classifier,
    default_result_classifier, http_classifier, http_retry_after_classifier,
};

mod retry_after;
pub use retry_after::{parse_retry_after, retry_after, retry_after_from_now};

mod evidence;
pub use evidence::{blames_connection, is_of_connection, own_failure, with_details, with_evidence};

mod client;
pub use client::{class_of_http2, classify_client, is_shed};

#[cfg(feature = "http2")]
mod http2;
#[cfg(feature = "http2")]
pub use http2::classify_http2;

mod connect;
pub use connect::{classify_connect, classify_handshake};

mod idempotency;
pub use idempotency::{IdempotencyGuard, is_idempotent_method};

mod retry_safety;
pub use retry_safety::RetrySafety;

mod head;
pub use head::{Head, with_head_of};

mod grpc_timeout;
pub use grpc_timeout::{encode_grpc_timeout, parse_grpc_timeout};

mod amz_sdk_request;

mod deadline_header;
pub use deadline_header::{DeadlineHeader, TimeFormat, time_left, time_left_from_now};

mod attempt_number;
pub use attempt_number::AttemptNumber;

mod rules;
pub use rules::RequestRules;

#[doc(hidden)]
pub mod setters;

mod host;
pub use host::HostKey;

mod selector;
pub use selector::{PolicySelector, SelectedPolicy};

mod outcome;
pub use outcome::outcome;

mod answer;
pub use answer::Answer;

mod answer_form;
pub use answer_form::AnswerForm;

mod answers;
pub use answers::Answers;

mod drain;
pub use drain::Drain;

mod kept;
pub use kept::KeptFrames;

#[cfg(feature = "body")]
mod replay_body;
#[cfg(feature = "body")]
pub use replay_body::ReplayBody;

mod operation;
pub use operation::default_operation;

mod uri;
pub use uri::{Redacted, strip_userinfo};

mod repetition;
pub use repetition::{LastFailure, Repetition};

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
