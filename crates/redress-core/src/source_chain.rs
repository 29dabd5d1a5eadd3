//! An error and what stands behind it.
//!
//! Owns the walk along `source()`, and the one place where it is not enough.

use std::error::Error;
use std::io;
use std::iter;

/// The error, then its source, its source's source and so on: what a classifier looks through.
///
/// A `std::io::Error` that wraps another error answers `source()` with the *wrapped* error's source, so a plain walk would pass
/// over the wrapped error itself; this one does not.
///
/// ```
/// use std::io;
/// use redress_core::{RateLimitError, source_chain};
///
/// let error = io::Error::other(RateLimitError::new("slow down"));
/// assert!(source_chain(&error).any(|error| error.is::<RateLimitError>()));
/// ```
pub fn source_chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(error), |error| behind(*error))
}

fn behind<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
