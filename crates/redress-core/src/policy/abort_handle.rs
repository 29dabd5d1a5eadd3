//! Ending calls from outside: the handle that a user keeps, and the place that a waiting call has
//! with it.
//!
//! Owns that no abort is missed: a call registers first and looks at the flag afterwards, while an
//! abort sets the flag first and takes the registered calls afterwards. Does not know what a call
//! does once it is woken.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::task::Waker;

use crate::policy::hooks::contained;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};

/// Ends calls from outside, waits and running attempts included: for shutdown, or for a user who
/// gives up.
///
/// Give it to a policy with [`PolicyBuilder::abort_on`](crate::policy::PolicyBuilder::abort_on), or
/// to a call with [`CallContext::abort_on`](crate::CallContext::abort_on). Clones are the same
/// handle. It cannot be taken back: take a new handle for calls that are to be made afterwards.
///
/// An aborted call ends as [`Aborted`](crate::StopReason::Aborted), with the last failure in its
/// outcome:
///
/// | the call | ends |
/// |---|---|
/// | has not begun | without an attempt, and without asking the breaker |
/// | waits for its next attempt | at once; by a [`sleep_with`](crate::policy::PolicyBuilder::sleep_with) of a blocking policy, after it |
/// | is asynchronous, with an attempt running | at once; the attempt's future is dropped |
/// | is [detached](crate::Policy::call_detached), with an attempt running | at once; the attempt's thread runs on to its end |
/// | is blocking, with an attempt running | when the closure returns; a success remains one |
///
/// ```
/// use std::io;
/// use redress::{AbortHandle, Policy, StopReason};
///
/// let shutdown = AbortHandle::new();
/// let policy = Policy::builder().abort_on(&shutdown).build()?;
/// assert!(policy.call(|| Ok::<_, io::Error>(())).is_ok());
///
/// shutdown.abort();
/// let late = policy.execute(|| Ok::<_, io::Error>(()));
/// assert_eq!((late.stop_reason(), late.attempts()), (Some(StopReason::Aborted), 0));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct AbortHandle(Arc<State>);

struct State {
    /// 1 once aborted.
    aborted: AtomicU64,
    waiting: Mutex<Waiting>,
}

/// The calls to wake, each at the place it was given.
#[derive(Default)]
struct Waiting {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl AbortHandle {
    /// A handle that has not been aborted.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(State { aborted: AtomicU64::new(0), waiting: Mutex::default() }))
    }

    /// Aborts the calls that have this handle: those under way, and those to come. Again does
    /// nothing.
    pub fn abort(&self) {
        // ORDER: the flag before the wakers; see the file's header.
        self.0.aborted.store(1, Ordering::Release);
        let woken = mem::take(&mut self.0.waiting.lock().wakers);
        for waker in woken.into_values() {
            contained(|| waker.wake());
        }
    }

    /// Whether [`abort`](Self::abort) was called.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        self.0.aborted.load(Ordering::Acquire) != 0
    }

    fn register(&self, waker: Waker) -> u64 {
        let mut waiting = self.0.waiting.lock();
        let place = waiting.next;
        waiting.next += 1;
        waiting.wakers.insert(place, waker);
        place
    }

    /// Changes who is woken. A waker is dropped outside of the lock: its destructor is a runtime's
    /// code.
    fn exchange(&self, place: u64, waker: Option<Waker>) {
        let mut waiting = self.0.waiting.lock();
        let former = match waker {
            Some(waker) => waiting.wakers.insert(place, waker),
            None => waiting.wakers.remove(&place),
        };
        drop(waiting);
        drop(former);
    }
}

impl Default for AbortHandle {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").field("is_aborted", &self.is_aborted()).finish_non_exhaustive()
    }
}

/// The place of a waiting call with each of its handles. Dropping it leaves them.
pub(crate) struct AbortWatch {
    waker: Waker,
    places: Vec<(AbortHandle, u64)>,
}

impl AbortWatch {
    /// Has `waker` woken when one of these handles aborts. Ask [`is_aborted`](Self::is_aborted)
    /// afterwards, before waiting.
    pub(crate) fn new<'h>(handles: impl Iterator<Item = &'h AbortHandle>, waker: &Waker) -> Self {
        let places = handles.map(|handle| (handle.clone(), handle.register(waker.clone()))).collect();
        Self { waker: waker.clone(), places }
    }

    /// Has this waker woken instead, if it is another one.
    pub(crate) fn wake_by(&mut self, waker: &Waker) {
        if self.waker.will_wake(waker) {
            return;
        }
        for (handle, place) in &self.places {
            handle.exchange(*place, Some(waker.clone()));
        }
        self.waker.clone_from(waker);
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.places.iter().any(|(handle, _)| handle.is_aborted())
    }
}

impl Drop for AbortWatch {
    fn drop(&mut self) {
        for (handle, place) in &self.places {
            handle.exchange(*place, None);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Wake, Waker};

    use super::{AbortHandle, AbortWatch};

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counted() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    fn registered(handle: &AbortHandle) -> usize {
        handle.0.waiting.lock().wakers.len()
    }

    #[test]
    fn an_abort_wakes_who_is_registered_and_nobody_else() {
        let handles = [AbortHandle::new(), AbortHandle::new()];
        let ((first, of_first), (second, of_second)) = (counted(), counted());
        let mut changed = AbortWatch::new(handles.iter(), &of_first);
        let left = AbortWatch::new(handles.iter(), &of_first);
        assert_eq!(handles.each_ref().map(registered), [2, 2]);
        changed.wake_by(&of_second);
        changed.wake_by(&of_second);
        drop(left);
        assert_eq!(handles.each_ref().map(registered), [1, 1]);

        assert!(!changed.is_aborted());
        handles[1].abort();
        assert!(changed.is_aborted() && handles[1].is_aborted() && !handles[0].is_aborted());
        handles[1].abort();
        assert_eq!([first, second].map(|count| count.0.load(Ordering::Relaxed)), [0, 1]);
        assert_eq!(handles.each_ref().map(registered), [1, 0]);
        drop(changed);
        assert_eq!(handles.each_ref().map(registered), [0, 0]);
    }

    #[test]
    fn a_waker_that_panics_keeps_no_other_from_being_woken() {
        struct Explodes;
        impl Wake for Explodes {
            fn wake(self: Arc<Self>) {
                panic!("in a waker");
            }
        }
        let handle = AbortHandle::new();
        let (count, waker) = counted();
        let explodes = Waker::from(Arc::new(Explodes));
        let _watches = [&explodes, &waker].map(|waker| AbortWatch::new([&handle].into_iter(), waker));
        handle.abort();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
