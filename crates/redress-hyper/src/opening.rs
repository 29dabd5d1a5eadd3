//! The opening of a connection that others wait for, since it will take their requests too.
//!
//! Owns how it ends, and who is woken then. What is opened is `connections.rs`.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

type BoxError = Box<dyn Error + Send + Sync>;

/// An opening under way, or how it ended. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Opening(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    ended: Option<Ended>,
    waiting: Vec<Waker>,
}

/// How an opening ended.
#[derive(Clone)]
pub(crate) enum Ended {
    /// There is a connection, or there would have been one: whoever opened it was dropped.
    Over,
    Failed(Shared),
}

impl Opening {
    /// Waits for the end.
    pub(crate) fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<Ended> {
        let mut state = self.state();
        match &state.ended {
            Some(ended) => Poll::Ready(ended.clone()),
            None => {
                if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                    state.waiting.push(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// Ends it, and wakes those that wait.
    pub(crate) fn end(&self, ended: Ended) {
        let waiting = {
            let mut state = self.state();
            state.ended = Some(ended);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is done under the lock that could leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error that several requests have in common.
#[derive(Clone)]
pub(crate) struct Shared(Arc<BoxError>);

impl From<BoxError> for Shared {
    fn from(error: BoxError) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Error for Shared {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&**self.0)
    }
}
