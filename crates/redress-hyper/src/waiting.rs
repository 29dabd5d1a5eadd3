//! The queue of calls that wait for an idle connection, and the one waker that represents all of
//! them.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// The waiting calls.
///
/// A hyper connection keeps one waker, and wakes the previous one when it receives another. Two
/// calls that polled the same connection with different wakers would wake each other forever, so
/// all calls poll with this one.
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
        // Code under the lock never leaves it half changed, so poisoning is ignored.
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
        // A clone, because `Waker::will_wake`, which hyper uses to compare wakers, may tell a waker
        // from its clone.
        let waker = Waker::from(Arc::clone(&queue)).clone();
        Self { queue, waker }
    }

    /// Wakes the waiting calls: there may be a connection for one of them.
    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    /// Adds a waiting call. It waits until the [`Waiter`] is dropped.
    pub(crate) fn join(&self) -> Waiter<'_> {
        let mut waiters = self.queue.waiters();
        waiters.begun += 1;
        Waiter { waiting: self, number: waiters.begun - 1 }
    }
}

/// A waiting call.
pub(crate) struct Waiter<'w> {
    waiting: &'w Waiting,
    number: u64,
}

impl Waiter<'_> {
    /// Calls `ask`. If it returns `Pending`, the caller is woken when a connection may be ready.
    pub(crate) fn poll<R>(&self, cx: &mut Context<'_>, mut ask: impl FnMut(&mut Context<'_>) -> Poll<R>) -> Poll<R> {
        let mut shared = Context::from_waker(&self.waiting.waker);
        if let Poll::Ready(ready) = ask(&mut shared) {
            return Poll::Ready(ready);
        }
        self.waiting.queue.waiters().wakers.insert(self.number, cx.waker().clone());
        // A second try, for a connection that became ready before the caller was in the queue.
        ask(&mut shared)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.waiting.queue.waiters().wakers.remove(&self.number);
    }
}
