//! The real timer: waits that end, timeouts, dropped waits, and waits that never end.
//!
//! Elapsed time is only compared with the timer's own clock.

use std::future::{Future, pending};
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::driver::Timer as _;
use redress_core::{Cause, CircuitBreaker, ErrorClass, Retry, StopReason, fixed};
use redress_smol::{AsyncPolicy, SmolSleep, SmolTimer};
use smol::future::{or, poll_once};

const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(3600);
/// The longest duration that a policy accepts.
const LONGEST: Duration = Duration::from_nanos(u64::MAX);

fn reset() -> Error {
    Error::from(ErrorKind::ConnectionReset)
}

#[test]
fn a_wait_ends_and_never_early() {
    let began = SmolTimer.now();
    smol::block_on(SmolTimer.sleep(SHORT));
    assert!(SmolTimer.now() >= began + SHORT);
}

#[test]
fn a_wait_counts_from_when_it_was_made() {
    let wait = SmolTimer.sleep(SHORT);
    smol::block_on(SmolTimer.sleep(2 * SHORT));
    assert!(smol::block_on(poll_once(wait)).is_some());
}

#[test]
fn retries_wait_between_attempts() {
    let policy = AsyncPolicy::builder().retry(Retry::builder().strategy(fixed(SHORT)).max_attempts(3)).build().unwrap();
    let outcome = smol::block_on(policy.execute(|| async { Err::<(), _>(reset()) }));
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::MaxAttempts), 3));
    assert!(outcome.elapsed() >= 2 * SHORT);
}

#[test]
fn an_attempt_that_never_ends_is_cut_at_its_timeout() {
    let retry = Retry::builder().strategy(fixed(SHORT)).max_attempts(2);
    let policy = AsyncPolicy::builder().retry(retry).attempt_timeout(SHORT).build().unwrap();
    let outcome = smol::block_on(policy.execute(pending::<Result<(), Error>>));
    assert_eq!((outcome.cause(), outcome.last_class()), (Some(Cause::Timeout), Some(ErrorClass::Transient)));
    assert_eq!(outcome.attempts(), 2);
}

#[test]
fn a_deadline_ends_a_call_that_would_go_on_for_ever() {
    let retry = Retry::builder().strategy(fixed(SHORT)).max_attempts(u32::MAX);
    let policy = AsyncPolicy::builder().retry(retry).deadline(20 * SHORT).build().unwrap();
    let outcome = smol::block_on(policy.execute(|| async { Err::<(), _>(reset()) }));
    assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
}

#[test]
fn a_breaker_recovers_by_the_timers_clock() {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(SHORT);
    let policy = AsyncPolicy::builder().circuit_breaker(breaker).build().unwrap();
    smol::block_on(policy.call(|| async { Err::<(), _>(reset()) })).unwrap_err();
    assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
    smol::block_on(SmolTimer.sleep(2 * SHORT));
    smol::block_on(policy.call(|| async { Ok::<_, Error>(()) })).unwrap();
    assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
}

#[test]
fn waits_without_end_neither_panic_nor_hold_up_others() {
    for endless in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(u64::MAX / 4), LONGEST] {
        let mut wait = SmolTimer.sleep(endless);
        assert!(smol::block_on(poll_once(&mut wait)).is_none(), "{endless:?}");
        // The reactor keeps this timer while others come and go.
        smol::block_on(SmolTimer.sleep(SHORT));
        smol::block_on(SmolTimer.sleep(SHORT));
        assert!(smol::block_on(poll_once(&mut wait)).is_none(), "{endless:?}");
    }
}

#[test]
fn a_policy_takes_the_longest_times_there_are() {
    let retry = Retry::builder().strategy(fixed(LONGEST));
    let policy = AsyncPolicy::builder().retry(retry).attempt_timeout(LONGEST).no_deadline().build().unwrap();
    let call = policy.call(|| async { Err::<(), _>(reset()) });
    let given_up = smol::block_on(or(async { call.await.is_ok() }, async {
        SmolTimer.sleep(SHORT).await;
        true
    }));
    assert!(given_up, "the call waits");
}

#[test]
fn a_call_dropped_in_its_wait_ends_there() {
    let policy = AsyncPolicy::builder().retry(Retry::builder().strategy(fixed(LONG))).no_deadline().build().unwrap();
    let mut attempts = 0;
    let call = policy.call(|| {
        attempts += 1;
        async { Err::<(), _>(reset()) }
    });
    let given_up = smol::block_on(or(async { call.await.is_ok() }, async {
        SmolTimer.sleep(SHORT).await;
        true
    }));
    assert_eq!((given_up, attempts), (true, 1));
    assert!(smol::block_on(policy.call(|| async { Ok::<_, Error>(()) })).is_ok(), "the policy goes on");
}

#[test]
fn a_cancelled_task_ends_in_its_wait() {
    let policy = AsyncPolicy::builder().retry(Retry::builder().strategy(fixed(LONG))).no_deadline().build().unwrap();
    let (running, started) = smol::channel::unbounded();
    let task = smol::spawn(async move {
        let call = policy.call(|| {
            let running = running.clone();
            async move {
                running.send(()).await.unwrap();
                Err::<(), _>(reset())
            }
        });
        call.await.is_ok()
    });
    smol::block_on(async {
        started.recv().await.unwrap();
        assert_eq!(task.cancel().await, None);
        // Everything the call owned was dropped, including the sender.
        assert!(started.recv().await.is_err(), "one attempt was all");
    });
}

/// A waker that does nothing, used for its reference count.
struct Counted;

impl Wake for Counted {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_dropped_wait_leaves_nothing_with_the_reactor() {
    let counted = Arc::new(Counted);
    let waker = Waker::from(Arc::clone(&counted));
    let mut wait: SmolSleep = SmolTimer.sleep(LONG);
    assert!(Pin::new(&mut wait).poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    assert!(Arc::strong_count(&counted) > 1, "the reactor holds the waker");
    drop(wait);
    // The reactor removes it at one of its next turns.
    for _ in 0..1000 {
        if Arc::strong_count(&counted) == 1 {
            return;
        }
        smol::block_on(SmolTimer.sleep(SHORT));
    }
    panic!("the reactor still holds the waker");
}

/// Notifies the polling thread.
struct Notifier(mpsc::Sender<()>);

impl Wake for Notifier {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

#[test]
fn a_wait_outside_smols_executors_ends_too() {
    let (woken, wakes) = mpsc::channel();
    let waker = Waker::from(Arc::new(Notifier(woken)));
    let mut wait = SmolTimer.sleep(SHORT);
    while Pin::new(&mut wait).poll(&mut Context::from_waker(&waker)).is_pending() {
        wakes.recv().unwrap();
    }
}
