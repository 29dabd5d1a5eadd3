//! What a call through a layer fails with.
//!
//! Owns the name. What is in it is the core's.

use std::convert::Infallible;

use redress_core::CallError;

/// A call that ended without a response: with an error of the service below, an attempt that timed out, an open circuit, or by being
/// aborted or deferred.
///
/// Responses are never in it: a bad one that the policy gives up on is handed on as the response it is. The error of the service below is
/// there by value and as `source()`, and the whole is `Send`, `Sync` and an `Error` when that is, so that it becomes a `BoxError`
/// where tower wants one.
pub type PolicyError<E> = CallError<Infallible, E>;
