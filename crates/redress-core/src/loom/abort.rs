//! Models of abort handles: a waiting call sees the abort, or is woken by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};

use super::{at_once, explore};
use crate::policy::abort_handle::{AbortHandle, AbortWatch};

#[derive(Default)]
struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A call registers, checks, changes its waker and checks again, while another thread aborts.
#[test]
fn no_abort_is_missed() {
    explore("abort handle", || {
        let handle = AbortHandle::new();
        let woken = [(); 2].map(|()| Arc::new(Woken::default()));
        let [first, second] = woken.each_ref().map(|woken| Waker::from(Arc::clone(woken)));
        let aborted = handle.clone();
        let (watch, seen) = at_once(
            || {
                let mut watch = AbortWatch::new([&handle].into_iter(), &first);
                if watch.is_aborted() {
                    return (watch, true);
                }
                watch.wake_by(&second);
                let seen = watch.is_aborted();
                (watch, seen)
            },
            vec![move || aborted.abort()],
        );
        let times = woken.map(|woken| woken.0.load(Ordering::Relaxed));
        assert!(seen || times[1] == 1, "neither seen nor woken");
        drop(watch);
    });
}
