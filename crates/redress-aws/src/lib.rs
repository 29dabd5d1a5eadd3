//! The errors of AWS's SDK for redress, for every service.
//!
//! - [`aws_classifier`] classifies the `SdkError` of an operation, by error code, the service's
//!   model and status, with the wait that the service asks for.
//! - [`code::class`] is its table of error codes, for other clients.
//! - [`retry_config`] turns the SDK's own retries off, and [`retries_by_itself`] sees that they are
//!   on.
//!
//! The crate depends on the two crates of smithy that every SDK has below it, and on no SDK. They
//! need Rust 1.94.1, and so does this crate; the others of redress need less.

#![forbid(unsafe_code)]

mod classifier;
pub use classifier::{AwsClassifier, aws_classifier};

pub mod code;

mod retries;
pub use retries::{retries_by_itself, retry_config};

mod connector;
mod response;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
