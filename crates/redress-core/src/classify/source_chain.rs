//! An error and what stands behind it.
//!
//! Owns the walk along `source()`, and the one place where it is not enough.

use std::error::Error;
use std::io;
use std::iter;

/// No chain that was meant is as long; one that leads back to itself has no end.
const LONGEST: usize = 128;

/// The error, then its source, its source's source and so on: what a classifier looks through.
///
/// A `std::io::Error` that wraps another error answers `source()` with the *wrapped* error's source, so a plain walk would pass
/// over the wrapped error itself; this one does not. It goes no further than 128 errors, so that an error that names itself as
/// its source cannot hold up who asks.
///
/// ```
/// use std::io;
/// use redress_core::{RateLimitError, source_chain};
///
/// let error = io::Error::other(RateLimitError::new("slow down"));
/// assert!(source_chain(&error).any(|error| error.is::<RateLimitError>()));
/// ```
pub fn source_chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(error), |error| behind(*error)).take(LONGEST)
}

fn behind<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
