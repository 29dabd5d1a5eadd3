//! The errors of sqlx 0.8.

use sqlx_0_8::Error;
use sqlx_0_8::error::DatabaseError;

#[cfg_attr(
    all(feature = "sqlx", feature = "sqlx-0-8"),
    expect(clippy::duplicate_mod, reason = "each version has its types, placed by the same rules")
)]
#[path = "errors.rs"]
mod errors;
pub(super) use errors::classify;
