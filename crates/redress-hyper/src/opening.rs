//! The opening of a shared connection, which several requests wait for.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

type BoxError = Box<dyn Error + Send + Sync>;

/// An opening under way, or its result. Clones refer to the same opening.
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
    /// There is a connection, or the request that opened it was dropped.
    Over,
    Failed(Shared),
}

impl Opening {
    /// Polls for the end of the opening.
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

    /// Ends the opening and wakes the waiting requests.
    pub(crate) fn end(&self, ended: Ended) {
        let waiting = {
            let mut state = self.state();
            state.ended = Some(ended);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Code under the lock never leaves it half changed, so poisoning is ignored.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error shared by several requests.
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
