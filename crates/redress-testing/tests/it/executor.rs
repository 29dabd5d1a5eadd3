//! Virtual time in asynchronous code: waits, timeouts, deadlocks.

use std::future::{Future, pending, poll_fn, ready};
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use redress_core::classify::DefaultClassifier;
use redress_core::driver::{NoTimer, Timer};
use redress_core::policy::{Async, PolicyBuilder, RetryBuilder};
use redress_core::{AsyncPolicy, Cause, ErrorClass, Retry, StopReason, fixed};
use redress_testing::{Script, VirtualClock, VirtualTimer, assert_outcome};

use crate::{panic_message, reset, secs};

fn builder(clock: &VirtualClock, retry: RetryBuilder) -> PolicyBuilder<DefaultClassifier, Async<VirtualTimer>> {
    AsyncPolicy::<_, NoTimer>::builder().retry(retry).timer(clock.timer())
}

/// Polls both futures concurrently.
async fn join<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut first, mut second) = (None, None);
    poll_fn(|cx| {
        poll_into(&mut first, a.as_mut(), cx);
        poll_into(&mut second, b.as_mut(), cx);
        match (first.take(), second.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (first, second) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

fn poll_into<T>(slot: &mut Option<T>, future: Pin<&mut impl Future<Output = T>>, cx: &mut Context<'_>) {
    if slot.is_none() {
        if let Poll::Ready(output) = future.poll(cx) {
            *slot = Some(output);
        }
    }
}

#[derive(Default)]
struct CountWakes(AtomicUsize);

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_future_that_never_waits_moves_nothing() {
    let clock = VirtualClock::new();
    assert_eq!(clock.block_on(ready(7)), 7);
    assert_eq!(clock.elapsed(), Duration::ZERO);
}

#[test]
fn waits_one_after_the_other_add_up() {
    let clock = VirtualClock::new();
    let timer = clock.timer();
    clock.block_on(async {
        timer.sleep(secs(3)).await;
        assert_eq!(timer.clock().elapsed(), secs(3));
        timer.sleep(secs(4)).await;
    });
    assert_eq!(clock.elapsed(), secs(7));
    assert_eq!(clock.slept(), [secs(3), secs(4)]);
}

#[test]
fn waits_at_the_same_time_overlap() {
    let clock = VirtualClock::new();
    let timer = clock.timer();
    let short = async {
        timer.sleep(secs(2)).await;
        let at_two = clock.elapsed();
        timer.sleep(secs(2)).await;
        (at_two, clock.elapsed())
    };
    let long = async {
        timer.sleep(secs(3)).await;
        clock.elapsed()
    };
    let ((at_two, at_four), at_three) = clock.block_on(join(short, long));
    assert_eq!((at_two, at_three, at_four), (secs(2), secs(3), secs(4)));
    assert_eq!(clock.slept(), [secs(2), secs(3), secs(2)]);
}

#[test]
fn waits_that_end_at_once_all_end() {
    let clock = VirtualClock::new();
    let timer = clock.timer();
    clock.block_on(join(timer.sleep(secs(5)), timer.sleep(secs(5))));
    assert_eq!(clock.elapsed(), secs(5));
    assert_eq!(clock.slept(), [secs(5), secs(5)]);
}

#[test]
fn a_wait_counts_from_when_it_was_made() {
    let clock = VirtualClock::new();
    let sleep = clock.timer().sleep(secs(5));
    clock.advance(secs(4));
    clock.block_on(sleep);
    assert_eq!(clock.elapsed(), secs(5));
}

#[test]
fn the_longest_wait_ends_with_time_itself() {
    let clock = VirtualClock::new();
    clock.block_on(clock.timer().sleep(Duration::MAX));
    assert_eq!(clock.elapsed(), Duration::from_nanos(u64::MAX));
    clock.block_on(clock.timer().sleep(secs(1)));
}

#[test]
fn a_future_that_wakes_itself_is_polled_again_before_time_moves() {
    let clock = VirtualClock::new();
    let mut yields = 3;
    let yielding = poll_fn(|cx| {
        if yields == 0 {
            return Poll::Ready(clock.elapsed());
        }
        yields -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    let (at_end, ()) = clock.block_on(join(yielding, clock.timer().sleep(secs(1))));
    assert_eq!(at_end, Duration::ZERO);
}

#[test]
fn moving_the_clock_wakes_what_is_due_and_nothing_else() {
    let clock = VirtualClock::new();
    let wakes = Arc::new(CountWakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    let mut sleep = pin!(clock.timer().sleep(secs(5)));

    assert!(sleep.as_mut().poll(&mut cx).is_pending());
    clock.advance(secs(4));
    assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
    clock.advance(secs(1));
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert!(sleep.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn waits_that_end_at_once_are_told_apart() {
    let clock = VirtualClock::new();
    let wakes = [(); 3].map(|()| Arc::new(CountWakes::default()));
    let mut sleeps = [(); 3].map(|()| Box::pin(clock.timer().sleep(secs(5))));
    for (sleep, wakes) in sleeps.iter_mut().zip(&wakes) {
        assert!(sleep.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(wakes)))).is_pending());
    }
    let [dropped, _first, _second] = sleeps;
    drop(dropped);
    clock.advance(secs(5));
    assert_eq!(wakes.map(|wakes| wakes.0.load(Ordering::SeqCst)), [0, 1, 1]);
}

#[test]
fn a_dropped_wait_leaves_nothing_behind() {
    let clock = VirtualClock::new();
    let wakes = Arc::new(CountWakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut sleep = Box::pin(clock.timer().sleep(secs(5)));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(sleep);
    clock.advance(secs(9));
    assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
    assert!(clock.slept().is_empty());
}

#[test]
fn a_deadlock_is_reported() {
    let clock = VirtualClock::new();
    clock.advance(secs(3));
    let message = panic_message(AssertUnwindSafe(|| clock.block_on(pending::<()>())));
    assert!(message.starts_with("deadlock in virtual time, 3s after the clock began"), "{message}");
}

#[test]
fn backoff_and_deadline_run_by_it() {
    let clock = VirtualClock::new();
    let policy = builder(&clock, Retry::builder().strategy(fixed(secs(10))).max_attempts(9))
        .deadline(secs(35))
        .build()
        .expect("valid");
    let script = Script::<(), _>::new().forever(|| Err(reset()));
    let outcome = clock.block_on(policy.context().capture_timeline().execute(script.run_async()));
    assert_outcome(&outcome)
        .stopped_for(StopReason::DeadlineExceeded)
        .after_attempts(4)
        .in_time(secs(30))
        .has_sleeps([secs(10); 3]);
    assert_eq!(clock.slept(), [secs(10); 3]);
}

#[test]
fn an_attempt_timeout_strikes_in_virtual_time() {
    let clock = VirtualClock::new();
    let retry = Retry::builder().strategy(fixed(secs(60))).max_attempts(2);
    let policy = builder(&clock, retry).attempt_timeout(secs(5)).no_deadline().build().expect("valid");
    let script = Script::<(), io::Error>::new().pending().after(&clock, secs(7)).ok(());
    let outcome = clock.block_on(policy.execute(script.run_async()));
    assert_outcome(&outcome)
        .stopped_for(StopReason::MaxAttempts)
        .with_cause(Cause::Timeout)
        .with_class(ErrorClass::Transient)
        .in_time(secs(5 + 60 + 5));
    assert_eq!(clock.slept(), [secs(5), secs(60), secs(5)]);
}
