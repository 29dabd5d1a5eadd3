//! What the expansions of redress-macros call. Not for other callers: it changes with the macros.

use std::time::Duration;

use crate::classify::Classification;
use crate::error::{CallError, ConfigError};

/// A hint for [`Classification::with_retry_after`]. `None` keeps the hint that is there.
pub fn hinted(classification: Classification, retry_after: impl Into<Option<Duration>>) -> Classification {
    match retry_after.into() {
        Some(retry_after) => classification.with_retry_after(retry_after),
        None => classification,
    }
}

/// Calls `classify` with the field. Tells a closure the type of its argument.
pub fn with<F: ?Sized, A: Into<Classification>>(field: &F, classify: impl FnOnce(&F) -> A) -> Classification {
    classify(field).into()
}

/// The policy of a function, from the settings of its attribute.
///
/// # Panics
///
/// If a setting is invalid, with the name of the function and every rule that is broken.
#[track_caller]
pub fn built<P>(policy: Result<P, ConfigError>, function: &str) -> P {
    match policy {
        Ok(policy) => policy,
        Err(error) => panic!("`#[retry]` of `{function}`: {error}"),
    }
}

/// Tells the compiler the type that an asynchronous block returns. Never called.
///
/// # Panics
///
/// Always.
#[must_use]
pub fn typed<T>() -> T {
    unreachable!("only names a type")
}

/// Converts the error of a call into the error that a function declares.
///
/// # Errors
///
/// That of the call, converted.
pub fn declared<T, E, D: FromCallError<E>>(result: Result<T, CallError<E>>) -> Result<T, D> {
    result.map_err(D::from_call_error)
}

/// An error type that can hold the error of a call: one that is `From<CallError<E>>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold a `CallError<{E}>`, the error of a retried call",
    label = "this function's error is not `From<CallError<{E}>>`",
    note = "a call can end without an error of the body: at an open circuit breaker, a deadline or an abort",
    note = "return `Result<_, CallError<{E}>>`, and leave the body as it is; or implement `From<CallError<{E}>>` for `{Self}`",
    note = "if the body returns another error, or the function's `CallError` is behind an alias, name the body's error: \
            `#[retry(error = ..)]`; for `anyhow::Error` and boxed errors, write `#[retry(boxed)]`"
)]
pub trait FromCallError<E>: Sized {
    /// Converts the error of a call.
    fn from_call_error(error: CallError<E>) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E, D: From<CallError<E>>> FromCallError<E> for D {
    fn from_call_error(error: CallError<E>) -> Self {
        error.into()
    }
}
