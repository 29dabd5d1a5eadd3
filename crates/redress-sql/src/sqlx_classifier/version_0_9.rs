//! The errors of sqlx 0.9.

use sqlx::Error;
use sqlx::error::DatabaseError;

#[path = "errors.rs"]
mod errors;
pub(super) use errors::classify;
