//! The errors of sqlx 0.9.

use sqlx::Error;
use sqlx::error::{DatabaseError, ErrorKind};

#[path = "sqlx_errors.rs"]
mod errors;
