//! The rarely used parts of an asynchronous call: the future of a hook, with its panics contained,
//! destructor included, and the registration with abort handles.

use std::mem;
use std::task::{Context, Poll, Waker};

use crate::engine::Run;
use crate::policy::abort_handle::AbortWatch;
use crate::policy::hooks::{Sleeper, contained};
use crate::policy::sleep_decision::HookFuture;

/// Starts the custom wait that replaces the timer, if one is set and it does not panic.
pub(crate) fn custom_wait(run: &Run<'_>) -> Option<HookFuture> {
    match run.sleeper() {
        Some(Sleeper::Async(sleeper)) => contained(|| sleeper(run.wait())),
        _ => None,
    }
}

/// The rarely used parts of an asynchronous call: the running future of a hook, and the
/// registration with abort handles.
///
/// Boxed, so that a call with neither stores only eight bytes.
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

    /// Stores a hook's future in place of the previous one.
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

    /// Polls the hook's future. Resolves to `false` if there is none or it panicked.
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

    /// Whether a handle of the call was aborted. If not, registers the waker to be woken by an
    /// abort.
    pub(crate) fn is_aborted(&mut self, run: &Run<'_>, waker: &Waker) -> bool {
        if !run.is_abortable() {
            return false;
        }
        let watch = &mut self.0.get_or_insert_default().watch;
        // ORDER: registered before the flag is read, so that no abort is missed.
        match watch {
            Some(watch) => watch.wake_by(waker),
            None => *watch = Some(AbortWatch::new(run.abort_handles(), waker)),
        }
        watch.as_ref().is_some_and(AbortWatch::is_aborted)
    }

    /// Drops both.
    #[inline]
    pub(crate) fn clear(&mut self) {
        if let Some(parts) = self.0.take() {
            parts.let_go();
        }
    }
}

// Inlined, so that dropping a call with neither is a single test.
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

    /// The destructor of a hook's future is user code too and may panic, both when the future is
    /// ready and when the call is dropped before.
    #[cold]
    #[inline(never)]
    #[expect(clippy::boxed_local, reason = "the box is freed here too, out of line")]
    fn let_go(mut self: Box<Self>) {
        self.set_hook(None);
    }
}
