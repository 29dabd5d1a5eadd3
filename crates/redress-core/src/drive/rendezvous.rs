//! [`Rendezvous`], where a blocking call waits for the result of a detached attempt, an abort, or a
//! time limit.
//!
//! It uses a condition variable instead of thread parking: the calling thread may belong to an
//! executor, which must not lose an unpark that is meant for it.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

use crate::policy::abort_handle::{AbortHandle, AbortWatch};

/// The first event that ended the wait, if any.
#[derive(Debug, Default)]
pub(super) enum Arrival<R> {
    #[default]
    Nothing,
    Abort,
    /// The thread of the attempt ended, with a result or, if `None`, by a panic.
    Result(Option<R>),
}

/// Shared by the waiting thread and the thread that wakes it.
#[derive(Debug)]
pub(super) struct Rendezvous<R> {
    arrival: Mutex<Arrival<R>>,
    changed: Condvar,
}

impl<R: Send + 'static> Rendezvous<R> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { arrival: Mutex::default(), changed: Condvar::new() })
    }

    /// Waits at most for `limit`, if there is one. Returns [`Arrival::Nothing`] if the limit passes
    /// first.
    pub(super) fn wait<'h>(
        self: &Arc<Self>,
        handles: impl Iterator<Item = &'h AbortHandle>,
        limit: Option<Duration>,
    ) -> Arrival<R> {
        let watch = AbortWatch::new(handles, &Waker::from(Arc::clone(self)));
        // ORDER: registered first, so that an abort that is not seen here wakes the thread.
        if watch.is_aborted() {
            self.arrive(Arrival::Abort);
        }
        let nothing = |arrival: &mut Arrival<R>| matches!(arrival, Arrival::Nothing);
        let arrival = self.lock();
        let mut arrival = match limit {
            None => self.changed.wait_while(arrival, nothing).unwrap_or_else(PoisonError::into_inner),
            Some(limit) => {
                self.changed.wait_timeout_while(arrival, limit, nothing).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        mem::take(&mut *arrival)
    }

    /// Delivers the result, in place of an abort that has come before.
    pub(super) fn bring(&self, result: Option<R>) {
        *self.lock() = Arrival::Result(result);
        self.changed.notify_all();
    }

    /// Sets the arrival unless there is one already.
    fn arrive(&self, arrival: Arrival<R>) {
        let mut current = self.lock();
        if matches!(*current, Arrival::Nothing) {
            *current = arrival;
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arrival<R>> {
        self.arrival.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Send + 'static> Wake for Rendezvous<R> {
    fn wake(self: Arc<Self>) {
        self.arrive(Arrival::Abort);
    }
}

/// Sleeps the thread for `delay` or until one of the handles is aborted.
pub(super) fn sleep_unless_aborted<'h>(handles: impl Iterator<Item = &'h AbortHandle>, delay: Duration) {
    Rendezvous::<()>::new().wait(handles, Some(delay));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Waker;
    use std::thread;
    use std::time::Duration;

    use super::{Arrival, Rendezvous};

    const NEVER: Duration = Duration::MAX;

    #[test]
    fn what_comes_while_the_thread_waits_wakes_it() {
        let aborts: fn(Arc<Rendezvous<u32>>) = |meeting| Waker::from(meeting).wake();
        let brings: fn(Arc<Rendezvous<u32>>) = |meeting| meeting.bring(Some(7));
        for (come, expected) in [(aborts, "Abort"), (brings, "Result(Some(7))")] {
            for limit in [None, Some(NEVER)] {
                let meeting = Rendezvous::new();
                let other = Arc::clone(&meeting);
                let thread = thread::spawn(move || come(other));
                assert_eq!(format!("{:?}", meeting.wait([].into_iter(), limit)), expected);
                thread.join().expect("no panic");
            }
        }
    }

    #[test]
    fn a_result_that_is_there_is_not_lost_to_an_abort() {
        let meeting = Rendezvous::new();
        meeting.bring(Some(7));
        Waker::from(Arc::clone(&meeting)).wake();
        assert!(matches!(meeting.wait([].into_iter(), None), Arrival::Result(Some(7))));
    }

    #[test]
    fn a_time_that_is_over_ends_the_wait() {
        assert!(matches!(Rendezvous::<u32>::new().wait([].into_iter(), Some(Duration::ZERO)), Arrival::Nothing));
    }
}
