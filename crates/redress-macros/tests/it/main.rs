//! The macros as a user applies them. What they refuse is in `crates/internal/compile-fail`.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod classify;
mod classify_forward;
mod classify_generics;
mod hygiene;
mod retry_async;
mod retry_blocking;
mod retry_errors;
mod retry_policy;
mod retry_signatures;
