//! Error types: of calls, of configurations, and for operations to return.
//!
//! [`CallError`] is the error of `call`; each of its kinds has a type. [`ConfigError`] is the error
//! of `build()`. An operation without a suitable error type can return a marker
//! ([`RateLimitError`], [`PermanentError`] and others) or a [`StatusError`]; the default classifier
//! knows them.

pub use crate::classify::marker::{ConcurrencyError, PermanentError, RateLimitError, ServerError};
pub use crate::classify::status::StatusError;
pub use crate::outcome::abort_error::AbortRetryError;
pub use crate::outcome::boxed_error::BoxError;
pub use crate::outcome::call_error::CallError;
pub use crate::outcome::call_error_kinds::{AbortedError, FailedError, RetryExhaustedError};
pub use crate::outcome::circuit_open_error::CircuitOpenError;
pub use crate::outcome::failure::{Cause, Failure};
pub use crate::policy::config_error::{ConfigError, ConfigIssue};
pub use crate::policy::config_value::ConfigValue;
