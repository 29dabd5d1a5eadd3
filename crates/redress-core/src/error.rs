//! The errors: what a call ends with, what a configuration is refused with, and errors for
//! operations to fail with.
//!
//! [`CallError`] is what `call` returns, with a type for each of its kinds. Operations that have no
//! error type for a failure return one of the markers ([`RateLimitError`], [`PermanentError`] and
//! others) or a [`StatusError`], which the default classifier knows.

pub use crate::classify::marker::{ConcurrencyError, PermanentError, RateLimitError, ServerError};
pub use crate::classify::status::StatusError;
pub use crate::outcome::abort_error::AbortRetryError;
pub use crate::outcome::boxed_error::BoxError;
pub use crate::outcome::call_error::CallError;
pub use crate::outcome::call_error_kinds::{AbortedError, FailedError, RetryExhaustedError};
pub use crate::outcome::circuit_open_error::CircuitOpenError;
pub use crate::outcome::failure::{Cause, Failure};
pub use crate::policy::config_error::{ConfigError, ConfigIssue};
