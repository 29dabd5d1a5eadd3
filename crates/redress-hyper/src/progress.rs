//! The progress mark of an attempt, which shows after a timeout whether the request was sent. It
//! travels in the request's extensions; a transport that does not set it leaves that unknown.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use http::Extensions;

const UNKNOWN: u8 = 0;
const CONNECTING: u8 = 1;
const SENT: u8 = 2;

/// The progress mark. Clones refer to the same mark.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<AtomicU8>);

impl Progress {
    /// Takes the mark out of a request's extensions. Without one, returns a mark that is never
    /// read.
    pub(crate) fn take(extensions: &mut Extensions) -> Self {
        extensions.remove().unwrap_or_default()
    }

    /// Resets the mark at the start of an attempt.
    pub(crate) fn reset(&self) {
        self.0.store(UNKNOWN, Ordering::Relaxed);
    }

    /// Records that the attempt is connecting: no connection has the request yet.
    pub(crate) fn connects(&self) {
        self.0.store(CONNECTING, Ordering::Relaxed);
    }

    /// Records that a connection has the request.
    pub(crate) fn sends(&self) {
        self.0.store(SENT, Ordering::Relaxed);
    }

    /// Returns whether the attempt certainly ended before a connection had the request.
    pub(crate) fn is_connecting(&self) -> bool {
        self.0.load(Ordering::Relaxed) == CONNECTING
    }
}
