//! What several tests need: the marks of a failure in one value, and errors that wrap others.

use std::error::Error;

use redress::{Classification, ErrorClass};

/// A failure as a test compares it: its class and marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) class: ErrorClass,
    pub(crate) is_unsent: bool,
    pub(crate) is_timeout: bool,
    pub(crate) is_forbidden: bool,
}

impl Seen {
    pub(crate) const fn plain(class: ErrorClass) -> Self {
        Self { class, is_unsent: false, is_timeout: false, is_forbidden: false }
    }

    pub(crate) const fn unsent(class: ErrorClass) -> Self {
        Self { is_unsent: true, ..Self::plain(class) }
    }

    pub(crate) const fn timeout(class: ErrorClass) -> Self {
        Self { is_timeout: true, ..Self::plain(class) }
    }

    pub(crate) const fn forbidden(class: ErrorClass) -> Self {
        Self { is_forbidden: true, ..Self::plain(class) }
    }
}

#[track_caller]
pub(crate) fn seen(failure: &Classification) -> Seen {
    assert!(!failure.is_abort(), "{failure:?}");
    let forbidden = failure.retry_forbidden();
    assert!(forbidden.is_none_or(|why| why == "completion_unknown"), "{failure:?}");
    Seen {
        class: failure.class(),
        is_unsent: failure.is_unsent(),
        is_timeout: failure.is_timeout(),
        is_forbidden: forbidden.is_some(),
    }
}

/// An error with a source.
#[derive(Debug, thiserror::Error)]
#[error("could not book")]
pub(crate) struct Booking<E: Error + 'static>(#[source] pub(crate) E);

/// An error that returns the source of the error inside as its own.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Transparent<E: Error + 'static>(pub(crate) E);
