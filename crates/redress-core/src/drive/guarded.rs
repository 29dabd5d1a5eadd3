//! Futures that hooks return, with their panics contained, destructors included.

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

/// Drives a hook's future, if there is one; resolves to `false` if there is none or it panicked.
///
/// Its destructor is the hook's as well, and may panic: at the end, or when the call is dropped before it.
///
/// The future is boxed once more, so that the many calls without one keep eight bytes for it instead of sixteen.
pub(crate) struct GuardedFuture(Option<Box<Hook>>);

/// The future by itself, so that dropping a call without one is a single test.
struct Hook(Option<HookFuture>);

impl GuardedFuture {
    #[inline]
    pub(crate) fn new(future: Option<HookFuture>) -> Self {
        Self(future.map(|future| Box::new(Hook(Some(future)))))
    }

    #[inline]
    pub(crate) const fn is_present(&self) -> bool {
        self.0.is_some()
    }
}

impl Future for GuardedFuture {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(future) = self.0.as_mut().and_then(|hook| hook.0.as_mut()) else { return Poll::Ready(false) };
        match contained(|| future.as_mut().poll(cx)) {
            Some(Poll::Pending) => Poll::Pending,
            ended => {
                self.0 = None;
                Poll::Ready(ended.is_some())
            }
        }
    }
}

impl Drop for Hook {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        if let Some(future) = self.0.take() {
            contained(|| drop(future));
        }
    }
}
