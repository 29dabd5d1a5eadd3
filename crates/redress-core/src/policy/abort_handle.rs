//! [`AbortHandle`], which ends calls from outside, and the registration of waiting calls with it.
//!
//! No abort is missed: a call registers its waker before it reads the flag, and an abort sets the
//! flag before it takes the registered wakers.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::task::Waker;

use crate::policy::hooks::contained;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};

/// Ends calls from outside, waits and running attempts included, for instance at shutdown.
///
/// Pass it to a policy with [`PolicyBuilder::abort_on`](crate::policy::PolicyBuilder::abort_on), or
/// to a call with [`CallContext::abort_on`](crate::CallContext::abort_on). Clones are the same
/// handle. An abort cannot be undone: use a new handle for later calls.
///
/// An aborted call ends as [`Aborted`](crate::StopReason::Aborted), with the last failure in its
/// outcome:
///
/// | the call | ends |
/// |---|---|
/// | has not begun | without an attempt, before the breaker is consulted |
/// | waits for its next attempt | at once; if a blocking policy's [`sleep_with`](crate::policy::PolicyBuilder::sleep_with) does the waiting, when it returns |
/// | is asynchronous, with an attempt running | at once; the attempt's future is dropped |
/// | is [detached](crate::Policy::call_detached), with an attempt running | at once; the attempt's thread runs to completion |
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

/// The wakers of waiting calls, by registration number.
#[derive(Default)]
struct Waiting {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl AbortHandle {
    /// Creates a handle that is not aborted.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(State { aborted: AtomicU64::new(0), waiting: Mutex::default() }))
    }

    /// Aborts the running and all future calls that have this handle. Further calls do nothing.
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

    /// Replaces or removes a waker. The old waker is dropped outside the lock, because its
    /// destructor is foreign code.
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

/// The registration of a waiting call with each of its handles. Dropping it unregisters the call.
pub(crate) struct AbortWatch {
    waker: Waker,
    places: Vec<(AbortHandle, u64)>,
}

impl AbortWatch {
    /// Registers `waker` with these handles. Check [`is_aborted`](Self::is_aborted) afterwards,
    /// before waiting.
    pub(crate) fn new<'h>(handles: impl Iterator<Item = &'h AbortHandle>, waker: &Waker) -> Self {
        let places = handles.map(|handle| (handle.clone(), handle.register(waker.clone()))).collect();
        Self { waker: waker.clone(), places }
    }

    /// Registers this waker instead, if it wakes another task.
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
    fn an_abort_wakes_only_registered_wakers() {
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
