//! [`contained`] runs code of users, which may panic.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the code. `Err` is the message of its panic.
///
/// Unwind safety is the caller's: nothing of redress that the code changes may be used afterwards.
pub(crate) fn contained<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let message = panic.downcast_ref::<&str>().copied();
        let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let message = message.unwrap_or("without a message").to_owned();
        // It may panic when it is dropped.
        mem::forget(panic);
        message
    })
}
