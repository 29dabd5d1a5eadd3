//! Policies on tokio's timer and clock: paused time, timeouts, deadlines, recovery, and supported
//! executors.
//!
//! The core tests the decisions themselves.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::{Cause, CircuitBreaker, ErrorClass, Retry, StopReason, fixed};
use redress_tokio::AsyncPolicy;
use tokio::task::{LocalSet, yield_now};
use tokio::time::{Instant, advance, pause, sleep};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn reset() -> Error {
    Error::from(ErrorKind::ConnectionReset)
}

#[tokio::test(start_paused = true)]
async fn a_wait_takes_as_long_as_the_strategy_says() {
    let policy =
        AsyncPolicy::builder().retry(Retry::builder().strategy(fixed(secs(7))).max_attempts(3)).build().unwrap();
    let began = Instant::now();
    let outcome = policy.execute(|| async { Err::<(), _>(reset()) }).await;
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttempts));
    assert_eq!((outcome.elapsed(), began.elapsed()), (secs(14), secs(14)));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_cut_at_its_timeout_and_counts_as_transient() {
    let retry = Retry::builder().strategy(fixed(secs(1))).max_attempts(2);
    let policy = AsyncPolicy::builder().retry(retry).attempt_timeout(secs(3)).build().unwrap();
    let outcome = policy
        .execute(|| async {
            sleep(secs(100)).await;
            Ok::<_, Error>(())
        })
        .await;
    assert_eq!((outcome.cause(), outcome.last_class()), (Some(Cause::Timeout), Some(ErrorClass::Transient)));
    assert_eq!((outcome.attempts(), outcome.elapsed()), (2, secs(7)));
}

#[tokio::test(start_paused = true)]
async fn an_attempts_timeout_shrinks_to_the_deadline() {
    let retry = Retry::builder().strategy(fixed(secs(1)));
    let policy = AsyncPolicy::builder().retry(retry).attempt_timeout(secs(6)).deadline(secs(10)).build().unwrap();
    let mut allowed = Vec::new();
    let outcome = policy
        .execute_with(|attempt| {
            allowed.push(attempt.time_left());
            async {
                sleep(secs(100)).await;
                Ok::<_, Error>(())
            }
        })
        .await;
    assert_eq!((outcome.stop_reason(), outcome.elapsed()), (Some(StopReason::DeadlineExceeded), secs(10)));
    assert_eq!(allowed, [Some(secs(6)), Some(secs(3))]);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_recovers_by_the_paused_clock() {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(30));
    let policy = AsyncPolicy::builder().circuit_breaker(breaker).build().unwrap();
    let failed = policy.call(|| async { Err::<(), _>(reset()) }).await.unwrap_err();
    assert_eq!(failed.stop_reason(), StopReason::MaxAttempts);
    advance(secs(29)).await;
    let rejected = policy.call(|| async { Ok::<_, Error>(()) }).await.unwrap_err();
    assert_eq!(rejected.retry_in(), Some(secs(1)));
    advance(secs(1)).await;
    policy.call(|| async { Ok::<_, Error>(()) }).await.unwrap();
    assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
}

/// A runtime without time panics when its timer is touched.
#[test]
fn a_delay_of_zero_does_not_touch_the_timer() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let policy =
        AsyncPolicy::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3)).build().unwrap();
    let outcome = runtime.block_on(policy.execute(|| async { Err::<(), _>(reset()) }));
    assert_eq!(outcome.attempts(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_can_be_spawned_on_a_runtime_of_many_threads() {
    let policy =
        Arc::new(AsyncPolicy::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO))).build().unwrap());
    let calls: Vec<_> = (0..8_u32)
        .map(|number| {
            let policy = Arc::clone(&policy);
            tokio::spawn(async move {
                let mut attempts = 0;
                let call = policy.call(|| {
                    attempts += 1;
                    let succeeds = attempts == 2;
                    async move {
                        yield_now().await;
                        if succeeds { Ok(number) } else { Err(reset()) }
                    }
                });
                call.await
            })
        })
        .collect();
    for (number, call) in (0..).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap(), number);
    }
}

#[tokio::test]
async fn calls_whose_operation_is_not_send_run_on_a_local_set() {
    pause();
    let policy = AsyncPolicy::builder().retry(Retry::builder().strategy(fixed(secs(1)))).build().unwrap();
    let runs = Rc::new(Cell::new(0));
    let counted = Rc::clone(&runs);
    let local = LocalSet::new();
    let call = local.run_until(async move {
        tokio::task::spawn_local(async move {
            let operation = || {
                let counted = Rc::clone(&counted);
                async move {
                    yield_now().await;
                    counted.set(counted.get() + 1);
                    if counted.get() < 3 { Err(reset()) } else { Ok(()) }
                }
            };
            policy.call(operation).await
        })
        .await
    });
    call.await.unwrap().unwrap();
    assert_eq!(runs.get(), 3);
}
