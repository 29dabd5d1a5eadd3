//! The errors of sqlx 0.9.

use sqlx::Error;
use sqlx::error::{DatabaseError, ErrorKind};

#[cfg_attr(
    all(feature = "sqlx", feature = "sqlx-0-8"),
    expect(clippy::duplicate_mod, reason = "each version has its types, placed by the same rules")
)]
#[path = "sqlx_errors.rs"]
mod errors;
