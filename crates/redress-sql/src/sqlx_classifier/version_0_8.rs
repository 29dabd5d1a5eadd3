//! The errors of sqlx 0.8.

use sqlx_0_8::Error;
use sqlx_0_8::error::DatabaseError;

#[path = "errors.rs"]
mod errors;
pub(super) use errors::classify;
