//! How far an attempt has come, for when it runs into its timeout and there is no error to tell.
//!
//! Owns the mark that travels among a request's extensions. A transport that does not set it leaves
//! open what was sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use http::Extensions;

const UNKNOWN: u8 = 0;
const CONNECTING: u8 = 1;
const SENT: u8 = 2;

/// The mark. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<AtomicU8>);

impl Progress {
    /// Takes the mark out of a request's extensions; one that is never read if there is none.
    pub(crate) fn take(extensions: &mut Extensions) -> Self {
        extensions.remove().unwrap_or_default()
    }

    /// Another attempt begins.
    pub(crate) fn reset(&self) {
        self.0.store(UNKNOWN, Ordering::Relaxed);
    }

    /// There is no connection yet that has the request.
    pub(crate) fn connects(&self) {
        self.0.store(CONNECTING, Ordering::Relaxed);
    }

    /// A connection has the request.
    pub(crate) fn sends(&self) {
        self.0.store(SENT, Ordering::Relaxed);
    }

    /// Whether the attempt certainly ended before a connection had the request.
    pub(crate) fn is_connecting(&self) -> bool {
        self.0.load(Ordering::Relaxed) == CONNECTING
    }
}
