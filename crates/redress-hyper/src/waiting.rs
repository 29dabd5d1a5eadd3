//! The calls that wait until a connection is idle, and the one waker that stands for all of them.
//!
//! Owns the wakers. Which connections there are is `connections.rs`.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Those that wait.
///
/// A connection of hyper's keeps one waker, and wakes the one before when it is given another. Two
/// calls that asked the same connection with wakers of their own would wake each other for ever, so
/// all ask with this one.
pub(crate) struct Waiting {
    queue: Arc<Queue>,
    waker: Waker,
}

#[derive(Default)]
struct Queue(Mutex<Waiters>);

#[derive(Default)]
struct Waiters {
    begun: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Queue {
    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        // Nothing is done under the lock that could leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Queue {
    fn wake(self: Arc<Self>) {
        let woken = mem::take(&mut self.waiters().wakers);
        woken.into_values().for_each(Waker::wake);
    }
}

impl Waiting {
    pub(crate) fn new() -> Self {
        let queue = Arc::<Queue>::default();
        // A clone: a waker and its clone may differ for `Waker::will_wake`, by which hyper tells
        // them apart.
        let waker = Waker::from(Arc::clone(&queue)).clone();
        Self { queue, waker }
    }

    /// Wakes those that wait, because there is something new to ask.
    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    /// One that waits, from now until it is dropped.
    pub(crate) fn join(&self) -> Waiter<'_> {
        let mut waiters = self.queue.waiters();
        waiters.begun += 1;
        Waiter { waiting: self, number: waiters.begun - 1 }
    }
}

/// One that waits.
pub(crate) struct Waiter<'w> {
    waiting: &'w Waiting,
    number: u64,
}

impl Waiter<'_> {
    /// Asks for what may not be there yet. If it is not, the caller is woken when it may be.
    pub(crate) fn poll<R>(&self, cx: &mut Context<'_>, mut ask: impl FnMut(&mut Context<'_>) -> Poll<R>) -> Poll<R> {
        let mut shared = Context::from_waker(&self.waiting.waker);
        if let Poll::Ready(ready) = ask(&mut shared) {
            return Poll::Ready(ready);
        }
        self.waiting.queue.waiters().wakers.insert(self.number, cx.waker().clone());
        // What came before the caller was among those that are woken.
        ask(&mut shared)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.waiting.queue.waiters().wakers.remove(&self.number);
    }
}
