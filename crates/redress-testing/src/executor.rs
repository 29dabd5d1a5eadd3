//! Runs one future in virtual time: when it waits, the clock jumps to the next alarm.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::clock::VirtualClock;

impl VirtualClock {
    /// Runs `future` to completion on this thread, without a runtime. When it is pending and was
    /// not woken, the clock jumps to the earliest end among the waits on its
    /// [timers](VirtualClock::timer), so even concurrent waits take no real time.
    ///
    /// The future may wait only for this clock; other sources of wake-ups, such as a channel from
    /// another thread, do not hold the clock back.
    ///
    /// # Panics
    ///
    /// Panics if the future is pending, was not woken, and nothing waits on this clock, because it
    /// would be pending forever.
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
             or a future waits for something other than this clock",
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
