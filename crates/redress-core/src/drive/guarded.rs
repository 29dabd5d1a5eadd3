//! The futures of hooks around a wait, on the way to their end.
//!
//! Owns the containment of their panics, destructors included. Does not know when they are awaited.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::engine::Run;
use crate::policy::hooks::{Sleeper, contained};
use crate::policy::sleep_decision::HookFuture;

/// The wait by the hook that replaces the timer, if there is one and it does not panic.
pub(crate) fn custom_wait(run: &Run<'_>) -> Option<HookFuture> {
    match run.sleeper() {
        Some(Sleeper::Async(sleeper)) => contained(|| sleeper(run.wait())),
        _ => None,
    }
}

/// A hook's future, if there is one, on the way to its end. Answers whether it came there, which one that panics does not.
///
/// Its destructor is the hook's as well, and may panic: at the end, or when the call is dropped before it.
pub(crate) struct Hooked(Option<HookFuture>);

impl Hooked {
    pub(crate) const fn new(future: Option<HookFuture>) -> Self {
        Self(future)
    }

    fn discard(&mut self) {
        if let Some(future) = self.0.take() {
            contained(|| drop(future));
        }
    }
}

impl Future for Hooked {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(future) = self.0.as_mut() else { return Poll::Ready(false) };
        match contained(|| future.as_mut().poll(cx)) {
            Some(Poll::Pending) => Poll::Pending,
            ended => {
                self.discard();
                Poll::Ready(ended.is_some())
            }
        }
    }
}

impl Drop for Hooked {
    fn drop(&mut self) {
        self.discard();
    }
}
