//! Runs one future in virtual time.
//!
//! Owns "when all wait, time jumps to the next alarm". Knows no policy, and no time but the virtual
//! clock's.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::clock::VirtualClock;

impl VirtualClock {
    /// Runs `future` to its end on this thread, without a runtime. Whenever it is pending and
    /// nothing has woken it, the clock jumps to the earliest end among the waits on its
    /// [timers](VirtualClock::timer), so waits cost no real time, however many are under way at
    /// once.
    ///
    /// Time on this clock is the only thing it can wait for: nothing else, such as another thread's
    /// channel, holds the clock back.
    ///
    /// # Panics
    ///
    /// If the future is pending, was not woken, and nothing waits on this clock: it would be
    /// pending for ever.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            while !woken.0.swap(false, Ordering::AcqRel) {
                self.jump();
            }
        }
    }

    fn jump(&self) {
        assert!(
            self.advance_to_next_alarm(),
            "deadlock in virtual time, {:?} after the clock began: the future is pending, nothing has woken it, and \
             nothing waits on this clock's timer. Either an operation never completes and no attempt timeout stops it, \
             or something waits for what is not on this clock",
            self.elapsed(),
        );
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
