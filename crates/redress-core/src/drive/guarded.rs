//! What few asynchronous calls have: the futures of hooks, with their panics contained, destructors
//! included, and a place with abort handles.

use std::mem;
use std::task::{Context, Poll, Waker};

use crate::engine::Run;
use crate::policy::abort_handle::AbortWatch;
use crate::policy::hooks::{Sleeper, contained};
use crate::policy::sleep_decision::HookFuture;

/// The wait by the hook that replaces the timer, if there is one and it does not panic.
pub(crate) fn custom_wait(run: &Run<'_>) -> Option<HookFuture> {
    match run.sleeper() {
        Some(Sleeper::Async(sleeper)) => contained(|| sleeper(run.wait())),
        _ => None,
    }
}

/// What few asynchronous calls have: a hook's future under way, and a place with the handles that
/// may abort the call.
///
/// Behind one pointer, so that the many calls with neither keep eight bytes for both.
#[derive(Default)]
pub(crate) struct Beside(Option<Box<Parts>>);

#[derive(Default)]
struct Parts {
    hook: Option<HookFuture>,
    watch: Option<AbortWatch>,
}

impl Beside {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Takes a hook's future, in place of the one before.
    #[inline]
    pub(crate) fn set_hook(&mut self, future: Option<HookFuture>) {
        if future.is_some() || self.0.is_some() {
            self.0.get_or_insert_default().set_hook(future);
        }
    }

    #[inline]
    pub(crate) fn has_hook(&self) -> bool {
        self.0.as_ref().is_some_and(|parts| parts.hook.is_some())
    }

    /// Drives the hook's future, if there is one; resolves to `false` if there is none or it
    /// panicked.
    pub(crate) fn poll_hook(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(parts) = &mut self.0 else { return Poll::Ready(false) };
        let Some(hook) = &mut parts.hook else { return Poll::Ready(false) };
        match contained(|| hook.as_mut().poll(cx)) {
            Some(Poll::Pending) => Poll::Pending,
            ended => {
                parts.set_hook(None);
                Poll::Ready(ended.is_some())
            }
        }
    }

    /// Whether a handle of the call was aborted; if none was, an abort wakes the task.
    pub(crate) fn is_aborted(&mut self, run: &Run<'_>, waker: &Waker) -> bool {
        if !run.is_abortable() {
            return false;
        }
        let watch = &mut self.0.get_or_insert_default().watch;
        // ORDER: registered before the flag is looked at.
        match watch {
            Some(watch) => watch.wake_by(waker),
            None => *watch = Some(AbortWatch::new(run.abort_handles(), waker)),
        }
        watch.as_ref().is_some_and(AbortWatch::is_aborted)
    }

    /// Lets go of both.
    #[inline]
    pub(crate) fn clear(&mut self) {
        if let Some(parts) = self.0.take() {
            parts.let_go();
        }
    }
}

// In line, so that dropping a call with neither is a single test.
impl Drop for Beside {
    #[inline]
    fn drop(&mut self) {
        self.clear();
    }
}

impl Parts {
    fn set_hook(&mut self, future: Option<HookFuture>) {
        if let Some(former) = mem::replace(&mut self.hook, future) {
            contained(|| drop(former));
        }
    }

    /// A future's destructor is the hook's as well, and may panic: at the end, or when the call is
    /// dropped before it.
    #[cold]
    #[inline(never)]
    #[expect(clippy::boxed_local, reason = "the box is let go of here too, out of line")]
    fn let_go(mut self: Box<Self>) {
        self.set_hook(None);
    }
}
