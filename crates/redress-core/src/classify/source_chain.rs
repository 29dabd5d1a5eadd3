//! The walk along an error's sources, including the errors that `source()` skips.

use std::error::Error;
use std::io;
use std::iter;
use std::sync::Arc;

use crate::classify::marker::{ConcurrencyError, PermanentError, RateLimitError, ServerError};
use crate::classify::status::StatusError;
use crate::outcome::abort_error::AbortRetryError;

/// Bounds the walk, so that a cyclic `source()` terminates.
const LONGEST: usize = 128;

/// Iterates over an error and its sources, outermost first.
///
/// Three kinds of error return the source of the error *inside* from `source()`, so a walk along
/// `source()` skips the error inside. This walk visits it:
///
/// - an [`io::Error`] that wraps another error;
/// - an `Arc<E>` or `Box<E>` of an [`io::Error`], a [`StatusError`], an [`AbortRetryError`] or a
///   marker;
/// - an `Arc<dyn Error>`, with or without `Send` and `Sync`, of any error.
///
/// An `Arc` or `Box` of another type hides the error inside, and so does thiserror's
/// `#[error(transparent)]`. The walk then continues with the source of that error.
///
/// The walk ends after 128 errors, so it terminates even if an error is its own source.
///
/// ```
/// use std::{io, sync::Arc};
/// use redress::classify::source_chain;
/// use redress::error::RateLimitError;
///
/// let error = Arc::new(io::Error::other(RateLimitError::new("slow down")));
/// assert!(source_chain(&error).any(|error| error.is::<RateLimitError>()));
/// ```
pub fn source_chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(error), |error| behind(*error)).take(LONGEST)
}

fn behind<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    inside(error).or_else(|| error.source())
}

/// The error that this one holds but does not return from `source()`.
fn inside<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    // Every type below is one or two pointers wide, so for most errors comparing the size suffices.
    const THIN: usize = size_of::<Arc<io::Error>>();
    const WIDE: usize = size_of::<Arc<dyn Error>>();
    match size_of_val(error) {
        THIN => wrapped(error)
            .or_else(|| pointee::<io::Error>(error))
            .or_else(|| pointee::<StatusError>(error))
            .or_else(|| pointee::<AbortRetryError>(error))
            .or_else(|| pointee::<PermanentError>(error))
            .or_else(|| pointee::<RateLimitError>(error))
            .or_else(|| pointee::<ConcurrencyError>(error))
            .or_else(|| pointee::<ServerError>(error)),
        WIDE => wrapped(error).or_else(|| shared(error)),
        _ => wrapped(error),
    }
}

fn wrapped<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    error.downcast_ref::<io::Error>()?.get_ref().map(|wrapped| wrapped as _)
}

fn pointee<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let shared = error.downcast_ref::<Arc<E>>().map(|shared| &**shared);
    shared.or_else(|| error.downcast_ref::<Box<E>>().map(|boxed| &**boxed)).map(|inside| inside as _)
}

fn shared<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let both = error.downcast_ref::<Arc<dyn Error + Send + Sync>>().map(|shared| &**shared as _);
    both.or_else(|| error.downcast_ref::<Arc<dyn Error + Send>>().map(|shared| &**shared as _))
        .or_else(|| error.downcast_ref::<Arc<dyn Error>>().map(|shared| &**shared))
}
